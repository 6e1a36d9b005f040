/* SPDX-License-Identifier: Apache-2.0 - many registers: operations put together by key, and each key's order looked for. */
#include "jepsen/checkers/registers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/checkers/numbering.h"

#define TIME_LIMIT_MS 60000u
#define NS_PER_MS 1000000u
#define WORDS_BYTES 80

struct keyed {
	uint32_t key;
	struct ord_linear_op op;
};

struct ord_registers {
	struct ord_numbering keys;
	struct ord_numbering values; /* nil is 0 */
	struct keyed *ops;	     /* owned */
	uint32_t ops_count;
	uint32_t ops_capacity;
};

/* What one run of the check needs. */
struct checking {
	struct ord_registers *r;
	struct ord_linear_limits limits;
	struct ord_linear_op *ops; /* owned; those of key k from begins[k] on, in the order of begin */
	size_t *begins;		   /* owned */
	struct ord_verdict *v;
	uint64_t steps;
};

int ord_registers_open(struct ord_registers **ret)
{
	struct ord_registers *r = calloc(1, sizeof *r);
	if (r == NULL)
		return ORD_ERR_NOMEM;
	if (ord_numbering_open(&r->keys) != ORD_OK || ord_numbering_open(&r->values) != ORD_OK ||
	    ord_numbering_of(&r->values, ord_edn_nil()) != 0) {
		ord_registers_close(r);
		return ORD_ERR_NOMEM;
	}
	*ret = r;
	return ORD_OK;
}

void ord_registers_close(struct ord_registers *r)
{
	if (r == NULL)
		return;
	ord_numbering_close(&r->keys);
	ord_numbering_close(&r->values);
	free(r->ops);
	free(r);
}

int ord_registers_add(struct ord_registers *r, const struct ord_registers_op *op)
{
	struct keyed k = {.key = ord_numbering_of(&r->keys, op->key),
			  .op = {.kind = op->kind,
				 .a = ord_numbering_of(&r->values, op->a),
				 .b = ord_numbering_of(&r->values, op->b),
				 .begin = op->begin,
				 .end = op->end}};
	ORD_ASSERT(r->ops_count == 0 || r->ops[r->ops_count - 1].op.begin < op->begin);
	if (k.key == ORD_NUMBERING_NONE || k.op.a == ORD_NUMBERING_NONE || k.op.b == ORD_NUMBERING_NONE)
		return ORD_ERR_NOMEM;
	if (!ord_array_reach(&r->ops, &r->ops_capacity, r->ops_count, sizeof *r->ops))
		return ORD_ERR_NOMEM;
	r->ops[r->ops_count++] = k;
	return ORD_OK;
}

/* Fills c->ops and c->begins: a stable sort by key. */
static int by_key(struct checking *c)
{
	const struct ord_registers *r = c->r;
	c->ops = calloc(r->ops_count + 1, sizeof *c->ops);
	c->begins = calloc((size_t)r->keys.values_count + 2, sizeof *c->begins);
	if (c->ops == NULL || c->begins == NULL)
		return ORD_ERR_NOMEM;
	/* Counts two places on, so that filling moves each begin to where it belongs. */
	for (size_t i = 0; i < r->ops_count; i++)
		c->begins[r->ops[i].key + 2]++;
	for (uint32_t k = 2; k < r->keys.values_count + 2; k++)
		c->begins[k] += c->begins[k - 1];
	for (size_t i = 0; i < r->ops_count; i++)
		c->ops[c->begins[r->ops[i].key + 1]++] = r->ops[i].op;
	return ORD_OK;
}

static void describe(const struct checking *c, const struct ord_linear_op *op, char *text, size_t text_bytes)
{
	char a[WORDS_BYTES / 2], b[WORDS_BYTES / 2];
	ord_edn_show(c->r->values.values[op->a], a, sizeof a);
	ord_edn_show(c->r->values.values[op->b], b, sizeof b);
	switch (op->kind) {
	case ORD_LINEAR_READ:
		snprintf(text, text_bytes, "a read of %s", a);
		return;
	case ORD_LINEAR_WRITE:
		snprintf(text, text_bytes, "a write of %s", a);
		return;
	case ORD_LINEAR_CAS:
		snprintf(text, text_bytes, "a change from %s to %s", a, b);
		return;
	case ORD_LINEAR_NOT:
		snprintf(text, text_bytes, "an answer that it is not %s", a);
		return;
	case ORD_LINEAR_OTHER:
		snprintf(text, text_bytes, "an answer that it is another one than %s", a);
		return;
	}
}

/* Adds what came of key to the verdict. */
static void tell(struct checking *c, uint32_t key, const struct ord_linear_op *ops,
		 const struct ord_linear_result *result)
{
	char name[WORDS_BYTES], words[2 * WORDS_BYTES];
	ord_edn_show(c->r->keys.values[key], name, sizeof name);
	switch (result->answer) {
	case ORD_LINEAR_YES:
		return;
	case ORD_LINEAR_NO:
		describe(c, &ops[result->stuck], words, sizeof words);
		ord_verdict_add(c->v, ORD_INVALID, "not-linearizable", ops[result->stuck].begin, ops[result->stuck].end,
				"key %s: no order of what was asked explains %s", name, words);
		return;
	case ORD_LINEAR_TIME:
		ord_verdict_add(c->v, ORD_UNKNOWN, "out-of-time", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"key %s: the time is over after %" PRIu64 " steps: give more with a higher time limit",
				name, result->steps);
		return;
	case ORD_LINEAR_MEMORY:
		ord_verdict_add(c->v, ORD_UNKNOWN, "out-of-memory", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"key %s: memory is used up after %" PRIu64 " steps", name, result->steps);
		return;
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u * NS_PER_MS + (uint64_t)now.tv_nsec;
}

static void figures(const struct checking *c, uint64_t began_ns)
{
	uint64_t infos = 0;
	for (size_t i = 0; i < c->r->ops_count; i++)
		infos += c->r->ops[i].op.end == ORD_LINEAR_NEVER;
	ord_verdict_count(c->v, "keys", c->r->keys.values_count);
	ord_verdict_count(c->v, "ops", c->r->ops_count);
	ord_verdict_count(c->v, "infos", infos);
	ord_verdict_count(c->v, "steps", c->steps);
	ord_verdict_count(c->v, "duration-us", (now_ns() - began_ns) / 1000);
}

int ord_registers_check(struct ord_registers *r, const struct ord_register_options *options, struct ord_verdict *v)
{
	struct checking c = {.r = r, .v = v};
	uint64_t began_ns = now_ns();
	uint32_t limit_ms = options != NULL && options->time_limit_ms > 0 ? options->time_limit_ms : TIME_LIMIT_MS;
	c.limits.deadline_ns = began_ns + (uint64_t)limit_ms * NS_PER_MS;
	c.limits.bytes_max = options != NULL ? options->bytes_max : 0;
	int err = by_key(&c);
	for (uint32_t k = 0; err == ORD_OK && k < r->keys.values_count; k++) {
		struct ord_linear_result result;
		const struct ord_linear_op *ops = c.ops + c.begins[k];
		ord_linear_check(ops, (uint32_t)(c.begins[k + 1] - c.begins[k]), &c.limits, &result);
		c.steps += result.steps;
		tell(&c, k, ops, &result);
	}
	if (err == ORD_OK)
		figures(&c, began_ns);
	free(c.ops);
	free(c.begins);
	return err;
}
