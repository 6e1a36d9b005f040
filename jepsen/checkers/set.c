/* SPDX-License-Identifier: Apache-2.0 - checker: what was added stays, and everybody sees it from then on. */
#include "jepsen/checkers/set.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/histogram.h"
#include "jepsen/array.h"
#include "jepsen/checkers/numbering.h"

#define RANGE_MAX (1 << 20) /* elements that one read looks for */

struct element {
	uint32_t asked_op; /* first invocation of its add; ORD_JEPSEN_NONE: nobody asked */
	uint32_t acked_op; /* the ok of its add; ORD_JEPSEN_NONE */
	uint32_t adds_count;
	uint32_t fails_count;
	uint32_t known_op;    /* the completion from which on everybody must see it; ORD_JEPSEN_NONE: not known */
	uint32_t present_op;  /* invocation of the last read that has it; ORD_JEPSEN_NONE */
	uint32_t present_end; /* its completion */
	uint32_t
		absent_op; /* invocation of the last read that began after known_op and does not have it; ORD_JEPSEN_NONE */
	uint32_t absent_end;
	uint32_t absent_count;
	bool is_confirmed; /* found by a read that began after known_op */
	uint32_t found_in; /* the read, by completion, that has it: to see it twice */
};

struct set {
	const struct ord_jepsen_history *h;
	struct ord_verdict *v;
	struct ord_numbering numbers;
	struct element *elements; /* owned; by number */
	uint32_t elements_capacity;
	struct ord_histogram latency_us; /* from known to seen for good */
	uint64_t reads_count;
};

static void malformed(struct set *s, uint32_t op, const char *what)
{
	ord_verdict_add(s->v, ORD_UNKNOWN, "malformed", op, ORD_JEPSEN_NONE, "%s", what);
}

/* The record of the element, a new one when it was not met; NULL without memory. */
static struct element *element_of(struct set *s, struct ord_edn value)
{
	uint32_t before = s->numbers.values_count;
	uint32_t number = ord_numbering_of(&s->numbers, value);
	if (!ord_array_reach(&s->elements, &s->elements_capacity, number, sizeof *s->elements))
		return NULL;
	if (number == before)
		s->elements[number] = (struct element){.asked_op = ORD_JEPSEN_NONE,
						       .acked_op = ORD_JEPSEN_NONE,
						       .known_op = ORD_JEPSEN_NONE,
						       .present_op = ORD_JEPSEN_NONE,
						       .absent_op = ORD_JEPSEN_NONE,
						       .found_in = ORD_JEPSEN_NONE};
	return &s->elements[number];
}

static int take_add(struct set *s, uint32_t index)
{
	const struct ord_jepsen_op *op = &s->h->ops[index];
	uint32_t asked = op->type == ORD_JEPSEN_INVOKE ? index : op->other;
	if (asked == ORD_JEPSEN_NONE)
		return ORD_OK;
	if (s->h->ops[asked].value.kind != ORD_EDN_INT) {
		malformed(s, index, "an add of something that is no integer");
		return ORD_OK;
	}
	if (op->type == ORD_JEPSEN_OK && !ord_edn_is_nil(op->value) &&
	    !ord_edn_equal(op->value, s->h->ops[asked].value)) {
		malformed(s, index, "an add that is answered with another element");
		return ORD_OK;
	}
	struct element *e = element_of(s, s->h->ops[asked].value);
	if (e == NULL)
		return ORD_ERR_NOMEM;
	if (op->type == ORD_JEPSEN_INVOKE) {
		e->adds_count++;
		e->asked_op = e->asked_op == ORD_JEPSEN_NONE ? index : e->asked_op;
	}
	e->fails_count += op->type == ORD_JEPSEN_FAIL;
	if (op->type == ORD_JEPSEN_OK && e->acked_op == ORD_JEPSEN_NONE) {
		e->acked_op = index;
		e->known_op = e->known_op == ORD_JEPSEN_NONE ? index : e->known_op;
	}
	return ORD_OK;
}

static int take_found(struct set *s, struct ord_edn value, uint32_t asked, uint32_t done)
{
	struct element *e = element_of(s, value);
	if (e == NULL)
		return ORD_ERR_NOMEM;
	if (e->found_in == done)
		ord_verdict_add(s->v, ORD_INVALID, "duplicated", done, ORD_JEPSEN_NONE,
				"element %" PRId64 " is there twice", value.integer);
	if (e->asked_op == ORD_JEPSEN_NONE && e->found_in == ORD_JEPSEN_NONE)
		ord_verdict_add(s->v, ORD_INVALID, "never-added", done, ORD_JEPSEN_NONE,
				"element %" PRId64 " is there, and nobody had asked to add it", value.integer);
	e->found_in = done;
	e->is_confirmed = e->is_confirmed || (e->known_op != ORD_JEPSEN_NONE && e->known_op < asked);
	if (e->known_op == ORD_JEPSEN_NONE)
		e->known_op = done;
	if (e->present_op == ORD_JEPSEN_NONE || asked > e->present_op) {
		e->present_op = asked;
		e->present_end = done;
	}
	return ORD_OK;
}

/* The read looked for it: was it found, and had it to be? */
static void look_for(struct element *e, uint32_t asked, uint32_t done)
{
	if (e->found_in == done || e->known_op == ORD_JEPSEN_NONE || e->known_op > asked)
		return;
	e->absent_count++;
	if (e->absent_op == ORD_JEPSEN_NONE || asked > e->absent_op) {
		e->absent_op = asked;
		e->absent_end = done;
	}
}

/* What a read was told: the elements, and from which to which it looked; all when *ret_is_range is false. */
static bool answer_read(struct set *s, uint32_t done, struct ord_edn *ret_found, bool *ret_is_range, int64_t *ret_from,
			int64_t *ret_to)
{
	struct ord_edn value = s->h->ops[done].value;
	struct ord_edn from = ord_edn_get(value, "from"), to = ord_edn_get(value, "to");
	*ret_is_range = value.kind == ORD_EDN_MAP;
	*ret_found = *ret_is_range ? ord_edn_get(value, "found") : value;
	if (ret_found->kind != ORD_EDN_VECTOR)
		return false;
	if (*ret_is_range && (from.kind != ORD_EDN_INT || to.kind != ORD_EDN_INT || from.integer < INT32_MIN ||
			      to.integer > INT32_MAX || to.integer - from.integer >= RANGE_MAX))
		return false;
	*ret_from = from.integer;
	*ret_to = to.integer;
	for (uint32_t i = 0; i < ret_found->len; i++) {
		struct ord_edn e = ret_found->items[i];
		if (e.kind != ORD_EDN_INT || (*ret_is_range && (e.integer < *ret_from || e.integer > *ret_to)))
			return false;
	}
	return true;
}

static int take_read(struct set *s, uint32_t asked, uint32_t done)
{
	struct ord_edn found;
	bool is_range;
	int64_t from = 0, to = 0;
	s->reads_count++;
	if (!answer_read(s, done, &found, &is_range, &from, &to)) {
		malformed(s, done,
			  "a read that is neither a vector of integers nor :from, :to and what is :found there");
		return ORD_OK;
	}
	for (uint32_t i = 0; i < found.len; i++) {
		int err = take_found(s, found.items[i], asked, done);
		if (err != ORD_OK)
			return err;
	}
	bool is_narrow = is_range && to - from < s->numbers.values_count;
	for (int64_t e = from; is_narrow && e <= to; e++) {
		uint32_t number = ord_numbering_find(&s->numbers, ord_edn_int(e));
		if (number != ORD_NUMBERING_NONE)
			look_for(&s->elements[number], asked, done);
	}
	for (uint32_t i = 0; !is_narrow && i < s->numbers.values_count; i++) {
		int64_t e = s->numbers.values[i].integer;
		if (!is_range || (e >= from && e <= to))
			look_for(&s->elements[i], asked, done);
	}
	return ORD_OK;
}

static int take(struct set *s, uint32_t index)
{
	const struct ord_jepsen_op *op = &s->h->ops[index];
	if (op->process == ORD_JEPSEN_NEMESIS)
		return ORD_OK;
	if (strcmp(op->f, "add") == 0)
		return take_add(s, index);
	if (op->type == ORD_JEPSEN_OK && op->other != ORD_JEPSEN_NONE &&
	    (strcmp(op->f, "read") == 0 || strcmp(op->f, "final-read") == 0))
		return take_read(s, op->other, index);
	return ORD_OK;
}

/* --- At the end --- */

struct totals {
	uint64_t attempts, acknowledged, stable, lost, stale, never_read, recovered;
};

static bool is_lost(const struct element *e)
{
	return e->absent_op != ORD_JEPSEN_NONE && (e->present_op == ORD_JEPSEN_NONE || e->present_op < e->absent_op);
}

static void look_at_known(struct set *s, const struct element *e, int64_t value, struct totals *t)
{
	if (is_lost(e)) {
		t->lost++;
		ord_verdict_add(s->v, ORD_INVALID, "lost", e->known_op, e->absent_end,
				"element %" PRId64 " was there and is not found any more", value);
	} else if (e->absent_op != ORD_JEPSEN_NONE) {
		t->stale++;
		ord_verdict_add(s->v, ORD_INVALID, "stale", e->known_op, e->absent_end,
				"element %" PRId64
				" was there, %u reads that began later miss it, and one has it again",
				value, e->absent_count);
	} else if (!e->is_confirmed && e->acked_op != ORD_JEPSEN_NONE) {
		t->never_read++;
		ord_verdict_add(s->v, ORD_UNKNOWN, "never-read", e->known_op, ORD_JEPSEN_NONE,
				"element %" PRId64 " is there, and no read looked for it from then on", value);
	} else {
		t->stable++;
	}
	if (!is_lost(e)) {
		uint64_t known_ns = s->h->ops[e->known_op].time_ns;
		uint64_t absent_ns = e->absent_op != ORD_JEPSEN_NONE ? s->h->ops[e->absent_op].time_ns : 0;
		ord_histogram_add(&s->latency_us, absent_ns > known_ns ? (absent_ns - known_ns) / 1000 : 0);
	}
}

static void look_at_element(struct set *s, const struct element *e, int64_t value, struct totals *t)
{
	t->attempts += e->asked_op != ORD_JEPSEN_NONE;
	t->acknowledged += e->acked_op != ORD_JEPSEN_NONE;
	t->recovered += e->acked_op == ORD_JEPSEN_NONE && e->known_op != ORD_JEPSEN_NONE;
	if (e->adds_count > 0 && e->fails_count == e->adds_count && e->present_op != ORD_JEPSEN_NONE)
		ord_verdict_add(s->v, ORD_INVALID, "failed-but-there", e->asked_op, e->present_end,
				"element %" PRId64 " was certainly not added, and is there", value);
	if (e->known_op != ORD_JEPSEN_NONE)
		look_at_known(s, e, value, t);
}

static void look_at_all(struct set *s)
{
	struct totals t = {0};
	struct ord_edn latency = ord_edn_map(&s->v->pool, 3);
	for (uint32_t i = 0; i < s->numbers.values_count; i++)
		look_at_element(s, &s->elements[i], s->numbers.values[i].integer, &t);
	if (s->reads_count == 0)
		ord_verdict_add(s->v, ORD_UNKNOWN, "no-read", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE, "nobody read the set");
	ord_verdict_count(s->v, "attempts", t.attempts);
	ord_verdict_count(s->v, "acknowledged", t.acknowledged);
	ord_verdict_count(s->v, "stable", t.stable);
	ord_verdict_count(s->v, "lost", t.lost);
	ord_verdict_count(s->v, "stale", t.stale);
	ord_verdict_count(s->v, "never-read", t.never_read);
	ord_verdict_count(s->v, "recovered", t.recovered);
	ord_verdict_count(s->v, "reads", s->reads_count);
	ord_edn_put_word(&latency, "p50", ord_edn_int((int64_t)ord_histogram_quantile(&s->latency_us, 500)));
	ord_edn_put_word(&latency, "p99", ord_edn_int((int64_t)ord_histogram_quantile(&s->latency_us, 990)));
	ord_edn_put_word(&latency, "max", ord_edn_int((int64_t)s->latency_us.max));
	ord_verdict_figure(s->v, "stable-latency-us", latency);
}

int ord_check_set(const struct ord_jepsen_history *h, struct ord_verdict *ret)
{
	struct set *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ORD_ERR_NOMEM;
	*s = (struct set){.h = h, .v = ret};
	int err = ord_verdict_open(ret);
	if (err == ORD_OK)
		err = ord_numbering_open(&s->numbers);
	for (uint32_t i = 0; err == ORD_OK && i < h->ops_count; i++)
		err = take(s, i);
	if (err == ORD_OK)
		look_at_all(s);
	else
		ord_verdict_close(ret);
	ord_numbering_close(&s->numbers);
	free(s->elements);
	free(s);
	return err;
}
