/* SPDX-License-Identifier: Apache-2.0 - the history in a node's data directory, read file by file as far as it can be; never written, whether a node runs or not. */
#ifndef ORD_CLI_ARCHIVE_H
#define ORD_CLI_ARCHIVE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "cli/home.h"
#include "partition/block_codec.h"

/* DIR/history/N/....hist */
struct ord_archive {
	struct ord_home home;	 /* borrowed */
	struct ord_uuid cluster; /* zero: not known until a file tells */
};

/* Looks whether there is a history, and whose; data_dir is borrowed. That of a node of several shards is not found: it has some. ORD_ERR_NOT_FOUND, with why. */
int ord_archive_open(const char *data_dir, struct ord_archive *ret, char *why, size_t why_size);

/* The same of all shards together. ORD_ERR_NOT_FOUND: one has no history. */
int ord_archive_open_all(const struct ord_home *home, struct ord_archive *ret, char *why, size_t why_size);

/* DIR/history, of the first shard when there are several. */
void ord_archive_directory(const struct ord_archive *a, char path[ORD_HOME_PATH_SIZE + 16]);

/* Where something stands. */
struct ord_archive_place {
	const char *path;
	uint64_t offset;
};

/* What is told on the way, in the order of the history. */
struct ord_archive_visitor {
	void *ctx;		/* borrowed; first argument of all */
	uint64_t from_position; /* blocks that end before it are not read; 0: all are, and all are checked */
	uint64_t from_time_us;	/* likewise of time */
	/* A block that is sound in itself. False ends the walk. */
	bool (*block)(void *ctx, const struct ord_archive_place *place, const struct ord_block *b);
	/* Something is wrong here; bytes are skipped (0: the block that stands here is sound, but does not go on where the one before ended). */
	void (*damage)(void *ctx, const struct ord_archive_place *place, uint64_t bytes, const char *why);
	/* Blocks first to last are missing before the file that begins here: a gap, as a node has until it got them from the others. */
	void (*gap)(void *ctx, const struct ord_archive_place *place, uint64_t first, uint64_t last);
	/* A file that a node has set aside since it is damaged. It is not read. May be NULL. */
	void (*aside)(void *ctx, const char *path);
};

/* What was met. */
struct ord_archive_total {
	uint64_t files_count;
	uint64_t bytes;		   /* of those files */
	uint64_t blocks_count;	   /* sound ones */
	uint64_t missing_count;	   /* blocks in gaps */
	uint64_t unfinished_bytes; /* behind the last block: being written, or cut off by the node's next start */
	uint64_t first_position;   /* when there is a block */
	struct ord_block_end end;  /* behind the last sound block */
};

/* Walks the history of a partition. Checks format, checksums, content and that blocks follow each other, over all files; what is damaged is told and left out. ORD_ERR_NOT_FOUND:
 * that partition has no directory; ORD_ERR_IO, ORD_ERR_NOMEM, with why. */
int ord_archive_walk(const struct ord_archive *a, uint32_t partition, const struct ord_archive_visitor *visitor,
		     struct ord_archive_total *ret, char *why, size_t why_size);

/* The same with one file, wherever it is and whatever its name, such as one that a node has set aside. *ret_partition is the one that it says it belongs to. ORD_ERR_NOT_FOUND, ORD_ERR_IO,
 * ORD_ERR_NOMEM; ORD_ERR_CORRUPT: neither its header nor its first block can be read. */
int ord_archive_walk_file(const char *path, const struct ord_archive_visitor *visitor, uint32_t *ret_partition,
			  struct ord_archive_total *ret, char *why, size_t why_size);

#endif
