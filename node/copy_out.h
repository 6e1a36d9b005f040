/* SPDX-License-Identifier: Apache-2.0 - gives copies of states to nodes that ask for them: a state as of its last checkpoint, piece by piece, while the partition goes on. Inside node/ only. */
#ifndef ORD_NODE_COPY_OUT_H
#define ORD_NODE_COPY_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "node/states.h"
#include "node/wire.h"

struct ord_engine;

/* free --asked for, and there is a checkpoint that will do--> open --no more wanted, or silent for long--> lingering --a while later--> free
 * Until it is free again the log keeps what comes after the copy: who has it goes on from there. */
enum ord_copy_out_phase { ORD_COPY_OUT_FREE = 0, ORD_COPY_OUT_OPEN, ORD_COPY_OUT_LINGERING };

struct ord_copy_out {
	enum ord_copy_out_phase phase;
	uint32_t node; /* who asked, by what number */
	uint64_t number;
	uint32_t partition;
	uint64_t index; /* of the checkpoint */
	uint64_t base_index;
	unsigned copy; /* of ord_states */
	const struct ord_store *store;
	bool reading;
	struct ord_pairs_place after; /* of the piece that is being read */
	uint64_t heard_ms;	      /* when it was asked for something last; when it was ended */
	uint64_t sent_bytes;
};

struct ord_copies_out {
	struct ord_copy_out copies[ORD_STATES_COPIES_MAX];
	uint64_t sent_bytes; /* since the start */
};

/* Parts of other nodes; all fields were read, and the partition exists. */
void ord_copy_out_ask(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part);
void ord_copy_out_next(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part);
void ord_copy_out_end(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part);

/* Pairs have been read, as ord_engine_copy_read. */
void ord_copy_out_read(struct ord_engine *e, unsigned copy, int status, const struct ord_changes *pairs, bool is_last);

/* Ends those that nobody wants any more. */
void ord_copy_out_tick(struct ord_engine *e);

/* Ends all of a partition: its state is about to be replaced. */
void ord_copy_out_drop(struct ord_engine *e, uint32_t partition);

/* The log of the partition must keep what comes after this index. UINT64_MAX: no copy is under way. */
uint64_t ord_copy_out_held(const struct ord_engine *e, uint32_t partition);

/* How many are open. */
uint32_t ord_copy_out_count(const struct ord_engine *e);

#endif
