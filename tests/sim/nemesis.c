/* SPDX-License-Identifier: Apache-2.0 - faults: each begins by chance, lasts a while and ends. */
#include "tests/sim/nemesis.h"

#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/nemesis_state.h"
#include "tests/sim/watch.h"
#include "tests/sim/world.h"

#define LATE_US_MAX (20u * SIM_SECOND)
#define CLIENT_ADDRESS_FIRST 101

struct sim_nemesis sim_nemesis;

uint64_t sim_nemesis_draw_lasts_us(void)
{
	return SIM_RESTART_US_MIN + sim_below(SIM_NEMESIS, sim_nemesis.swarm->fault_lasts_us);
}

uint32_t sim_nemesis_draw_node(void)
{
	return 1 + (uint32_t)sim_below(SIM_NEMESIS, sim_nemesis.nodes_count);
}

uint32_t sim_nemesis_draw_other(uint32_t node)
{
	uint32_t n = sim_nemesis.nodes_count;
	return n == 1 ? node : 1 + (node - 1 + 1 + (uint32_t)sim_below(SIM_NEMESIS, n - 1)) % n;
}

uint32_t sim_nemesis_draw_client(void)
{
	return CLIENT_ADDRESS_FIRST + (uint32_t)sim_below(SIM_NEMESIS, sim_nemesis.swarm->work.clients_count);
}

static uint32_t leader_of(uint32_t partition)
{
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++) {
		const struct ord_engine *e = sim_node_engine(i, partition);
		struct ord_replica_status status;
		if (e == NULL)
			continue;
		ord_engine_replica_status(e, partition, &status);
		if (status.ready)
			return i;
	}
	return sim_nemesis_draw_node();
}

uint32_t sim_nemesis_draw_leader(void)
{
	return leader_of((uint32_t)sim_below(SIM_NEMESIS, sim_nemesis.swarm->node.partitions_count));
}

void sim_nemesis_at(uint64_t after_us, void (*fn)(void *ctx, uint64_t arg), uint64_t arg)
{
	sim_at(sim_now_us() + after_us, fn, (void *)(uintptr_t)sim_nemesis.phase, arg);
}

bool sim_nemesis_is_void(const void *ctx)
{
	return (uint64_t)(uintptr_t)ctx != sim_nemesis.phase;
}

/* --- Clocks. --- */

void sim_fault_CLOCK_JUMP(void)
{
	uint32_t node = sim_nemesis_draw_node();
	int64_t jump_us = (int64_t)sim_between(SIM_NEMESIS, 1, 100) * SIM_MS;
	if (sim_percent(SIM_NEMESIS, 50))
		jump_us *= 1000;
	bool back = sim_percent(SIM_NEMESIS, 50);
	if (sim_node_is_up(node))
		sim_cover(back ? SIM_COVER_CLOCK_BACK : SIM_COVER_CLOCK_FORWARD);
	sim_node_process(node)->wall_offset_us += back ? -jump_us : jump_us;
}

void sim_fault_CLOCK_DRIFT(void)
{
	int32_t most_ppm =
		sim_percent(SIM_NEMESIS, 50) ? 1000 : 600000; /* what is wrong by much must not matter, too */
	int32_t ppm = (int32_t)sim_below(SIM_NEMESIS, 2 * (uint64_t)most_ppm) - most_ppm;
	uint32_t node = sim_nemesis_draw_node();
	if (sim_node_is_up(node))
		sim_cover(SIM_COVER_CLOCK_DRIFT);
	sim_clock_drift(sim_node_process(node), ppm);
}

/* --- Clients. --- */

void sim_fault_CLIENT_CRASH(void)
{
	sim_work_crash(1 + (uint32_t)sim_below(SIM_NEMESIS, sim_nemesis.swarm->work.clients_count));
}

/* --- Beginning and end. --- */

static void (*const fault_begins[])(void) = {
#define X(name, text) sim_fault_##name,
#include "tests/sim/faults.def"
#undef X
};

static enum sim_fault draw_fault(void)
{
	unsigned total = 0;
	for (unsigned i = 0; i < SIM_FAULTS_COUNT; i++)
		total += sim_nemesis.swarm->weights[i];
	uint64_t at = sim_below(SIM_NEMESIS, total);
	unsigned i = 0;
	while (at >= sim_nemesis.swarm->weights[i])
		at -= sim_nemesis.swarm->weights[i++];
	return (enum sim_fault)i;
}

static void fault_event(void *ctx, uint64_t arg)
{
	(void)arg;
	if (sim_nemesis_is_void(ctx) || !sim_nemesis.active)
		return;
	enum sim_fault fault = draw_fault();
	sim_trace_text("fault: %s", sim_fault_name(fault));
	fault_begins[fault]();
	sim_nemesis_at(1 + sim_below(SIM_NEMESIS, 2 * sim_nemesis.swarm->fault_pause_us), fault_event, 0);
}

static void start_event(void *ctx, uint64_t node)
{
	if (sim_nemesis_is_void(ctx) || sim_nemesis.held[node])
		return;
	sim_node_start((uint32_t)node);
	sim_nemesis_at(SIM_SECOND, start_event, node); /* one that is just dying is started again */
}

/* Where nothing but disks is slow, the last node may come to the others when they have a leader, who remembers it then. */
static bool comes_late(uint32_t node)
{
	return sim_nemesis.swarm->steady && node == sim_nemesis.nodes_count && sim_percent(SIM_NEMESIS, 70);
}

void sim_nemesis_start(const struct sim_swarm *swarm)
{
	memset(&sim_nemesis, 0, sizeof sim_nemesis);
	sim_nemesis.swarm = swarm;
	sim_nemesis.nodes_count = swarm->node.nodes_count;
	sim_nemesis.phase = 1;
	sim_nodes_on_down(sim_nemesis_node_down);
	sim_nemesis.ends_us = sim_now_us() + swarm->safety_us;
	sim_nemesis.active = swarm->fault_pause_us > 0;
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++) {
		if (sim_nemesis.active && swarm->weights[SIM_FAULT_WRITE_FAILS] > 0 && sim_percent(SIM_NEMESIS, 50)) {
			sim_nemesis_habits(i)->write_short_once_in = 2; /* while its files are made */
			sim_nemesis_disk_lasts(i);
		}
		if (comes_late(i))
			sim_nemesis_at(sim_below(SIM_NEMESIS, LATE_US_MAX), start_event, i);
		else
			sim_nemesis_node_start(i);
	}
	if (swarm->steady && sim_percent(SIM_NEMESIS, 50))
		sim_fault_SLOW_DISK();
	if (sim_nemesis.active)
		sim_nemesis_at(sim_below(SIM_NEMESIS, 2 * swarm->fault_pause_us), fault_event, 0);
	sim_nemesis_loss_start();
	sim_nemesis_states_open();
}

/* Everything that a fault changed is as it was, but for clocks; who is down is started. */
static void put_right(void)
{
	sim_nemesis.phase++;
	memset(sim_nemesis.disk_until_us, 0, sizeof sim_nemesis.disk_until_us);
	memset(sim_nemesis.slow_until_us, 0, sizeof sim_nemesis.slow_until_us);
	sim_nemesis.frames_until_us = sim_nemesis.late_until_us = 0;
	sim_nemesis.active = false;
	for (uint32_t a = 0; a < SIM_ADDRESSES_MAX; a++)
		for (uint32_t b = 0; b < SIM_ADDRESSES_MAX; b++) {
			sim_net_cut(a, b, false);
			sim_net_slow(a, b, 0);
		}
	*sim_net_habits() = sim_nemesis.swarm->net;
	sim_nemesis_states_put_right();
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++) {
		struct sim_process *p = sim_node_process(i);
		*sim_nemesis_habits(i) = sim_nemesis.swarm->disk;
		for (uint32_t k = 0; k < sim_shards_count(); k++)
			sim_disk_mend(p->disk, sim_node_wal_files(k)); /* of the history it is repaired by the node */
		sim_node_spare(i);
		sim_process_resume(p);
	}
}

static void hold(uint32_t node)
{
	sim_nemesis.held[node] = true;
	switch (sim_below(SIM_NEMESIS, 3)) {
	case 0:
		sim_node_power_loss(node, 0);
		break;
	case 1:
		sim_nemesis_cut_off(node);
		break;
	default:
		sim_process_pause(sim_node_process(node), UINT64_MAX);
		break;
	}
}

/* All are well, and two of them do not reach each other, or one not the other. */
static void hold_path(void)
{
	uint32_t from = sim_nemesis_draw_node();
	uint32_t to = sim_nemesis_draw_other(from);
	sim_cover(SIM_COVER_PARTITION_PAIR);
	sim_net_cut(from, to, true);
	if (sim_percent(SIM_NEMESIS, 75))
		sim_net_cut(to, from, true);
	sim_trace("fault: they do not reach each other until everything is settled", from, to, 0, 0);
}

void sim_nemesis_spare_majority(void)
{
	uint32_t n = sim_nemesis.nodes_count;
	bool holds = n > 2 && !sim_nemesis.swarm->calm && sim_percent(SIM_NEMESIS, 50);
	uint32_t wrong = sim_nemesis.swarm->calm ? 0 : (uint32_t)sim_below(SIM_NEMESIS, (n - 1) / 2 + 1);
	if (!sim_watch_founded() || sim_nemesis_is_losing() || sim_nemesis_states_are_wrong()) {
		holds = false;
		wrong = 0; /* a cluster begins when all nodes have met, and a member comes in when a majority has */
	}
	put_right();
	if (sim_nemesis.lost != 0) {
		sim_node_power_loss(sim_nemesis.lost, 0);
		wrong -= wrong > 0;
		holds = false;
	}
	if (holds && wrong == 0)
		hold_path();
	while (wrong > 0) {
		uint32_t node = sim_nemesis_draw_node();
		if (sim_nemesis.held[node])
			continue;
		hold(node);
		wrong--;
	}
	for (uint32_t i = 1; i <= n; i++)
		sim_nemesis_at(0, start_event, i);
}

void sim_nemesis_spare_all(void)
{
	put_right();
	memset(sim_nemesis.held, 0, sizeof sim_nemesis.held);
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		sim_nemesis_at(0, start_event, i);
}
