/* SPDX-License-Identifier: Apache-2.0 - the history of a node's partitions as the engine sees it: where it ends, and blocks that are handed over to be written. Node and simulator implement it. */
#ifndef ORD_NODE_ARCHIVE_H
#define ORD_NODE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/history_gaps.h"
#include "partition/block.h"
#include "partition/block_builder.h"

/* What came of asking for a block. */
struct ord_archive_answer {
	uint64_t token; /* the asker's */
	uint32_t partition;
	uint64_t number;
	int status; /* ORD_OK; ORD_ERR_NOT_FOUND; ORD_ERR_CORRUPT: it is damaged here; ORD_ERR_IO, ORD_ERR_NOMEM, ORD_ERR_MISMATCH */
	uint64_t first;		/* NOT_FOUND: the first block that is kept: those before it were dropped */
	struct ord_block_id id; /* OK */
	struct ord_slice bytes; /* OK, when it was asked for whole: header and stored content; valid during the call */
};

struct ord_archive {
	void *ctx; /* borrowed; first argument of all */

	/* Where the partition's history ended when it was opened; all zero: there was none. */
	struct ord_block_end (*end)(void *ctx, uint32_t partition);

	/* Takes the partition's next block, content and all, to be written behind. Never blocks. When it is durable the owner of the interface calls ord_engine_archived() from the same thread, in the
	 * order of the partition's blocks. ORD_ERR_NOMEM: *raw is still the caller's. */
	int (*write)(void *ctx, struct ord_block_raw *raw);

	/* Goes on behind `end`, as when a state was copied from a peer: the next block handed over is end->number + 1, though blocks before it may be missing; they become a gap, to be filled
	 * from peers. What was handed over before is written first. Nothing is changed on disk before the next block is there, unless the history has other blocks behind or at `end`: those
	 * are set aside. Blocks behind `end` that are there already are compared with those that are handed over, and told of as durable. Never blocks. ORD_ERR_NOMEM: nothing is changed. */
	int (*jump)(void *ctx, uint32_t partition, const struct ord_block_end *end);

	/* So much waits to be written that no more should come. */
	bool (*is_full)(void *ctx);

	/* The first gap of the partition: blocks that are missing. False: there is none that is known of. */
	bool (*gap)(void *ctx, uint32_t partition, struct ord_history_gap *ret);

	/* Takes a peer's block (copied) for the beginning of the first gap. Never blocks. The owner calls ord_engine_filled() later. ORD_ERR_NOMEM. */
	int (*fill)(void *ctx, uint32_t partition, uint64_t number, struct ord_slice bytes);

	/* Asks for a block, or for its id alone, for a peer. Never blocks. The owner calls ord_engine_answered() later, with the token. ORD_ERR_BUSY, ORD_ERR_NOMEM. */
	int (*ask)(void *ctx, uint32_t partition, uint64_t number, bool whole, uint64_t token);

	/* Old files may go: entries up to index are in a checkpoint. Never blocks. ORD_ERR_NOMEM. */
	int (*retain)(void *ctx, uint32_t partition, uint64_t index, uint64_t now_us);

	/* No peer has blocks before `first` any more: they are not missing. Never blocks. ORD_ERR_NOMEM. */
	int (*forget)(void *ctx, uint32_t partition, uint64_t first);

	/* A peer has the same block as this node, or another one under its number. */
	void (*compared)(void *ctx, uint32_t partition, uint64_t number, uint32_t node, bool same);
};

#endif
