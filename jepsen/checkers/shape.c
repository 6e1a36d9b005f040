/* SPDX-License-Identifier: Apache-2.0 - checker: whether a history is one at all. */
#include "jepsen/checkers/shape.h"

#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"
#include "jepsen/checkers/numbering.h"

#define KEY_BYTES 64

/* What is known of a process. */
struct process {
	uint32_t asked; /* its invocation without completion; ORD_JEPSEN_NONE */
	uint32_t info;	/* the completion that retired it; ORD_JEPSEN_NONE */
};

struct f_counts {
	uint64_t by_type[ORD_JEPSEN_INFO + 1];
};

struct shape {
	const struct ord_jepsen_history *h;
	struct ord_verdict *v;
	struct ord_numbering numbers; /* of processes */
	struct process *processes;    /* owned; by number */
	uint32_t processes_capacity;
	struct ord_numbering fs;
	struct f_counts *by_f; /* owned; by number */
	uint32_t by_f_capacity;
	uint64_t by_type[ORD_JEPSEN_INFO + 1];
	uint64_t nemesis_count;
	uint64_t open_count;
};

static struct process *process_of(struct shape *s, int32_t process)
{
	uint32_t before = s->numbers.values_count;
	uint32_t number = ord_numbering_of(&s->numbers, ord_edn_int(process));
	if (!ord_array_reach(&s->processes, &s->processes_capacity, number, sizeof *s->processes))
		return NULL;
	if (number == before)
		s->processes[number] = (struct process){.asked = ORD_JEPSEN_NONE, .info = ORD_JEPSEN_NONE};
	return &s->processes[number];
}

static void invoked(struct shape *s, struct process *p, uint32_t index)
{
	const struct ord_jepsen_op *op = &s->h->ops[index];
	if (p->info != ORD_JEPSEN_NONE)
		ord_verdict_add(s->v, ORD_INVALID, "retired", p->info, index,
				"process %d asks for %s after an info retired it", op->process, op->f);
	if (p->asked != ORD_JEPSEN_NONE)
		ord_verdict_add(s->v, ORD_INVALID, "two-at-once", p->asked, index,
				"process %d asks for %s before its %s was completed", op->process, op->f,
				s->h->ops[p->asked].f);
	p->asked = index;
	s->open_count++;
}

/* An answer that is a map may have more than was asked for, but nothing else under the same key. */
static void look_at_answer(struct shape *s, uint32_t asked, uint32_t index)
{
	struct ord_edn question = s->h->ops[asked].value, answer = s->h->ops[index].value;
	for (uint32_t i = 0; question.kind == ORD_EDN_MAP && i < question.len; i += 2) {
		struct ord_edn other = ord_edn_find(answer, question.items[i]);
		char key[KEY_BYTES];
		if (ord_edn_is_nil(other) || ord_edn_equal(other, question.items[i + 1]))
			continue;
		ord_verdict_add(s->v, ORD_INVALID, "other-value", asked, index,
				"process %d asked for %s with one %s and was answered with another",
				s->h->ops[index].process, s->h->ops[index].f,
				ord_edn_show(question.items[i], key, sizeof key));
		return;
	}
}

static void completed(struct shape *s, struct process *p, uint32_t index)
{
	const struct ord_jepsen_op *op = &s->h->ops[index];
	if (p->asked == ORD_JEPSEN_NONE)
		ord_verdict_add(s->v, ORD_INVALID, "no-invocation", index, ORD_JEPSEN_NONE,
				"process %d completes a %s that it did not ask for", op->process, op->f);
	else if (strcmp(s->h->ops[p->asked].f, op->f) != 0)
		ord_verdict_add(s->v, ORD_INVALID, "other-f", p->asked, index,
				"process %d asked for %s and completes a %s", op->process, s->h->ops[p->asked].f,
				op->f);
	else if (op->type == ORD_JEPSEN_OK)
		look_at_answer(s, p->asked, index);
	s->open_count -= p->asked != ORD_JEPSEN_NONE;
	p->asked = ORD_JEPSEN_NONE;
	if (op->type == ORD_JEPSEN_INFO)
		p->info = index;
}

static int count(struct shape *s, const struct ord_jepsen_op *op)
{
	uint32_t f = ord_numbering_of(&s->fs, ord_edn_word(op->f));
	if (!ord_array_reach(&s->by_f, &s->by_f_capacity, f, sizeof *s->by_f))
		return ORD_ERR_NOMEM;
	s->by_f[f].by_type[op->type]++;
	s->by_type[op->type]++;
	return ORD_OK;
}

static int look_at(struct shape *s, uint32_t index)
{
	const struct ord_jepsen_op *op = &s->h->ops[index];
	if (index > 0 && op->time_ns < s->h->ops[index - 1].time_ns)
		ord_verdict_add(s->v, ORD_INVALID, "time", index - 1, index, "the time goes back");
	if (op->process == ORD_JEPSEN_NEMESIS) {
		s->nemesis_count++;
		if (op->type != ORD_JEPSEN_INFO)
			ord_verdict_add(s->v, ORD_INVALID, "nemesis", index, ORD_JEPSEN_NONE,
					"the nemesis has an operation of type %s", ord_jepsen_type_name(op->type));
		return ORD_OK;
	}
	struct process *p = process_of(s, op->process);
	if (p == NULL)
		return ORD_ERR_NOMEM;
	if (op->type == ORD_JEPSEN_INVOKE)
		invoked(s, p, index);
	else
		completed(s, p, index);
	return count(s, op);
}

static void figures(struct shape *s)
{
	struct ord_edn by_f = ord_edn_map(&s->v->pool, s->fs.values_count);
	for (uint32_t i = 0; i < s->fs.values_count; i++) {
		struct ord_edn map = ord_edn_map(&s->v->pool, 3);
		for (int type = ORD_JEPSEN_OK; type <= ORD_JEPSEN_INFO; type++)
			ord_edn_put_word(&map, ord_jepsen_type_name((enum ord_jepsen_type)type),
					 ord_edn_int((int64_t)s->by_f[i].by_type[type]));
		/* The history owns the name, and may be gone before the verdict. */
		ord_edn_put(&by_f, ord_edn_copy(&s->v->pool, s->fs.values[i]), map);
	}
	ord_verdict_count(s->v, "ops", s->by_type[ORD_JEPSEN_INVOKE]);
	ord_verdict_count(s->v, "ok", s->by_type[ORD_JEPSEN_OK]);
	ord_verdict_count(s->v, "fail", s->by_type[ORD_JEPSEN_FAIL]);
	ord_verdict_count(s->v, "info", s->by_type[ORD_JEPSEN_INFO]);
	ord_verdict_count(s->v, "open", s->open_count);
	ord_verdict_count(s->v, "nemesis", s->nemesis_count);
	ord_verdict_figure(s->v, "by-f", by_f);
}

int ord_check_shape(const struct ord_jepsen_history *h, struct ord_verdict *ret)
{
	struct shape s = {.h = h, .v = ret};
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_numbering_open(&s.numbers);
	if (err == ORD_OK)
		err = ord_numbering_open(&s.fs);
	for (uint32_t i = 0; err == ORD_OK && i < h->ops_count; i++)
		err = look_at(&s, i);
	if (err == ORD_OK && s.by_type[ORD_JEPSEN_INVOKE] == 0)
		ord_verdict_add(ret, ORD_UNKNOWN, "empty", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE, "nobody asked anything");
	if (err == ORD_OK)
		figures(&s);
	ord_numbering_close(&s.numbers);
	ord_numbering_close(&s.fs);
	free(s.processes);
	free(s.by_f);
	if (err != ORD_OK)
		ord_verdict_close(ret);
	return err;
}
