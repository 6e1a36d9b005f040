/* SPDX-License-Identifier: Apache-2.0 - the search for an order: by hand, against all orders of small histories, and in bounded time and memory. */
#include "jepsen/checkers/linear.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/random.h"

#define NEVER ORD_LINEAR_NEVER
#define READ(v, begin, end)                       \
	{                                         \
		ORD_LINEAR_READ, v, 0, begin, end \
	}
#define WRITE(v, begin, end)                       \
	{                                          \
		ORD_LINEAR_WRITE, v, 0, begin, end \
	}
#define CAS(old, new, begin, end)                    \
	{                                            \
		ORD_LINEAR_CAS, old, new, begin, end \
	}
#define OTHER(v, begin, end)                       \
	{                                          \
		ORD_LINEAR_OTHER, v, 0, begin, end \
	}
#define NOT(v, begin, end)                       \
	{                                        \
		ORD_LINEAR_NOT, v, 0, begin, end \
	}

static enum ord_linear_answer answer_to(const struct ord_linear_op *ops, uint32_t count)
{
	struct ord_linear_result result;
	ord_linear_check(ops, count, NULL, &result);
	return result.answer;
}

#define SAYS(expected, ...)                                                                                        \
	do {                                                                                                       \
		const struct ord_linear_op ops[] = {__VA_ARGS__};                                                  \
		cr_assert_eq(answer_to(ops, sizeof ops / sizeof *ops), ORD_LINEAR_##expected, "%s", #__VA_ARGS__); \
	} while (0)

Test(jepsen_linear, nothing_is_linearizable)
{
	cr_assert_eq(answer_to(NULL, 0), ORD_LINEAR_YES);
}

Test(jepsen_linear, a_register_is_nil_at_first)
{
	SAYS(YES, READ(0, 0, 1));
	SAYS(NO, READ(1, 0, 1));
	SAYS(YES, CAS(0, 1, 0, 1), READ(1, 2, 3));
	SAYS(NO, CAS(1, 2, 0, 1));
}

Test(jepsen_linear, what_was_completed_is_seen_by_what_begins_then)
{
	SAYS(YES, WRITE(1, 0, 1), READ(1, 2, 3));
	SAYS(NO, WRITE(1, 0, 1), READ(0, 2, 3));
	SAYS(NO, WRITE(1, 0, 1), WRITE(2, 2, 3), READ(1, 4, 5));
	SAYS(YES, WRITE(1, 0, 3), WRITE(2, 1, 2), READ(1, 4, 5));
	SAYS(YES, WRITE(1, 0, 3), WRITE(2, 1, 2), READ(2, 4, 5));
}

Test(jepsen_linear, what_overlaps_may_be_seen_or_not_but_not_both_ways)
{
	SAYS(YES, WRITE(1, 0, 5), READ(0, 1, 2), READ(1, 3, 4));
	SAYS(NO, WRITE(1, 0, 5), READ(1, 1, 2), READ(0, 3, 4));
	SAYS(YES, WRITE(1, 0, 5), READ(1, 1, 4), READ(0, 2, 3));
}

Test(jepsen_linear, of_two_changes_of_one_value_one_wins)
{
	SAYS(NO, CAS(0, 1, 0, 3), CAS(0, 2, 1, 2));
	SAYS(YES, CAS(0, 1, 0, 3), CAS(1, 2, 1, 2), READ(2, 4, 5));
	SAYS(YES, CAS(0, 1, 0, 3), CAS(0, 2, 1, NEVER), READ(1, 4, 5));
	SAYS(YES, CAS(0, 1, 0, 5), NOT(0, 1, 3), NOT(1, 2, 4));
	SAYS(NO, CAS(0, 1, 0, 1), NOT(1, 2, 3));
	SAYS(NO, NOT(0, 0, 1));
	SAYS(YES, CAS(0, 1, 0, 1), OTHER(2, 2, 3));
	SAYS(NO, CAS(0, 1, 0, 1), OTHER(1, 2, 3));
	SAYS(NO, OTHER(1, 0, 1));
}

Test(jepsen_linear, an_info_may_happen_late_or_never)
{
	SAYS(YES, WRITE(1, 0, NEVER), READ(0, 1, 2), READ(0, 3, 4));
	SAYS(YES, WRITE(1, 0, NEVER), READ(0, 1, 2), READ(1, 3, 4));
	SAYS(NO, WRITE(1, 0, NEVER), READ(0, 1, 2), READ(1, 3, 4), READ(0, 5, 6));
	SAYS(NO, READ(1, 0, 1), WRITE(1, 2, NEVER));
	SAYS(YES, READ(7, 0, NEVER), READ(0, 1, 2));
	SAYS(YES, CAS(0, 1, 0, NEVER), CAS(1, 2, 1, NEVER), READ(2, 2, 3));
	SAYS(NO, CAS(0, 1, 0, NEVER), READ(2, 1, 2), CAS(1, 2, 3, NEVER));
}

Test(jepsen_linear, an_info_happens_once)
{
	SAYS(NO, WRITE(1, 0, NEVER), READ(1, 1, 2), WRITE(2, 3, 4), READ(1, 5, 6));
	SAYS(YES, WRITE(1, 0, NEVER), WRITE(1, 1, NEVER), READ(1, 2, 3), WRITE(2, 4, 5), READ(1, 6, 7));
	SAYS(NO, WRITE(1, 0, NEVER), READ(1, 1, 2), WRITE(2, 3, 4), READ(1, 5, 6), WRITE(1, 7, NEVER));
	SAYS(YES, WRITE(1, 0, NEVER), READ(1, 1, 2), WRITE(2, 3, 4), WRITE(1, 5, NEVER), READ(1, 6, 7));
}

Test(jepsen_linear, infos_that_differ_in_one_thing_are_two)
{
	SAYS(YES, CAS(0, 1, 0, NEVER), CAS(0, 2, 1, NEVER), READ(2, 2, 3));
	SAYS(YES, WRITE(1, 0, NEVER), WRITE(2, 1, NEVER), READ(2, 2, 3), READ(2, 4, 5));
	SAYS(YES, CAS(1, 2, 0, NEVER), CAS(0, 2, 1, NEVER), READ(2, 2, 3));
}

Test(jepsen_linear, the_operation_that_nothing_explains_is_named)
{
	const struct ord_linear_op ops[] = {WRITE(1, 0, 1), READ(1, 2, 3), WRITE(2, 4, 7),
					    READ(1, 5, 6),  READ(3, 8, 9), READ(2, 10, 11)};
	struct ord_linear_result result;
	ord_linear_check(ops, 6, NULL, &result);
	cr_assert_eq(result.answer, ORD_LINEAR_NO);
	cr_assert_eq(result.stuck, 4);
}

Test(jepsen_linear, wants_the_order_of_begin, .signal = SIGABRT)
{
	SAYS(YES, READ(0, 2, 3), READ(0, 0, 1));
}

/* --- All orders of small histories --- */

#define SMALL_MAX 9

/* Every order is tried, without any shortcut: each operation that has begun before the end of all that have no place, and infos anywhere after their begin or never. */
static bool plain_search(const struct ord_linear_op *ops, uint32_t count, uint32_t placed, uint32_t value)
{
	uint32_t first_end = NEVER;
	for (uint32_t i = 0; i < count; i++) {
		if ((placed >> i & 1) == 0 && ops[i].end < first_end)
			first_end = ops[i].end;
	}
	if (first_end == NEVER)
		return true;
	for (uint32_t i = 0; i < count; i++) {
		const struct ord_linear_op *op = &ops[i];
		uint32_t after = value;
		if ((placed >> i & 1) != 0 || op->begin > first_end)
			continue;
		if (((op->kind == ORD_LINEAR_READ || op->kind == ORD_LINEAR_CAS) && op->a != value) ||
		    (op->kind == ORD_LINEAR_NOT && op->a == value))
			continue;
		if (op->kind == ORD_LINEAR_WRITE)
			after = op->a;
		if (op->kind == ORD_LINEAR_CAS)
			after = op->b;
		if (plain_search(ops, count, placed | 1u << i, after))
			return true;
	}
	return false;
}

struct maker {
	struct random random;
	struct ord_linear_op ops[SMALL_MAX];
	uint32_t count;
	uint32_t value; /* of the register that is played */
	bool done[SMALL_MAX];
};

/* The operation takes effect now, on a register that is as it should be: what it saw is put down. */
static void play(struct maker *m, uint32_t i)
{
	struct ord_linear_op *op = &m->ops[i];
	m->done[i] = true;
	if (op->kind == ORD_LINEAR_WRITE)
		m->value = op->a;
	if (op->kind == ORD_LINEAR_READ)
		op->a = m->value;
	if (op->kind == ORD_LINEAR_CAS && op->a == m->value)
		m->value = op->b;
	else if (op->kind == ORD_LINEAR_CAS && op->end != NEVER) /* a refused one has seen that it is not */
		op->kind = ORD_LINEAR_NOT;
	else if (op->kind == ORD_LINEAR_NOT && op->a == m->value)
		op->a = m->value + 1;
}

/* A history of a register that works, by 2 to 4 processes, some of whose operations end as infos; then, most of the time, one or two things in it are changed. */
static void make(struct maker *m, uint64_t seed)
{
	*m = (struct maker){.random = random_of(seed)};
	struct random *r = &m->random;
	uint32_t processes = 2 + (uint32_t)random_below(r, 3), values = 2 + (uint32_t)random_below(r, 2);
	uint32_t wanted = 3 + (uint32_t)random_below(r, SMALL_MAX - 2);
	uint32_t busy[4] = {NEVER, NEVER, NEVER, NEVER};
	for (uint32_t moment = 0; moment < 60; moment++) {
		uint32_t p = (uint32_t)random_below(r, processes);
		if (busy[p] == NEVER && m->count < wanted) {
			struct ord_linear_op *op = &m->ops[m->count];
			*op = (struct ord_linear_op){.kind = (enum ord_linear_kind)(1 + random_below(r, 4)),
						     .a = (uint32_t)random_below(r, values),
						     .b = (uint32_t)random_below(r, values),
						     .begin = moment};
			if (random_chance(r, 25))
				op->end = NEVER;
			busy[p] = m->count++;
		} else if (busy[p] != NEVER) {
			struct ord_linear_op *op = &m->ops[busy[p]];
			if (!m->done[busy[p]] && (op->end != NEVER || random_chance(r, 50)))
				play(m, busy[p]);
			if (op->end != NEVER)
				op->end = moment;
			if (op->end == NEVER || m->done[busy[p]])
				busy[p] = NEVER;
		}
		uint32_t any = m->count > 0 ? (uint32_t)random_below(r, m->count) : 0;
		if (m->count > 0 && !m->done[any] && random_chance(r, 40))
			play(m, any);
	}
	for (uint32_t i = 0; i < m->count; i++) { /* those that are still asked */
		if (m->ops[i].end == 0)
			m->ops[i].end = NEVER;
	}
	for (uint64_t i = random_below(r, 4); i > 0; i--)
		m->ops[random_below(r, m->count)].a = (uint32_t)random_below(r, values);
}

static void show(const struct maker *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		fprintf(stderr, "kind %d a %u b %u from %u to %d\n", m->ops[i].kind, m->ops[i].a, m->ops[i].b,
			m->ops[i].begin, (int)m->ops[i].end);
}

Test(jepsen_linear, agrees_with_all_orders_of_small_histories)
{
	uint32_t good = 0, bad = 0, infos = 0;
	for (uint64_t seed = 1; seed <= 40000; seed++) {
		struct maker m;
		make(&m, seed);
		bool expected = plain_search(m.ops, m.count, 0, 0);
		enum ord_linear_answer answer = answer_to(m.ops, m.count);
		if (answer != (expected ? ORD_LINEAR_YES : ORD_LINEAR_NO))
			show(&m);
		cr_assert_eq(answer, expected ? ORD_LINEAR_YES : ORD_LINEAR_NO, "seed %lu", (unsigned long)seed);
		good += expected;
		bad += !expected;
		for (uint32_t i = 0; i < m.count; i++)
			infos += m.ops[i].end == NEVER;
	}
	fprintf(stderr, "%u good, %u bad, %u infos\n", good, bad, infos);
	cr_assert_gt(good, 10000);
	cr_assert_gt(bad, 5000);
	cr_assert_gt(infos, 20000);
}

/* --- Bounds --- */

/* Many changes at once of which a later read says that none was the last: all sets have to be tried. */
static void make_hard(struct ord_linear_op *ops, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++)
		ops[i] = (struct ord_linear_op)WRITE(i + 1, i, 1000 + i);
	ops[count - 1] = (struct ord_linear_op)READ(1000, 5000, 5001);
}

Test(jepsen_linear, what_takes_too_long_is_unknown)
{
	struct ord_linear_op ops[40];
	struct ord_linear_result result;
	struct timespec now;
	make_hard(ops, 40);
	clock_gettime(CLOCK_MONOTONIC, &now);
	struct ord_linear_limits limits = {.deadline_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
	ord_linear_check(ops, 40, &limits, &result);
	cr_assert_eq(result.answer, ORD_LINEAR_TIME);
	cr_assert_leq(result.steps, 10000);
}

Test(jepsen_linear, what_takes_too_much_memory_is_unknown)
{
	struct ord_linear_op ops[40];
	struct ord_linear_result result;
	struct ord_linear_limits limits = {.bytes_max = 1 << 20};
	make_hard(ops, 40);
	ord_linear_check(ops, 40, &limits, &result);
	cr_assert_eq(result.answer, ORD_LINEAR_MEMORY);
	cr_assert_leq(result.steps, 100000);
}

Test(jepsen_linear, what_is_hard_but_within_bounds_is_decided)
{
	struct ord_linear_op ops[16];
	make_hard(ops, 16);
	cr_assert_eq(answer_to(ops, 16), ORD_LINEAR_NO);
}

/* 300 equal infos are one question, not 2 to the 300. */
Test(jepsen_linear, equal_infos_cost_little)
{
	struct ord_linear_op ops[602];
	struct ord_linear_result result;
	for (uint32_t i = 0; i < 600; i++)
		ops[i] = i % 2 == 0 ? (struct ord_linear_op)CAS(0, 1, i, NEVER)
				    : (struct ord_linear_op)CAS(1, 0, i, NEVER);
	ops[600] = (struct ord_linear_op)READ(1, 1000, 1001);
	ops[601] = (struct ord_linear_op)READ(2, 1002, 1003);
	ord_linear_check(ops, 602, NULL, &result);
	cr_assert_eq(result.answer, ORD_LINEAR_NO);
	cr_assert_eq(result.stuck, 601);
	cr_assert_leq(result.steps, 200000);
}
