/* SPDX-License-Identifier: Apache-2.0 - what the history tells of accounts and of requests with ids. */
#include "jepsen/checkers/ledger.h"

#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"

#define BALANCE_MAX (1ll << 62)

/* --- Numbers to records --- */

static struct ord_ledger_account *account_of(struct ord_ledger *l, struct ord_edn name)
{
	uint32_t before = l->accounts_by_name.values_count;
	uint32_t number = ord_numbering_of(&l->accounts_by_name, name);
	if (!ord_array_reach(&l->accounts, &l->accounts_capacity, number, sizeof *l->accounts))
		return NULL;
	if (number == before)
		l->accounts[number] = (struct ord_ledger_account){.name = name,
								  .ceiling = INT64_MAX,
								  .stock = -1,
								  .opened_op = ORD_JEPSEN_NONE,
								  .read_op = ORD_JEPSEN_NONE};
	return &l->accounts[number];
}

static struct ord_ledger_request *request_of(struct ord_ledger *l, struct ord_edn id)
{
	uint32_t before = l->requests_by_id.values_count;
	uint32_t number = ord_numbering_of(&l->requests_by_id, id);
	if (!ord_array_reach(&l->requests, &l->requests_capacity, number, sizeof *l->requests))
		return NULL;
	if (number == before)
		l->requests[number] = (struct ord_ledger_request){.id = id,
								  .asked_op = ORD_JEPSEN_NONE,
								  .told_op = ORD_JEPSEN_NONE,
								  .conflict_op = ORD_JEPSEN_NONE};
	return &l->requests[number];
}

uint32_t ord_ledger_request_of(const struct ord_ledger *l, const struct ord_jepsen_op *asked)
{
	return ord_numbering_find(&l->requests_by_id, ord_edn_get(asked->value, "id"));
}

/* From, to and amount of a map; false when one of them is missing or unusable. */
static bool payload_read(const struct ord_ledger *l, struct ord_edn value, struct ord_ledger_payload *ret)
{
	struct ord_edn amount = ord_edn_get(value, "amount");
	struct ord_ledger_payload p = {
		.from = ord_numbering_find(&l->accounts_by_name, ord_edn_get(value, "from")),
		.to = ord_numbering_find(&l->accounts_by_name, ord_edn_get(value, "to")),
	};
	if (p.from == ORD_NUMBERING_NONE || p.to == ORD_NUMBERING_NONE)
		return false;
	if (amount.kind != ORD_EDN_INT || amount.integer < 1 || amount.integer > ORD_LEDGER_AMOUNT_MAX)
		return false;
	p.amount = amount.integer;
	*ret = p;
	return true;
}

bool ord_ledger_payload_of(const struct ord_ledger *l, const struct ord_jepsen_op *asked,
			   struct ord_ledger_payload *ret)
{
	return payload_read(l, asked->value, ret);
}

uint32_t ord_ledger_ok_of(const struct ord_jepsen_history *h, uint32_t asked)
{
	uint32_t done = h->ops[asked].other;
	return done != ORD_JEPSEN_NONE && h->ops[done].type == ORD_JEPSEN_OK ? done : ORD_JEPSEN_NONE;
}

static void malformed(struct ord_verdict *v, uint32_t op, const char *what)
{
	ord_verdict_add(v, ORD_UNKNOWN, "malformed", op, ORD_JEPSEN_NONE, "%s", what);
}

/* --- Accounts --- */

/* The integer, when it is one that can be added to others without care. */
static int64_t integer_or(struct ord_edn v, int64_t otherwise)
{
	bool is_usable = v.kind == ORD_EDN_INT && v.integer >= -BALANCE_MAX && v.integer <= BALANCE_MAX;
	return is_usable ? v.integer : otherwise;
}

static int take_open(struct ord_ledger *l, struct ord_verdict *v, uint32_t index)
{
	struct ord_edn value = l->h->ops[index].value;
	struct ord_edn name = ord_edn_get(value, "account");
	if (ord_edn_is_nil(name)) {
		malformed(v, index, "an open without :account");
		return ORD_OK;
	}
	struct ord_ledger_account *a = account_of(l, name);
	if (a == NULL)
		return ORD_ERR_NOMEM;
	a->floor = integer_or(ord_edn_get(value, "floor"), 0);
	a->ceiling = integer_or(ord_edn_get(value, "ceiling"), INT64_MAX);
	a->stock = integer_or(ord_edn_get(value, "stock"), -1);
	if (a->opened_op == ORD_JEPSEN_NONE)
		a->opened_op = ord_ledger_ok_of(l->h, index);
	return ORD_OK;
}

/* The balances of a completed :final-read. */
static int take_final(struct ord_ledger *l, uint32_t index)
{
	uint32_t done = ord_ledger_ok_of(l->h, index);
	if (done == ORD_JEPSEN_NONE)
		return ORD_OK;
	struct ord_edn balances = l->h->ops[done].value;
	for (uint32_t i = 0; balances.kind == ORD_EDN_MAP && i < balances.len; i += 2) {
		struct ord_ledger_account *a = account_of(l, balances.items[i]);
		if (a == NULL)
			return ORD_ERR_NOMEM;
		if (a->read_op != ORD_JEPSEN_NONE && a->read_op > done)
			continue;
		a->read_op = done;
		a->read_balance = integer_or(balances.items[i + 1], 0);
	}
	return ORD_OK;
}

/* --- Requests --- */

/* What the answer says; UNKNOWN when it says nothing final. */
static enum ord_ledger_outcome outcome_of(struct ord_edn value)
{
	struct ord_edn outcome = ord_edn_get(value, "outcome");
	if (ord_edn_is_word(outcome, "settled"))
		return ORD_LEDGER_SETTLED;
	if (ord_edn_is_word(outcome, "refused"))
		return ORD_LEDGER_REFUSED;
	return ORD_LEDGER_UNKNOWN;
}

static void conflict(struct ord_ledger_request *r, const char *rule, uint32_t op)
{
	if (r->conflict != NULL)
		return;
	r->conflict = rule;
	r->conflict_op = op;
}

/* An outcome was told; payload NULL: of what it does not say. */
static void take_outcome(struct ord_ledger_request *r, enum ord_ledger_outcome outcome, struct ord_edn reason,
			 const struct ord_ledger_payload *payload, uint32_t op)
{
	if (r->told_op == ORD_JEPSEN_NONE) {
		r->told_op = op;
		r->outcome = outcome;
		r->reason = reason;
		if (payload != NULL)
			r->payload = *payload;
		return;
	}
	if (r->outcome != outcome || !ord_edn_equal(r->reason, reason))
		conflict(r, "two-outcomes", op);
	else if (payload != NULL && !ord_ledger_payload_equal(payload, &r->payload))
		conflict(r, "two-payloads", op);
}

static int take_transfer(struct ord_ledger *l, struct ord_verdict *v, uint32_t index)
{
	const struct ord_jepsen_op *asked = &l->h->ops[index];
	struct ord_ledger_payload payload;
	struct ord_edn id = ord_edn_get(asked->value, "id");
	struct ord_edn from = ord_edn_get(asked->value, "from"), to = ord_edn_get(asked->value, "to");
	bool has_accounts = !ord_edn_is_nil(from) && !ord_edn_is_nil(to);
	if (has_accounts && (account_of(l, from) == NULL || account_of(l, to) == NULL))
		return ORD_ERR_NOMEM;
	if (ord_edn_is_nil(id) || !has_accounts || !payload_read(l, asked->value, &payload)) {
		malformed(v, index, "a transfer without :id, :from, :to or an :amount from 1 to 2^38");
		return ORD_OK;
	}
	struct ord_ledger_request *r = request_of(l, id);
	if (r == NULL)
		return ORD_ERR_NOMEM;
	if (r->asked_count++ == 0) {
		r->payload = payload;
		r->asked_op = index;
	} else if (!ord_ledger_payload_equal(&payload, &r->payload)) {
		r->payloads_differ = true;
	}
	r->asked_last_op = index;
	return ORD_OK;
}

/* The completion of a transfer. */
static void take_answer(struct ord_ledger *l, struct ord_verdict *v, uint32_t index)
{
	const struct ord_jepsen_op *done = &l->h->ops[index];
	const struct ord_jepsen_op *asked = &l->h->ops[done->other];
	uint32_t number = ord_ledger_request_of(l, asked);
	struct ord_ledger_payload payload;
	if (number == ORD_NUMBERING_NONE || !payload_read(l, asked->value, &payload))
		return;
	struct ord_ledger_request *r = &l->requests[number];
	struct ord_edn reason = ord_edn_get(done->value, "reason");
	r->failed_count += done->type == ORD_JEPSEN_FAIL;
	if (done->type != ORD_JEPSEN_OK || ord_edn_is_word(reason, "id_reused"))
		return;
	enum ord_ledger_outcome outcome = outcome_of(done->value);
	if (outcome == ORD_LEDGER_UNKNOWN)
		malformed(v, index, "an ok of a transfer whose :outcome is neither :settled nor :refused");
	else
		take_outcome(r, outcome, reason, &payload, index);
}

/* The cluster was asked what became of a request. */
static void take_question(struct ord_ledger *l, uint32_t index)
{
	const struct ord_jepsen_op *done = &l->h->ops[index];
	uint32_t number = ord_ledger_request_of(l, &l->h->ops[done->other]);
	if (number == ORD_NUMBERING_NONE || done->type != ORD_JEPSEN_OK)
		return;
	struct ord_ledger_request *r = &l->requests[number];
	enum ord_ledger_outcome outcome = outcome_of(done->value);
	struct ord_ledger_payload payload;
	if (outcome != ORD_LEDGER_UNKNOWN)
		take_outcome(r, outcome, ord_edn_get(done->value, "reason"),
			     payload_read(l, done->value, &payload) ? &payload : NULL, index);
	else if (r->told_op != ORD_JEPSEN_NONE && r->told_op < done->other)
		conflict(r, "forgotten", index);
	else if (ord_edn_is_word(ord_edn_get(done->value, "outcome"), "none") && r->asked_last_op < done->other)
		r->outcome = ORD_LEDGER_NONE; /* until somebody is told something else */
}

/* What was never logged for sure is NONE, whether it was asked about or not. */
static void settle(struct ord_ledger *l)
{
	for (uint32_t i = 0; i < l->requests_by_id.values_count; i++) {
		struct ord_ledger_request *r = &l->requests[i];
		if (r->told_op == ORD_JEPSEN_NONE && r->failed_count == r->asked_count)
			r->outcome = ORD_LEDGER_NONE;
	}
}

/* --- The whole --- */

static int take_invocation(struct ord_ledger *l, struct ord_verdict *v, uint32_t index)
{
	const char *f = l->h->ops[index].f;
	if (strcmp(f, "open") == 0)
		return take_open(l, v, index);
	if (strcmp(f, "transfer") == 0)
		return take_transfer(l, v, index);
	if (strcmp(f, "final-read") == 0)
		return take_final(l, index);
	return ORD_OK;
}

static int take(struct ord_ledger *l, struct ord_verdict *v, uint32_t index)
{
	const struct ord_jepsen_op *op = &l->h->ops[index];
	if (op->process == ORD_JEPSEN_NEMESIS)
		return ORD_OK;
	if (op->type == ORD_JEPSEN_INVOKE)
		return take_invocation(l, v, index);
	if (op->other != ORD_JEPSEN_NONE && strcmp(op->f, "transfer") == 0)
		take_answer(l, v, index);
	if (op->other != ORD_JEPSEN_NONE && strcmp(op->f, "request") == 0)
		take_question(l, index);
	return ORD_OK;
}

int ord_ledger_open(const struct ord_jepsen_history *h, struct ord_verdict *v, struct ord_ledger *ret)
{
	struct ord_ledger l = {.h = h};
	int err = ord_numbering_open(&l.accounts_by_name);
	if (err == ORD_OK)
		err = ord_numbering_open(&l.requests_by_id);
	for (uint32_t i = 0; err == ORD_OK && i < h->ops_count; i++)
		err = take(&l, v, i);
	if (err != ORD_OK) {
		ord_ledger_close(&l);
		return err;
	}
	settle(&l);
	*ret = l;
	return ORD_OK;
}

void ord_ledger_close(struct ord_ledger *l)
{
	ord_numbering_close(&l->accounts_by_name);
	ord_numbering_close(&l->requests_by_id);
	free(l->accounts);
	free(l->requests);
	*l = (struct ord_ledger){0};
}
