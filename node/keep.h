/* SPDX-License-Identifier: Apache-2.0 - keeps the states of the partitions: on disk by one checkpoint after the other, and in memory within a bound. Inside node/ only. */
#ifndef ORD_NODE_KEEP_H
#define ORD_NODE_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "node/states.h"
#include "partition/changes.h"
#include "partition/note.h"
#include "raft/host.h"

struct ord_engine;
struct ord_replica;

/* idle --a partition has changed enough, or long ago--> encoding --all records, some a turn--> writing --durable--> finishing --all records, some a turn--> idle
 *                                                                                              |  ^
 *                                                                                      no room |  | a while later
 *                                                                                              v  |
 *                                                                                            waiting */
enum ord_keep_phase { ORD_KEEP_IDLE = 0, ORD_KEEP_ENCODING, ORD_KEEP_WRITING, ORD_KEEP_WAITING, ORD_KEEP_FINISHING };

struct ord_keep {
	struct ord_engine *engine; /* borrowed */
	struct ord_states states;
	bool enabled; /* there are states; otherwise everything stays in memory and in the log */
	uint64_t memory_bytes;
	uint64_t checkpoint_bytes;
	enum ord_keep_phase phase;
	uint32_t partition;	    /* whose checkpoint is under way */
	uint32_t evicting;	    /* whose records are looked at next */
	struct ord_changes changes; /* owned; while they are written, and their memory afterwards */
	uint64_t index;		    /* of the checkpoint that is under way; the base that its note has */
	uint64_t base_index;
	uint64_t retry_ms;
	uint64_t begun_ms;
	uint64_t count;	  /* finished since the start */
	uint64_t last_ms; /* how long the last one took */
};

struct ord_keep_options {
	const struct ord_states *states; /* copied; NULL: none */
	uint64_t memory_bytes;		 /* of records, all partitions together */
	uint64_t checkpoint_bytes;	 /* of changed records, all partitions together */
};

void ord_keep_init(struct ord_keep *k, struct ord_engine *e, const struct ord_keep_options *options);

/* Frees what a write that was under way was about; it must have ended. */
void ord_keep_close(struct ord_keep *k);

/* The store of a partition, NULL when there are none. Errors and why as ord_states.open. */
int ord_keep_open(struct ord_keep *k, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size);

/* The state of a replica that was just opened cannot be read: sets it aside and gives an empty store. Errors and why as ord_states.discard. */
int ord_keep_discard(struct ord_keep *k, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size);

/* Reads from its note how far in the log the state of a replica that was just opened is. *ret_note is all zero when there is none, and valid until the store is led to the replica's next checkpoint. ORD_ERR_IO, ORD_ERR_CORRUPT,
 * ORD_ERR_FORMAT. */
int ord_keep_find(struct ord_replica *r, struct ord_note *ret_note);

/* What the host has to be told of where the log begins. Points into the note's bytes. */
void ord_keep_base(const struct ord_note *note, struct ord_base *ret);

/* Sees to a checkpoint of the partition as soon as can be. */
void ord_keep_want(struct ord_keep *k, uint32_t partition);

/* True while a checkpoint of the partition is under way. */
bool ord_keep_is_busy(const struct ord_keep *k, uint32_t partition);

/* A write has ended, as ord_engine_saved. */
void ord_keep_written(struct ord_keep *k, int status);

/* Now and then: lets the log drop what the last checkpoints and the history have, but for what somebody who got a copy of a state has to go on with. Not from inside events of the host. */
void ord_keep_release(struct ord_keep *k);

/* The partition's state is worth nothing any more: no checkpoint of it is begun, and one under way is given up unless its write has begun. */
void ord_keep_abandon(struct ord_keep *k, uint32_t partition);

/* Every 10 ms or so: begins checkpoints. */
void ord_keep_tick(struct ord_keep *k);

/* Ends a turn of the loop: goes on a little. True when there is more to do at once. */
bool ord_keep_turn(struct ord_keep *k);

struct ord_keep_status {
	uint64_t memory_bytes;	/* of records */
	uint64_t changed_bytes; /* of them not on disk */
	uint64_t checkpoints_count;
	uint64_t checkpoint_ms; /* how long the last one took */
};
void ord_keep_status(const struct ord_keep *k, struct ord_keep_status *ret);

#endif
