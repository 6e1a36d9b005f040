/* SPDX-License-Identifier: Apache-2.0 - a stored state against its own numbers: sound ones pass, and whatever changes by itself is found. */
#include "partition/audit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/varint.h"
#include "partition/checkpoint.h"
#include "partition/state.h"
#include "tests/support/lab.h"
#include "tests/support/partition_build.h"

#define TIME_US 1700000000000000u

static struct lab l;

static void checkpoint(void)
{
	lab_checkpoint_whole(&l, 0, SIZE_MAX);
}

/* Records of every kind: a name, a refused transfer, and a message that waits for another partition. */
static void open_lab(void)
{
	const char *bank = build_account_in("bank", 0, 2);
	const char *alice = build_account_in("alice", 0, 2);
	const char *bob = build_account_in("bob", 1, 2);

	lab_open_stored(&l, 2);
	build_apply(&l, 0, build_open("o1", bank, "EUR", -1000000, INT64_MAX), TIME_US);
	build_apply(&l, 0, build_open("o2", alice, "EUR", 0, INT64_MAX), TIME_US);
	build_apply(&l, 0, build_transfer("t1", bank, alice, 100), TIME_US);
	build_apply(&l, 0, build_transfer("t2", alice, bank, 500), TIME_US);
	build_apply(&l, 0, build_transfer("t3", alice, bob, 10), TIME_US);
	build_apply(&l, 0, build_claim("n1", "users", "ada", "node-1"), TIME_US);
	checkpoint();
}

static void close_lab(void)
{
	lab_close(&l);
}

TestSuite(partition_audit, .init = open_lab, .fini = close_lab);

static struct memory_store *store(void)
{
	return &l.stores[0].store;
}

struct feed {
	struct ord_audit *audit;
	enum ord_store_table table;
};

static int feed_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct feed *feed = arg;

	return ord_audit_add(feed->audit, feed->table, key, value);
}

/* What auditing all of the store gives, whichever step finds it. */
static int audit(char why[ORD_AUDIT_WHY_SIZE])
{
	struct ord_partition_options options = {.id = 0, .partitions_count = 2, .store = &store()->interface};
	struct feed feed = {.audit = NULL};
	int err = ord_audit_open(&options, &feed.audit);

	why[0] = '\0';
	for (unsigned t = ORD_STORE_META; err == ORD_OK && t < ORD_STORE_TABLES; t++) {
		feed.table = (enum ord_store_table)t;
		err = store()->interface.walk(store()->interface.ctx, feed.table, (struct ord_slice){0}, feed_cb,
					      &feed);
	}
	if (err == ORD_OK)
		err = ord_audit_finish(feed.audit, why);
	if (feed.audit != NULL)
		ord_audit_close(feed.audit);
	return err;
}

Test(partition_audit, a_state_that_was_written_is_sound)
{
	char why[ORD_AUDIT_WHY_SIZE];

	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++)
		cr_expect_gt(store()->tables[t].count, 0, "table %u has records", t);
	cr_expect_eq(audit(why), ORD_OK, "%s", why);
}

Test(partition_audit, the_digest_is_that_of_the_partition)
{
	struct ord_partition_options options = {.id = 0, .partitions_count = 2, .store = &store()->interface};
	struct ord_partition_status expected, found;
	struct ord_audit *a;

	ord_partition_status(l.partitions[0], &expected);
	cr_assert_eq(ord_audit_open(&options, &a), ORD_OK);
	ord_audit_status(a, &found);
	cr_expect_eq(memcmp(found.state_digest, expected.state_digest, sizeof expected.state_digest), 0);
	ord_audit_close(a);
}

/* Every bit of every value: its checksum finds it. */
Test(partition_audit, a_bit_that_changes_is_found)
{
	char why[ORD_AUDIT_WHY_SIZE];

	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++) {
		for (size_t place = 0; place < store()->tables[t].count; place++) {
			struct memory_pair *pair = memory_store_pair(store(), t, place);
			for (size_t i = 0; i < pair->value_bytes; i++) {
				pair->bytes[pair->key_bytes + i] ^= 1u << (i % 8);
				cr_assert_neq(audit(why), ORD_OK, "table %u, record %zu, byte %zu", t, place, i);
				pair->bytes[pair->key_bytes + i] ^= 1u << (i % 8);
			}
		}
	}
	cr_expect_eq(audit(why), ORD_OK);
}

static void mend(enum ord_store_table table, struct memory_pair *pair)
{
	size_t body_bytes = pair->value_bytes - 4;
	struct ord_slice key = ord_slice_of(pair->bytes, pair->key_bytes);
	uint32_t crc = ord_stored_checksum(table, key, ord_slice_of(pair->bytes + pair->key_bytes, body_bytes));

	memcpy(pair->bytes + pair->key_bytes + body_bytes, &crc, sizeof crc);
}

/* What memory changed before it was written has a right checksum: the digest finds it. */
Test(partition_audit, a_balance_with_a_right_checksum_is_found)
{
	struct memory_pair *pair = memory_store_pair(store(), ORD_STORE_ACCOUNTS, 0);
	char why[ORD_AUDIT_WHY_SIZE];

	pair->bytes[pair->key_bytes + 1] ^= 1;
	mend(ORD_STORE_ACCOUNTS, pair);
	cr_expect_eq(audit(why), ORD_ERR_CORRUPT);
	cr_expect_eq(strncmp(why, "all records together have digest", 32), 0, "%s", why);
}

/* Where status and reason of a stored request stand. */
struct outcome_place {
	const uint8_t *status;
	uint8_t *reason;
};

static struct outcome_place outcome_find(struct memory_pair *pair)
{
	uint8_t *value = pair->bytes + pair->key_bytes;
	struct ord_reader r = ord_reader_of(ord_slice_of(value, pair->value_bytes));
	for (int i = 0; i < 3; i++) /* position and times */
		(void)ord_reader_varint(&r);
	return (struct outcome_place){.status = value + r.offset + 1, .reason = value + r.offset + 3};
}

Test(partition_audit, an_outcome_with_a_right_checksum_is_found)
{
	char why[ORD_AUDIT_WHY_SIZE];

	for (size_t place = 0; place < store()->tables[ORD_STORE_REQUESTS].count; place++) {
		struct memory_pair *pair = memory_store_pair(store(), ORD_STORE_REQUESTS, place);
		struct outcome_place at = outcome_find(pair);
		*at.reason ^= 1;
		mend(ORD_STORE_REQUESTS, pair);
		bool accepted = *at.status == ORD_STATUS_ACCEPTED; /* has none yet */
		cr_expect_eq(audit(why) == ORD_OK, accepted, "request %zu: %s", place, why);
		*at.reason ^= 1;
		mend(ORD_STORE_REQUESTS, pair);
	}
}

static bool has_posted_for(const struct memory_pair *stage, uint64_t home)
{
	struct ord_reader r = ord_reader_of(ord_slice_of(stage->bytes + stage->key_bytes, stage->value_bytes));
	return ord_reader_varint(&r) == home && ord_reader_varint(&r) == 0; /* the reason of a refusal */
}

/* Two stages that posted, each with the other's posting: as many as before, and all of the postings are there. */
Test(partition_audit, stages_that_name_each_others_postings_are_found)
{
	struct memory_pair *posted[2] = {NULL, NULL};
	size_t found = 0;
	char why[ORD_AUDIT_WHY_SIZE];

	for (size_t place = 0; found < 2; place++) {
		struct memory_pair *pair = memory_store_pair(store(), ORD_STORE_STAGES, place);
		if (has_posted_for(pair, 0) && (found == 0 || pair->value_bytes == posted[0]->value_bytes))
			posted[found++] = pair;
	}
	uint8_t *values[2] = {posted[0]->bytes + posted[0]->key_bytes, posted[1]->bytes + posted[1]->key_bytes};
	size_t len = posted[0]->value_bytes;
	uint8_t kept[64];
	cr_assert_leq(len, sizeof kept);
	memcpy(kept, values[0], len);
	cr_assert_neq(memcmp(values[0], values[1], len - 4), 0);
	memcpy(values[0], values[1], len);
	memcpy(values[1], kept, len);
	mend(ORD_STORE_STAGES, posted[0]);
	mend(ORD_STORE_STAGES, posted[1]);
	cr_expect_eq(audit(why), ORD_ERR_CORRUPT);
	cr_expect_eq(strncmp(why, "the stages that posted", 22), 0, "%s", why);
}

/* A record that is not there, as one that was never written would be. */
static void drop(enum ord_store_table table, size_t place, struct memory_table *ret_before)
{
	struct memory_table *t = &store()->tables[table];

	*ret_before = *t;
	t->pairs = malloc(ret_before->count * sizeof *t->pairs);
	cr_assert_not_null(t->pairs);
	t->count = 0;
	for (size_t i = 0; i < ret_before->count; i++)
		if (i != place)
			t->pairs[t->count++] = ret_before->pairs[i];
}

Test(partition_audit, a_record_that_is_missing_is_found)
{
	char why[ORD_AUDIT_WHY_SIZE];

	for (unsigned t = ORD_STORE_ACCOUNTS; t < ORD_STORE_TABLES; t++) {
		for (size_t place = 0; place < store()->tables[t].count; place++) {
			struct memory_table before;
			drop(t, place, &before);
			cr_expect_neq(audit(why), ORD_OK, "table %u, record %zu", t, place);
			free(store()->tables[t].pairs);
			store()->tables[t] = before;
		}
	}
	cr_expect_eq(audit(why), ORD_OK);
}

/* The same by go_on, bytes_max at a time; what it gives, and how many pairs it has taken. */
static int audit_in_pieces(uint64_t bytes_max, uint64_t *ret_pairs)
{
	struct ord_partition_options options = {.id = 0, .partitions_count = 2, .store = &store()->interface};
	struct ord_pairs_checked checked = {.is_last = false};
	char why[ORD_AUDIT_WHY_SIZE];
	struct ord_audit *a = NULL;
	int err = ord_audit_open(&options, &a);
	*ret_pairs = 0;
	while (err == ORD_OK && !checked.is_last) {
		err = ord_audit_go_on(a, bytes_max, &checked, why);
		*ret_pairs += checked.pairs_count;
	}
	ord_audit_close(a);
	return err;
}

Test(partition_audit, in_pieces_it_is_the_same)
{
	static const uint64_t sizes[] = {1, 100, 700, UINT64_MAX};
	uint64_t all = 0, pairs;
	struct memory_table before;
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++)
		all += store()->tables[t].count;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		cr_expect_eq(audit_in_pieces(sizes[i], &pairs), ORD_OK);
		cr_expect_eq(pairs, all);
		drop(ORD_STORE_ACCOUNTS, 1, &before);
		cr_expect_eq(audit_in_pieces(sizes[i], &pairs), ORD_ERR_CORRUPT);
		free(store()->tables[ORD_STORE_ACCOUNTS].pairs);
		store()->tables[ORD_STORE_ACCOUNTS] = before;
	}
}

Test(partition_audit, a_record_that_comes_before_the_last_one_is_found)
{
	struct memory_pair *pairs = store()->tables[ORD_STORE_ACCOUNTS].pairs, first = pairs[0];
	uint64_t count;
	pairs[0] = pairs[1];
	pairs[1] = first;
	cr_expect_eq(audit_in_pieces(UINT64_MAX, &count), ORD_ERR_CORRUPT);
	pairs[1] = pairs[0];
	pairs[0] = first;
	cr_expect_eq(audit_in_pieces(UINT64_MAX, &count), ORD_OK);
}

/* More records than are held at a time. */
Test(partition_audit, a_state_larger_than_its_memory_is_sound)
{
	char why[ORD_AUDIT_WHY_SIZE], id[16];
	const char *bank = build_account_in("bank", 0, 2);
	const char *alice = build_account_in("alice", 0, 2);

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(id, sizeof id, "m%u", i);
		build_apply(&l, 0, build_transfer(id, bank, alice, 1), TIME_US);
	}
	checkpoint();
	cr_expect_eq(audit(why), ORD_OK, "%s", why);
}

/* They are in no digest. */
Test(partition_audit, a_count_with_a_right_checksum_is_found)
{
	static const struct {
		size_t offset; /* among the numbers */
		const char *says;
	} counts[] = {{36, "there are 2 accounts"}, {44, "there are 1 names"}, {52, "there are 6 requests"}};
	struct memory_pair *pair = memory_store_pair(store(), ORD_STORE_META, 1); /* "note", "partition" */
	char why[ORD_AUDIT_WHY_SIZE];

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		uint8_t *count = pair->bytes + pair->key_bytes + counts[i].offset;
		*count ^= 8;
		mend(ORD_STORE_META, pair);
		cr_expect_eq(audit(why), ORD_ERR_CORRUPT);
		cr_expect_eq(strncmp(why, counts[i].says, strlen(counts[i].says)), 0, "%s", why);
		*count ^= 8;
	}
}
