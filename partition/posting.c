/* SPDX-License-Identifier: Apache-2.0 - postings. */
#include "partition/posting.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/hash.h"
#include "partition/account.h"

#define STAGES_SEED 0x737461676573u
#define POSTINGS_FIRST_CAPACITY 4u

struct stage_key {
	const struct ord_uuid *request_id;
	enum ord_posting_kind kind;
};

static bool stage_equal(const struct ord_table_link *link, const void *key)
{
	const struct ord_stage *stage = (const struct ord_stage *)link;
	const struct stage_key *k = key;
	return stage->kind == k->kind && ord_uuid_equal(&stage->request_id, k->request_id);
}

static uint64_t stage_hash(const struct ord_uuid *request_id, enum ord_posting_kind kind)
{
	return ord_hash64_seed(request_id->bytes, sizeof request_id->bytes, STAGES_SEED + kind);
}

const struct ord_stage *ord_posting_find(const struct ord_partition *p, const struct ord_uuid *request_id,
					 enum ord_posting_kind kind)
{
	struct stage_key key = {request_id, kind};
	return (const struct ord_stage *)ord_table_find(&p->stages, stage_hash(request_id, kind), &key, stage_equal);
}

void ord_posting_ahead(const struct ord_partition *p, const struct ord_uuid *request_id, enum ord_posting_kind kind,
		       struct ord_ahead *ahead)
{
	ord_ahead_add(ahead, &p->stages, stage_hash(request_id, kind));
}

static struct ord_digest refused_digest(const struct ord_stage *stage)
{
	uint64_t fixed[5] = {[2] = stage->home, [3] = stage->kind, [4] = stage->reason};
	memcpy(fixed, stage->request_id.bytes, sizeof stage->request_id.bytes);
	return ord_digest_of(ORD_DIGEST_STAGE, ord_slice_of(fixed, sizeof fixed), (struct ord_slice){0});
}

static struct ord_digest posting_digest(const struct ord_posting *posting)
{
	uint64_t fixed[10] = {
		[2] = posting->stage.home, [3] = posting->stage.kind,	    [4] = posting->account->identity,
		[5] = posting->number,	   [6] = (uint64_t)posting->amount, [7] = (uint64_t)posting->balance_after,
		[8] = posting->position,   [9] = posting->time_us,
	};
	memcpy(fixed, posting->stage.request_id.bytes, sizeof posting->stage.request_id.bytes);
	return ord_digest_of(ORD_DIGEST_STAGE, ord_slice_of(fixed, sizeof fixed), ord_posting_counterparty(posting));
}

void ord_posting_digest(const struct ord_stage *stage, struct ord_digest *d)
{
	bool posted = stage->reason == ORD_REFUSAL_NONE;
	ord_digest_add(d, posted ? posting_digest((const struct ord_posting *)stage) : refused_digest(stage));
}

static struct ord_stage stage_of(enum ord_posting_kind kind, const struct ord_message *m, enum ord_refusal reason)
{
	return (struct ord_stage){
		.request_id = m->request_id, .home = m->home, .reason = (uint16_t)reason, .kind = (uint8_t)kind};
}

void ord_posting_refuse(struct ord_partition *p, enum ord_posting_kind kind, const struct ord_message *m,
			enum ord_refusal reason)
{
	ORD_ASSERT(reason != ORD_REFUSAL_NONE);
	struct ord_stage *stage = ord_pool_take(&p->pool, sizeof *stage);
	*stage = stage_of(kind, m, reason);
	ord_table_put(&p->stages, &stage->link, stage_hash(&m->request_id, kind));
	ord_digest_add(&p->digest, refused_digest(stage));
}

static void account_append(struct ord_account *a, struct ord_posting *posting)
{
	if (a->postings_count == a->postings_capacity) {
		uint32_t capacity = a->postings_capacity == 0 ? POSTINGS_FIRST_CAPACITY : a->postings_capacity * 2;
		ORD_ASSERT(capacity > a->postings_capacity);
		a->postings = realloc(a->postings, capacity * sizeof *a->postings);
		ORD_ASSERT(a->postings != NULL);
		a->postings_capacity = capacity;
	}
	a->postings[a->postings_count++] = posting;
	posting->number = a->postings_count;
}

static ord_balance balance_moved(const struct ord_account *a, enum ord_posting_kind kind, int64_t amount)
{
	ord_balance by = kind == ORD_POSTING_DEBIT ? -(ord_balance)amount : amount;
	ord_balance balance;
	bool overflow = __builtin_add_overflow(a->balance, by, &balance);
	ORD_ASSERT(!overflow);
	return balance;
}

void ord_posting_add(struct ord_partition *p, struct ord_account *a, enum ord_posting_kind kind,
		     const struct ord_message *m)
{
	ORD_ASSERT(m->transfer.amount > 0);
	struct ord_slice counterparty = kind == ORD_POSTING_CREDIT ? m->transfer.payer : m->transfer.payee;
	struct ord_posting *posting = ord_pool_take(&p->pool, sizeof *posting + counterparty.len);
	a->balance = balance_moved(a, kind, m->transfer.amount);
	*posting = (struct ord_posting){
		.stage = stage_of(kind, m, ORD_REFUSAL_NONE),
		.account = a,
		.amount = m->transfer.amount,
		.balance_after = a->balance > INT64_MAX ? INT64_MAX : (int64_t)a->balance,
		.position = p->position,
		.time_us = p->time_us,
		.counterparty_bytes = (uint8_t)counterparty.len,
	};
	memcpy(posting->counterparty, counterparty.base, counterparty.len);
	account_append(a, posting);
	ord_account_changed(p, a);
	ord_table_put(&p->stages, &posting->stage.link, stage_hash(&m->request_id, kind));
	ord_digest_add(&p->digest, posting_digest(posting));
	p->postings_count++;
}
