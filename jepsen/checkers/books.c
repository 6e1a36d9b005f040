/* SPDX-License-Identifier: Apache-2.0 - the rules of money. */
#include "jepsen/checkers/books.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/checkers/balances.h"

#define NAME_BYTES 64

/* Of an account: the read that saw it at its ceiling or below last, and the begin of one that ended before that one. */
struct below {
	uint32_t begin;
	uint32_t end;
	uint32_t begin_before;
};

struct books {
	const struct ord_ledger *l;
	struct ord_verdict *v;
	struct ord_balances *balances;
	struct below *below; /* owned; by number of the account */
	uint64_t reads_count;
	uint64_t finals_count;
};

/* --- Reads --- */

/* What refunds can have brought to an account between two operations: each that was asked for before the end and not told before the begin. */
static int64_t refunds_between(const struct books *b, uint32_t account, uint32_t begin, uint32_t end)
{
	int64_t sum = 0;
	for (uint32_t i = 0; i < b->l->requests_by_id.values_count; i++) {
		const struct ord_ledger_request *r = &b->l->requests[i];
		bool is_told = r->outcome == ORD_LEDGER_REFUSED && ord_balances_is_refunded(r->reason);
		bool may_be = r->outcome == ORD_LEDGER_UNKNOWN || (is_told && r->told_op >= begin);
		if (may_be && r->payload.from == account && r->asked_op < end)
			sum += r->payload.amount;
	}
	return sum;
}

/* No credit goes above a ceiling, but a refund may: since the account was seen below it last, refunds alone can have brought it above. */
static void look_at_ceiling(struct books *b, uint32_t number, int64_t balance, uint32_t begin, uint32_t end)
{
	const struct ord_ledger_account *a = &b->l->accounts[number];
	struct below *below = &b->below[number];
	char name[NAME_BYTES];
	if (balance <= a->ceiling) {
		if (below->end < begin)
			below->begin_before = below->begin;
		below->begin = begin;
		below->end = end;
		return;
	}
	int64_t refunds = refunds_between(b, number, below->end < begin ? below->begin : below->begin_before, end);
	if (balance - a->ceiling > refunds)
		ord_verdict_add(b->v, ORD_INVALID, "ceiling", end, ORD_JEPSEN_NONE,
				"account %s has %" PRId64 ", above its ceiling of %" PRId64 " by more than the %" PRId64
				" that refunds can have brought since",
				ord_edn_show(a->name, name, sizeof name), balance, a->ceiling, refunds);
}

/* One account's balance in a read that was asked at begin and completed at end. */
static void look_at_balance(struct books *b, uint32_t number, int64_t balance, bool is_final, uint32_t begin,
			    uint32_t end)
{
	const struct ord_ledger_account *a = &b->l->accounts[number];
	char name[NAME_BYTES];
	ord_edn_show(a->name, name, sizeof name);
	if (balance < a->floor && a->opened_op != ORD_JEPSEN_NONE)
		ord_verdict_add(b->v, ORD_INVALID, "floor", end, ORD_JEPSEN_NONE,
				"account %s has %" PRId64 ", below its floor of %" PRId64, name, balance, a->floor);
	look_at_ceiling(b, number, balance, begin, end);
	struct ord_balances_range range = ord_balances_between(b->balances, number, begin, end);
	if (!ord_balances_can_be(b->balances, number, begin, end, balance))
		ord_verdict_add(b->v, ORD_INVALID, is_final ? "balance" : "read", begin, end,
				"account %s has %" PRId64 ", which no choice of transfers makes it: at least %" PRId64
				", at most %" PRId64,
				name, balance, range.low, range.high);
}

static void look_at_read(struct books *b, uint32_t asked, bool is_final)
{
	uint32_t done = ord_ledger_ok_of(b->l->h, asked);
	struct ord_edn balances = done != ORD_JEPSEN_NONE ? b->l->h->ops[done].value : ord_edn_nil();
	struct ord_edn accounts = b->l->h->ops[asked].value;
	bool is_part = accounts.kind == ORD_EDN_VECTOR && balances.len / 2 != accounts.len;
	if (done != ORD_JEPSEN_NONE && (balances.kind != ORD_EDN_MAP || is_part))
		ord_verdict_add(b->v, ORD_UNKNOWN, "malformed", done, ORD_JEPSEN_NONE,
				"a read that is no map of the balances that were asked for");
	for (uint32_t i = 0; balances.kind == ORD_EDN_MAP && i < balances.len; i += 2) {
		uint32_t number = ord_numbering_find(&b->l->accounts_by_name, balances.items[i]);
		struct ord_edn balance = balances.items[i + 1];
		if (balance.kind != ORD_EDN_INT || number == ORD_NUMBERING_NONE)
			ord_verdict_add(b->v, ORD_UNKNOWN, "malformed", done, ORD_JEPSEN_NONE,
					"a balance that is no integer, or of an account that nobody opened");
		else
			look_at_balance(b, number, balance.integer, is_final, asked, done);
	}
	if (done != ORD_JEPSEN_NONE)
		(*(is_final ? &b->finals_count : &b->reads_count))++;
}

static void look_at_reads(struct books *b)
{
	for (uint32_t i = 0; i < b->l->h->ops_count; i++) {
		const struct ord_jepsen_op *op = &b->l->h->ops[i];
		bool is_final = strcmp(op->f, "final-read") == 0;
		if (op->type == ORD_JEPSEN_INVOKE && (is_final || strcmp(op->f, "read") == 0))
			look_at_read(b, i, is_final);
	}
}

static void look_at_total(struct books *b)
{
	uint32_t count = b->l->accounts_by_name.values_count, last = ORD_JEPSEN_NONE;
	bool is_whole = count > 0;
	__int128 total = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct ord_ledger_account *a = &b->l->accounts[i];
		char name[NAME_BYTES];
		total += a->read_balance;
		last = a->read_op != ORD_JEPSEN_NONE ? a->read_op : last;
		if (a->read_op != ORD_JEPSEN_NONE)
			continue;
		is_whole = false;
		ord_verdict_add(b->v, ORD_UNKNOWN, "no-final-read", a->opened_op, ORD_JEPSEN_NONE,
				"account %s was not read at the end", ord_edn_show(a->name, name, sizeof name));
	}
	if (count == 0)
		ord_verdict_add(b->v, ORD_UNKNOWN, "no-operation", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"there are no accounts");
	if (is_whole && total != 0)
		ord_verdict_add(b->v, ORD_INVALID, "total", last, ORD_JEPSEN_NONE,
				"all balances at the end sum to %" PRId64 " and not to 0", (int64_t)total);
}

/* --- Requests --- */

/* A refusal that cannot be, by all that is known. NULL when it can. */
static const char *is_impossible(const struct books *b, const struct ord_ledger_request *r)
{
	const struct ord_ledger_account *from = &b->l->accounts[r->payload.from];
	const struct ord_ledger_account *to = &b->l->accounts[r->payload.to];
	if (ord_edn_is_word(r->reason, "unknown_payer") && from->opened_op < r->asked_op)
		return "the payer's account was there";
	if (ord_edn_is_word(r->reason, "unknown_payee") && to->opened_op < r->asked_op)
		return "the payee's account was there";
	if (ord_edn_is_word(r->reason, "above_ceiling") && to->opened_op != ORD_JEPSEN_NONE) {
		struct ord_balances_range range =
			ord_balances_between(b->balances, r->payload.to, r->asked_op, r->told_op);
		if (range.high + r->payload.amount <= to->ceiling)
			return "the payee had room all the time";
	}
	if (ord_edn_is_word(r->reason, "below_floor") && from->opened_op < r->asked_op) {
		struct ord_balances_range range =
			ord_balances_between(b->balances, r->payload.from, r->asked_op, r->told_op);
		if (range.low - r->payload.amount >= from->floor)
			return "the payer had enough all the time";
	}
	return NULL;
}

/* Accounts of a history are open, and of one asset: the cluster has further reasons, but not for these. */
static bool has_reason(const struct ord_ledger_request *r)
{
	static const char *const reasons[] = {"unknown_payer", "unknown_payee", "below_floor", "above_ceiling"};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		if (ord_edn_is_word(r->reason, reasons[i]))
			return true;
	}
	return false;
}

static const char *conflict_words(const char *rule)
{
	if (strcmp(rule, "two-outcomes") == 0)
		return "one outcome was told, and then another";
	if (strcmp(rule, "two-payloads") == 0)
		return "it has an outcome for one payload and for another";
	return "an outcome was told, and later nothing was known of it";
}

static void look_at_request(struct books *b, const struct ord_ledger_request *r)
{
	char id[NAME_BYTES];
	ord_edn_show(r->id, id, sizeof id);
	if (r->conflict != NULL)
		ord_verdict_add(b->v, ORD_INVALID, r->conflict, r->told_op, r->conflict_op, "request %s: %s", id,
				conflict_words(r->conflict));
	const char *why = r->outcome == ORD_LEDGER_REFUSED ? is_impossible(b, r) : NULL;
	if (why != NULL)
		ord_verdict_add(b->v, ORD_INVALID, "impossible", r->asked_op, r->told_op,
				"request %s was refused, but %s", id, why);
	if (r->outcome == ORD_LEDGER_REFUSED && !has_reason(r))
		ord_verdict_add(b->v, ORD_UNKNOWN, "reason", r->told_op, ORD_JEPSEN_NONE,
				"request %s was refused for a reason that no transfer between these accounts has", id);
	if (r->outcome == ORD_LEDGER_UNKNOWN)
		ord_verdict_add(b->v, ORD_UNKNOWN, "undecided", r->asked_op, ORD_JEPSEN_NONE,
				"nobody was told what became of request %s", id);
}

static void look_at_requests(struct books *b)
{
	uint64_t counts[ORD_LEDGER_REFUSED + 1] = {0};
	int64_t moved = 0;
	for (uint32_t i = 0; i < b->l->requests_by_id.values_count; i++) {
		const struct ord_ledger_request *r = &b->l->requests[i];
		look_at_request(b, r);
		counts[r->outcome]++;
		moved += r->outcome == ORD_LEDGER_SETTLED ? r->payload.amount : 0;
	}
	ord_verdict_count(b->v, "accounts", b->l->accounts_by_name.values_count);
	ord_verdict_count(b->v, "settled", counts[ORD_LEDGER_SETTLED]);
	ord_verdict_count(b->v, "refused", counts[ORD_LEDGER_REFUSED]);
	ord_verdict_count(b->v, "none", counts[ORD_LEDGER_NONE]);
	ord_verdict_count(b->v, "undecided", counts[ORD_LEDGER_UNKNOWN]);
	ord_verdict_count(b->v, "moved", (uint64_t)moved);
}

static int books_check(const struct ord_ledger *l, struct ord_verdict *v)
{
	struct books b = {.l = l, .v = v, .below = calloc(l->accounts_by_name.values_count + 1, sizeof *b.below)};
	int err = b.below != NULL ? ord_balances_open(l, &b.balances) : ORD_ERR_NOMEM;
	if (err != ORD_OK) {
		free(b.below);
		return err;
	}
	look_at_requests(&b);
	look_at_reads(&b);
	look_at_total(&b);
	ord_verdict_count(v, "reads", b.reads_count);
	ord_verdict_count(v, "final-reads", b.finals_count);
	ord_balances_close(b.balances);
	free(b.below);
	return ORD_OK;
}

int ord_books_judge(const struct ord_jepsen_history *h, ord_books_own own, struct ord_verdict *ret)
{
	struct ord_ledger l = {0};
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_ledger_open(h, ret, &l);
	if (err == ORD_OK && own != NULL)
		err = own(&l, ret);
	if (err == ORD_OK)
		err = books_check(&l, ret);
	ord_ledger_close(&l);
	if (err != ORD_OK)
		ord_verdict_close(ret);
	return err;
}
