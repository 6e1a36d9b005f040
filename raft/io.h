/* SPDX-License-Identifier: Apache-2.0 - the disk as the write-ahead log sees it: numbered segment files, one write in flight. Node and simulator implement it. */
#ifndef ORD_RAFT_IO_H
#define ORD_RAFT_IO_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Zeros behind each write: the end of a segment until the next write replaces them. */
#define ORD_IO_END_BYTES 32u

/* All numbers are bytes. Every function gives ORD_OK, ORD_ERR_IO or ORD_ERR_NO_SPACE unless it says otherwise. */
struct ord_io {
	void *ctx; /* borrowed; first argument of all */

	/* Calls each(arg, segment, bytes) for every segment there is, in ascending order. Start-up only; blocks. */
	int (*list)(void *ctx, void (*each)(void *arg, uint64_t segment, uint64_t bytes), void *arg);

	/* Reads up to len bytes at offset; *ret_len is short only at the end of the segment. Blocks (start-up and lagging followers). */
	int (*read)(void *ctx, uint64_t segment, uint64_t offset, void *base, size_t len, size_t *ret_len);

	/* Cuts the segment to bytes and syncs it, also when it has that length already: what is left is durable afterwards. Start-up only; blocks. */
	int (*truncate)(void *ctx, uint64_t segment, uint64_t bytes);

	/* Writes bytes that are there already once more, those and no others, and syncs them. After a sync that failed, what was to be synced may stand in the cache of the
	 * operating system, clean, and not on the disk; no later sync brings it there, only writing it again does. Start-up only; blocks. */
	int (*rewrite)(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes);

	/* Begins to write bytes at offset of the segment and at least ORD_IO_END_BYTES zeros behind them, perhaps once more what stands before them in the same block, creating it when offset is 0 and it does not exist, and then to
	 * sync data and whatever metadata is needed to read it back. A segment that is created may have any bytes in it, those of one that was removed or zeros. Never blocks. The bytes stay valid and unchanged until the owner of the interface calls
	 * ord_host_synced() from the same thread. At most one write is in flight. */
	void (*write)(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes);

	/* Begins to remove a segment, durably; its bytes may come back in one that is created later. Never blocks, and may go on beside a write. The owner of the interface calls ord_host_removed() from the same
	 * thread when it is gone for good. At most one removal is under way. Only the first segment is removed, and never the one that is written. */
	void (*remove)(void *ctx, uint64_t segment);
};

#endif
