/* SPDX-License-Identifier: Apache-2.0 - rows and their way between memory and store. */
#include "partition/row.h"

#include <stdlib.h>

#include "base/assert.h"
#include "partition/account.h"
#include "partition/checkpoint.h"
#include "partition/name.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/state.h"

/* An id that lies further ahead of the log's time than this says nothing about when it was used. */
#define AHEAD_MS_MAX 60000u
/* The share that clean requests and stages have of memory: those that were settled last are asked for again, if any are. */
#define PASSING_SHARE 8u
/* Rows asked of memory before they are used. */
#define ROWS_AHEAD 8u

void ord_rows_init(struct ord_rows *rows)
{
	*rows = (struct ord_rows){.epoch = 1};
}

void ord_rows_close(struct ord_rows *rows)
{
	free(rows->changed.rows);
	free(rows->frozen.rows);
	free(rows->lasting.places);
	free(rows->passing.places);
	ord_rows_init(rows);
}

static size_t row_bytes(const struct ord_row *row)
{
	switch (row->table) {
	case ORD_STORE_ACCOUNTS:
		return ord_pool_bytes(ord_account_bytes((const struct ord_account *)row));
	case ORD_STORE_NAMES:
		return ord_pool_bytes(ord_name_bytes((const struct ord_name *)row));
	case ORD_STORE_REQUESTS:
		return ord_pool_bytes(ord_request_bytes((const struct ord_request *)row));
	default:
		ORD_ASSERT(row->table == ORD_STORE_STAGES);
		return ord_pool_bytes(ord_posting_bytes((const struct ord_stage *)row));
	}
}

static struct ord_table *table_of(struct ord_partition *p, const struct ord_row *row)
{
	switch (row->table) {
	case ORD_STORE_ACCOUNTS:
		return &p->accounts;
	case ORD_STORE_NAMES:
		return &p->names;
	case ORD_STORE_REQUESTS:
		return &p->requests;
	default:
		ORD_ASSERT(row->table == ORD_STORE_STAGES);
		return &p->stages;
	}
}

/* --- Ids. --- */

/* RFC 9562 section 5.7: 48 bits of milliseconds since 1970, then the version. 0 when the id has no time. */
uint64_t ord_row_id_ms(const struct ord_uuid *id)
{
	uint64_t ms = 0;
	if (id->bytes[6] >> 4 != 7 || id->bytes[8] >> 6 != 2)
		return 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->bytes[i];
	return ms;
}

bool ord_row_id_is_odd(const struct ord_uuid *id, uint64_t time_us)
{
	uint64_t ms = ord_row_id_ms(id);
	return ms == 0 || ms > time_us / 1000 + AHEAD_MS_MAX;
}

bool ord_row_ids_may_hold(const struct ord_row_ids *ids, const struct ord_uuid *id)
{
	uint64_t ms = ord_row_id_ms(id);
	return ids->odd || (ms != 0 && ms <= ids->newest_ms);
}

void ord_row_ids_add(struct ord_row_ids *ids, const struct ord_uuid *id, uint64_t time_us)
{
	if (ord_row_id_is_odd(id, time_us))
		ids->odd = true;
	else if (ord_row_id_ms(id) > ids->newest_ms)
		ids->newest_ms = ord_row_id_ms(id);
}

/* --- Lists. --- */

static void list_add(struct ord_row_list *list, struct ord_row *row)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
		list->rows = realloc(list->rows, list->capacity * sizeof(struct ord_row *));
		ORD_ASSERT(list->rows != NULL);
	}
	list->rows[list->count++] = row;
}

static struct ord_row **queue_place(const struct ord_row_queue *queue, size_t i)
{
	return &queue->places[(queue->first + i) & (queue->capacity - 1)];
}

static void queue_grow(struct ord_row_queue *queue)
{
	struct ord_row_queue grown = {.capacity = queue->capacity == 0 ? 64 : queue->capacity * 2,
				      .count = queue->count,
				      .bytes = queue->bytes};
	grown.places = malloc(grown.capacity * sizeof(struct ord_row *));
	ORD_ASSERT(grown.places != NULL);
	for (size_t i = 0; i < queue->count; i++)
		grown.places[i] = *queue_place(queue, i);
	free(queue->places);
	*queue = grown;
}

static struct ord_row_queue *queue_of(struct ord_partition *p, const struct ord_row *row)
{
	return row->table == ORD_STORE_ACCOUNTS || row->table == ORD_STORE_NAMES ? &p->rows.lasting : &p->rows.passing;
}

static void queue_push(struct ord_row_queue *queue, struct ord_row *row)
{
	if (queue->count == queue->capacity)
		queue_grow(queue);
	*queue_place(queue, queue->count++) = row;
	row->flags |= ORD_ROW_QUEUED;
}

static struct ord_row *queue_pop(struct ord_row_queue *queue)
{
	struct ord_row *row = *queue_place(queue, 0);
	queue->first++;
	queue->count--;
	row->flags &= (uint8_t)~ORD_ROW_QUEUED;
	return row;
}

static void row_free(struct ord_partition *p, struct ord_row *row)
{
	size_t bytes = row_bytes(row);
	if (row->table != ORD_STORE_STAGES || !((const struct ord_stage *)row)->is_apart)
		ord_table_remove(table_of(p, row), &row->link);
	p->rows.bytes -= bytes;
	ord_pool_give(&p->pool, row, bytes);
}

/* --- From change to change. --- */

static void note_changed(struct ord_partition *p, struct ord_row *row)
{
	row->epoch = p->rows.epoch;
	row->flags &= (uint8_t)~ORD_ROW_ENCODED;
	list_add(&p->rows.changed, row);
	p->rows.changed_bytes += row_bytes(row);
}

void ord_row_made(struct ord_partition *p, struct ord_row *row, enum ord_store_table table)
{
	row->table = (uint8_t)table;
	p->rows.bytes += row_bytes(row);
	if (p->store != NULL)
		note_changed(p, row);
}

void ord_row_loaded(struct ord_partition *p, struct ord_row *row, enum ord_store_table table)
{
	row->table = (uint8_t)table;
	row->flags = ORD_ROW_LOADED;
	p->rows.bytes += row_bytes(row);
	queue_of(p, row)->bytes += row_bytes(row);
	queue_push(queue_of(p, row), row);
}

void ord_row_change(struct ord_partition *p, struct ord_row *row)
{
	if (p->store == NULL || row->epoch == p->rows.epoch)
		return;
	if (row->epoch != 0 && (row->flags & ORD_ROW_ENCODED) == 0)
		ord_checkpoint_encode(p, row);
	if (row->epoch == 0)
		queue_of(p, row)->bytes -= row_bytes(row);
	note_changed(p, row);
}

void ord_row_drop(struct ord_partition *p, struct ord_row *row)
{
	ORD_ASSERT(p->store == NULL || row->epoch == p->rows.epoch);
	row->flags |= ORD_ROW_REMOVED;
	if (p->store == NULL)
		row_free(p, row);
}

static void row_clean(struct ord_partition *p, struct ord_row *row)
{
	if (row->epoch == p->rows.epoch)
		return; /* changed once more: the next checkpoint's */
	row->epoch = 0;
	row->flags &= (uint8_t)~ORD_ROW_ENCODED;
	if ((row->flags & (ORD_ROW_REMOVED | ORD_ROW_QUEUED)) == ORD_ROW_REMOVED) {
		row_free(p, row);
		return;
	}
	queue_of(p, row)->bytes += row_bytes(row);
	if ((row->flags & ORD_ROW_QUEUED) == 0)
		queue_push(queue_of(p, row), row);
}

bool ord_rows_clean(struct ord_partition *p, size_t *cursor, size_t rows_max)
{
	struct ord_row_list *frozen = &p->rows.frozen;
	for (; *cursor < frozen->count && rows_max > 0; rows_max--) {
		if (*cursor + ROWS_AHEAD < frozen->count)
			ord_row_prefetch(frozen->rows[*cursor + ROWS_AHEAD]);
		row_clean(p, frozen->rows[(*cursor)++]);
	}
	if (*cursor < frozen->count)
		return false;
	frozen->count = 0;
	return true;
}

/* --- Out of memory. --- */

/* An id that is ahead of all that were used in their time is odd. */
static void ids_move(const struct ord_row_ids *made, const struct ord_uuid *id, struct ord_row_ids *gone)
{
	uint64_t ms = ord_row_id_ms(id);
	if (ms == 0 || ms > made->newest_ms)
		gone->odd = true;
	else if (ms > gone->newest_ms)
		gone->newest_ms = ms;
}

static void note_gone(struct ord_partition *p, const struct ord_row *row)
{
	struct ord_rows *rows = &p->rows;
	rows->any_gone = true;
	switch (row->table) {
	case ORD_STORE_ACCOUNTS:
		rows->accounts_gone = true;
		break;
	case ORD_STORE_NAMES:
		rows->names_gone = true;
		break;
	case ORD_STORE_REQUESTS:
		ids_move(&rows->requests_made, &((const struct ord_request *)row)->id, &rows->requests_gone);
		break;
	default:
		if (!((const struct ord_stage *)row)->is_apart)
			ids_move(&rows->stages_made, &((const struct ord_stage *)row)->request_id, &rows->stages_gone);
		ord_posting_gone(p, (const struct ord_stage *)row);
	}
}

static void row_evict(struct ord_partition *p, struct ord_row *row)
{
	queue_of(p, row)->bytes -= row_bytes(row);
	if ((row->flags & ORD_ROW_REMOVED) == 0)
		note_gone(p, row);
	row_free(p, row);
}

/* Asks memory for what the rows that are next but some will need: the row, then its bucket, then who stands before it there. */
static void evict_ahead(struct ord_partition *p, const struct ord_row_queue *clean)
{
	if (clean->count > 3 * ROWS_AHEAD)
		ord_row_prefetch(*queue_place(clean, 3 * ROWS_AHEAD));
	if (clean->count > 2 * ROWS_AHEAD) {
		const struct ord_row *row = *queue_place(clean, 2 * ROWS_AHEAD);
		ord_table_prefetch(table_of(p, row), row->link.hash);
	}
	if (clean->count > ROWS_AHEAD) {
		const struct ord_row *row = *queue_place(clean, ROWS_AHEAD);
		ord_table_prefetch_record(table_of(p, row), row->link.hash);
	}
}

static struct ord_row_queue *queue_to_evict(struct ord_rows *rows, uint64_t bytes_max)
{
	bool has_more = rows->passing.bytes > bytes_max / PASSING_SHARE || rows->lasting.count == 0;
	return has_more && rows->passing.count > 0 ? &rows->passing : &rows->lasting;
}

void ord_rows_evict(struct ord_partition *p, uint64_t bytes_max, size_t rows_max)
{
	struct ord_rows *rows = &p->rows;
	while (rows->bytes > bytes_max && rows_max-- > 0) {
		struct ord_row_queue *clean = queue_to_evict(rows, bytes_max);
		if (clean->count == 0)
			return;
		evict_ahead(p, clean);
		struct ord_row *row = queue_pop(clean);
		if (row->epoch != 0)
			continue; /* changed meanwhile: it comes back with the checkpoint that writes it */
		if ((row->flags & (ORD_ROW_USED | ORD_ROW_REMOVED)) == ORD_ROW_USED) {
			row->flags &= (uint8_t)~ORD_ROW_USED;
			queue_push(clean, row);
			continue;
		}
		row_evict(p, row);
	}
}
