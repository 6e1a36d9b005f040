/* SPDX-License-Identifier: Apache-2.0 - whether some of a few amounts sum to a given one: a bit for each sum that can be. */
#include "jepsen/checkers/subset.h"

#include <string.h>

#define WORDS (ORD_SUBSET_RANGE_MAX / 64 + 1)

/* Adds to the sums those that are by bits larger. */
static void shift_in(uint64_t *sums, uint32_t words_count, uint32_t bits)
{
	uint32_t words = bits / 64, rest = bits % 64;
	for (uint32_t i = words_count; i-- > words;) {
		uint64_t from = sums[i - words] << rest;
		if (rest > 0 && i > words)
			from |= sums[i - words - 1] >> (64 - rest);
		sums[i] |= from;
	}
}

bool ord_subset_sums_to(const int64_t *deltas, uint32_t count, int64_t target)
{
	uint64_t sums[WORDS];
	int64_t low = 0, high = 0;
	if (count > ORD_SUBSET_ITEMS_MAX)
		return true;
	for (uint32_t i = 0; i < count; i++)
		*(deltas[i] < 0 ? &low : &high) += deltas[i];
	if (target < low || target > high)
		return false;
	if (high - low >= ORD_SUBSET_RANGE_MAX)
		return true;
	/* Leaving a negative one out is adding its size to the lowest sum. */
	uint32_t words_count = (uint32_t)(high - low) / 64 + 1;
	memset(sums, 0, words_count * sizeof *sums);
	sums[0] = 1;
	for (uint32_t i = 0; i < count; i++)
		shift_in(sums, words_count, (uint32_t)(deltas[i] < 0 ? -deltas[i] : deltas[i]));
	uint32_t bit = (uint32_t)(target - low);
	return (sums[bit / 64] >> bit % 64 & 1) != 0;
}
