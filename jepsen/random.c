/* SPDX-License-Identifier: Apache-2.0 - random numbers by seed: what a run chooses is a function of its seed. */
#include "jepsen/random.h"

#include "base/assert.h"

#define GOLDEN 0x9E3779B97F4A7C15ull

/* SplitMix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
uint64_t ord_random_next(struct ord_random *r)
{
	uint64_t z = r->state += GOLDEN;
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ z >> 27) * 0x94D049BB133111EBull;
	return z ^ z >> 31;
}

void ord_random_init(struct ord_random *r, uint64_t seed, uint64_t stream)
{
	r->state = seed;
	r->state = ord_random_next(r) ^ (stream + 1) * GOLDEN;
	ord_random_next(r);
}

uint64_t ord_random_below(struct ord_random *r, uint64_t count)
{
	ORD_ASSERT(count > 0);
	return ord_random_next(r) % count;
}

bool ord_random_chance(struct ord_random *r, uint32_t per_mille)
{
	return ord_random_below(r, 1000) < per_mille;
}

uint64_t ord_random_skewed(struct ord_random *r, uint64_t count)
{
	return ord_random_below(r, ord_random_below(r, count) + 1);
}
