/* SPDX-License-Identifier: Apache-2.0 - checker: no more is sold than there was. What is left is the books' business, too: an item's balance. */
#include "jepsen/checkers/stock.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/checkers/books.h"

#define NAME_BYTES 64

/* Of one item. */
struct item {
	int64_t sold;
	uint32_t last_op;     /* the completion of the last purchase; ORD_JEPSEN_NONE */
	bool is_filled_again; /* somebody gave some back: what is left at the end says nothing about before */
};

struct stock {
	const struct ord_ledger *l;
	struct ord_verdict *v;
	struct item *items; /* owned; by number of account */
	uint64_t refused_count;
};

static bool is_item(const struct stock *s, uint32_t account)
{
	return s->l->accounts[account].stock >= 0;
}

/* Purchases are transfers from an item. One to an item after the first purchase was asked for is not what the stock was. */
static void take(struct stock *s, const struct ord_ledger_request *r, const uint32_t *first_asked)
{
	struct item *from = &s->items[r->payload.from], *to = &s->items[r->payload.to];
	if (r->outcome != ORD_LEDGER_REFUSED && r->outcome != ORD_LEDGER_NONE &&
	    r->asked_op > first_asked[r->payload.to])
		to->is_filled_again = true;
	if (r->outcome == ORD_LEDGER_SETTLED) {
		from->sold += r->payload.amount;
		from->last_op =
			from->last_op == ORD_JEPSEN_NONE || r->told_op > from->last_op ? r->told_op : from->last_op;
	}
}

static void look_at_item(struct stock *s, uint32_t number)
{
	const struct ord_ledger_account *a = &s->l->accounts[number];
	const struct item *i = &s->items[number];
	char name[NAME_BYTES];
	ord_edn_show(a->name, name, sizeof name);
	if (i->sold > a->stock)
		ord_verdict_add(s->v, ORD_INVALID, "oversold", a->opened_op, i->last_op,
				"of item %s %" PRId64 " were sold, and there were %" PRId64, name, i->sold, a->stock);
}

/* What is left at the end was there at any time before. */
static void look_at_refusal(struct stock *s, const struct ord_ledger_request *r)
{
	const struct ord_ledger_account *a = &s->l->accounts[r->payload.from];
	char name[NAME_BYTES];
	s->refused_count += r->outcome == ORD_LEDGER_REFUSED;
	if (r->outcome != ORD_LEDGER_REFUSED || !ord_edn_is_word(r->reason, "below_floor") ||
	    a->read_op == ORD_JEPSEN_NONE || s->items[r->payload.from].is_filled_again)
		return;
	if (a->read_balance - r->payload.amount >= a->floor)
		ord_verdict_add(s->v, ORD_INVALID, "refused-with-stock", r->told_op, a->read_op,
				"%" PRId64 " of item %s were refused, and %" PRId64 " were left at the end",
				r->payload.amount, ord_edn_show(a->name, name, sizeof name), a->read_balance);
}

/* The first invocation of a purchase of each account; ORD_JEPSEN_NONE, which is after all. */
static void first_asked_fill(const struct stock *s, uint32_t *first_asked)
{
	for (uint32_t i = 0; i < s->l->accounts_by_name.values_count; i++)
		first_asked[i] = ORD_JEPSEN_NONE;
	for (uint32_t i = 0; i < s->l->requests_by_id.values_count; i++) {
		const struct ord_ledger_request *r = &s->l->requests[i];
		if (r->asked_op < first_asked[r->payload.from])
			first_asked[r->payload.from] = r->asked_op;
	}
}

static void figures(struct stock *s)
{
	uint64_t items = 0, sold_out = 0;
	__int128 stock = 0, sold = 0, left = 0;
	for (uint32_t i = 0; i < s->l->accounts_by_name.values_count; i++) {
		const struct ord_ledger_account *a = &s->l->accounts[i];
		if (!is_item(s, i))
			continue;
		items++;
		stock += a->stock;
		sold += s->items[i].sold;
		left += a->read_balance;
		sold_out += a->read_op != ORD_JEPSEN_NONE && a->read_balance == 0;
	}
	if (items == 0)
		ord_verdict_add(s->v, ORD_UNKNOWN, "no-item", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"no account was opened with :stock");
	ord_verdict_count(s->v, "items", items);
	ord_verdict_figure(s->v, "stock", ord_edn_int((int64_t)stock));
	ord_verdict_figure(s->v, "sold", ord_edn_int((int64_t)sold));
	ord_verdict_figure(s->v, "left", ord_edn_int((int64_t)left));
	ord_verdict_count(s->v, "sold-out", sold_out);
	ord_verdict_count(s->v, "purchases-refused", s->refused_count);
}

static int items_check(const struct ord_ledger *l, struct ord_verdict *v)
{
	struct stock s = {.l = l, .v = v};
	size_t count = (size_t)l->accounts_by_name.values_count + 1;
	uint32_t *first_asked = calloc(count, sizeof *first_asked);
	s.items = calloc(count, sizeof *s.items);
	int err = first_asked != NULL && s.items != NULL ? ORD_OK : ORD_ERR_NOMEM;
	if (err == ORD_OK) {
		first_asked_fill(&s, first_asked);
		for (size_t i = 0; i < count; i++)
			s.items[i].last_op = ORD_JEPSEN_NONE;
		for (uint32_t i = 0; i < l->requests_by_id.values_count; i++)
			take(&s, &l->requests[i], first_asked);
		for (uint32_t i = 0; i < l->accounts_by_name.values_count; i++) {
			if (is_item(&s, i))
				look_at_item(&s, i);
		}
		for (uint32_t i = 0; i < l->requests_by_id.values_count; i++) {
			if (is_item(&s, l->requests[i].payload.from))
				look_at_refusal(&s, &l->requests[i]);
		}
		figures(&s);
	}
	free(first_asked);
	free(s.items);
	return err;
}

int ord_check_stock(const struct ord_jepsen_history *h, struct ord_verdict *ret)
{
	return ord_books_judge(h, items_check, ret);
}
