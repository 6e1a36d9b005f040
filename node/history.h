/* SPDX-License-Identifier: Apache-2.0 - the history of all partitions on disk: finds where it ends, and goes on writing behind, on a thread of its own. history_read.h reads it. */
#ifndef ORD_NODE_HISTORY_H
#define ORD_NODE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/uuid.h"
#include "partition/block.h"
#include "partition/block_builder.h"

struct ord_history;

struct ord_history_options {
	uv_loop_t *loop;
	const char *
		directory; /* holds one directory for each partition; made when it is missing, in a directory that is there */
	struct ord_uuid cluster;
	uint32_t partitions_count;
	uint64_t volume_bytes; /* ORD_VOLUME_BYTES; less in tests */
	/* Called on the loop's thread for every block, in the order of the partition's blocks: all up to last_index is durable. After an error (ORD_ERR_IO, ORD_ERR_NO_SPACE,
	 * ORD_ERR_CORRUPT, ORD_ERR_NOMEM; ord_history_error_text tells more) every later block of any partition comes back with it, unwritten: the node must stop, since nobody
	 * knows what the disk holds. */
	void (*written)(void *ctx, uint32_t partition, uint64_t last_index, int status);
	void *ctx; /* borrowed; first argument of written */
};

/* Opens what is there and starts the thread. Of each partition the last file is walked and its last blocks are checked; a write that was cut short is cut off and what is left
 * is made durable. Blocks. ORD_ERR_CORRUPT (damage that no cut write explains), ORD_ERR_MISMATCH (another cluster, partition or format), ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM;
 * why (why_size bytes) names file, offset and what is wrong. The caller owns *ret. */
int ord_history_open(const struct ord_history_options *options, struct ord_history **ret, char *why, size_t why_size);

/* What was found when it was opened. */
struct ord_history_found {
	struct ord_block_end end; /* all zero: no block yet */
	uint64_t cut_bytes;	  /* of a write that was cut short; the log has its entries */
};
const struct ord_history_found *ord_history_found(const struct ord_history *h, uint32_t partition);

/* Hands a block over, content and all; *raw is empty afterwards. Asserts that it is the partition's next one. Never blocks. ORD_ERR_NOMEM: *raw is still the caller's. */
int ord_history_write(struct ord_history *h, struct ord_block_raw *raw);

/* Content of the blocks that were handed over and have not come back, in bytes. Full: at or over ORD_HISTORY_WAITING_BYTES_MAX, so hold back. */
uint64_t ord_history_waiting_bytes(const struct ord_history *h);
bool ord_history_is_full(const struct ord_history *h);

/* What went wrong first: names the file. Never NULL; "" when nothing did. */
const char *ord_history_error_text(const struct ord_history *h);

/* Waits for the write under way (written is called for its blocks), drops what waits behind it, since the log has that, ends the thread, then calls stopped from the loop and frees h. */
void ord_history_stop(struct ord_history *h, void (*stopped)(void *ctx), void *ctx);

#endif
