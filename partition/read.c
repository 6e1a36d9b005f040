/* SPDX-License-Identifier: Apache-2.0 - reading a partition: views that borrow from the state until the next apply. */
#include "base/assert.h"
#include "base/err.h"
#include "partition/account.h"
#include "partition/name.h"
#include "partition/partition.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/state.h"

static int64_t shown(ord_balance balance)
{
	return balance > INT64_MAX ? INT64_MAX : (int64_t)balance;
}

uint64_t ord_partition_position(const struct ord_partition *p)
{
	return p->position;
}

int ord_partition_account(struct ord_partition *p, struct ord_slice account, struct ord_account_view *ret)
{
	int err = ord_account_load(p, account);
	if (err != ORD_OK)
		return err;
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

/* From the last posting wanted back to the first: each knows the one before it. */
static int postings_read(const struct ord_partition *p, const struct ord_account *a, uint64_t first,
			 struct ord_posting_view *views, size_t count)
{
	uint64_t ordinal;
	int err = ord_posting_seek(p, a, first + count - 1, &ordinal);
	for (size_t left = count; err == ORD_OK && left > 0; left--) {
		struct ord_posting_fact fact;
		err = ord_posting_get(p, ordinal, &fact);
		if (err != ORD_OK)
			break;
		views[left - 1] = fact.view;
		if (fact.view.number != first + left - 1 || fact.account != a->identity ||
		    (left > 1 && fact.previous >= ordinal))
			return ORD_ERR_CORRUPT;
		ordinal = fact.previous;
	}
	return err;
}

int ord_partition_history(struct ord_partition *p, struct ord_slice account, uint64_t from,
			  struct ord_posting_view *views, size_t views_max, size_t *ret_count)
{
	int err = ord_account_load(p, account);
	if (err != ORD_OK)
		return err;
	const struct ord_account *a = ord_account_find(p, account);
	if (a == NULL)
		return ORD_ERR_NOT_FOUND;
	uint64_t first = from == 0 ? 1 : from;
	uint64_t count = first <= a->postings_count ? a->postings_count - first + 1 : 0;
	if (count > views_max)
		count = views_max;
	if (count > 0)
		err = postings_read(p, a, first, views, (size_t)count);
	if (err == ORD_OK)
		*ret_count = (size_t)count;
	return err;
}

int ord_partition_request(struct ord_partition *p, const struct ord_uuid *id, struct ord_request_view *ret)
{
	int err = ord_request_load(p, id);
	if (err != ORD_OK)
		return err;
	const struct ord_request *r = ord_request_find(p, id);
	if (ord_expire_request(p, id, r))
		return ORD_ERR_EXPIRED;
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

int ord_partition_name(struct ord_partition *p, struct ord_slice space, struct ord_slice name,
		       struct ord_name_view *ret)
{
	int err = ord_name_load(p, space, name);
	if (err != ORD_OK)
		return err;
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
