/* SPDX-License-Identifier: Apache-2.0 - gets the state of a partition from another node, when the log that leads to it is gone: piece by piece, beside the state that is there, then one takes the place of the other. One
 * partition at a time. Inside node/ only. */
#ifndef ORD_NODE_COPY_IN_H
#define ORD_NODE_COPY_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/states.h"
#include "node/wire.h"
#include "partition/note.h"

struct ord_engine;

/* idle --a partition needs a state--> asking --a node says what it has--> beginning --there is an empty place--> filling --all pairs are written--> ending --whole and durable--> replacing --> installing --> idle
 * Whatever goes wrong before replacing leads back to idle, after a while, and to another node. */
enum ord_copy_in_phase {
	ORD_COPY_IN_IDLE = 0,
	ORD_COPY_IN_ASKING,
	ORD_COPY_IN_BEGINNING,
	ORD_COPY_IN_FILLING,
	ORD_COPY_IN_ENDING,
	ORD_COPY_IN_REPLACING,
	ORD_COPY_IN_INSTALLING
};

/* What one partition needs. */
struct ord_copy_want {
	bool wanted;
	uint64_t index;	  /* a state at that index at least */
	uint32_t node;	  /* which has one; 0: any */
	uint64_t told_ms; /* when that was said last */
};

struct ord_copy_in {
	struct ord_engine *engine;   /* borrowed */
	struct ord_copy_want *wants; /* owned; by partition */
	enum ord_copy_in_phase phase;
	uint32_t partition; /* of the copy under way, likewise below */
	uint32_t node;
	uint64_t number;	      /* a new one for each attempt */
	uint64_t asked_ms;	      /* something was asked for last */
	uint64_t begun_ms;	      /* the node was asked first, or brought something last */
	uint64_t pause_ms;	      /* nothing is begun before */
	bool was_lost;		      /* the partition had no state, and its log waits for one */
	struct ord_bytes note_bytes;  /* owned */
	struct ord_note note;	      /* points into them */
	struct ord_pairs_place place; /* behind what has come */
	bool asking;		      /* for more */
	bool writing;		      /* a step of ord_states is under way */
	bool dropping;		      /* what was filled is of no use, and is to be dropped */
	bool all_came;
	struct ord_changes written; /* owned; the piece that is being written */
	struct ord_changes waiting; /* owned; the one behind it */
	uint64_t received_bytes;
	uint64_t copies_count; /* installed since the start */
};

/* ORD_ERR_NOMEM. */
int ord_copy_in_open(struct ord_copy_in *c, struct ord_engine *e);

/* What was being written must have ended. Tolerates a zeroed one. */
void ord_copy_in_close(struct ord_copy_in *c);

/* The partition needs the state of another node, at that index of the log or later. To be called again and again while that is so; may be called from inside events of the host. */
void ord_copy_in_want(struct ord_engine *e, uint32_t partition, uint32_t node, uint64_t index);

/* Parts of other nodes; all fields were read, and the partition exists. ORD_ERR_FORMAT: their content is none. */
int ord_copy_in_note(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part);
int ord_copy_in_pairs(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part);

/* A step has ended, as ord_engine_copy_filled. */
void ord_copy_in_filled(struct ord_engine *e, int status);

/* Asks, asks again, gives up, puts in its place. Not from inside events of the host. */
void ord_copy_in_tick(struct ord_engine *e);

/* True while the partition's state is about to be replaced: it takes no checkpoint. */
bool ord_copy_in_has(const struct ord_engine *e, uint32_t partition);

#endif
