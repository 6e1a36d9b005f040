/* SPDX-License-Identifier: Apache-2.0 - rows: what all records of the state's tables have in common when there is a store behind them.
 *
 *   new or changed --checkpoint begins--> frozen --checkpoint is finished--> clean --memory is full--> (gone; in the store alone)
 *        ^  ^                               |                                  |  ^                          |
 *        |  +------------changed------------+                                  |  +---------- loaded --------+
 *        +--------------------------------changed------------------------------+
 *
 * A row that is frozen and about to change is encoded first (partition/checkpoint.c). Without a store rows are none of this: they stay in memory. */
#ifndef ORD_PARTITION_ROW_H
#define ORD_PARTITION_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "base/uuid.h"
#include "partition/store.h"

struct ord_partition;

enum ord_row_flag {
	ORD_ROW_QUEUED = 1,  /* in a queue of clean rows, or was when it was clean */
	ORD_ROW_USED = 2,    /* looked up since it was queued */
	ORD_ROW_ENCODED = 4, /* of the frozen ones: its bytes are among the checkpoint's */
	ORD_ROW_REMOVED = 8, /* not there any more; stays until the store has it no more either */
	ORD_ROW_LOADED = 16, /* came from the store */
};

/* Every record begins with one. */
struct ord_row {
	struct ord_table_link link;
	uint32_t epoch; /* in which it changed and was not yet written; 0: as in the store */
	uint8_t table;	/* enum ord_store_table */
	uint8_t flags;	/* enum ord_row_flag */
};

struct ord_row_list {
	struct ord_row **rows; /* owned, the places alone */
	size_t count;
	size_t capacity;
};

/* First in, first out. Places and not links: so the rows behind the first one are known before they are read. */
struct ord_row_queue {
	struct ord_row **places; /* owned; a power of two of them, a ring */
	size_t capacity;
	size_t first; /* counts on and on; modulo capacity the place */
	size_t count;
	uint64_t bytes; /* of the clean rows of its tables */
};

/* A set of ids, roughly: UUIDv7s ascend with time, so that the newest one says of later ones that they are not in it. An id is odd when it has no time, or one that lay ahead of the log's when it
 * was used: once there is such a one, nothing can be said any more. */
struct ord_row_ids {
	uint64_t newest_ms; /* of those that are not odd; 0: none */
	bool odd;	    /* there are odd ones */
};

struct ord_rows {
	uint32_t epoch;		     /* the current one, from 1 */
	struct ord_row_list changed; /* in the current epoch, in order, each once */
	struct ord_row_list frozen;  /* in the epoch that is being written */
	uint64_t bytes;		     /* of all rows in memory */
	uint64_t changed_bytes;	     /* of those in changed */

	/* The clean ones, oldest first: they may leave memory. Accounts and names come again, requests and stages hardly: were all in one queue, these would push those out. */
	struct ord_row_queue lasting;
	struct ord_row_queue passing;

	/* What may be in the store and not in memory. */
	bool any_gone;
	bool accounts_gone;
	bool names_gone;
	struct ord_row_ids requests_gone;
	struct ord_row_ids stages_gone;
	struct ord_row_ids requests_made; /* all there ever were: what a start has to go by */
	struct ord_row_ids stages_made;
};

/* The row will be read soon: its record comes from memory meanwhile, two lines of the cache of it. */
static inline void ord_row_prefetch(const struct ord_row *row)
{
	__builtin_prefetch(row);
	__builtin_prefetch((const uint8_t *)row + 64);
}

void ord_rows_init(struct ord_rows *rows);
void ord_rows_close(struct ord_rows *rows);

/* The row of a record that was just made, not from the store: counts it, and notes that it is to be written. */
void ord_row_made(struct ord_partition *p, struct ord_row *row, enum ord_store_table table);

/* The row of a record that was made from the store. */
void ord_row_loaded(struct ord_partition *p, struct ord_row *row, enum ord_store_table table);

/* To be called before a row is changed or dropped. */
void ord_row_change(struct ord_partition *p, struct ord_row *row);

/* The record is no more: takes the row out of its table and frees it, now or when a checkpoint has said so. ord_row_change must have been called. */
void ord_row_drop(struct ord_partition *p, struct ord_row *row);

/* What was frozen is in the store: at most rows_max rows become clean, from *cursor (0 first). True when that was the last. */
bool ord_rows_clean(struct ord_partition *p, size_t *cursor, size_t rows_max);

/* Lets clean rows go until all rows take bytes_max or less, or rows_max were looked at: of requests and stages the oldest, while they have more than their share; else of accounts and names those that were not
 * looked up for longest. */
void ord_rows_evict(struct ord_partition *p, uint64_t bytes_max, size_t rows_max);

/* The time of an id, 0 when it has none (RFC 9562, section 5.7). It is odd at that time of the log when it has none, or one that lies ahead. */
uint64_t ord_row_id_ms(const struct ord_uuid *id);
bool ord_row_id_is_odd(const struct ord_uuid *id, uint64_t time_us);

/* True when the id may be among them. */
bool ord_row_ids_may_hold(const struct ord_row_ids *ids, const struct ord_uuid *id);

/* Notes that an id is among them, used at that time of the log. */
void ord_row_ids_add(struct ord_row_ids *ids, const struct ord_uuid *id, uint64_t time_us);

#endif
