/* SPDX-License-Identifier: Apache-2.0 - which blocks of one partition's history are missing. */
#include "node/history_gaps.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

void ord_history_gaps_close(struct ord_history_gaps *g)
{
	free(g->list);
	*g = (struct ord_history_gaps){0};
}

static int gaps_grow(struct ord_history_gaps *g)
{
	if (g->count < g->capacity)
		return ORD_OK;
	size_t capacity = g->capacity == 0 ? 4 : 2 * g->capacity;
	struct ord_history_gap *list = realloc(g->list, capacity * sizeof *list);
	if (list == NULL)
		return ORD_ERR_NOMEM;
	g->list = list;
	g->capacity = capacity;
	return ORD_OK;
}

/* The first gap that ends at the block or behind it. */
static size_t gaps_seek(const struct ord_history_gaps *g, uint64_t number)
{
	size_t low = 0, high = g->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (g->list[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* `count` gaps from i on become the one that is given, or none when that is NULL. There is room. */
static void gaps_replace(struct ord_history_gaps *g, size_t i, size_t count, const struct ord_history_gap *by)
{
	size_t kept = by != NULL ? 1 : 0;
	if (g->count > i + count)
		memmove(g->list + i + kept, g->list + i + count, (g->count - i - count) * sizeof *g->list);
	if (by != NULL)
		g->list[i] = *by;
	g->count += kept;
	g->count -= count;
}

int ord_history_gaps_add(struct ord_history_gaps *g, uint64_t first, uint64_t last)
{
	ORD_ASSERT(first > 0);
	ORD_ASSERT(first <= last);
	struct ord_history_gap all = {.first = first, .last = last};
	size_t begin = gaps_seek(g, first - 1), end = begin; /* one that ends just before it grows */
	if (gaps_grow(g) != ORD_OK)
		return ORD_ERR_NOMEM;
	while (end < g->count && g->list[end].first - 1 <= last) {
		if (g->list[end].first < all.first)
			all.first = g->list[end].first;
		if (g->list[end].last > all.last)
			all.last = g->list[end].last;
		end++;
	}
	gaps_replace(g, begin, end - begin, &all);
	return ORD_OK;
}

int ord_history_gaps_take(struct ord_history_gaps *g, uint64_t first, uint64_t last)
{
	size_t i = gaps_seek(g, first);
	if (i < g->count && g->list[i].first < first && g->list[i].last > last) { /* it becomes two */
		struct ord_history_gap before = {.first = g->list[i].first, .last = first - 1};
		if (gaps_grow(g) != ORD_OK)
			return ORD_ERR_NOMEM;
		g->list[i].first = last + 1;
		gaps_replace(g, i, 0, &before);
		return ORD_OK;
	}
	while (i < g->count && g->list[i].first <= last) {
		if (g->list[i].first >= first && g->list[i].last <= last) {
			gaps_replace(g, i, 1, NULL);
			continue;
		}
		if (g->list[i].first < first)
			g->list[i].last = first - 1;
		else
			g->list[i].first = last + 1;
		i++;
	}
	return ORD_OK;
}

const struct ord_history_gap *ord_history_gaps_find(const struct ord_history_gaps *g, uint64_t number)
{
	size_t i = gaps_seek(g, number);
	return i < g->count && g->list[i].first <= number ? &g->list[i] : NULL;
}

uint64_t ord_history_gaps_blocks(const struct ord_history_gaps *g)
{
	uint64_t blocks = 0;
	for (size_t i = 0; i < g->count; i++)
		blocks += g->list[i].last - g->list[i].first + 1;
	return blocks;
}
