/* SPDX-License-Identifier: Apache-2.0 - marks: what a replica was at a position, in the log itself, so that every other one compares itself with it. */
#ifndef ORD_PARTITION_MARK_H
#define ORD_PARTITION_MARK_H

#include <stdbool.h>

#include "partition/command.h"
#include "partition/state.h"

/* True when both say the same. */
bool ord_mark_equal(const struct ord_mark *a, const struct ord_mark *b);

/* The processor of MARK, at that place of its entry: compares, and tells by an effect. Whatever comes of it, the state is the same afterwards. */
void ord_mark_apply(struct ord_partition *p, const struct ord_mark *m, uint32_t command_number);

#endif
