/* SPDX-License-Identifier: Apache-2.0 - the scrub of states and write-ahead log: all of it is read and checked, round after round, a piece at a time. The history has its own (node/history_scrub.c). Inside node/ only.
 *
 * A damaged state is made anew from another node (node/fence.h). The segments of the log up to a damaged one are let go: checkpoints are made, so that what is in them is released, and raft/ copies what is not. Until they are gone a start
 * finds the damage, and the node joins its partitions as a new member.
 */
#ifndef ORD_NODE_SCRUB_H
#define ORD_NODE_SCRUB_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/pairs.h"

struct ord_engine;

struct ord_scrub_status {
	bool scrubbing;		       /* a round is under way, or will be at once */
	uint64_t rounds_count;	       /* since the start, as all here */
	uint64_t records_count;	       /* of states, that were checked */
	uint64_t log_bytes;	       /* likewise */
	uint64_t damaged_states_count; /* times that a state was found damaged */
	uint64_t damaged_logs_count;   /* places in the log */
	uint64_t damaged_segment;      /* of the log, that has not gone yet; 0: none */
};

struct ord_scrub {
	struct ord_engine *engine; /* borrowed */
	uint64_t bytes_per_second; /* 0: nothing is read but when it is asked for */
	int64_t credit_bytes;	   /* may be read now; below 0: were read too early */
	uint64_t ticked_ms;
	uint64_t round_ms;  /* when a round began last; 0: none yet */
	uint64_t hasten_ms; /* when checkpoints were asked for last because of a damaged log */
	bool running;
	bool begins;		      /* a round follows at once */
	bool hurries;		      /* at full rate */
	bool asked;		      /* a piece of a state is being checked */
	uint32_t partition;	      /* whose state is checked; behind the last one it is the log */
	struct ord_pairs_place place; /* up to which it was */
	bool presses; /* the rest of this state at once: what is held for its check should be let go; what follows waits for as much longer */
	uint64_t told_segment; /* the last damaged one that the operator knows of */
	struct ord_scrub_status status;
};

void ord_scrub_init(struct ord_scrub *s, struct ord_engine *e, uint64_t bytes_per_second);

/* A round at full rate: what is under way goes on so, and another one follows it. */
void ord_scrub_now(struct ord_scrub *s);

/* Every 10 ms or so. Not from inside events of the host. */
void ord_scrub_tick(struct ord_scrub *s);

/* A piece has been checked, as ord_engine_scrubbed. */
void ord_scrub_checked(struct ord_scrub *s, uint32_t partition, int status, const struct ord_pairs_checked *piece);

void ord_scrub_status(const struct ord_scrub *s, struct ord_scrub_status *ret);

#endif
