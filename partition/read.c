/* SPDX-License-Identifier: Apache-2.0 - reading a partition: views that borrow from the state until the next apply. */
#include "base/assert.h"
#include "base/err.h"
#include "partition/account.h"
#include "partition/name.h"
#include "partition/partition.h"
#include "partition/request.h"
#include "partition/state.h"

static int64_t shown(ord_balance balance)
{
	return balance > INT64_MAX ? INT64_MAX : (int64_t)balance;
}

int ord_partition_account(const struct ord_partition *p, struct ord_slice account, struct ord_account_view *ret)
{
	const struct ord_account *a = ord_account_find(p, account);
	if (a == NULL)
		return ORD_ERR_NOT_FOUND;
	*ret = (struct ord_account_view){
		.account = ord_account_id(a),
		.asset = ord_account_asset(a),
		.state = a->state,
		.balance = shown(a->balance),
		.floor = a->floor,
		.ceiling = a->ceiling,
		.postings_count = a->postings_count,
		.opened_us = a->opened_us,
	};
	return ORD_OK;
}

static struct ord_posting_view posting_view(const struct ord_posting *posting)
{
	return (struct ord_posting_view){
		.number = posting->number,
		.kind = posting->stage.kind,
		.request_id = posting->stage.request_id,
		.counterparty = ord_posting_counterparty(posting),
		.amount = posting->amount,
		.balance_after = posting->balance_after,
		.position = posting->position,
		.time_us = posting->time_us,
	};
}

int ord_partition_history(const struct ord_partition *p, struct ord_slice account, uint64_t from,
			  struct ord_posting_view *views, size_t views_max, size_t *ret_count)
{
	const struct ord_account *a = ord_account_find(p, account);
	if (a == NULL)
		return ORD_ERR_NOT_FOUND;
	size_t count = 0;
	for (uint64_t place = from == 0 ? 0 : from - 1; place < a->postings_count && count < views_max; place++)
		views[count++] = posting_view(a->postings[place]);
	*ret_count = count;
	return ORD_OK;
}

int ord_partition_request(const struct ord_partition *p, const struct ord_uuid *id, struct ord_request_view *ret)
{
	const struct ord_request *r = ord_request_find(p, id);
	if (r == NULL)
		return ORD_ERR_NOT_FOUND;
	*ret = (struct ord_request_view){
		.command = ord_request_command(r),
		.result = ord_request_result(r),
		.logged_us = r->logged_us,
		.decided_us = r->decided_us,
	};
	return ORD_OK;
}

int ord_partition_name(const struct ord_partition *p, struct ord_slice space, struct ord_slice name,
		       struct ord_name_view *ret)
{
	const struct ord_name *n = ord_name_find(p, space, name);
	if (n == NULL)
		return ORD_ERR_NOT_FOUND;
	*ret = (struct ord_name_view){
		.owner = ord_name_owner(n),
		.request_id = n->request_id,
		.position = n->position,
		.since_us = n->since_us,
	};
	return ORD_OK;
}

struct ord_outbox_run ord_partition_outbox_peek(const struct ord_partition *p, uint32_t destination, uint64_t from,
						size_t bytes_max)
{
	ORD_ASSERT(destination < p->partitions_count);
	return ord_outbox_peek(&p->outboxes[destination], from, bytes_max);
}

uint64_t ord_partition_outbox_first(const struct ord_partition *p, uint32_t destination)
{
	ORD_ASSERT(destination < p->partitions_count);
	return p->outboxes[destination].first;
}

uint64_t ord_partition_outbox_next(const struct ord_partition *p, uint32_t destination)
{
	ORD_ASSERT(destination < p->partitions_count);
	return p->outboxes[destination].next;
}

uint64_t ord_partition_cursor(const struct ord_partition *p, uint32_t source)
{
	ORD_ASSERT(source < p->partitions_count);
	return p->cursors[source];
}
