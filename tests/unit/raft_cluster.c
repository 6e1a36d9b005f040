/* SPDX-License-Identifier: Apache-2.0 - hosts among each other: order, durability, failover, hand-over, over a bad network and bad disks. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
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
