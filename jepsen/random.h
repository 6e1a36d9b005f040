/* SPDX-License-Identifier: Apache-2.0 - random numbers by seed: what a run chooses is a function of its seed. */
#ifndef ORD_JEPSEN_RANDOM_H
#define ORD_JEPSEN_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct ord_random {
	uint64_t state;
};

/* Streams of one seed have nothing to do with each other: one for each process, one for the nemesis. */
void ord_random_init(struct ord_random *r, uint64_t seed, uint64_t stream);

uint64_t ord_random_next(struct ord_random *r);

/* 0 .. count - 1; asserts that count is not 0. */
uint64_t ord_random_below(struct ord_random *r, uint64_t count);

/* True in per_mille of a thousand cases. */
bool ord_random_chance(struct ord_random *r, uint32_t per_mille);

/* Small numbers are drawn far more often: number i has about twice the weight of number 2 * i + 1. 0 .. count - 1. */
uint64_t ord_random_skewed(struct ord_random *r, uint64_t count);

#endif
