/* SPDX-License-Identifier: Apache-2.0 - faults of disks. */
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/nemesis_state.h"
#include "tests/sim/world.h"

#define DISK_FULL_ROOM 4096
#define DISK_FILLS_ROOM (64u << 10)

struct sim_disk_habits *sim_nemesis_habits(uint32_t node)
{
	return sim_disk_habits(sim_node_process(node)->disk);
}

static void well_event(void *ctx, uint64_t node)
{
	if (!sim_nemesis_is_void(ctx) && sim_now_us() >= sim_nemesis.disk_until_us[node])
		*sim_nemesis_habits((uint32_t)node) = sim_nemesis.swarm->disk;
}

void sim_nemesis_disk_lasts(uint32_t node)
{
	uint64_t lasts_us = sim_nemesis_draw_lasts_us();
	if (sim_now_us() + lasts_us > sim_nemesis.disk_until_us[node])
		sim_nemesis.disk_until_us[node] = sim_now_us() + lasts_us;
	sim_nemesis_at(lasts_us, well_event, node);
}

static void slow(uint32_t node, uint64_t sync_ms_min, uint64_t sync_ms_max)
{
	struct sim_disk_habits *h = sim_nemesis_habits(node);
	h->sync_us_min = (uint32_t)(sync_ms_min * SIM_MS);
	h->sync_us_max = (uint32_t)(sync_ms_max * SIM_MS);
	sim_nemesis_disk_lasts(node);
}

void sim_nemesis_stall_disk(uint32_t node)
{
	uint64_t t = sim_nemesis.swarm->node.election_timeout_ms;
	sim_cover(SIM_COVER_DISK_STALLS);
	slow(node, 2 * t, t * sim_between(SIM_NEMESIS, 2, sim_nemesis.swarm->callers ? 3 : 16));
}

void sim_fault_SLOW_DISK(void)
{
	if (sim_nemesis.swarm->steady &&
	    sim_percent(SIM_NEMESIS, 50)) { /* they may stand on one that all of them share */
		for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
			sim_nemesis_stall_disk(i);
		return;
	}
	uint32_t node = sim_nemesis_draw_node();
	uint64_t min_ms = sim_between(SIM_NEMESIS, 5, 100);
	sim_cover(SIM_COVER_DISK_SLOW);
	slow(node, min_ms, min_ms * sim_between(SIM_NEMESIS, 1, 20));
}

void sim_fault_SYNC_FAILS(void)
{
	uint32_t node = sim_nemesis_draw_node();
	sim_nemesis_habits(node)->sync_fail_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 30);
	sim_nemesis_disk_lasts(node); /* it may fail again when the node is back */
}

void sim_fault_WRITE_FAILS(void)
{
	uint32_t node = sim_nemesis_draw_node();
	struct sim_disk_habits *h = sim_nemesis_habits(node);
	h->write_short_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 10);
	if (sim_percent(SIM_NEMESIS, 50))
		h->write_fail_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 30);
	if (sim_percent(SIM_NEMESIS, 50))
		sim_node_kill(node, 0); /* files are made at a start */
	sim_nemesis_disk_lasts(node);	/* it may fail again when the node is back */
}

void sim_fault_READ_FAILS(void)
{
	uint32_t node = sim_nemesis_draw_node();
	struct sim_disk_habits *h = sim_nemesis_habits(node);
	h->read_short_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 10);
	h->read_fail_once_in = sim_percent(SIM_NEMESIS, 50) ? (uint32_t)sim_between(SIM_NEMESIS, 2, 200) : 0;
	sim_node_kill(node, 0);
	sim_nemesis_disk_lasts(node); /* it may fail again when the node is back */
}

void sim_fault_DISK_FULL(void)
{
	uint32_t node = sim_nemesis_draw_node();
	struct sim_disk *d = sim_node_process(node)->disk;
	sim_disk_habits(d)->bytes_max = sim_disk_bytes(d) + sim_below(SIM_NEMESIS, DISK_FULL_ROOM);
	sim_disk_habits(d)->fills = false;
	sim_nemesis_disk_lasts(node); /* it may fail again when the node is back */
}

static void fill(uint32_t node)
{
	struct sim_disk *d = sim_node_process(node)->disk;
	struct sim_disk_habits *h = sim_disk_habits(d);
	if (h->bytes_max != 0) /* it is already */
		return;
	/* Others fill it, too: so much at once, now and then, that the node has little left for what is under way. */
	uint64_t left_bytes = sim_nemesis.swarm->node.reserve_bytes;
	if (sim_percent(SIM_NEMESIS, 50))
		left_bytes = left_bytes / 8 * 3;
	h->bytes_max = sim_disk_bytes(d) + left_bytes + sim_below(SIM_NEMESIS, DISK_FILLS_ROOM);
	h->fills = true;
	sim_nemesis_disk_lasts(node);
}

void sim_fault_DISK_FILLS(void)
{
	if (!sim_percent(SIM_NEMESIS, 30)) {
		fill(sim_nemesis_draw_node());
		return;
	}
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		fill(i);
}

static uint32_t damaged_count(void)
{
	uint32_t count = 0;
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		count += sim_node_log_is_damaged(i);
	return count;
}

static void mend_event(void *ctx, uint64_t node)
{
	for (uint32_t i = 0; !sim_nemesis_is_void(ctx) && i < sim_shards_count(); i++)
		sim_disk_mend(sim_node_process((uint32_t)node)->disk, sim_node_wal_files(i));
}

/* One of the node's shards; nothing is drawn where there is no choice. */
static uint32_t draw_shard(void)
{
	return sim_shards_count() == 1 ? 0 : (uint32_t)sim_below(SIM_NEMESIS, sim_shards_count());
}

static void damage(uint32_t node, bool is_history)
{
	uint32_t shard = draw_shard();
	const char *prefix = is_history ? sim_node_history_files(shard) : sim_node_wal_files(shard);
	struct sim_disk *d = sim_node_process(node)->disk;
	char text[256] = "";
	bool done;
	if (!is_history && sim_nemesis.swarm->loses_disks && !sim_nemesis_may_harm())
		return;
	switch (sim_below(SIM_NEMESIS, 3)) {
	case 0:
		done = sim_disk_flip_bit(d, prefix, text, sizeof text);
		break;
	case 1:
		done = sim_disk_lose_write(d, prefix, text, sizeof text);
		break;
	default:
		done = sim_disk_misdirect_write(d, prefix, text, sizeof text);
		break;
	}
	if (!done)
		return;
	sim_trace_text("node %u: %s", node, text);
	if (is_history)
		sim_cover(SIM_COVER_HISTORY_DAMAGED);
	else
		sim_nemesis_harmed();
}

static void damage_event(void *ctx, uint64_t node)
{
	if (sim_nemesis_is_void(ctx) || sim_node_process((uint32_t)node)->state != SIM_DOWN)
		return;
	/* Never on a majority: of what no majority has any more nothing can be promised. */
	if (damaged_count() + 1 <= (sim_nemesis.nodes_count - 1) / 2)
		damage((uint32_t)node, false);
	sim_nemesis_at(2 * SIM_SECOND + 2 * sim_nemesis_draw_lasts_us(), mend_event, node);
}

void sim_fault_DAMAGE(void)
{
	uint32_t node = sim_nemesis_draw_node();
	if (sim_node_is_up(node) &&
	    sim_percent(SIM_NEMESIS, 30)) { /* found when it is read for a peer, or at the next start */
		if (damaged_count() + 1 <= (sim_nemesis.nodes_count - 1) / 2)
			damage(node, false);
		sim_node_harm(node);
		sim_nemesis_at(2 * SIM_SECOND + 2 * sim_nemesis_draw_lasts_us(), mend_event, node);
		return;
	}
	sim_node_power_loss(node, 0);
	sim_nemesis_at(SIM_MS, damage_event, node);
}

/* Always on the same node, so that others have what it loses; whether it is up or down. It is never mended: the node finds it, and repairs it from the others. */
void sim_fault_DAMAGE_HISTORY(void)
{
	if (sim_nemesis.nodes_count == 1)
		return; /* nobody else has it */
	if (sim_nemesis.spoilt == 0)
		sim_nemesis.spoilt = sim_nemesis_draw_node();
	damage(sim_nemesis.spoilt, true);
	if (sim_percent(SIM_NEMESIS, 30))
		sim_node_kill(sim_nemesis.spoilt, 0);
}
