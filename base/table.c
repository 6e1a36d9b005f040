/* SPDX-License-Identifier: Apache-2.0 - the hash table. */
#include "base/table.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"

#define TABLE_FIRST_BUCKETS 64u
#define TABLE_FIRST_BITS 6u
/* Buckets for each record. Two: a lookup that waits for memory more often than it must costs more than eight bytes. Also how many buckets are
 * divided by one insert at most. */
#define TABLE_BUCKETS_PER_RECORD 2
/* Less than the first number of buckets, so that the bucket looked at ahead always exists. */
#define TABLE_SPLITS_AHEAD 8u

static uint64_t segment_buckets(unsigned segment)
{
	return segment == 0 ? TABLE_FIRST_BUCKETS : (uint64_t)TABLE_FIRST_BUCKETS << (segment - 1);
}

static struct ord_table_link **bucket_at(const struct ord_table *t, uint64_t bucket)
{
	if (bucket < TABLE_FIRST_BUCKETS)
		return &t->segments[0][bucket];
	unsigned top = 63u - (unsigned)__builtin_clzll(bucket);
	return &t->segments[top - TABLE_FIRST_BITS + 1][bucket - (1ull << top)];
}

static uint64_t bucket_of(const struct ord_table *t, uint64_t hash)
{
	unsigned top = 63u - (unsigned)__builtin_clzll(t->buckets_count);
	uint64_t wide = hash & ((2ull << top) - 1);
	return wide < t->buckets_count ? wide : hash & ((1ull << top) - 1);
}

int ord_table_open(struct ord_table *t)
{
	*t = (struct ord_table){0};
	t->segments[0] = calloc(TABLE_FIRST_BUCKETS, sizeof *t->segments[0]);
	if (t->segments[0] == NULL)
		return ORD_ERR_NOMEM;
	t->buckets_count = TABLE_FIRST_BUCKETS;
	return ORD_OK;
}

void ord_table_close(struct ord_table *t)
{
	for (unsigned i = 0; i < ORD_TABLE_SEGMENTS; i++)
		free(t->segments[i]);
	*t = (struct ord_table){0};
}

struct ord_table_link *ord_table_find(const struct ord_table *t, uint64_t hash, const void *key, ord_table_equal equal)
{
	struct ord_table_link *link = *bucket_at(t, bucket_of(t, hash));
	while (link != NULL && !(link->hash == hash && equal(link, key)))
		link = link->next;
	return link;
}

void ord_table_prefetch(const struct ord_table *t, uint64_t hash)
{
	__builtin_prefetch(bucket_at(t, bucket_of(t, hash)));
}

void ord_table_prefetch_record(const struct ord_table *t, uint64_t hash)
{
	__builtin_prefetch(*bucket_at(t, bucket_of(t, hash)));
}

/* Adds bucket number buckets_count and moves into it what belongs there from the one bucket it divides. */
static void table_split(struct ord_table *t)
{
	uint64_t added = t->buckets_count;
	unsigned top = 63u - (unsigned)__builtin_clzll(added);
	unsigned segment = top - TABLE_FIRST_BITS + 1;
	if (segment >= ORD_TABLE_SEGMENTS)
		return;
	if (t->segments[segment] == NULL) {
		t->segments[segment] = calloc(segment_buckets(segment), sizeof *t->segments[segment]);
		if (t->segments[segment] == NULL)
			return;
	}
	struct ord_table_link **from = bucket_at(t, added - (1ull << top));
	/* The bucket that will be divided some inserts from now: its record comes from memory meanwhile. */
	__builtin_prefetch(*bucket_at(t, added - (1ull << top) + TABLE_SPLITS_AHEAD));
	struct ord_table_link **into = bucket_at(t, added);
	t->buckets_count++;
	while (*from != NULL) {
		struct ord_table_link *link = *from;
		if (bucket_of(t, link->hash) != added) {
			from = &link->next;
			continue;
		}
		*from = link->next;
		link->next = *into;
		*into = link;
	}
}

void ord_table_put(struct ord_table *t, struct ord_table_link *link, uint64_t hash)
{
	link->hash = hash;
	struct ord_table_link **bucket = bucket_at(t, bucket_of(t, hash));
	link->next = *bucket;
	*bucket = link;
	t->count++;
	for (int i = 0; i < TABLE_BUCKETS_PER_RECORD && t->count * TABLE_BUCKETS_PER_RECORD > t->buckets_count; i++)
		table_split(t);
}

void ord_table_remove(struct ord_table *t, struct ord_table_link *link)
{
	struct ord_table_link **at = bucket_at(t, bucket_of(t, link->hash));
	while (*at != NULL && *at != link)
		at = &(*at)->next;
	ORD_ASSERT(*at == link);
	*at = link->next;
	link->next = NULL;
	t->count--;
}

struct ord_table_link *ord_table_next(const struct ord_table *t, uint64_t *cursor, struct ord_table_link *previous)
{
	if (previous != NULL && previous->next != NULL)
		return previous->next;
	while (*cursor < t->buckets_count) {
		struct ord_table_link *link = *bucket_at(t, (*cursor)++);
		if (link != NULL)
			return link;
	}
	return NULL;
}
