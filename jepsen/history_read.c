/* SPDX-License-Identifier: Apache-2.0 - a history from its text, line by line. */
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/history.h"
#include "jepsen/history_made.h"

#define PROCESSES_MAX (1 << 24) /* each operation has a process of its own, at worst */

struct reading {
	FILE *in;
	struct ord_jepsen_history *h;
	struct ord_edn_problem *problem;
	struct ord_bytes line;
	struct ord_edn_pool scratch; /* of one line */
	uint32_t *asked;	     /* owned; of each process its invocation without completion */
	size_t asked_count;
};

static int wrong(struct reading *r, const char *why)
{
	r->problem->column = 1;
	r->problem->why = why;
	return ORD_ERR_FORMAT;
}

/* The next line without its end. *ret_have is false after the last. */
static int line_read(struct reading *r, bool *ret_have)
{
	ord_bytes_clear(&r->line);
	int byte = getc_unlocked(r->in);
	*ret_have = byte != EOF;
	r->problem->line++;
	for (; byte != EOF && byte != '\n' && !r->line.failed; byte = getc_unlocked(r->in))
		ord_bytes_put_u8(&r->line, (uint8_t)byte);
	if (ferror(r->in))
		return ORD_ERR_IO;
	if (r->line.failed)
		return r->line.len + 1 > ORD_JEPSEN_LINE_BYTES_MAX ? wrong(r, "a line of more than 16 MiB")
								   : ORD_ERR_NOMEM;
	return ORD_OK;
}

static int process_of(struct reading *r, struct ord_edn v, int32_t *ret)
{
	if (ord_edn_is_word(v, "nemesis")) {
		*ret = ORD_JEPSEN_NEMESIS;
		return ORD_OK;
	}
	if (v.kind != ORD_EDN_INT || v.integer < 0 || v.integer >= PROCESSES_MAX)
		return wrong(r, ":process is neither :nemesis nor an integer from 0 to 16777215");
	*ret = (int32_t)v.integer;
	return ORD_OK;
}

static int type_of(struct reading *r, struct ord_edn v, enum ord_jepsen_type *ret)
{
	for (int type = ORD_JEPSEN_INVOKE; type <= ORD_JEPSEN_INFO; type++) {
		if (ord_edn_is_word(v, ord_jepsen_type_name((enum ord_jepsen_type)type))) {
			*ret = (enum ord_jepsen_type)type;
			return ORD_OK;
		}
	}
	return wrong(r, ":type is none of :invoke, :ok, :fail, :info");
}

static int f_of(struct reading *r, struct ord_edn v, const char **ret)
{
	if (v.kind != ORD_EDN_KEYWORD || v.len > 64)
		return wrong(r, ":f is no keyword, or longer than 64 bytes");
	const char *f = ord_jepsen_f(r->h, ord_edn_text(v));
	if (f == NULL)
		return r->h->pool.failed ? ORD_ERR_NOMEM : wrong(r, "more than 256 different :f");
	*ret = f;
	return ORD_OK;
}

static int op_of(struct reading *r, struct ord_edn map, struct ord_jepsen_op *ret)
{
	struct ord_edn index = ord_edn_get(map, "index");
	struct ord_edn time = ord_edn_get(map, "time");
	int err;
	if (map.kind != ORD_EDN_MAP)
		return wrong(r, "a line that is not one map");
	if (index.kind != ORD_EDN_INT || index.integer != r->h->ops_count)
		return wrong(r, ":index is not the number of operations before it");
	if (time.kind != ORD_EDN_INT || time.integer < 0)
		return wrong(r, ":time is no integer from 0 up");
	*ret = (struct ord_jepsen_op){.time_ns = (uint64_t)time.integer, .other = ORD_JEPSEN_NONE};
	if ((err = process_of(r, ord_edn_get(map, "process"), &ret->process)) != ORD_OK ||
	    (err = type_of(r, ord_edn_get(map, "type"), &ret->type)) != ORD_OK ||
	    (err = f_of(r, ord_edn_get(map, "f"), &ret->f)) != ORD_OK)
		return err;
	ret->value = ord_edn_copy(&r->h->pool, ord_edn_get(map, "value"));
	ret->error = ord_edn_copy(&r->h->pool, ord_edn_get(map, "error"));
	return ORD_OK;
}

static int asked_grow(struct reading *r, int32_t process)
{
	size_t count = r->asked_count > 0 ? r->asked_count : 64;
	while (count <= (size_t)process)
		count *= 2;
	if (count == r->asked_count)
		return ORD_OK;
	uint32_t *grown = realloc(r->asked, count * sizeof *grown);
	if (grown == NULL)
		return ORD_ERR_NOMEM;
	for (size_t i = r->asked_count; i < count; i++)
		grown[i] = ORD_JEPSEN_NONE;
	r->asked = grown;
	r->asked_count = count;
	return ORD_OK;
}

/* Finds the invocation that the operation completes, or keeps it as one. */
static int pair(struct reading *r, struct ord_jepsen_op *op)
{
	if (op->process == ORD_JEPSEN_NEMESIS)
		return ORD_OK;
	int err = asked_grow(r, op->process);
	if (err != ORD_OK)
		return err;
	uint32_t *asked = &r->asked[op->process];
	if (op->type == ORD_JEPSEN_INVOKE) {
		*asked = r->h->ops_count;
		return ORD_OK;
	}
	op->other = *asked;
	if (*asked != ORD_JEPSEN_NONE)
		r->h->ops[*asked].other = r->h->ops_count;
	*asked = ORD_JEPSEN_NONE;
	return ORD_OK;
}

static int op_read(struct reading *r)
{
	struct ord_edn map;
	struct ord_jepsen_op op;
	int err = ord_edn_read(&r->scratch, ord_bytes_slice(&r->line), &map, r->problem);
	if (err == ORD_OK)
		err = op_of(r, map, &op);
	if (err == ORD_OK)
		err = pair(r, &op);
	ord_edn_pool_close(&r->scratch);
	return err != ORD_OK ? err : ord_jepsen_add(r->h, &op);
}

int ord_jepsen_read(FILE *in, struct ord_jepsen_history *ret, struct ord_edn_problem *problem)
{
	struct ord_jepsen_history h = {0};
	struct reading r = {.in = in, .h = &h, .problem = problem};
	bool have = true;
	int err = ord_jepsen_open(1, &h);
	*problem = (struct ord_edn_problem){0};
	ord_bytes_init(&r.line, ORD_JEPSEN_LINE_BYTES_MAX);
	ord_edn_pool_init(&r.scratch, (size_t)ORD_JEPSEN_LINE_BYTES_MAX * 64);
	while (err == ORD_OK && (err = line_read(&r, &have)) == ORD_OK && have)
		err = op_read(&r);
	ord_bytes_close(&r.line);
	free(r.asked);
	if (err != ORD_OK) {
		ord_jepsen_close(&h);
		return err;
	}
	*ret = h;
	return ORD_OK;
}
