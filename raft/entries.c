/* SPDX-License-Identifier: Apache-2.0 - the index of one group's entries, in chunks, so that growing never copies it. */
#include "raft/entries.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

#define CHUNK_ENTRIES 256
#define HOLE_ENTRIES_MAX (UINT64_C(1) << 26) /* 8 bytes for each 256 */

static uint64_t chunk_of(uint64_t index)
{
	return (index - 1) / CHUNK_ENTRIES;
}

/* Frees the chunks before the one with that number. */
static void chunks_drop(struct ord_entries *e, uint64_t number)
{
	size_t gone = 0;
	while (gone < e->chunks_count && e->chunks_first + gone < number)
		free(e->chunks[gone++]);
	e->chunks_count -= gone;
	if (gone > 0 && e->chunks_count > 0)
		memmove(e->chunks, e->chunks + gone, e->chunks_count * sizeof(struct ord_entry_ref *));
	e->chunks_first = e->chunks_count > 0 ? e->chunks_first + gone : number;
}

void ord_entries_close(struct ord_entries *e)
{
	chunks_drop(e, UINT64_MAX);
	free(e->chunks);
	*e = (struct ord_entries){0};
}

void ord_entries_begin(struct ord_entries *e, uint64_t base, uint64_t base_term)
{
	ORD_ASSERT((base == 0) == (base_term == 0));
	chunks_drop(e, UINT64_MAX);
	e->chunks_first = base / CHUNK_ENTRIES;
	e->base = base;
	e->base_term = base_term;
	e->last = base;
}

static int chunks_grow(struct ord_entries *e, size_t count)
{
	size_t capacity = e->chunks_capacity == 0 ? 4 : e->chunks_capacity;
	while (capacity < count)
		capacity *= 2;
	struct ord_entry_ref **chunks = realloc(e->chunks, capacity * sizeof(struct ord_entry_ref *));
	if (chunks == NULL)
		return ORD_ERR_NOMEM;
	e->chunks = chunks;
	e->chunks_capacity = capacity;
	return ORD_OK;
}

/* Makes the chunk of an entry, and places for those before it. New entries are holes. */
static int chunk_make(struct ord_entries *e, uint64_t index)
{
	size_t at = (size_t)(chunk_of(index) - e->chunks_first);
	if (at >= e->chunks_capacity && chunks_grow(e, at + 1) != ORD_OK)
		return ORD_ERR_NOMEM;
	while (e->chunks_count <= at)
		e->chunks[e->chunks_count++] = NULL;
	if (e->chunks[at] == NULL)
		e->chunks[at] = calloc(CHUNK_ENTRIES, sizeof(struct ord_entry_ref));
	return e->chunks[at] != NULL ? ORD_OK : ORD_ERR_NOMEM;
}

int ord_entries_reserve(struct ord_entries *e)
{
	return chunk_make(e, e->last + 1);
}

static struct ord_entry_ref *slot(const struct ord_entries *e, uint64_t index)
{
	struct ord_entry_ref *chunk = e->chunks[chunk_of(index) - e->chunks_first];
	return chunk == NULL ? NULL : &chunk[(index - 1) % CHUNK_ENTRIES];
}

int ord_entries_append(struct ord_entries *e, const struct ord_entry_ref *ref)
{
	int err = ord_entries_reserve(e);
	if (err != ORD_OK)
		return err;
	e->last++;
	*slot(e, e->last) = *ref;
	return ORD_OK;
}

/* Makes holes of the entries between last and index, which may hold what was truncated. */
static void holes_clear(struct ord_entries *e, uint64_t index)
{
	for (uint64_t i = e->last + 1; i < index;) {
		struct ord_entry_ref *ref = slot(e, i);
		uint64_t left = CHUNK_ENTRIES - (i - 1) % CHUNK_ENTRIES;
		uint64_t count = left < index - i ? left : index - i;
		if (ref != NULL)
			memset(ref, 0, count * sizeof *ref);
		i += count;
	}
}

int ord_entries_put(struct ord_entries *e, uint64_t index, const struct ord_entry_ref *ref)
{
	ORD_ASSERT(index > e->base);
	if (index > e->last && index - e->last > HOLE_ENTRIES_MAX)
		return ORD_ERR_INVALID;
	int err = chunk_make(e, index);
	if (err != ORD_OK)
		return err;
	holes_clear(e, index);
	*slot(e, index) = *ref;
	if (e->last < index)
		e->last = index;
	return ORD_OK;
}

uint64_t ord_entries_gap(const struct ord_entries *e)
{
	uint64_t index = e->base + 1;
	while (ord_entries_get(e, index) != NULL)
		index++;
	return index;
}

void ord_entries_move(struct ord_entries *e, uint64_t index, uint64_t place)
{
	ORD_ASSERT(ord_entries_get(e, index) != NULL);
	slot(e, index)->place = place;
}

void ord_entries_truncate(struct ord_entries *e, uint64_t index)
{
	ORD_ASSERT(index > e->base);
	if (index <= e->last)
		e->last = index - 1;
}

void ord_entries_drop(struct ord_entries *e, uint64_t index)
{
	ord_entries_rebase(e, index, ord_entries_term(e, index));
}

void ord_entries_rebase(struct ord_entries *e, uint64_t base, uint64_t base_term)
{
	ORD_ASSERT(base >= e->base);
	ORD_ASSERT(base <= e->last);
	ORD_ASSERT((base == 0) == (base_term == 0));
	chunks_drop(e, base / CHUNK_ENTRIES);
	e->base = base;
	e->base_term = base_term;
}

const struct ord_entry_ref *ord_entries_get(const struct ord_entries *e, uint64_t index)
{
	if (index <= e->base || index > e->last)
		return NULL;
	const struct ord_entry_ref *ref = slot(e, index);
	return ref != NULL && ref->term != 0 ? ref : NULL;
}

uint64_t ord_entries_term(const struct ord_entries *e, uint64_t index)
{
	if (index == e->base)
		return e->base_term;
	const struct ord_entry_ref *ref = ord_entries_get(e, index);
	ORD_ASSERT(ref != NULL);
	return ref->term;
}
