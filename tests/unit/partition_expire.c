/* SPDX-License-Identifier: Apache-2.0 - partition/expire: ids before the watermark are refused and never run again, whether their records are there or not, and what is under way for them comes to its end. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "partition/audit.h"
#include "partition/checkpoint.h"
#include "partition/invariants.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

#define BEGIN_MS UINT64_C(1700000000000)

static struct lab l;

/* An id of that time, in milliseconds after the begin, that lives as a request in that partition. */
static struct ord_uuid id_at(uint64_t ms, uint32_t partition, uint8_t number)
{
	uint8_t rest[10] = {[8] = number};

	for (unsigned i = 0; i < 256; i++) {
		rest[9] = (uint8_t)i;
		struct ord_uuid id = ord_uuid_v7(BEGIN_MS + ms, rest);

		if (ord_route_request(&id, l.partitions_count) == partition)
			return id;
	}
	cr_assert_fail("no id");
	return (struct ord_uuid){{0}};
}

static struct ord_command transfer_as(struct ord_uuid id, const char *payer, const char *payee, int64_t amount)
{
	struct ord_command c = build_transfer("x", payer, payee, amount);

	c.request_id = id;
	return c;
}

static struct ord_result apply_at(uint32_t partition, struct ord_command c, uint64_t ms)
{
	return build_apply(&l, partition, c, (BEGIN_MS + ms) * 1000);
}

static void expire(uint32_t partition, uint64_t watermark, uint64_t now)
{
	apply_at(partition, (struct ord_command){.kind = ORD_COMMAND_EXPIRE, .expire = {BEGIN_MS + watermark}}, now);
}

static struct ord_partition_status status_of(uint32_t partition)
{
	struct ord_partition_status status;

	ord_partition_status(l.partitions[partition], &status);
	return status;
}

static int read_request(uint32_t partition, struct ord_uuid id)
{
	struct ord_request_view view;

	return ord_partition_request(l.partitions[partition], &id, &view);
}

/* A whole checkpoint, and everything out of memory. */
static void checkpoint(uint32_t partition)
{
	lab_checkpoint_whole(&l, partition, 7);
	ord_checkpoint_evict(l.partitions[partition], 0, SIZE_MAX);
	ord_checkpoint_evict(l.partitions[partition], 0, SIZE_MAX);
}

static void start(uint32_t partitions_count)
{
	lab_open_stored(&l, partitions_count);
	for (uint32_t i = 0; i < partitions_count; i++) {
		apply_at(i, build_open("o1", build_account_in("bank", i, partitions_count), "EUR", -1000, INT64_MAX),
			 1);
		apply_at(i, build_open("o2", build_account_in("shop", i, partitions_count), "EUR", 0, 100), 1);
	}
}

static const char *bank(uint32_t partition)
{
	return build_account_in("bank", partition, l.partitions_count);
}

static const char *shop(uint32_t partition)
{
	return build_account_in("shop", partition, l.partitions_count);
}

static void check_all(void)
{
	char why[512] = "";

	cr_assert_eq(ord_invariants_check(l.partitions, l.partitions_count, why, sizeof why), ORD_OK, "%s", why);
	cr_assert(build_digests_hold(&l));
}

Test(partition_expire, an_expired_id_is_refused_and_never_run_again)
{
	start(1);
	struct ord_uuid id = id_at(100, 0, 1), never = id_at(150, 0, 2), young = id_at(5000, 0, 3);
	struct ord_command c = transfer_as(id, bank(0), shop(0), 5);

	cr_assert_eq(apply_at(0, c, 200).status, ORD_STATUS_SETTLED);
	cr_assert(apply_at(0, c, 300).replayed);
	expire(0, 1000, 6000);
	cr_assert_eq(status_of(0).expired_ms, BEGIN_MS + 1000);
	for (unsigned round = 0; round < 3; round++) {
		struct ord_result r = apply_at(0, c, 7000 + round);

		cr_assert_eq(r.status, ORD_STATUS_REJECTED);
		cr_assert_eq(r.reason, ORD_REFUSAL_REQUEST_ID_EXPIRED);
		cr_assert_not(r.replayed);
		cr_assert_eq(r.position, status_of(0).position - 1, "nothing is told of a record");
		c.transfer.amount++;
		r = apply_at(0, c, 7000 + round);
		cr_assert_eq(r.reason, ORD_REFUSAL_REQUEST_ID_EXPIRED, "another payload is no matter");
		r = apply_at(0, transfer_as(never, bank(0), shop(0), 5), 7000 + round);
		cr_assert_eq(r.reason, ORD_REFUSAL_REQUEST_ID_EXPIRED);
		cr_assert_eq(read_request(0, id), ORD_ERR_EXPIRED);
		cr_assert_eq(read_request(0, never), ORD_ERR_EXPIRED);
		cr_assert_eq(build_balance(&l, shop(0)), 5);
		checkpoint(0); /* drops the record in one of the rounds */
		expire(0, 1001 + round, 7000 + round);
	}
	cr_assert_eq(l.partitions[0]->expiry.dropped.requests_count, 1);
	cr_assert_eq(apply_at(0, transfer_as(young, bank(0), shop(0), 5), 8000).status, ORD_STATUS_SETTLED);
	cr_assert_eq(status_of(0).requests_count, 4, "all there ever were");
	check_all();
	lab_close(&l);
}

Test(partition_expire, the_watermark_goes_forward_only_and_stays_behind_the_log)
{
	start(1);
	expire(0, 1000, 6000);
	expire(0, 500, 6000);
	cr_assert_eq(status_of(0).expired_ms, BEGIN_MS + 1000);
	expire(0, 6000, 6000);
	cr_assert_eq(status_of(0).expired_ms, BEGIN_MS + 1000);
	expire(0, 5999, 6000);
	cr_assert_eq(status_of(0).expired_ms, BEGIN_MS + 5999);
	check_all();
	checkpoint(0);
	lab_restart(&l, 0);
	cr_assert_eq(status_of(0).expired_ms, BEGIN_MS + 5999);
	lab_close(&l);
}

Test(partition_expire, ids_without_a_time_or_ahead_of_it_are_kept)
{
	start(1);
	struct ord_uuid ahead = id_at(100000, 0, 1);
	struct ord_command text = build_transfer("t1", bank(0), shop(0), 1);
	struct ord_command early = transfer_as(ahead, bank(0), shop(0), 1);

	cr_assert_eq(apply_at(0, text, 200).status, ORD_STATUS_SETTLED);
	cr_assert_eq(apply_at(0, early, 200).status, ORD_STATUS_SETTLED);
	expire(0, 200000, 300000);
	for (unsigned round = 0; round < 3; round++) {
		cr_assert(apply_at(0, text, 300000).replayed);
		cr_assert(apply_at(0, early, 300000).replayed, "its record says that it came from the future");
		cr_assert_eq(read_request(0, ahead), ORD_OK);
		checkpoint(0);
	}
	cr_assert_eq(l.partitions[0]->expiry.dropped.requests_count, 0);
	check_all();
	lab_close(&l);
}

/* The next message from source to destination, if there is one. */
static bool carry(uint32_t source, uint32_t destination, uint64_t ms)
{
	uint64_t next = ord_partition_cursor(l.partitions[destination], source) + 1;

	if (next > l.letters[source][destination].count)
		return false;
	struct ord_command d = lab_deliver(&l, source, destination, next, 1);
	apply_at(destination, d, ms);
	free((void *)(uintptr_t)d.deliver.messages.base);
	return true;
}

/* Of a transfer from partition 1 to partition 2 whose request lives in 0, every partition's watermark passes the id before its first, second ... message. */
static void follow_a_transfer(unsigned expires_before, int64_t amount, enum ord_refusal reason)
{
	static const uint32_t ways[2][5][2] = {{{0, 1}, {1, 2}, {2, 0}}, {{0, 1}, {1, 2}, {2, 1}, {1, 0}}};
	unsigned steps = reason == ORD_REFUSAL_NONE ? 3 : 4;

	start(3);
	struct ord_uuid id = id_at(100, 0, 1);
	struct ord_command c = transfer_as(id, bank(1), shop(2), amount);
	cr_assert_eq(apply_at(0, c, 200).status, ORD_STATUS_ACCEPTED);
	for (unsigned step = 0; step < steps; step++) {
		for (uint32_t p = 0; step == expires_before && p < 3; p++)
			expire(p, 1000, 6000);
		for (uint32_t p = 0; p < 3; p++)
			checkpoint(p);
		cr_assert(apply_at(0, c, 6000 + step).replayed, "step %u: it is not forgotten before its outcome",
			  step);
		const uint32_t *way = ways[reason != ORD_REFUSAL_NONE][step];
		cr_assert(carry(way[0], way[1], 7000));
	}
	cr_assert_eq(status_of(0).unsettled_count, 0);
	cr_assert_eq(build_balance(&l, bank(1)), reason == ORD_REFUSAL_NONE ? -amount : 0);
	cr_assert_eq(build_balance(&l, shop(2)), reason == ORD_REFUSAL_NONE ? amount : 0);
	for (uint32_t p = 0; p < 3; p++) {
		cr_assert_eq(status_of(p).ignored_count, 0);
		for (unsigned round = 0; round < 3; round++) {
			expire(p, 1001 + round, 8000);
			checkpoint(p);
		}
	}
	cr_assert_eq(apply_at(0, c, 9000).reason, ORD_REFUSAL_REQUEST_ID_EXPIRED);
	cr_assert_eq(l.partitions[0]->expiry.dropped.requests_count, 1);
	cr_assert_eq(l.partitions[1]->expiry.dropped.stages_count, reason == ORD_REFUSAL_NONE ? 1 : 2);
	cr_assert_eq(l.partitions[2]->expiry.dropped.stages_count, 1);
	check_all();
	for (uint32_t p = 0; p < 3; p++) {
		struct ord_partition_status before = status_of(p);

		lab_restart(&l, p);
		cr_assert_arr_eq(status_of(p).state_digest, before.state_digest, sizeof before.state_digest);
	}
	check_all();
	lab_close(&l);
}

Test(partition_expire, what_is_under_way_comes_to_its_end)
{
	for (unsigned before = 0; before < 4; before++)
		follow_a_transfer(before, 50, ORD_REFUSAL_NONE);
	for (unsigned before = 0; before < 5; before++)
		follow_a_transfer(before, 101, ORD_REFUSAL_ABOVE_CEILING);
}

/* Replicas drop at different times: digests say so never. */
Test(partition_expire, replicas_that_dropped_and_that_did_not_are_equal)
{
	start(1);
	for (unsigned i = 0; i < 50; i++)
		apply_at(0, transfer_as(id_at(100 + i, 0, (uint8_t)i), bank(0), shop(0), i < 40 ? 1 : 200), 300);
	checkpoint(0);
	expire(0, 130, 6000);
	struct ord_partition *other = lab_replay(&l, 0, l.logs[0].count);
	for (unsigned round = 0; round < 3; round++) {
		struct ord_partition_status a, b;

		checkpoint(0);
		ord_partition_status(other, &b);
		a = status_of(0);
		cr_assert_arr_eq(a.state_digest, b.state_digest, sizeof a.state_digest);
		cr_assert_eq(a.requests_count, b.requests_count);
		check_all();
		ord_checkpoint_evict(l.partitions[0], 0, SIZE_MAX);
		ord_checkpoint_evict(l.partitions[0], 0, SIZE_MAX);
	}
	cr_assert_eq(l.partitions[0]->expiry.dropped.requests_count, 30);
	cr_assert_eq(other->expiry.dropped.requests_count, 0);
	cr_assert_eq(l.stores[0].store.tables[ORD_STORE_REQUESTS].count, 22);
	ord_partition_close(other);
	lab_close(&l);
}

/* Adds every pair of the store to an audit. */
static int audit_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct {
		struct ord_audit *audit;
		enum ord_store_table table;
	} *feed = arg;

	return ord_audit_add(feed->audit, feed->table, key, value);
}

Test(partition_expire, a_stored_state_with_gaps_is_sound_and_one_with_more_gaps_is_not)
{
	start(1);
	for (unsigned i = 0; i < 20; i++)
		apply_at(0, transfer_as(id_at(100 + i, 0, (uint8_t)i), bank(0), shop(0), 1), 300);
	checkpoint(0);
	expire(0, 110, 6000);
	for (unsigned round = 0; round < 3; round++)
		checkpoint(0);
	for (unsigned broken = 0; broken < 2; broken++) {
		const struct ord_store *store = &l.stores[0].store.interface;
		struct ord_partition_options options = {.id = 0, .partitions_count = 1, .store = store};
		struct {
			struct ord_audit *audit;
			enum ord_store_table table;
		} feed = {NULL, ORD_STORE_META};
		char why[ORD_AUDIT_WHY_SIZE] = "";

		if (broken == 1)
			l.stores[0].store.tables[ORD_STORE_REQUESTS].count--;
		cr_assert_eq(ord_audit_open(&options, &feed.audit), ORD_OK);
		for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES; t++) {
			feed.table = (enum ord_store_table)t;
			cr_assert_eq(store->walk(store->ctx, feed.table, (struct ord_slice){0}, audit_cb, &feed),
				     ORD_OK);
		}
		cr_assert_eq(ord_audit_finish(feed.audit, why), broken == 0 ? ORD_OK : ORD_ERR_CORRUPT, "%s", why);
		ord_audit_close(feed.audit);
		if (broken == 1)
			l.stores[0].store.tables[ORD_STORE_REQUESTS].count++;
	}
	lab_close(&l);
}

/* Many more than one checkpoint looks at; every step does little. */
Test(partition_expire, a_sweep_goes_on_where_it_was)
{
	start(1);
	for (unsigned i = 0; i < 3000; i++) {
		uint8_t rest[10] = {[8] = (uint8_t)(i >> 8), [9] = (uint8_t)i};
		struct ord_command c = build_claim("x", "names", "n", "o");

		c.request_id = ord_uuid_v7(BEGIN_MS + 100, rest);
		apply_at(0, c, 300);
	}
	checkpoint(0);
	expire(0, 200, 6000);
	checkpoint(0);
	uint64_t first = l.partitions[0]->expiry.dropped.requests_count;
	cr_assert(first > 500 && first < 2000, "%llu", (unsigned long long)first);
	for (unsigned round = 0; round < 3; round++)
		checkpoint(0);
	cr_assert_eq(l.partitions[0]->expiry.dropped.requests_count, 3000);
	struct ord_partition_status before = status_of(0);
	lab_restart(&l, 0);
	cr_assert_arr_eq(status_of(0).state_digest, before.state_digest, sizeof before.state_digest);
	cr_assert_eq(l.partitions[0]->expiry.dropped.requests_count, 3000);
	check_all();
	lab_close(&l);
}
