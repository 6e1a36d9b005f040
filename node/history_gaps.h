/* SPDX-License-Identifier: Apache-2.0 - which blocks of one partition's history are missing: runs of numbers, ascending, never touching each other. */
#ifndef ORD_NODE_HISTORY_GAPS_H
#define ORD_NODE_HISTORY_GAPS_H

#include <stddef.h>
#include <stdint.h>

/* Blocks first to last, both of them too. */
struct ord_history_gap {
	uint64_t first;
	uint64_t last;
};

/* Zeroed: none is missing. */
struct ord_history_gaps {
	struct ord_history_gap *list; /* owned */
	size_t count;
	size_t capacity;
};

/* Tolerates a zeroed list. */
void ord_history_gaps_close(struct ord_history_gaps *g);

/* Blocks first to last are missing; some of them may be known to be. Asserts 0 < first <= last. ORD_ERR_NOMEM: nothing is changed. */
int ord_history_gaps_add(struct ord_history_gaps *g, uint64_t first, uint64_t last);

/* They are there again, or are not wanted any more; some of them may never have been missing. ORD_ERR_NOMEM: nothing is changed; never when first is not above the beginning of a gap. */
int ord_history_gaps_take(struct ord_history_gaps *g, uint64_t first, uint64_t last);

/* The gap that has the block in it; NULL: none. Valid until the next change. */
const struct ord_history_gap *ord_history_gaps_find(const struct ord_history_gaps *g, uint64_t number);

/* How many blocks are missing. */
uint64_t ord_history_gaps_blocks(const struct ord_history_gaps *g);

#endif
