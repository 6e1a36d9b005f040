/* SPDX-License-Identifier: Apache-2.0 - groups whose state is lost, taken back to an earlier one, or held. */
#include <criterion/criterion.h>
#include <raft.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/raft_lone.h"

static struct raft_lone *l;

static void open_lone(void)
{
	l = raft_lone_make();
	l->trailing_bytes = 1;
}

static void close_lone(void)
{
	raft_lone_free(l);
}

TestSuite(raft_lost, .init = open_lone, .fini = close_lone);

static struct ord_group_status status(uint32_t group)
{
	struct ord_group_status s;
	ord_host_group_status(l->host, group, &s);
	return s;
}

/* Commands first .. last, of that term, from node 2. */
static void append_commands(uint32_t group, uint64_t term, uint64_t first, uint64_t last, uint64_t before_term,
			    uint64_t commit)
{
	struct raft_lone_entry e[64];
	uint32_t count = (uint32_t)(last - first + 1);
	cr_assert_leq(count, 64);
	for (uint32_t i = 0; i < count; i++)
		e[i] = raft_lone_command(term, "command");
	cr_assert_eq(raft_lone_append(l, 2, group, term, first - 1, before_term, commit, e, count), ORD_OK);
	raft_lone_sync(l);
}

static void restart(struct ord_base base)
{
	raft_lone_crash(l);
	l->bases[0] = base;
	cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
	raft_lone_sync(l);
	raft_lone_forget(l);
}

/* Node 1 has entries 1 .. 30, committed up to 25, and released up to that index. */
static void follow(uint64_t released)
{
	raft_lone_start(l);
	append_commands(0, 1, 2, 30, 1, 25);
	ord_host_release(l->host, 0, released);
	cr_assert_eq(status(0).base_index, released);
	raft_lone_forget(l);
}

static const struct ord_base lost = {.lost = true};

static bool says_anything(uint32_t group)
{
	for (uint32_t i = 0; i < l->sent_count; i++)
		if (l->sent[i].group == group)
			return true;
	return false;
}

/* Nobody's vote and nobody's acknowledgement: what it acknowledged may be in the state that it lacks. */
Test(raft_lost, a_group_without_its_base_takes_no_part)
{
	follow(20);
	restart(lost);
	cr_expect_eq(status(0).role, ORD_ROLE_UNAVAILABLE);
	cr_expect_eq(status(0).last_index, 30);
	cr_assert_eq(raft_lone_ask_vote(l, 2, 0, 9, 100, 8, true), ORD_OK);
	cr_assert_eq(raft_lone_ask_vote(l, 2, 0, 9, 100, 8, false), ORD_OK);
	raft_lone_sync(l);
	append_commands(0, 1, 31, 31, 1, 31);
	raft_lone_pass(l, 5000);
	cr_expect_not(says_anything(0));
	cr_expect(says_anything(1), "the other group is as ever");
	cr_expect_eq(status(0).term, 1);
	cr_expect_eq(l->applied_count, 24, "what it was given before the restart");
	struct ord_member_status members[ORD_NODES_MAX];
	uint32_t count = 9;
	ord_host_members(l->host, 0, members, &count);
	cr_expect_eq(count, 0);
	uint64_t at;
	cr_expect_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &at, &at), ORD_ERR_NOT_LEADER);
	cr_expect_eq(ord_host_rewind(l->host, 0, 20), ORD_ERR_BUSY);
}

Test(raft_lost, a_leader_is_asked_for_a_state_now_and_then)
{
	follow(20);
	restart(lost);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 30, 1, 30, NULL, 0), ORD_OK);
	cr_expect_eq(l->wanted_count, 1);
	cr_expect(l->wanted_from == 2 && l->wanted_group == 0 && l->wanted_index == 0 && l->wanted_term == 0);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 30, 1, 30, NULL, 0), ORD_OK);
	cr_expect_eq(l->wanted_count, 1, "not for every message");
	raft_lone_pass(l, 100);
	cr_assert_eq(raft_lone_tell_install(l, 3, 0, 2, 100, 1), ORD_OK);
	cr_expect_eq(l->wanted_count, 2);
	cr_expect_eq(l->wanted_from, 3);
}

/* The entries that it had acknowledged must not be lost a second time. */
Test(raft_lost, entries_after_the_base_stay)
{
	static const uint64_t found[] = {20, 25, 29, 30};
	for (size_t i = 0; i < 4; i++) {
		follow(20);
		restart(lost);
		struct ord_base base = raft_lone_base(found[i], 1, 1);
		cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_OK, "base %lu", found[i]);
		l->applied[0] = found[i];
		raft_lone_sync(l);
		cr_expect_eq(status(0).base_index, found[i]);
		cr_expect_eq(status(0).last_index, 30);
		cr_expect_eq(status(0).role, ORD_ROLE_FOLLOWER);
		append_commands(0, 1, 31, 35, 1, 35);
		cr_expect_eq(status(0).applied_index, 35);
		restart(base);
		cr_expect_eq(status(0).last_index, 35);
		cr_expect_eq(status(0).base_index, found[i]);
		raft_lone_crash(l);
		raft_disk_close(&l->disk);
		l->bases[0] = (struct ord_base){0};
	}
	cr_assert_eq(raft_lone_open(l), ORD_OK);
}

/* Nothing ever left the log: the state that comes may be of any entry, and the group begins as at its first start. */
Test(raft_lost, a_whole_log_needs_no_base)
{
	raft_lone_start(l);
	append_commands(0, 1, 2, 30, 1, 25);
	restart(lost);
	struct ord_base base = {0};
	cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	l->applied[0] = 0;
	raft_lone_sync(l);
	cr_expect_eq(status(0).base_index, 0);
	cr_expect_eq(status(0).last_index, 30);
	cr_expect_eq(status(0).role, ORD_ROLE_FOLLOWER);
	struct ord_member_status members[ORD_NODES_MAX];
	uint32_t count = 0;
	ord_host_members(l->host, 0, members, &count);
	cr_expect_eq(count, 3);
	append_commands(0, 1, 31, 35, 1, 35);
	cr_expect_eq(status(0).applied_index, 35);
}

/* Writes until segments have gone, so that the log of group 0 begins later. Gives its base. */
static uint64_t lose_beginning(bool is_all)
{
	uint64_t first = 2;
	l->segment_bytes = 4096;
	l->segments_max = 1;
	raft_lone_start(l);
	for (; raft_disk_first(&l->disk) < 3; first += 50) {
		append_commands(0, 1, first, first + 49, 1, first + 49);
		append_commands(1, 1, first, first + 49, 1, first + 49);
		ord_host_release(l->host, 0, first + (is_all ? 49 : 20));
		ord_host_release(l->host, 1, first + 49);
		raft_lone_sync(l);
		cr_assert_lt(first, 5000, "nothing is removed");
	}
	return status(0).base_index;
}

/* What lies between was acknowledged, perhaps, and is in neither. */
Test(raft_lost, a_state_must_reach_the_log)
{
	lose_beginning(false);
	uint64_t last = status(0).last_index;
	l->bases[1] = raft_lone_base(status(1).base_index, 1, 1);
	restart(lost);
	uint64_t first = status(0).base_index;
	cr_assert_gt(first, 2, "segments have gone");
	struct ord_base base = raft_lone_base(first - 1, 1, 1);
	cr_expect_eq(ord_host_install(l->host, 0, &base), ORD_ERR_INVALID);
	base = (struct ord_base){0};
	cr_expect_eq(ord_host_install(l->host, 0, &base), ORD_ERR_INVALID);
	cr_expect_eq(status(0).role, ORD_ROLE_UNAVAILABLE);
	base = raft_lone_base(first, 1, 1);
	cr_expect_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(status(0).last_index, last);
	cr_expect_eq(status(0).role, ORD_ROLE_FOLLOWER);
}

/* All entries have left the log: the base record tells how far it went. */
Test(raft_lost, a_log_without_entries_still_says_how_far_it_went)
{
	lose_beginning(true);
	uint64_t last = status(0).last_index;
	cr_assert_eq(status(0).base_index, last);
	/* Even when the segment goes in which it was written. */
	for (uint64_t at = raft_disk_last(&l->disk), first = status(1).last_index + 1; raft_disk_first(&l->disk) <= at;
	     first += 50) {
		append_commands(1, 1, first, first + 49, 1, first + 49);
		ord_host_release(l->host, 1, first + 49);
		raft_lone_sync(l);
		cr_assert_lt(first, 9000, "nothing is removed");
	}
	l->bases[1] = raft_lone_base(status(1).base_index, 1, 1);
	restart(lost);
	struct ord_base base = raft_lone_base(last - 1, 1, 1);
	cr_expect_eq(ord_host_install(l->host, 0, &base), ORD_ERR_INVALID);
	base = raft_lone_base(last + 5, 1, 2);
	cr_expect_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	l->applied[0] = last + 5;
	raft_lone_sync(l);
	cr_expect_eq(status(0).last_index, last + 5);
	cr_expect_eq(status(0).term, 2);
	append_commands(0, 2, last + 6, last + 9, 1, last + 9);
	cr_expect_eq(status(0).applied_index, last + 9);
	restart(base);
	cr_expect_eq(status(0).last_index, last + 9);
}

Test(raft_lost, a_state_after_the_log_voids_it_durably)
{
	follow(20);
	restart(lost);
	struct ord_base base = raft_lone_base(100, 2, 3);
	cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	l->applied[0] = 100;
	raft_lone_turn(l);
	cr_expect_eq(status(0).role, ORD_ROLE_UNAVAILABLE, "not before it is durable");
	cr_assert_eq(raft_lone_append(l, 3, 0, 3, 100, 2, 100, NULL, 0), ORD_OK);
	cr_expect_not(says_anything(0));
	raft_lone_sync(l);
	cr_expect_eq(status(0).role, ORD_ROLE_FOLLOWER);
	cr_expect_eq(status(0).last_index, 100);
	cr_expect_eq(status(0).term, 3);
	restart(base);
	cr_expect_eq(status(0).last_index, 100);
	raft_lone_crash(l);
	l->bases[0] = raft_lone_base(30, 1, 1);
	cr_expect_eq(raft_lone_open(l), ORD_ERR_CORRUPT, "the log goes on after 100");
	l->bases[0] = base;
	cr_assert_eq(raft_lone_open(l), ORD_OK);
}

/* Entries 26 .. 30 are of a leader who was overruled: at 28 the committed one is of term 2. */
Test(raft_lost, an_overruled_log_does_not_follow)
{
	follow(20);
	restart(lost);
	struct ord_base base = raft_lone_base(28, 2, 2);
	cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	l->applied[0] = 28;
	raft_lone_sync(l);
	cr_expect_eq(status(0).last_index, 28);
	cr_expect_eq(status(0).last_term, 2);
	restart(base);
	cr_expect_eq(status(0).last_index, 28);
}

Test(raft_lost, a_base_that_cannot_be_is_refused)
{
	follow(20);
	restart(lost);
	struct ord_base base = raft_lone_base(25, 1, 1);
	base.members_index = 26;
	cr_expect_eq(ord_host_install(l->host, 0, &base), ORD_ERR_CORRUPT);
	base.members_index = 1;
	base.members.len -= 8;
	cr_expect_eq(ord_host_install(l->host, 0, &base), ORD_ERR_MISMATCH);
	cr_expect_eq(status(0).role, ORD_ROLE_UNAVAILABLE);
	cr_expect_eq(status(0).last_index, 30);
}

Test(raft_lost, a_lost_base_of_a_group_that_the_log_knows_nothing_of_is_refused)
{
	l->bases[0] = lost;
	cr_expect_eq(raft_lone_open(l), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(l->why, "partition 0: its state is lost"), "%s", l->why);
	l->bases[0] = (struct ord_base){0};
	cr_assert_eq(raft_lone_open(l), ORD_OK);
}

/* --- Taken back to an earlier state. --- */

Test(raft_lost, a_rewound_group_gives_its_entries_again)
{
	follow(10);
	cr_assert_eq(l->applied[0], 25);
	cr_expect_eq(ord_host_rewind(l->host, 0, 9), ORD_ERR_NOT_FOUND);
	cr_expect_eq(ord_host_rewind(l->host, 0, 26), ORD_ERR_INVALID, "not committed");
	cr_expect_eq(status(0).applied_index, 25);
	for (uint64_t index = 10; index <= 25; index++) {
		l->applied_count = 0;
		l->applied[0] = index;
		cr_assert_eq(ord_host_rewind(l->host, 0, index), ORD_OK);
		cr_expect_eq(status(0).applied_index, index);
		raft_lone_turn(l);
		cr_expect_eq(l->applied_count, 25 - index);
		cr_expect_eq(status(0).applied_index, 25);
	}
	append_commands(0, 1, 31, 40, 1, 40);
	cr_expect_eq(status(0).applied_index, 40);
}

/* The state on disk is an earlier one now: what comes after it must not leave the log, although it was released. */
Test(raft_lost, what_was_released_is_not_any_more)
{
	l->segment_bytes = 4096;
	l->segments_max = 1;
	l->trailing_bytes = 1000000;
	raft_lone_start(l);
	append_commands(0, 1, 2, 30, 1, 25);
	ord_host_release(l->host, 0, 25);
	cr_assert_eq(status(0).base_index, 0);
	ord_host_hold_group(l->host, 0, true);
	cr_assert_eq(ord_host_rewind(l->host, 0, 5), ORD_OK);
	for (uint64_t first = 2; raft_disk_first(&l->disk) < 3; first += 50) {
		append_commands(1, 1, first, first + 49, 1, first + 49);
		ord_host_release(l->host, 1, first + 49);
		raft_lone_sync(l);
		cr_assert_lt(first, 5000, "nothing is removed");
	}
	cr_expect_leq(status(0).base_index, 5);
	l->applied_count = 0;
	l->applied[0] = 5;
	ord_host_hold_group(l->host, 0, false);
	raft_lone_turn(l);
	cr_expect_eq(l->applied_count, 20);
	l->bases[1] = raft_lone_base(status(1).base_index, 1, 1);
	restart(raft_lone_base(5, 1, 1));
	cr_expect_eq(status(0).last_index, 30);
}

Test(raft_lost, a_rewound_leader_stays_one_and_is_not_told_again)
{
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	raft_lone_lead(l);
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("own"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	raft_lone_result(l, 2, 0, term, 0, index);
	raft_lone_sync(l);
	cr_assert_eq(l->role[0], ORD_ROLE_LEADER);
	cr_assert_eq(status(0).applied_index, index);
	l->role[0] = 0;
	l->applied[0] = 0;
	cr_assert_eq(ord_host_rewind(l->host, 0, 1), ORD_OK);
	cr_expect_eq(ord_host_propose(l->host, 0, ord_slice_text("more"), &index, &term), ORD_OK);
	raft_lone_pass(l, 50);
	cr_expect_eq(l->role[0], 0);
	cr_expect_eq(status(0).role, ORD_ROLE_LEADER);
	cr_expect_eq(l->applied[0], index - 1);
}

/* A change of members is carried out once, also when its entry is applied again, or is passed over. */
Test(raft_lost, members_are_not_changed_again)
{
	struct ord_base base;
	raft_lone_start(l);
	struct raft_lone_entry change = {
		.term = 1, .kind = ORD_ENTRY_CHANGE, .payload = raft_lone_base(1, 1, 1).members};
	append_commands(0, 1, 2, 4, 1, 4);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 4, 1, 5, &change, 1), ORD_OK);
	append_commands(0, 1, 6, 11, 1, 11);
	l->applied[0] = 3;
	cr_assert_eq(ord_host_rewind(l->host, 0, 3), ORD_OK);
	raft_lone_turn(l);
	cr_expect_eq(status(0).applied_index, 11);
	ord_host_base(l->host, 0, 4, &base);
	cr_expect_eq(base.members_index, 1);
	ord_host_base(l->host, 0, 11, &base);
	cr_expect_eq(base.members_index, 5);
	/* Held, so that what is committed is not applied: the state comes from elsewhere. */
	ord_host_hold_group(l->host, 0, true);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 11, 1, 12, &change, 1), ORD_OK);
	append_commands(0, 1, 13, 15, 1, 15);
	cr_assert_eq(status(0).applied_index, 11);
	cr_assert_eq(ord_host_rewind(l->host, 0, 14), ORD_OK);
	ord_host_base(l->host, 0, 14, &base);
	cr_expect_eq(base.members_index, 12);
	l->applied_count = 0;
	ord_host_hold_group(l->host, 0, false);
	raft_lone_turn(l);
	cr_expect_eq(l->applied_count, 1);
	cr_expect_eq(l->applied[0], 15);
}

/* --- Held. --- */

/* All is applied, and it is elected. */
Test(raft_lost, a_held_group_is_not_announced_as_leader)
{
	raft_lone_start(l);
	raft_lone_turn(l);
	cr_assert_eq(status(0).applied_index, 1);
	ord_host_hold_group(l->host, 0, true);
	raft_lone_lead(l);
	cr_expect_eq(l->role[0], ORD_ROLE_CANDIDATE);
	ord_host_hold_group(l->host, 0, false);
	raft_lone_turn(l);
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
}

Test(raft_lost, a_held_group_is_given_nothing_and_does_not_lead)
{
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	ord_host_hold_group(l->host, 0, true);
	append_commands(0, 1, 2, 10, 1, 10);
	append_commands(1, 1, 2, 10, 1, 10);
	cr_expect_eq(l->applied[0], 0);
	cr_expect_eq(l->applied[1], 10, "the other one is");
	cr_expect_eq(status(0).last_index, 10, "it takes part");
	raft_lone_pass(l, 2000);
	raft_lone_lead(l);
	raft_lone_pass(l, 50);
	cr_expect_eq(l->role[0], ORD_ROLE_CANDIDATE);
	cr_expect_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_ERR_NOT_LEADER);
	raft_lone_result(l, 2, 0, status(0).term, 0, status(0).last_index);
	ord_host_hold_group(l->host, 0, false);
	raft_lone_turn(l);
	cr_expect_eq(l->applied[0], 10);
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
	/* One that leads already goes on leading. */
	ord_host_hold_group(l->host, 0, true);
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	raft_lone_result(l, 2, 0, term, 0, index);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], 10);
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
	ord_host_hold_group(l->host, 0, false);
	raft_lone_turn(l);
	cr_expect_eq(l->applied[0], index);
}
