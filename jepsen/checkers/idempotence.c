/* SPDX-License-Identifier: Apache-2.0 - checker: an id has one outcome and one effect. Outcomes, payloads and effects are the books' rules; here is what answers say besides. */
#include "jepsen/checkers/idempotence.h"

#include <stdlib.h>

#include "base/err.h"
#include "jepsen/checkers/books.h"

#define NAME_BYTES 64

/* Of one id. */
struct answers {
	uint32_t other_op;   /* the first invocation with another payload than the first one's; ORD_JEPSEN_NONE */
	uint32_t first_op;   /* the first answer that is not replayed; ORD_JEPSEN_NONE */
	uint32_t located_op; /* the first answer that tells a position; ORD_JEPSEN_NONE */
	struct ord_edn position;
	struct ord_ledger_payload payload; /* of the first invocation */
};

struct idempotence {
	const struct ord_ledger *l;
	struct ord_verdict *v;
	struct answers *answers; /* owned; by number of request */
	uint64_t answers_count;
	uint64_t replayed_count;
	uint64_t reused_count;
};

static const char *id_show(const struct idempotence *i, uint32_t number, char *text)
{
	return ord_edn_show(i->l->requests[number].id, text, NAME_BYTES);
}

static void take_invocation(struct idempotence *i, uint32_t number, uint32_t index)
{
	struct answers *a = &i->answers[number];
	struct ord_ledger_payload payload;
	if (!ord_ledger_payload_of(i->l, &i->l->h->ops[index], &payload))
		return;
	if (index == i->l->requests[number].asked_op)
		a->payload = payload;
	else if (a->other_op == ORD_JEPSEN_NONE && !ord_ledger_payload_equal(&payload, &a->payload))
		a->other_op = index;
}

/* The id stands for another payload than this one, so there is another one, and this one never had an outcome. */
static void take_reused(struct idempotence *i, uint32_t number, uint32_t index)
{
	const struct ord_jepsen_op *done = &i->l->h->ops[index];
	const struct ord_ledger_request *r = &i->l->requests[number];
	struct answers *a = &i->answers[number];
	struct ord_ledger_payload payload;
	char id[NAME_BYTES];
	i->reused_count++;
	if (!ord_ledger_payload_of(i->l, &i->l->h->ops[done->other], &payload))
		return;
	if (ord_ledger_payload_equal(&payload, &a->payload) && a->other_op == ORD_JEPSEN_NONE)
		ord_verdict_add(i->v, ORD_INVALID, "reused-by-nobody", index, ORD_JEPSEN_NONE,
				"request %s is refused as used for something else, which nobody had asked for",
				id_show(i, number, id));
	else if (r->told_op != ORD_JEPSEN_NONE && ord_ledger_payload_equal(&payload, &r->payload))
		ord_verdict_add(i->v, ORD_INVALID, "reused-by-itself", r->told_op, index,
				"request %s is refused as used for something else, but this is what it stands for",
				id_show(i, number, id));
}

static void take_answer(struct idempotence *i, uint32_t number, uint32_t index)
{
	struct ord_edn value = i->l->h->ops[index].value;
	struct ord_edn replayed = ord_edn_get(value, "replayed"), position = ord_edn_get(value, "position");
	struct answers *a = &i->answers[number];
	char id[NAME_BYTES];
	i->replayed_count += replayed.kind == ORD_EDN_BOOL && replayed.truth;
	if (replayed.kind == ORD_EDN_BOOL && !replayed.truth && a->first_op != ORD_JEPSEN_NONE)
		ord_verdict_add(i->v, ORD_INVALID, "two-firsts", a->first_op, index,
				"two answers say that they were the first for request %s", id_show(i, number, id));
	if (replayed.kind == ORD_EDN_BOOL && !replayed.truth)
		a->first_op = index;
	if (!ord_edn_is_nil(position) && a->located_op == ORD_JEPSEN_NONE) {
		a->located_op = index;
		a->position = position;
	} else if (!ord_edn_is_nil(position) && !ord_edn_equal(position, a->position)) {
		ord_verdict_add(i->v, ORD_INVALID, "two-positions", a->located_op, index,
				"request %s was logged at two positions", id_show(i, number, id));
	}
}

static void take(struct idempotence *i, uint32_t index)
{
	const struct ord_jepsen_op *op = &i->l->h->ops[index];
	if (op->process == ORD_JEPSEN_NEMESIS || strcmp(op->f, "transfer") != 0)
		return;
	uint32_t asked = op->type == ORD_JEPSEN_INVOKE ? index : op->other;
	uint32_t number =
		asked != ORD_JEPSEN_NONE ? ord_ledger_request_of(i->l, &i->l->h->ops[asked]) : ORD_NUMBERING_NONE;
	if (number == ORD_NUMBERING_NONE)
		return;
	if (op->type == ORD_JEPSEN_INVOKE)
		take_invocation(i, number, index);
	if (op->type != ORD_JEPSEN_OK)
		return;
	i->answers_count++;
	if (ord_edn_is_word(ord_edn_get(op->value, "reason"), "id_reused"))
		take_reused(i, number, index);
	else
		take_answer(i, number, index);
}

static void figures(const struct idempotence *i)
{
	uint64_t repeated = 0;
	for (uint32_t k = 0; k < i->l->requests_by_id.values_count; k++)
		repeated += i->l->requests[k].asked_count > 1;
	ord_verdict_count(i->v, "ids", i->l->requests_by_id.values_count);
	ord_verdict_count(i->v, "answers", i->answers_count);
	ord_verdict_count(i->v, "replayed", i->replayed_count);
	ord_verdict_count(i->v, "reused", i->reused_count);
	ord_verdict_count(i->v, "repeated", repeated);
}

static int answers_check(const struct ord_ledger *l, struct ord_verdict *v)
{
	struct idempotence i = {.l = l, .v = v};
	uint32_t count = l->requests_by_id.values_count;
	i.answers = calloc((size_t)count + 1, sizeof *i.answers);
	if (i.answers == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t k = 0; k < count; k++)
		i.answers[k] = (struct answers){
			.other_op = ORD_JEPSEN_NONE, .first_op = ORD_JEPSEN_NONE, .located_op = ORD_JEPSEN_NONE};
	for (uint32_t k = 0; k < l->h->ops_count; k++)
		take(&i, k);
	figures(&i);
	free(i.answers);
	return ORD_OK;
}

int ord_check_idempotence(const struct ord_jepsen_history *h, struct ord_verdict *ret)
{
	return ord_books_judge(h, answers_check, ret);
}
