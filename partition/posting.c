/* SPDX-License-Identifier: Apache-2.0 - postings. */
#include "partition/posting.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "partition/account.h"
#include "partition/saved.h"

#define STAGES_SEED 0x737461676573u
#define RING_FIRST_CAPACITY 64u
#define LEVEL_BITS 4u /* a level is 16 times the one below */

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

static int look_load(struct ord_partition *p, const struct ord_ahead_look *look)
{
	bool is_there = ord_posting_find(p, &look->id, look->kind) != NULL;
	return is_there ? ORD_OK : ord_saved_get_stage(p, &look->id, look->kind);
}

int ord_posting_ahead(struct ord_ahead *ahead, const struct ord_uuid *request_id, enum ord_posting_kind kind)
{
	const struct ord_partition *p = ahead->partition;
	if (ord_expire_is_old(p, request_id))
		return ORD_OK; /* nobody will look for it */
	struct ord_ahead_look look = {.table = &p->stages,
				      .hash = stage_hash(request_id, kind),
				      .load = ord_row_ids_may_hold(&p->rows.stages_gone, request_id) ? look_load : NULL,
				      .id = *request_id,
				      .kind = kind};
	return ord_ahead_add(ahead, &look);
}

size_t ord_posting_bytes(const struct ord_stage *stage)
{
	if (!stage->is_posting)
		return sizeof *stage;
	return sizeof(struct ord_posting) + ((const struct ord_posting *)stage)->counterparty_bytes;
}

/* --- The newest postings, by ordinal. --- */

static struct ord_posting **ring_place(const struct ord_posting_ring *ring, uint64_t ordinal)
{
	return &ring->places[ordinal & (ring->capacity - 1)];
}

static void ring_grow(struct ord_posting_ring *ring, uint64_t next)
{
	struct ord_posting_ring grown = {.capacity = ring->capacity == 0 ? RING_FIRST_CAPACITY : ring->capacity * 2,
					 .first = ring->first};
	grown.places = malloc(grown.capacity * sizeof(struct ord_posting *));
	ORD_ASSERT(grown.places != NULL);
	for (uint64_t ordinal = ring->first; ordinal < next; ordinal++)
		*ring_place(&grown, ordinal) = *ring_place(ring, ordinal);
	free(ring->places);
	*ring = grown;
}

static void ring_push(struct ord_posting_ring *ring, struct ord_posting *posting)
{
	uint64_t ordinal = posting->stage.ordinal;
	if (ordinal - ring->first == ring->capacity)
		ring_grow(ring, ordinal);
	*ring_place(ring, ordinal) = posting;
}

/* Stages become clean, and leave, in the order in which they were made. */
void ord_posting_gone(struct ord_partition *p, const struct ord_stage *stage)
{
	if (!stage->is_posting)
		return;
	ORD_ASSERT(stage->ordinal == p->postings.first);
	p->postings.first++;
}

static struct ord_posting_fact fact_of(const struct ord_posting *posting)
{
	return (struct ord_posting_fact){
		.view = {.number = posting->number,
			 .kind = posting->stage.kind,
			 .request_id = posting->stage.request_id,
			 .counterparty = ord_posting_counterparty(posting),
			 .amount = posting->amount,
			 .balance_after = posting->balance_after,
			 .position = posting->position,
			 .time_us = posting->time_us},
		.account = posting->account,
		.previous = posting->previous,
		.earlier = posting->earlier,
		.home = posting->stage.home,
	};
}

int ord_posting_get(const struct ord_partition *p, uint64_t ordinal, struct ord_posting_fact *ret)
{
	ORD_ASSERT(ordinal < p->postings_count);
	if (ordinal < p->postings.first)
		return ord_saved_get_posting(p, ordinal, ret);
	*ret = fact_of(*ring_place(&p->postings, ordinal));
	return ORD_OK;
}

/* How far back a posting's `earlier` leads; 0 when it has none. */
static uint64_t stride_of(uint64_t number)
{
	unsigned level = (unsigned)__builtin_ctzll(number) / LEVEL_BITS;
	if (level > ORD_POSTING_LEVELS)
		level = ORD_POSTING_LEVELS;
	return level == 0 ? 0 : (uint64_t)1 << (level * LEVEL_BITS);
}

int ord_posting_seek(const struct ord_partition *p, const struct ord_account *a, uint64_t number, uint64_t *ret)
{
	uint64_t at = a->postings_count;
	uint64_t ordinal = a->last_ordinal;
	ORD_ASSERT(number >= 1);
	ORD_ASSERT(number <= at);
	while (at > number) {
		struct ord_posting_fact fact;
		int err = ord_posting_get(p, ordinal, &fact);
		if (err != ORD_OK)
			return err;
		uint64_t stride = stride_of(at);
		bool leaps = stride > 0 && at > stride && at - stride >= number;
		uint64_t before = leaps ? fact.earlier : fact.previous;
		if (fact.view.number != at || fact.account != a->identity || before >= ordinal)
			return ORD_ERR_CORRUPT;
		at -= leaps ? stride : 1;
		ordinal = before;
	}
	*ret = ordinal;
	return ORD_OK;
}

struct ord_posting *ord_posting_record(const struct ord_partition *p, const struct ord_account *a, uint64_t number)
{
	uint64_t ordinal;
	int err = ord_posting_seek(p, a, number, &ordinal);
	return err == ORD_OK && ordinal >= p->postings.first ? *ring_place(&p->postings, ordinal) : NULL;
}

/* --- Digests. --- */

static struct ord_digest refused_digest(const struct ord_stage *stage)
{
	uint64_t fixed[5] = {[2] = stage->home, [3] = stage->kind, [4] = stage->reason};
	memcpy(fixed, stage->request_id.bytes, sizeof stage->request_id.bytes);
	return ord_digest_of(ORD_DIGEST_STAGE, ord_slice_of(fixed, sizeof fixed), (struct ord_slice){0});
}

struct ord_digest ord_posting_fact_digest(const struct ord_posting_fact *fact)
{
	uint64_t fixed[10] = {
		[2] = fact->home,
		[3] = fact->view.kind,
		[4] = fact->account,
		[5] = fact->view.number,
		[6] = (uint64_t)fact->view.amount,
		[7] = (uint64_t)fact->view.balance_after,
		[8] = fact->view.position,
		[9] = fact->view.time_us,
	};
	memcpy(fixed, fact->view.request_id.bytes, sizeof fact->view.request_id.bytes);
	return ord_digest_of(ORD_DIGEST_STAGE, ord_slice_of(fixed, sizeof fixed), fact->view.counterparty);
}

int ord_posting_digest(const struct ord_partition *p, const struct ord_stage *stage, struct ord_digest *d)
{
	struct ord_posting_fact fact;
	if (stage->reason != ORD_REFUSAL_NONE) {
		ord_digest_add(d, refused_digest(stage));
		return ORD_OK;
	}
	if (stage->ordinal >= p->postings_count)
		return ORD_ERR_CORRUPT;
	int err = ord_posting_get(p, stage->ordinal, &fact);
	if (err == ORD_OK)
		ord_digest_add(d, ord_posting_fact_digest(&fact));
	return err;
}

/* --- Making them. --- */

struct ord_stage *ord_posting_make_stage(struct ord_partition *p, const struct ord_stage *stage)
{
	struct ord_stage *made = ord_pool_take(&p->pool, sizeof *made);
	*made = *stage;
	ord_table_put(&p->stages, &made->row.link, stage_hash(&made->request_id, made->kind));
	return made;
}

static struct ord_stage stage_of(enum ord_posting_kind kind, const struct ord_message *m, enum ord_refusal reason)
{
	return (struct ord_stage){
		.request_id = m->request_id, .home = m->home, .reason = (uint16_t)reason, .kind = (uint8_t)kind};
}

static void stage_made(struct ord_partition *p, struct ord_stage *stage)
{
	ord_row_made(p, &stage->row, ORD_STORE_STAGES);
	if (!stage->is_apart)
		ord_row_ids_add(&p->rows.stages_made, &stage->request_id, p->time_us);
}

void ord_posting_refuse(struct ord_partition *p, enum ord_posting_kind kind, const struct ord_message *m,
			enum ord_refusal reason)
{
	ORD_ASSERT(reason != ORD_REFUSAL_NONE);
	struct ord_stage stage = stage_of(kind, m, reason);
	struct ord_digest digest = refused_digest(&stage);
	ord_digest_add(&p->digest, digest);
	if (ord_expire_is_old(p, &m->request_id))
		ord_expire_stage(p, &digest, false);
	else
		stage_made(p, ord_posting_make_stage(p, &stage));
}

/* The account's next posting is this one. */
static void account_append(struct ord_account *a, struct ord_posting *posting)
{
	uint64_t ordinal = posting->stage.ordinal;
	posting->number = ++a->postings_count;
	posting->previous = a->last_ordinal;
	a->last_ordinal = ordinal;
	for (unsigned level = 0; level < ORD_POSTING_LEVELS; level++) {
		if (posting->number & (((uint64_t)1 << ((level + 1) * LEVEL_BITS)) - 1))
			break;
		posting->earlier = a->ordinals[level];
		a->ordinals[level] = ordinal;
	}
}

static ord_balance balance_moved(const struct ord_account *a, enum ord_posting_kind kind, int64_t amount)
{
	ord_balance by = kind == ORD_POSTING_DEBIT ? -(ord_balance)amount : amount;
	ord_balance balance;
	bool overflow = __builtin_add_overflow(a->balance, by, &balance);
	ORD_ASSERT(!overflow);
	return balance;
}

static struct ord_posting *posting_make(struct ord_partition *p, const struct ord_posting *posting,
					struct ord_slice counterparty)
{
	struct ord_posting *made = ord_pool_take(&p->pool, sizeof *made + counterparty.len);
	*made = *posting;
	made->counterparty_bytes = (uint8_t)counterparty.len;
	memcpy(made->counterparty, counterparty.base, counterparty.len);
	if (!made->stage.is_apart)
		ord_table_put(&p->stages, &made->stage.row.link, stage_hash(&made->stage.request_id, made->stage.kind));
	return made;
}

void ord_posting_add(struct ord_partition *p, struct ord_account *a, enum ord_posting_kind kind,
		     const struct ord_message *m)
{
	ORD_ASSERT(m->transfer.amount > 0);
	ord_row_change(p, &a->row);
	a->balance = balance_moved(a, kind, m->transfer.amount);
	struct ord_posting posting = {
		.stage = stage_of(kind, m, ORD_REFUSAL_NONE),
		.account = a->identity,
		.amount = m->transfer.amount,
		.balance_after = a->balance > INT64_MAX ? INT64_MAX : (int64_t)a->balance,
		.position = p->position,
		.time_us = p->time_us,
	};
	posting.stage.is_posting = true;
	posting.stage.is_apart = ord_expire_is_old(p, &m->request_id);
	posting.stage.ordinal = p->postings_count;
	account_append(a, &posting);
	ord_account_changed(p, a);
	struct ord_posting *made =
		posting_make(p, &posting, kind == ORD_POSTING_CREDIT ? m->transfer.payer : m->transfer.payee);
	stage_made(p, &made->stage);
	ring_push(&p->postings, made);
	struct ord_posting_fact fact = fact_of(made);
	struct ord_digest digest = ord_posting_fact_digest(&fact);
	ord_digest_add(&p->digest, digest);
	if (made->stage.is_apart)
		ord_expire_stage(p, &digest, true);
	p->postings_count++;
}
