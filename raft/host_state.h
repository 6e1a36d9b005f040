/* SPDX-License-Identifier: Apache-2.0 - the inside of a host, for raft/host*.c alone. */
#ifndef ORD_RAFT_HOST_STATE_H
#define ORD_RAFT_HOST_STATE_H

#include "raft/group.h"

struct ord_host {
	struct ord_group_env env;
	uint32_t groups_count;
	struct ord_group **groups; /* owned, each too */
	uint64_t turn_entries;	   /* applied in one turn */
	bool skipped_tick;	   /* the last tick came after a pause */

	/* Bringing groups back to the nodes that should lead them. */
	uint64_t balance_due_ms;
	uint64_t *balance_not_before_ms; /* owned; of each group: when it may be tried again */
	uint32_t balance_cursor;
};

/* Hands at most one group over, when it is time to look. */
void ord_host_balance(struct ord_host *h);

#endif
