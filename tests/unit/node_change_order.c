/* SPDX-License-Identifier: Apache-2.0 - the order in which a checkpoint's changes are written. */
#include "node/change_order.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define CHANGES 5000

static struct ord_changes changes;
static struct ord_change_order order;
static uint64_t random_state = 1;

static unsigned random_below(unsigned bound)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % bound;
}

static void setup(void)
{
	ord_changes_init(&changes);
}

static void teardown(void)
{
	ord_change_order_close(&order);
	ord_changes_close(&changes);
}

TestSuite(change_order, .init = setup, .fini = teardown);

static int key_compare(const struct ord_change *a, const struct ord_change *b)
{
	int rv = memcmp(a->key.base, b->key.base, a->key.len < b->key.len ? a->key.len : b->key.len);
	return rv != 0 ? rv : (int)a->key.len - (int)b->key.len;
}

/* Each table's changes ascend, a key's removal before its value, and none is lost: the values' sum says so. */
static void expect_ordered(uint64_t values_sum)
{
	cr_assert_eq(ord_change_order_make(&order, &changes), ORD_OK);
	cr_assert_eq(order.begins[ORD_STORE_TABLES], changes.count);
	for (size_t table = 0; table < ORD_STORE_TABLES; table++) {
		struct ord_change before = {0};
		for (size_t i = order.begins[table]; i < order.begins[table + 1]; i++) {
			struct ord_change c;
			ord_change_order_at(&order, i, &c);
			cr_assert_eq(c.table, table);
			int direction = i > order.begins[table] ? key_compare(&before, &c) : -1;
			cr_assert(direction < 0 || (direction == 0 && before.is_removal >= c.is_removal));
			before = c;
			for (size_t b = 0; b < c.value.len; b++)
				values_sum -= ((const uint8_t *)c.value.base)[b];
		}
	}
	cr_assert_eq(values_sum, 0);
}

static uint64_t put(enum ord_store_table table, const void *key, size_t len)
{
	uint8_t value = (uint8_t)(1 + random_below(200));
	ord_changes_put(&changes, table, ord_slice_of(key, len), ord_slice_of(&value, 1));
	return value;
}

Test(change_order, nothing)
{
	expect_ordered(0);
}

/* Ids that begin with about the same time, in two tables, one of them with more behind it. */
Test(change_order, ids_of_about_one_time)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < CHANGES; i++) {
		uint8_t id[17] = {1, 2, 3, 4, (uint8_t)random_below(2), (uint8_t)random_below(256), 0x70};
		for (size_t b = 7; b < sizeof id; b++)
			id[b] = (uint8_t)random_below(b < 10 ? 4 : 256);
		sum += put(ORD_STORE_STAGES, id, sizeof id);
		sum += put(ORD_STORE_REQUESTS, id, sizeof id - 1);
	}
	expect_ordered(sum);
}

/* Names that have long beginnings in common, some of them the beginning of others. */
Test(change_order, names_that_begin_alike)
{
	char name[64];
	uint64_t sum = 0;
	for (unsigned i = 0; i < CHANGES; i++) {
		int len = snprintf(name, sizeof name, "customers/of/the/bank/%0*u%.*s", 1 + (int)random_below(9),
				   random_below(CHANGES), (int)random_below(12), "xxxxxxxxxxxx");
		sum += put(ORD_STORE_ACCOUNTS, name, (size_t)len);
	}
	expect_ordered(sum);
}

/* Zero bytes at the end of a key are part of it, and what is no more there counts for nothing. */
Test(change_order, keys_of_zero_bytes)
{
	static const uint8_t zeros[ORD_STORE_KEY_BYTES_MAX];
	uint64_t sum = 0;
	for (size_t len = ORD_STORE_KEY_BYTES_MAX; len > 0; len--)
		sum += put(ORD_STORE_NAMES, zeros, len);
	expect_ordered(sum);
}

Test(change_order, removals_before_values)
{
	uint64_t sum = 0;
	for (uint64_t i = 0; i < CHANGES; i++) {
		uint64_t key = i * 7919 % 1000;
		if (i >= 4000)
			sum += put(ORD_STORE_NAMES, &key, sizeof key);
		else
			ord_changes_remove(&changes, ORD_STORE_NAMES, ord_slice_of(&key, sizeof key));
	}
	expect_ordered(sum);
}

/* What ascends already. */
Test(change_order, ascending_numbers)
{
	uint64_t sum = 0;
	for (uint64_t i = 0; i < CHANGES; i++) {
		uint64_t key = __builtin_bswap64(i);
		sum += put(ORD_STORE_POSTINGS, &key, sizeof key);
	}
	expect_ordered(sum);
}
