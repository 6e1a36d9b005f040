/* SPDX-License-Identifier: Apache-2.0 - which nodes a fault is for: "2", "1,3", "all", "leader:P", "follower:P", "majority", "minority", "random". Decides only. */
#ifndef ORD_CLI_FAULT_TARGET_H
#define ORD_CLI_FAULT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define ORD_FAULT_NO_LEADER (-1)

/* What targets are resolved by. Nodes by place; masks as in cli/fault.h. */
struct ord_fault_view {
	uint32_t nodes_count;
	uint32_t ids[ORD_NODES_MAX];
	uint32_t partitions_count;
	const int *
		leaders; /* borrowed; of each partition its leader's place or ORD_FAULT_NO_LEADER; NULL: nobody was asked yet, and roles cannot be resolved */
	uint32_t pool;	 /* mask: among these `random` and `follower` choose */
	const char *pool_name; /* what they have in common: "runs" */
	uint64_t seed;
};

/* The mask of the nodes that are meant. ORD_ERR_INVALID: the text means nothing here; ORD_ERR_NOT_FOUND: a role that nobody has now; why tells which, and the remedy. */
int ord_fault_target(const char *text, const struct ord_fault_view *view, uint32_t *ret_mask, char *why,
		     size_t why_size);

/* True when the text names a role of a partition, so that view->leaders is needed. */
bool ord_fault_target_is_role(const char *text);

/* True when chance has a part in what the text comes to be. */
bool ord_fault_target_is_chance(const char *text);

/* A list "1,3", `len` bytes of text. As ord_fault_target. */
int ord_fault_target_list(const char *text, size_t len, const struct ord_fault_view *view, uint32_t *ret_mask,
			  char *why, size_t why_size);

/* Puts the places 0 .. count - 1 into an order that the seed decides. */
void ord_fault_shuffle(uint64_t seed, uint32_t count, uint32_t ret_places[ORD_NODES_MAX]);

#endif
