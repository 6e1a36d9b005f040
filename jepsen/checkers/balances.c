/* SPDX-License-Identifier: Apache-2.0 - between which two values a balance must lie at a time.
 *
 * Of each account four sums that only grow, at each operation of the history that changes one of them: paid in and paid out, for sure and at most.
 *
 *   asked first             may have been paid out, may have been paid in
 *   told that it settled    was paid out, was paid in
 *   told that it was refused by the payee's side: paid out and back. Other refusals change nothing at any time. */
#include "jepsen/checkers/balances.h"

#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/checkers/subset.h"

#define SOON_OPS 1000u

struct sums {
	int64_t sure_in;
	int64_t sure_out;
	int64_t may_in;
	int64_t may_out;
};

struct moment {
	uint32_t op; /* the sums are so from this operation on */
	struct sums sums;
};

/* What one request does to an account between the first time that it was asked for and the time that its outcome was told. */
struct item {
	uint32_t asked_op;
	uint32_t told_op;     /* ORD_JEPSEN_NONE: never */
	uint32_t told_max_op; /* of this one and those before it in its list */
	int64_t delta;
};

struct items {
	struct item *base; /* owned; in the order of asked_op */
	uint32_t count;
	uint32_t capacity;
};

struct course {
	struct items soon;	/* told soon: to look back for what was under way ends soon, too */
	struct items late;	/* the others */
	struct moment *moments; /* owned */
	uint32_t moments_count;
	uint32_t moments_capacity;
};

struct ord_balances {
	const struct ord_ledger *l; /* borrowed */
	struct course *courses;	    /* owned; by account */
	uint32_t courses_count;
};

/* The sums of the account that op changes; NULL without memory. */
static struct sums *sums_at(struct ord_balances *b, uint32_t account, uint32_t op)
{
	struct course *c = &b->courses[account];
	if (c->moments_count > 0 && c->moments[c->moments_count - 1].op == op)
		return &c->moments[c->moments_count - 1].sums;
	if (!ord_array_reach(&c->moments, &c->moments_capacity, c->moments_count, sizeof *c->moments))
		return NULL;
	struct sums before = c->moments_count > 0 ? c->moments[c->moments_count - 1].sums : (struct sums){0};
	c->moments[c->moments_count] = (struct moment){.op = op, .sums = before};
	return &c->moments[c->moments_count++].sums;
}

static int item_add(struct ord_balances *b, uint32_t account, uint32_t asked_op, uint32_t told_op, int64_t delta)
{
	struct course *c = &b->courses[account];
	struct items *items = told_op - asked_op <= SOON_OPS ? &c->soon : &c->late;
	if (!ord_array_reach(&items->base, &items->capacity, items->count, sizeof *items->base))
		return ORD_ERR_NOMEM;
	uint32_t max_op = items->count > 0 ? items->base[items->count - 1].told_max_op : 0;
	items->base[items->count++] = (struct item){.asked_op = asked_op,
						    .told_op = told_op,
						    .told_max_op = told_op > max_op ? told_op : max_op,
						    .delta = delta};
	return ORD_OK;
}

bool ord_balances_is_refunded(struct ord_edn reason)
{
	return ord_edn_is_word(reason, "unknown_payee") || ord_edn_is_word(reason, "payee_not_open") ||
	       ord_edn_is_word(reason, "payee_other_asset") || ord_edn_is_word(reason, "above_ceiling");
}

/* Asked for at asked_op; told_op: when its outcome is told. */
static int may_pay(struct ord_balances *b, const struct ord_ledger_payload *p, bool reaches_payee, uint32_t asked_op,
		   uint32_t told_op)
{
	struct sums *from = sums_at(b, p->from, asked_op);
	if (from == NULL || item_add(b, p->from, asked_op, told_op, -p->amount) != ORD_OK)
		return ORD_ERR_NOMEM;
	from->may_out += p->amount;
	if (!reaches_payee) {
		from->may_in += p->amount; /* the refund */
		return ORD_OK;
	}
	struct sums *to = sums_at(b, p->to, asked_op);
	if (to == NULL || item_add(b, p->to, asked_op, told_op, p->amount) != ORD_OK)
		return ORD_ERR_NOMEM;
	to->may_in += p->amount;
	return ORD_OK;
}

static int has_paid(struct ord_balances *b, const struct ord_ledger_payload *p, bool reached_payee, uint32_t op)
{
	struct sums *from = sums_at(b, p->from, op);
	if (from == NULL)
		return ORD_ERR_NOMEM;
	from->sure_out += p->amount;
	if (!reached_payee) {
		from->sure_in += p->amount;
		return ORD_OK;
	}
	struct sums *to = sums_at(b, p->to, op);
	if (to == NULL)
		return ORD_ERR_NOMEM;
	to->sure_in += p->amount;
	return ORD_OK;
}

/* An invocation of a transfer: the first one of its request; all of them while nobody knows which payload counts. */
static int take_invocation(struct ord_balances *b, uint32_t index)
{
	uint32_t number = ord_ledger_request_of(b->l, &b->l->h->ops[index]);
	struct ord_ledger_payload payload;
	if (number == ORD_NUMBERING_NONE || !ord_ledger_payload_of(b->l, &b->l->h->ops[index], &payload))
		return ORD_OK;
	const struct ord_ledger_request *r = &b->l->requests[number];
	switch (r->outcome) {
	case ORD_LEDGER_NONE:
		return ORD_OK;
	case ORD_LEDGER_UNKNOWN:
		return index == r->asked_op || r->payloads_differ ? may_pay(b, &payload, true, index, r->told_op)
								  : ORD_OK;
	case ORD_LEDGER_REFUSED:
		return index == r->asked_op && ord_balances_is_refunded(r->reason)
			       ? may_pay(b, &r->payload, false, index, r->told_op)
			       : ORD_OK;
	case ORD_LEDGER_SETTLED:
		return index == r->asked_op ? may_pay(b, &r->payload, true, index, r->told_op) : ORD_OK;
	}
	return ORD_OK;
}

/* A completion: when it is the one that told the outcome. */
static int take_completion(struct ord_balances *b, uint32_t index)
{
	uint32_t number = ord_ledger_request_of(b->l, &b->l->h->ops[b->l->h->ops[index].other]);
	if (number == ORD_NUMBERING_NONE || b->l->requests[number].told_op != index)
		return ORD_OK;
	const struct ord_ledger_request *r = &b->l->requests[number];
	if (r->outcome == ORD_LEDGER_SETTLED)
		return has_paid(b, &r->payload, true, index);
	return ord_balances_is_refunded(r->reason) ? has_paid(b, &r->payload, false, index) : ORD_OK;
}

static int take(struct ord_balances *b, uint32_t index)
{
	const struct ord_jepsen_op *op = &b->l->h->ops[index];
	if (op->process == ORD_JEPSEN_NEMESIS)
		return ORD_OK;
	if (op->type == ORD_JEPSEN_INVOKE)
		return strcmp(op->f, "transfer") == 0 ? take_invocation(b, index) : ORD_OK;
	return op->other != ORD_JEPSEN_NONE ? take_completion(b, index) : ORD_OK;
}

int ord_balances_open(const struct ord_ledger *l, struct ord_balances **ret)
{
	struct ord_balances *b = calloc(1, sizeof *b);
	int err = b != NULL ? ORD_OK : ORD_ERR_NOMEM;
	if (b == NULL)
		return err;
	b->l = l;
	b->courses_count = l->accounts_by_name.values_count;
	b->courses = calloc((size_t)b->courses_count + 1, sizeof *b->courses);
	if (b->courses == NULL)
		err = ORD_ERR_NOMEM;
	for (uint32_t i = 0; err == ORD_OK && i < l->h->ops_count; i++)
		err = take(b, i);
	if (err == ORD_OK)
		*ret = b;
	else
		ord_balances_close(b);
	return err;
}

void ord_balances_close(struct ord_balances *b)
{
	if (b == NULL)
		return;
	for (uint32_t i = 0; b->courses != NULL && i < b->courses_count; i++) {
		free(b->courses[i].moments);
		free(b->courses[i].soon.base);
		free(b->courses[i].late.base);
	}
	free(b->courses);
	free(b);
}

/* The sums after the operation. */
static struct sums sums_after(const struct course *c, uint32_t op)
{
	uint32_t low = 0, high = c->moments_count; /* those before low are not later than op, those from high on are */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (c->moments[middle].op <= op)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? c->moments[low - 1].sums : (struct sums){0};
}

struct ord_balances_range ord_balances_between(const struct ord_balances *b, uint32_t account, uint32_t begin,
					       uint32_t end)
{
	struct sums at_begin = sums_after(&b->courses[account], begin);
	struct sums at_end = sums_after(&b->courses[account], end);
	return (struct ord_balances_range){.low = at_begin.sure_in - at_end.may_out,
					   .high = at_end.may_in - at_begin.sure_out};
}

/* Adds the deltas of what was under way at some moment between the two; when there are more than ORD_SUBSET_ITEMS_MAX, no more than one more is counted. */
static uint32_t add_under_way(const struct items *items, uint32_t begin, uint32_t end, int64_t *deltas, uint32_t count)
{
	for (uint32_t i = items->count;
	     count <= ORD_SUBSET_ITEMS_MAX && i-- > 0 && items->base[i].told_max_op > begin;) {
		const struct item *item = &items->base[i];
		if (item->asked_op > end || item->told_op <= begin)
			continue;
		if (count < ORD_SUBSET_ITEMS_MAX)
			deltas[count] = item->delta;
		count++;
	}
	return count;
}

bool ord_balances_can_be(const struct ord_balances *b, uint32_t account, uint32_t begin, uint32_t end, int64_t balance)
{
	const struct course *c = &b->courses[account];
	struct ord_balances_range range = ord_balances_between(b, account, begin, end);
	struct sums sums = sums_after(c, begin);
	int64_t deltas[ORD_SUBSET_ITEMS_MAX];
	if (balance < range.low || balance > range.high)
		return false;
	uint32_t count = add_under_way(&c->soon, begin, end, deltas, 0);
	if (count <= ORD_SUBSET_ITEMS_MAX)
		count = add_under_way(&c->late, begin, end, deltas, count);
	return ord_subset_sums_to(deltas, count, balance - (sums.sure_in - sums.sure_out));
}
