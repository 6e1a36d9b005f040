/* SPDX-License-Identifier: Apache-2.0 - a state in pieces: whatever the pieces, what arrives is what was sent, and what is not in order or not whole is refused. */
#include "partition/pairs.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/err.h"
#include "partition/stored.h"
#include "tests/support/memory_store.h"

static struct memory_store from, to;
static struct ord_changes piece;

static void put(struct ord_changes *changes, enum ord_store_table table, const char *key_text, const char *body_text)
{
	struct ord_slice key = ord_slice_text(key_text), body = ord_slice_text(body_text);
	uint32_t crc = ord_stored_checksum(table, key, body);
	struct ord_bytes value;
	ord_bytes_init(&value, 4096);
	ord_bytes_put(&value, body.base, body.len);
	ord_bytes_put_u32(&value, crc);
	ord_changes_put(changes, table, key, ord_bytes_slice(&value));
	ord_bytes_close(&value);
}

static void stores_open(void)
{
	struct ord_changes changes;
	char key[32];
	memory_store_open(&from);
	memory_store_open(&to);
	ord_changes_init(&piece);
	ord_changes_init(&changes);
	put(&changes, ORD_STORE_META, "note", "n");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(key, sizeof key, "account-%02u", i);
		put(&changes, ORD_STORE_ACCOUNTS, key, "some account");
		snprintf(key, sizeof key, "%u", i % 7);
		if (i < 7)
			put(&changes, ORD_STORE_POSTINGS, key, "a posting");
	}
	memory_store_write(&from, &changes);
	ord_changes_close(&changes);
}

static void stores_close(void)
{
	memory_store_close(&from);
	memory_store_close(&to);
	ord_changes_close(&piece);
}

TestSuite(partition_pairs, .init = stores_open, .fini = stores_close);

static void copy_all(size_t bytes_max)
{
	struct ord_pairs_place sent = {0}, received = {0};
	bool is_last = false;
	for (unsigned i = 0; !is_last; i++) {
		struct ord_changes got;
		ord_changes_init(&got);
		cr_assert_lt(i, 200);
		cr_assert_eq(ord_pairs_gather(&from.interface, &sent, bytes_max, &piece, &is_last), ORD_OK);
		cr_assert_eq(ord_pairs_take(ord_bytes_slice(&piece.bytes), &received, &got), ORD_OK);
		cr_assert_eq(got.count, piece.count);
		cr_assert(is_last || got.count > 0);
		memory_store_write(&to, &got);
		ord_changes_close(&got);
		ord_changes_close(&piece);
		sent = received;
	}
}

static void expect_equal(void)
{
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++) {
		cr_assert_eq(to.tables[t].count, from.tables[t].count, "table %u", t);
		for (size_t i = 0; i < to.tables[t].count; i++) {
			const struct memory_pair *a = memory_store_pair(&from, t, i), *b = memory_store_pair(&to, t, i);
			cr_assert(a->key_bytes == b->key_bytes && a->value_bytes == b->value_bytes);
			cr_assert_arr_eq(a->bytes, b->bytes, a->key_bytes + a->value_bytes);
		}
	}
}

Test(partition_pairs, any_size_of_pieces_brings_all)
{
	static const size_t sizes[] = {1, 30, 100, 1000, 1u << 20};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		copy_all(sizes[i]);
		expect_equal();
		memory_store_close(&to);
		memory_store_open(&to);
	}
}

/* What a piece gives when a byte of it is another one. */
Test(partition_pairs, no_changed_byte_is_taken)
{
	struct ord_pairs_place sent = {0};
	bool is_last;
	cr_assert_eq(ord_pairs_gather(&from.interface, &sent, 200, &piece, &is_last), ORD_OK);
	for (size_t i = 0; i < piece.bytes.len; i++) {
		struct ord_pairs_place received = {0};
		struct ord_changes got;
		ord_changes_init(&got);
		piece.bytes.base[i] ^= 0x41;
		cr_expect_eq(ord_pairs_take(ord_bytes_slice(&piece.bytes), &received, &got), ORD_ERR_FORMAT, "byte %zu",
			     i);
		cr_expect_eq(received.table, 0);
		piece.bytes.base[i] ^= 0x41;
	}
}

Test(partition_pairs, a_piece_cut_short_is_refused)
{
	struct ord_pairs_place sent = {0};
	size_t refused = 0;
	bool is_last;
	cr_assert_eq(ord_pairs_gather(&from.interface, &sent, 200, &piece, &is_last), ORD_OK);
	for (size_t len = 1; len < piece.bytes.len; len++) {
		struct ord_pairs_place received = {0};
		struct ord_changes got;
		ord_changes_init(&got);
		int err = ord_pairs_take(ord_slice_of(piece.bytes.base, len), &received, &got);
		if (err == ORD_OK)
			ord_changes_close(&got);
		else
			refused++;
	}
	cr_expect_eq(refused, piece.bytes.len - 1 - (piece.count - 1), "whole pairs alone are taken");
}

Test(partition_pairs, what_came_already_is_refused)
{
	struct ord_pairs_place sent = {0}, received = {0};
	struct ord_changes got;
	ord_changes_init(&got);
	bool is_last;
	cr_assert_eq(ord_pairs_gather(&from.interface, &sent, 200, &piece, &is_last), ORD_OK);
	cr_assert_eq(ord_pairs_take(ord_bytes_slice(&piece.bytes), &received, &got), ORD_OK);
	ord_changes_close(&got);
	cr_expect_eq(ord_pairs_take(ord_bytes_slice(&piece.bytes), &received, &got), ORD_ERR_FORMAT);
}

Test(partition_pairs, removals_and_tables_that_are_none_are_refused)
{
	struct ord_pairs_place received = {0};
	struct ord_changes got;
	ord_changes_init(&got);
	put(&piece, ORD_STORE_ACCOUNTS, "a", "b");
	piece.bytes.base[1] = 1;
	cr_expect_eq(ord_pairs_take(ord_bytes_slice(&piece.bytes), &received, &got), ORD_ERR_FORMAT);
	ord_changes_close(&piece);
	put(&piece, (enum ord_store_table)ORD_STORE_TABLES, "a", "b");
	cr_expect_eq(ord_pairs_take(ord_bytes_slice(&piece.bytes), &received, &got), ORD_ERR_FORMAT);
}

/* --- Walking. --- */

static int verify_each(void *arg, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	struct ord_slice body;
	(void)arg;
	return ord_stored_verify(table, key, value, &body);
}

/* Goes through all in pieces. */
static int check_all(uint64_t bytes_max, uint64_t *ret_pairs)
{
	struct ord_pairs_checked c = {0};
	int err = ORD_OK;
	*ret_pairs = 0;
	for (unsigned i = 0; err == ORD_OK && !c.is_last; i++) {
		struct ord_pairs_place after = c.place;
		cr_assert_lt(i, 200);
		err = ord_pairs_walk(&from.interface, &after, bytes_max, verify_each, NULL, &c);
		*ret_pairs += c.pairs_count;
	}
	return err;
}

Test(partition_pairs, a_state_is_walked_whole_whatever_the_pieces)
{
	uint64_t pairs;
	for (uint64_t bytes = 1; bytes < 3000; bytes += 37) {
		cr_expect_eq(check_all(bytes, &pairs), ORD_OK);
		cr_expect_eq(pairs, 48);
	}
}

Test(partition_pairs, any_byte_that_changed_is_found)
{
	uint64_t pairs;
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++)
		for (size_t i = 0; i < from.tables[t].count; i++) {
			struct memory_pair *p = memory_store_pair(&from, t, i);
			for (size_t k = 0; k < p->key_bytes + p->value_bytes; k++) {
				p->bytes[k] ^= 4;
				bool found = check_all(100, &pairs) == ORD_ERR_CORRUPT ||
					     check_all(100000, &pairs) == ORD_ERR_CORRUPT;
				cr_expect(found, "table %u, pair %zu, byte %zu", t, i, k);
				p->bytes[k] ^= 4;
			}
		}
	cr_expect_eq(check_all(100, &pairs), ORD_OK);
}

Test(partition_pairs, pairs_out_of_order_are_found)
{
	uint64_t pairs;
	struct memory_pair *a = memory_store_pair(&from, ORD_STORE_ACCOUNTS, 3);
	struct memory_pair *b = memory_store_pair(&from, ORD_STORE_ACCOUNTS, 4);
	struct memory_pair kept = *a;
	*a = *b;
	*b = kept;
	cr_expect_eq(check_all(1000000, &pairs), ORD_ERR_CORRUPT);
	kept = *a;
	*a = *b;
	*b = kept;
}
