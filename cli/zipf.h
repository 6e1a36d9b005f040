/* SPDX-License-Identifier: Apache-2.0 - ranks by Zipf's law: rank k comes k^S times less often than rank 1. In constant time and memory, for any number of ranks. */
#ifndef ORD_CLI_ZIPF_H
#define ORD_CLI_ZIPF_H

#include <stdint.h>

#include "cli/dice.h"

struct ord_zipf {
	uint32_t count;
	double exponent;
	double area_first; /* between these two lies the area that stands for all ranks */
	double area_last;
	double sure; /* so near below a rank nothing is ever turned down */
};

/* Asserts count > 0 and exponent > 0. */
void ord_zipf_init(struct ord_zipf *z, uint32_t count, double exponent);

/* 0 .. count - 1, the most frequent first. */
uint32_t ord_zipf_rank(const struct ord_zipf *z, struct ord_dice *d);

#endif
