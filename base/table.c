/* SPDX-License-Identifier: Apache-2.0 - the hash table.
 *
 * A reference:   bits 48 to 63: the hash's bits 12 to 27     1 to 47: the record's address     0: 1 when no other follows
 *
 * So most lookups of what is not there end in the bucket, and most divisions of a bucket, without a wait for a record: addresses of a program have 47 bits on the machines there are, and records are aligned. */
#include "base/table.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"

#define TABLE_FIRST_BUCKETS 64u
#define TABLE_FIRST_BITS 6u
/* Buckets for each record. Two: a lookup that waits for memory more often than it must costs more than eight bytes. Also how many buckets are
 * divided by one insert at most. */
#define TABLE_BUCKETS_PER_RECORD 2

/* Of a record that will be used: most are not longer. */
#define RECORD_BYTES_AHEAD 256u
#define LINE_BYTES 64u

static uint64_t segment_buckets(unsigned segment)
{
	return segment == 0 ? TABLE_FIRST_BUCKETS : (uint64_t)TABLE_FIRST_BUCKETS << (segment - 1);
}

/* --- References. --- */

#define REF_LAST ((ord_table_ref)1)
#define REF_TAG_SHIFT 48u
#define REF_TAG_FIRST 12u /* bit of the hash */
#define REF_TAG_BITS 16u

_Static_assert(sizeof(ord_table_ref) == 8, "there is room for a tag");

static ord_table_ref tag_of(uint64_t hash)
{
	return (ord_table_ref)(hash >> REF_TAG_FIRST) << REF_TAG_SHIFT;
}

static struct ord_table_link *link_of(ord_table_ref ref)
{
	return (struct ord_table_link *)(ref & (((ord_table_ref)1 << REF_TAG_SHIFT) - 1) & ~REF_LAST);
}

static ord_table_ref ref_after(ord_table_ref ref)
{
	return (ref & REF_LAST) != 0 ? 0 : link_of(ref)->next;
}

static bool has_tag(ord_table_ref ref, ord_table_ref tag)
{
	return (ref ^ tag) >> REF_TAG_SHIFT == 0;
}

/* The bit of the record's hash, from the reference where it has it. */
static bool hash_bit(ord_table_ref ref, unsigned bit)
{
	if (bit >= REF_TAG_FIRST && bit < REF_TAG_FIRST + REF_TAG_BITS)
		return (ref >> (REF_TAG_SHIFT + bit - REF_TAG_FIRST) & 1) != 0;
	return (link_of(ref)->hash >> bit & 1) != 0;
}

/* Makes ref the first of the chain that begins at bucket. */
static void chain_push(ord_table_ref *bucket, ord_table_ref ref)
{
	struct ord_table_link *link = link_of(ref);
	link->next = *bucket;
	*bucket = *bucket == 0 ? ref | REF_LAST : ref & ~REF_LAST;
}

/* --- Buckets. --- */

static ord_table_ref *bucket_at(const struct ord_table *t, uint64_t bucket)
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
	ord_table_ref tag = tag_of(hash);
	for (ord_table_ref ref = *bucket_at(t, bucket_of(t, hash)); ref != 0; ref = ref_after(ref)) {
		struct ord_table_link *link = link_of(ref);
		if (has_tag(ref, tag) && link->hash == hash && equal(link, key))
			return link;
	}
	return NULL;
}

void ord_table_prefetch(const struct ord_table *t, uint64_t hash)
{
	__builtin_prefetch(bucket_at(t, bucket_of(t, hash)));
}

void ord_table_prefetch_record(const struct ord_table *t, uint64_t hash)
{
	ord_table_ref ref = *bucket_at(t, bucket_of(t, hash));
	const uint8_t *record = (const uint8_t *)link_of(ref);
	if (has_tag(ref, tag_of(hash)))
		for (size_t at = 0; at < RECORD_BYTES_AHEAD; at += LINE_BYTES)
			__builtin_prefetch(record + at);
	else if ((ref & REF_LAST) == 0)
		__builtin_prefetch(record);
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
	ord_table_ref *from = bucket_at(t, added - (1ull << top));
	ord_table_ref *into = bucket_at(t, added);
	ord_table_ref ref = *from;
	t->buckets_count++;
	if ((ref & REF_LAST) != 0) { /* the record itself does not change */
		*into = hash_bit(ref, top) ? ref : 0;
		*from = hash_bit(ref, top) ? 0 : ref;
		return;
	}
	*from = 0;
	while (ref != 0) {
		ord_table_ref after = ref_after(ref);
		chain_push(hash_bit(ref, top) ? into : from, ref);
		ref = after;
	}
}

void ord_table_put(struct ord_table *t, struct ord_table_link *link, uint64_t hash)
{
	ORD_ASSERT(((uintptr_t)link & ~(uintptr_t)link_of((ord_table_ref)(uintptr_t)link)) == 0);
	link->hash = hash;
	chain_push(bucket_at(t, bucket_of(t, hash)), (ord_table_ref)(uintptr_t)link | tag_of(hash));
	t->count++;
	for (int i = 0; i < TABLE_BUCKETS_PER_RECORD && t->count * TABLE_BUCKETS_PER_RECORD > t->buckets_count; i++)
		table_split(t);
}

void ord_table_remove(struct ord_table *t, struct ord_table_link *link)
{
	ord_table_ref *at = bucket_at(t, bucket_of(t, link->hash));
	ord_table_ref *before = NULL; /* the reference to the one before */
	while (*at != 0 && link_of(*at) != link) {
		before = at;
		at = (*at & REF_LAST) != 0 ? NULL : &link_of(*at)->next;
		ORD_ASSERT(at != NULL);
	}
	ORD_ASSERT(*at != 0);
	ord_table_ref after = ref_after(*at);
	*at = after;
	if (after == 0 && before != NULL)
		*before |= REF_LAST;
	link->next = 0;
	t->count--;
}

struct ord_table_link *ord_table_next(const struct ord_table *t, uint64_t *cursor, struct ord_table_link *previous)
{
	/* The chain's last one has nothing behind it: its own reference says so, and is one of its bucket's. */
	if (previous != NULL && previous->next != 0)
		return link_of(previous->next);
	while (*cursor < t->buckets_count) {
		ord_table_ref ref = *bucket_at(t, (*cursor)++);
		if (ref != 0)
			return link_of(ref);
	}
	return NULL;
}
