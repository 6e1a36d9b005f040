/* SPDX-License-Identifier: Apache-2.0 - segments of the log that go: when, what is copied before, and that a crash at any instant leaves a log that opens. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/raft_cluster.h"

/* One node that commits by itself, so that everything in its log is applied again at a start; the harness compares what. Group 0 lags: it is never released unless a test does so. */
static const struct raft_cluster_options lone = {.nodes_count = 1,
						 .groups_count = 4,
						 .seed = 1,
						 .segment_bytes = 8192,
						 .cache_bytes = 1,
						 .trailing_bytes = 1000,
						 .segments_max = 4,
						 .sync_ms_max = 3};

static struct raft_cluster *c;

static void cluster_open(struct raft_cluster_options options)
{
	c = malloc(sizeof *c);
	cr_assert_not_null(c);
	raft_cluster_open(c, &options);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 2000));
}

static void cluster_free(void)
{
	raft_cluster_close(c);
	free(c);
}

static void release_all(uint32_t first_group)
{
	for (uint32_t i = 0; i < c->options.nodes_count; i++)
		for (uint32_t g = first_group; c->nodes[i].host != NULL && g < c->options.groups_count; g++) {
			struct ord_group_status s;
			ord_host_group_status(c->nodes[i].host, g, &s);
			raft_cluster_release(c, i, g, s.applied_index);
		}
}

/* Entries for the groups from first_group on, and one for group 0 now and then, all released but group 0's. */
static void load(uint32_t first_group, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++) {
		for (uint32_t g = first_group; g < c->options.groups_count; g++)
			raft_cluster_propose(c, g, 400);
		if (i % 20 == 0)
			raft_cluster_propose(c, 0, 100);
		raft_cluster_run(c, 1);
		release_all(1);
	}
}

static void restart(void)
{
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, 5000), "after a restart something is missing");
}

static struct ord_host_status host_status(void)
{
	struct ord_host_status s;
	ord_host_status(c->nodes[0].host, &s);
	return s;
}

static uint64_t commands_of(uint32_t group)
{
	uint64_t count = 0;
	for (uint64_t i = 0; i <= c->groups[group].last; i++)
		count += c->groups[group].facts[i].is_command;
	return count;
}

Test(raft_tidy, a_log_of_which_nothing_is_released_stays_whole)
{
	cluster_open(lone);
	raft_cluster_load(c, 50, 400, 1000);
	cr_expect_gt(raft_disk_last(&c->nodes[0].disk), 10);
	cr_expect_eq(raft_disk_first(&c->nodes[0].disk), 1);
	cluster_free();
}

Test(raft_tidy, segments_go_when_all_in_them_is_released)
{
	cluster_open(lone);
	for (int i = 0; i < 500; i++) {
		raft_cluster_load(c, 50, 400, 1);
		release_all(0);
		cr_assert_leq(host_status().wal_segments, 8);
	}
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 10);
	restart();
	cluster_free();
}

/* Group 0 is not released at all; its entries are copied again and again, and the log stays short. */
Test(raft_tidy, a_group_that_lags_does_not_keep_the_log)
{
	cluster_open(lone);
	load(1, 400);
	uint64_t count = commands_of(0);
	cr_expect_gt(count, 15);
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 20);
	cr_expect_leq(host_status().wal_segments, 9);
	struct ord_group_status s;
	ord_host_group_status(c->nodes[0].host, 0, &s);
	cr_expect_eq(s.base_index, 0);
	restart();
	cr_expect_geq(c->nodes[0].applied[0], c->groups[0].last);
	load(1, 200);
	restart();
	cluster_free();
}

/* When most of the log is needed, copying it would only make the disk busy. */
Test(raft_tidy, what_is_needed_for_the_most_part_is_not_copied)
{
	struct raft_cluster_options o = lone;
	o.groups_count = 2;
	cluster_open(o);
	for (int i = 0; i < 500; i++) {
		raft_cluster_load(c, 50, 400, 1);
		release_all(1);
	}
	cr_expect_gt(host_status().wal_segments, 10);
	cr_expect_eq(raft_disk_first(&c->nodes[0].disk), 1);
	uint64_t bytes = host_status().wal_bytes;
	raft_cluster_run(c, 1000);
	cr_expect_leq(host_status().wal_bytes, bytes + 1000);
	release_all(0);
	raft_cluster_run(c, 1000);
	cr_expect_leq(host_status().wal_segments, 5);
	restart();
	cluster_free();
}

/* The oldest segment is full of entries that lag, and there is little else of them: the log does not grow behind it. */
Test(raft_tidy, a_segment_full_of_old_entries_does_not_keep_the_log)
{
	cluster_open(lone);
	for (int i = 0; i < 40; i++) {
		raft_cluster_propose(c, 0, 400);
		raft_cluster_run(c, 1);
	}
	load(1, 400);
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 20);
	cr_expect_leq(host_status().wal_segments, 12);
	restart();
	cr_expect_geq(c->nodes[0].applied[0], c->groups[0].last);
	cluster_free();
}

/* A group in which nothing ever happens has only a vote and its first entry. */
Test(raft_tidy, an_idle_group_keeps_its_vote)
{
	struct ord_group_status before;
	struct ord_group_status after;
	cluster_open(lone);
	ord_host_group_status(c->nodes[0].host, 1, &before);
	for (int i = 0; i < 300; i++) {
		raft_cluster_propose(c, 2, 400);
		raft_cluster_run(c, 1);
		release_all(0);
	}
	cr_assert_gt(raft_disk_first(&c->nodes[0].disk), 2);
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	ord_host_group_status(c->nodes[0].host, 1, &after);
	cr_expect_geq(after.term, before.term);
	cr_expect(raft_cluster_run_until(c, raft_cluster_all_equal, 5000));
	cluster_free();
}

/* Each write and each removal is cut short once, in a way that the seed says. */
Test(raft_tidy, a_crash_at_any_write_or_removal_leaves_a_log_that_opens)
{
	uint64_t removed = 0;
	for (uint64_t io = 1; io <= 260; io++) {
		struct raft_cluster_options o = lone;
		o.seed = io;
		o.segment_bytes = 4096;
		o.segments_max = 2;
		cluster_open(o);
		const struct raft_disk *d = &c->nodes[0].disk;
		while (d->writes_count + d->removes_count < io)
			load(1, 1);
		removed += d->removes_count;
		restart();
		load(1, 20);
		restart();
		cluster_free();
	}
	cr_log_info("%lu removals", removed);
	cr_expect_gt(removed, 1000);
}

/* A restart after every few milliseconds of load, each from what the one before left. */
Test(raft_tidy, restarts_at_every_step_lose_nothing)
{
	cluster_open(lone);
	for (int life = 0; life < 200; life++) {
		for (int i = 0; i < 1 + life % 7; i++) {
			raft_cluster_load(c, 60, 600, 1);
			release_all(life % 3);
		}
		restart();
	}
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 20);
	cluster_free();
}

/* Copies stand in the log of one node alone: a peer that needs such an entry gets it as it was written first. */
Test(raft_tidy, an_entry_that_was_copied_goes_to_peers_as_it_was)
{
	struct raft_cluster_options o = lone;
	o.nodes_count = 3;
	o.delay_ms_max = 1;
	o.in_order = true;
	cluster_open(o);
	raft_cluster_isolate(c, 1, true);
	raft_cluster_run(c, 3000);
	load(2, 400);
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 10);
	uint64_t installs = c->installs;
	raft_cluster_isolate(c, 1, false);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, 20000));
	cr_expect_gt(c->installs, installs, "of the groups that were released");
	cr_expect_geq(c->nodes[1].applied[0], c->groups[0].last);
	cr_expect_eq(c->nodes[1].states[0].base.index, 0, "group 0 was not");
	cr_expect_eq(c->refused_messages, 0);
	cluster_free();
}

/* A node was away for so long that nobody has what it lacks; under load it gets the state, and then what followed. */
Test(raft_tidy, a_node_that_is_far_behind_comes_back)
{
	struct raft_cluster_options o = lone;
	o.nodes_count = 3;
	o.delay_ms_max = 2;
	o.in_order = true;
	cluster_open(o);
	for (uint32_t away = 0; away < 3; away++) {
		raft_cluster_load(c, 30, 400, 200);
		raft_cluster_kill(c, away);
		for (int i = 0; i < 2500; i++) {
			raft_cluster_load(c, 10, 400, 1);
			release_all(0);
		}
		raft_cluster_start(c, away);
		for (int i = 0; i < 1000; i++) {
			raft_cluster_load(c, 10, 400, 1);
			release_all(0);
		}
		cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, 5000), "node %u stays behind", away + 1);
		for (uint32_t i = 0; i < 3; i++)
			cr_expect_leq(raft_disk_last(&c->nodes[i].disk) - raft_disk_first(&c->nodes[i].disk), 8);
	}
	cr_expect_geq(c->installs, 3 * o.groups_count);
	cr_expect_eq(c->refused_messages, 0);
	cluster_free();
}
