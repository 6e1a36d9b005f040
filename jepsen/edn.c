/* SPDX-License-Identifier: Apache-2.0 - the values of a history: made, copied, compared. Their text: edn_write.c, edn_read.c. */
#include "jepsen/edn.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/hash.h"

/* --- Memory --- */

#define BLOCK_BYTES ((size_t)64 << 10)

struct ord_edn_block {
	struct ord_edn_block *before;
	size_t used;
	size_t capacity;
	max_align_t bytes[];
};

void ord_edn_pool_init(struct ord_edn_pool *pool, size_t bytes_max)
{
	*pool = (struct ord_edn_pool){.bytes_max = bytes_max};
}

void ord_edn_pool_close(struct ord_edn_pool *pool)
{
	while (pool->blocks != NULL) {
		struct ord_edn_block *block = pool->blocks;
		pool->blocks = block->before;
		free(block);
	}
	ord_edn_pool_init(pool, pool->bytes_max);
}

static struct ord_edn_block *block_add(struct ord_edn_pool *pool, size_t bytes)
{
	size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	if (pool->bytes_max - pool->bytes < bytes)
		return NULL;
	if (pool->bytes_max - pool->bytes < capacity)
		capacity = bytes;
	struct ord_edn_block *block = malloc(sizeof *block + capacity);
	if (block == NULL)
		return NULL;
	*block = (struct ord_edn_block){.before = pool->blocks, .capacity = capacity};
	pool->blocks = block;
	pool->bytes += capacity;
	return block;
}

void *ord_edn_take(struct ord_edn_pool *pool, size_t bytes)
{
	struct ord_edn_block *block = pool->blocks;
	if (pool->failed)
		return NULL;
	bytes = (bytes + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	if (block == NULL || block->capacity - block->used < bytes)
		block = block_add(pool, bytes);
	if (block == NULL) {
		pool->failed = true;
		return NULL;
	}
	void *at = (char *)block->bytes + block->used;
	block->used += bytes;
	return at;
}

/* --- Making --- */

static struct ord_edn literal_of(enum ord_edn_kind kind, const char *literal)
{
	return (struct ord_edn){.kind = kind, .len = (uint32_t)strlen(literal), .text = literal};
}

struct ord_edn ord_edn_word(const char *literal)
{
	return literal_of(ORD_EDN_KEYWORD, literal);
}

struct ord_edn ord_edn_literal(const char *literal)
{
	return literal_of(ORD_EDN_STRING, literal);
}

static struct ord_edn text_of(struct ord_edn_pool *pool, enum ord_edn_kind kind, struct ord_slice text)
{
	if (text.len > ORD_EDN_TEXT_BYTES_MAX)
		pool->failed = true;
	char *copy = ord_edn_take(pool, text.len);
	if (copy == NULL)
		return ord_edn_nil();
	if (text.len > 0)
		memcpy(copy, text.base, text.len);
	return (struct ord_edn){.kind = kind, .len = (uint32_t)text.len, .text = copy};
}

struct ord_edn ord_edn_keyword(struct ord_edn_pool *pool, struct ord_slice text)
{
	struct ord_slice *kept = &pool->words[ord_hash64(text.base, text.len) % ORD_EDN_WORDS_KEPT];
	if (!pool->failed && text.len > 0 && ord_slice_equal(*kept, text))
		return (struct ord_edn){.kind = ORD_EDN_KEYWORD, .len = (uint32_t)text.len, .text = kept->base};
	struct ord_edn word = text_of(pool, ORD_EDN_KEYWORD, text);
	*kept = ord_edn_text(word);
	return word;
}

struct ord_edn ord_edn_string(struct ord_edn_pool *pool, struct ord_slice text)
{
	return text_of(pool, ORD_EDN_STRING, text);
}

/* Room for count items, all nil; NULL when the pool failed. */
static struct ord_edn *items_of(struct ord_edn_pool *pool, size_t count)
{
	if (count > ORD_EDN_ITEMS_MAX + 1)
		pool->failed = true;
	struct ord_edn *items = ord_edn_take(pool, count * sizeof *items);
	for (size_t i = 0; items != NULL && i < count; i++)
		items[i] = ord_edn_nil();
	return items;
}

struct ord_edn ord_edn_vector(struct ord_edn_pool *pool, size_t count)
{
	struct ord_edn *items = items_of(pool, count);
	return (struct ord_edn){.kind = ORD_EDN_VECTOR, .len = items != NULL ? (uint32_t)count : 0, .items = items};
}

struct ord_edn ord_edn_pair(struct ord_edn_pool *pool, struct ord_edn first, struct ord_edn second)
{
	struct ord_edn pair = ord_edn_vector(pool, 2);
	if (pair.len == 2) {
		pair.items[0] = first;
		pair.items[1] = second;
	}
	return pair;
}

struct ord_edn ord_edn_map(struct ord_edn_pool *pool, size_t pairs_count)
{
	/* One item before the first says how many there is room for, so that a value stays at 16 bytes. */
	struct ord_edn *items = items_of(pool, 2 * pairs_count + 1);
	if (items == NULL)
		return (struct ord_edn){.kind = ORD_EDN_MAP};
	items[0] = ord_edn_int((int64_t)(2 * pairs_count));
	return (struct ord_edn){.kind = ORD_EDN_MAP, .items = items + 1};
}

void ord_edn_put(struct ord_edn *map, struct ord_edn key, struct ord_edn value)
{
	ORD_ASSERT(map->kind == ORD_EDN_MAP);
	if (map->items == NULL)
		return;
	ORD_ASSERT((int64_t)map->len < map->items[-1].integer);
	map->items[map->len++] = key;
	map->items[map->len++] = value;
}

void ord_edn_put_word(struct ord_edn *map, const char *literal_key, struct ord_edn value)
{
	ord_edn_put(map, ord_edn_word(literal_key), value);
}

static struct ord_edn copy_items(struct ord_edn_pool *pool, struct ord_edn v)
{
	struct ord_edn copy = v.kind == ORD_EDN_MAP ? ord_edn_map(pool, v.len / 2) : ord_edn_vector(pool, v.len);
	if (copy.items == NULL)
		return ord_edn_nil();
	copy.len = v.len;
	for (uint32_t i = 0; i < v.len; i++)
		copy.items[i] = ord_edn_copy(pool, v.items[i]);
	return copy;
}

struct ord_edn ord_edn_copy(struct ord_edn_pool *pool, struct ord_edn v)
{
	switch (v.kind) {
	case ORD_EDN_STRING:
		return ord_edn_string(pool, ord_edn_text(v));
	case ORD_EDN_KEYWORD:
		return ord_edn_keyword(pool, ord_edn_text(v));
	case ORD_EDN_VECTOR:
	case ORD_EDN_MAP:
		return copy_items(pool, v);
	case ORD_EDN_NIL:
	case ORD_EDN_BOOL:
	case ORD_EDN_INT:
		break;
	}
	return v;
}

/* --- Looking --- */

bool ord_edn_is_word(struct ord_edn v, const char *word)
{
	return v.kind == ORD_EDN_KEYWORD && v.len == strlen(word) && memcmp(v.text, word, v.len) == 0;
}

static bool equal_maps(struct ord_edn a, struct ord_edn b)
{
	for (uint32_t i = 0; i < a.len; i += 2) {
		bool found = false;
		/* Most maps that are compared were made in the same order. */
		for (uint32_t k = 0; k < b.len && !found; k += 2) {
			uint32_t at = (i + k) % b.len;
			found = ord_edn_equal(a.items[i], b.items[at]) &&
				ord_edn_equal(a.items[i + 1], b.items[at + 1]);
		}
		if (!found)
			return false;
	}
	return true;
}

bool ord_edn_equal(struct ord_edn a, struct ord_edn b)
{
	if (a.kind != b.kind || a.len != b.len)
		return false;
	switch (a.kind) {
	case ORD_EDN_NIL:
		return true;
	case ORD_EDN_BOOL:
		return a.truth == b.truth;
	case ORD_EDN_INT:
		return a.integer == b.integer;
	case ORD_EDN_STRING:
	case ORD_EDN_KEYWORD:
		return a.len == 0 || memcmp(a.text, b.text, a.len) == 0;
	case ORD_EDN_VECTOR:
		for (uint32_t i = 0; i < a.len; i++) {
			if (!ord_edn_equal(a.items[i], b.items[i]))
				return false;
		}
		return true;
	case ORD_EDN_MAP:
		return equal_maps(a, b);
	}
	return false;
}

uint64_t ord_edn_hash(struct ord_edn v)
{
	uint64_t hash = (uint64_t)v.kind + 1;
	switch (v.kind) {
	case ORD_EDN_NIL:
		break;
	case ORD_EDN_BOOL:
		return hash + v.truth * 2;
	case ORD_EDN_INT:
		return ord_hash64_seed(&v.integer, sizeof v.integer, hash);
	case ORD_EDN_STRING:
	case ORD_EDN_KEYWORD:
		return ord_hash64_seed(v.text, v.len, hash);
	case ORD_EDN_VECTOR:
		for (uint32_t i = 0; i < v.len; i++) {
			uint64_t item = ord_edn_hash(v.items[i]);
			hash = ord_hash64_seed(&item, sizeof item, hash);
		}
		break;
	case ORD_EDN_MAP: /* a sum: the order of the keys does not matter */
		for (uint32_t i = 0; i < v.len; i += 2) {
			uint64_t value = ord_edn_hash(v.items[i + 1]);
			hash += ord_hash64_seed(&value, sizeof value, ord_edn_hash(v.items[i]));
		}
		break;
	}
	return hash;
}

struct ord_edn ord_edn_find(struct ord_edn map, struct ord_edn key)
{
	for (uint32_t i = 0; map.kind == ORD_EDN_MAP && i < map.len; i += 2) {
		if (ord_edn_equal(map.items[i], key))
			return map.items[i + 1];
	}
	return ord_edn_nil();
}

struct ord_edn ord_edn_get(struct ord_edn map, const char *word)
{
	for (uint32_t i = 0; map.kind == ORD_EDN_MAP && i < map.len; i += 2) {
		if (ord_edn_is_word(map.items[i], word))
			return map.items[i + 1];
	}
	return ord_edn_nil();
}
