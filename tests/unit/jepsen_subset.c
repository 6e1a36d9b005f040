/* SPDX-License-Identifier: Apache-2.0 - sums of some of a few amounts: against all choices, and at the limits. */
#include "jepsen/checkers/subset.h"

#include <criterion/criterion.h>

#include "tests/support/random.h"

/* Every choice is tried. */
static bool plain(const int64_t *deltas, uint32_t count, int64_t target)
{
	for (uint32_t choice = 0; choice < 1u << count; choice++) {
		int64_t sum = 0;
		for (uint32_t i = 0; i < count; i++)
			sum += (choice >> i & 1) != 0 ? deltas[i] : 0;
		if (sum == target)
			return true;
	}
	return false;
}

Test(jepsen_subset, agrees_with_all_choices)
{
	struct random r = random_of(1);
	uint32_t yes = 0, no = 0;
	for (int round = 0; round < 20000; round++) {
		int64_t deltas[8], low = 0, high = 0;
		uint32_t count = (uint32_t)random_below(&r, 9);
		uint64_t amount_max = random_chance(&r, 50) ? 300 : 20;
		for (uint32_t i = 0; i < count; i++) {
			deltas[i] = (int64_t)(1 + random_below(&r, amount_max)) * (random_chance(&r, 50) ? 1 : -1);
			*(deltas[i] < 0 ? &low : &high) += deltas[i];
		}
		int64_t target = low - 2 + (int64_t)random_below(&r, (uint64_t)(high - low + 5));
		bool expected = plain(deltas, count, target);
		cr_assert_eq(ord_subset_sums_to(deltas, count, target), expected, "round %d", round);
		yes += expected;
		no += !expected;
	}
	cr_assert_gt(yes, 3000);
	cr_assert_gt(no, 3000);
}

Test(jepsen_subset, what_is_too_much_is_true)
{
	int64_t deltas[ORD_SUBSET_ITEMS_MAX + 1];
	for (uint32_t i = 0; i <= ORD_SUBSET_ITEMS_MAX; i++)
		deltas[i] = 2;
	cr_assert(!ord_subset_sums_to(deltas, ORD_SUBSET_ITEMS_MAX, 3));
	cr_assert(ord_subset_sums_to(deltas, ORD_SUBSET_ITEMS_MAX, 64));
	cr_assert(ord_subset_sums_to(deltas, ORD_SUBSET_ITEMS_MAX + 1, 3));
	deltas[0] = ORD_SUBSET_RANGE_MAX - 1;
	cr_assert(!ord_subset_sums_to(deltas, 1, 3));
	cr_assert(ord_subset_sums_to(deltas, 1, ORD_SUBSET_RANGE_MAX - 1));
	deltas[0] = -ORD_SUBSET_RANGE_MAX;
	cr_assert(ord_subset_sums_to(deltas, 1, -3));
	cr_assert(!ord_subset_sums_to(deltas, 1, 1));
	deltas[0] = -(1ll << 38);
	cr_assert(!ord_subset_sums_to(deltas, 1, INT64_MIN));
}
