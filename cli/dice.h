/* SPDX-License-Identifier: Apache-2.0 - numbers that look like chance and follow from a seed: they spread load and decide nothing else. */
#ifndef ORD_CLI_DICE_H
#define ORD_CLI_DICE_H

#include <stdint.h>

struct ord_dice {
	uint64_t state;
};

/* Every seed does, 0 too. */
void ord_dice_init(struct ord_dice *d, uint64_t seed);

uint64_t ord_dice_next(struct ord_dice *d);

/* 0 .. count - 1, all alike to within count / 2^64. Asserts count > 0. */
uint64_t ord_dice_below(struct ord_dice *d, uint64_t count);

/* 0 <= x < 1, in steps of 2^-53. */
double ord_dice_unit(struct ord_dice *d);

#endif
