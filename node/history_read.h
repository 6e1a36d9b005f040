/* SPDX-License-Identifier: Apache-2.0 - reads blocks of a partition's history back: for replay, for other nodes, for checking. Blocks; for a worker thread or a tool. */
#ifndef ORD_NODE_HISTORY_READ_H
#define ORD_NODE_HISTORY_READ_H

#include <stdint.h>

#include "base/uuid.h"
#include "partition/block_codec.h"

/* One thread's; any number of them may read while ord_history writes. */
struct ord_history_reader;

struct ord_history_reader_options {
	const char *directory; /* the one of ord_history_options */
	struct ord_uuid cluster;
	uint32_t partition;
};

/* ORD_ERR_NOT_FOUND: the partition has no history there. ORD_ERR_IO, ORD_ERR_NOMEM. The caller owns *ret. */
int ord_history_reader_open(const struct ord_history_reader_options *options, struct ord_history_reader **ret);

/* NULL is fine. */
void ord_history_reader_close(struct ord_history_reader *r);

/* Reads and checks a block, by number or by the position (offset) of one of its commands. One block after the other costs one look at the disk each; another one is
 * found by the names of the files, the headers of their first blocks, and the headers of the blocks in one file. *ret is valid until the next call. A block that is being written may
 * or may not be there, and is whole or not there.
 * ORD_ERR_NOT_FOUND: before the first block, behind the last one, or in a gap between two files. ORD_ERR_CORRUPT: damaged; blocks behind the damage can still be read. ORD_ERR_MISMATCH: another cluster,
 * partition or format. ORD_ERR_IO, ORD_ERR_NOMEM. */
int ord_history_read_number(struct ord_history_reader *r, uint64_t number, struct ord_block *ret);
int ord_history_read_position(struct ord_history_reader *r, uint64_t position, struct ord_block *ret);

/* A block by number as it lies on the disk, header and stored content, by their checksums alone: for another node, which unpacks and checks all of it before it believes any. *ret_bytes is valid until the next call. Errors as above. */
int ord_history_read_stored(struct ord_history_reader *r, uint64_t number, struct ord_block_header *ret_header,
			    struct ord_slice *ret_bytes);

/* The first block that has an entry of that time (microseconds since 1970) or a later one: the last time in it is at least that. Found by the names of files and the headers of blocks. Errors as above;
 * ORD_ERR_NOT_FOUND: all entries are older. */
int ord_history_read_time(struct ord_history_reader *r, uint64_t time_us, struct ord_block *ret);

/* Which file that was about: the number of its first block. */
uint64_t ord_history_reader_volume(const struct ord_history_reader *r);

/* What was wrong the last time: names file and offset. Never NULL. */
const char *ord_history_reader_error_text(const struct ord_history_reader *r);

#endif
