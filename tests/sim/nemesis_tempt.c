/* SPDX-License-Identifier: Apache-2.0 - crashes at moments that are worth it. */
#include "tests/sim/coverage.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/nemesis_state.h"
#include "tests/sim/watch.h"
#include "tests/sim/world.h"

#define TEMPTED_IOS_MAX 12
#define REPLACED_IOS_MAX 4
#define VOTER_ONCE_IN 8
#define LEADER_ONCE_IN 300
#define CALLER_ONCE_IN 50
#define CALLER_OFTEN_IN 20 /* where that is what a run is about */
#define FLAP_ONCE_IN 2
#define FLAPS_US (3u * SIM_SECOND)
#define LATE_US (15u * SIM_SECOND)

void sim_nemesis_tempt(uint32_t node, uint32_t once_in)
{
	const struct sim_swarm *s = sim_nemesis.swarm;
	bool kill = s != NULL && s->weights[SIM_FAULT_KILL] > 0;
	bool power = s != NULL && s->weights[SIM_FAULT_POWER] > 0;
	if (!sim_nemesis.active || (!kill && !power) || !sim_node_is_up(node) || !sim_once_in(SIM_NEMESIS, once_in))
		return;
	uint64_t after_ios = 1 + sim_below(SIM_NEMESIS, TEMPTED_IOS_MAX);
	sim_trace("node %llu shall die after %llu I/Os", node, after_ios, 0, 0);
	if (power && (!kill || sim_percent(SIM_NEMESIS, 50)))
		sim_node_power_loss(node, after_ios);
	else
		sim_node_kill(node, after_ios);
}

void sim_nemesis_tempt_replaced(uint32_t node)
{
	const struct sim_swarm *s = sim_nemesis.swarm;
	bool power = s != NULL && (s->weights[SIM_FAULT_POWER] > 0 || s->overtaken);
	if (!sim_nemesis.active || !power || !sim_node_is_up(node) || sim_percent(SIM_NEMESIS, 25))
		return;
	uint64_t after_ios = 1 + sim_below(SIM_NEMESIS, REPLACED_IOS_MAX);
	sim_trace("node %llu shall lose power after %llu I/Os", node, after_ios, 0, 0);
	sim_node_power_loss(node, after_ios);
}

static void lose_event(void *ctx, uint64_t node)
{
	if (!sim_nemesis_is_void(ctx))
		sim_node_power_loss((uint32_t)node, 0);
}

void sim_nemesis_tempt_handover(uint32_t to)
{
	bool is_late = sim_now_us() + LATE_US > sim_nemesis.ends_us;
	if (!sim_nemesis.active || sim_nemesis.swarm->calm || sim_nemesis.nodes_count < 3 || sim_nemesis.lost != 0 ||
	    !sim_watch_founded() || !sim_nemesis_may_harm() || !is_late || sim_percent(SIM_NEMESIS, 50))
		return;
	sim_cover(SIM_COVER_HANDOVER_TO_LOST);
	sim_trace("node %llu is lost", to, 0, 0, 0);
	sim_nemesis.lost = to;
	sim_nemesis.held[to] = true;
	sim_nemesis_at(0, lose_event, to);
}

void sim_nemesis_tempt_caller(uint32_t from, uint32_t to)
{
	uint64_t now_us = sim_now_us();
	bool again = sim_nemesis.flapping == from && now_us < sim_nemesis.flaps_end_us;
	if (!sim_nemesis.active || sim_nemesis.swarm->weights[SIM_FAULT_KILL] == 0 || !sim_node_is_up(from) ||
	    !sim_once_in(SIM_NEMESIS, again			   ? FLAP_ONCE_IN
				      : sim_nemesis.swarm->callers ? CALLER_OFTEN_IN
								   : CALLER_ONCE_IN))
		return;
	if (!again) {
		sim_nemesis_stall_disk(to);
		sim_nemesis.flapping = from;
		sim_nemesis.flaps_end_us = now_us + FLAPS_US;
	}
	sim_nemesis_restart_soon(from);
	if (sim_nemesis.swarm->weights[SIM_FAULT_POWER] > 0 && sim_percent(SIM_NEMESIS, 30))
		sim_node_power_loss(from, 1); /* the other side is not told */
	else
		sim_node_kill(from, 1);
}

void sim_nemesis_tempt_renamed(uint32_t node)
{
	bool kill = sim_nemesis.active && sim_nemesis.swarm->weights[SIM_FAULT_KILL] > 0;
	if (!kill || !sim_node_is_up(node) || !sim_once_in(SIM_NEMESIS, 2))
		return;
	sim_node_kill(node, 1);
}

void sim_nemesis_tempt_voter(uint32_t node)
{
	const struct sim_swarm *s = sim_nemesis.swarm;
	if (!sim_nemesis.active || s->weights[SIM_FAULT_KILL] == 0 || !sim_node_is_up(node) ||
	    !sim_once_in(SIM_NEMESIS, VOTER_ONCE_IN))
		return;
	sim_nemesis_restart_soon(node);
	sim_node_kill(node, 1 + sim_below(SIM_NEMESIS, REPLACED_IOS_MAX));
}

void sim_nemesis_tempt_leader(uint32_t node)
{
	if (!sim_nemesis.active || !sim_nemesis.swarm->sleepers || !sim_node_is_up(node) ||
	    !sim_once_in(SIM_NEMESIS, LEADER_ONCE_IN))
		return;
	uint64_t t_us = sim_nemesis.swarm->node.election_timeout_ms * SIM_MS;
	sim_nemesis_sleep(node, t_us * sim_between(SIM_NEMESIS, 10, 40) / 10);
}
