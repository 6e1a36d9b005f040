/* SPDX-License-Identifier: Apache-2.0 - what workloads ask: by seed, in the form that their checkers know, with an end of set-up and of reads. */
#include "jepsen/workload.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OPS 2000
#define BYTES_MAX (64u << 20)

static struct ord_edn_pool pool;
static struct ord_random random_numbers;
static const struct ord_workload_shape shape = {
	.threads_count = 10, .nodes_count = 5, .partitions_count = 8, .ops_expected = OPS};

static void begin(void)
{
	ord_edn_pool_init(&pool, BYTES_MAX);
	ord_random_init(&random_numbers, 1, 1);
}

static void end(void)
{
	ord_edn_pool_close(&pool);
}

TestSuite(jepsen_workload, .init = begin, .fini = end);

static void *state_of(const struct ord_workload *w)
{
	void *state = calloc(1, w->state_bytes + 1);
	if (w->begin != NULL)
		w->begin(state, &shape);
	return state;
}

static void state_end(const struct ord_workload *w, void *state)
{
	if (w->end != NULL)
		w->end(state);
	free(state);
}

Test(jepsen_workload, each_is_found_by_its_name)
{
	for (const struct ord_workload *const *w = ord_workloads; *w != NULL; w++)
		cr_expect_eq(ord_workload_find((*w)->name), *w, "%s", (*w)->name);
	cr_expect_null(ord_workload_find("nobody"));
}

Test(jepsen_workload, setup_and_reads_at_the_end_come_to_an_end)
{
	for (const struct ord_workload *const *w = ord_workloads; *w != NULL; w++) {
		void *state = state_of(*w);
		struct ord_ask ask = {0};
		uint32_t n = 0;
		while ((*w)->setup != NULL && (*w)->setup(state, n, &random_numbers, &pool, &ask))
			cr_assert_lt(n++, 1000, "%s", (*w)->name);
		for (uint32_t i = 0; i < OPS; i++)
			(*w)->next(state, i % 10, &random_numbers, &pool, &ask);
		for (n = 0; (*w)->final != NULL && (*w)->final(state, n, &pool, &ask); n++)
			cr_assert_lt(n, 10000, "%s", (*w)->name);
		state_end(*w, state);
	}
	cr_expect_not(pool.failed);
}

/* Equal but for request ids, which have the time in them. */
static bool alike(struct ord_edn a, struct ord_edn b)
{
	if (a.kind != b.kind || a.len != b.len)
		return false;
	if (a.kind != ORD_EDN_MAP && a.kind != ORD_EDN_VECTOR)
		return (a.kind == ORD_EDN_STRING && a.len == 36) || ord_edn_equal(a, b);
	for (uint32_t i = 0; i < a.len; i++) {
		if (!alike(a.items[i], b.items[i]))
			return false;
	}
	return true;
}

Test(jepsen_workload, a_seed_asks_the_same_again)
{
	for (const struct ord_workload *const *w = ord_workloads; *w != NULL; w++) {
		void *one = state_of(*w), *two = state_of(*w);
		struct ord_random a, b;
		struct ord_ask x = {0}, y = {0};
		ord_random_init(&a, 9, 2);
		ord_random_init(&b, 9, 2);
		for (uint32_t i = 0; i < OPS; i++) {
			(*w)->next(one, 0, &a, &pool, &x);
			(*w)->next(two, 0, &b, &pool, &y);
			cr_assert_str_eq(x.f, y.f);
			cr_assert(alike(x.value, y.value), "%s, operation %u", (*w)->name, i);
		}
		state_end(*w, one);
		state_end(*w, two);
	}
}

Test(jepsen_workload, ids_are_new_but_for_idempotence)
{
	for (const struct ord_workload *const *w = ord_workloads; *w != NULL; w++) {
		void *state = state_of(*w);
		struct ord_ask ask = {0};
		struct ord_edn last = ord_edn_nil();
		uint32_t repeated = 0;
		for (uint32_t i = 0; i < OPS; i++) {
			(*w)->next(state, 0, &random_numbers, &pool, &ask);
			struct ord_edn id = ord_edn_get(ask.value, "id");
			repeated += !ord_edn_is_nil(id) && ord_edn_equal(id, last);
			last = id;
		}
		cr_expect_eq(repeated > 0, strcmp((*w)->name, "idempotence") == 0, "%s", (*w)->name);
		state_end(*w, state);
	}
}

/* A register that nobody tells anything is claimed, read, and asked with what it never held. */
Test(jepsen_workload, registers_are_written_by_comparing_alone)
{
	const struct ord_workload *w = ord_workload_find("register");
	void *state = state_of(w);
	struct ord_ask ask = {0};
	for (uint32_t i = 0; i < OPS; i++) {
		w->next(state, 0, &random_numbers, &pool, &ask);
		cr_assert(strcmp(ask.f, "read") == 0 || strcmp(ask.f, "cas") == 0);
		if (ask.f[0] == 'c')
			cr_assert_not(ord_edn_is_nil(ask.value.items[1].items[0]) &&
				      ord_edn_is_nil(ask.value.items[1].items[1]));
	}
	state_end(w, state);
}
