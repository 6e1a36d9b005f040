/* SPDX-License-Identifier: Apache-2.0 - a host that is no founder waits to be taken in; who may speak to whom; what a leader must not do to its members. */
#include <criterion/criterion.h>
#include <raft.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "raft/members.h"
#include "tests/support/raft_lone.h"

static struct raft_lone *l;
static uint8_t payload_bytes[512];

static void open_lone(void)
{
	l = raft_lone_make();
	l->trailing_bytes = 1;
}

static void close_lone(void)
{
	raft_lone_free(l);
}

TestSuite(raft_join, .init = open_lone, .fini = close_lone);

static struct ord_group_status status(uint32_t group)
{
	struct ord_group_status s;
	ord_host_group_status(l->host, group, &s);
	return s;
}

static void restart(void)
{
	raft_lone_crash(l);
	cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
	raft_lone_sync(l);
	raft_lone_forget(l);
}

/* Node 1 is no founder, and blank. */
static void join(void)
{
	l->incarnation = 7;
	cr_assert_eq(raft_lone_open(l), ORD_OK, "%s", l->why);
	raft_lone_sync(l);
	raft_lone_forget(l);
}

static struct raft_lone_entry change_to(uint64_t term, const struct ord_member_status *members, uint32_t count)
{
	struct ord_bytes b;
	ord_bytes_init(&b, sizeof payload_bytes);
	ord_members_encode_list(members, count, &b);
	memcpy(payload_bytes, b.base, b.len);
	struct raft_lone_entry e = {
		.term = term, .kind = ORD_ENTRY_CHANGE, .payload = ord_slice_of(payload_bytes, b.len)};
	ord_bytes_close(&b);
	return e;
}

/* Entries 1 .. 3 of group 0: the founders, a command, and node 1 as what it is now, with that role. Not on disk yet. */
static void tell_of(enum ord_member_role role)
{
	struct ord_member_status members[] = {{.id = 2, .role = ORD_MEMBER_VOTER},
					      {.id = 3, .role = ORD_MEMBER_VOTER},
					      {.id = ord_member_of(1, 7), .role = role}};
	struct raft_lone_entry e[3] = {
		{.term = 1, .kind = ORD_ENTRY_CHANGE, .payload = raft_lone_base(1, 1, 1).members},
		raft_lone_command(2, "command"),
		change_to(2, members, 3)};
	cr_assert_eq(raft_lone_append(l, 2, 0, 2, 0, 0, 3, e, 3), ORD_OK);
}

static void take_in(enum ord_member_role role)
{
	tell_of(role);
	raft_lone_sync(l);
}

static struct raft_append_entries_result last_result(void)
{
	const struct ord_message *m = raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT);
	cr_assert_not_null(m);
	return m->raft.append_entries_result;
}

Test(raft_join, a_member_that_is_no_founder_begins_with_nothing)
{
	for (int i = 0; i < 2; i++) {
		join();
		cr_expect_eq(status(0).last_index, 0);
		cr_expect_eq(status(0).term, 0);
		cr_expect_eq(status(0).role, ORD_ROLE_FOLLOWER);
		raft_lone_pass(l, 10000);
		cr_expect_eq(l->sent_count, 0, "it stands for no election");
		raft_lone_crash(l);
	}
	cr_assert_eq(raft_lone_open(l), ORD_OK);
}

/* Nobody may count on what it cannot know. */
Test(raft_join, it_gives_no_vote)
{
	join();
	cr_assert_eq(raft_lone_ask_vote(l, 2, 0, 9, 100, 8, true), ORD_OK);
	cr_assert_eq(raft_lone_ask_vote(l, 2, 0, 9, 100, 8, false), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_count(l, RAFT_REQUEST_VOTE_RESULT), 2);
	for (uint32_t i = 0; i < l->sent_count; i++)
		cr_expect_not(l->sent[i].raft.request_vote_result.vote_granted);
	cr_expect_eq(status(0).vote, 0);
	cr_expect_eq(status(0).term, 9);
	restart();
	cr_expect_eq(status(0).term, 9, "it remembers what it said");
	cr_expect_eq(status(0).last_index, 0);
}

Test(raft_join, it_gets_the_log_from_its_beginning)
{
	join();
	cr_assert_eq(raft_lone_append(l, 2, 0, 2, 50, 2, 50, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(last_result().rejected, 50);
	cr_expect_eq(last_result().last_log_index, 0);
	cr_expect_eq(raft_lone_last(l, RAFT_APPEND_ENTRIES_RESULT)->from, ord_member_of(1, 7));
	cr_expect_eq(status(0).leader, 2, "it follows whom it does not know yet");
	take_in(ORD_MEMBER_STANDBY);
	cr_expect_eq(last_result().rejected, 0);
	cr_expect_eq(last_result().last_log_index, 3);
	cr_expect_eq(l->applied[0], 2);
	struct ord_member_status members[ORD_NODES_MAX];
	uint32_t count;
	ord_host_members(l->host, 0, members, &count);
	cr_assert_eq(count, 3);
	cr_expect(members[2].id == ord_member_of(1, 7) && members[2].node == 1 &&
		  members[2].role == ORD_MEMBER_STANDBY);
	for (int i = 0; i < 2; i++) {
		raft_lone_forget(l);
		raft_lone_pass(l, 10000);
		cr_expect_eq(raft_lone_count(l, RAFT_REQUEST_VOTE), 0, "a standby stands for no election");
		restart();
		cr_expect_eq(status(0).last_index, 3);
	}
}

static uint32_t voters_count(void)
{
	uint32_t voters[ORD_NODES_MAX], count;
	ord_host_voters(l->host, 0, voters, &count);
	return count;
}

Test(raft_join, it_names_voters_as_its_disk_does)
{
	join();
	cr_expect_eq(voters_count(), 0);
	tell_of(ORD_MEMBER_VOTER);
	cr_expect_eq(voters_count(), 0);
	raft_lone_sync(l);
	cr_expect_eq(voters_count(), 3);
	restart();
	cr_expect_eq(voters_count(), 3);
}

Test(raft_join, a_standby_is_no_voter)
{
	join();
	take_in(ORD_MEMBER_STANDBY);
	cr_expect_eq(voters_count(), 2);
}

Test(raft_join, as_a_voter_it_is_like_any_other)
{
	join();
	take_in(ORD_MEMBER_VOTER);
	raft_lone_pass(l, 2000);
	raft_lone_forget(l);
	cr_assert_eq(raft_lone_ask_vote(l, 3, 0, 9, 3, 2, false), ORD_OK);
	raft_lone_sync(l);
	cr_expect(raft_lone_last(l, RAFT_REQUEST_VOTE_RESULT)->raft.request_vote_result.vote_granted);
	cr_expect_eq(status(0).vote, 3);
	raft_lone_pass(l, 5000);
	cr_expect_gt(raft_lone_count(l, RAFT_REQUEST_VOTE), 0);
	cr_expect_eq(raft_lone_last(l, RAFT_REQUEST_VOTE)->from, ord_member_of(1, 7));
}

Test(raft_join, it_installs_a_state)
{
	join();
	cr_assert_eq(raft_lone_tell_install(l, 2, 0, 3, 100, 2), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->wanted_count, 1);
	cr_expect_eq(l->wanted_index, 100);
	struct ord_base base = raft_lone_base(100, 2, 3);
	cr_assert_eq(ord_host_install(l->host, 0, &base), ORD_OK);
	l->applied[0] = 100;
	raft_lone_sync(l);
	struct raft_lone_entry e = raft_lone_command(3, "command");
	cr_assert_eq(raft_lone_append(l, 2, 0, 3, 100, 2, 101, &e, 1), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], 101);
	l->bases[0] = base;
	restart();
	cr_expect_eq(status(0).last_index, 101);
}

/* The states were whole when the log was not: what they hold is committed, and the new member has promised nothing. */
Test(raft_join, it_goes_on_after_the_states_that_it_has)
{
	l->bases[0] = raft_lone_base(50, 2, 4);
	join();
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(status(0).base_index, 50);
		cr_expect_eq(status(0).term, 4);
		cr_expect_eq(status(0).vote, 0);
		cr_assert_eq(raft_lone_append(l, 2, 0, 3, 60, 2, 60, NULL, 0), ORD_OK);
		raft_lone_sync(l);
		cr_expect_eq(status(0).leader, 0, "a leader of before the state was made");
		restart();
	}
	cr_assert_eq(raft_lone_append(l, 2, 0, 4, 60, 2, 60, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(last_result().rejected, 60);
	cr_expect_eq(last_result().last_log_index, 50);
	struct raft_lone_entry e = raft_lone_command(4, "command");
	cr_assert_eq(raft_lone_append(l, 2, 0, 4, 50, 2, 51, &e, 1), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], 51);
}

/* Its log has lost its beginning for other groups' sake, and there was never anything of this one in it. */
Test(raft_join, it_may_wait_while_the_log_moves_on)
{
	l->segment_bytes = 4096;
	l->segments_max = 1;
	join();
	struct raft_lone_entry e[50];
	e[0] = (struct raft_lone_entry){
		.term = 1, .kind = ORD_ENTRY_CHANGE, .payload = raft_lone_base(1, 1, 1).members};
	cr_assert_eq(raft_lone_append(l, 2, 1, 1, 0, 0, 1, e, 1), ORD_OK);
	raft_lone_sync(l);
	for (uint64_t first = 2; raft_disk_first(&l->disk) < 3; first += 50) {
		for (uint32_t i = 0; i < 50; i++)
			e[i] = raft_lone_command(1, "command");
		cr_assert_eq(raft_lone_append(l, 2, 1, 1, first - 1, 1, first + 49, e, 50), ORD_OK);
		raft_lone_sync(l);
		ord_host_release(l->host, 1, first + 49);
		raft_lone_sync(l);
		cr_assert_lt(first, 5000, "nothing is removed");
	}
	l->bases[1] = raft_lone_base(status(1).base_index, 1, 1);
	restart();
	cr_expect_eq(status(0).last_index, 0);
	take_in(ORD_MEMBER_STANDBY);
	cr_expect_eq(l->applied[0], 2);
}

/* --- Who may speak to whom. --- */

static void expect_heard(bool is_heard, const char *what)
{
	raft_lone_forget(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 2, 0, 0, 1, NULL, 0), ORD_OK, "%s", what);
	raft_lone_sync(l);
	cr_expect_eq(l->sent_count > 0, is_heard, "%s", what);
}

Test(raft_join, members_speak_to_members)
{
	raft_lone_start(l);
	expect_heard(true, "nobody has said who he is");
	l->peer_incarnations[2] = 5;
	restart();
	ord_host_peer(l->host, 2, 3);
	ord_host_peer(l->host, 4, 4);
	expect_heard(true, "what is not of that node is not believed");
	ord_host_peer(l->host, 2, ord_member_of(2, 5));
	expect_heard(true, "it is who it says");
	ord_host_peer(l->host, 2, ord_member_of(2, 6));
	expect_heard(false, "late, from the member that it was before");
	ord_host_peer(l->host, 2, 0);
	expect_heard(true, "not connected: as at first");
	l->incarnation = 1;
	expect_heard(false, "for a member that this node is not");
}

/* A vote is remembered with the incarnation that it was given to. */
Test(raft_join, a_vote_is_for_a_member)
{
	raft_lone_start(l);
	raft_lone_pass(l, 3000);
	l->peer_incarnations[2] = 5;
	cr_assert_eq(raft_lone_ask_vote(l, 2, 0, 9, 1, 1, false), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(status(0).vote, ord_member_of(2, 5));
	restart();
	cr_expect_eq(status(0).vote, ord_member_of(2, 5));
	l->peer_incarnations[2] = 6;
	cr_assert_eq(raft_lone_ask_vote(l, 2, 0, 9, 1, 1, false), ORD_OK);
	raft_lone_sync(l);
	cr_expect_not(raft_lone_last(l, RAFT_REQUEST_VOTE_RESULT)->raft.request_vote_result.vote_granted);
}

/* --- What a leader does to its members. --- */

/* Leads group 0 with the votes of node 2; node 3 has come back as another member. */
static void lead(void)
{
	raft_lone_start(l);
	raft_lone_lead(l);
	cr_assert_eq(l->role[0], ORD_ROLE_LEADER);
	raft_lone_forget(l);
}

/* Node 2 has all of it. */
static void answer(void)
{
	raft_lone_sync(l);
	raft_lone_result(l, 2, 0, status(0).term, 0, status(0).last_index);
	raft_lone_sync(l);
}

static int role_of_3(uint64_t id)
{
	struct ord_member_status members[ORD_NODES_MAX];
	uint32_t count;
	ord_host_members(l->host, 0, members, &count);
	for (uint32_t i = 0; i < count; i++)
		if (members[i].node == 3)
			return members[i].id == id ? (int)members[i].role : -2;
	return -1;
}

/* A leader of before may have begun another change, which only a majority that has an entry of this term can void. */
Test(raft_join, a_leader_changes_no_member_before_it_has_committed_an_entry)
{
	lead();
	cr_assert_eq(status(0).last_index, 1, "libraft wrote none");
	ord_host_peer(l->host, 3, ord_member_of(3, 9));
	raft_lone_pass(l, 60);
	raft_lone_sync(l);
	cr_expect_eq(status(0).last_index, 2, "a barrier");
	cr_expect_eq(role_of_3(3), ORD_MEMBER_VOTER);
	raft_lone_pass(l, 200);
	cr_expect_eq(status(0).last_index, 2, "one is enough");
	cr_expect_eq(role_of_3(3), ORD_MEMBER_VOTER, "it is not committed");
	answer();
	raft_lone_pass(l, 60);
	cr_expect_eq(role_of_3(3), -1);
}

Test(raft_join, one_change_is_committed_before_the_next)
{
	uint64_t newcomer = ord_member_of(3, 9);
	lead();
	ord_host_peer(l->host, 3, newcomer);
	raft_lone_pass(l, 60);
	answer();
	raft_lone_pass(l, 60);
	cr_assert_eq(role_of_3(newcomer), -1);
	raft_lone_pass(l, 200);
	cr_expect_eq(role_of_3(newcomer), -1, "the change is not committed");
	raft_lone_forget(l);
	answer();
	raft_lone_pass(l, 60);
	cr_expect_eq(role_of_3(newcomer), ORD_MEMBER_STANDBY);
	/* Its stream begins afresh, and it is not asked for a vote. */
	l->peer_incarnations[3] = 9;
	answer();
	for (int i = 0; i < 40; i++) {
		raft_lone_pass(l, 50);
		answer();
	}
	cr_expect_eq(role_of_3(newcomer), ORD_MEMBER_STANDBY, "it has not answered");
	cr_expect_eq(ord_host_transfer(l->host, 0, 3), ORD_ERR_INVALID, "no leader without a vote");
	for (uint32_t i = 0; i < l->sent_count; i++)
		cr_expect(l->sent[i].group != 0 || l->sent[i].to != 3, "what is gone is not spoken to");
	raft_lone_result(l, 3, 0, status(0).term, 0, 1);
	raft_lone_result(l, 3, 0, status(0).term, 0, status(0).last_index);
	raft_lone_pass(l, 60);
	cr_expect_eq(role_of_3(newcomer), ORD_MEMBER_VOTER);
	answer();
	/* It counts now. */
	uint64_t index;
	uint64_t term;
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	raft_lone_result(l, 3, 0, term, 0, index);
	raft_lone_sync(l);
	cr_expect_eq(l->applied[0], index);
}

/* Answered, and not lately: it may be gone by the time that it could have its vote. */
Test(raft_join, a_newcomer_that_is_not_there_gets_no_vote)
{
	uint64_t newcomer = ord_member_of(3, 9);
	lead();
	ord_host_peer(l->host, 3, newcomer);
	raft_lone_pass(l, 60);
	answer();
	raft_lone_pass(l, 60);
	answer();
	raft_lone_pass(l, 60);
	cr_assert_eq(role_of_3(newcomer), ORD_MEMBER_STANDBY);
	raft_lone_sync(l);
	l->peer_incarnations[3] = 9;
	raft_lone_result(l, 3, 0, status(0).term, 0, status(0).last_index);
	for (int i = 0; i < 20; i++) {
		raft_lone_pass(l, 50);
		raft_lone_result(l, 2, 0, status(0).term, 0, status(0).last_index - 1);
	}
	answer();
	raft_lone_pass(l, 60);
	cr_expect_eq(role_of_3(newcomer), ORD_MEMBER_STANDBY);
	raft_lone_result(l, 3, 0, status(0).term, 0, status(0).last_index);
	raft_lone_pass(l, 60);
	cr_expect_eq(role_of_3(newcomer), ORD_MEMBER_VOTER);
}

/* Node 2 is silent, too: without node 3 nothing would be committed. */
Test(raft_join, a_voter_stays_while_too_few_others_are_there)
{
	uint64_t index;
	uint64_t term;
	lead();
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	answer();
	raft_lone_pass(l, 100);
	raft_lone_result(l, 3, 0, term, 0, index);
	raft_lone_result(l, 2, 0, term, 0, index);
	raft_lone_pass(l, 100);
	raft_lone_result(l, 3, 0, term, 0, index);
	raft_lone_sync(l);
	ord_host_peer(l->host, 3, ord_member_of(3, 9));
	uint64_t led_ms = l->now_ms;
	while (status(0).role == ORD_ROLE_LEADER) {
		led_ms = l->now_ms;
		cr_assert_eq(role_of_3(3), ORD_MEMBER_VOTER);
		raft_lone_pass(l, 10);
	}
	cr_expect_gt(led_ms + 500, l->now_ms);
	cr_expect_eq(role_of_3(3), ORD_MEMBER_VOTER);
}

/* Entries are on their way to it when it goes, and its node is heard of in another group. */
Test(raft_join, a_member_that_is_gone_is_not_spoken_to)
{
	uint64_t index;
	uint64_t term;
	lead();
	raft_lone_result(l, 3, 0, status(0).term, 0, status(0).last_index);
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	answer();
	ord_host_peer(l->host, 3, ord_member_of(3, 9));
	for (int i = 0; i < 20 && role_of_3(3) != -1; i++) {
		raft_lone_pass(l, 50);
		raft_lone_result(l, 2, 0, term, 0, index);
	}
	cr_assert_eq(role_of_3(3), -1);
	raft_lone_forget(l);
	l->peer_incarnations[3] = 9;
	for (int i = 0; i < 4; i++) {
		raft_lone_ask_vote(l, 3, 1, 2, 1, 1, true);
		raft_lone_pass(l, 110);
		raft_lone_result(l, 2, 0, term, 0, index);
	}
	for (uint32_t i = 0; i < l->sent_count; i++)
		cr_expect(l->sent[i].group != 0 || l->sent[i].to != 3);
}

/* What the lost member acknowledged late does not count for the new one, nor at all. */
Test(raft_join, the_old_member_is_not_counted_any_more)
{
	lead();
	ord_host_peer(l->host, 3, ord_member_of(3, 9));
	raft_lone_pass(l, 60);
	answer();
	raft_lone_pass(l, 60);
	cr_assert_eq(role_of_3(3), -1);
	answer();
	ord_host_peer(l->host, 3, 0);
	uint64_t index;
	uint64_t term;
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	raft_lone_result(l, 3, 0, term, 0, index);
	raft_lone_sync(l);
	cr_expect_lt(l->applied[0], index);
	answer();
	cr_expect_eq(l->applied[0], index);
}

/* libraft takes the entry before the beginning of its log for one that it has when it is the first one. */
Test(raft_join, a_log_that_begins_after_entry_1_is_no_trap_for_a_newcomer)
{
	uint64_t newcomer = ord_member_of(3, 9);
	lead();
	ord_host_peer(l->host, 3, newcomer);
	for (int i = 0; i < 5 && role_of_3(newcomer) != ORD_MEMBER_STANDBY; i++) {
		raft_lone_pass(l, 60);
		answer();
		ord_host_release(l->host, 0, 1);
	}
	cr_assert_eq(role_of_3(newcomer), ORD_MEMBER_STANDBY);
	l->peer_incarnations[3] = 9;
	for (int i = 0; i < 5; i++) {
		raft_lone_result(l, 3, 0, status(0).term, status(0).last_index, 0);
		raft_lone_pass(l, 110);
		answer();
	}
	cr_assert_eq(status(0).base_index, 1);
	const struct ord_message *m = raft_lone_last(l, RAFT_INSTALL_SNAPSHOT);
	cr_assert_not_null(m);
	cr_expect_eq(m->to, newcomer);
	cr_expect_eq(m->raft.install_snapshot.last_index, 1);
	cr_expect_eq(m->raft.install_snapshot.last_term, 1);
	raft_lone_result(l, 3, 0, status(0).term, 0, 1);
	raft_lone_result(l, 3, 0, status(0).term, 0, status(0).last_index);
	raft_lone_pass(l, 110);
	cr_expect_eq(role_of_3(newcomer), ORD_MEMBER_VOTER);
}

/* Two changes come before the first is applied here; then the second is void. What was committed stays. */
Test(raft_join, a_change_that_is_followed_by_another_is_committed)
{
	struct ord_member_status members[] = {{.id = 1, .role = ORD_MEMBER_VOTER},
					      {.id = 2, .role = ORD_MEMBER_VOTER},
					      {.id = ord_member_of(3, 9), .role = ORD_MEMBER_STANDBY}};
	raft_lone_start(l);
	ord_host_hold_group(l->host, 0, true);
	struct raft_lone_entry e = change_to(2, members, 2);
	cr_assert_eq(raft_lone_append(l, 2, 0, 2, 1, 1, 1, &e, 1), ORD_OK);
	e = change_to(2, members, 3);
	cr_assert_eq(raft_lone_append(l, 2, 0, 2, 2, 2, 1, &e, 1), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(role_of_3(members[2].id), ORD_MEMBER_STANDBY);
	e = raft_lone_command(3, "instead");
	cr_assert_eq(raft_lone_append(l, 2, 0, 3, 2, 2, 3, &e, 1), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(role_of_3(3), -1);
	ord_host_hold_group(l->host, 0, false);
	raft_lone_turn(l);
	cr_expect_eq(role_of_3(3), -1);
	cr_expect_eq(l->applied[0], 3);
	/* One that does not fit the log here proves nothing. */
	ord_host_hold_group(l->host, 0, true);
	e = change_to(3, members, 3);
	cr_assert_eq(raft_lone_append(l, 2, 0, 3, 3, 3, 3, &e, 1), ORD_OK);
	members[2].id = ord_member_of(3, 10);
	e = change_to(4, members, 3);
	cr_assert_eq(raft_lone_append(l, 2, 0, 4, 4, 4, 3, &e, 1), ORD_OK);
	raft_lone_sync(l);
	e = raft_lone_command(4, "instead");
	cr_assert_eq(raft_lone_append(l, 2, 0, 4, 3, 3, 4, &e, 1), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(role_of_3(3), -1);
	cr_expect_eq(l->fatal, ORD_OK);
}
