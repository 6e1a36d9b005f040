/* SPDX-License-Identifier: Apache-2.0 - numbers that a seed decides, the same on every machine. */
#ifndef ORD_TESTS_SUPPORT_RANDOM_H
#define ORD_TESTS_SUPPORT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SplitMix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
struct random {
	uint64_t state;
};

static inline struct random random_of(uint64_t seed)
{
	return (struct random){.state = seed};
}

static inline uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 .. count - 1; count is above zero. The bias of the remainder does not matter here. */
static inline uint64_t random_below(struct random *r, uint64_t count)
{
	return random_next(r) % count;
}

/* True percent times in a hundred. */
static inline bool random_chance(struct random *r, unsigned percent)
{
	return random_below(r, 100) < percent;
}

#endif
