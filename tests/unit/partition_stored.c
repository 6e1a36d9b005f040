/* SPDX-License-Identifier: Apache-2.0 - records of a store whose checksum is right: they say what was written, and what is none of them is refused, however it is cut. */
#include "partition/stored.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/account.h"
#include "partition/state.h"
#include "tests/support/lab.h"
#include "tests/support/partition_build.h"

#define TIME_US 1700000000000000u
#define CRC_BYTES 4

static struct lab l;
static const char *alice;

/* Records of every kind. */
static void open_lab(void)
{
	const char *bank = build_account_in("bank", 0, 2);
	const char *bob = build_account_in("bob", 1, 2);
	alice = build_account_in("alice", 0, 2);
	lab_open_stored(&l, 2);
	build_apply(&l, 0, build_open("o1", bank, "EUR", -1000000, INT64_MAX), TIME_US);
	build_apply(&l, 0, build_open("o2", alice, "EUR", 0, INT64_MAX), TIME_US);
	build_apply(&l, 0, build_transfer("t1", bank, alice, 100), TIME_US);
	build_apply(&l, 0, build_transfer("t2", alice, bob, 10), TIME_US);
	build_apply(&l, 0, build_claim("n1", "users", "ada", "node-1"), TIME_US);
	lab_checkpoint_whole(&l, 0, SIZE_MAX);
}

static void close_lab(void)
{
	lab_close(&l);
}

TestSuite(partition_stored, .init = open_lab, .fini = close_lab);

static int read_pair(enum ord_store_table table, struct ord_slice key, struct ord_slice body)
{
	union {
		struct ord_stored_account account;
		struct ord_stored_name name;
		struct ord_stored_request request;
		struct ord_stored_stage stage;
		struct ord_stored_posting posting;
		struct ord_stored_message message;
		struct ord_stored_numbers numbers;
	} ret;
	switch (table) {
	case ORD_STORE_ACCOUNTS:
		return ord_stored_account(key, body, &ret.account);
	case ORD_STORE_NAMES:
		return ord_stored_name(key, body, &ret.name);
	case ORD_STORE_REQUESTS:
		return ord_stored_request(key, body, &ret.request);
	case ORD_STORE_STAGES:
		return ord_stored_stage(key, body, &ret.stage);
	case ORD_STORE_POSTINGS:
		return ord_stored_posting(key, body, &ret.posting);
	case ORD_STORE_MESSAGES:
		return ord_stored_message(key, body, &ret.message);
	default:
		return ord_stored_numbers(body, &ret.numbers);
	}
}

/* From memory that ends where the bytes do, so that a sanitizer sees whoever reads on. */
static int read_copy(enum ord_store_table table, struct ord_slice key, const void *body, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	cr_assert_not_null(copy);
	memcpy(copy, body, len);
	int err = read_pair(table, key, ord_slice_of(copy, len));
	free(copy);
	return err;
}

/* How many bytes of a value are left when it is cut as short as it can be: what ends with a text of any length may be cut within that. */
static size_t tail_bytes(enum ord_store_table table, struct ord_slice key, struct ord_slice body)
{
	struct ord_stored_name name;
	struct ord_stored_request request;
	struct ord_stored_posting posting;
	switch (table) {
	case ORD_STORE_NAMES:
		cr_assert_eq(ord_stored_name(key, body, &name), ORD_OK);
		return name.naming.owner.len;
	case ORD_STORE_REQUESTS:
		cr_assert_eq(ord_stored_request(key, body, &request), ORD_OK);
		return request.body.len;
	case ORD_STORE_POSTINGS:
		cr_assert_eq(ord_stored_posting(key, body, &posting), ORD_OK);
		return posting.view.counterparty.len;
	default:
		return 0;
	}
}

static bool is_of_numbers(enum ord_store_table table, struct ord_slice key)
{
	return table != ORD_STORE_META || ord_slice_equal(key, ord_slice_text(ORD_STORED_NUMBERS_KEY));
}

Test(partition_stored, what_is_cut_or_goes_on_is_refused)
{
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++) {
		struct memory_store *store = &l.stores[0].store;
		cr_assert_gt(store->tables[t].count, 0, "table %u", t);
		for (size_t place = 0; place < store->tables[t].count; place++) {
			struct memory_pair *pair = memory_store_pair(store, t, place);
			struct ord_slice key = ord_slice_of(pair->bytes, pair->key_bytes);
			struct ord_slice body =
				ord_slice_of(pair->bytes + pair->key_bytes, pair->value_bytes - CRC_BYTES);
			if (!is_of_numbers((enum ord_store_table)t, key))
				continue;
			size_t least = body.len - tail_bytes((enum ord_store_table)t, key, body);
			for (size_t len = 0; len < body.len; len++)
				cr_assert_eq(read_copy((enum ord_store_table)t, key, body.base, len) == ORD_OK,
					     len >= least, "table %u, record %zu, %zu of %zu bytes", t, place, len,
					     body.len);
			/* The checksum's first byte behind it, as if it were of the value. */
			int err = read_copy((enum ord_store_table)t, key, body.base, body.len + 1);
			cr_assert_eq(err == ORD_OK, least < body.len, "table %u, record %zu", t, place);
		}
	}
}

static ord_balance balance_stored(ord_balance balance)
{
	struct ord_account *a = ord_account_find(l.partitions[0], ord_slice_text(alice));
	struct ord_slice key = ord_slice_text(alice), value, body;
	struct ord_stored_account stored;
	static unsigned count;
	char stem[8];
	snprintf(stem, sizeof stem, "s%u", count++);
	a->balance = balance;
	build_apply(&l, 0, build_set(stem, alice, count % 2 ? ORD_ACCOUNT_FROZEN : ORD_ACCOUNT_OPEN), TIME_US);
	lab_checkpoint_whole(&l, 0, SIZE_MAX);
	struct ord_store *store = &l.stores[0].store.interface;
	cr_assert_eq(store->get(store->ctx, ORD_STORE_ACCOUNTS, key, &value), ORD_OK);
	cr_assert_eq(ord_stored_verify(ORD_STORE_ACCOUNTS, key, value, &body), ORD_OK);
	cr_assert_eq(ord_stored_account(key, body, &stored), ORD_OK);
	return stored.balance;
}

Test(partition_stored, a_balance_has_128_bits)
{
	const ord_balance most = (ord_balance)(~(unsigned __int128)0 >> 1);
	const ord_balance balances[] = {
		0,    1,	-1, INT64_MAX, INT64_MIN, (ord_balance)INT64_MAX + 1, (ord_balance)INT64_MIN - 1,
		most, -most - 1};
	for (size_t i = 0; i < sizeof balances / sizeof *balances; i++)
		cr_expect(balance_stored(balances[i]) == balances[i], "balance %zu", i);
}
