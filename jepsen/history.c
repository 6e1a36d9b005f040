/* SPDX-License-Identifier: Apache-2.0 - a history in memory: written down operation by operation, and as text. Reading it back: history_read.c. */
#include "jepsen/history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/history_made.h"

const char *ord_jepsen_type_name(enum ord_jepsen_type type)
{
	switch (type) {
	case ORD_JEPSEN_INVOKE:
		return "invoke";
	case ORD_JEPSEN_OK:
		return "ok";
	case ORD_JEPSEN_FAIL:
		return "fail";
	case ORD_JEPSEN_INFO:
		return "info";
	}
	return "unknown";
}

int ord_jepsen_open(uint32_t threads_count, struct ord_jepsen_history *ret)
{
	ORD_ASSERT(threads_count >= 1);
	ORD_ASSERT(threads_count <= ORD_JEPSEN_THREADS_MAX);
	struct ord_jepsen_maker *maker = calloc(1, sizeof *maker + threads_count * sizeof *maker->threads);
	if (maker == NULL)
		return ORD_ERR_NOMEM;
	maker->threads_count = threads_count;
	for (uint32_t i = 0; i < threads_count; i++)
		maker->threads[i] = (struct ord_jepsen_thread){.process = (int32_t)i, .asked = ORD_JEPSEN_NONE};
	*ret = (struct ord_jepsen_history){.maker = maker};
	ord_edn_pool_init(&ret->pool, ORD_EDN_POOL_BYTES_MAX);
	return ORD_OK;
}

void ord_jepsen_close(struct ord_jepsen_history *h)
{
	free(h->ops);
	free(h->maker);
	ord_edn_pool_close(&h->pool);
	*h = (struct ord_jepsen_history){0};
}

const char *ord_jepsen_f(struct ord_jepsen_history *h, struct ord_slice f)
{
	struct ord_jepsen_maker *m = h->maker;
	for (uint32_t i = 0; i < m->fs_count; i++) {
		if (ord_slice_equal(ord_slice_text(m->fs[i]), f))
			return m->fs[i];
	}
	if (m->fs_count == ORD_JEPSEN_FS_MAX)
		return NULL;
	char *text = ord_edn_take(&h->pool, f.len + 1);
	if (text == NULL)
		return NULL;
	if (f.len > 0)
		memcpy(text, f.base, f.len);
	text[f.len] = '\0';
	m->fs[m->fs_count++] = text;
	return text;
}

/* Room for one more. */
static int ops_grow(struct ord_jepsen_history *h)
{
	if (h->ops_count == ORD_JEPSEN_OPS_MAX)
		return ORD_ERR_TOO_BIG;
	return ord_array_reach(&h->ops, &h->ops_capacity, h->ops_count, sizeof *h->ops) ? ORD_OK : ORD_ERR_NOMEM;
}

int ord_jepsen_add(struct ord_jepsen_history *h, const struct ord_jepsen_op *op)
{
	int err = ops_grow(h);
	if (err != ORD_OK)
		return err;
	if (h->pool.failed)
		return ORD_ERR_NOMEM;
	h->ops[h->ops_count++] = *op;
	return ORD_OK;
}

/* Adds it with copies of its values and a time that is not before the last one's. */
static int add_copied(struct ord_jepsen_history *h, struct ord_jepsen_op op)
{
	uint64_t last_ns = h->ops_count > 0 ? h->ops[h->ops_count - 1].time_ns : 0;
	if (op.time_ns < last_ns)
		op.time_ns = last_ns;
	op.value = ord_edn_copy(&h->pool, op.value);
	op.error = ord_edn_copy(&h->pool, op.error);
	return ord_jepsen_add(h, &op);
}

int ord_jepsen_invoke(struct ord_jepsen_history *h, uint32_t thread, uint64_t time_ns, const char *f,
		      struct ord_edn value, uint32_t *ret_index)
{
	struct ord_jepsen_thread *t = &h->maker->threads[thread];
	ORD_ASSERT(thread < h->maker->threads_count);
	ORD_ASSERT(t->asked == ORD_JEPSEN_NONE);
	const char *name = ord_jepsen_f(h, ord_slice_text(f));
	if (name == NULL)
		return h->pool.failed ? ORD_ERR_NOMEM : ORD_ERR_TOO_BIG;
	int err = add_copied(h, (struct ord_jepsen_op){.time_ns = time_ns,
						       .process = t->process,
						       .type = ORD_JEPSEN_INVOKE,
						       .f = name,
						       .value = value,
						       .other = ORD_JEPSEN_NONE});
	if (err != ORD_OK)
		return err;
	t->asked = h->ops_count - 1;
	if (ret_index != NULL)
		*ret_index = t->asked;
	return ORD_OK;
}

int ord_jepsen_complete(struct ord_jepsen_history *h, uint32_t thread, uint64_t time_ns, enum ord_jepsen_type type,
			struct ord_edn value, struct ord_edn error)
{
	struct ord_jepsen_thread *t = &h->maker->threads[thread];
	ORD_ASSERT(thread < h->maker->threads_count);
	ORD_ASSERT(t->asked != ORD_JEPSEN_NONE);
	ORD_ASSERT(type != ORD_JEPSEN_INVOKE);
	int err = add_copied(h, (struct ord_jepsen_op){.time_ns = time_ns,
						       .process = t->process,
						       .type = type,
						       .f = h->ops[t->asked].f,
						       .value = value,
						       .error = error,
						       .other = t->asked});
	if (err != ORD_OK)
		return err;
	h->ops[t->asked].other = h->ops_count - 1;
	t->asked = ORD_JEPSEN_NONE;
	if (type == ORD_JEPSEN_INFO)
		t->process += (int32_t)h->maker->threads_count;
	return ORD_OK;
}

int ord_jepsen_nemesis(struct ord_jepsen_history *h, uint64_t time_ns, const char *f, struct ord_edn value,
		       struct ord_edn error)
{
	const char *name = ord_jepsen_f(h, ord_slice_text(f));
	if (name == NULL)
		return h->pool.failed ? ORD_ERR_NOMEM : ORD_ERR_TOO_BIG;
	return add_copied(h, (struct ord_jepsen_op){.time_ns = time_ns,
						    .process = ORD_JEPSEN_NEMESIS,
						    .type = ORD_JEPSEN_INFO,
						    .f = name,
						    .value = value,
						    .error = error,
						    .other = ORD_JEPSEN_NONE});
}

/* --- Text --- */

/* One operation, without a newline. */
static void op_write(const struct ord_jepsen_history *h, uint32_t index, FILE *out)
{
	const struct ord_jepsen_op *op = &h->ops[index];
	ORD_ASSERT(index < h->ops_count);
	fprintf(out, "{:index %" PRIu32 ", :time %" PRIu64 ", :process ", index, op->time_ns);
	if (op->process == ORD_JEPSEN_NEMESIS)
		fputs(":nemesis", out);
	else
		fprintf(out, "%" PRId32, op->process);
	fprintf(out, ", :type :%s, :f :%s, :value ", ord_jepsen_type_name(op->type), op->f);
	ord_edn_write(out, op->value);
	if (!ord_edn_is_nil(op->error)) {
		fputs(", :error ", out);
		ord_edn_write(out, op->error);
	}
	fputc('}', out);
}

int ord_jepsen_write(const struct ord_jepsen_history *h, uint32_t first, FILE *out)
{
	for (uint32_t i = first; i < h->ops_count; i++) {
		op_write(h, i, out);
		fputc('\n', out);
	}
	return fflush(out) != 0 || ferror(out) ? ORD_ERR_IO : ORD_OK;
}
