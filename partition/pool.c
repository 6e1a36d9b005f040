/* SPDX-License-Identifier: Apache-2.0 - memory for records. */
#include "partition/pool.h"

#include <stdlib.h>

#include "base/assert.h"

#define POOL_FIRST_BYTES ORD_POOL_BYTES_MAX
#define POOL_BLOCK_BYTES_MAX ((size_t)1 << 20)

struct ord_pool_block {
	struct ord_pool_block *older;
	_Alignas(16) uint8_t bytes[];
};

void ord_pool_init(struct ord_pool *pool)
{
	*pool = (struct ord_pool){.next_bytes = POOL_FIRST_BYTES};
}

void ord_pool_close(struct ord_pool *pool)
{
	while (pool->blocks != NULL) {
		struct ord_pool_block *block = pool->blocks;
		pool->blocks = block->older;
		free(block);
	}
	ord_pool_init(pool);
}

static void pool_grow(struct ord_pool *pool)
{
	struct ord_pool_block *block = malloc(sizeof *block + pool->next_bytes);
	ORD_ASSERT(block != NULL);
	block->older = pool->blocks;
	pool->blocks = block;
	pool->at = block->bytes;
	pool->left_bytes = pool->next_bytes;
	if (pool->next_bytes < POOL_BLOCK_BYTES_MAX)
		pool->next_bytes *= 2;
}

size_t ord_pool_bytes(size_t len)
{
	return (len + ORD_POOL_ALIGNMENT - 1) & ~(ORD_POOL_ALIGNMENT - 1);
}

void *ord_pool_take(struct ord_pool *pool, size_t len)
{
	len = ord_pool_bytes(len);
	ORD_ASSERT(len > 0);
	ORD_ASSERT(len <= ORD_POOL_BYTES_MAX);
	void **free_first = &pool->free[len / ORD_POOL_ALIGNMENT];
	void *taken = *free_first;
	if (taken != NULL) {
		*free_first = *(void **)taken;
		return taken;
	}
	if (pool->left_bytes < len)
		pool_grow(pool);
	taken = pool->at;
	pool->at += len;
	pool->left_bytes -= len;
	return taken;
}

void ord_pool_give(struct ord_pool *pool, void *taken, size_t len)
{
	void **free_first = &pool->free[ord_pool_bytes(len) / ORD_POOL_ALIGNMENT];
	*(void **)taken = *free_first;
	*free_first = taken;
}
