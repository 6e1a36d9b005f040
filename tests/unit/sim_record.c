/* SPDX-License-Identifier: Apache-2.0 - the record of the simulator: it is content with a right history, and finds each thing that is broken on purpose. */
#include "tests/sim/record.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "partition/block.h"
#include "partition/request.h"
#include "partition/route.h"
#include "partition/state.h"
#include "tests/support/partition_build.h"
#include "tests/support/sim_stub_history.h"
#include "tests/support/sim_stub_record.h"
#include "tests/support/text.h"

static struct history_names names;

static void make(void)
{
	names = history_open();
}

TestSuite(sim_record, .init = make, .fini = history_close, .timeout = 30);

static struct ord_request *request_of(struct ord_partition *p, const char *id)
{
	struct ord_uuid uuid = text_id_of(id);

	return ord_request_find(p, &uuid);
}

static void command(struct ord_command c)
{
	history_command(c);
}

/* --- What is right. --- */

static void settle_and_check(void)
{
	history_settle();
	sim_record_check();
}

static void live_a_life(void)
{
	command(history_transfer("paid", 2, names.bank, names.alice, 100));
	history_settle();
	command(history_transfer("poor", 2, names.alice, names.bob, 5000));
	command(history_transfer("lost", 0, names.alice, names.nobody, 10));
	command(history_transfer("much", 1, names.bank, names.bob, 501));
	sim_record_check();
	history_settle();
	command(history_transfer("paid", 2, names.bank, names.alice, 100));
	command(history_transfer("paid", 2, names.bank, names.alice, 101));
	command(build_claim("n1", "users", "ada", "node-1"));
	command(build_claim("n2", "users", "ada", "node-2"));
	command(build_reassign("n3", "users", "ada", "node-1", "node-3"));
	command(build_release("n4", "users", "ada", "node-1"));
	command(build_release("n5", "users", "ada", "node-3"));
	command(build_release("n6", "users", "ada", "node-3"));
	command(build_claim("n7", "users", "ada", "node-2"));
	command(build_set("s1", names.bob, ORD_ACCOUNT_FROZEN));
	command(build_set("s2", names.alice, ORD_ACCOUNT_CLOSED));
	command(build_open("o4", names.alice, "USD", 0, 1));
	history_log(1, NULL, 0);
	sim_record_check();
}

Test(sim_record, a_right_history_is_taken_as_such)
{
	char why[200] = "";

	expect_content(live_a_life);
	cr_assert(sim_record_is_settled(why, sizeof why), "%s", why);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_SETTLED_REMOTE), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REJECTED_BY_PAYER), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REFUNDED), 2);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REPLAYED), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REFUSED_ID_REUSED), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_NAME_CONFLICT), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_NAME_REASSIGNED), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_NAME_CLAIMED_AGAIN), 1);
	cr_assert_eq(sim_record_applied(1, 1), sim_record_entries(1));
}

static void live_at_the_limits(void)
{
	/* Bob is filled up while a transfer of his is under way that comes back. */
	command(history_transfer("fill", 2, names.bank, names.bob, 500));
	history_settle();
	command(history_transfer("back", 0, names.bob, names.alice, 100));
	history_move(0, 2);
	command(build_set("s1", names.alice, ORD_ACCOUNT_FROZEN));
	command(build_set("s2", names.bob, ORD_ACCOUNT_FROZEN));
	command(build_set("s3", names.bob, ORD_ACCOUNT_OPEN));
	command(history_transfer("more", 0, names.bank, names.bob, 100));
	history_move(0, 2);
	command(build_set("s4", names.bob, ORD_ACCOUNT_FROZEN));
	history_settle();
	sim_record_check();
}

Test(sim_record, refunds_pass_what_credits_do_not)
{
	expect_content(live_at_the_limits);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REFUND_OVER_CEILING), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REFUND_TO_FROZEN), 1);
	cr_assert_gt(sim_stub_record_covered(SIM_COVER_ACCOUNT_FROZEN_IN_FLIGHT), 0);
}

static void live_in_one_partition(void)
{
	const char *neighbour = build_account_in("near", 0, HISTORY_PARTITIONS);
	struct ord_command batch[3] = {
		build_open("o4", neighbour, "EUR", 0, 100),
		history_transfer("here", 0, names.bank, neighbour, 70),
		history_transfer("over", 0, names.bank, neighbour, 70),
	};

	history_log(0, batch, 3);
	sim_record_check();
}

Test(sim_record, a_transfer_within_one_partition_is_done_by_its_entry)
{
	expect_content(live_in_one_partition);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_SETTLED_LOCAL), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REFUNDED), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_PATH_IN_ONE_PARTITION), 2);
}

static void deliver_anyhow(void)
{
	struct ord_command d;

	command(history_transfer("one", 0, names.alice, names.bob, 1));
	command(history_transfer("two", 0, names.alice, names.bob, 1));
	command(history_transfer("three", 0, names.alice, names.bob, 1));
	d = history_deliver(0, 1, 2, 1);
	history_log(1, &d, 1); /* a gap */
	d = history_deliver(0, 1, 1, 2);
	history_log(1, &d, 1);
	history_log(1, &d, 1); /* nothing new */
	d = history_deliver(0, 1, 2, 2);
	history_log(1, &d, 1); /* one that is new */
	settle_and_check();
}

Test(sim_record, deliveries_may_come_twice_or_too_early)
{
	expect_content(deliver_anyhow);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_DELIVER_GAP), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_DELIVER_DUPLICATE), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_DELIVER_OVERLAP), 1);
	cr_assert_eq(ord_partition_cursor(sim_record_partition(1), 0), 3);
}

static void restart_on_the_way(void)
{
	command(history_transfer("one", 2, names.bank, names.nobody, 1));
	history_restart(1, 2);
	history_move(2, 0);
	history_restart(1, 2);
	history_restart(1, UINT64_MAX);
	settle_and_check();
}

Test(sim_record, a_node_that_starts_again_applies_from_the_beginning)
{
	expect_content(restart_on_the_way);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REPLAY_AFTER_CRASH_AT_REQUEST), 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_REPLAY_AFTER_CRASH_AT_DEBIT), 2);
	for (uint32_t i = 0; i < HISTORY_PARTITIONS; i++)
		cr_assert_eq(sim_record_applied(1, i), sim_record_entries(i));
}

Test(sim_record, what_the_dead_apply_has_not_happened)
{
	struct ord_bytes b;
	struct ord_effects fx;
	uint64_t known = sim_record_entries(0);

	ord_effects_init(&fx);
	ord_bytes_init(&b, 1000);
	ord_entry_begin(&b, 1);
	ord_entry_end(&b, 0);
	for (enum sim_process_state state = SIM_DYING; state <= SIM_GHOST; state++) {
		sim_stub_record_enter(1, state);
		cr_assert_eq(ord_partition_apply(history_replica(1, 0), ord_bytes_slice(&b), &fx), ORD_OK);
	}
	cr_assert_eq(sim_record_entries(0), known);
	cr_assert_eq(sim_record_applied(1, 0), known);
	ord_bytes_close(&b);
	ord_effects_close(&fx);
}

Test(sim_record, boundaries_are_ends_of_entries)
{
	struct ord_command batch[2] = {build_claim("n1", "users", "ada", "one"),
				       build_claim("n2", "users", "ada", "two")};
	uint32_t p = ord_route_command(&batch[0], HISTORY_PARTITIONS);
	uint64_t before = sim_record_position(p);

	history_log(p, NULL, 0);
	history_log(p, batch, 2);
	history_log(p, NULL, 0);
	cr_assert_eq(sim_record_boundary(p, before), before + 2);
	cr_assert_eq(sim_record_boundary(p, before + 1), before + 2);
	cr_assert_eq(sim_record_boundary(p, 0), 1);
}

Test(sim_record, nothing_is_settled_while_something_is_under_way)
{
	char why[200];

	command(history_transfer("one", 2, names.bank, names.alice, 1));
	cr_assert_not(sim_record_is_settled(why, sizeof why));
	cr_assert_not_null(strstr(why, "no outcome"), "%s", why);
	while (!sim_record_is_settled(why, sizeof why) && strstr(why, "no outcome") != NULL) {
		struct ord_command d;

		for (uint32_t s = 0; s < HISTORY_PARTITIONS; s++) {
			for (uint32_t to = 0; to < HISTORY_PARTITIONS; to++) {
				uint64_t due = ord_partition_cursor(sim_record_partition(to), s) + 1;

				if (s == to || due >= ord_partition_outbox_next(sim_record_partition(s), to))
					continue;
				d = history_deliver(s, to, due, 1);
				history_log(to, &d, 1);
			}
		}
	}
	cr_assert_not_null(strstr(why, "not trimmed"), "%s", why);
}

/* --- Replicas that differ (5). --- */

static void apply_other_bytes(void)
{
	struct ord_command a = build_claim("n1", "users", "ada", "one"), b = build_claim("n1", "users", "ada", "two");
	uint32_t p = ord_route_command(&a, HISTORY_PARTITIONS);

	history_log_on(1, p, &a, 1, history_time_us());
	history_log_on(2, p, &b, 1, history_time_us());
}

static void open_another(void)
{
	const char *other = build_account_in("other", 1, HISTORY_PARTITIONS);

	command(build_open("o5", other, "EUR", 0, INT64_MAX));
}

static void ask_again(void)
{
	command(build_open("o2", names.alice, "EUR", 0, INT64_MAX));
}

Test(sim_record, another_entry_at_the_same_place_is_found)
{
	expect_failure(apply_other_bytes, "another entry");
}

Test(sim_record, another_state_of_a_replica_is_found)
{
	history_replica(2, 1)->digest.sum[0]++;
	expect_failure(open_another, "node 2, partition 1, entry 1: another state");
}

Test(sim_record, another_history_of_a_replica_is_found)
{
	history_replica(2, 1)->chain.hash[3] ^= 1;
	expect_failure(open_another, "another history");
}

Test(sim_record, another_position_of_a_replica_is_found)
{
	history_replica(2, 1)->position++;
	expect_failure(open_another, "another position");
}

Test(sim_record, other_effects_of_a_replica_are_found)
{
	request_of(history_replica(3, 1), "o2")->reason = ORD_REFUSAL_ACCOUNT_DIFFERS;
	expect_failure(ask_again, "node 3, partition 1, entry 1: other effects");
}

Test(sim_record, the_first_replica_is_held_against_the_copy)
{
	history_copy(1)->digest.sum[0]++;
	expect_failure(open_another, "node 1, partition 1, entry 1: another state");
}

static void apply_garbage(void)
{
	struct ord_effects fx;

	ord_effects_init(&fx);
	sim_stub_record_enter(1, SIM_UP);
	ord_partition_apply(history_replica(1, 0), ord_slice_text("this is no entry"), &fx);
}

Test(sim_record, an_entry_that_cannot_be_applied_is_found)
{
	expect_failure(apply_garbage, "cannot be applied");
}

Test(sim_record, an_entry_that_moves_too_far_is_found)
{
	history_copy(1)->position++;
	expect_failure(open_another, "has 1 commands and moves the position from 1 to 3");
}

static void apply_nothing(void)
{
	history_log(1, NULL, 0);
}

Test(sim_record, an_entry_without_commands_that_changes_something_is_found)
{
	history_copy(1)->unsettled_count++;
	expect_failure(apply_nothing, "has no commands, and changes the state");
}

static void apply_the_past(void)
{
	history_log_on(1, 0, NULL, 0, 1);
}

Test(sim_record, time_that_goes_back_is_found)
{
	expect_failure(apply_the_past, "before that of the one before it");
}

/* --- What a replica is given and does not apply. --- */

/* An entry with one command, of a time of its own. The bytes are valid until the next call. */
static struct ord_slice entry_of(struct ord_command c, uint64_t time_us)
{
	static uint8_t room[1024];
	struct ord_bytes out = {.base = room, .capacity = sizeof room, .bytes_max = sizeof room};

	ord_entry_begin(&out, time_us);
	ord_command_encode(&c, &out);
	ord_entry_end(&out, 1);
	cr_assert_not(out.failed);
	return ord_bytes_slice(&out);
}

/* The copy of partition 0 has applied the entry that opens the bank's account, which nobody gave an index. */
static struct ord_slice next_entry(const char *account)
{
	return entry_of(build_open(account, build_account_in(account, 0, HISTORY_PARTITIONS), "EUR", 0, 500),
			history_time_us());
}

static struct ord_block_end end_at(uint64_t index)
{
	struct ord_partition_status status;
	struct ord_block_end end = {.number = 1, .last_index = index};

	ord_partition_status(sim_record_partition(0), &status);
	end.next_position = status.position;
	memcpy(end.chain, status.history_hash, sizeof end.chain);
	return end;
}

static void give_and_find(void)
{
	sim_record_given(3, 0, 7, next_entry("one"));
	sim_record_given(2, 0, 7, next_entry("one"));
	struct ord_block_end end = end_at(7);
	sim_record_found_history(3, 0, &end);
}

Test(sim_record, what_only_a_fenced_replica_was_given_is_known)
{
	uint64_t count = sim_record_entries(0), position = sim_record_position(0);

	expect_content(give_and_find);
	cr_assert_eq(sim_record_entries(0), count + 1);
	cr_assert_eq(sim_record_position(0), position + 1);
	cr_assert_eq(sim_stub_record_covered(SIM_COVER_COMMITTED_UNAPPLIED), 1);
}

static void find_what_nobody_was_given(void)
{
	sim_record_given(3, 0, 7, next_entry("one"));
	struct ord_block_end end = end_at(9);
	sim_record_found_history(3, 0, &end);
}

Test(sim_record, a_history_with_more_than_anybody_was_given_is_found)
{
	expect_failure(find_what_nobody_was_given, "up to index 9 that nobody has");
}

static void give_another(void)
{
	sim_record_given(3, 0, 7, next_entry("one"));
	sim_record_given(2, 0, 7, next_entry("two"));
}

Test(sim_record, another_entry_given_to_a_fenced_replica_is_found)
{
	expect_failure(give_another, "node 2, partition 0 is given another entry at index 7 than others");
}

static void apply_another(void)
{
	struct ord_effects fx;

	sim_record_given(3, 0, 7, next_entry("one"));
	ord_effects_init(&fx);
	sim_stub_record_enter(1, SIM_UP);
	ord_partition_apply(history_replica(1, 0), next_entry("two"), &fx);
}

Test(sim_record, another_entry_than_a_fenced_replica_was_given_is_found)
{
	expect_failure(apply_another, "another entry than others applied there");
}

static void give_with_a_gap(void)
{
	sim_record_given(3, 0, 7, next_entry("one"));
	sim_record_given(2, 0, 9, next_entry("two"));
}

Test(sim_record, an_entry_given_without_the_one_before_it_is_found)
{
	expect_failure(give_with_a_gap, "node 2, partition 0 is given index 9 after 0: others have 7 before it");
}

static void give_in_between(void)
{
	sim_record_given(3, 0, 7, next_entry("one"));
	sim_record_given(3, 0, 9, next_entry("two"));
	sim_record_given(2, 0, 7, next_entry("one"));
	sim_record_given(2, 0, 8, next_entry("two"));
}

Test(sim_record, an_entry_given_between_two_that_others_have_is_found)
{
	expect_failure(give_in_between, "is given index 8 after 7: others have 7 before it and 1 entries behind it");
}
