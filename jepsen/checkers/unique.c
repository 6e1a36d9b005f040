/* SPDX-License-Identifier: Apache-2.0 - checker: a name has one owner at a time. A name is a register of its owner: a claim changes it from nil, a release to nil, a reassign from one owner to another. */
#include "jepsen/checkers/unique.h"

#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/checkers/numbering.h"
#include "jepsen/checkers/registers.h"

#define NAME_BYTES 64

/* One id. */
struct request {
	struct ord_edn name;
	struct ord_edn from; /* whom it expects; nil: nobody */
	struct ord_edn to;   /* who owns it then; nil: nobody */
	uint32_t asked_op;
	uint32_t asked_count;
	uint32_t failed_count;
	uint32_t told_op; /* ORD_JEPSEN_NONE: nobody was told */
	bool is_settled;
	struct ord_edn reason;
};

/* One name. */
struct name {
	uint32_t claims_count; /* that won */
	uint32_t frees_count;  /* releases that were not refused, as far as is known */
	uint32_t last_won[2];  /* claims, by told_op; the last one and the one before */
};

struct unique {
	const struct ord_jepsen_history *h;
	struct ord_verdict *v;
	struct ord_registers *registers;
	struct ord_numbering ids;
	struct request *requests; /* owned; by number of id */
	uint32_t requests_capacity;
	struct ord_numbering names;
	struct name *names_known; /* owned; by number of name */
	uint64_t won, refused, released, reassigned, reads;
};

static bool is_f(const struct ord_jepsen_op *op, const char *f)
{
	return strcmp(op->f, f) == 0;
}

static void malformed(struct unique *u, uint32_t op, const char *what)
{
	ord_verdict_add(u->v, ORD_UNKNOWN, "malformed", op, ORD_JEPSEN_NONE, "%s", what);
}

/* --- What became of each id --- */

/* What the invocation asks for; false when it is no change of a name. */
static bool change_of(const struct ord_jepsen_op *asked, struct request *ret)
{
	struct ord_edn owner = ord_edn_get(asked->value, "owner");
	*ret = (struct request){.name = ord_edn_get(asked->value, "name"), .told_op = ORD_JEPSEN_NONE};
	if (is_f(asked, "claim"))
		ret->to = owner;
	else if (is_f(asked, "release"))
		ret->from = owner;
	if (is_f(asked, "reassign")) {
		ret->from = ord_edn_get(asked->value, "from");
		ret->to = ord_edn_get(asked->value, "to");
	}
	return is_f(asked, "claim") || is_f(asked, "release") || is_f(asked, "reassign");
}

static bool is_complete(const struct ord_jepsen_op *asked, const struct request *r)
{
	bool has_from = is_f(asked, "claim") || !ord_edn_is_nil(r->from);
	bool has_to = is_f(asked, "release") || !ord_edn_is_nil(r->to);
	return has_from && has_to && !ord_edn_is_nil(r->name) && !ord_edn_is_nil(ord_edn_get(asked->value, "id"));
}

static int take_change(struct unique *u, uint32_t index)
{
	const struct ord_jepsen_op *asked = &u->h->ops[index];
	struct request change;
	if (!change_of(asked, &change))
		return ORD_OK;
	if (!is_complete(asked, &change)) {
		malformed(u, index, "a change without :id, :name or an owner");
		return ORD_OK;
	}
	uint32_t before = u->ids.values_count;
	uint32_t number = ord_numbering_of(&u->ids, ord_edn_get(asked->value, "id"));
	if (number == ORD_NUMBERING_NONE || ord_numbering_of(&u->names, change.name) == ORD_NUMBERING_NONE)
		return ORD_ERR_NOMEM;
	if (!ord_array_reach(&u->requests, &u->requests_capacity, number, sizeof *u->requests))
		return ORD_ERR_NOMEM;
	struct request *r = &u->requests[number];
	if (number == before) {
		*r = change;
		r->asked_op = index;
	} else if (!ord_edn_equal(r->name, change.name) || !ord_edn_equal(r->from, change.from) ||
		   !ord_edn_equal(r->to, change.to)) {
		malformed(u, index, "an id that was asked for with other fields before");
	}
	r->asked_count++;
	return ORD_OK;
}

static void take_answer(struct unique *u, uint32_t index)
{
	const struct ord_jepsen_op *done = &u->h->ops[index];
	struct ord_edn id = ord_edn_get(u->h->ops[done->other].value, "id");
	uint32_t number = ord_numbering_find(&u->ids, id);
	struct ord_edn outcome = ord_edn_get(done->value, "outcome"), reason = ord_edn_get(done->value, "reason");
	bool is_settled = ord_edn_is_word(outcome, "settled");
	char text[NAME_BYTES];
	if (number == ORD_NUMBERING_NONE)
		return;
	struct request *r = &u->requests[number];
	r->failed_count += done->type == ORD_JEPSEN_FAIL && !is_f(done, "request");
	if (done->type != ORD_JEPSEN_OK || (!is_settled && !ord_edn_is_word(outcome, "refused")))
		return;
	if (r->told_op != ORD_JEPSEN_NONE && (r->is_settled != is_settled || !ord_edn_equal(r->reason, reason))) {
		ord_verdict_add(u->v, ORD_INVALID, "two-outcomes", r->told_op, index,
				"request %s was told one thing and then another", ord_edn_show(id, text, sizeof text));
		return;
	}
	if (r->told_op != ORD_JEPSEN_NONE)
		return;
	r->told_op = index;
	r->is_settled = is_settled;
	r->reason = reason;
}

/* --- What that means for the name --- */

/* A refusal has seen something. False when it says nothing, or what no such command is refused for. */
static bool refusal_of(struct unique *u, const struct request *r, struct ord_registers_op *op)
{
	bool is_claim = ord_edn_is_nil(r->from);
	bool is_free = ord_edn_is_word(r->reason, "name_free"), is_taken = ord_edn_is_word(r->reason, "name_taken");
	bool is_known = is_free || is_taken || ord_edn_is_word(r->reason, "other_owner");
	op->kind = is_free ? ORD_LINEAR_READ : is_taken ? ORD_LINEAR_NOT : ORD_LINEAR_OTHER;
	op->a = op->b = is_free || is_taken ? ord_edn_nil() : r->from;
	if (is_known && is_claim == is_taken)
		return true;
	ord_verdict_add(u->v, is_known ? ORD_INVALID : ORD_UNKNOWN, "reason", r->asked_op, r->told_op,
			"a %s was refused for a reason that it does not have", u->h->ops[r->asked_op].f);
	return false;
}

static void count_won(struct unique *u, const struct request *r)
{
	struct name *n = &u->names_known[ord_numbering_find(&u->names, r->name)];
	bool is_told = r->told_op != ORD_JEPSEN_NONE, frees = ord_edn_is_nil(r->to);
	if (frees && (r->is_settled || !is_told))
		n->frees_count++;
	u->refused += is_told && !r->is_settled;
	if (!r->is_settled)
		return;
	u->released += frees;
	u->reassigned += !frees && !ord_edn_is_nil(r->from);
	if (ord_edn_is_nil(r->from)) {
		u->won++;
		n->claims_count++;
		n->last_won[1] = n->last_won[0];
		n->last_won[0] = r->told_op;
	}
}

static int add_change(struct unique *u, uint32_t index)
{
	uint32_t number = ord_numbering_find(&u->ids, ord_edn_get(u->h->ops[index].value, "id"));
	if (number == ORD_NUMBERING_NONE || u->requests[number].asked_op != index)
		return ORD_OK;
	const struct request *r = &u->requests[number];
	bool is_told = r->told_op != ORD_JEPSEN_NONE;
	struct ord_registers_op op = {.key = r->name,
				      .kind = ORD_LINEAR_CAS,
				      .a = r->from,
				      .b = r->to,
				      .begin = index,
				      .end = is_told ? r->told_op : ORD_LINEAR_NEVER};
	if (!is_told && r->failed_count == r->asked_count)
		return ORD_OK; /* never logged */
	count_won(u, r);
	if (is_told && !r->is_settled && !refusal_of(u, r, &op))
		return ORD_OK;
	return ord_registers_add(u->registers, &op);
}

static int add_read(struct unique *u, uint32_t index)
{
	const struct ord_jepsen_op *asked = &u->h->ops[index];
	uint32_t done = asked->other;
	if (done == ORD_JEPSEN_NONE || u->h->ops[done].type != ORD_JEPSEN_OK)
		return ORD_OK;
	struct ord_registers_op op = {.key = ord_edn_get(asked->value, "name"),
				      .kind = ORD_LINEAR_READ,
				      .a = ord_edn_get(u->h->ops[done].value, "owner"),
				      .begin = index,
				      .end = done};
	if (ord_edn_is_nil(op.key) || u->h->ops[done].value.kind != ORD_EDN_MAP) {
		malformed(u, index, "a read without :name, or its answer no map");
		return ORD_OK;
	}
	u->reads++;
	return ord_registers_add(u->registers, &op);
}

/* Claims that won need as many times that the name was free. */
static void look_at_claims(struct unique *u)
{
	char text[NAME_BYTES];
	for (uint32_t i = 0; i < u->names.values_count; i++) {
		const struct name *n = &u->names_known[i];
		if (n->claims_count <= n->frees_count + 1)
			continue;
		ord_verdict_add(u->v, ORD_INVALID, "two-owners", n->last_won[1], n->last_won[0],
				"name %s: %u claims won, and it was released at most %u times",
				ord_edn_show(u->names.values[i], text, sizeof text), n->claims_count, n->frees_count);
	}
}

/* --- The whole --- */

static int first_pass(struct unique *u)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < u->h->ops_count; i++) {
		const struct ord_jepsen_op *op = &u->h->ops[i];
		if (op->process != ORD_JEPSEN_NEMESIS && op->type == ORD_JEPSEN_INVOKE)
			err = take_change(u, i);
		else if (op->process != ORD_JEPSEN_NEMESIS && op->other != ORD_JEPSEN_NONE)
			take_answer(u, i);
	}
	u->names_known = calloc((size_t)u->names.values_count + 1, sizeof *u->names_known);
	return u->names_known == NULL ? ORD_ERR_NOMEM : err;
}

static int second_pass(struct unique *u)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < u->h->ops_count; i++) {
		const struct ord_jepsen_op *op = &u->h->ops[i];
		if (op->process == ORD_JEPSEN_NEMESIS || op->type != ORD_JEPSEN_INVOKE)
			continue;
		if (is_f(op, "claim") || is_f(op, "release") || is_f(op, "reassign"))
			err = add_change(u, i);
		else if (is_f(op, "read") || is_f(op, "final-read"))
			err = add_read(u, i);
	}
	return err;
}

static void figures(struct unique *u)
{
	if (u->ids.values_count == 0)
		ord_verdict_add(u->v, ORD_UNKNOWN, "no-operation", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"nobody asked for a name");
	ord_verdict_count(u->v, "names", u->names.values_count);
	ord_verdict_count(u->v, "won", u->won);
	ord_verdict_count(u->v, "refused", u->refused);
	ord_verdict_count(u->v, "released", u->released);
	ord_verdict_count(u->v, "reassigned", u->reassigned);
	ord_verdict_count(u->v, "reads", u->reads);
}

int ord_check_unique(const struct ord_jepsen_history *h, const struct ord_register_options *options,
		     struct ord_verdict *ret)
{
	struct unique u = {.h = h, .v = ret};
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_registers_open(&u.registers);
	if (err == ORD_OK)
		err = ord_numbering_open(&u.ids);
	if (err == ORD_OK)
		err = ord_numbering_open(&u.names);
	if (err == ORD_OK)
		err = first_pass(&u);
	if (err == ORD_OK)
		err = second_pass(&u);
	if (err == ORD_OK) {
		look_at_claims(&u);
		figures(&u);
		err = ord_registers_check(u.registers, options, ret);
	}
	ord_registers_close(u.registers);
	ord_numbering_close(&u.ids);
	ord_numbering_close(&u.names);
	free(u.requests);
	free(u.names_known);
	if (err != ORD_OK)
		ord_verdict_close(ret);
	return err;
}
