/* SPDX-License-Identifier: Apache-2.0 - writing a file from front to back in whole blocks.
 *
 * A direct write goes from this memory to the device: nothing is copied into pages of the file, searched for dirty ones at the sync, or driven out by them. It has to be of whole blocks: the last one of a write
 * is kept here, and written again with what comes behind it, as the page cache would do. Only after a restart is it read.
 *
 * Where the file system has no direct writes, or refuses them, the same blocks go through the page cache.
 */
#include "node/disk_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/file.h"

#define PIECE_BYTES (256u << 10)
#define READ_TRIES 100u

struct ord_disk_blocks {
	int fd;
	uint64_t file_bytes; /* its length */
	uint64_t
		last_end; /* up to where `last` has its block, as the last write that succeeded left it; 0: nothing is known */
	uint8_t *last;	/* owned, aligned. The piece is behind it */
	uint8_t *piece; /* PIECE_BYTES */
};

uint64_t ord_disk_blocks_up(uint64_t bytes)
{
	return (bytes + ORD_DISK_BLOCK_BYTES - 1) / ORD_DISK_BLOCK_BYTES * ORD_DISK_BLOCK_BYTES;
}

/* --- Direct files. --- */

int ord_disk_blocks_file(int dir_fd, const char *name, int flags)
{
	int fd = openat(dir_fd, name, flags | O_DIRECT, 0600);
	return fd < 0 && errno == EINVAL ? openat(dir_fd, name, flags, 0600) : fd;
}

/* After a call that failed: false unless that is what a file system says that refuses direct ones, which are given up then. */
static bool direct_give_up(int fd)
{
	if (errno != EINVAL)
		return false;
	int flags = fcntl(fd, F_GETFL);
	bool given_up = flags >= 0 && (flags & O_DIRECT) != 0 && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
	errno = EINVAL;
	return given_up;
}

static bool is_whole(uint64_t number)
{
	return number % ORD_DISK_BLOCK_BYTES == 0;
}

bool ord_disk_blocks_put(int fd, struct ord_slice blocks, uint64_t offset)
{
	ORD_ASSERT(is_whole((uintptr_t)blocks.base) && is_whole(blocks.len) && is_whole(offset));
	return ord_file_write(fd, blocks, offset) || (direct_give_up(fd) && ord_file_write(fd, blocks, offset));
}

/* --- One that is written from front to back. --- */

int ord_disk_blocks_open(struct ord_disk_blocks **ret)
{
	struct ord_disk_blocks *b = calloc(1, sizeof *b);
	void *blocks = NULL;
	if (b == NULL || posix_memalign(&blocks, ORD_DISK_BLOCK_BYTES, ORD_DISK_BLOCK_BYTES + PIECE_BYTES) != 0) {
		free(b);
		return ORD_ERR_NOMEM;
	}
	b->last = blocks;
	b->piece = b->last + ORD_DISK_BLOCK_BYTES;
	b->fd = -1;
	*ret = b;
	return ORD_OK;
}

static void file_close(struct ord_disk_blocks *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->last_end = 0;
}

void ord_disk_blocks_close(struct ord_disk_blocks *b)
{
	if (b == NULL)
		return;
	file_close(b);
	free(b->last);
	free(b);
}

bool ord_disk_blocks_use(struct ord_disk_blocks *b, int dir_fd, const char *name)
{
	file_close(b);
	b->fd = ord_disk_blocks_file(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC);
	if (b->fd < 0)
		return false;
	struct stat st;
	if (fstatat(dir_fd, name, &st, 0) != 0) {
		int number = errno;
		file_close(b);
		errno = number;
		return false;
	}
	b->file_bytes = (uint64_t)st.st_size;
	return true;
}

int ord_disk_blocks_fd(const struct ord_disk_blocks *b)
{
	return b->fd;
}

bool ord_disk_blocks_are_direct(const struct ord_disk_blocks *b)
{
	int flags = fcntl(b->fd, F_GETFL);
	return flags >= 0 && (flags & O_DIRECT) != 0;
}

/* The last block is the one at offset, of which the file has len bytes at the least. A call that gives less is made anew, since one for the rest would begin within the block. */
static bool last_read(const struct ord_disk_blocks *b, uint64_t offset, size_t len)
{
	ssize_t done = 0;
	for (unsigned tries = 0; tries < READ_TRIES; tries++) {
		done = pread(b->fd, b->last, ORD_DISK_BLOCK_BYTES, (off_t)offset);
		if (done >= (ssize_t)len)
			return true;
		if (done < 0 && errno != EINTR && !direct_give_up(b->fd))
			return false;
	}
	if (done >= 0)
		errno = EIO;
	return false;
}

/* The piece begins with the `used` bytes of its block that are before offset. */
static bool head_put(struct ord_disk_blocks *b, uint64_t offset, size_t used)
{
	if (offset > b->file_bytes) { /* what was there is not any more */
		errno = EIO;
		return false;
	}
	if (used > 0 && b->last_end != offset) {
		b->last_end = 0;
		if (!last_read(b, offset - used, used))
			return false;
		b->last_end = offset;
	}
	memcpy(b->piece, b->last, used);
	return true;
}

/* Writes the bytes, what is before them in their first block, and zeros up to `end`. *ret_last becomes the block that the next write begins in. */
static bool pieces_write(struct ord_disk_blocks *b, struct ord_slice bytes, uint64_t offset, uint64_t end,
			 uint8_t *ret_last)
{
	size_t used = offset % ORD_DISK_BLOCK_BYTES; /* of the piece */
	uint64_t bytes_end = offset + bytes.len;
	uint64_t last_at = bytes_end - bytes_end % ORD_DISK_BLOCK_BYTES;
	const uint8_t *from = bytes.base;
	size_t left = bytes.len;
	if (!head_put(b, offset, used))
		return false;
	for (uint64_t at = offset - used; at < end; used = 0) {
		size_t len = end - at < PIECE_BYTES ? (size_t)(end - at) : PIECE_BYTES;
		size_t count = left < len - used ? left : len - used;
		memcpy(b->piece + used, from, count);
		memset(b->piece + used + count, 0, len - used - count);
		if (!ord_disk_blocks_put(b->fd, ord_slice_of(b->piece, len), at))
			return false;
		if (last_at >= at && last_at < at + len)
			memcpy(ret_last, b->piece + (last_at - at), ORD_DISK_BLOCK_BYTES);
		from += count;
		left -= count;
		at += len;
	}
	return true;
}

/* Where a write that must reach `end` ends. */
static uint64_t end_ahead(const struct ord_disk_blocks *b, uint64_t end, uint64_t ahead_bytes, uint64_t max_bytes)
{
	if (end <= b->file_bytes || end >= max_bytes)
		return end;
	return max_bytes - end > ahead_bytes ? end + ahead_bytes : max_bytes;
}

bool ord_disk_blocks_write(struct ord_disk_blocks *b, struct ord_slice bytes, uint64_t offset, uint64_t zeros_bytes,
			   uint64_t ahead_bytes, uint64_t max_bytes)
{
	ORD_ASSERT(b->fd >= 0 && is_whole(ahead_bytes) && is_whole(max_bytes));
	uint64_t bytes_end = offset + bytes.len;
	uint64_t must = ord_disk_blocks_up(bytes_end + zeros_bytes);
	uint64_t end = end_ahead(b, must, ahead_bytes, max_bytes);
	uint8_t last[ORD_DISK_BLOCK_BYTES];
	bool written = pieces_write(b, bytes, offset, end, last);
	if (!written && end > must && ord_file_err() == ORD_ERR_NO_SPACE) { /* perhaps there is room for what must be */
		end = must;
		written = pieces_write(b, bytes, offset, end, last);
	}
	if (!written)
		return false;
	if (end > b->file_bytes)
		b->file_bytes = end;
	memcpy(b->last, last, sizeof last);
	b->last_end = bytes_end;
	return true;
}
