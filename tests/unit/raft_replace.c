/* SPDX-License-Identifier: Apache-2.0 - nodes that lost their disks come back as other members, by themselves. */
#include <criterion/criterion.h>
#include <raft.h>
#include <stdlib.h>

#include "base/err.h"
#include "raft/codec.h"
#include "tests/support/raft_readers.h"

#define LOST 2 /* the node whose disk is lost, but where others are named */

static struct raft_cluster *c;
static struct raft_readers readers; /* all the time: what members confirm while they are replaced */

static void open_cluster(uint32_t nodes_count, uint32_t groups_count, uint64_t seed, unsigned release_percent)
{
	struct raft_cluster_options o = {.nodes_count = nodes_count,
					 .groups_count = groups_count,
					 .seed = seed,
					 .segment_bytes = 64u << 10,
					 .trailing_bytes = release_percent > 0 ? 2000 : 0,
					 .segments_max = 4,
					 .release_percent = release_percent,
					 .delay_ms_max = 2,
					 .in_order = true,
					 .sync_ms_max = 3};
	c = malloc(sizeof *c);
	cr_assert_not_null(c);
	raft_cluster_open(c, &o);
	raft_readers_start(&readers, c, 5);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 5000));
}

static void close_cluster(void)
{
	cr_expect_gt(readers.done_count, 10, "%lu reads of %lu", readers.done_count, readers.begun_count);
	raft_cluster_close(c);
	free(c);
}

/* All that was applied anywhere is applied everywhere, by members that all have a vote. */
static void expect_whole(const char *what)
{
	for (int i = 0; i < 100 && !raft_cluster_all_voters(c); i++)
		raft_cluster_load(c, 5, 100, 300);
	cr_expect(raft_cluster_all_voters(c), "%s: not all are voters again", what);
	cr_expect(raft_cluster_run_until(c, raft_cluster_all_equal, 20000), "%s: not all are equal", what);
}

static void lose(uint32_t node)
{
	raft_cluster_kill(c, node);
	raft_cluster_load(c, 20, 100, 700);
	raft_cluster_wipe(c, node, false);
	raft_cluster_start(c, node);
}

Test(raft_replace, a_node_without_its_disk_comes_back_under_load)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		bool is_trimmed = seed % 2 == 0;
		open_cluster(3, 4, seed, is_trimmed ? 30 : 0);
		raft_cluster_load(c, 20, 100, 1500);
		uint64_t installs = c->installs;
		lose((uint32_t)(seed % 3));
		expect_whole(is_trimmed ? "trimmed" : "whole logs");
		cr_expect_eq(c->refused_messages, 0);
		cr_expect(!is_trimmed || c->installs > installs, "the logs of the others had no need of a state");
		/* The new member has a vote: with it and one other there is a majority. */
		raft_cluster_kill(c, (uint32_t)((seed + 1) % 3));
		cr_expect(raft_cluster_run_until(c, raft_cluster_all_led, 10000));
		raft_cluster_load(c, 20, 100, 500);
		raft_cluster_start(c, (uint32_t)((seed + 1) % 3));
		expect_whole("after that");
		close_cluster();
	}
}

/* Its log is set aside, because it is damaged; the states are whole, and ahead of a new member with nothing. */
Test(raft_replace, a_node_without_its_log_goes_on_after_its_states)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		open_cluster(3, 3, seed, 0);
		raft_cluster_load(c, 20, 100, 1500);
		for (uint32_t g = 0; g < 2; g++)
			raft_cluster_release(c, LOST, g, c->nodes[LOST].applied[g]);
		raft_cluster_load(c, 20, 100, 300);
		raft_cluster_wipe(c, LOST, true);
		raft_cluster_start(c, LOST);
		cr_expect_gt(c->nodes[LOST].applied[0], 10);
		raft_cluster_run(c, 20);
		/* And again, before anybody has spoken to it. */
		raft_cluster_kill(c, LOST);
		raft_cluster_start(c, LOST);
		expect_whole("states kept");
		cr_expect_eq(c->installs, 0);
		raft_cluster_kill(c, LOST);
		raft_cluster_start(c, LOST);
		expect_whole("and restarted");
		close_cluster();
	}
}

/* The role that node LOST has as its present member, in some group: what was not reached yet is absent. */
enum phase { PHASE_LOST = -2, PHASE_OUT = -1, PHASE_IN = ORD_MEMBER_STANDBY, PHASE_VOTER = ORD_MEMBER_VOTER };
static const enum phase phases[] = {PHASE_LOST, PHASE_OUT, PHASE_IN, PHASE_VOTER};
static enum phase wanted;
static const enum phase *const wanted_phase = &wanted;

static bool group_is_in_phase(struct raft_cluster *cluster)
{
	return raft_cluster_leader(cluster, 1) < cluster->options.nodes_count &&
	       raft_cluster_role_of(cluster, 1, LOST) == (int)*wanted_phase;
}

static void kill_in_phase(bool is_leader, uint64_t seed)
{
	for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
		char what[64];
		snprintf(what, sizeof what, "%s killed in phase %d, seed %lu", is_leader ? "leader" : "newcomer",
			 (int)phases[i], seed);
		open_cluster(3, 3, seed, seed % 2 == 0 ? 30 : 0);
		raft_cluster_load(c, 20, 100, 1000);
		wanted = phases[i];
		lose(LOST);
		cr_assert(raft_cluster_run_until(c, group_is_in_phase, 20000), "%s: never seen", what);
		uint32_t victim = is_leader ? raft_cluster_leader(c, 1) : LOST;
		raft_cluster_kill(c, victim);
		raft_cluster_load(c, 20, 100, 1500);
		raft_cluster_start(c, victim);
		expect_whole(what);
		close_cluster();
	}
}

Test(raft_replace, another_leader_goes_on_where_the_one_before_stopped)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		kill_in_phase(true, seed);
}

Test(raft_replace, a_newcomer_may_stop_at_any_time)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		kill_in_phase(false, seed);
}

/* The newcomer loses its disk again before it is a voter: yet another member comes. */
Test(raft_replace, a_newcomer_may_be_lost_at_any_time)
{
	for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
		open_cluster(3, 3, 5 + i, 0);
		raft_cluster_load(c, 20, 100, 1000);
		wanted = phases[i];
		lose(LOST);
		cr_assert(raft_cluster_run_until(c, group_is_in_phase, 20000));
		lose(LOST);
		expect_whole("lost twice");
		close_cluster();
	}
}

/* What is said of the last group to or by node LOST is lost: there it stays a newcomer that has nothing. */
static bool last_group_passes(struct raft_cluster *cluster, uint32_t from, uint32_t to, struct ord_slice message)
{
	struct ord_message m;
	cr_assert_eq(ord_codec_decode(message, cluster->entries, &m), ORD_OK);
	return m.group + 1 < cluster->options.groups_count || (from != LOST && to != LOST);
}

static bool newcomer_leads_what_it_should(struct raft_cluster *cluster)
{
	return raft_cluster_leader(cluster, LOST) == LOST;
}

Test(raft_replace, a_newcomer_is_given_no_leadership_before_it_has_a_vote_in_every_group)
{
	open_cluster(3, 5, 9, 0);
	raft_cluster_load(c, 20, 100, 500);
	c->filter = last_group_passes;
	lose(LOST);
	for (unsigned i = 0; i < 80; i++) {
		raft_cluster_load(c, 20, 100, 250);
		for (uint32_t g = 0; g < c->options.groups_count; g++)
			cr_assert_neq(raft_cluster_leader(c, g), (uint32_t)LOST, "group %u, after %u ms", g, i * 250);
	}
	cr_assert_eq(raft_cluster_role_of(c, LOST, LOST), ORD_MEMBER_VOTER, "the others are held up by one");
	c->filter = NULL;
	cr_assert(raft_cluster_run_until(c, newcomer_leads_what_it_should, 20000));
	expect_whole("after that");
	close_cluster();
}

Test(raft_replace, nodes_are_lost_one_after_the_other)
{
	open_cluster(3, 4, 3, 10);
	for (uint32_t i = 0; i < 6; i++) {
		raft_cluster_load(c, 20, 100, 500);
		lose(i % 3);
		expect_whole("one after the other");
	}
	close_cluster();
	/* And two of five at once. */
	open_cluster(5, 4, 4, 10);
	raft_cluster_load(c, 20, 100, 500);
	raft_cluster_kill(c, 1);
	lose(3);
	raft_cluster_wipe(c, 1, false);
	raft_cluster_start(c, 1);
	expect_whole("two of five");
	close_cluster();
}

/* The disk of the member that was taken out turns up again. The others do not believe that it is the node (node/peers*), or do, at worst: then nothing stops
 * and nothing is lost. */
Test(raft_replace, a_member_that_was_taken_out_disrupts_nothing)
{
	for (int is_believed = 0; is_believed < 2; is_believed++) {
		struct raft_disk *old = malloc(sizeof *old);
		cr_assert_not_null(old);
		open_cluster(3, 3, 8, 0);
		raft_cluster_load(c, 20, 100, 1000);
		raft_cluster_kill(c, LOST);
		raft_disk_copy(&c->nodes[LOST].disk, old);
		raft_cluster_wipe(c, LOST, false);
		raft_cluster_start(c, LOST);
		expect_whole("taken out");
		raft_cluster_kill(c, LOST);
		/* It stands in for the node, with what the old member knew. */
		struct raft_disk kept = c->nodes[LOST].disk;
		uint64_t member = c->nodes[LOST].member;
		char why[256];
		c->nodes[LOST].disk = *old;
		c->nodes[LOST].member = LOST + 1;
		for (uint32_t i = 0; i < 2 && !is_believed; i++)
			ord_host_peer(c->nodes[i].host, LOST + 1, member);
		cr_assert_eq(raft_cluster_try_start(c, LOST, why, sizeof why), ORD_OK, "%s", why);
		uint64_t term[3];
		raft_cluster_run(c, 3000);
		for (uint32_t g = 0; g < 3; g++)
			term[g] = c->nodes[0].term[g];
		uint64_t commands = c->groups[0].commands;
		raft_cluster_load(c, 20, 100, 3000);
		for (uint32_t g = 0; g < 3; g++)
			cr_expect_eq(c->nodes[0].term[g], term[g], "a leader was deposed");
		cr_expect_gt(c->groups[0].commands, commands + 100);
		raft_cluster_kill(c, LOST);
		*old = c->nodes[LOST].disk;
		raft_disk_close(old);
		free(old);
		c->nodes[LOST].disk = kept;
		c->nodes[LOST].member = member;
		memset(c->votes[0][LOST], 0, sizeof c->votes[0][LOST]);
		memset(c->votes[1][LOST], 0, sizeof c->votes[1][LOST]);
		memset(c->votes[2][LOST], 0, sizeof c->votes[2][LOST]);
		raft_cluster_start(c, LOST);
		expect_whole("and after it went again");
		close_cluster();
	}
}

/* Entries that only the leader and the lost node have are committed. Without the leader nobody may go on. */
Test(raft_replace, nobody_leads_without_what_the_lost_node_had_acknowledged)
{
	open_cluster(3, 1, 2, 0);
	raft_cluster_load(c, 20, 100, 500);
	uint32_t leader = raft_cluster_leader(c, 0);
	uint32_t behind = (leader + 1) % 3;
	uint32_t lost = (leader + 2) % 3;
	raft_cluster_isolate(c, behind, true);
	raft_cluster_load(c, 20, 100, 300);
	raft_cluster_kill(c, leader);
	raft_cluster_isolate(c, behind, false);
	raft_cluster_wipe(c, lost, false);
	raft_cluster_start(c, lost);
	raft_cluster_run(c, 20000);
	cr_expect_eq(raft_cluster_leader(c, 0), 3, "a leader without what was committed");
	raft_cluster_start(c, leader);
	expect_whole("with the leader");
	close_cluster();
}

/* While writes would stall without it, a member stays. */
Test(raft_replace, a_member_goes_only_when_a_majority_of_the_others_is_there)
{
	open_cluster(5, 1, 2, 0);
	raft_cluster_load(c, 20, 100, 500);
	uint32_t leader = raft_cluster_leader(c, 0);
	uint32_t lost = (leader + 1) % 5;
	raft_cluster_kill(c, (leader + 2) % 5);
	raft_cluster_kill(c, (leader + 3) % 5);
	raft_cluster_run(c, 1000);
	cr_assert_eq(raft_cluster_leader(c, 0), leader);
	/* 4 remain without it, 2 of them are up. */
	raft_cluster_wipe(c, lost, false);
	raft_cluster_start(c, lost);
	for (int i = 0; i < 30; i++) {
		raft_cluster_run(c, 10);
		cr_assert_eq(raft_cluster_role_of(c, 0, lost), raft_cluster_leader(c, 0) == leader ? -2 : -1);
	}
	raft_cluster_start(c, (leader + 2) % 5);
	raft_cluster_start(c, (leader + 3) % 5);
	expect_whole("with a majority");
	close_cluster();
}

/* It gets nothing of what it lacks: it is no voter, and the others go on. */
Test(raft_replace, a_newcomer_that_does_not_get_on_gets_no_vote)
{
	open_cluster(3, 4, 6, 0);
	raft_cluster_load(c, 20, 100, 1000);
	raft_cluster_kill(c, LOST);
	raft_cluster_wipe(c, LOST, false);
	raft_cluster_isolate(c, LOST, true);
	raft_cluster_start(c, LOST);
	wanted = PHASE_IN;
	cr_assert(raft_cluster_run_until(c, group_is_in_phase, 5000));
	uint64_t commands = c->groups[1].commands;
	raft_cluster_load(c, 20, 100, 15000);
	cr_expect_eq(raft_cluster_role_of(c, 1, LOST), ORD_MEMBER_STANDBY);
	cr_expect_gt(c->groups[1].commands, commands + 1000);
	/* Nothing moves there: the next groups of the same leaders do not wait for it. */
	raft_cluster_load(c, 20, 100, 15000);
	for (uint32_t g = 0; g < 4; g++)
		cr_expect_eq(raft_cluster_role_of(c, g, LOST), ORD_MEMBER_STANDBY, "group %u", g);
	raft_cluster_isolate(c, LOST, false);
	expect_whole("back");
	close_cluster();
}

static void one_fault(uint32_t lost)
{
	uint32_t node = (uint32_t)random_below(&c->random, c->options.nodes_count);
	switch (random_below(&c->random, 7)) {
	case 0:
		if (c->nodes[node].host != NULL)
			raft_cluster_kill(c, node);
		break;
	case 1:
		raft_cluster_isolate(c, node, true);
		break;
	case 2:
		c->nodes[node].lag_ms = random_below(&c->random, 400);
		break;
	case 3:
		c->options.drop_percent = (unsigned)random_below(&c->random, 30);
		c->options.repeat_percent = (unsigned)random_below(&c->random, 20);
		break;
	case 4:
		c->options.stall_percent = 5;
		c->options.stall_ms = (uint32_t)random_below(&c->random, 1500);
		break;
	case 5:
		for (uint32_t i = 0; i < c->options.nodes_count; i++)
			if (c->nodes[i].host != NULL)
				raft_cluster_kill(c, i);
		break;
	default:
		raft_cluster_wipe(c, lost, random_chance(&c->random, 40));
		raft_cluster_start(c, lost);
		break;
	}
}

static void mend(void)
{
	c->options.drop_percent = 0;
	c->options.repeat_percent = 0;
	c->options.stall_percent = 0;
	for (uint32_t i = 0; i < c->options.nodes_count; i++) {
		c->nodes[i].lag_ms = 0;
		raft_cluster_isolate(c, i, false);
		if (c->nodes[i].host == NULL)
			raft_cluster_start(c, i);
	}
}

/* One node loses its disk, again and again, while all else goes wrong, too; then all is mended, and it is another one's turn. */
Test(raft_replace, disks_are_lost_among_other_faults)
{
	for (uint64_t seed = 1; seed <= 30; seed++) {
		char what[32];
		open_cluster(seed % 3 == 0 ? 5 : 3, 3, 100 + seed, seed % 2 == 0 ? 20 : 0);
		c->options.in_order = seed % 4 != 0;
		for (uint32_t round = 0; round < 6; round++) {
			uint32_t lost = (uint32_t)random_below(&c->random, c->options.nodes_count);
			snprintf(what, sizeof what, "seed %lu round %u", seed, round);
			for (int i = 0; i < 8; i++) {
				one_fault(lost);
				raft_cluster_load(c, 20, 100, random_below(&c->random, 1200));
			}
			mend();
			expect_whole(what);
		}
		close_cluster();
	}
}

/* Its log is whole, its states are not: it stays the member it is, and nothing that it had acknowledged is lost. */
Test(raft_replace, states_are_lost_and_logs_are_not)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		char what[32];
		open_cluster(3, 3, 500 + seed, 20);
		for (uint32_t round = 0; round < 5; round++) {
			uint32_t node = (uint32_t)random_below(&c->random, 3);
			uint32_t other = (node + 1) % 3;
			snprintf(what, sizeof what, "seed %lu round %u", seed, round);
			raft_cluster_load(c, 20, 100, 800);
			/* What is committed now may be on this node and one other, who is cut off while it comes back. */
			raft_cluster_isolate(c, other, true);
			raft_cluster_load(c, 20, 100, 800);
			raft_cluster_damage(c, node);
			raft_cluster_start(c, node);
			raft_cluster_load(c, 20, 100, random_below(&c->random, 2000));
			mend();
			if (random_chance(&c->random, 30))
				raft_cluster_kill(c, node);
			raft_cluster_load(c, 20, 100, 500);
			mend();
			expect_whole(what);
		}
		cr_expect_gt(c->installs, 0);
		close_cluster();
	}
}

/* --- A node that does not know who it is. --- */

Test(raft_replace, an_undecided_node_says_nothing_until_it_is_told)
{
	open_cluster(3, 2, 6, 0);
	raft_cluster_load(c, 20, 100, 500);
	raft_cluster_wipe(c, LOST, false);
	struct raft_cluster_node *n = &c->nodes[LOST];
	n->is_undecided = true;
	n->sent_bytes = 0;
	raft_cluster_start(c, LOST);
	raft_cluster_load(c, 20, 100, 2000);
	cr_expect_eq(n->sent_bytes, 0);
	cr_expect_eq(n->role[0], 0);
	cr_expect_eq(ord_host_begin(n->host, ord_member_of(LOST, 1)), ORD_ERR_INVALID, "another node");
	cr_expect_eq(ord_host_begin(n->host, n->member), ORD_OK);
	cr_expect_eq(ord_host_begin(n->host, n->member), ORD_OK, "the same again");
	cr_expect_eq(ord_host_begin(n->host, n->member + (UINT64_C(1) << 32)), ORD_ERR_INVALID, "another one");
	n->is_undecided = false;
	raft_cluster_meet(c, LOST);
	expect_whole("told later");
	close_cluster();
}

/* A cluster's first start: nobody knows who he is. And one who had begun when it crashed is not asked again. */
Test(raft_replace, founders_begin_when_they_are_told)
{
	open_cluster(3, 2, 6, 0);
	for (uint32_t i = 0; i < 3; i++) {
		raft_cluster_wipe(c, i, false);
		c->nodes[i].member = i + 1;
		c->nodes[i].is_undecided = true;
		raft_cluster_start(c, i);
	}
	for (uint32_t g = 0; g < 2; g++) {
		free(c->groups[g].facts);
		c->groups[g] = (struct raft_cluster_group){0};
	}
	memset(c->leaders, 0, sizeof c->leaders);
	raft_cluster_run(c, 1000);
	cr_expect_not(raft_cluster_all_led(c));
	for (uint32_t i = 0; i < 3; i++)
		cr_expect_eq(ord_host_begin(c->nodes[i].host, i + 1), ORD_OK);
	raft_cluster_load(c, 20, 100, 2000);
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	expect_whole("founders");
	close_cluster();
}
