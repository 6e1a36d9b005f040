/* SPDX-License-Identifier: Apache-2.0 - checkpoints, and records that leave memory and come back. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/account.h"
#include "partition/checkpoint.h"
#include "partition/name.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/state.h"
#include "tests/support/lab.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

#define TIME_US 1700000000000000u
#define ALL SIZE_MAX

static struct lab l;

static void open_lab(void)
{
	lab_open_stored(&l, 1);
	build_apply(&l, 0, build_open("o1", "bank", "EUR", -1000000, INT64_MAX), TIME_US);
	build_apply(&l, 0, build_open("o2", "alice", "EUR", 0, INT64_MAX), TIME_US);
	build_apply(&l, 0, build_transfer("t1", "bank", "alice", 100), TIME_US);
	build_apply(&l, 0, build_claim("n1", "users", "ada", "node-1"), TIME_US);
}

static void close_lab(void)
{
	lab_close(&l);
}

TestSuite(partition_checkpoint, .init = open_lab, .fini = close_lab);

static struct ord_partition *part(void)
{
	return l.partitions[0];
}

static struct ord_partition_status status_of(const struct ord_partition *p)
{
	struct ord_partition_status status;

	ord_partition_status(p, &status);
	return status;
}

static bool under_way(void)
{
	struct ord_checkpoint_status status;

	ord_checkpoint_status(part(), &status);
	return status.under_way;
}

/* A whole checkpoint, from begin to end. */
static void checkpoint(void)
{
	lab_checkpoint_whole(&l, 0, ALL);
}

static void evict(void)
{
	ord_checkpoint_evict(part(), 0, ALL);
	ord_checkpoint_evict(part(), 0, ALL); /* what was used goes the second time */
}

static uint64_t memory_bytes(void)
{
	struct ord_checkpoint_status status;

	ord_checkpoint_status(part(), &status);
	return status.memory_bytes;
}

static void same_state(const struct ord_partition_status *a, const struct ord_partition_status *b)
{
	cr_expect_eq(memcmp(a->state_digest, b->state_digest, sizeof a->state_digest), 0);
	cr_expect_eq(memcmp(a->history_hash, b->history_hash, sizeof a->history_hash), 0);
	cr_expect_eq(a->position, b->position);
	cr_expect_eq(a->accounts_count, b->accounts_count);
	cr_expect_eq(a->names_count, b->names_count);
	cr_expect_eq(a->requests_count, b->requests_count);
}

Test(partition_checkpoint, what_was_written_can_leave_memory_and_comes_back)
{
	struct ord_partition_status before = status_of(part());

	checkpoint();
	evict();
	cr_expect_eq(memory_bytes(), 0);
	cr_expect_eq(build_balance(&l, "alice"), 100);
	cr_expect_eq(build_request(&l, 0, "t1").status, ORD_STATUS_SETTLED);
	struct ord_partition_status after = status_of(part());
	same_state(&before, &after);
	cr_expect(build_digests_hold(&l));
}

Test(partition_checkpoint, what_was_not_written_stays)
{
	evict();
	cr_expect_gt(memory_bytes(), 0);
	checkpoint();
	evict();
	build_apply(&l, 0, build_transfer("t2", "alice", "bank", 30), TIME_US);
	evict();
	cr_expect_gt(memory_bytes(), 0, "the two accounts and the new transfer are in memory alone");
	cr_expect_eq(build_balance(&l, "alice"), 70);
}

Test(partition_checkpoint, a_repeat_is_recognised_from_the_store)
{
	checkpoint();
	evict();
	struct ord_result r = build_apply(&l, 0, build_transfer("t1", "bank", "alice", 100), TIME_US);
	cr_expect(r.replayed);
	cr_expect_eq(r.status, ORD_STATUS_SETTLED);
	evict();
	r = build_apply(&l, 0, build_transfer("t1", "bank", "alice", 99), TIME_US);
	cr_expect_eq(r.reason, ORD_REFUSAL_ID_REUSED);
	cr_expect_str_eq(r.field, "amount");
	cr_expect_eq(build_balance(&l, "alice"), 100);
	evict();
	r = build_apply(&l, 0, build_claim("n2", "users", "ada", "node-2"), TIME_US);
	cr_expect_eq(r.reason, ORD_REFUSAL_NAME_TAKEN);
}

/* The state is that of the position where the checkpoint began, whatever changes while it is encoded, row by row. */
Test(partition_checkpoint, is_of_one_position)
{
	size_t entries = l.logs[0].count;

	for (size_t steps = 0; steps < 8; steps++) {
		lab_checkpoint(&l, 0, 1); /* begins */
		for (size_t i = 0; i < steps; i++)
			lab_checkpoint(&l, 0, 1);
		char id[8], other[8], third[8];
		snprintf(id, sizeof id, "m%zu", steps);
		snprintf(other, sizeof other, "r%zu", steps);
		snprintf(third, sizeof third, "c%zu", steps);
		build_apply(&l, 0, build_transfer(id, "alice", "bank", 1), TIME_US);
		build_apply(&l, 0, build_release(other, "users", "ada", "node-1"), TIME_US);
		build_apply(&l, 0, build_claim(third, "users", "ada", "node-1"), TIME_US);
		while (under_way())
			lab_checkpoint(&l, 0, 1);

		struct ord_partition_options options = {.partitions_count = 1, .store = &l.stores[0].store.interface};
		struct ord_partition *found;
		cr_assert_eq(ord_partition_open(&options, &found), ORD_OK);
		struct ord_partition *replayed = lab_replay(&l, 0, entries);
		struct ord_partition_status a = status_of(found), b = status_of(replayed);
		same_state(&a, &b);
		uint64_t digest[2];
		cr_assert_eq(ord_partition_digest_recompute(found, digest), ORD_OK);
		cr_expect_eq(memcmp(digest, b.state_digest, sizeof digest), 0, "after %zu steps", steps);
		ord_partition_close(found);
		ord_partition_close(replayed);
		entries = l.logs[0].count;
	}
}

Test(partition_checkpoint, a_name_given_up_and_taken_between_checkpoints)
{
	checkpoint();
	build_apply(&l, 0, build_release("n3", "users", "ada", "node-1"), TIME_US);
	struct ord_name_view view;
	cr_expect_eq(ord_partition_name(part(), ord_slice_text("users"), ord_slice_text("ada"), &view),
		     ORD_ERR_NOT_FOUND, "the store still has it");
	evict();
	cr_expect_eq(ord_partition_name(part(), ord_slice_text("users"), ord_slice_text("ada"), &view),
		     ORD_ERR_NOT_FOUND);
	build_apply(&l, 0, build_claim("n4", "users", "ada", "node-2"), TIME_US);
	build_apply(&l, 0, build_release("n5", "users", "ada", "node-2"), TIME_US);
	build_apply(&l, 0, build_claim("n6", "users", "ada", "node-3"), TIME_US);
	checkpoint();
	evict();
	cr_assert_eq(ord_partition_name(part(), ord_slice_text("users"), ord_slice_text("ada"), &view), ORD_OK);
	cr_expect(ord_slice_equal(view.owner, ord_slice_text("node-3")));
	build_apply(&l, 0, build_release("n7", "users", "ada", "node-3"), TIME_US);
	checkpoint();
	evict();
	cr_expect_eq(ord_partition_name(part(), ord_slice_text("users"), ord_slice_text("ada"), &view),
		     ORD_ERR_NOT_FOUND);
	cr_expect_eq(memory_bytes(), 0);
}

/* Requests and stages come and go; four hundred accounts are used again and again, each of them seldom. */
Test(partition_checkpoint, what_passes_does_not_push_out_what_lasts)
{
	enum { ACCOUNTS = 400, ROUNDS = 10 };
	char id[24], account[24];

	for (unsigned i = 0; i < ACCOUNTS; i++) {
		snprintf(id, sizeof id, "o-%u", i);
		snprintf(account, sizeof account, "a-%u", i);
		build_apply(&l, 0, build_open(id, account, "EUR", -1000000, INT64_MAX), TIME_US);
	}
	checkpoint();
	uint64_t limit = memory_bytes(); /* half of it for the accounts */
	for (unsigned i = 0; i < ROUNDS * ACCOUNTS; i++) {
		snprintf(id, sizeof id, "p-%u", i);
		snprintf(account, sizeof account, "a-%u", i % ACCOUNTS);
		build_apply(&l, 0, build_transfer(id, "bank", account, 1), TIME_US);
		if (i % 20 == 19)
			checkpoint();
		ord_checkpoint_evict(part(), limit, ALL);
		cr_assert_leq(memory_bytes(), limit);
	}
	uint64_t gets_before = l.stores[0].store.gets_count;
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		snprintf(account, sizeof account, "a-%u", i);
		cr_expect_eq(build_balance(&l, account), ROUNDS);
	}
	cr_expect_eq(l.stores[0].store.gets_count - gets_before, 0, "all accounts are there");
	gets_before = l.stores[0].store.gets_count;
	cr_expect_eq(build_request(&l, 0, id).status, ORD_STATUS_SETTLED);
	cr_expect_eq(l.stores[0].store.gets_count - gets_before, 0, "the last request is there");
	cr_expect_eq(build_request(&l, 0, "p-0").status, ORD_STATUS_SETTLED);
	cr_expect_gt(l.stores[0].store.gets_count - gets_before, 0, "the first one left");
}

/* Far more postings than a straight walk back would do; every one is found, in memory and out of it. */
Test(partition_checkpoint, any_posting_is_found)
{
	char id[17];

	for (unsigned i = 0; i < 1200; i++) {
		snprintf(id, sizeof id, "p%u", i);
		build_apply(&l, 0, build_transfer(id, "bank", "alice", 1 + i), TIME_US);
		if (i == 700) {
			checkpoint();
			evict();
		}
	}
	for (uint64_t number = 2; number <= 1201; number++) {
		struct ord_posting_view views[2];
		size_t count;
		uint64_t gets_before = l.stores[0].store.gets_count;

		cr_assert_eq(ord_partition_history(part(), ord_slice_text("alice"), number, views, 2, &count), ORD_OK);
		cr_assert_eq(count, number == 1201 ? 1 : 2);
		cr_assert_eq(views[0].number, number);
		cr_assert_eq(views[0].amount, (int64_t)number - 1);
		cr_assert_lt(l.stores[0].store.gets_count - gets_before, 80);
	}
}

Test(partition_checkpoint, a_store_that_fails_is_an_error_before_anything_changes)
{
	checkpoint();
	evict();
	struct ord_command c = build_transfer("t5", "alice", "bank", 1);
	struct ord_partition_status before = status_of(part());
	struct ord_bytes entry;

	ord_bytes_init(&entry, 4096);
	ord_entry_begin(&entry, TIME_US);
	struct ord_command first = build_open("o5", "new", "EUR", 0, 5);
	ord_command_encode(&first, &entry);
	ord_command_encode(&c, &entry);
	ord_entry_end(&entry, 2);
	static const int errors[] = {ORD_ERR_IO, ORD_ERR_CORRUPT};
	for (size_t i = 0; i < 2; i++) {
		l.stores[0].store.fails = errors[i];
		cr_expect_eq(ord_partition_apply(part(), ord_bytes_slice(&entry), &l.fx), errors[i]);
		struct ord_partition_status after = status_of(part());
		same_state(&before, &after);
	}
	l.stores[0].store.fails = ORD_OK;
	cr_expect_eq(ord_partition_apply(part(), ord_bytes_slice(&entry), &l.fx), ORD_OK);
	ord_bytes_close(&entry);
}

/* Each bit of each value, and of keys as far as a look-up still finds them. */
Test(partition_checkpoint, a_flipped_bit_in_the_store_is_found)
{
	checkpoint();
	for (int table = ORD_STORE_META; table < ORD_STORE_TABLES; table++) {
		for (size_t i = 0; i < l.stores[0].store.tables[table].count; i++) {
			struct memory_pair *pair = memory_store_pair(&l.stores[0].store, table, i);

			for (size_t bit = 0; bit < (pair->key_bytes + pair->value_bytes) * 8; bit += 3) {
				struct ord_partition_options options = {.partitions_count = 1,
									.store = &l.stores[0].store.interface};
				struct ord_partition *p = NULL;
				struct ord_slice note;
				uint64_t digest[2];

				if (table == ORD_STORE_META && bit < pair->key_bytes * 8)
					continue; /* a state that is not there is an empty one: the owner knows that there was one */
				pair->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
				int err = ord_partition_open(&options, &p);
				if (err == ORD_OK)
					err = ord_partition_digest_recompute(p, digest);
				if (err == ORD_OK)
					err = ord_checkpoint_note(p, &note);
				cr_expect_eq(err, ORD_ERR_CORRUPT, "table %d, pair %zu, bit %zu: %s", table, i, bit,
					     ord_err_text(err));
				ord_partition_close(p);
				pair->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
		}
	}
}

Test(partition_checkpoint, a_state_of_another_partition_is_refused)
{
	checkpoint();
	struct ord_partition_options options = {.partitions_count = 2, .store = &l.stores[0].store.interface};
	struct ord_partition *p;

	cr_expect_eq(ord_partition_open(&options, &p), ORD_ERR_MISMATCH);
}

/* --- Which ids may be in the store. --- */

static struct ord_uuid id_at(uint64_t ms)
{
	static const uint8_t random[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

	return ord_uuid_v7(ms, random);
}

Test(partition_checkpoint, a_newer_id_is_not_looked_up)
{
	uint64_t now_ms = TIME_US / 1000;
	struct ord_row_ids ids = {0};
	struct ord_uuid early = id_at(now_ms - 5000), late = id_at(now_ms), next = id_at(now_ms + 1);

	cr_expect_not(ord_row_ids_may_hold(&ids, &early));
	ord_row_ids_add(&ids, &late, TIME_US);
	cr_expect(ord_row_ids_may_hold(&ids, &early));
	cr_expect(ord_row_ids_may_hold(&ids, &late));
	cr_expect_not(ord_row_ids_may_hold(&ids, &next));
}

/* One client whose clock is years ahead must not make all others' ids look old. */
Test(partition_checkpoint, an_id_ahead_of_its_time_counts_as_one_without_time)
{
	uint64_t now_ms = TIME_US / 1000;
	struct ord_row_ids ids = {0};
	struct ord_uuid ahead = id_at(now_ms + 3600000), next = id_at(now_ms + 1);

	ord_row_ids_add(&ids, &ahead, TIME_US);
	cr_expect(ids.odd);
	cr_expect_eq(ids.newest_ms, 0);
	cr_expect(ord_row_ids_may_hold(&ids, &next), "nothing can be said any more");
}

/* New ids ask the store nothing, whatever has left memory. */
Test(partition_checkpoint, new_requests_do_not_read)
{
	struct ord_command c = build_transfer("x", "bank", "alice", 1);
	uint64_t ms = TIME_US / 1000;

	lab_close(&l);
	lab_open_stored(&l, 1);
	c.request_id = id_at(ms++);
	build_apply(&l, 0, c, ms * 1000);
	checkpoint();
	evict();
	uint64_t gets_before = l.stores[0].store.gets_count;
	for (int i = 0; i < 100; i++) {
		c.request_id = id_at(ms++);
		build_apply(&l, 0, c, ms * 1000);
		if (i % 10 == 0) {
			checkpoint();
			evict();
		}
	}
	cr_expect_eq(l.stores[0].store.gets_count, gets_before);
}
