/* SPDX-License-Identifier: Apache-2.0 - the promises that hold at every position, in one checking function. */
#ifndef ORD_PARTITION_INVARIANTS_H
#define ORD_PARTITION_INVARIANTS_H

#include <stddef.h>
#include <stdint.h>

#include "partition/partition.h"

/* Checks invariants 1 to 7 (docs/architecture.md, "Invariants") over one replica of every partition of a cluster, each at whatever position it
 * has: partitions[i] has id i. Messages applied at their destination and not yet trimmed at their source are not in flight any more.
 * Where a destination runs ahead of what its source has been seen to send, only what can be told is checked.
 * Recomputes the digest from nothing and compares. ORD_OK, or ORD_ERR_CORRUPT with why (of why_size bytes) saying which promise and where.
 * O(state): for tests, simulation and offline verification. */
int ord_invariants_check(struct ord_partition *const *partitions, uint32_t count, char *why, size_t why_size);

#endif
