/* SPDX-License-Identifier: Apache-2.0 - hosts among each other: order, durability, failover, hand-over, over a bad network and bad disks. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "raft/codec.h"
#include "tests/support/raft_cluster.h"

#define CALM_MS 20000

static struct raft_cluster *cluster_of(struct raft_cluster_options options)
{
	struct raft_cluster *c = malloc(sizeof *c);
	cr_assert_not_null(c);
	raft_cluster_open(c, &options);
	return c;
}

static void cluster_free(struct raft_cluster *c)
{
	raft_cluster_close(c);
	free(c);
}

static const struct raft_cluster_options good = {
	.nodes_count = 3, .groups_count = 6, .seed = 1, .delay_ms_max = 1, .in_order = true, .sync_ms_max = 3};

static void calm_down(struct raft_cluster *c)
{
	c->options.drop_percent = 0;
	c->options.repeat_percent = 0;
	c->options.stall_percent = 0;
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, CALM_MS),
		  "the nodes do not come together (seed %lu)", c->options.seed);
}

Test(raft_cluster, first_leaders_are_the_preferred_nodes)
{
	struct raft_cluster *c = cluster_of(good);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		cr_expect_eq(raft_cluster_leader(c, g), g % 3, "group %u is led by node %u", g,
			     raft_cluster_leader(c, g) + 1);
	cluster_free(c);
}

Test(raft_cluster, entries_reach_everybody)
{
	struct raft_cluster *c = cluster_of(good);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	raft_cluster_load(c, 50, 2000, 2000);
	calm_down(c);
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		cr_expect_gt(c->groups[g].commands, 800);
	cluster_free(c);
}

Test(raft_cluster, one_node_alone_commits)
{
	struct raft_cluster_options o = good;
	o.nodes_count = 1;
	struct raft_cluster *c = cluster_of(o);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 100));
	raft_cluster_load(c, 50, 100, 200);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, 1000));
	uint64_t commands = c->groups[0].commands;
	cr_expect_gt(commands, 50);
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, 1000));
	cr_expect_eq(c->groups[0].commands, commands);
	cluster_free(c);
}

static bool all_answer(struct raft_cluster *c)
{
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		if (raft_cluster_leader(c, g) == c->options.nodes_count)
			return false;
	return true;
}

/* From the death of a node to all of its groups led again, in virtual time. */
static uint64_t failover_ms(uint64_t seed, unsigned stall_percent)
{
	struct raft_cluster_options o = good;
	o.seed = seed;
	o.stall_percent = stall_percent;
	o.stall_ms = 30;
	struct raft_cluster *c = cluster_of(o);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 2000));
	raft_cluster_load(c, 30, 300, 500 + seed % 100);
	raft_cluster_kill(c, (uint32_t)(seed % 3));
	uint64_t start_ms = c->now_ms;
	while (!all_answer(c)) {
		raft_cluster_load(c, 30, 300, 1);
		cr_assert_lt(c->now_ms - start_ms, 10000, "no leader after 10 s (seed %lu)", seed);
	}
	uint64_t ms = c->now_ms - start_ms;
	cluster_free(c);
	return ms;
}

static void check_failover(unsigned stall_percent)
{
	uint64_t worst_ms = 0;
	uint64_t sum_ms = 0;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t ms = failover_ms(seed, stall_percent);
		sum_ms += ms;
		if (ms > worst_ms)
			worst_ms = ms;
	}
	cr_log_info("failover with %u %% of syncs slow: mean %lu ms, worst %lu ms", stall_percent, sum_ms / 60,
		    worst_ms);
	cr_expect_lt(worst_ms, 1500, "a group was without a leader for %lu ms", worst_ms);
}

Test(raft_cluster, groups_of_a_dead_node_answer_within_two_seconds)
{
	check_failover(0);
}

Test(raft_cluster, groups_of_a_dead_node_answer_within_two_seconds_on_a_slow_disk)
{
	check_failover(20);
}

/* Node 3 gets heartbeats and no entries. */
static bool starve_node_3(struct raft_cluster *c, uint32_t from, uint32_t to, struct ord_slice message)
{
	(void)from;
	return to != 2 || message.len < 200 || ((const uint8_t *)message.base)[1] != RAFT_APPEND_ENTRIES ||
	       c->nodes[0].host == NULL;
}

/* The survivor that gives the dead leader up last has the shorter log, so that it cannot be elected: the other one has to ask again soon. */
Test(raft_cluster, groups_of_a_dead_node_answer_when_a_survivor_lags)
{
	uint64_t worst_ms = 0;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct raft_cluster_options o = good;
		o.seed = seed;
		struct raft_cluster *c = cluster_of(o);
		cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 2000));
		c->filter = starve_node_3;
		raft_cluster_load(c, 30, 300, 300 + seed);
		raft_cluster_kill(c, 0);
		uint64_t start_ms = c->now_ms;
		while (!all_answer(c) && c->now_ms - start_ms < 5000)
			raft_cluster_run(c, 1);
		if (c->now_ms - start_ms > worst_ms)
			worst_ms = c->now_ms - start_ms;
		cr_assert_neq(raft_cluster_leader(c, 0), 2);
		cluster_free(c);
	}
	cr_log_info("failover with a lagging survivor: worst %lu ms", worst_ms);
	cr_expect_lt(worst_ms, 1500, "a group was without a leader for %lu ms", worst_ms);
}

/* Every vote waits for a disk that takes several election timeouts. */
Test(raft_cluster, disks_slower_than_elections_elect_a_leader)
{
	uint64_t worst_ms = 0;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct raft_cluster_options o = good;
		o.seed = seed;
		struct raft_cluster *c = cluster_of(o);
		cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 2000));
		c->options.stall_percent = 100;
		c->options.stall_ms = 1500;
		c->options.sync_ms_max = 300;
		raft_cluster_kill(c, 0);
		uint64_t start_ms = c->now_ms;
		cr_expect(raft_cluster_run_until(c, raft_cluster_all_led, 120000), "nobody is elected (seed %lu)",
			  seed);
		if (c->now_ms - start_ms > worst_ms)
			worst_ms = c->now_ms - start_ms;
		cluster_free(c);
	}
	cr_log_info("failover on disks that take 1.5 s: worst %lu ms", worst_ms);
}

/* The disks of all followers, then of all nodes, do nothing for two seconds. Nobody is dead, so nobody has to be elected. */
Test(raft_cluster, disks_that_stand_still_cost_no_leader)
{
	uint64_t terms[RAFT_CLUSTER_GROUPS_MAX];
	struct raft_cluster_options o = good;
	o.groups_count = 3;
	struct raft_cluster *c = cluster_of(o);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	raft_cluster_load(c, 30, 300, 500);
	for (uint32_t g = 0; g < o.groups_count; g++)
		terms[g] = c->nodes[g].term[g];
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = round == 0 ? 1 : 0; i < 3; i++)
			c->nodes[i].stuck_until_ms = c->now_ms + 2000;
		raft_cluster_load(c, 30, 300, 2500);
		for (uint32_t g = 0; g < o.groups_count; g++)
			cr_assert_eq(c->nodes[g].term[g], terms[g], "group %u had an election", g);
	}
	calm_down(c);
	cluster_free(c);
}

static bool preferred_lead(struct raft_cluster *c)
{
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		if (raft_cluster_leader(c, g) != g % c->options.nodes_count)
			return false;
	return true;
}

/* Runs under load until done; asserts that no group refuses proposals for longer than a while. */
static void load_until(struct raft_cluster *c, bool (*done)(struct raft_cluster *c), uint64_t ms, uint64_t gap_ms_max)
{
	uint64_t taken_ms[RAFT_CLUSTER_GROUPS_MAX] = {0};
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		taken_ms[g] = c->now_ms;
	uint64_t start_ms = c->now_ms;
	while (!done(c)) {
		cr_assert_lt(c->now_ms - start_ms, ms);
		for (uint32_t g = 0; g < c->options.groups_count; g++) {
			if (raft_cluster_propose(c, g, 500))
				taken_ms[g] = c->now_ms;
			cr_assert_lt(c->now_ms - taken_ms[g], gap_ms_max, "group %u refuses for %lu ms", g,
				     c->now_ms - taken_ms[g]);
		}
		raft_cluster_run(c, 1);
	}
}

Test(raft_cluster, a_node_that_comes_back_gets_its_groups_back_under_load)
{
	struct raft_cluster *c = cluster_of(good);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	raft_cluster_kill(c, 1);
	raft_cluster_load(c, 50, 500, 3000);
	cr_assert(all_answer(c));
	cr_assert_not(preferred_lead(c));
	raft_cluster_start(c, 1);
	load_until(c, preferred_lead, 8000, 120);
	calm_down(c);
	cluster_free(c);
}

Test(raft_cluster, a_transfer_that_cannot_be_done_is_given_up)
{
	struct raft_cluster *c = cluster_of(good);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	raft_cluster_isolate(c, 1, true);
	raft_cluster_load(c, 100, 500, 100);
	struct ord_host *h = c->nodes[0].host;
	cr_expect_eq(ord_host_transfer(h, 0, 1), ORD_ERR_INVALID);
	cr_expect_eq(ord_host_transfer(h, 0, 9), ORD_ERR_INVALID);
	cr_expect_eq(ord_host_transfer(h, 1, 2), ORD_ERR_NOT_LEADER);
	cr_assert_eq(ord_host_transfer(h, 0, 2), ORD_OK);
	cr_expect_eq(ord_host_transfer(h, 0, 3), ORD_ERR_BUSY);
	cr_expect_not(raft_cluster_propose(c, 0, 100));
	raft_cluster_run(c, 600);
	cr_expect(raft_cluster_propose(c, 0, 100), "it was given up after an election timeout");
	raft_cluster_isolate(c, 1, false);
	raft_cluster_run(c, 1000);
	cr_assert_eq(ord_host_transfer(h, 0, 3), ORD_OK);
	raft_cluster_run(c, 50);
	cr_expect_eq(raft_cluster_leader(c, 0), 2);
	calm_down(c);
	cluster_free(c);
}

static bool node_3_has_all(struct raft_cluster *c)
{
	for (uint32_t g = 0; g < c->options.groups_count; g++)
		if (c->nodes[2].applied[g] < c->groups[g].last)
			return false;
	return true;
}

/* Everything that the third node missed was forgotten by the memories of the others long ago. */
Test(raft_cluster, a_lagging_node_is_fed_from_the_log_on_disk)
{
	struct raft_cluster_options o = good;
	o.cache_bytes = 1;
	o.segment_bytes = 256 << 10;
	struct raft_cluster *c = cluster_of(o);
	struct ord_host_status s;
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	raft_cluster_kill(c, 2);
	raft_cluster_load(c, 50, 5000, 5000);
	ord_host_status(c->nodes[0].host, &s);
	cr_assert_gt(s.wal_bytes, 10u << 20);
	cr_expect_leq(s.cached_bytes, (64u << 10) + s.wal_waiting_bytes,
		      "%lu bytes are kept in memory, %lu of which wait", s.cached_bytes, s.wal_waiting_bytes);
	uint64_t reads = c->nodes[0].disk.reads_count + c->nodes[1].disk.reads_count;
	raft_cluster_start(c, 2);
	cr_assert(raft_cluster_run_until(c, node_3_has_all, 5000));
	cr_expect_gt(c->nodes[0].disk.reads_count + c->nodes[1].disk.reads_count, reads + 20);
	calm_down(c);
	cluster_free(c);
}

Test(raft_cluster, all_nodes_restart_and_apply_everything_again)
{
	struct raft_cluster_options o = good;
	o.segment_bytes = 64 << 10;
	struct raft_cluster *c = cluster_of(o);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	raft_cluster_load(c, 50, 500, 2000);
	for (int life = 0; life < 3; life++) {
		for (uint32_t i = 0; i < 3; i++)
			raft_cluster_kill(c, i);
		for (uint32_t i = 0; i < 3; i++)
			raft_cluster_start(c, i);
		cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, 5000));
		raft_cluster_load(c, 20, 500, 500);
	}
	calm_down(c);
	cluster_free(c);
}

/* Node 1 has entries that the others lack, and missed several terms. Without the third node nobody else can lead; it has to learn the term. */
Test(raft_cluster, a_node_that_missed_terms_can_be_elected)
{
	struct raft_cluster_options o = good;
	o.groups_count = 1;
	struct raft_cluster *c = cluster_of(o);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 1000));
	raft_cluster_load(c, 100, 100, 50);
	raft_cluster_run(c, 500);
	cr_assert(raft_cluster_all_equal(c));
	raft_cluster_isolate(c, 0, true);
	cr_assert(raft_cluster_propose(c, 0, 100));
	raft_cluster_run(c, 3000);
	for (int i = 0; i < 4; i++) {
		uint32_t leader = raft_cluster_leader(c, 0);
		cr_assert_neq(leader, 0);
		cr_assert_eq(ord_host_transfer(c->nodes[leader].host, 0, leader == 1 ? 3 : 2), ORD_OK);
		raft_cluster_run(c, 500);
		cr_assert_neq(raft_cluster_leader(c, 0), leader);
	}
	cr_assert_geq(c->nodes[1].term[0], c->nodes[0].term[0] + 2);
	raft_cluster_kill(c, 1);
	raft_cluster_kill(c, 2);
	raft_cluster_isolate(c, 0, false);
	raft_cluster_start(c, 1);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 5000), "nobody can be elected");
	cr_expect_eq(raft_cluster_leader(c, 0), 0);
	raft_cluster_start(c, 2);
	calm_down(c);
	cluster_free(c);
}
