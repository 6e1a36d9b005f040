/* SPDX-License-Identifier: Apache-2.0 - whether some of a few amounts sum to a given one. */
#ifndef ORD_JEPSEN_CHECKERS_SUBSET_H
#define ORD_JEPSEN_CHECKERS_SUBSET_H

#include <stdbool.h>
#include <stdint.h>

#define ORD_SUBSET_ITEMS_MAX 32
#define ORD_SUBSET_RANGE_MAX 16384 /* from the lowest sum to the highest */

/* True when the items of some part of deltas, none and all among them, sum to target. Amounts are of ORD_LEDGER_AMOUNT_MAX at most, positive or negative. With more items or a wider range than above
 * it is not looked at, and true. */
bool ord_subset_sums_to(const int64_t *deltas, uint32_t count, int64_t target);

#endif
