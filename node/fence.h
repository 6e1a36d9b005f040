/* SPDX-License-Identifier: Apache-2.0 - replicas that differ: what came of the marks of one partition here and on the other nodes, who is wrong, and keeping that one away from everybody. Inside node/ only.
 *
 * The mark in the log is its leader's, and the leader may be the one that went astray. So a replica that is not as a mark says tells all nodes what it is and asks what they are. Whoever differs from what a majority
 * of the voters have at that position is fenced: it answers nothing, leads nothing, and makes no checkpoint of its state, until it is made anew from another replica. Where there is no majority (1 against 1 of two
 * nodes, three that are all different, or the others are down) nobody can tell who is right; nobody is fenced, all go on and say so, and an operator decides.
 *
 *   equal --a replica at a mark's position is another one--> (asks) --a majority has what this one has--------------> equal
 *                                                                   --a majority has something else-----------------> fenced
 *                                                                   --no majority, or none within ten seconds-------> differs --a later mark is decided--> equal or fenced
 */
#ifndef ORD_NODE_FENCE_H
#define ORD_NODE_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "node/shard.h"
#include "node/wire.h"
#include "partition/command.h"
#include "partition/effects.h"

struct ord_engine;
struct ord_replica;

/* So many of its last results a replica keeps: others may apply the same mark a little earlier or later. */
#define ORD_FENCE_RESULTS 4

/* "equal", "differs", "fenced". */
const char *ord_fence_state_name(enum ord_fence_state state);

struct ord_fence {
	enum ord_fence_state state;
	struct ord_mark results[ORD_FENCE_RESULTS]; /* what this replica was at the last marks, in turn */
	uint64_t results_count;			    /* ever */
	/* The question that is asked now, if any. */
	bool asked;
	uint64_t position;
	uint64_t asked_ms;			/* when it was begun */
	uint64_t told_ms;			/* when all nodes were asked, answered or told of a fence last */
	uint64_t said_ms;			/* when the operator was told last that nobody can tell who is right */
	struct ord_mark answers[ORD_NODES_MAX]; /* by place of the node; this one's too */
	bool has_answer[ORD_NODES_MAX];
	uint64_t decided_position; /* of the last question that was decided; nothing before it is asked again */
	uint64_t fenced_until_ms[ORD_NODES_MAX]; /* by place: that node's replica said that it is fenced */
};

/* A mark was applied here and compared. May fence this replica, so that nothing of the entry may be under way any more. */
void ord_fence_compared(struct ord_replica *r, const struct ord_mark_effect *mark);

/* A record of the replica's state on disk cannot be read, and nothing was applied by what needed it: it is fenced, too. Asserts that there are other nodes. */
void ord_fence_damaged(struct ord_replica *r);

/* The replica has another state, from a node that was not fenced: it begins anew. */
void ord_fence_lift(struct ord_replica *r);

/* Another node told what its replica was. */
void ord_fence_receive(struct ord_replica *r, uint32_t place, const struct ord_part_mark_result *part);

/* Every 100 ms or so: asks again, gives up asking, hands over a leadership that a fenced replica has. */
void ord_fence_tick(struct ord_replica *r);

/* False when that node's replica is known to be fenced, so that it must not be given the leadership. */
bool ord_fence_may_lead(const struct ord_replica *r, uint32_t place);

#endif
