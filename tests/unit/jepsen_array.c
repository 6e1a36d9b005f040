/* SPDX-License-Identifier: Apache-2.0 - arrays that grow: what was there stays, what is new is zero. */
#include "jepsen/array.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t *items;
static uint32_t capacity;

Test(jepsen_array, keeps_what_is_there_and_zeroes_what_is_new)
{
	for (uint32_t i = 0; i < 1000; i++) {
		cr_assert(ord_array_reach(&items, &capacity, i, sizeof *items));
		cr_assert_gt(capacity, i);
		cr_assert_eq(items[i], 0);
		items[i] = i + 1;
	}
	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(items[i], i + 1);
	cr_assert_leq(capacity, 2048);
	free(items);
}

Test(jepsen_array, reaches_over_places_that_nobody_asked_for)
{
	cr_assert(ord_array_reach(&items, &capacity, 5000, sizeof *items));
	for (uint32_t i = 0; i <= 5000; i++)
		cr_assert_eq(items[i], 0);
	free(items);
}

Test(jepsen_array, no_place_changes_nothing)
{
	cr_assert(ord_array_reach(&items, &capacity, 0, sizeof *items));
	uint64_t *before = items;
	uint32_t capacity_before = capacity;
	cr_assert_not(ord_array_reach(&items, &capacity, UINT32_MAX, sizeof *items));
	cr_assert(items == before && capacity == capacity_before);
	free(items);
}
