/* SPDX-License-Identifier: Apache-2.0 - memory for records that live as long as their partition: no header, no freeing one by one. */
#ifndef ORD_PARTITION_POOL_H
#define ORD_PARTITION_POOL_H

#include <stddef.h>
#include <stdint.h>

struct ord_pool_block;

struct ord_pool {
	struct ord_pool_block *blocks; /* owned; the newest first */
	uint8_t *at;		       /* the newest block's free part */
	size_t left_bytes;
	size_t next_bytes; /* of the next block: doubles up to a maximum, so that an idle partition is small */
};

/* Allocates nothing yet. */
void ord_pool_init(struct ord_pool *pool);

/* Frees everything that was taken. */
void ord_pool_close(struct ord_pool *pool);

/* len bytes, not cleared, aligned for any record of this folder (16). Running out of memory aborts. */
void *ord_pool_take(struct ord_pool *pool, size_t len);

#endif
