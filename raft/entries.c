/* SPDX-License-Identifier: Apache-2.0 - the index of one group's entries, in chunks, so that growing never copies it. */
#include "raft/entries.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"

#define CHUNK_ENTRIES 256

void ord_entries_close(struct ord_entries *e)
{
	for (size_t i = 0; i < e->chunks_count; i++)
		free(e->chunks[i]);
	free(e->chunks);
	*e = (struct ord_entries){0};
}

static int chunks_grow(struct ord_entries *e)
{
	size_t capacity = e->chunks_capacity == 0 ? 4 : e->chunks_capacity * 2;
	struct ord_entry_ref **chunks = realloc(e->chunks, capacity * sizeof(struct ord_entry_ref *));
	if (chunks == NULL)
		return ORD_ERR_NOMEM;
	e->chunks = chunks;
	e->chunks_capacity = capacity;
	return ORD_OK;
}

int ord_entries_reserve(struct ord_entries *e)
{
	if (e->last < e->chunks_count * CHUNK_ENTRIES)
		return ORD_OK;
	if (e->chunks_count == e->chunks_capacity && chunks_grow(e) != ORD_OK)
		return ORD_ERR_NOMEM;
	struct ord_entry_ref *chunk = malloc(CHUNK_ENTRIES * sizeof *chunk);
	if (chunk == NULL)
		return ORD_ERR_NOMEM;
	e->chunks[e->chunks_count++] = chunk;
	return ORD_OK;
}

static struct ord_entry_ref *slot(const struct ord_entries *e, uint64_t index)
{
	return &e->chunks[(index - 1) / CHUNK_ENTRIES][(index - 1) % CHUNK_ENTRIES];
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

void ord_entries_truncate(struct ord_entries *e, uint64_t index)
{
	ORD_ASSERT(index >= 1);
	if (index <= e->last)
		e->last = index - 1;
}

const struct ord_entry_ref *ord_entries_get(const struct ord_entries *e, uint64_t index)
{
	return index >= 1 && index <= e->last ? slot(e, index) : NULL;
}

uint64_t ord_entries_term(const struct ord_entries *e, uint64_t index)
{
	if (index == 0)
		return 0;
	ORD_ASSERT(index <= e->last);
	return slot(e, index)->term;
}
