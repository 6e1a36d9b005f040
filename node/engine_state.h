/* SPDX-License-Identifier: Apache-2.0 - the engine's struct, for the files that it is made of. Inside node/ only. */
#ifndef ORD_NODE_ENGINE_STATE_H
#define ORD_NODE_ENGINE_STATE_H

#include "base/limits.h"
#include "node/copy_in.h"
#include "node/copy_out.h"
#include "node/engine.h"
#include "node/fill.h"
#include "node/forward.h"
#include "node/keep.h"
#include "node/replica.h"
#include "node/scrub.h"

#define ORD_ENGINE_CALLS_WINDOW 4096u

/* Where a part goes, or comes from: a node, or, from this number on, a shard of this node. No node has such a number. */
#define ORD_ENGINE_SHARDS 65536u

/* Speaks for the calls that one run of another node passed on, or another shard. When it cannot be reached any more, or has started again, answers that come then are dropped. */
struct ord_engine_remote {
	struct ord_waiter waiter; /* first */
	struct ord_engine *engine;
	uint32_t from;
	uint32_t run; /* of the process that asks; 0: this one's */
	bool lost;
	uint64_t calls_count; /* not answered yet; frees itself when it is lost and has none */
	/* Numbers of calls that came: one that comes twice is carried out once, for the second could be logged after the first was denied. A window of the newest
	 * ones, as in RFC 4303, section 3.4.3; what is older is taken for seen. */
	bool any;
	uint32_t newest;
	uint64_t seen[ORD_ENGINE_CALLS_WINDOW / 64];
};

/* An answer given in the next turn, since a waiter is never called from inside submit. */
struct ord_engine_deferred {
	struct ord_waiter *waiter;
	uint32_t item;
	struct ord_answer answer;
};

struct ord_engine {
	struct ord_engine_events events;
	struct ord_bounds bounds;
	struct ord_host *host;	      /* owned */
	struct ord_replica *replicas; /* owned; by partition */
	uint32_t
		partitions_count; /* of the cluster; this shard has those whose number is `shard` modulo shards_count */
	uint32_t shard;
	uint32_t shards_count;
	uint32_t node;
	uint32_t nodes[ORD_NODES_MAX];
	uint32_t nodes_count;
	bool connected[ORD_NODES_MAX]; /* by place in nodes */
	bool relayed[ORD_NODES_MAX];   /* parts for it go through a third node, whether it is connected or not */
	uint32_t run;		       /* by chance another one for each process: its calls' numbers are no other's */
	uint32_t past_runs[ORD_NODES_MAX]; /* of the others, the one before the last; 0: none */
	bool stopped;			   /* takes nothing any more */
	struct ord_forward forward;
	struct ord_keep keep;
	struct ord_copies_out copies_out;
	struct ord_copy_in copy_in;
	uint32_t mark_entries;	    /* 0: no marks are made */
	uint64_t request_window_ms; /* 0: request ids never expire */
	struct ord_archive archive;
	bool has_archive;
	struct ord_fill fill;
	struct ord_scrub scrub;
	struct ord_engine_remote
		*remotes[ORD_NODES_MAX]; /* owned until lost; by place in nodes, NULL before the first call */
	struct ord_engine_remote *siblings[ORD_SHARDS_MAX]; /* owned; the same of the other shards */
	struct ord_engine_deferred *deferred;		    /* owned */
	size_t deferred_count;
	size_t deferred_capacity;
	struct ord_effects effects; /* reused by every apply */
	struct ord_bytes scratch;   /* reused: one encoded part or body */
	uint64_t now_ms;
	uint64_t wall_us;
	uint64_t election_ms; /* the shortest time after which a new leader is looked for */
	uint64_t swept_ms;    /* deadlines were looked at */
	uint64_t retained_ms; /* old history was looked at */
	enum ord_room_state
		rooms[ORD_NODES_MAX]; /* of the disks, this node's too, as it was last heard; by place in nodes */
	uint64_t room_told_ms;	      /* when the others were told last */
	uint64_t ready_told_ms; /* when those that are reached through a third node were told last who leads here */
};

/* Sends a part of which e->scratch is the body, to a node or a shard. It may be lost. */
void ord_engine_send(struct ord_engine *e, uint32_t to, enum ord_part_kind kind);

/* The node must stop: nothing is applied, taken or answered from the state any more. */
void ord_engine_fatal(struct ord_engine *e, int err, const char *why);

/* Tells the operator, if there is one. */
__attribute__((format(printf, 3, 4))) void ord_engine_notice(struct ord_engine *e, enum ord_log_level level,
							     const char *format, ...);

/* Entries may be made: there is room for them here and on as many other nodes as it takes. */
bool ord_engine_may_propose(const struct ord_engine *e);

/* This node's disk is not nearly full: what is missing here may be fetched. */
bool ord_engine_has_room(const struct ord_engine *e);

/* Commands of clients may come. */
bool ord_engine_may_admit(const struct ord_engine *e);

/* A node says how much room it has. ORD_ERR_FORMAT. */
int ord_engine_receive_room(struct ord_engine *e, uint32_t place, struct ord_slice body);

/* Tells the others, those who have just been connected at once: call every tick, and with due when a connection was made. */
void ord_engine_tell_room(struct ord_engine *e, bool due);

/* The partition is one of this shard's. */
bool ord_engine_owns(const struct ord_engine *e, uint32_t partition);
uint32_t ord_engine_owned_count(const struct ord_engine *e);

/* The shard of this node that has the partition, as a part is sent to it. */
uint32_t ord_engine_shard_of(const struct ord_engine *e, uint32_t partition);

/* Hands another shard a part of which e->scratch is the body. False: it has too much to read, nothing was handed. */
bool ord_engine_hand(struct ord_engine *e, uint32_t shard, enum ord_part_kind kind);

/* Tells the other shards of new leaders. */
void ord_engine_tell_leaders(struct ord_engine *e);

/* Who speaks for the calls that came from another shard; made when there is none. */
struct ord_engine_remote *ord_engine_sibling(struct ord_engine *e, uint32_t shard);

/* What is sent to the node of that place arrives, as far as is known. */
bool ord_engine_reaches(const struct ord_engine *e, uint32_t place);

/* So many nodes, and this one, that they may be a majority: else no leader will be found. */
bool ord_engine_reaches_majority(const struct ord_engine *e);

/* Place of node in e->nodes; nodes_count when it is none of them. */
uint32_t ord_engine_place(const struct ord_engine *e, uint32_t node);

/* The calls that a node made here have nobody any more who waits for them. */
void ord_engine_remote_lose(struct ord_engine *e, uint32_t place);

/* Tells the nodes that are reached through a third one which partitions are led here: their groups do not hear from their leaders, and on that way messages may be lost. */
void ord_engine_tell_ready(struct ord_engine *e);

#endif
