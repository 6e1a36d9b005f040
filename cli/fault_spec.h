/* SPDX-License-Identifier: Apache-2.0 - which links a partition cuts: "1,2|3,4,5", "1>3", a ring, one node alone, halves by chance; and percentages. Decides only. */
#ifndef ORD_CLI_FAULT_SPEC_H
#define ORD_CLI_FAULT_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/fault_target.h"

/* [from][to], by place. */
struct ord_fault_cuts {
	bool cut[ORD_NODES_MAX][ORD_NODES_MAX];
};

/* "1,2|3,4,5": nothing gets from one group to another; a node in no group reaches all. "1,2>3": nothing that the nodes before > send gets to those behind it. ORD_ERR_INVALID with why. */
int ord_fault_spec(const char *spec, const struct ord_fault_view *view, struct ord_fault_cuts *ret, char *why,
		   size_t why_size);

/* Nodes in a circle, in an order that the seed decides: each reaches its neighbours, just enough for a majority with itself, and no two reach the same. Of three nodes the link between two is cut.
 * ORD_ERR_INVALID with why: fewer than three. */
int ord_fault_spec_ring(const struct ord_fault_view *view, struct ord_fault_cuts *ret, char *why, size_t why_size);

/* The nodes of the mask on one side, the others on the other one. */
void ord_fault_spec_apart(const struct ord_fault_view *view, uint32_t mask, struct ord_fault_cuts *ret);

/* "0.5" into 5000. ORD_ERR_INVALID unless it is a number from 0 to 100 with at most four decimals. */
int ord_fault_percent(const char *text, uint32_t *ret_ppm);

#endif
