/* SPDX-License-Identifier: Apache-2.0 - numbers that a seed decides, the same on every machine. For faults that are made on purpose; never where somebody must not guess them, and never in partition/. */
#ifndef ORD_BASE_CHANCE_H
#define ORD_BASE_CHANCE_H

#include <stdint.h>

/* The next number after a state, which begins as the seed. SplitMix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
static inline uint64_t ord_chance_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

#endif
