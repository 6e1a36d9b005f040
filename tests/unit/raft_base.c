/* SPDX-License-Identifier: Apache-2.0 - where a log begins: what may leave it, with what a start goes on, and states that come from elsewhere. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "raft/host.h"
#include "tests/support/raft_lone.h"

static struct raft_lone *l;

static void setup(void)
{
	l = raft_lone_make();
	l->trailing_bytes = 1;
}

static void teardown(void)
{
	raft_lone_free(l);
}

TestSuite(raft_base, .init = setup, .fini = teardown);

static struct ord_group_status status(uint32_t group)
{
	struct ord_group_status s;
	ord_host_group_status(l->host, group, &s);
	return s;
}

static void append_commands_from(uint32_t from, uint32_t group, uint64_t term, uint64_t first, uint64_t last,
				 uint64_t before_term, uint64_t commit)
{
	struct raft_lone_entry e[64];
	uint32_t count = (uint32_t)(last - first + 1);
	cr_assert_leq(count, 64);
	for (uint32_t i = 0; i < count; i++)
		e[i] = raft_lone_command(term, "command");
	cr_assert_eq(raft_lone_append(l, from, group, term, first - 1, before_term, commit, e, count), ORD_OK);
}

static void append_commands(uint32_t group, uint64_t term, uint64_t first, uint64_t last, uint64_t before_term,
			    uint64_t commit)
{
	append_commands_from(2, group, term, first, last, before_term, commit);
}

/* A follower of node 2 in term 1 that has entries 1 .. last of group 0 on disk and has applied them. */
static void follow(uint64_t last)
{
	raft_lone_start(l);
	append_commands(0, 1, 2, last, 1, last);
	raft_lone_sync(l);
	cr_assert_eq(status(0).applied_index, last);
	raft_lone_forget(l);
}

static void restart(struct ord_base base)
{
	raft_lone_crash(l);
	l->bases[0] = base;
	cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
	raft_lone_sync(l);
	raft_lone_forget(l);
}

Test(raft_base, what_is_released_leaves_the_log)
{
	follow(30);
	ord_host_release(l->host, 0, 20);
	cr_expect_eq(status(0).base_index, 20);
	cr_expect_eq(status(0).last_index, 30);
	ord_host_release(l->host, 0, 10);
	cr_expect_eq(status(0).base_index, 20, "a lower index changes nothing");
	ord_host_release(l->host, 0, 30);
	cr_expect_eq(status(0).base_index, 30);
	cr_expect_eq(status(0).last_term, 1);
	/* The log goes on, also from nothing. */
	append_commands(0, 1, 31, 40, 1, 40);
	raft_lone_sync(l);
	cr_expect_eq(status(0).applied_index, 40);
	cr_expect_eq(raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT)->raft.append_entries_result.last_log_index, 40);
	cr_expect_eq(status(1).base_index, 0);
}

Test(raft_base, some_bytes_stay_for_followers_that_lag)
{
	l->trailing_bytes = 10 * (32 + 7);
	follow(30);
	ord_host_release(l->host, 0, 30);
	cr_expect_eq(status(0).base_index, 20);
	append_commands(0, 1, 31, 31, 1, 31);
	raft_lone_sync(l);
	ord_host_release(l->host, 0, 31);
	cr_expect_eq(status(0).base_index, 21);
}

/* Others may have committed what is not on this disk yet. It stays. */
Test(raft_base, what_is_not_durable_here_stays)
{
	follow(10);
	append_commands(0, 1, 11, 20, 1, 20);
	raft_lone_turn(l);
	cr_assert_eq(status(0).applied_index, 20);
	cr_assert_eq(status(0).durable_index, 10);
	ord_host_release(l->host, 0, 20);
	cr_expect_eq(status(0).base_index, 10);
	raft_lone_sync(l);
	ord_host_release(l->host, 0, 20);
	cr_expect_eq(status(0).base_index, 20);
	cr_expect_eq(l->fatal, ORD_OK);
}

Test(raft_base, a_start_goes_on_after_the_base)
{
	struct ord_base base;
	follow(30);
	ord_host_base(l->host, 0, 25, &base);
	cr_expect(base.index == 25 && base.term == 1 && base.current_term == 1 && base.members_index == 1);
	struct ord_base kept = raft_lone_base(25, 1, 1);
	cr_expect(ord_slice_equal(base.members, kept.members));
	restart(kept);
	cr_expect_eq(status(0).base_index, 25);
	cr_expect_eq(status(0).last_index, 30);
	cr_expect_eq(status(0).applied_index, 25);
	l->applied_count = 0;
	append_commands(0, 1, 31, 31, 1, 31);
	raft_lone_sync(l);
	cr_expect_eq(l->applied_count, 6);
	ord_host_base(l->host, 0, 31, &base);
	cr_expect(ord_slice_equal(base.members, kept.members));
	/* A base behind the log: it is ahead of what was durable here. */
	restart(raft_lone_base(50, 1, 1));
	cr_expect_eq(status(0).last_index, 50);
	append_commands(0, 1, 51, 55, 1, 55);
	raft_lone_sync(l);
	cr_expect_eq(status(0).applied_index, 55);
	restart(raft_lone_base(52, 1, 1));
	cr_expect_eq(status(0).last_index, 55);
}

/* A node that has state of a commit in term 9 must not follow a leader of an earlier term, who may not know of it. */
Test(raft_base, a_base_brings_its_term)
{
	follow(10);
	restart(raft_lone_base(8, 1, 9));
	cr_expect_eq(status(0).term, 9);
	cr_expect_eq(status(0).vote, 0);
	cr_assert_eq(raft_lone_append(l, 2, 0, 8, 10, 1, 10, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(status(0).leader, 0);
	restart(raft_lone_base(8, 1, 1));
	cr_expect_eq(status(0).term, 9, "for good");
}

static void expect_refused(struct ord_base base, int err, const char *text)
{
	raft_lone_crash(l);
	l->bases[0] = base;
	cr_expect_eq(raft_lone_open(l), err, "%s", text);
	cr_expect_not_null(strstr(l->why, text), "%s", l->why);
}

Test(raft_base, a_base_that_cannot_be_is_refused)
{
	follow(10);
	struct ord_base base = raft_lone_base(5, 3, 2);
	expect_refused(base, ORD_ERR_CORRUPT, "partition 0");
	base = raft_lone_base(5, 0, 2);
	expect_refused(base, ORD_ERR_CORRUPT, "partition 0");
	base = raft_lone_base(5, 1, 1);
	base.members_index = 6;
	expect_refused(base, ORD_ERR_CORRUPT, "partition 0");
	base.members_index = 5;
	base.members = ord_slice_text("\1 no list of members");
	expect_refused(base, ORD_ERR_CORRUPT, "partition 0");
	base.members_index = 1;
	expect_refused(base, ORD_ERR_MISMATCH, "nodes");
}

/* Makes the log begin after entry 20 or later of group 0, with a base of 20. */
static void lose_beginning(void)
{
	l->segment_bytes = 4096;
	l->segments_max = 1;
	follow(60);
	for (uint64_t first = 61; raft_disk_first(&l->disk) < 3; first += 50) {
		append_commands(0, 1, first, first + 49, 1, first + 49);
		append_commands(1, 1, first - 59, first - 10, 1, first - 10);
		raft_lone_sync(l);
		ord_host_release(l->host, 0, status(0).applied_index - 1);
		ord_host_release(l->host, 1, status(1).applied_index - 1);
		raft_lone_sync(l);
		cr_assert_lt(first, 5000, "nothing is removed");
	}
}

Test(raft_base, a_log_that_begins_after_the_base_is_refused)
{
	lose_beginning();
	l->bases[1] = raft_lone_base(status(1).base_index, 1, 1);
	expect_refused(raft_lone_base(20, 1, 1), ORD_ERR_CORRUPT, "partition 0: the state on disk is that of entry 20");
	expect_refused((struct ord_base){0}, ORD_ERR_CORRUPT, "begins with segment");
	cr_expect_not_null(strstr(l->why, "checkpoint"), "%s", l->why);
}

Test(raft_base, a_base_without_a_vote_is_refused)
{
	expect_refused(raft_lone_base(20, 1, 1), ORD_ERR_CORRUPT, "no vote");
}

/* Entries 2 .. 20 are of a leader who was overruled: what was committed at 10 is of term 2. None of them may be taken for what follows. */
Test(raft_base, a_log_of_an_overruled_leader_does_not_go_on_after_the_base)
{
	for (int is_durable = 0; is_durable < 2; is_durable++) {
		raft_lone_start(l);
		append_commands(0, 1, 2, 20, 1, 1);
		raft_lone_sync(l);
		raft_lone_crash(l);
		l->bases[0] = raft_lone_base(10, 2, 2);
		cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
		cr_expect_eq(status(0).last_index, 10);
		if (is_durable)
			raft_lone_sync(l);
		/* It stays so, also when entries follow that the log would otherwise void. */
		restart(l->bases[0]);
		cr_expect_eq(status(0).last_index, 10);
		append_commands(0, 2, 11, 12, 2, 11);
		raft_lone_sync(l);
		restart(l->bases[0]);
		cr_expect_eq(status(0).last_index, 12);
		cr_expect_eq(status(0).last_term, 2);
		raft_lone_crash(l);
		raft_disk_close(&l->disk);
		l->bases[0] = (struct ord_base){0};
	}
	cr_assert_eq(raft_lone_open(l), ORD_OK);
}

/* The entry that shows it must not go before the log says so itself. */
Test(raft_base, an_overruled_log_stays_until_that_is_written)
{
	l->segment_bytes = 4096;
	raft_lone_start(l);
	for (uint64_t first = 2; raft_disk_last(&l->disk) < 4; first += 40) {
		append_commands(0, 1, first, first + 39, 1, 1);
		raft_lone_sync(l);
	}
	for (uint32_t group = 0; group < 2; group++)
		cr_assert_eq(raft_lone_append(l, 3, group, 3, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	raft_lone_crash(l);
	l->bases[0] = raft_lone_base(10, 2, 3);
	l->bases[1] = raft_lone_base(1, 1, 3);
	cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
	for (int i = 0; i < 10; i++)
		raft_lone_turn(l);
	cr_assert(l->disk.in_flight);
	cr_expect_eq(l->disk.remove_segment, 0);
	raft_lone_sync(l);
	for (int i = 0; i < 10; i++)
		raft_lone_sync(l);
	cr_expect_eq(raft_disk_first(&l->disk), raft_disk_last(&l->disk));
	restart(l->bases[0]);
	cr_expect_eq(status(0).last_index, 10);
}

/* A change of members, committed at 5, belongs to a base at or after it; and another one at 12. */
Test(raft_base, a_base_has_the_members_in_force)
{
	struct ord_base base;
	raft_lone_start(l);
	struct ord_slice members = raft_lone_base(1, 1, 1).members;
	struct raft_lone_entry change = {.term = 1, .kind = ORD_ENTRY_CHANGE, .payload = members};
	append_commands(0, 1, 2, 4, 1, 4);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 4, 1, 5, &change, 1), ORD_OK);
	append_commands(0, 1, 6, 11, 1, 11);
	raft_lone_sync(l);
	cr_assert_eq(status(0).applied_index, 11);
	ord_host_base(l->host, 0, 4, &base);
	cr_expect_eq(base.members_index, 1);
	ord_host_base(l->host, 0, 5, &base);
	cr_expect_eq(base.members_index, 5);
	ord_host_release(l->host, 0, 4);
	cr_expect_eq(status(0).base_index, 0, "libraft wants the members that are committed now");
	ord_host_release(l->host, 0, 8);
	cr_expect_eq(status(0).base_index, 8);
	base = raft_lone_base(9, 1, 1);
	base.members_index = 5;
	restart(base);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 11, 1, 12, &change, 1), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(status(0).applied_index, 12);
	ord_host_base(l->host, 0, 11, &base);
	cr_expect_eq(base.members_index, 5);
	ord_host_release(l->host, 0, 12);
	ord_host_base(l->host, 0, 12, &base);
	cr_expect_eq(base.members_index, 12);
	cr_expect_eq(status(0).base_index, 12);
	append_commands(0, 1, 13, 15, 1, 15);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], 15);
}

/* --- States from elsewhere. --- */

Test(raft_base, a_follower_that_lacks_what_the_leader_forgot_asks_for_it)
{
	follow(10);
	cr_assert_eq(raft_lone_tell_install(l, 2, 0, 1, 100, 1), ORD_OK);
	cr_expect_eq(l->wanted_count, 1);
	cr_expect(l->wanted_from == 2 && l->wanted_group == 0 && l->wanted_index == 100 && l->wanted_term == 1);
	cr_expect_eq(raft_lone_count(l, RAFT_APPEND_ENTRIES_RESULT), 0, "a refusal would be answered with the same");
	cr_assert_eq(raft_lone_tell_install(l, 2, 0, 1, 8, 1), ORD_OK);
	cr_expect_eq(l->wanted_count, 1, "that is here");
	cr_assert_not_null(raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT));
	cr_expect_eq(raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT)->raft.append_entries_result.rejected, 0);
	/* It keeps the follower from an election, and brings a new term. */
	for (int i = 0; i < 100; i++) {
		raft_lone_pass(l, 100);
		cr_assert_eq(raft_lone_tell_install(l, 3, 0, 2, 100, 1), ORD_OK);
		raft_lone_sync(l);
	}
	cr_expect_eq(status(0).term, 2);
	cr_expect_eq(status(0).leader, 3);
	raft_lone_forget(l);
	cr_assert_eq(raft_lone_tell_install(l, 2, 0, 1, 200, 1), ORD_OK);
	cr_expect_eq(l->wanted_index, 100, "an earlier leader");
}

static void expect_not_installed(struct ord_base base, int err)
{
	struct ord_group_status before = status(0);
	cr_expect_eq(ord_host_install(l->host, 0, &base), err);
	cr_expect_eq(status(0).base_index, before.base_index);
	cr_expect_eq(status(0).last_index, before.last_index);
	cr_expect_eq(status(0).role, before.role);
}

/* Entries that were acknowledged must not be dropped for a state that the log leads to. */
Test(raft_base, a_state_that_the_log_leads_to_is_not_installed)
{
	follow(10);
	append_commands(0, 1, 11, 20, 1, 10);
	raft_lone_sync(l);
	expect_not_installed(raft_lone_base(10, 1, 1), ORD_ERR_INVALID);
	expect_not_installed(raft_lone_base(15, 1, 1), ORD_ERR_INVALID);
	expect_not_installed(raft_lone_base(20, 1, 1), ORD_ERR_INVALID);
	struct ord_base base = raft_lone_base(30, 1, 1);
	base.members_index = 31;
	expect_not_installed(base, ORD_ERR_CORRUPT);
}

/* The entry here is of a later term than the one that was committed in its place, later still. */
Test(raft_base, an_entry_of_a_later_term_does_not_stand_for_the_committed_one)
{
	struct raft_lone_entry e[] = {raft_lone_command(8, "a"), raft_lone_command(8, "b")};
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 8, 1, 1, 1, e, 2), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_tell_install(l, 3, 0, 9, 2, 7), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->wanted_count, 1);
	struct ord_base base = raft_lone_base(2, 7, 9);
	cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	l->applied[0] = 2;
	raft_lone_sync(l);
	cr_expect_eq(status(0).last_index, 2);
	cr_expect_eq(status(0).last_term, 7);
	restart(base);
	cr_expect_eq(status(0).last_index, 2);
}

Test(raft_base, a_leader_installs_nothing)
{
	raft_lone_start(l);
	raft_lone_lead(l);
	expect_not_installed(raft_lone_base(100, 2, 2), ORD_ERR_BUSY);
}

static void install(struct ord_base base)
{
	cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	l->applied[0] = base.index;
}

Test(raft_base, a_state_is_installed_when_the_log_says_so_durably)
{
	follow(10);
	struct ord_base base = raft_lone_base(100, 2, 3);
	install(base);
	cr_expect_eq(status(0).base_index, 100);
	cr_expect_eq(status(0).applied_index, 100);
	raft_lone_turn(l);
	cr_assert_eq(raft_lone_append(l, 3, 0, 3, 100, 2, 100, NULL, 0), ORD_OK);
	raft_lone_pass(l, 3000);
	cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_ERR_BUSY);
	for (uint32_t i = 0; i < l->sent_count; i++)
		cr_expect_neq(l->sent[i].group, 0, "nothing is said before");
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_append(l, 3, 0, 3, 100, 2, 100, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	const struct ord_message *m = raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT);
	cr_assert_not_null(m);
	cr_expect_eq(m->raft.append_entries_result.rejected, 0);
	cr_expect_eq(m->raft.append_entries_result.last_log_index, 100);
	cr_expect_eq(status(0).term, 3);
	struct raft_lone_entry e = raft_lone_command(3, "next");
	cr_assert_eq(raft_lone_append(l, 3, 0, 3, 100, 2, 101, &e, 1), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], 101);
	restart(base);
	cr_expect_eq(status(0).last_index, 101);
	cr_expect_eq(status(0).term, 3);
}

Test(raft_base, a_crash_while_a_state_is_installed_leaves_either)
{
	for (int is_durable = 0; is_durable < 2; is_durable++) {
		struct ord_base base = raft_lone_base(100, 2, 2);
		follow(10);
		append_commands(0, 1, 11, 20, 1, 10);
		raft_lone_sync(l);
		install(base);
		raft_lone_turn(l);
		if (is_durable)
			raft_disk_complete(&l->disk);
		restart(base);
		cr_expect_eq(status(0).last_index, 100);
		cr_expect_eq(status(0).term, 2);
		raft_lone_crash(l);
		if (is_durable) {
			/* The log knows that it goes on after entry 100. */
			l->bases[0] = raft_lone_base(9, 1, 1);
			cr_expect_eq(raft_lone_open(l), ORD_ERR_CORRUPT);
			cr_expect_not_null(strstr(l->why, "entry 100"), "%s", l->why);
		}
		raft_disk_close(&l->disk);
		l->bases[0] = (struct ord_base){0};
	}
	cr_assert_eq(raft_lone_open(l), ORD_OK);
}

/* libraft has forgotten the entries before the base, and would refuse for ever what is repeated of them. */
Test(raft_base, what_is_said_of_entries_before_the_base_is_known)
{
	follow(30);
	ord_host_release(l->host, 0, 25);
	append_commands(0, 1, 11, 20, 1, 20);
	raft_lone_sync(l);
	const struct raft_append_entries_result *a;
	a = &raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT)->raft.append_entries_result;
	cr_expect_eq(a->rejected, 0);
	append_commands(0, 1, 21, 35, 1, 35);
	raft_lone_sync(l);
	a = &raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT)->raft.append_entries_result;
	cr_expect_eq(a->rejected, 0);
	cr_expect_eq(a->last_log_index, 35);
	cr_expect_eq(l->applied[0], 35);
	/* Another entry at the base is no leader's. */
	struct raft_lone_entry e = raft_lone_command(2, "other");
	cr_expect_eq(raft_lone_append(l, 2, 0, 2, 24, 1, 35, &e, 1), ORD_ERR_FORMAT);
	cr_expect_eq(l->fatal, ORD_OK);
}

/* Entries 11 .. 20 are of a leader who was overruled. What the new one has committed at those indexes is not here yet. */
Test(raft_base, what_is_said_of_entries_before_the_base_commits_nothing_behind_it)
{
	follow(10);
	append_commands(0, 1, 11, 20, 1, 10);
	raft_lone_sync(l);
	ord_host_release(l->host, 0, 10);
	cr_assert_eq(status(0).base_index, 10);
	cr_assert_eq(raft_lone_append(l, 3, 0, 2, 5, 1, 20, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_append(l, 3, 0, 2, 5, 1, 20, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(status(0).applied_index, 10);
	cr_expect_eq(status(0).commit_index, 10);
	cr_expect_eq(raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT)->raft.append_entries_result.last_log_index, 10);
	append_commands_from(3, 0, 2, 11, 20, 1, 20);
	raft_lone_sync(l);
	cr_expect_eq(status(0).applied_index, 20);
	cr_expect_eq(status(0).last_term, 2);
}

/* A leader that has forgotten what a peer lacks says where its log begins, with the members. */
Test(raft_base, a_leader_says_where_its_log_begins)
{
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	raft_lone_lead(l);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("own"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	raft_lone_result(l, 2, 0, term, 0, index);
	raft_lone_sync(l);
	cr_assert_eq(status(0).applied_index, index);
	ord_host_release(l->host, 0, index);
	cr_assert_eq(status(0).base_index, index);
	raft_lone_forget(l);
	/* Node 3 has only the first entry. */
	for (int i = 0; i < 30 && raft_lone_count(l, RAFT_INSTALL_SNAPSHOT) == 0; i++) {
		raft_lone_result(l, 3, 0, term, index, 1);
		raft_lone_result(l, 2, 0, term, 0, index);
		raft_lone_pass(l, 100);
	}
	const struct ord_message *m = raft_lone_last(l, RAFT_INSTALL_SNAPSHOT);
	cr_assert_not_null(m);
	cr_expect_eq(m->to, 3);
	cr_expect_eq(m->raft.install_snapshot.last_index, index);
	cr_expect_eq(m->raft.install_snapshot.last_term, term);
	cr_expect_eq(m->raft.install_snapshot.conf_index, 1);
	/* When it has the state it gets what follows. */
	raft_lone_forget(l);
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("next"), &index, &term), ORD_OK);
	raft_lone_result(l, 3, 0, term, 0, index - 1);
	raft_lone_sync(l);
	raft_lone_pass(l, 200);
	bool sent = false;
	for (uint32_t i = 0; i < l->sent_count; i++)
		sent = sent || (l->sent[i].to == 3 && l->sent[i].raft.type == RAFT_APPEND_ENTRIES &&
				l->sent[i].raft.append_entries.n_entries == 1);
	cr_expect(sent);
}
