/* SPDX-License-Identifier: Apache-2.0 - runs of missing blocks, against the plainest set there is. */
#include "node/history_gaps.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/random.h"

#define BLOCKS 60u

static struct ord_history_gaps gaps;
static bool missing[BLOCKS + 2]; /* [number] */

static void clean(void)
{
	ord_history_gaps_close(&gaps);
}

TestSuite(node_history_gaps, .fini = clean, .timeout = 30);

/* The list says what the set says, and its runs do not touch. */
static void cr_same(void)
{
	uint64_t blocks = 0;
	for (uint64_t n = 1; n <= BLOCKS; n++) {
		const struct ord_history_gap *gap = ord_history_gaps_find(&gaps, n);
		cr_assert_eq(gap != NULL, missing[n], "block %u", (unsigned)n);
		cr_assert(gap == NULL || (gap->first <= n && n <= gap->last));
		blocks += missing[n];
	}
	cr_assert_eq(ord_history_gaps_blocks(&gaps), blocks);
	for (size_t i = 1; i < gaps.count; i++)
		cr_assert_gt(gaps.list[i].first, gaps.list[i - 1].last + 1);
}

Test(node_history_gaps, none_to_begin_with)
{
	cr_assert_null(ord_history_gaps_find(&gaps, 1));
	cr_assert_eq(ord_history_gaps_blocks(&gaps), 0);
	cr_assert_eq(ord_history_gaps_take(&gaps, 1, UINT64_MAX), ORD_OK);
	cr_same();
}

Test(node_history_gaps, runs_that_touch_become_one)
{
	cr_assert_eq(ord_history_gaps_add(&gaps, 5, 6), ORD_OK);
	cr_assert_eq(ord_history_gaps_add(&gaps, 9, 9), ORD_OK);
	cr_assert_eq(gaps.count, 2);
	cr_assert_eq(ord_history_gaps_add(&gaps, 7, 8), ORD_OK);
	cr_assert_eq(gaps.count, 1);
	cr_assert_eq(gaps.list[0].first, 5);
	cr_assert_eq(gaps.list[0].last, 9);
}

Test(node_history_gaps, as_the_plainest_set)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct random random = random_of(seed);
		for (unsigned step = 0; step < 400; step++) {
			uint64_t a = 1 + random_below(&random, BLOCKS), b = 1 + random_below(&random, BLOCKS);
			uint64_t first = a < b ? a : b, last = a < b ? b : a;
			bool adds = random_below(&random, 2) == 0;
			if (last - first > 9)
				last = first + 9;
			for (uint64_t n = first; n <= last; n++)
				missing[n] = adds;
			cr_assert_eq(adds ? ord_history_gaps_add(&gaps, first, last)
					  : ord_history_gaps_take(&gaps, first, last),
				     ORD_OK);
			cr_same();
		}
		memset(missing, 0, sizeof missing);
		clean();
	}
}
