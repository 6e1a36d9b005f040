/* SPDX-License-Identifier: Apache-2.0 - a hash table of records that carry their own link; grows one bucket at a time, so no insert pauses.
 * Linear hashing: W. Litwin, "Linear Hashing: A New Tool for File and Table Addressing", VLDB 1980. */
#ifndef ORD_BASE_TABLE_H
#define ORD_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a record is, with some bits of its hash above the address and one below that says that its chain ends there (table.c); 0: nowhere. */
typedef uintptr_t ord_table_ref;

/* Put this in the record. The table links records; it never owns, copies or frees them. */
struct ord_table_link {
	ord_table_ref next;
	uint64_t hash;
};

#define ORD_TABLE_SEGMENTS 40

struct ord_table {
	ord_table_ref *segments[ORD_TABLE_SEGMENTS]; /* owned; segment 0 has 64 buckets, segment k has 64 << (k - 1) */
	uint64_t buckets_count;
	uint64_t count;
};

/* True when the record of link has the key. */
typedef bool (*ord_table_equal)(const struct ord_table_link *link, const void *key);

/* Makes an empty table. ORD_ERR_NOMEM. */
int ord_table_open(struct ord_table *t);

/* Frees the buckets, not the records. Tolerates a zeroed table. */
void ord_table_close(struct ord_table *t);

/* The link whose record has the key, NULL when there is none. hash must be what the record was put with. */
struct ord_table_link *ord_table_find(const struct ord_table *t, uint64_t hash, const void *key, ord_table_equal equal);

/* Two hints for whoever knows early what it will look for, so that memory answers meanwhile: first where the chain of the hash begins, a little
 * later (when that has come) its first record, if that may be the one. They change nothing. */
void ord_table_prefetch(const struct ord_table *t, uint64_t hash);
void ord_table_prefetch_record(const struct ord_table *t, uint64_t hash);

/* Adds a record; the caller knows that its key is not there. Cannot fail: when memory for growing is short, chains get longer. */
void ord_table_put(struct ord_table *t, struct ord_table_link *link, uint64_t hash);

/* Takes a record out; asserts that it is in. */
void ord_table_remove(struct ord_table *t, struct ord_table_link *link);

/* Walks all records in no particular order (never let it decide anything that replicas must agree on):
 * start with *cursor = 0 and previous = NULL; returns NULL after the last. The table must not change meanwhile. */
struct ord_table_link *ord_table_next(const struct ord_table *t, uint64_t *cursor, struct ord_table_link *previous);

#endif
