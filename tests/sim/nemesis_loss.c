/* SPDX-License-Identifier: Apache-2.0 - lost disks: a node goes down and comes back with nothing, or with a log that it sets aside, and is a new member then.
 *
 *   whole --a disk is emptied, or its log damaged--> losing --every node knows every node that there is now as a voter of every group, has all of the history, and no disk is damaged--> whole
 *
 * What a majority of disks had is promised for ever, and history as long as one of them has it; so only a whole cluster loses one. While it is losing, no other disk is harmed and no node is lost for good.
 */
#include <string.h>

#include "base/err.h"
#include "node/datadir.h"
#include "node/engine_state.h"
#include "tests/sim/archive.h"
#include "tests/sim/coverage.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/nemesis_state.h"
#include "tests/sim/world.h"

#define LOOK_US (100u * SIM_MS)
#define LOSS_ONCE_IN 80 /* looks at a whole cluster */

static bool losing;

bool sim_nemesis_is_losing(void)
{
	return losing;
}

bool sim_nemesis_may_harm(void)
{
	return !losing && sim_nemesis.lost == 0 && !sim_nemesis_states_are_wrong();
}

void sim_nemesis_harmed(void)
{
	losing = sim_nemesis.swarm->loses_disks;
}

/* --- Looking whether the cluster is whole. --- */

static bool members_are(const struct ord_member_status *members, uint32_t count, const uint64_t *current)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < count; i++)
		found += members[i].role == ORD_MEMBER_VOTER && members[i].id == current[members[i].node];
	return count == sim_nemesis.nodes_count && found == count;
}

/* All nodes know so: one whose log does not have that it is a voter gives no vote. And it is committed. */
static bool partition_is_whole(uint32_t partition)
{
	uint64_t current[SIM_NODES_MAX + 1];
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++) {
		struct ord_member_self self;
		ord_shard_member_status(sim_node_shard(i, partition % sim_shards_count()), &self);
		current[i] = self.member;
		if (self.member == 0)
			return false;
	}

	bool is_led = false;
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++) {
		const struct ord_engine *e = sim_node_engine(i, partition);
		struct ord_replica_status s;
		struct ord_member_status members[ORD_NODES_MAX];
		uint32_t count;
		ord_engine_replica_status(e, partition, &s);
		is_led = is_led || (s.ready && s.group.commit_index == s.group.last_index);
		ord_host_members(e->host, partition, members, &count);
		if (!members_are(members, count, current) || s.group.durable_index < s.group.last_index)
			return false;
	}
	return is_led;
}

bool sim_nemesis_is_whole(void)
{
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		if (sim_node_shard(i, 0) == NULL || !sim_archive_has_all(i) || sim_node_log_is_damaged(i))
			return false;
	for (uint32_t i = 0; i < sim_nemesis.swarm->node.partitions_count; i++)
		if (!partition_is_whole(i))
			return false;
	return true;
}

/* --- Losing. --- */

static void wipe_event(void *ctx, uint64_t node)
{
	if (sim_nemesis_is_void(ctx) || sim_node_process((uint32_t)node)->state != SIM_DOWN)
		return;
	sim_cover(SIM_COVER_DISK_LOST);
	sim_trace("node %llu has lost its disk", node, 0, 0, 0);
	sim_node_wipe((uint32_t)node);
}

static void look_event(void *ctx, uint64_t arg)
{
	(void)arg;
	if (sim_nemesis_is_void(ctx) || !sim_nemesis.active)
		return;
	sim_nemesis_at(LOOK_US, look_event, 0);
	if (!sim_nemesis_is_whole())
		return;
	if (losing)
		sim_cover(SIM_COVER_LOSS_REPAIRED);
	losing = false;
	if (!sim_nemesis_may_harm() || !sim_once_in(SIM_NEMESIS, LOSS_ONCE_IN))
		return;
	uint32_t node = sim_percent(SIM_NEMESIS, 50) ? sim_nemesis_draw_node() : sim_nemesis_draw_leader();
	losing = true;
	sim_node_power_loss(node, 0);
	sim_nemesis_at(SIM_MS, wipe_event, node);
}

void sim_nemesis_loss_start(void)
{
	losing = false;
	if (sim_nemesis.swarm->loses_disks)
		sim_nemesis_at(LOOK_US, look_event, 0);
}

/* The linker leads here who would set a damaged log aside. Where no disks are lost, such a node does not start, and its disk is mended. */
int __real_ord_datadir_renew(const struct ord_config *config, char *why, size_t why_size);
int __wrap_ord_datadir_renew(const struct ord_config *config, char *why, size_t why_size);

int __wrap_ord_datadir_renew(const struct ord_config *config, char *why, size_t why_size)
{
	if (!sim_nemesis.swarm->loses_disks)
		return ORD_ERR_LOG_LOST;
	sim_cover(SIM_COVER_LOG_SET_ASIDE);
	return __real_ord_datadir_renew(config, why, why_size);
}
