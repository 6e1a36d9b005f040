/* SPDX-License-Identifier: Apache-2.0 - a store in memory. */
#include "tests/support/memory_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

static int slice_compare(struct ord_slice a, struct ord_slice b)
{
	int order = memcmp(a.base, b.base, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static struct ord_slice key_of(const struct memory_pair *p)
{
	return ord_slice_of(p->bytes, p->key_bytes);
}

static struct ord_slice value_of(const struct memory_pair *p)
{
	return ord_slice_of(p->bytes + p->key_bytes, p->value_bytes);
}

/* Place of the first pair whose key is not below that one. */
static size_t place_of(const struct memory_table *t, struct ord_slice key)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (slice_compare(key_of(&t->pairs[middle]), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int get(void *ctx, enum ord_store_table table, struct ord_slice key, struct ord_slice *ret)
{
	struct memory_store *s = ctx;
	const struct memory_table *t = &s->tables[table];

	s->gets_count++;
	if (s->fails != ORD_OK)
		return s->fails;
	size_t place = place_of(t, key);
	if (place == t->count || slice_compare(key_of(&t->pairs[place]), key) != 0)
		return ORD_ERR_NOT_FOUND;
	*ret = value_of(&t->pairs[place]);
	return ORD_OK;
}

static int walk(void *ctx, enum ord_store_table table, struct ord_slice from, ord_store_each each, void *arg)
{
	struct memory_store *s = ctx;
	const struct memory_table *t = &s->tables[table];
	int err = s->fails;

	for (size_t i = from.len == 0 ? 0 : place_of(t, from); err == ORD_OK && i < t->count; i++)
		err = each(arg, key_of(&t->pairs[i]), value_of(&t->pairs[i]));
	return err;
}

void memory_store_open(struct memory_store *s)
{
	*s = (struct memory_store){.interface = {.ctx = s, .get = get, .walk = walk}};
}

void memory_store_close(struct memory_store *s)
{
	for (size_t t = 0; t < ORD_STORE_TABLES; t++) {
		for (size_t i = 0; i < s->tables[t].count; i++)
			free(s->tables[t].pairs[i].bytes);
		free(s->tables[t].pairs);
	}
}

static void table_copy(struct memory_table *t, const struct memory_table *from)
{
	t->pairs = malloc((from->count + 1) * sizeof *t->pairs);
	ORD_ASSERT(t->pairs != NULL);
	t->count = from->count;
	for (size_t i = 0; i < from->count; i++) {
		size_t bytes = from->pairs[i].key_bytes + from->pairs[i].value_bytes;

		t->pairs[i] = from->pairs[i];
		t->pairs[i].bytes = malloc(bytes);
		ORD_ASSERT(t->pairs[i].bytes != NULL);
		memcpy(t->pairs[i].bytes, from->pairs[i].bytes, bytes);
	}
}

void memory_store_copy(struct memory_store *s, const struct memory_store *from)
{
	memory_store_open(s);
	for (size_t t = 0; t < ORD_STORE_TABLES; t++)
		table_copy(&s->tables[t], &from->tables[t]);
}

/* Removals before values, so that of one key the value is the last. */
static int change_compare(const void *a, const void *b)
{
	const struct ord_change *x = a, *y = b;
	int order = (x->table > y->table) - (x->table < y->table);

	if (order == 0)
		order = slice_compare(x->key, y->key);
	return order != 0 ? order : (int)y->is_removal - (int)x->is_removal;
}

static struct memory_pair pair_of(const struct ord_change *c)
{
	struct memory_pair p = {.key_bytes = c->key.len, .value_bytes = c->value.len};

	p.bytes = malloc(c->key.len + c->value.len);
	ORD_ASSERT(p.bytes != NULL);
	memcpy(p.bytes, c->key.base, c->key.len);
	memcpy(p.bytes + c->key.len, c->value.base, c->value.len);
	return p;
}

/* The table with the changes, which are its own, in order. */
static void table_merge(struct memory_table *t, const struct ord_change *changes, size_t count)
{
	struct memory_table merged = {.pairs = malloc((t->count + count + 1) * sizeof *merged.pairs)};
	size_t at = 0;

	ORD_ASSERT(merged.pairs != NULL);
	for (size_t i = 0; i < count; i++) {
		for (; at < t->count && slice_compare(key_of(&t->pairs[at]), changes[i].key) < 0; at++)
			merged.pairs[merged.count++] = t->pairs[at];
		if (at < t->count && slice_compare(key_of(&t->pairs[at]), changes[i].key) == 0)
			free(t->pairs[at++].bytes);
		if (changes[i].is_removal)
			continue;
		bool is_last = i + 1 == count || slice_compare(changes[i].key, changes[i + 1].key) != 0;
		ORD_ASSERT(is_last);
		merged.pairs[merged.count++] = pair_of(&changes[i]);
	}
	for (; at < t->count; at++)
		merged.pairs[merged.count++] = t->pairs[at];
	free(t->pairs);
	*t = merged;
}

void memory_store_write(struct memory_store *s, const struct ord_changes *changes)
{
	struct ord_change *all = malloc((changes->count + 1) * sizeof *all);
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&changes->bytes));
	size_t count = 0, first = 0;

	ORD_ASSERT(all != NULL);
	while (ord_changes_next(&r, &all[count]))
		count++;
	ORD_ASSERT(count == changes->count);
	qsort(all, count, sizeof *all, change_compare);
	for (size_t end = 1; end <= count; end++) {
		if (end < count && all[end].table == all[first].table)
			continue;
		table_merge(&s->tables[all[first].table], all + first, end - first);
		first = end;
	}
	free(all);
}

struct memory_pair *memory_store_pair(struct memory_store *s, enum ord_store_table table, size_t place)
{
	ORD_ASSERT(place < s->tables[table].count);
	return &s->tables[table].pairs[place];
}
