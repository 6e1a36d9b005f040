/* SPDX-License-Identifier: Apache-2.0 - faults of nodes: they are killed, lose power, are stopped or get no processor. */
#include "tests/sim/coverage.h"
#include "tests/sim/loop.h"
#include "tests/sim/nemesis_state.h"
#include "tests/sim/world.h"

#define LONG_DOWN_US (60u * SIM_SECOND)
#define CLOCK_STANDS_PPM (-999999)
#define START_IOS 40 /* about as many as a start makes */

/* Starts it, unless it runs; some do not get far. */
void sim_nemesis_node_start(uint32_t node)
{
	struct sim_process *p = sim_node_process(node);
	bool deadly = sim_nemesis.swarm->weights[SIM_FAULT_KILL] > 0 || sim_nemesis.swarm->weights[SIM_FAULT_POWER] > 0;
	unsigned chance = p->boots_count == 0 ? 30 : 10; /* a first start makes files */
	if (p->state == SIM_DOWN && sim_nemesis.active && deadly && sim_percent(SIM_NEMESIS, chance))
		sim_node_plan_death(node, 1 + sim_below(SIM_NEMESIS, START_IOS), sim_percent(SIM_NEMESIS, 50));
	sim_node_start(node);
}

static void restart_event(void *ctx, uint64_t node)
{
	if (sim_nemesis_is_void(ctx) || sim_nemesis.held[node])
		return;
	if (sim_node_down_us((uint32_t)node) > LONG_DOWN_US)
		sim_cover(SIM_COVER_LONG_DOWN);
	sim_nemesis_node_start((uint32_t)node);
}

void sim_nemesis_restart_soon(uint32_t node)
{
	sim_nemesis.soon[node] = true;
}

void sim_nemesis_node_down(uint32_t node)
{
	bool soon = sim_nemesis.soon[node];
	sim_nemesis.soon[node] = false;
	if (!sim_nemesis.active)
		return;
	uint64_t after_us = sim_nemesis_draw_lasts_us();
	if (soon)
		after_us = SIM_RESTART_US_MIN + sim_below(SIM_NEMESIS, 20 * SIM_MS);
	else if (sim_percent(SIM_NEMESIS, 30)) /* at once, so to speak: others still owe it answers */
		after_us = SIM_RESTART_US_MIN + sim_below(SIM_NEMESIS, 100 * SIM_MS);
	else if (sim_once_in(SIM_NEMESIS, 12))
		after_us += LONG_DOWN_US;
	sim_nemesis_at(after_us, restart_event, node);
}

void sim_fault_KILL(void)
{
	uint32_t node = sim_percent(SIM_NEMESIS, 50) ? sim_nemesis_draw_node() : sim_nemesis_draw_leader();
	sim_node_kill(node, sim_percent(SIM_NEMESIS, 25) ? 0 : 1 + sim_below(SIM_NEMESIS, 60));
}

void sim_fault_POWER(void)
{
	uint32_t node = sim_percent(SIM_NEMESIS, 50) ? sim_nemesis_draw_node() : sim_nemesis_draw_leader();
	sim_node_power_loss(node, sim_percent(SIM_NEMESIS, 25) ? 0 : 1 + sim_below(SIM_NEMESIS, 60));
}

void sim_fault_KILL_ALL(void)
{
	bool power = sim_percent(SIM_NEMESIS, 70);
	if (power)
		sim_cover(SIM_COVER_ALL_POWER_LOST);
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++) {
		if (power)
			sim_node_power_loss(i, sim_below(SIM_NEMESIS, 10));
		else
			sim_node_kill(i, sim_below(SIM_NEMESIS, 10));
	}
}

void sim_fault_STOP(void)
{
	uint32_t node = sim_nemesis_draw_node();
	sim_node_stop(node);
}

static void stop_event(void *ctx, uint64_t node)
{
	if (sim_nemesis_is_void(ctx))
		return;
	sim_nemesis_restart_soon((uint32_t)node);
	sim_node_stop((uint32_t)node);
}

void sim_fault_ROLLING(void)
{
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		sim_nemesis_at((uint64_t)i * 4 * SIM_SECOND, stop_event, i);
}

static void clock_wakes_event(void *ctx, uint64_t node)
{
	struct sim_process *p = sim_node_process((uint32_t)node);
	(void)ctx; /* clocks are not put right when faults end */
	sim_clock_drift(p, 0);
	if (p->loop != NULL)
		sim_loop_wake(p->loop);
}

void sim_nemesis_sleep(uint32_t node, uint64_t lasts_us)
{
	struct sim_process *p = sim_node_process(node);
	sim_trace("node %llu sleeps for %llu us", node, lasts_us, 0, 0);
	if (sim_percent(SIM_NEMESIS, 50))
		sim_nemesis_deafen(node, lasts_us + sim_nemesis.swarm->node.election_timeout_ms * SIM_MS);
	if (sim_percent(SIM_NEMESIS, 50)) {
		sim_cover(SIM_COVER_PAUSED_WITH_CLOCK);
		sim_clock_drift(p, CLOCK_STANDS_PPM);
		sim_nemesis_at(lasts_us, clock_wakes_event, node);
	}
	sim_process_pause(p, sim_now_us() + lasts_us);
}

void sim_fault_PAUSE(void)
{
	uint32_t node = sim_percent(SIM_NEMESIS, 25) ? sim_nemesis_draw_node() : sim_nemesis_draw_leader();
	uint64_t lasts_us = sim_nemesis_draw_lasts_us();
	if (sim_percent(SIM_NEMESIS, 50)) /* until others have just chosen another leader */
		lasts_us = sim_between(SIM_NEMESIS, 1, 40) * sim_nemesis.swarm->node.election_timeout_ms * SIM_MS / 10;
	bool is_long = lasts_us > (uint64_t)sim_nemesis.swarm->node.election_timeout_ms * 2 * SIM_MS;
	if (sim_node_is_up(node))
		sim_cover(is_long ? SIM_COVER_PAUSED_LONG : SIM_COVER_PAUSED);
	if (sim_nemesis.swarm->sleepers)
		sim_nemesis_sleep(node, lasts_us);
	else
		sim_process_pause(sim_node_process(node), sim_now_us() + lasts_us);
}
