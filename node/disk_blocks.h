/* SPDX-License-Identifier: Apache-2.0 - writing a file from front to back in whole blocks, past the page cache where the file system can. */
#ifndef ORD_NODE_DISK_BLOCKS_H
#define ORD_NODE_DISK_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* What lengths, offsets and addresses of memory of a direct write are multiples of here: no common device asks for more (open(2), "O_DIRECT"). */
#define ORD_DISK_BLOCK_BYTES 4096u

/* Up to the next multiple of a block. */
uint64_t ord_disk_blocks_up(uint64_t bytes);

/* openat(2), for direct reads and writes if the file system has them. -1 with errno. */
int ord_disk_blocks_file(int dir_fd, const char *name, int flags);

/* Writes whole blocks, at a multiple of a block, from aligned memory, to a file of ord_disk_blocks_file, which from then on goes through the page cache if it refuses direct ones. False with errno. */
bool ord_disk_blocks_put(int fd, struct ord_slice blocks, uint64_t offset);

/* One file that is written from front to back. */
struct ord_disk_blocks;

/* No file yet. ORD_ERR_NOMEM. The caller owns *ret. */
int ord_disk_blocks_open(struct ord_disk_blocks **ret);
/* Closes the file, too. NULL is fine. */
void ord_disk_blocks_close(struct ord_disk_blocks *b);

/* The file that is written from now on, made if it is not there; the one before is closed. Nobody else changes it meanwhile. False with errno; then there is none. */
bool ord_disk_blocks_use(struct ord_disk_blocks *b, int dir_fd, const char *name);
/* Its descriptor, -1: there is none. */
int ord_disk_blocks_fd(const struct ord_disk_blocks *b);

/* Whether there is a file whose writes go past the page cache, as far as the file system has said: some take them and go through it all the same. */
bool ord_disk_blocks_are_direct(const struct ord_disk_blocks *b);

/* Writes bytes at offset, which is not behind the end of the file, and zeros behind them: zeros_bytes at the least, and to the end of a block. What is before offset in the first block is written again, as it is. Where
 * that makes the file longer, up to ahead_bytes more of zeros make it longer than it must be, but not than max_bytes; none if there is no room for them. Both are whole blocks. Nothing is synced. False with errno: any part
 * may have been written, and the same may be tried again. EIO: the file is shorter than it was. */
bool ord_disk_blocks_write(struct ord_disk_blocks *b, struct ord_slice bytes, uint64_t offset, uint64_t zeros_bytes,
			   uint64_t ahead_bytes, uint64_t max_bytes);

#endif
