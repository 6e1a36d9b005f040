/* SPDX-License-Identifier: Apache-2.0 - the bounds of a node's queues: those of base/limits.h, or smaller ones, so that a simulation meets every boundary. */
#ifndef ORD_NODE_BOUNDS_H
#define ORD_NODE_BOUNDS_H

#include <stdint.h>

/* 0 stands for what base/limits.h says (raft/host.h for those that begin with raft). A larger value than that is not allowed. */
struct ord_bounds {
	uint64_t admit_bytes;	      /* commands of one partition that wait to be proposed */
	uint32_t admit_wait_ms;	      /* the first of them, before no more are taken */
	uint32_t entry_bytes;	      /* one entry; at least deliver_bytes and a command or message more */
	uint32_t reads_count;	      /* of one partition that wait */
	uint32_t forwards_count;      /* calls passed on */
	uint32_t unsettled_count;     /* transfers of one partition accepted and not decided */
	uint32_t deliver_bytes;	      /* one delivery, unless one message alone is longer */
	uint32_t deliver_window;      /* messages to one partition sent and not applied */
	uint32_t peer_output_bytes;   /* unsent to one other node; at least what one part takes */
	uint32_t raft_message_bytes;  /* entries in one append, unless one alone is longer */
	uint32_t raft_window_bytes;   /* unanswered entries of one group to one peer */
	uint32_t raft_turn_entries;   /* applied in one turn */
	uint32_t raft_trailing_bytes; /* of one group in the log for those that lag, though it is elsewhere */
	uint32_t raft_segments;	      /* of the log, before what lags is copied */
	uint32_t checkpoint_rows;     /* records of a checkpoint encoded in one turn */
	uint32_t copy_bytes;	      /* one piece of a copy of a state, unless one record alone is longer */
	uint32_t block_bytes;	      /* of entries in a block of history; the same on all nodes */
	uint32_t volume_bytes;	      /* of a file of history */
	uint32_t
		request_window_ms; /* request ids expire so long after their own time; 0: as it is configured, in days */
	uint32_t scrub_pause_ms;   /* from the beginning of one round of the scrub to that of the next, at least */
};

/* Replaces 0 by what it stands for, and asserts that nothing is over its maximum; those of raft are left to raft/host.h. */
void ord_bounds_fill(struct ord_bounds *b);

#endif
