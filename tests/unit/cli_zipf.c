/* SPDX-License-Identifier: Apache-2.0 - chance by a seed, and ranks by Zipf's law: the frequencies that came are those of the law. */
#include "cli/zipf.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define DRAWS 400000

Test(cli_zipf, dice_give_the_same_for_the_same_seed)
{
	struct ord_dice a, b, c;
	ord_dice_init(&a, 7);
	ord_dice_init(&b, 7);
	ord_dice_init(&c, 8);
	int same = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t x = ord_dice_next(&a);
		cr_assert_eq(x, ord_dice_next(&b));
		same += x == ord_dice_next(&c);
	}
	cr_assert_eq(same, 0);
}

Test(cli_zipf, dice_are_even)
{
	enum { SIDES = 7 };
	uint64_t counts[SIDES] = {0};
	double sum = 0;
	struct ord_dice d;
	ord_dice_init(&d, 0);
	for (int i = 0; i < DRAWS; i++) {
		counts[ord_dice_below(&d, SIDES)]++;
		double unit = ord_dice_unit(&d);
		cr_assert(unit >= 0 && unit < 1);
		sum += unit;
	}
	for (int i = 0; i < SIDES; i++)
		cr_assert_float_eq((double)counts[i] / DRAWS, 1.0 / SIDES, 0.003, "side %d: %d", i, (int)counts[i]);
	cr_assert_float_eq(sum / DRAWS, 0.5, 0.002);
}

/* Draws many and compares the share of each of the first ranks, and of all the rest, with k^-S / sum. The deviation allowed is five standard deviations. */
static void follows_the_law(uint32_t count, double exponent)
{
	enum { SHOWN = 20 };
	uint64_t counts[SHOWN + 1] = {0};
	double total = 0, rest = 1;
	struct ord_zipf z;
	struct ord_dice d;
	ord_zipf_init(&z, count, exponent);
	ord_dice_init(&d, 12345);
	for (uint32_t k = 1; k <= count; k++)
		total += pow(k, -exponent);
	for (int i = 0; i < DRAWS; i++) {
		uint32_t rank = ord_zipf_rank(&z, &d);
		cr_assert_lt(rank, count);
		counts[rank < SHOWN ? rank : SHOWN]++;
	}
	for (uint32_t k = 0; k <= SHOWN; k++) {
		double share = k == SHOWN ? rest : k < count ? pow(k + 1, -exponent) / total : 0;
		double allowed = 5 * sqrt(fmax(share, 1e-9) * (1 - fmin(share, 1)) / DRAWS) + 1e-9;
		cr_assert_float_eq((double)counts[k] / DRAWS, share, allowed,
				   "%d ranks, exponent %g, rank %d: %g instead of %g", (int)count, exponent, (int)k,
				   (double)counts[k] / DRAWS, share);
		rest -= share;
	}
}

Test(cli_zipf, frequencies_are_those_of_the_law)
{
	static const double exponents[] = {0.01, 0.5, 0.99, 1, 1.0000000001, 1.2, 2, 10};
	static const uint32_t counts[] = {2, 3, 10, 1000, 100000};
	for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
		for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
			follows_the_law(counts[c], exponents[e]);
	}
}

Test(cli_zipf, one_rank_is_always_it)
{
	struct ord_zipf z;
	struct ord_dice d;
	ord_zipf_init(&z, 1, 1);
	ord_dice_init(&d, 1);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(ord_zipf_rank(&z, &d), 0);
}

Test(cli_zipf, many_ranks_take_no_longer)
{
	struct ord_zipf z;
	struct ord_dice d;
	uint32_t largest = 0;
	ord_zipf_init(&z, 100000000, 0.99);
	ord_dice_init(&d, 1);
	for (int i = 0; i < DRAWS; i++) {
		uint32_t rank = ord_zipf_rank(&z, &d);
		cr_assert_lt(rank, 100000000);
		largest = rank > largest ? rank : largest;
	}
	cr_assert_gt(largest, 90000000);
}
