/* SPDX-License-Identifier: Apache-2.0 - faults between nodes, and between nodes and clients. One cut between nodes at a time. */
#include "tests/sim/coverage.h"
#include "tests/sim/nemesis_state.h"
#include "tests/sim/world.h"

#define LATE_STEPS 8
#define LATE_STEP_PERCENT 40 /* of an election timeout */

static void cuts_mend(void)
{
	for (uint32_t a = 1; a <= sim_nemesis.nodes_count; a++)
		for (uint32_t b = 1; b <= sim_nemesis.nodes_count; b++)
			sim_net_cut(a, b, false);
}

static void cuts_end_event(void *ctx, uint64_t cut)
{
	if (!sim_nemesis_is_void(ctx) && cut == sim_nemesis.cuts)
		cuts_mend();
}

static void cuts_begin_for(enum sim_cover cover, uint64_t lasts_us)
{
	cuts_mend();
	if (sim_nemesis.nodes_count > 1)
		sim_cover(cover);
	sim_nemesis_at(lasts_us, cuts_end_event, ++sim_nemesis.cuts);
}

static void cuts_begin(enum sim_cover cover)
{
	cuts_begin_for(cover, sim_nemesis_draw_lasts_us());
}

static void cut_both(uint32_t a, uint32_t b)
{
	sim_net_cut(a, b, true);
	sim_net_cut(b, a, true);
}

void sim_nemesis_cut_off(uint32_t node)
{
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		if (i != node)
			cut_both(node, i);
}

void sim_nemesis_deafen(uint32_t node, uint64_t lasts_us)
{
	uint32_t other = sim_nemesis_draw_other(node);
	sim_trace("node %llu is deaf to node %llu", node, other, 0, 0);
	cuts_begin_for(SIM_COVER_PAUSED_DEAF, lasts_us);
	cut_both(node, other);
}

void sim_fault_CUT_ONE(void)
{
	cuts_begin(SIM_COVER_PARTITION_ONE);
	sim_nemesis_cut_off(sim_nemesis_draw_node());
}

/* To the leader, and from it. */
static void late_set(uint32_t leader, uint64_t to_us, uint64_t from_us)
{
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		if (i != leader) {
			sim_net_slow(i, leader, (uint32_t)to_us);
			sim_net_slow(leader, i, (uint32_t)from_us);
		}
}

/* Later by less than an election timeout at a time, so that it goes on leading, until that is longer than the others need to replace it and to serve somebody; then nothing comes from it for as
 * long. That is no cut: what was said to it before would have to wait as well, since nothing from here acknowledges it. */
static void late_event(void *ctx, uint64_t arg)
{
	uint32_t leader = (uint32_t)(arg >> 8);
	uint64_t step = arg & 0xff, t_us = sim_nemesis.swarm->node.election_timeout_ms * SIM_MS;
	uint64_t late_us = (step < LATE_STEPS ? step : LATE_STEPS) * t_us * LATE_STEP_PERCENT / 100;
	if (sim_nemesis_is_void(ctx))
		return;
	if (step == LATE_STEPS)
		sim_cover(SIM_COVER_LATE_NEWS);
	if (step > LATE_STEPS)
		late_set(leader, 0, 0);
	else
		late_set(leader, late_us, step == LATE_STEPS ? late_us + 2 * t_us : 0);
	if (step <= LATE_STEPS)
		sim_nemesis_at(step < LATE_STEPS ? t_us : late_us + 2 * t_us, late_event, arg + 1);
}

static void late_begin(uint32_t leader)
{
	uint64_t t_us = sim_nemesis.swarm->node.election_timeout_ms * SIM_MS;
	if (sim_now_us() < sim_nemesis.late_until_us)
		return;
	sim_nemesis.late_until_us = sim_now_us() + 3 * LATE_STEPS * t_us;
	sim_trace("node %llu hears the others late", leader, 0, 0, 0);
	late_event((void *)(uintptr_t)sim_nemesis.phase, (uint64_t)leader << 8 | 1);
}

void sim_fault_CUT_LEADER(void)
{
	uint32_t leader = sim_nemesis_draw_leader();
	if (sim_nemesis.swarm->late_news) {
		late_begin(leader);
		return;
	}
	cuts_begin(SIM_COVER_PARTITION_LEADER);
	sim_nemesis_cut_off(leader);
	if (!sim_nemesis.swarm->overtaken)
		return;
	/* It is back, and hears of its successor, while what it wrote alone is still under way. */
	sim_nemesis_stall_disk(leader);
	sim_nemesis_at(sim_between(SIM_NEMESIS, 25, 50) * sim_nemesis.swarm->node.election_timeout_ms * SIM_MS / 10,
		       cuts_end_event, sim_nemesis.cuts);
}

void sim_fault_CUT_HALVES(void)
{
	cuts_begin(SIM_COVER_PARTITION_HALVES);
	uint64_t all = (UINT64_C(1) << sim_nemesis.nodes_count) - 1;
	uint64_t side = all == 1 ? 0 : 1 + sim_below(SIM_NEMESIS, all - 1); /* neither none nor all */
	for (uint32_t a = 1; a <= sim_nemesis.nodes_count; a++)
		for (uint32_t b = 1; b < a; b++)
			if ((side >> (a - 1) & 1) != (side >> (b - 1) & 1))
				cut_both(a, b);
}

void sim_fault_CUT_ONE_WAY(void)
{
	cuts_begin(SIM_COVER_PARTITION_ONE_WAY);
	uint32_t from = sim_nemesis_draw_node();
	uint32_t to = sim_nemesis_draw_other(from);
	if (sim_percent(SIM_NEMESIS, 50)) {
		sim_net_cut(from, to, true);
		return;
	}
	for (uint32_t i = 1; i <= sim_nemesis.nodes_count; i++)
		if (i != from)
			sim_net_cut(from, i, true);
}

/* On a ring of nodes each reaches the half of the others that is nearest to it. */
void sim_fault_CUT_RING(void)
{
	cuts_begin(SIM_COVER_PARTITION_RING);
	uint32_t n = sim_nemesis.nodes_count;
	uint32_t reach = (n / 2 + 1) / 2;
	for (uint32_t a = 1; a <= n; a++)
		for (uint32_t b = 1; b < a; b++) {
			uint32_t apart = a - b < n - (a - b) ? a - b : n - (a - b);
			if (n == 3 ? a - b == 2 : apart > reach)
				cut_both(a, b);
		}
}

static void path_end_event(void *ctx, uint64_t path)
{
	if (sim_nemesis_is_void(ctx))
		return;
	sim_net_cut((uint32_t)(path >> 16), (uint32_t)(path & 0xffff), false);
	sim_net_cut((uint32_t)(path & 0xffff), (uint32_t)(path >> 16), false);
}

void sim_fault_CUT_CLIENT(void)
{
	uint32_t client = sim_nemesis_draw_client();
	uint32_t node = sim_nemesis_draw_node();
	sim_cover(SIM_COVER_CLIENT_CUT);
	sim_net_cut(client, node, true);
	if (sim_percent(SIM_NEMESIS, 50))
		sim_net_cut(node, client, true);
	sim_nemesis_at(sim_nemesis_draw_lasts_us(), path_end_event, (uint64_t)client << 16 | node);
}

void sim_fault_RESET(void)
{
	uint32_t node = sim_nemesis_draw_node();
	if (sim_nemesis.nodes_count > 1)
		sim_cover(SIM_COVER_CONNECTION_CUT);
	sim_net_reset(node, sim_nemesis_draw_other(node));
}

void sim_fault_RESET_CLIENT(void)
{
	sim_cover(SIM_COVER_CLIENT_CUT);
	sim_net_reset(sim_nemesis_draw_client(), sim_nemesis_draw_node());
}

/* A fault of one thing begins, and lasts until the end of the last of them. Gives how long this one does. */
static uint64_t lasts_until(uint64_t *until_us)
{
	uint64_t lasts_us = sim_nemesis_draw_lasts_us();
	if (sim_now_us() + lasts_us > *until_us)
		*until_us = sim_now_us() + lasts_us;
	return lasts_us;
}

static void slow_end_event(void *ctx, uint64_t path)
{
	uint32_t from = (uint32_t)(path >> 16);
	uint32_t to = (uint32_t)(path & 0xffff);
	if (!sim_nemesis_is_void(ctx) && sim_now_us() >= sim_nemesis.slow_until_us[from][to])
		sim_net_slow(from, to, 0);
}

void sim_fault_SLOW_PATH(void)
{
	uint32_t from = sim_nemesis_draw_node();
	uint32_t to = sim_nemesis_draw_other(from);
	sim_cover(SIM_COVER_SLOW_PATH);
	sim_net_slow(from, to, (uint32_t)sim_between(SIM_NEMESIS, 5, 400) * SIM_MS);
	sim_nemesis_at(lasts_until(&sim_nemesis.slow_until_us[from][to]), slow_end_event, (uint64_t)from << 16 | to);
}

static void frames_end_event(void *ctx, uint64_t arg)
{
	(void)arg;
	if (!sim_nemesis_is_void(ctx) && sim_now_us() >= sim_nemesis.frames_until_us)
		*sim_net_habits() = sim_nemesis.swarm->net;
}

void sim_fault_FRAMES(void)
{
	struct sim_net_habits *h = sim_net_habits();
	uint32_t once_in = (uint32_t)sim_between(SIM_NEMESIS, 5, 200);
	h->frame_lose_once_in = sim_percent(SIM_NEMESIS, 50) ? once_in : 0;
	h->frame_repeat_once_in = sim_percent(SIM_NEMESIS, 50) ? once_in : 0;
	h->frame_swap_once_in = sim_percent(SIM_NEMESIS, 50) ? once_in : 0;
	h->frame_garble_once_in = sim_percent(SIM_NEMESIS, 50) ? once_in * 3 : 0;
	sim_nemesis_at(lasts_until(&sim_nemesis.frames_until_us), frames_end_event, 0);
}
