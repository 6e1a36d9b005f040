/* SPDX-License-Identifier: Apache-2.0 - reads that wait at a partition's leader. */
#include "node/reads.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"

static void list_init(struct ord_read_list *l)
{
	*l = (struct ord_read_list){.end = &l->first};
}

/* Moves all of from behind those of to. */
static void list_move(struct ord_read_list *from, struct ord_read_list *to)
{
	if (from->first == NULL)
		return;
	*to->end = from->first;
	to->end = from->end;
	list_init(from);
}

void ord_reads_init(struct ord_reads *r, const struct ord_bounds *bounds)
{
	*r = (struct ord_reads){.bounds = bounds};
	list_init(&r->came);
	list_init(&r->asked);
	list_init(&r->stale);
}

void ord_reads_close(struct ord_reads *r)
{
	ord_reads_free(ord_reads_take_all(r));
}

static int add(struct ord_reads *r, struct ord_read_list *list, struct ord_slice query, struct ord_waiter *w,
	       uint32_t item, uint64_t deadline_ms)
{
	if (r->count >= r->bounds->reads_count)
		return ORD_ERR_BUSY;
	ORD_ASSERT(query.len <= ORD_COMMAND_BYTES_MAX);
	struct ord_read *read = malloc(sizeof *read + query.len);
	ORD_ASSERT(read != NULL);
	*read = (struct ord_read){
		.waiter = w, .deadline_ms = deadline_ms, .item = item, .query_bytes = (uint32_t)query.len};
	memcpy(read->query, query.base, query.len);
	*list->end = read;
	list->end = &read->next;
	r->count++;
	return ORD_OK;
}

int ord_reads_add(struct ord_reads *r, struct ord_slice query, struct ord_waiter *w, uint32_t item,
		  uint64_t deadline_ms)
{
	return add(r, &r->came, query, w, item, deadline_ms);
}

int ord_reads_add_stale(struct ord_reads *r, struct ord_slice query, struct ord_waiter *w, uint32_t item,
			uint64_t deadline_ms)
{
	return add(r, &r->stale, query, w, item, deadline_ms);
}

void ord_reads_ask(struct ord_reads *r, const struct ord_read_point *point)
{
	ORD_ASSERT(ord_reads_may_ask(r));
	list_move(&r->came, &r->asked);
	r->point = *point;
}

static struct ord_read *take(struct ord_reads *r, struct ord_read_list *list)
{
	struct ord_read *first = list->first;
	if (first == NULL)
		return NULL;
	list->first = first->next;
	if (first->next == NULL)
		list->end = &list->first;
	r->count--;
	first->next = NULL;
	return first;
}

struct ord_read *ord_reads_take(struct ord_reads *r)
{
	return take(r, &r->asked);
}

struct ord_read *ord_reads_take_stale(struct ord_reads *r)
{
	return take(r, &r->stale);
}

struct ord_read *ord_reads_take_all(struct ord_reads *r)
{
	list_move(&r->came, &r->asked);
	list_move(&r->stale, &r->asked);
	struct ord_read *first = r->asked.first;
	list_init(&r->asked);
	r->count = 0;
	return first;
}

void ord_reads_free(struct ord_read *first)
{
	while (first != NULL) {
		struct ord_read *next = first->next;
		free(first);
		first = next;
	}
}
