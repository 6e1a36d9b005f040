/* SPDX-License-Identifier: Apache-2.0 - nodes whose disks are nearly full: who leads instead of them, and what they still take. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/raft_cluster.h"

#define NODES 3
#define GROUPS 6
#define ROOM_BYTES (256u << 10) /* of more than a MiB that it lacks in six groups */

static struct raft_cluster *cluster;

static void make(void)
{
	struct raft_cluster_options options = {.nodes_count = NODES,
					       .groups_count = GROUPS,
					       .seed = 1,
					       .delay_ms_max = 1,
					       .in_order = true,
					       .sync_ms_max = 3};
	cluster = malloc(sizeof *cluster);
	cr_assert_not_null(cluster);
	raft_cluster_open(cluster, &options);
	cr_assert(raft_cluster_run_until(cluster, raft_cluster_all_led, 1000));
}

static void clean(void)
{
	raft_cluster_close(cluster);
	free(cluster);
}

TestSuite(raft_reluctant, .init = make, .fini = clean, .timeout = 60);

/* All nodes hear of it. */
static void tell(uint32_t place, bool reluctant)
{
	for (uint32_t i = 0; i < NODES; i++)
		ord_host_reluctant(cluster->nodes[i].host, place + 1, reluctant);
}

static uint32_t led_by(uint32_t place)
{
	uint32_t count = 0;
	for (uint32_t g = 0; g < GROUPS; g++)
		count += raft_cluster_leader(cluster, g) == place;
	return count;
}

Test(raft_reluctant, hands_all_leaderships_over_and_gets_them_back_afterwards)
{
	raft_cluster_run(cluster, 4000);
	cr_assert_eq(led_by(0), GROUPS / NODES);
	tell(0, true);
	raft_cluster_load(cluster, 30, 300, 5000);
	cr_expect_eq(led_by(0), 0, "node 1 still leads %u groups", led_by(0));
	cr_expect_eq(led_by(1) + led_by(2), GROUPS);
	raft_cluster_load(cluster, 30, 300, 15000);
	cr_expect_eq(led_by(0), 0, "some were brought back");
	tell(0, false);
	raft_cluster_load(cluster, 30, 300, 15000);
	cr_expect_eq(led_by(0), GROUPS / NODES);
}

Test(raft_reluctant, who_has_nobody_to_hand_over_to_goes_on_leading)
{
	for (uint32_t i = 0; i < NODES; i++)
		tell(i, true);
	raft_cluster_run(cluster, 15000);
	for (uint32_t i = 0; i < NODES; i++)
		cr_expect_eq(led_by(i), GROUPS / NODES);
}

Test(raft_reluctant, a_node_that_is_not_in_the_list_is_passed_over)
{
	ord_host_reluctant(cluster->nodes[0].host, 99, true);
	raft_cluster_run(cluster, 5000);
	cr_expect_eq(led_by(0), GROUPS / NODES);
}

static uint64_t last_index(uint32_t place, uint32_t group)
{
	struct ord_group_status s;
	ord_host_group_status(cluster->nodes[place].host, group, &s);
	return s.last_index;
}

Test(raft_reluctant, refused_entries_are_not_taken_and_cost_no_leadership)
{
	struct ord_group_status before, after;
	ord_host_room(cluster->nodes[2].host, 0);
	uint64_t last = last_index(2, 0);
	ord_host_group_status(cluster->nodes[0].host, 0, &before);
	uint64_t commands = cluster->groups[0].commands;
	raft_cluster_load(cluster, 30, 300, 10000);
	ord_host_group_status(cluster->nodes[0].host, 0, &after);
	cr_expect_eq(last_index(2, 0), last, "it took entries");
	cr_expect_gt(cluster->groups[0].commands, commands + 1000, "the other two do not go on");
	cr_expect_eq(after.role, ORD_ROLE_LEADER);
	cr_expect_eq(after.term, before.term, "there was an election");
	ord_host_room(cluster->nodes[2].host, UINT64_MAX);
	cr_expect(raft_cluster_run_until(cluster, raft_cluster_all_equal, 20000));
}

/* Between two looks at its disk a node that comes back may be sent more than there is room for. */
Test(raft_reluctant, so_many_bytes_of_entries_are_taken_and_an_append_more)
{
	struct ord_host_status before, after;
	struct raft_cluster_node *node = &cluster->nodes[2];
	ord_host_room(node->host, 0);
	raft_cluster_load(cluster, 30, 300, 5000);
	raft_cluster_run(cluster, 2000);
	ord_host_status(node->host, &before);
	ord_host_room(node->host, ROOM_BYTES);
	cr_expect(ord_host_has_room(node->host));
	raft_cluster_run(cluster, 5000);
	ord_host_status(node->host, &after);
	cr_expect_not(ord_host_has_room(node->host));
	cr_expect_geq(after.wal_appended_bytes - before.wal_appended_bytes, ROOM_BYTES);
	cr_expect_lt(after.wal_appended_bytes - before.wal_appended_bytes, 2 * ROOM_BYTES);
	ord_host_room(node->host, UINT64_MAX);
	cr_expect(raft_cluster_run_until(cluster, raft_cluster_all_equal, 20000));
}

/* Two of three: nothing can be committed, and nothing is; still nobody is deposed, since all are alive. */
Test(raft_reluctant, when_a_majority_refuses_leaders_stay_and_what_was_proposed_is_committed_later)
{
	struct ord_group_status before, after;
	ord_host_group_status(cluster->nodes[0].host, 0, &before);
	ord_host_room(cluster->nodes[1].host, 0);
	ord_host_room(cluster->nodes[2].host, 0);
	cr_assert(raft_cluster_propose(cluster, 0, 300));
	raft_cluster_run(cluster, 10000);
	ord_host_group_status(cluster->nodes[0].host, 0, &after);
	cr_expect_eq(after.role, ORD_ROLE_LEADER);
	cr_expect_eq(after.term, before.term, "there was an election");
	cr_expect_lt(after.commit_index, after.last_index);
	ord_host_room(cluster->nodes[1].host, UINT64_MAX);
	cr_expect(raft_cluster_run_until(cluster, raft_cluster_all_led, 5000));
	raft_cluster_run(cluster, 2000);
	ord_host_group_status(cluster->nodes[0].host, 0, &after);
	cr_expect_eq(after.commit_index, after.last_index);
}
