/* SPDX-License-Identifier: Apache-2.0 - invariants 1, 2 and 6: what all partitions together know of each transfer tells one story, and no money is
 * made or lost.
 *
 * All facts about transfers - requests, stages done, messages under way - are laid out and sorted by request. Each transfer is then at exactly one
 * of these places, from which it has one outcome:
 *
 *   message under way   debit     credit    refund    (request)     outcome
 *   DEBIT               -         -         -         accepted
 *   CREDIT              posted    -         -         accepted
 *   REFUND(reason)      posted    reason    -         accepted      reason
 *   OUTCOME or none     posted    posted    -         (or) settled  settled
 *   OUTCOME or none     reason    -         -         (or) rejected reason
 *   OUTCOME or none     posted    reason    posted    (or) rejected reason
 *
 * Where the replicas are at positions that no moment of the cluster had, facts may be missing; then only those that are there are held against each
 * other. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "partition/account.h"
#include "partition/check.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/route.h"

enum fact_kind { FACT_REQUEST, FACT_DEBIT, FACT_CREDIT, FACT_REFUND, FACT_MESSAGE };

struct fact {
	struct ord_uuid request_id;
	uint32_t home;
	enum fact_kind kind;
	const struct ord_request *request; /* REQUEST */
	const struct ord_stage *stage;	   /* DEBIT, CREDIT, REFUND */
	struct ord_message message;	   /* MESSAGE */
};

/* A sum of money that is somewhere: an account's balance, or a message's amount. */
struct holding {
	struct ord_slice asset;
	ord_balance amount;
};

struct ledger {
	struct fact *facts; /* owned */
	size_t facts_count;
	size_t facts_capacity;
	struct holding *holdings; /* owned */
	size_t holdings_count;
	size_t holdings_capacity;
};

static void *grow(void *base, size_t count, size_t *capacity, size_t record_bytes)
{
	if (count < *capacity)
		return base;
	*capacity = *capacity == 0 ? 256 : *capacity * 2;
	base = realloc(base, *capacity * record_bytes);
	ORD_ASSERT(base != NULL);
	return base;
}

static void add_fact(struct ledger *l, struct fact fact)
{
	l->facts = grow(l->facts, l->facts_count, &l->facts_capacity, sizeof *l->facts);
	l->facts[l->facts_count++] = fact;
}

static void add_holding(struct ledger *l, struct ord_slice asset, ord_balance amount)
{
	l->holdings = grow(l->holdings, l->holdings_count, &l->holdings_capacity, sizeof *l->holdings);
	l->holdings[l->holdings_count++] = (struct holding){asset, amount};
}

/* --- Laying out what the partitions hold. --- */

static void collect_requests(struct ledger *l, const struct ord_partition *p)
{
	uint64_t cursor = 0;

	for (struct ord_request *r = ord_state_next_request(p, &cursor, NULL); r != NULL;
	     r = ord_state_next_request(p, &cursor, r))
		if (r->kind == ORD_COMMAND_TRANSFER)
			add_fact(l,
				 (struct fact){.request_id = r->id, .home = p->id, .kind = FACT_REQUEST, .request = r});
}

static enum fact_kind fact_of_stage(uint8_t posting_kind)
{
	switch (posting_kind) {
	case ORD_POSTING_DEBIT:
		return FACT_DEBIT;
	case ORD_POSTING_CREDIT:
		return FACT_CREDIT;
	default:
		return FACT_REFUND;
	}
}

static void collect_stages(struct ledger *l, const struct ord_partition *p)
{
	uint64_t cursor = 0;

	for (struct ord_stage *s = ord_state_next_stage(p, &cursor, NULL); s != NULL;
	     s = ord_state_next_stage(p, &cursor, s))
		add_fact(l, (struct fact){.request_id = s->request_id,
					  .home = s->home,
					  .kind = fact_of_stage(s->kind),
					  .stage = s});
}

static void collect_balances(struct ledger *l, const struct ord_partition *p)
{
	uint64_t cursor = 0;

	for (struct ord_account *a = ord_state_next_account(p, &cursor, NULL); a != NULL;
	     a = ord_state_next_account(p, &cursor, a))
		add_holding(l, ord_account_asset(a), a->balance);
}

/* The messages to destination that it has not applied. */
static void collect_messages(struct ledger *l, const struct ord_partition *p, const struct ord_partition *destination)
{
	uint64_t number = ord_partition_cursor(destination, p->id) + 1;

	if (number < ord_partition_outbox_first(p, destination->id))
		number = ord_partition_outbox_first(p, destination->id);
	while (number < ord_partition_outbox_next(p, destination->id)) {
		struct ord_outbox_run run = ord_partition_outbox_peek(p, destination->id, number, UINT32_MAX);
		struct ord_reader r = ord_reader_of(run.messages);

		for (uint32_t i = 0; i < run.count; i++) {
			struct fact fact = {.kind = FACT_MESSAGE};
			int rv = ord_message_decode(&r, &fact.message);

			ORD_ASSERT(rv == ORD_OK);
			fact.request_id = fact.message.request_id;
			fact.home = fact.message.home;
			add_fact(l, fact);
			if (fact.message.kind == ORD_MESSAGE_CREDIT || fact.message.kind == ORD_MESSAGE_REFUND)
				add_holding(l, fact.message.transfer.asset, fact.message.transfer.amount);
		}
		number += run.count;
	}
}

static void collect(struct ledger *l, const struct ord_check *c)
{
	for (uint32_t i = 0; i < c->count; i++) {
		collect_requests(l, c->partitions[i]);
		collect_stages(l, c->partitions[i]);
		collect_balances(l, c->partitions[i]);
		for (uint32_t d = 0; d < c->count; d++)
			collect_messages(l, c->partitions[i], c->partitions[d]);
	}
}

/* --- One transfer (2, 6). --- */

struct flow {
	struct ord_uuid request_id;
	const struct ord_request *request;
	const struct ord_stage *stages[FACT_REFUND + 1]; /* by fact kind */
	const struct ord_message *message;
};

static bool flow_broken(struct ord_check *c, const struct flow *f, const char *what)
{
	char id[ORD_UUID_TEXT_SIZE];

	ord_uuid_format(&f->request_id, id);
	return ord_check_broken(c, "invariant 2: transfer %s: %s", id, what);
}

static bool is_posted(const struct ord_stage *s)
{
	return s != NULL && s->reason == ORD_REFUSAL_NONE;
}

static bool is_refused(const struct ord_stage *s)
{
	return s != NULL && s->reason != ORD_REFUSAL_NONE;
}

/* The posting is what the transfer asked for. */
static bool posting_fits(const struct ord_check *c, const struct ord_stage *s, struct ord_slice account,
			 struct ord_slice counterparty, const struct ord_transfer *t)
{
	if (!is_posted(s))
		return true;
	const struct ord_partition *p = c->partitions[ord_route_account(account, c->count)];
	const struct ord_account *a = ord_account_find(p, account);
	struct ord_posting_fact fact;
	if (a == NULL || s->ordinal >= p->postings_count || ord_posting_get(p, s->ordinal, &fact) != ORD_OK)
		return false;
	return fact.account == a->identity && ord_uuid_equal(&fact.view.request_id, &s->request_id) &&
	       ord_slice_equal(fact.view.counterparty, counterparty) &&
	       ord_slice_equal(ord_account_asset(a), t->asset) && fact.view.amount == t->amount;
}

static bool transfer_equal(const struct ord_transfer *a, const struct ord_transfer *b)
{
	return ord_slice_equal(a->payer, b->payer) && ord_slice_equal(a->payee, b->payee) &&
	       ord_slice_equal(a->asset, b->asset) && a->amount == b->amount;
}

/* What is there agrees with what was asked. */
static bool payload_check(struct ord_check *c, const struct flow *f)
{
	if (f->request == NULL)
		return true;
	struct ord_transfer asked = ord_request_command(f->request).transfer;
	if (!posting_fits(c, f->stages[FACT_DEBIT], asked.payer, asked.payee, &asked) ||
	    !posting_fits(c, f->stages[FACT_CREDIT], asked.payee, asked.payer, &asked) ||
	    !posting_fits(c, f->stages[FACT_REFUND], asked.payer, asked.payee, &asked))
		return flow_broken(c, f, "a posting is not what the request asked for");
	if (f->message != NULL && f->message->kind != ORD_MESSAGE_OUTCOME &&
	    !transfer_equal(&f->message->transfer, &asked))
		return flow_broken(c, f, "a message is not what the request asked for");
	return true;
}

/* The stages are one of the ways to this outcome; what is not there contradicts nothing. */
static bool outcome_fits(const struct flow *f, enum ord_refusal reason)
{
	const struct ord_stage *debit = f->stages[FACT_DEBIT];
	const struct ord_stage *credit = f->stages[FACT_CREDIT];

	if (reason == ORD_REFUSAL_NONE)
		return !is_refused(debit) && !is_refused(credit) && f->stages[FACT_REFUND] == NULL;
	if (debit != NULL && debit->reason != ORD_REFUSAL_NONE)
		return debit->reason == reason && credit == NULL && f->stages[FACT_REFUND] == NULL;
	return credit == NULL || credit->reason == reason;
}

/* What can be told of any set of replicas. */
static bool pieces_check(struct ord_check *c, const struct flow *f)
{
	const struct ord_stage *credit = f->stages[FACT_CREDIT];
	const struct ord_stage *refund = f->stages[FACT_REFUND];

	if (is_refused(refund) || (refund != NULL && is_posted(credit)))
		return flow_broken(c, f, "credited and refunded, or a refund that was refused");
	if (is_refused(f->stages[FACT_DEBIT]) && (credit != NULL || refund != NULL))
		return flow_broken(c, f, "its debit was refused, and yet it went on");
	if (f->request != NULL && f->request->status != ORD_STATUS_ACCEPTED && !outcome_fits(f, f->request->reason))
		return flow_broken(c, f, "its outcome is not what its stages did");
	return true;
}

/* Enough for this outcome has been done, and nothing else: pieces_check has excluded contradictions. */
static bool is_complete(const struct flow *f, enum ord_refusal reason)
{
	const struct ord_stage *debit = f->stages[FACT_DEBIT];
	const struct ord_stage *credit = f->stages[FACT_CREDIT];

	if (!outcome_fits(f, reason))
		return false;
	if (reason == ORD_REFUSAL_NONE)
		return is_posted(debit) && is_posted(credit);
	return is_refused(debit) || (is_posted(debit) && is_refused(credit) && is_posted(f->stages[FACT_REFUND]));
}

static bool under_way_fits(const struct flow *f)
{
	const struct ord_stage *debit = f->stages[FACT_DEBIT];
	const struct ord_stage *credit = f->stages[FACT_CREDIT];

	switch (f->message->kind) {
	case ORD_MESSAGE_DEBIT:
		return debit == NULL && credit == NULL && f->stages[FACT_REFUND] == NULL;
	case ORD_MESSAGE_CREDIT:
		return is_posted(debit) && credit == NULL && f->stages[FACT_REFUND] == NULL;
	case ORD_MESSAGE_REFUND:
		return is_posted(debit) && is_refused(credit) && credit->reason == f->message->reason &&
		       f->stages[FACT_REFUND] == NULL;
	case ORD_MESSAGE_OUTCOME:
		return is_complete(f, f->message->reason);
	}
	return false;
}

/* What a consistent set of replicas tells of a transfer: all of it. */
static bool whole_check(struct ord_check *c, const struct flow *f)
{
	if (f->request == NULL)
		return flow_broken(c, f, "it is under way or done, and nobody asked for it");
	if (f->request->status == ORD_STATUS_ACCEPTED && f->message == NULL)
		return flow_broken(c, f, "accepted, and no message is under way that leads to its outcome");
	if (f->request->status != ORD_STATUS_ACCEPTED && f->message != NULL)
		return flow_broken(c, f, "decided, and a message is still under way");
	if (f->message != NULL && !under_way_fits(f))
		return flow_broken(c, f, "the message under way does not follow from its stages");
	if (f->message == NULL && !is_complete(f, f->request->reason))
		return flow_broken(c, f, "decided, without the postings that belong to it");
	return true;
}

static bool flow_add(struct ord_check *c, struct flow *f, const struct fact *fact)
{
	switch (fact->kind) {
	case FACT_REQUEST:
		f->request = fact->request;
		return true;
	case FACT_DEBIT:
	case FACT_CREDIT:
	case FACT_REFUND:
		if (f->stages[fact->kind] != NULL)
			return flow_broken(c, f, "a stage of it was done in two places");
		f->stages[fact->kind] = fact->stage;
		return true;
	case FACT_MESSAGE:
		/* Of one transfer only one message is ever under way, unless the replicas are of different moments. */
		if (f->message != NULL && c->consistent)
			return flow_broken(c, f, "two messages are under way");
		f->message = &fact->message;
		return true;
	}
	return false;
}

static int fact_compare(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;
	int order = memcmp(x->request_id.bytes, y->request_id.bytes, sizeof x->request_id.bytes);
	return order != 0 ? order : (x->home > y->home) - (x->home < y->home);
}

/* Parts of it may have been dropped. */
static bool is_expired(const struct ord_check *c, const struct ord_uuid *id)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (ord_expire_is_old(c->partitions[i], id))
			return true;
	return false;
}

static bool flows_check(struct ord_check *c, const struct ledger *l)
{
	for (size_t first = 0, end; first < l->facts_count; first = end) {
		struct flow f = {.request_id = l->facts[first].request_id};

		for (end = first; end < l->facts_count && fact_compare(&l->facts[first], &l->facts[end]) == 0; end++)
			if (!flow_add(c, &f, &l->facts[end]))
				return false;
		if (is_expired(c, &f.request_id))
			continue;
		if (!payload_check(c, &f) || !pieces_check(c, &f) || (c->consistent && !whole_check(c, &f)))
			return false;
	}
	return true;
}

/* --- Each asset (1). --- */

static int holding_compare(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;
	size_t common = x->asset.len < y->asset.len ? x->asset.len : y->asset.len;
	int order = memcmp(x->asset.base, y->asset.base, common);
	return order != 0 ? order : (x->asset.len > y->asset.len) - (x->asset.len < y->asset.len);
}

static bool sums_check(struct ord_check *c, const struct ledger *l)
{
	ord_balance sum = 0;

	for (size_t i = 0; i < l->holdings_count; i++) {
		sum += l->holdings[i].amount;
		if (i + 1 < l->holdings_count && holding_compare(&l->holdings[i], &l->holdings[i + 1]) == 0)
			continue;
		if (sum != 0)
			return ord_check_broken(c, "invariant 1: all %.*s together are %s zero, by %llu (modulo 2^64)",
						(int)l->holdings[i].asset.len, (const char *)l->holdings[i].asset.base,
						sum > 0 ? "above" : "below",
						(unsigned long long)(sum > 0 ? sum : -sum));
	}
	return true;
}

bool ord_flow_check(struct ord_check *c)
{
	struct ledger l = {.facts = NULL};

	collect(&l, c);
	if (l.facts_count > 0)
		qsort(l.facts, l.facts_count, sizeof *l.facts, fact_compare);
	if (l.holdings_count > 0)
		qsort(l.holdings, l.holdings_count, sizeof *l.holdings, holding_compare);
	bool holds = (!c->consistent || sums_check(c, &l)) && flows_check(c, &l);
	free(l.facts);
	free(l.holdings);
	return holds;
}
