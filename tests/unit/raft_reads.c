/* SPDX-License-Identifier: Apache-2.0 - reads without an entry: who may confirm a leadership, to what, and when. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/support/raft_cluster.h"
#include "tests/support/raft_lone.h"

static struct raft_lone *l;
static uint64_t term; /* in which it leads group 0 */

static void lead(void)
{
	l = raft_lone_make();
	raft_lone_start(l);
	raft_lone_lead(l);
	cr_assert_eq(l->role[0], ORD_ROLE_LEADER);
	term = l->term[0];
	raft_lone_forget(l);
}

static void follow(void)
{
	l = raft_lone_make();
	raft_lone_start(l);
	term = 3;
	cr_assert_eq(raft_lone_append(l, 2, 0, term, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(l->leader[0], 2);
	raft_lone_forget(l);
}

static void clean(void)
{
	raft_lone_free(l);
}

TestSuite(raft_reads, .init = lead, .fini = clean);
TestSuite(raft_reads_peer, .init = follow, .fini = clean);

static struct ord_read_point begin(void)
{
	struct ord_read_point point;
	cr_assert_eq(ord_host_read_begin(l->host, 0, &point), ORD_OK);
	return point;
}

static bool may_read(const struct ord_read_point *point)
{
	return ord_host_may_read(l->host, 0, point);
}

/* --- The leader. --- */

Test(raft_reads, a_read_asks_all_peers_at_once_and_one_answer_of_two_is_enough)
{
	struct ord_read_point point = begin();
	struct ord_group_status s;
	ord_host_group_status(l->host, 0, &s);
	cr_expect_eq(point.index, s.commit_index);
	cr_expect_eq(point.term, term);
	cr_expect_not(may_read(&point));
	raft_lone_turn(l);
	cr_assert_eq(l->confirms_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		cr_expect_not(l->confirms[i].message.is_answer);
		cr_expect_eq(l->confirms[i].message.groups_count, 1);
		cr_expect(l->confirms[i].groups[0] == 0 && l->confirms[i].terms[0] == term);
	}
	cr_expect_eq(l->sent_count, 0, "nothing but the questions goes out");
	cr_expect_not(may_read(&point));
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, l->confirms[0].message.round), ORD_OK);
	cr_expect(may_read(&point));
	ord_host_group_status(l->host, 0, &s);
	cr_expect_eq(s.last_index, point.index, "no entry was made");
}

Test(raft_reads, an_answer_to_an_earlier_question_does_not_confirm_a_later_read)
{
	begin();
	raft_lone_turn(l);
	uint64_t round = l->confirms[0].message.round;
	struct ord_read_point later = begin();
	raft_lone_turn(l);
	cr_assert_eq(l->confirms_count, 2, "the peers have been asked and have not answered");
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round), ORD_OK);
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round), ORD_OK);
	cr_assert_eq(raft_lone_answer(l, 3, 0, term, l->confirms[1].message.round), ORD_OK);
	cr_expect_not(may_read(&later));
	raft_lone_turn(l);
	cr_assert_eq(l->confirms_count, 4);
	cr_assert_eq(raft_lone_answer(l, 3, 0, term, l->confirms[3].message.round), ORD_OK);
	cr_expect(may_read(&later));
}

Test(raft_reads, an_answer_of_another_term_or_to_no_question_confirms_nothing)
{
	struct ord_read_point point = begin();
	raft_lone_turn(l);
	uint64_t round = l->confirms[0].message.round;
	cr_assert_eq(raft_lone_answer(l, 2, 0, term - 1, round), ORD_OK);
	cr_assert_eq(raft_lone_answer(l, 2, 0, term + 1, round), ORD_OK);
	cr_assert_eq(raft_lone_answer(l, 2, 1, term, round), ORD_OK);
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round + 100), ORD_OK);
	cr_expect_not(may_read(&point));
}

Test(raft_reads, a_peer_that_does_not_answer_is_asked_again_and_the_first_answer_still_counts)
{
	struct ord_read_point point = begin();
	raft_lone_turn(l);
	uint64_t first = l->confirms[0].message.round;
	raft_lone_pass(l, 90);
	cr_expect_eq(l->confirms_count, 2);
	raft_lone_pass(l, 30);
	cr_expect_eq(l->confirms_count, 4);
	cr_expect_gt(l->confirms[2].message.round, first);
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, first), ORD_OK);
	cr_expect(may_read(&point));
}

Test(raft_reads, a_connection_that_is_made_anew_is_asked_on_for_the_next_reads)
{
	begin();
	raft_lone_turn(l);
	begin();
	ord_host_peer(l->host, 2, 2);
	raft_lone_turn(l);
	cr_assert_eq(l->confirms_count, 3);
	cr_expect_eq(ORD_MEMBER_NODE(l->confirms[2].message.to), 2);
}

Test(raft_reads, a_leadership_that_is_lost_confirms_nothing_any_more)
{
	struct ord_read_point point = begin(), other;
	raft_lone_turn(l);
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, l->confirms[0].message.round), ORD_OK);
	cr_assert(may_read(&point));
	struct ord_group_status s;
	ord_host_group_status(l->host, 0, &s);
	cr_assert_eq(raft_lone_append(l, 3, 0, term + 1, s.last_index, s.last_term, 1, NULL, 0), ORD_OK);
	cr_expect_not(may_read(&point));
	cr_expect_eq(ord_host_read_begin(l->host, 0, &other), ORD_ERR_NOT_LEADER);
	cr_expect_eq(ord_host_read_begin(l->host, 1, &other), ORD_ERR_NOT_LEADER);
}

/* Makes it leader again, in a later term, with the votes of node 2. */
static void lead_again(void)
{
	struct ord_group_status s;
	ord_host_group_status(l->host, 0, &s);
	cr_assert_eq(raft_lone_append(l, 3, 0, term + 1, s.last_index, s.last_term, 1, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	raft_lone_pass(l, 1200);
	cr_assert_eq(l->role[0], ORD_ROLE_CANDIDATE);
	for (int is_pre_vote = 1; is_pre_vote >= 0; is_pre_vote--) {
		ord_host_group_status(l->host, 0, &s);
		cr_assert_eq(raft_lone_vote(l, 2, 0, s.term + (uint64_t)is_pre_vote, is_pre_vote), ORD_OK);
		raft_lone_sync(l);
	}
	ord_host_group_status(l->host, 0, &s);
	cr_assert_eq(raft_lone_result(l, 2, 0, s.term, 0, s.last_index), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(l->role[0], ORD_ROLE_LEADER);
	cr_assert_gt(l->term[0], term);
}

/* Somebody else may have led between them. */
Test(raft_reads, what_was_confirmed_in_one_leadership_says_nothing_in_the_next)
{
	struct ord_read_point point = begin();
	raft_lone_turn(l);
	uint64_t round = l->confirms[0].message.round;
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round), ORD_OK);
	cr_assert(may_read(&point));
	raft_lone_forget(l);
	lead_again();
	cr_expect_not(may_read(&point), "before anything is asked");
	struct ord_read_point next = begin();
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round), ORD_OK);
	cr_expect(!may_read(&next) && !may_read(&point));
	raft_lone_forget(l);
	raft_lone_turn(l);
	cr_assert_eq(raft_lone_answer(l, 2, 0, l->term[0], l->confirms[0].message.round), ORD_OK);
	cr_expect(may_read(&next));
	cr_expect_not(may_read(&point));
}

Test(raft_reads, what_another_life_of_a_peer_says_is_not_its_voter_s_word)
{
	struct ord_read_point point = begin();
	raft_lone_turn(l);
	uint64_t round = l->confirms[0].message.round;
	l->peer_incarnations[2] = 7;
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round), ORD_OK);
	cr_expect_not(may_read(&point), "that member has no vote");
	ord_host_peer(l->host, 2, ord_member_of(2, 7));
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round), ORD_OK);
	l->peer_incarnations[2] = 0;
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, round), ORD_OK);
	cr_expect_not(may_read(&point), "the node is not that member any more");
}

Test(raft_reads, what_was_committed_is_applied_first)
{
	uint64_t index;
	ord_host_hold(l->host, true);
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_result(l, 2, 0, term, 0, index), ORD_OK);
	raft_lone_forget(l);
	struct ord_read_point point = begin();
	cr_assert_eq(point.index, index);
	raft_lone_turn(l);
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, l->confirms[0].message.round), ORD_OK);
	cr_expect_not(may_read(&point), "it is not applied");
	ord_host_hold(l->host, false);
	raft_lone_turn(l);
	cr_assert_eq(l->applied[0], index);
	cr_expect(may_read(&point));
}

/* Who has confirmed loses its vote before what must be applied is: those that have one now are asked instead. */
Test(raft_reads, a_read_is_asked_for_again_when_who_confirmed_it_is_no_voter_any_more)
{
	uint64_t index;
	struct ord_group_status s;
	ord_host_hold(l->host, true);
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_result(l, 2, 0, term, 0, index), ORD_OK);
	struct ord_read_point point = begin();
	raft_lone_turn(l);
	cr_assert_eq(raft_lone_answer(l, 2, 0, term, l->confirms[0].message.round), ORD_OK);
	raft_lone_turn(l);
	ord_host_peer(l->host, 2, ord_member_of(2, 7)); /* its disk is lost */
	do {
		raft_lone_pass(l, 50);
		cr_assert_lt(l->now_ms, 20000);
		ord_host_group_status(l->host, 0, &s);
		cr_assert_eq(raft_lone_result(l, 3, 0, term, 0, index), ORD_OK);
	} while (s.last_index == index);
	raft_lone_sync(l);
	ord_host_hold(l->host, false);
	raft_lone_turn(l);
	cr_assert_eq(l->applied[0], index);
	cr_assert_not(may_read(&point), "one of two voters");
	raft_lone_forget(l);
	raft_lone_turn(l);
	cr_assert_eq(l->confirms_count, 1);
	cr_assert_eq(l->confirms[0].message.to, 3);
	cr_assert_eq(raft_lone_answer(l, 3, 0, term, l->confirms[0].message.round), ORD_OK);
	cr_expect(may_read(&point));
}

/* A leader that has just begun may not know of all that is committed. */
Test(raft_reads, nothing_is_read_before_an_entry_of_the_own_term_is_committed)
{
	struct ord_read_point point;
	struct ord_group_status s;
	uint64_t index;
	cr_assert_eq(ord_host_propose(l->host, 0, ord_slice_text("x"), &index, &term), ORD_OK);
	raft_lone_sync(l);
	ord_host_group_status(l->host, 0, &s);
	cr_assert_lt(s.commit_index, s.last_index);
	raft_lone_crash(l);
	cr_assert_eq(raft_lone_open(l), ORD_OK);
	raft_lone_sync(l);
	raft_lone_pass(l, 300);
	ord_host_group_status(l->host, 0, &s);
	cr_assert_eq(raft_lone_vote(l, 2, 0, s.term + 1, true), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(raft_lone_vote(l, 2, 0, s.term + 1, false), ORD_OK);
	raft_lone_sync(l);
	cr_assert_neq(l->role[0], ORD_ROLE_LEADER);
	cr_expect_eq(ord_host_read_begin(l->host, 0, &point), ORD_ERR_NOT_LEADER);
	ord_host_group_status(l->host, 0, &s);
	raft_lone_result(l, 2, 0, s.term, 0, s.last_index);
	raft_lone_sync(l);
	cr_assert_eq(ord_host_read_begin(l->host, 0, &point), ORD_OK);
	cr_expect_geq(point.index, index);
}

/* --- Its peers. --- */

static const struct raft_lone_confirm *asked(uint32_t from, uint32_t group, uint64_t asked_term)
{
	static uint64_t round = 1;
	cr_assert_eq(raft_lone_question(l, from, group, asked_term, ++round), ORD_OK);
	cr_assert_gt(l->confirms_count, 0, "every question is answered");
	const struct raft_lone_confirm *answer = &l->confirms[l->confirms_count - 1];
	cr_assert(answer->message.is_answer && answer->message.round == round);
	cr_assert_eq(answer->message.to, ord_member_of(from, 0));
	return answer;
}

Test(raft_reads_peer, it_confirms_the_leader_that_it_follows_and_no_other)
{
	const struct raft_lone_confirm *a = asked(2, 0, term);
	cr_assert_eq(a->message.groups_count, 1);
	cr_expect(a->groups[0] == 0 && a->terms[0] == term);
	cr_expect_eq(asked(2, 0, term - 1)->message.groups_count, 0);
	cr_expect_eq(asked(2, 0, term + 1)->message.groups_count, 0);
	cr_expect_eq(asked(3, 0, term)->message.groups_count, 0);
	cr_expect_eq(asked(2, 1, 1)->message.groups_count, 0, "it has heard of no leader there");
}

Test(raft_reads_peer, it_confirms_no_leader_once_it_has_voted_in_a_later_term)
{
	raft_lone_pass(l, 1200); /* it believes in no leader any more */
	cr_assert_eq(raft_lone_append(l, 2, 0, term, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_assert_eq(asked(2, 0, term)->message.groups_count, 1);
	struct ord_message m = {.group = 0};
	m.raft.type = RAFT_REQUEST_VOTE;
	m.raft.request_vote = (struct raft_request_vote){
		.version = 2, .term = term + 1, .last_log_index = 1, .last_log_term = 1, .disrupt_leader = true};
	cr_assert_eq(raft_lone_give(l, 3, m), ORD_OK);
	raft_lone_turn(l);
	cr_expect_eq(asked(2, 0, term)->message.groups_count, 0, "neither before the vote is on its disk");
	raft_lone_sync(l);
	cr_expect_eq(asked(2, 0, term)->message.groups_count, 0, "nor afterwards");
}

Test(raft_reads_peer, it_confirms_nothing_while_its_term_is_not_on_its_disk)
{
	cr_assert_eq(raft_lone_append(l, 2, 0, term + 1, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_turn(l);
	cr_expect_eq(asked(2, 0, term + 1)->message.groups_count, 0);
	raft_lone_sync(l);
	cr_expect_eq(asked(2, 0, term + 1)->message.groups_count, 1);
}

Test(raft_reads_peer, a_candidate_confirms_nothing)
{
	raft_lone_pass(l, 1200);
	cr_assert_eq(l->role[0], ORD_ROLE_CANDIDATE);
	cr_expect_eq(asked(2, 0, term)->message.groups_count, 0);
}

Test(raft_reads_peer, one_that_starts_again_confirms_nothing_before_it_hears_of_the_leader)
{
	raft_lone_crash(l);
	raft_lone_start(l);
	cr_expect_eq(asked(2, 0, term)->message.groups_count, 0);
	cr_assert_eq(raft_lone_append(l, 2, 0, term, 1, 1, 1, NULL, 0), ORD_OK);
	raft_lone_sync(l);
	cr_expect_eq(asked(2, 0, term)->message.groups_count, 1);
}

Test(raft_reads_peer, what_is_for_another_life_of_this_node_is_not_answered)
{
	l->incarnation = 5;
	cr_expect_eq(raft_lone_question(l, 2, 0, term, 9), ORD_OK);
	cr_expect_eq(l->confirms_count, 0);
}

Test(raft_reads_peer, nonsense_is_refused)
{
	uint8_t good[ORD_CONFIRM_HEADER_BYTES + ORD_CONFIRM_GROUP_BYTES];
	cr_assert_eq(raft_lone_question(l, 2, 0, term, 9), ORD_OK);
	cr_assert_eq(l->message.len, sizeof good);
	memcpy(good, l->message.base, sizeof good);
	cr_assert_eq(raft_lone_question(l, 2, 2, term, 9), ORD_ERR_FORMAT, "there is no such group");
	cr_assert_eq(ord_host_receive_confirm(l->host, 3, ord_slice_of(good, sizeof good)), ORD_ERR_FORMAT);
	cr_assert_eq(ord_host_receive_confirm(l->host, 1, ord_slice_of(good, sizeof good)), ORD_ERR_FORMAT);
	for (size_t len = 0; len < sizeof good; len++)
		cr_assert_eq(ord_host_receive_confirm(l->host, 2, ord_slice_of(good, len)), ORD_ERR_FORMAT);
	for (size_t i = 0; i < 8; i++) { /* format, type, number of groups, zeros */
		good[i] ^= 0x55;
		cr_assert_eq(ord_host_receive_confirm(l->host, 2, ord_slice_of(good, sizeof good)), ORD_ERR_FORMAT);
		good[i] ^= 0x55;
	}
	cr_assert_eq(ord_host_receive_confirm(l->host, 2, ord_slice_of(good, sizeof good)), ORD_OK);
}

/* --- How many it takes. --- */

static struct raft_cluster *open_cluster(uint32_t nodes_count)
{
	struct raft_cluster *c = malloc(sizeof *c);
	struct raft_cluster_options o = {.nodes_count = nodes_count, .groups_count = 2, .seed = 5, .in_order = true};
	cr_assert_not_null(c);
	raft_cluster_open(c, &o);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 5000));
	return c;
}

static void close_cluster(struct raft_cluster *c)
{
	raft_cluster_close(c);
	free(c);
}

static bool is_answered(struct raft_cluster *c, uint32_t leader, uint64_t ms)
{
	struct ord_read_point p;
	cr_assert_eq(ord_host_read_begin(c->nodes[leader].host, 0, &p), ORD_OK);
	for (uint64_t i = 0; i < ms && !ord_host_may_read(c->nodes[leader].host, 0, &p); i++)
		raft_cluster_run(c, 1);
	return ord_host_may_read(c->nodes[leader].host, 0, &p);
}

Test(raft_reads_count, a_node_alone_asks_nobody)
{
	struct raft_cluster *c = open_cluster(1);
	cr_expect(is_answered(c, 0, 0));
	raft_cluster_run(c, 500);
	cr_expect_eq(c->confirms, 0);
	close_cluster(c);
}

Test(raft_reads_count, of_five_it_takes_three)
{
	struct raft_cluster *c = open_cluster(5);
	uint32_t leader = raft_cluster_leader(c, 0);
	cr_expect(is_answered(c, leader, 50));
	for (uint32_t cut = 1; cut <= 3; cut++) {
		raft_cluster_isolate(c, (leader + cut) % 5, true);
		cr_expect_eq(is_answered(c, leader, 150), cut < 3, "%u of 5 are cut off", cut);
	}
	close_cluster(c);
}

Test(raft_reads_count, of_two_it_takes_both)
{
	struct raft_cluster *c = open_cluster(2);
	uint32_t leader = raft_cluster_leader(c, 0);
	cr_expect(is_answered(c, leader, 50));
	raft_cluster_isolate(c, 1 - leader, true);
	cr_expect_not(is_answered(c, leader, 150));
	close_cluster(c);
}

/* Who waits for its vote follows as well, and says so. */
Test(raft_reads_count, a_member_without_a_vote_does_not_count)
{
	struct raft_cluster *c = open_cluster(3);
	uint32_t leader = raft_cluster_leader(c, 0);
	uint32_t lost = (leader + 1) % 3;
	cr_expect(is_answered(c, leader, 50)); /* by the member that is lost, too */
	raft_cluster_wipe(c, lost, false);
	raft_cluster_start(c, lost);
	bool is_seen = false;
	for (int i = 0; i < 20000 && !raft_cluster_all_voters(c); i++) {
		raft_cluster_run(c, 1);
		leader = raft_cluster_leader(c, 0);
		if (is_seen || leader == 3 || leader == lost || raft_cluster_role_of(c, 0, lost) != ORD_MEMBER_STANDBY)
			continue;
		raft_cluster_run(c, 20); /* the change is committed, and the member follows */
		is_seen = true;
		cr_assert_eq(raft_cluster_role_of(c, 0, lost), ORD_MEMBER_STANDBY);
		cr_assert_eq(c->nodes[lost].leader[0], leader + 1);
		uint32_t other = 3 - leader - lost;
		raft_cluster_isolate(c, other, true);
		cr_expect(!is_answered(c, leader, 120) || raft_cluster_role_of(c, 0, lost) == ORD_MEMBER_VOTER);
		raft_cluster_isolate(c, other, false);
	}
	cr_expect(is_seen && raft_cluster_all_voters(c));
	leader = raft_cluster_leader(c, 0);
	cr_assert_neq(leader, lost);
	cr_expect(is_answered(c, leader, 50));
	raft_cluster_isolate(c, 3 - leader - lost, true);
	cr_expect(is_answered(c, leader, 150), "the new member counts as the old one did");
	close_cluster(c);
}
