/* SPDX-License-Identifier: Apache-2.0 - waits for outcomes: each is answered once, by its outcome, its deadline or a loss. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/settling.h"

#define WAITS 1000

struct told {
	struct ord_waiter waiter; /* first */
	unsigned answers_count[WAITS];
	struct ord_answer last;
};

static void told_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct told *t = (struct told *)w;
	t->answers_count[item]++;
	t->last = *a;
}

static struct told told;
static struct ord_settling s;

static void open(void)
{
	told = (struct told){.waiter = {.answer = told_answer}};
	cr_assert_eq(ord_settling_open(&s, 4, 5000), ORD_OK);
}

static void close(void)
{
	ord_settling_close(&s);
}

TestSuite(settling, .init = open, .fini = close);

static struct ord_uuid id_of(uint32_t number)
{
	struct ord_uuid id = {{1}};
	memcpy(&id.bytes[4], &number, sizeof number);
	return id;
}

static void add(uint32_t number, uint32_t item, bool replayed, uint64_t deadline_ms)
{
	struct ord_uuid id = id_of(number);
	struct ord_result logged = {.status = ORD_STATUS_ACCEPTED, .replayed = replayed, .position = number};
	ord_settling_add(&s, &id, &logged, deadline_ms, &told.waiter, item);
}

Test(settling, an_outcome_answers_all_that_wait_for_it_and_nobody_else)
{
	add(1, 1, false, 9000);
	add(2, 2, false, 9000);
	add(1, 3, true, 9500);
	struct ord_uuid id = id_of(1);
	struct ord_result settled = {.status = ORD_STATUS_SETTLED, .position = 1};
	ord_settling_outcome(&s, &id, &settled);
	cr_assert(told.answers_count[1] == 1 && told.answers_count[3] == 1 && told.answers_count[2] == 0);
	cr_assert_eq(told.last.result.status, ORD_STATUS_SETTLED);
	cr_assert_eq(told.last.partition, 4);
	ord_settling_outcome(&s, &id, &settled);
	cr_assert_eq(told.answers_count[1], 1);
	ord_settling_fail(&s, ORD_ERR_UNKNOWN);
	cr_assert_eq(told.answers_count[2], 1);
	cr_assert_eq(told.last.err, ORD_ERR_UNKNOWN);
}

Test(settling, the_replayed_mark_is_that_of_the_call)
{
	struct ord_uuid id = id_of(1);
	struct ord_result settled = {.status = ORD_STATUS_SETTLED};
	add(1, 1, true, 9000);
	ord_settling_outcome(&s, &id, &settled);
	cr_assert(told.last.result.replayed);
	add(1, 2, false, 9000);
	ord_settling_outcome(&s, &id, &settled);
	cr_assert_not(told.last.result.replayed);
}

Test(settling, deadlines_are_kept_to_the_millisecond_and_over_long_gaps)
{
	for (uint32_t i = 0; i < WAITS; i++)
		add(i, i, false, 5001 + i * (ORD_WAIT_MS_MAX - 1) / WAITS);
	for (uint64_t now_ms = 5000; now_ms < 5000 + ORD_WAIT_MS_MAX; now_ms += 97) {
		ord_settling_expire(&s, now_ms);
		for (uint32_t i = 0; i < WAITS; i++)
			cr_assert_eq(told.answers_count[i], 5001 + i * (ORD_WAIT_MS_MAX - 1) / WAITS <= now_ms ? 1 : 0);
	}
	add(1, 0, false, 70000);
	ord_settling_expire(&s, 70000 + 10 * ORD_WAIT_MS_MAX); /* the loop stood still */
	cr_assert_eq(told.answers_count[0], 2);
	ord_settling_fail(&s, ORD_ERR_UNKNOWN);
	cr_assert_eq(ord_settling_count(&s), 0);
}

Test(settling, a_deadline_gives_what_was_logged)
{
	add(8, 1, false, 6000);
	ord_settling_expire(&s, 6000);
	cr_assert_eq(told.last.err, ORD_OK);
	cr_assert_eq(told.last.result.status, ORD_STATUS_ACCEPTED);
	cr_assert_eq(told.last.result.position, 8);
}
