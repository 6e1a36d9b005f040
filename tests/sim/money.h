/* SPDX-License-Identifier: Apache-2.0 - invariant 1 as entries come in: of each asset, all balances and all that is under way between partitions sum to zero. */
#ifndef ORD_TESTS_SIM_MONEY_H
#define ORD_TESTS_SIM_MONEY_H

#include <stdint.h>

#include "base/bytes.h"

void sim_money_open(void);
void sim_money_close(void);

/* So much more of the asset is on accounts, or in messages that carry money; below zero: less. */
void sim_money_add(struct ord_slice asset, __int128 amount);

/* Between entries. Fails the run; partition and entry say which one was the last. */
void sim_money_check(uint32_t partition, uint64_t entry);

#endif
