/* SPDX-License-Identifier: Apache-2.0 - memory for records: no header, given back by length, and used again for the next one of about that length. */
#ifndef ORD_PARTITION_POOL_H
#define ORD_PARTITION_POOL_H

#include <stddef.h>
#include <stdint.h>

struct ord_pool_block;

#define ORD_POOL_ALIGNMENT ((size_t)16)
#define ORD_POOL_BYTES_MAX ((size_t)4 << 10)
#define ORD_POOL_CLASSES (ORD_POOL_BYTES_MAX / ORD_POOL_ALIGNMENT + 1)

struct ord_pool {
	struct ord_pool_block *blocks; /* owned; the newest first */
	uint8_t *at;		       /* the newest block's free part */
	size_t left_bytes;
	size_t next_bytes; /* of the next block: doubles up to a maximum, so that an idle partition is small */
	void *free
		[ORD_POOL_CLASSES]; /* pieces that were given back, by length in alignments; each begins with the next */
};

/* Allocates nothing yet. */
void ord_pool_init(struct ord_pool *pool);

/* Frees everything that was taken. */
void ord_pool_close(struct ord_pool *pool);

/* len bytes, not cleared, aligned for any record of this folder. Running out of memory aborts. */
void *ord_pool_take(struct ord_pool *pool, size_t len);

/* Gives back what was taken with that len. */
void ord_pool_give(struct ord_pool *pool, void *taken, size_t len);

/* What take makes of len. */
size_t ord_pool_bytes(size_t len);

#endif
