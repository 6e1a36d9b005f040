/* SPDX-License-Identifier: Apache-2.0 - the state in numbers, and its digest. */
#include "base/err.h"
#include "partition/account.h"
#include "partition/name.h"
#include "partition/partition.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/state.h"

/* Adds the partition's own numbers to the digest of its records. Not how many entries brought the commands: that is history, not state. */
static struct ord_digest digest_finish(const struct ord_partition *p, struct ord_digest d, uint64_t time_us)
{
	uint64_t fixed[7] = {p->id,	      p->partitions_count, p->position,
			     time_us,	      p->unsettled_count,  p->postings_count,
			     p->ignored_count};
	ord_digest_add(&d,
		       ord_digest_of(ORD_DIGEST_PARTITION, ord_slice_of(fixed, sizeof fixed), (struct ord_slice){0}));
	return d;
}

void ord_partition_digest_at(const struct ord_partition *p, uint64_t time_us, uint64_t ret[2])
{
	struct ord_digest d = digest_finish(p, p->digest, time_us);
	ret[0] = d.sum[0];
	ret[1] = d.sum[1];
}

void ord_partition_status(const struct ord_partition *p, struct ord_partition_status *ret)
{
	*ret = (struct ord_partition_status){
		.position = p->position,
		.entries_count = p->entries_count,
		.time_us = p->time_us,
		.accounts_count = p->accounts_count,
		.names_count = p->names_count,
		.requests_count = p->requests_count,
		.unsettled_count = p->unsettled_count,
		.outbox_count = p->outbox_count,
		.outbox_bytes = p->outbox_bytes,
		.ignored_count = p->ignored_count,
		.expired_ms = p->expiry.watermark_ms,
		.newest_ms = p->rows.requests_made.newest_ms,
		.marks = p->marks,
	};
	ord_partition_digest_at(p, p->time_us, ret->state_digest);
	memcpy(ret->history_hash, p->chain.hash, sizeof ret->history_hash);
}

void ord_partition_digest_close(const struct ord_partition *p, struct ord_digest records, uint64_t ret[2])
{
	struct ord_digest d = records;
	ord_digest_add(&d, p->expiry.dropped.digest);
	ord_digest_count(&d, ORD_DIGEST_WATERMARK, 0, p->expiry.watermark_ms);
	for (uint32_t i = 0; i < p->partitions_count; i++) {
		ord_outbox_digest(&p->outboxes[i], &d);
		ord_digest_count(&d, ORD_DIGEST_CURSOR, i, p->cursors[i]);
	}
	d = digest_finish(p, d, p->time_us);
	ret[0] = d.sum[0];
	ret[1] = d.sum[1];
}

int ord_partition_digest_recompute(struct ord_partition *p, uint64_t ret[2])
{
	struct ord_digest d = {{0, 0}};
	int err = ord_state_load_all(p);
	if (err != ORD_OK)
		return err;
	uint64_t cursor = 0;
	for (struct ord_account *a = NULL; (a = ord_state_next_account(p, &cursor, a)) != NULL;)
		ord_account_digest(a, &d);
	cursor = 0;
	for (struct ord_name *n = NULL; (n = ord_state_next_name(p, &cursor, n)) != NULL;)
		ord_name_digest(n, &d);
	cursor = 0;
	for (struct ord_request *r = NULL; (r = ord_state_next_request(p, &cursor, r)) != NULL;)
		ord_request_digest(r, &d);
	cursor = 0;
	for (struct ord_stage *stage = NULL; (stage = ord_state_next_stage(p, &cursor, stage)) != NULL;) {
		err = ord_posting_digest(p, stage, &d);
		if (err != ORD_OK)
			return err;
	}
	ord_partition_digest_close(p, d, ret);
	return ORD_OK;
}
