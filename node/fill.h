/* SPDX-License-Identifier: Apache-2.0 - blocks of history between nodes: fetched for gaps, given to peers, compared with theirs. Inside node/ only. */
#ifndef ORD_NODE_FILL_H
#define ORD_NODE_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "node/archive.h"

struct ord_engine;

/* So many blocks are asked for and not durable here. */
#define ORD_FILL_WINDOW 4
/* So many ids wait to be compared. */
#define ORD_FILL_COMPARES 16

struct ord_fill_compare {
	uint32_t partition;
	struct ord_block_id id;
};

struct ord_fill {
	struct ord_engine *engine; /* borrowed */
	uint64_t repair_bytes;	   /* a second; 0: nothing is fetched */
	int64_t credit_bytes;	   /* may be asked for now; below zero: more came than was allowed */
	uint64_t credit_ms;
	/* The gap that is being filled. */
	bool active;
	bool draining; /* what was handed over is waited for, then the gap is looked at anew */
	uint32_t partition;
	uint64_t next;	       /* to be handed over */
	uint64_t asked;	       /* up to which blocks are asked for; next - 1: none are */
	uint64_t last;	       /* of the gap */
	uint32_t handed_count; /* over, and not told of */
	uint32_t place;	       /* of the peer that is asked, in the engine's nodes */
	uint32_t failed;       /* bits of places: they did not have what is wanted */
	uint64_t firsts
		[ORD_NODES_MAX]; /* by place, of those that failed: the first block they keep; 0: they did not say that they have dropped it */
	uint64_t heard_ms;  /* from that peer */
	uint64_t look_ms;   /* for a gap again */
	uint64_t *retry_ms; /* owned; by partition: not before; NULL until one has to wait */
	/* Peers that ask. */
	uint32_t asks_count[ORD_NODES_MAX]; /* by place: not answered yet */
	/* Ids to be compared, the first one asked for. */
	struct ord_fill_compare compares[ORD_FILL_COMPARES];
	uint32_t compares_count;
	uint32_t compare_place;
	bool compare_asked;
	uint64_t compare_ms;
};

void ord_fill_init(struct ord_fill *f, struct ord_engine *e, uint64_t repair_bytes);
void ord_fill_close(struct ord_fill *f);

/* Every 10 ms or so: begins, asks on, gives up. */
void ord_fill_tick(struct ord_fill *f);

/* Parts of the peer at that place. ORD_ERR_FORMAT. */
int ord_fill_receive_want(struct ord_fill *f, uint32_t place, bool whole, struct ord_slice body);
int ord_fill_receive_block(struct ord_fill *f, uint32_t place, struct ord_slice body);
int ord_fill_receive_id(struct ord_fill *f, uint32_t place, struct ord_slice body);
void ord_fill_peer_lost(struct ord_fill *f, uint32_t place);

/* As ord_engine_filled, answered and checked. */
void ord_fill_filled(struct ord_fill *f, uint32_t partition, uint64_t number, int status);
void ord_fill_answered(struct ord_fill *f, const struct ord_archive_answer *a);
void ord_fill_checked(struct ord_fill *f, uint32_t partition, const struct ord_block_id *id);

#endif
