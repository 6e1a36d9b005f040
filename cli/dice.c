/* SPDX-License-Identifier: Apache-2.0 - numbers that look like chance and follow from a seed: they spread load and decide nothing else. */
#include "cli/dice.h"

#include "base/assert.h"

void ord_dice_init(struct ord_dice *d, uint64_t seed)
{
	d->state = seed;
}

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
uint64_t ord_dice_next(struct ord_dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t ord_dice_below(struct ord_dice *d, uint64_t count)
{
	ORD_ASSERT(count > 0);
	return (uint64_t)((unsigned __int128)ord_dice_next(d) * count >> 64);
}

double ord_dice_unit(struct ord_dice *d)
{
	return (double)(ord_dice_next(d) >> 11) * 0x1p-53;
}
