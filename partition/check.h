/* SPDX-License-Identifier: Apache-2.0 - what the parts of the invariants' check share. For invariants.c and flow.c only. */
#ifndef ORD_PARTITION_CHECK_H
#define ORD_PARTITION_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "partition/state.h"

struct ord_check {
	struct ord_partition *const *partitions; /* borrowed; partitions[i] has id i */
	uint32_t count;
	bool consistent; /* nobody has applied what its sender is not seen to have sent, and nothing unapplied is trimmed */
	char *why;	 /* borrowed */
	size_t why_size;
};

/* Says which promise is broken and where. Always false, so that a check can end with it. */
__attribute__((format(printf, 2, 3))) bool ord_check_broken(struct ord_check *c, const char *format, ...);

/* Invariants 1, 2 and 6 over all partitions (flow.c): every transfer's request, stages and messages under way tell one story, and money is
 * neither made nor lost. */
bool ord_flow_check(struct ord_check *c);

#endif
