/* SPDX-License-Identifier: Apache-2.0 - memory for records that live as long as their partition. */
#include "partition/pool.h"

#include <stdlib.h>

#include "base/assert.h"

#define POOL_ALIGNMENT ((size_t)16)
#define POOL_FIRST_BYTES ((size_t)4 << 10)
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

void *ord_pool_take(struct ord_pool *pool, size_t len)
{
	len = (len + POOL_ALIGNMENT - 1) & ~(POOL_ALIGNMENT - 1);
	ORD_ASSERT(len <= POOL_FIRST_BYTES);
	if (pool->left_bytes < len)
		pool_grow(pool);
	void *taken = pool->at;
	pool->at += len;
	pool->left_bytes -= len;
	return taken;
}
