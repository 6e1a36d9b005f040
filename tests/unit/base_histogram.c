/* SPDX-License-Identifier: Apache-2.0 - quantiles: exact where small, within 1/64 where large, at both ends of uint64_t. */
#include "base/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct ord_histogram h;

Test(base_histogram, of_nothing_is_zero)
{
	ord_histogram_init(&h);
	cr_assert_eq(ord_histogram_quantile(&h, 500), 0);
	cr_assert_eq(ord_histogram_quantile(&h, 1000), 0);
}

Test(base_histogram, of_one_value_is_that_value)
{
	ord_histogram_init(&h);
	ord_histogram_add(&h, 123456789);
	cr_assert_eq(ord_histogram_quantile(&h, 0), 123456789);
	cr_assert_eq(ord_histogram_quantile(&h, 500), 123456789);
	cr_assert_eq(ord_histogram_quantile(&h, 1000), 123456789);
}

Test(base_histogram, small_values_are_exact)
{
	ord_histogram_init(&h);
	for (uint64_t v = 1; v <= 100; v++)
		ord_histogram_add(&h, v);
	cr_assert_eq(ord_histogram_quantile(&h, 500), 50);
	cr_assert_eq(ord_histogram_quantile(&h, 950), 95);
	cr_assert_eq(ord_histogram_quantile(&h, 990), 99);
	cr_assert_eq(ord_histogram_quantile(&h, 1000), 100);
	cr_assert_eq(h.max, 100);
}

Test(base_histogram, fine_quantiles_see_one_in_ten_thousand)
{
	ord_histogram_init(&h);
	for (uint64_t i = 0; i < 20000; i++)
		ord_histogram_add(&h, i < 19998 ? 10 : 100);
	cr_assert_eq(ord_histogram_quantile_fine(&h, 999900), 10);
	cr_assert_eq(ord_histogram_quantile_fine(&h, 999901), 100);
	cr_assert_eq(ord_histogram_quantile_fine(&h, 1000000), 100);
	cr_assert_eq(ord_histogram_quantile_fine(&h, 0), 10);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

Test(base_histogram, ranks_are_rounded_up)
{
	ord_histogram_init(&h);
	for (uint64_t v = 1; v <= 3; v++)
		ord_histogram_add(&h, v);
	cr_assert_eq(ord_histogram_quantile(&h, 333), 1);
	cr_assert_eq(ord_histogram_quantile(&h, 500), 2);
	cr_assert_eq(ord_histogram_quantile(&h, 667), 3);
}

Test(base_histogram, is_within_a_64th_of_the_sorted_samples)
{
	enum { COUNT = 20000 };
	static uint64_t values[COUNT];
	static const uint32_t quantiles[] = {1, 10, 250, 500, 900, 950, 990, 999, 1000};
	uint64_t state = 88172645463325252ull;
	ord_histogram_init(&h);
	for (size_t i = 0; i < COUNT; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		values[i] = state >> (state % 60);
		ord_histogram_add(&h, values[i]);
	}
	qsort(values, COUNT, sizeof *values, compare);
	for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
		uint64_t exact = values[(size_t)quantiles[i] * COUNT / 1000 - 1];
		uint64_t found = ord_histogram_quantile(&h, quantiles[i]);
		cr_assert_geq(found, exact);
		cr_assert_leq(found - exact, exact / 64, "quantile %u: %lu for %lu", quantiles[i], found, exact);
	}
}

Test(base_histogram, covers_all_values)
{
	ord_histogram_init(&h);
	for (unsigned shift = 0; shift < 64; shift++) {
		ord_histogram_add(&h, 1ull << shift);
		ord_histogram_add(&h, (1ull << shift) - 1);
	}
	ord_histogram_add(&h, UINT64_MAX);
	cr_assert_eq(h.count, 129);
	cr_assert_eq(ord_histogram_quantile(&h, 1000), UINT64_MAX);
	cr_assert_eq(ord_histogram_quantile(&h, 0), 0);
}
