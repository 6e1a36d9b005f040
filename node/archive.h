/* SPDX-License-Identifier: Apache-2.0 - the history of a node's partitions as the engine sees it: where it ends, and blocks that are handed over to be written. Node and simulator implement it. */
#ifndef ORD_NODE_ARCHIVE_H
#define ORD_NODE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/block.h"
#include "partition/block_builder.h"

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
};

#endif
