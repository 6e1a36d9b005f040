/* SPDX-License-Identifier: Apache-2.0 - tests of base/table.h against a naive array. */
#include "base/table.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"

struct record {
	struct ord_table_link link; /* first, so that a link is a record */
	uint32_t key;
	bool in;
	bool seen;
};

static bool key_equal(const struct ord_table_link *link, const void *key)
{
	return ((const struct record *)(const void *)link)->key == *(const uint32_t *)key;
}

static uint64_t hash_good(uint32_t key)
{
	return ord_hash64(&key, sizeof key);
}

/* Seven values for all keys: long chains, and equal hashes for different keys. */
static uint64_t hash_bad(uint32_t key)
{
	return (key % 7) * 0x0101010101010101ull;
}

/* Different keys differ in the highest bits only, which decide no bucket. */
static uint64_t hash_high(uint32_t key)
{
	return (uint64_t)key << 40;
}

static uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 33);
}

/* Every record that is in is found and met exactly once on a walk; no other is. */
static void compare(const struct ord_table *t, struct record *records, uint32_t records_count,
		    uint64_t (*hash)(uint32_t))
{
	uint64_t in = 0;
	for (uint32_t i = 0; i < records_count; i++) {
		struct ord_table_link *found = ord_table_find(t, hash(i), &i, key_equal);
		cr_assert_eq(found, records[i].in ? &records[i].link : NULL, "key %u", i);
		in += records[i].in;
		records[i].seen = false;
	}
	cr_assert_eq(t->count, in);
	uint64_t met = 0;
	uint64_t cursor = 0;
	for (struct ord_table_link *l = ord_table_next(t, &cursor, NULL); l != NULL;
	     l = ord_table_next(t, &cursor, l)) {
		struct record *record = (struct record *)(void *)l;
		cr_assert(record->in);
		cr_assert_not(record->seen, "key %u met twice", record->key);
		record->seen = true;
		met++;
	}
	cr_assert_eq(met, in);
}

static void run(uint64_t (*hash)(uint32_t), uint32_t records_count, uint32_t steps, uint64_t seed)
{
	struct ord_table t;
	cr_assert_eq(ord_table_open(&t), ORD_OK);
	struct record *records = calloc(records_count, sizeof *records);
	for (uint32_t i = 0; i < records_count; i++)
		records[i].key = i;
	for (uint32_t step = 0; step < steps; step++) {
		/* Two thirds of the time the table grows, then it shrinks. */
		bool put = random_next(&seed) % 3 != (step < steps / 2 ? 0 : 1);
		struct record *record = &records[random_next(&seed) % records_count];
		if (put && !record->in)
			ord_table_put(&t, &record->link, hash(record->key));
		else if (!put && record->in)
			ord_table_remove(&t, &record->link);
		else
			continue;
		record->in = put;
		if (step % (steps / 8) == 0)
			compare(&t, records, records_count, hash);
	}
	compare(&t, records, records_count, hash);
	ord_table_close(&t);
	free(records);
}

Test(base_table, equals_an_array_under_random_puts_and_removes)
{
	for (uint64_t seed = 1; seed <= 5; seed++)
		run(hash_good, 5000, 40000, seed);
}

Test(base_table, equals_an_array_when_hashes_collide)
{
	run(hash_bad, 300, 5000, 11);
	run(hash_high, 300, 5000, 12);
}

Test(base_table, grows_with_its_records_and_keeps_chains_short)
{
	enum { RECORDS = 200000 };
	struct ord_table t;
	cr_assert_eq(ord_table_open(&t), ORD_OK);
	struct record *records = calloc(RECORDS, sizeof *records);
	for (uint32_t i = 0; i < RECORDS; i++) {
		records[i] = (struct record){.key = i, .in = true};
		ord_table_put(&t, &records[i].link, hash_good(i));
		cr_assert_leq(t.count, t.buckets_count < 64 ? 64 : t.buckets_count);
	}
	compare(&t, records, RECORDS, hash_good);
	ord_table_close(&t);
	free(records);
}

Test(base_table, an_empty_table_has_nothing_to_find_or_walk)
{
	struct ord_table t;
	cr_assert_eq(ord_table_open(&t), ORD_OK);
	uint32_t key = 1;
	uint64_t cursor = 0;
	cr_assert_null(ord_table_find(&t, hash_good(key), &key, key_equal));
	cr_assert_null(ord_table_next(&t, &cursor, NULL));
	ord_table_close(&t);
}

Test(base_table, close_tolerates_a_zeroed_table_and_a_second_close)
{
	struct ord_table t = {0};
	ord_table_close(&t);
	cr_assert_eq(ord_table_open(&t), ORD_OK);
	ord_table_close(&t);
	ord_table_close(&t);
	cr_assert_eq(t.count, 0);
}

Test(base_table, removing_what_is_not_in_aborts, .signal = SIGABRT)
{
	struct ord_table t;
	struct record in = {.key = 1};
	struct record out = {.key = 2};
	cr_assert_eq(ord_table_open(&t), ORD_OK);
	ord_table_put(&t, &in.link, hash_good(1));
	out.link.hash = hash_good(2);
	ord_table_remove(&t, &out.link);
}
