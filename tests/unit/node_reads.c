/* SPDX-License-Identifier: Apache-2.0 - reads that wait: in order, bounded, and those that come late for the next time. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "node/reads.h"

static struct ord_reads r;
static struct ord_bounds bounds;

static void open(void)
{
	bounds.reads_count = 5;
	ord_reads_init(&r, &bounds);
}

static void close(void)
{
	ord_reads_close(&r);
}

TestSuite(reads, .init = open, .fini = close);

static void nobody_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *answer)
{
	(void)w;
	(void)item;
	(void)answer;
	cr_assert_fail("nobody is answered by the list itself");
}

static struct ord_waiter nobody = {.answer = nobody_answer};

static int add(uint32_t item)
{
	return ord_reads_add(&r, ord_slice_text("query"), &nobody, item, 100 + item);
}

/* Those are exactly from .. to. */
static void expect(struct ord_read *first, uint32_t from, uint32_t to)
{
	uint32_t item = from;
	for (const struct ord_read *read = first; read != NULL; read = read->next, item++) {
		cr_assert_eq(read->item, item);
		cr_assert_eq(read->deadline_ms, 100 + item);
		cr_assert(ord_slice_equal(ord_slice_of(read->query, read->query_bytes), ord_slice_text("query")));
	}
	cr_assert_eq(item, to + 1);
	ord_reads_free(first);
}

Test(reads, those_that_may_be_stale_wait_apart)
{
	cr_assert_not(ord_reads_have_stale(&r));
	cr_assert_eq(ord_reads_add_stale(&r, ord_slice_text("query"), &nobody, 4, 104), ORD_OK);
	cr_assert_eq(ord_reads_add_stale(&r, ord_slice_text("query"), &nobody, 2, 102), ORD_OK);
	cr_assert(ord_reads_have_stale(&r) && !ord_reads_may_ask(&r));
	cr_assert_eq(add(1), ORD_OK);
	expect(ord_reads_take_stale(&r), 4, 4);
	cr_assert_eq(r.count, 2);
	expect(ord_reads_take_all(&r), 1, 2);
	cr_assert_not(ord_reads_have_stale(&r));
	cr_assert_null(ord_reads_take_stale(&r));
	for (uint32_t i = 0; i < 5; i++)
		cr_assert_eq(ord_reads_add_stale(&r, ord_slice_text("query"), &nobody, 1 + i, 101 + i), ORD_OK);
	cr_assert_eq(add(6), ORD_ERR_BUSY);
	expect(ord_reads_take_all(&r), 1, 5);
}

Test(reads, those_that_come_while_some_are_asked_for_wait_for_the_next_time)
{
	struct ord_read_point point = {.term = 3, .index = 7, .round = 9};
	cr_assert_not(ord_reads_may_ask(&r));
	cr_assert_eq(add(1), ORD_OK);
	cr_assert_eq(add(2), ORD_OK);
	cr_assert(ord_reads_may_ask(&r) && !ord_reads_asked(&r));
	ord_reads_ask(&r, &point);
	cr_assert_eq(r.point.round, 9);
	cr_assert_eq(add(3), ORD_OK);
	cr_assert(ord_reads_asked(&r) && !ord_reads_may_ask(&r));
	expect(ord_reads_take(&r), 1, 1);
	cr_assert(ord_reads_asked(&r) && !ord_reads_may_ask(&r));
	expect(ord_reads_take(&r), 2, 2);
	cr_assert(!ord_reads_asked(&r) && ord_reads_may_ask(&r));
	cr_assert_null(ord_reads_take(&r));
	cr_assert_eq(add(4), ORD_OK);
	ord_reads_ask(&r, &point);
	expect(ord_reads_take(&r), 3, 3);
	expect(ord_reads_take(&r), 4, 4);
	cr_assert_eq(r.count, 0);
}

Test(reads, all_of_them_count_for_the_bound_until_they_are_taken)
{
	for (uint32_t i = 1; i <= 3; i++)
		cr_assert_eq(add(i), ORD_OK);
	ord_reads_ask(&r, &(struct ord_read_point){.round = 1});
	cr_assert_eq(add(4), ORD_OK);
	cr_assert_eq(add(5), ORD_OK);
	cr_assert_eq(add(6), ORD_ERR_BUSY);
	cr_assert_eq(r.count, 5);
	expect(ord_reads_take(&r), 1, 1);
	cr_assert_eq(add(6), ORD_OK);
	cr_assert_eq(add(7), ORD_ERR_BUSY);
	expect(ord_reads_take_all(&r), 2, 6);
}

Test(reads, all_are_taken_oldest_first)
{
	cr_assert_null(ord_reads_take_all(&r));
	cr_assert_eq(add(1), ORD_OK);
	ord_reads_ask(&r, &(struct ord_read_point){.round = 1});
	cr_assert_eq(add(2), ORD_OK);
	expect(ord_reads_take_all(&r), 1, 2);
	cr_assert(r.count == 0 && !ord_reads_asked(&r) && !ord_reads_may_ask(&r));
}

Test(reads, what_waits_at_the_end_is_freed)
{
	cr_assert_eq(add(1), ORD_OK);
	ord_reads_ask(&r, &(struct ord_read_point){.round = 1});
	cr_assert_eq(add(2), ORD_OK);
	ord_reads_close(&r);
	cr_assert_eq(r.count, 0);
	struct ord_reads never = {0};
	ord_reads_close(&never);
}
