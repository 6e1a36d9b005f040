/* SPDX-License-Identifier: Apache-2.0 - elections of one host: votes, candidates, leaders, and what time alone does to them. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "raft/host.h"
#include "tests/support/raft_lone.h"

static struct raft_lone *l;

static void setup(void)
{
	l = raft_lone_make();
}

static void teardown(void)
{
	raft_lone_free(l);
}

TestSuite(raft_election, .init = setup, .fini = teardown);

Test(raft_election, a_vote_is_sent_when_it_is_durable)
{
	raft_lone_start(l);
	cr_assert_eq(raft_lone_ask_vote(l, 2, 0, 2, 1, 1, false), ORD_OK);
	raft_lone_turn(l);
	cr_assert_eq(raft_lone_ask_vote(l, 3, 0, 2, 1, 1, false), ORD_OK);
	raft_lone_turn(l);
	cr_expect_eq(l->sent_count, 0, "nothing leaves before the sync");
	raft_lone_sync(l);
	cr_assert_eq(l->sent_count, 2);
	cr_expect_eq(l->sent[0].to, 2);
	cr_expect(l->sent[0].raft.request_vote_result.vote_granted);
	cr_expect_eq(l->sent[1].to, 3);
	cr_expect_not(l->sent[1].raft.request_vote_result.vote_granted, "one vote in a term");
	/* It is remembered. */
	raft_lone_crash(l);
	raft_lone_start(l);
	cr_assert_eq(raft_lone_ask_vote(l, 3, 0, 2, 1, 1, false), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(l->sent_count, 1);
	cr_expect_not(l->sent[0].raft.request_vote_result.vote_granted);
}

Test(raft_election, pre_votes_that_were_not_asked_for_are_refused)
{
	raft_lone_start(l);
	cr_expect_eq(raft_lone_vote(l, 2, 0, 50, true), ORD_OK, "not a candidate: nothing happens");
	cr_expect_eq(raft_lone_vote(l, 2, 0, 50, false), ORD_OK);
	cr_expect_eq(l->term[0], 1);
	raft_lone_pass(l, 300);
	cr_assert_eq(l->role[0], ORD_ROLE_CANDIDATE);
	cr_expect_eq(raft_lone_vote(l, 2, 0, 50, true), ORD_ERR_FORMAT);
	cr_expect_eq(l->term[0], 1);
}

/* Makes it a candidate of group 0 in term 2, whose vote for itself is not durable yet. */
static void become_candidate(void)
{
	raft_lone_start(l);
	raft_lone_pass(l, 500);
	cr_assert_eq(l->role[0], ORD_ROLE_CANDIDATE);
	raft_lone_forget(l);
	cr_assert_eq(raft_lone_vote(l, 2, 0, 2, true), ORD_OK);
	raft_lone_turn(l);
	cr_assert_eq(l->term[0], 2);
}

/* Requests for votes in a term that were sent to node 2. */
static uint32_t asked(uint64_t term, bool is_pre_vote)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < l->sent_count; i++) {
		const struct ord_message *m = &l->sent[i];
		count += m->group == 0 && m->to == 2 && m->raft.type == RAFT_REQUEST_VOTE &&
			 m->raft.request_vote.term == term && m->raft.request_vote.pre_vote == is_pre_vote;
	}
	return count;
}

Test(raft_election, a_candidate_on_a_slow_disk_asks_for_the_votes_of_its_term)
{
	become_candidate();
	raft_lone_pass(l, 10000);
	cr_expect_eq(l->term[0], 2, "nobody was asked in term 2 yet");
	raft_lone_sync(l);
	cr_expect_eq(asked(2, false), 1);
	raft_lone_pass(l, 400);
	cr_expect_eq(l->term[0], 2, "the time for answers begins when they are asked for");
	cr_assert_eq(raft_lone_vote(l, 2, 0, 2, false), ORD_OK);
	raft_lone_sync(l);
	raft_lone_result(l, 2, 0, 2, 0, 1);
	raft_lone_sync(l);
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
}

Test(raft_election, a_leader_elected_while_a_vote_is_written_is_not_deposed)
{
	become_candidate();
	raft_lone_pass(l, 10000);
	cr_assert_eq(raft_lone_append(l, 3, 0, 2, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(l->role[0], ORD_ROLE_FOLLOWER);
	cr_expect_eq(l->leader[0], 3);
	cr_expect_eq(l->term[0], 2);
}

Test(raft_election, every_round_of_an_election_begins_with_a_pre_vote)
{
	become_candidate();
	raft_lone_sync(l);
	raft_lone_pass(l, 10000);
	cr_expect_eq(l->term[0], 2, "nobody has granted a pre-vote");
	cr_expect_gt(asked(3, true), 1);
	cr_expect_eq(asked(3, false), 0);
	/* A grant of the round before counts for nothing. */
	cr_assert_eq(raft_lone_vote(l, 2, 0, 2, true), ORD_OK);
	cr_expect_eq(l->term[0], 2);
	cr_assert_eq(raft_lone_vote(l, 2, 0, 3, true), ORD_OK);
	cr_expect_eq(l->term[0], 3);
}

Test(raft_election, a_leader_is_announced_when_its_first_entry_is_committed)
{
	struct raft_lone_entry e[] = {raft_lone_command(1, "a"), raft_lone_command(1, "b")};
	uint64_t index;
	uint64_t term;
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, e, 2), ORD_OK);
	raft_lone_sync(l);
	raft_lone_pass(l, 1100);
	cr_assert_eq(l->role[0], ORD_ROLE_CANDIDATE);
	raft_lone_vote(l, 2, 0, 2, true);
	raft_lone_sync(l);
	raft_lone_vote(l, 2, 0, 2, false);
	raft_lone_sync(l);
	cr_expect_eq(l->role[0], ORD_ROLE_CANDIDATE, "entries 2 and 3 are not known to be committed");
	cr_expect_eq(ord_host_propose(l->host, 0, ord_slice_text("c"), &index, &term), ORD_ERR_NOT_LEADER);
	cr_expect_eq(l->applied_count, 0);
	raft_lone_result(l, 2, 0, 2, 0, 4);
	cr_expect_eq(l->role[0], ORD_ROLE_CANDIDATE, "nor has anything been applied");
	raft_lone_turn(l);
	cr_expect_eq(l->applied_count, 2);
	cr_expect_eq(l->role[0], ORD_ROLE_LEADER);
	cr_expect_eq(l->leader[0], 1);
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("c"), &index, &term), ORD_OK);
	cr_expect_eq(index, 5);
	cr_expect_eq(term, 2);
	/* Nobody answers any more: it steps down, and says so. */
	raft_lone_pass(l, 1200);
	cr_expect_neq(l->role[0], ORD_ROLE_LEADER);
	cr_expect_eq(l->leader[0], 0);
	cr_expect_eq(ord_host_propose(l->host, 0, ord_slice_text("c"), &index, &term), ORD_ERR_NOT_LEADER);
}

Test(raft_election, an_idle_leader_sends_a_heartbeat_in_each_interval)
{
	raft_lone_start(l);
	raft_lone_lead(l);
	raft_lone_forget(l);
	for (int i = 0; i < 20; i++) {
		raft_lone_pass(l, 50);
		raft_lone_result(l, 2, 0, l->term[0], 0, 1);
		raft_lone_result(l, 3, 0, l->term[0], 0, 1);
	}
	uint32_t count = raft_lone_count(l, RAFT_APPEND_ENTRIES);
	cr_expect_geq(count, 2 * 8);
	cr_expect_leq(count, 2 * 10);
}

/* The leader's heartbeats wait unread while the process stood still: they come first. */
Test(raft_election, a_pause_of_the_process_is_no_reason_for_an_election)
{
	raft_lone_start(l);
	cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, NULL, 0), ORD_OK);
	cr_assert_eq(raft_lone_append(l, 2, 1, 1, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_pass(l, 10);
	raft_lone_forget(l);
	for (int i = 0; i < 3; i++) {
		l->now_ms += 3000;
		ord_host_tick(l->host, l->now_ms);
		cr_assert_eq(raft_lone_append(l, 2, 0, 1, 1, 1, 1, NULL, 0), ORD_OK);
		cr_assert_eq(raft_lone_append(l, 2, 1, 1, 1, 1, 1, NULL, 0), ORD_OK);
		raft_lone_pass(l, 100);
	}
	cr_expect_eq(raft_lone_count(l, RAFT_REQUEST_VOTE), 0);
	cr_expect_eq(l->leader[0], 2);
	/* An owner whose every tick is late has elections all the same. */
	for (int i = 0; i < 10; i++) {
		l->now_ms += 300;
		ord_host_tick(l->host, l->now_ms);
	}
	cr_expect_gt(raft_lone_count(l, RAFT_REQUEST_VOTE), 0);
}
