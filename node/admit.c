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
	batches_free(a->back);
	batches_free(a->internal.first);
	batches_free(a->clients.first);
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

static struct ord_batch *batch_append(struct ord_admit *a, struct ord_admit_queue *q)
{
	struct ord_batch *b = batch_open(a);
	if (q->last == NULL)
		q->first = b;
	else
		q->last->next = b;
	q->last = b;
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
static struct ord_batch *admit_encode(struct ord_admit *a, struct ord_admit_queue *q, const struct ord_command *c)
{
	struct ord_batch *b = q->last != NULL ? q->last : batch_append(a, q);
	size_t before = b->entry.len;
	ord_command_encode(c, &b->entry);
	if (b->entry.failed) {
		b->entry.failed = false;
		b->entry.len = before;
		b = batch_append(a, q);
		before = b->entry.len;
		ord_command_encode(c, &b->entry);
		ORD_ASSERT(!b->entry.failed);
	}
	b->commands_count++;
	a->commands_count++;
	q->bytes += b->entry.len - before;
	return b;
}

static bool comes_too_late(const struct ord_admit *a, const struct ord_ticket *ticket, uint64_t now_ms)
{
	const struct ord_batch *first = a->clients.first;
	uint64_t left_ms = ticket->deadline_ms > now_ms ? ticket->deadline_ms - now_ms : 0;
	uint64_t most_ms = left_ms / 2 < a->bounds->admit_wait_ms ? left_ms / 2 : a->bounds->admit_wait_ms;
	return first != NULL && now_ms > first->opened_ms + most_ms;
}

int ord_admit_command(struct ord_admit *a, const struct ord_command *c, const struct ord_ticket *ticket,
		      uint64_t now_ms)
{
	ORD_ASSERT(ord_command_is_clients(c->kind));
	if (a->clients.bytes >= a->bounds->admit_bytes || comes_too_late(a, ticket, now_ms))
		return ORD_ERR_BUSY;
	struct ord_batch *b = admit_encode(a, &a->clients, c);
	b->tickets = array_room(b->tickets, b->tickets_count, &b->tickets_capacity, sizeof *b->tickets);
	if (b->tickets_count == 0)
		b->opened_ms = now_ms;
	b->tickets[b->tickets_count++] = *ticket;
	if (ticket->deadline_ms < b->deadline_min_ms)
		b->deadline_min_ms = ticket->deadline_ms;
	return ORD_OK;
}

void ord_admit_internal(struct ord_admit *a, const struct ord_command *c)
{
	ORD_ASSERT(!ord_command_is_clients(c->kind) && c->kind != ORD_COMMAND_MARK);
	struct ord_batch *b = admit_encode(a, &a->internal, c);
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

static struct ord_batch *queue_take(struct ord_admit *a, struct ord_admit_queue *q)
{
	struct ord_batch *b = q->first;
	q->first = b->next;
	if (q->first == NULL)
		q->last = NULL;
	b->next = NULL;
	a->commands_count -= b->commands_count;
	q->bytes -= b->entry.len - ORD_ENTRY_HEADER_BYTES;
	return b;
}

/* Adds the commands of clients to a batch that has none, if there is room. */
static bool clients_join(struct ord_admit *a, struct ord_batch *b)
{
	const struct ord_batch *first = a->clients.first;
	size_t bytes = first->entry.len - ORD_ENTRY_HEADER_BYTES;
	if (bytes > a->bounds->entry_bytes - b->entry.len)
		return false;
	struct ord_batch *joining = queue_take(a, &a->clients), emptied = *b;
	ord_bytes_put(&b->entry, joining->entry.base + ORD_ENTRY_HEADER_BYTES, bytes);
	ORD_ASSERT(!b->entry.failed);
	b->commands_count += joining->commands_count;
	b->tickets = joining->tickets;
	b->tickets_count = joining->tickets_count;
	b->tickets_capacity = joining->tickets_capacity;
	b->opened_ms = joining->opened_ms;
	b->deadline_min_ms = joining->deadline_min_ms;
	joining->tickets = emptied.tickets;
	joining->tickets_capacity = emptied.tickets_capacity;
	ord_admit_recycle(a, joining);
	return true;
}

/* Both kinds get on, whatever there is of the other. */
static struct ord_batch *next_take(struct ord_admit *a)
{
	bool clients_wait = a->clients.first != NULL;
	if (a->internal.first == NULL || (clients_wait && a->clients_next)) {
		a->clients_next = false;
		return queue_take(a, &a->clients);
	}
	struct ord_batch *b = queue_take(a, &a->internal);
	a->clients_next = clients_wait && !clients_join(a, b);
	return b;
}

struct ord_batch *ord_admit_take(struct ord_admit *a, uint64_t time_us)
{
	ORD_ASSERT(ord_admit_waiting(a));
	struct ord_batch *b = a->back != NULL ? a->back : next_take(a);
	a->back = NULL;
	/* Commands came while it waited, and none may be younger than its entry: so no effect in another partition has an earlier time than its cause, as far as clocks agree. */
	ord_entry_stamp(&b->entry, time_us);
	ord_entry_end(&b->entry, b->commands_count);
	return b;
}

void ord_admit_untake(struct ord_admit *a, struct ord_batch *b)
{
	ORD_ASSERT(a->back == NULL);
	a->back = b;
}

void ord_admit_each(const struct ord_admit *a, void (*each)(void *ctx, struct ord_batch *b), void *ctx)
{
	if (a->back != NULL)
		each(ctx, a->back);
	for (struct ord_batch *b = a->internal.first; b != NULL; b = b->next)
		each(ctx, b);
	for (struct ord_batch *b = a->clients.first; b != NULL; b = b->next)
		each(ctx, b);
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
