/* SPDX-License-Identifier: Apache-2.0 - nodes whose disks fill up: that they see it, and what they still do. */
#include "tests/sim/watch_rooms.h"

#include <string.h>

#include "node/engine_state.h"
#include "node/room.h"
#include "node/shard.h"
#include "tests/sim/coverage.h"
#include "tests/sim/disk.h"
#include "tests/sim/node.h"
#include "tests/sim/observe.h"
#include "tests/sim/world.h"

/* So long a node may take to notice. */
#define NOTICE_US (5u * SIM_SECOND)
/* So long it may go on leading when there is somebody who could. */
#define LEAD_US (30u * SIM_SECOND)

static struct sim_look_room {
	uint64_t boot;
	enum ord_room_state state;
	uint64_t state_us; /* since when */
	uint64_t short_us; /* since when there has been little room; 0: there is some */
	uint64_t ample_us; /* likewise: since when there has been plenty */
	struct look_log {
		bool follows; /* in the term, in that life, with a disk that is all but full */
		uint64_t boot;
		uint64_t term;
		uint64_t base_index;
		uint64_t last_index;
	} logs[SIM_PARTITIONS_MAX];
} rooms[SIM_NODES_MAX + 1];

static const struct sim_swarm *swarm;

static void since(uint64_t *us, bool is_so)
{
	if (!is_so)
		*us = 0;
	else if (*us == 0)
		*us = sim_now_us();
}

static bool lasts(uint64_t us, uint64_t most_us)
{
	return us != 0 && sim_now_us() - us > most_us;
}

static void look_room_changed(const struct sim_look_room *before, enum ord_room_state now, bool has_started)
{
	if (now != ORD_ROOM_OK && has_started)
		sim_cover(SIM_COVER_ROOM_STARTED_LOW);
	if (now == ORD_ROOM_LOW)
		sim_cover(SIM_COVER_ROOM_LOW);
	if (now == ORD_ROOM_CRITICAL)
		sim_cover(SIM_COVER_ROOM_CRITICAL);
	if (now == ORD_ROOM_OK && !has_started && before->state != ORD_ROOM_OK)
		sim_cover(SIM_COVER_ROOM_AGAIN);
}

/* Of several shards the first one is looked at: they all measure the same disk. */

/* A node sees that its disk gets full, and that it is not any more. */
static void look_room(uint32_t node)
{
	struct sim_look_room *r = &rooms[node];
	const struct sim_process *p = sim_node_process(node);
	uint64_t free_bytes = sim_disk_free_bytes(p->disk), reserve_bytes = swarm->node.reserve_bytes;
	const struct ord_shard *shard = sim_node_shard(node, 0);
	if (shard == NULL || p->paused_until_us > sim_now_us() || p->busy_until_us > sim_now_us()) {
		r->state_us = r->short_us = r->ample_us = 0;
		return;
	}
	enum ord_room_state state = ord_shard_room(shard)->state;
	bool has_started = r->boot != p->boots_count;
	if (has_started || state != r->state || r->state_us == 0) {
		if (has_started || state != r->state)
			look_room_changed(r, state, has_started);
		r->state_us = sim_now_us();
	}
	r->boot = p->boots_count;
	r->state = state;
	since(&r->short_us, free_bytes < reserve_bytes / 2);
	since(&r->ample_us, free_bytes == UINT64_MAX);
	if (!lasts(r->state_us, NOTICE_US)) /* the disk may have been another for a moment between two looks */
		return;
	if (lasts(r->short_us, NOTICE_US) && state == ORD_ROOM_OK)
		sim_fail(SIM_SAFETY, "node %u does not notice that its disk gets full", node);
	if (lasts(r->ample_us, NOTICE_US) && state != ORD_ROOM_OK)
		sim_fail(SIM_LIVENESS, "node %u does not notice that there is room again", node);
}

/* Where nothing else goes wrong nobody leads from a disk that is nearly full while another node has had room for long. */
static void look_low_leader(uint32_t node)
{
	const struct ord_engine *e = sim_node_engine(node, 0);
	bool other_is_well = false;
	for (uint32_t i = 1; i <= swarm->node.nodes_count; i++)
		other_is_well |= rooms[i].state == ORD_ROOM_OK && lasts(rooms[i].state_us, LEAD_US);
	if (e == NULL || rooms[node].state == ORD_ROOM_OK || !lasts(rooms[node].state_us, LEAD_US) || !other_is_well)
		return;
	for (uint32_t i = 0; i < swarm->node.partitions_count; i += sim_shards_count())
		if (e->replicas[i].ready)
			sim_fail(SIM_LIVENESS, "node %u, whose disk is nearly full, goes on leading partition %u", node,
				 i);
}

/* Whose disk is all but full takes nothing more of another leader into its log; a state that it was given is another matter. */
static void look_taken(uint32_t node)
{
	struct sim_look_room *r = &rooms[node];
	const struct ord_engine *e = sim_node_engine(node, 0);
	bool is_critical = e != NULL && r->state_us != 0 && r->state == ORD_ROOM_CRITICAL;
	for (uint32_t i = 0; i < swarm->node.partitions_count; i += sim_shards_count()) {
		struct look_log before = r->logs[i];
		struct ord_replica_status s = {0};
		if (is_critical)
			ord_engine_replica_status(e, i, &s);
		r->logs[i] = (struct look_log){.follows = is_critical && s.group.role == ORD_ROLE_FOLLOWER,
					       .boot = r->boot,
					       .term = s.group.term,
					       .base_index = s.group.base_index,
					       .last_index = s.group.last_index};
		if (before.follows && r->logs[i].follows && before.boot == r->boot && before.term == s.group.term &&
		    before.base_index == s.group.base_index && s.group.last_index > before.last_index)
			sim_fail(SIM_SAFETY,
				 "node %u, whose disk is all but full, takes entries of partition %u from %llu to %llu",
				 node, i, (unsigned long long)before.last_index,
				 (unsigned long long)s.group.last_index);
	}
}

void sim_watch_rooms_start(const struct sim_swarm *s)
{
	memset(rooms, 0, sizeof rooms);
	swarm = s;
}

void sim_watch_rooms_look(void)
{
	uint32_t low_count = 0;
	for (uint32_t i = 1; i <= swarm->node.nodes_count; i++) {
		look_room(i);
		look_taken(i);
		low_count += rooms[i].state != ORD_ROOM_OK;
	}
	if (low_count == swarm->node.nodes_count)
		sim_cover(SIM_COVER_ROOM_LOW_ALL);
	for (uint32_t i = 1; swarm->fills && i <= swarm->node.nodes_count; i++)
		look_low_leader(i);
}
