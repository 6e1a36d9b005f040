/* SPDX-License-Identifier: Apache-2.0 - admission: the queue of batches. */
#include "node/admit.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"

/* Batches kept for use again, each with a buffer of up to an entry. */
#define ADMIT_SPARE_MAX 4

void ord_admit_init(struct ord_admit *a, const struct ord_bounds *bounds)
{
	*a = (struct ord_admit){.bounds = bounds};
}

static void batch_free(struct ord_batch *b)
{
	ord_bytes_close(&b->entry);
	free(b->tickets);
	free(b->sources);
	free(b);
}

static void batches_free(struct ord_batch *b)
{
	while (b != NULL) {
		struct ord_batch *next = b->next;
		batch_free(b);
		b = next;
	}
}

void ord_admit_close(struct ord_admit *a)
{
	batches_free(a->first);
	batches_free(a->spare);
	ord_admit_init(a, a->bounds);
}

static struct ord_batch *batch_open(struct ord_admit *a)
{
	struct ord_batch *b = a->spare;
	if (b != NULL) {
		a->spare = b->next;
		a->spare_count--;
	} else {
		b = calloc(1, sizeof *b);
		ORD_ASSERT(b != NULL);
		ord_bytes_init(&b->entry, a->bounds->entry_bytes);
	}
	b->next = NULL;
	b->deadline_min_ms = UINT64_MAX;
	ord_entry_begin(&b->entry, 0); /* it gets its time when it is taken */
	ORD_ASSERT(!b->entry.failed);
	return b;
}

static struct ord_batch *batch_append(struct ord_admit *a)
{
	struct ord_batch *b = batch_open(a);
	if (a->last == NULL)
		a->first = b;
	else
		a->last->next = b;
	a->last = b;
	return b;
}

/* Makes room for one more element; running out of memory stops the node: what waits here was promised an answer. */
static void *array_room(void *base, size_t count, size_t *capacity, size_t element_bytes)
{
	if (count < *capacity)
		return base;
	*capacity = *capacity == 0 ? 64 : *capacity * 2;
	base = realloc(base, *capacity * element_bytes);
	ORD_ASSERT(base != NULL);
	return base;
}

/* Encodes into the open batch, or into a new one when that is full. */
static struct ord_batch *admit_encode(struct ord_admit *a, const struct ord_command *c)
{
	struct ord_batch *b = a->last != NULL ? a->last : batch_append(a);
	size_t before = b->entry.len;
	ord_command_encode(c, &b->entry);
	if (b->entry.failed) {
		b->entry.failed = false;
		b->entry.len = before;
		b = batch_append(a);
		before = b->entry.len;
		ord_command_encode(c, &b->entry);
		ORD_ASSERT(!b->entry.failed);
	}
	b->commands_count++;
	a->commands_count++;
	a->entry_bytes += b->entry.len - before;
	return b;
}

int ord_admit_command(struct ord_admit *a, const struct ord_command *c, const struct ord_ticket *ticket)
{
	ORD_ASSERT(ord_command_is_clients(c->kind));
	if (a->entry_bytes >= a->bounds->admit_bytes)
		return ORD_ERR_BUSY;
	struct ord_batch *b = admit_encode(a, c);
	b->tickets = array_room(b->tickets, b->tickets_count, &b->tickets_capacity, sizeof *b->tickets);
	b->tickets[b->tickets_count++] = *ticket;
	if (ticket->deadline_ms < b->deadline_min_ms)
		b->deadline_min_ms = ticket->deadline_ms;
	return ORD_OK;
}

void ord_admit_internal(struct ord_admit *a, const struct ord_command *c)
{
	ORD_ASSERT(!ord_command_is_clients(c->kind) && c->kind != ORD_COMMAND_MARK);
	struct ord_batch *b = admit_encode(a, c);
	if (c->kind != ORD_COMMAND_DELIVER)
		return;
	b->sources = array_room(b->sources, b->sources_count, &b->sources_capacity, sizeof *b->sources);
	b->sources[b->sources_count++] = c->deliver.source;
}

struct ord_batch *ord_admit_alone(struct ord_admit *a, const struct ord_command *c, uint64_t time_us)
{
	ORD_ASSERT(!ord_command_is_clients(c->kind));
	struct ord_batch *b = batch_open(a);
	ord_command_encode(c, &b->entry);
	ORD_ASSERT(!b->entry.failed);
	b->commands_count = 1;
	ord_entry_stamp(&b->entry, time_us);
	ord_entry_end(&b->entry, b->commands_count);
	return b;
}

struct ord_batch *ord_admit_take(struct ord_admit *a, uint64_t time_us)
{
	ORD_ASSERT(ord_admit_waiting(a));
	struct ord_batch *b = a->first;
	a->first = b->next;
	if (a->first == NULL)
		a->last = NULL;
	b->next = NULL;
	a->commands_count -= b->commands_count;
	a->entry_bytes -= b->entry.len - ORD_ENTRY_HEADER_BYTES;
	/* Commands came while it waited, and none may be younger than its entry: so no effect in another partition has an earlier time than its cause, as far as clocks agree. */
	ord_entry_stamp(&b->entry, time_us);
	ord_entry_end(&b->entry, b->commands_count);
	return b;
}

void ord_admit_untake(struct ord_admit *a, struct ord_batch *b)
{
	b->next = a->first;
	a->first = b;
	if (a->last == NULL)
		a->last = b;
	a->commands_count += b->commands_count;
	a->entry_bytes += b->entry.len - ORD_ENTRY_HEADER_BYTES;
}

void ord_admit_recycle(struct ord_admit *a, struct ord_batch *b)
{
	if (a->spare_count >= ADMIT_SPARE_MAX) {
		batch_free(b);
		return;
	}
	ord_bytes_clear(&b->entry);
	b->commands_count = 0;
	b->tickets_count = 0;
	b->sources_count = 0;
	b->index = 0;
	b->term = 0;
	b->next = a->spare;
	a->spare = b;
	a->spare_count++;
}
