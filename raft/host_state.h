/* SPDX-License-Identifier: Apache-2.0 - the inside of a host, for raft/host*.c alone. */
#ifndef ORD_RAFT_HOST_STATE_H
#define ORD_RAFT_HOST_STATE_H

#include "raft/group.h"

/* The last question to a peer that has not been answered; round 0: there is none (raft/host_reads.c). */
struct host_asked {
	uint64_t round;
	uint64_t ms;
};

struct ord_host {
	struct ord_group_env env;
	uint32_t groups_count; /* of all hosts of the node; this one's are first, first + step and so on */
	uint32_t groups_first;
	uint32_t groups_step;
	struct ord_group **groups; /* owned, each too; NULL: another host's */
	uint64_t turn_entries;	   /* applied in one turn */
	bool skipped_tick;	   /* the last tick came after a pause */
	bool held;		   /* nothing is applied */
	bool has_records;	   /* the log was not empty when it was opened */

	/* Removing old segments (raft/host_tidy.c). */
	bool releases; /* something was released, or began with a base */
	uint64_t segment_bytes;
	uint64_t segments_max;
	uint64_t tidy_segment;	     /* the one that is being emptied */
	uint32_t tidy_group;	     /* who is next */
	uint64_t tidy_at;	     /* and with which entry; 0: from the beginning */
	uint64_t tidy_not_before_ms; /* what cannot be read is tried again */

	/* Reads (raft/host_reads.c). */
	uint64_t round; /* of the last question */
	struct host_asked asked[ORD_NODES_MAX];

	struct ord_wal_scrub *scrub; /* owned; NULL before it is used */

	/* Bringing groups back to the nodes that should lead them. */
	uint64_t balance_due_ms;
	uint64_t *balance_not_before_ms; /* owned; of each group: when it may be tried again */
	uint32_t balance_cursor;

	/* Replacing members (raft/host_members.c). */
	uint64_t replace_due_ms;
	uint32_t replace_cursor;
};

/* The group is one of this host's. */
bool ord_host_has(const struct ord_host *h, uint32_t group);

/* Does a bounded amount for the removal of the oldest segment. */
void ord_host_tidy(struct ord_host *h);

/* Between the member that this node is and the one that the peer says it is: what is for the one that this node was before, or from one that the other node is not any more, is late. */
bool ord_host_is_between_members(const struct ord_group_env *env, uint32_t peer, uint64_t from, uint64_t to);

/* Asks those peers that may be asked for what reads wait for. */
void ord_host_ask(struct ord_host *h);

/* The peer may be asked at once. */
void ord_host_ask_anew(struct ord_host *h, uint32_t peer);

/* Takes the next steps, when it is time to look. */
void ord_host_replace_members(struct ord_host *h);

/* Hands at most one group over, when it is time to look. */
void ord_host_balance(struct ord_host *h);

#endif
