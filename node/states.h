/* SPDX-License-Identifier: Apache-2.0 - where the states of a node's partitions lie, as the engine sees it: a store each, one writing of a checkpoint at a time, and copies of whole states, to other nodes and from them. Node and simulator implement it. */
#ifndef ORD_NODE_STATES_H
#define ORD_NODE_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "partition/changes.h"
#include "partition/pairs.h"
#include "partition/store.h"

/* States that may be read out at a time. */
#define ORD_STATES_COPIES_MAX 4u

struct ord_states {
	void *ctx; /* borrowed; first argument of all */

	/* The partition's store; valid as long as the states are, or until it is replaced. Blocks; start-up only. ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_NO_SPACE, ORD_ERR_MISMATCH, ORD_ERR_NOMEM with why, which names the file and the remedy. */
	int (*open)(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size);

	/* What is there cannot be read: opens an empty one, for as long as the program runs or until it is replaced; a store that was given before must not be used any more. The damaged one stays where it is, so that the next start
	 * finds it, too, and takes no empty state for a true one; when it is replaced it is set aside, to be looked at. Blocks. Errors as open. */
	int (*discard)(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size);

	/* Begins to make the changes in the partition's store, all or nothing, durably. Never blocks. The changes stay valid and unchanged until the owner of the interface calls ord_engine_saved() from the same
	 * thread, with ORD_OK, ORD_ERR_NO_SPACE (nothing was changed, the same may be tried again), or ORD_ERR_IO or ORD_ERR_CORRUPT (the node must stop). At most one write is under way. */
	void (*write)(void *ctx, uint32_t partition, const struct ord_changes *changes);

	/* From now on the partition's store reads what the last write has made, and what was read before is not valid any more. May block for some milliseconds after a large write. Errors and why as open; the store must not be used
	 * any more then. */
	int (*renew)(void *ctx, uint32_t partition, char *why, size_t why_size);

	/* --- A copy that goes out: the state as of the last checkpoint, whatever is written meanwhile. --- */

	/* Begins one, *ret_copy below ORD_STATES_COPIES_MAX. *ret_store reads it until it is closed; may block. ORD_ERR_BUSY: there are as many as may be. ORD_ERR_IO, ORD_ERR_NOMEM. */
	int (*copy_open)(void *ctx, uint32_t partition, unsigned *ret_copy, const struct ord_store **ret_store);

	/* Begins to gather the pairs behind a place (ord_pairs_gather). Never blocks. ord_engine_copy_read() is called from the same thread when they are there. One at a time for each copy. */
	void (*copy_read)(void *ctx, unsigned copy, const struct ord_pairs_place *after, size_t bytes_max);

	/* Ends it; what is being read is read to its end, and not told any more. */
	void (*copy_close)(void *ctx, unsigned copy);

	/* Begins to check the pairs behind a place, as of the checkpoint that was the last one when the first of them were; from the last place on, or from the beginning: with table 0, or when that check was ended. After the last piece counts
	 * and digest of all are what the state's own numbers say. Never blocks. ord_engine_scrubbed() is called from the same thread later. One piece at a time, and one state. */
	void (*scrub)(void *ctx, uint32_t partition, const struct ord_pairs_place *after, uint64_t bytes_max);

	/* The state that is being checked is not gone on with: what is held for it is let go. Tolerates that there is none. Asserts that no piece is being checked. */
	void (*scrub_end)(void *ctx);

	/* --- A copy that comes in, one at a time, beside the state that is there. Each of the first four begins something that never blocks and ends with ord_engine_copy_filled() from the same thread, one after the other:
	 * ORD_OK, ORD_ERR_NO_SPACE, ORD_ERR_IO, ORD_ERR_NOMEM, ORD_ERR_CORRUPT (pairs that do not come in order; of fill_end: the state is not what its own numbers say). --- */

	/* An empty place for the partition's new state; one that was begun before is dropped. */
	void (*fill_begin)(void *ctx, uint32_t partition);

	/* The changes are pairs in order, and stay valid until it has ended. */
	void (*fill_write)(void *ctx, const struct ord_changes *changes);

	/* What was begun is of no use: its room is given back. */
	void (*fill_drop)(void *ctx);

	/* All is there: makes it durable, and checks the whole of it. */
	void (*fill_end)(void *ctx, uint32_t partitions_count);

	/* The new state takes the place of the old one, at once and durably; the partition's store from open must not be used any more, *ret_store is the new one. keeps_old: the old one is set aside, to be looked at. Blocks.
	 * ORD_ERR_BUSY: a piece of a copy that was closed, or one that is checked, is still being read; nothing has changed. Asserts that no copy of the partition is open.
	 * After another error (as open, with why) it is not known which one is there: the node must stop. */
	int (*replace)(void *ctx, uint32_t partition, bool keeps_old, const struct ord_store **ret_store, char *why,
		       size_t why_size);
};

#endif
