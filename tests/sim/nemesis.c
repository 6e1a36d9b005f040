/* SPDX-License-Identifier: Apache-2.0 - faults: each begins by chance, lasts a while and ends.
 *
 * What a fault changed is undone by its end event, unless a later fault of the same kind has taken it over (generation numbers), or the liveness phase has
 * put everything right.
 */
#include "tests/sim/nemesis.h"

#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/world.h"

#define RESTART_US_MIN (5u * SIM_MS)
#define LONG_DOWN_US (60u * SIM_SECOND)
#define CLIENT_ADDRESS_FIRST 101
#define DISK_FULL_ROOM 4096
#define KEEP_STARTING_US (500u * SIM_MS)
#define TEMPTED_IOS_MAX 12
#define START_IOS 40 /* about as many as a start makes */

static struct {
	const struct sim_swarm *swarm;
	uint32_t nodes_count;
	bool active;		      /* faults go on */
	uint64_t phase;		      /* rises when all faults that last are put an end to */
	uint64_t cuts;		      /* of the last cut between nodes */
	bool held[SIM_NODES_MAX + 1]; /* stays down on purpose */
} nemesis;

static uint64_t draw_lasts_us(void)
{
	return RESTART_US_MIN + sim_below(SIM_NEMESIS, nemesis.swarm->fault_lasts_us);
}

static uint32_t draw_node(void)
{
	return 1 + (uint32_t)sim_below(SIM_NEMESIS, nemesis.nodes_count);
}

/* Another one than that, when there is one. */
static uint32_t draw_other(uint32_t node)
{
	uint32_t n = nemesis.nodes_count;
	return n == 1 ? node : 1 + (node - 1 + 1 + (uint32_t)sim_below(SIM_NEMESIS, n - 1)) % n;
}

static uint32_t draw_client_address(void)
{
	return CLIENT_ADDRESS_FIRST + (uint32_t)sim_below(SIM_NEMESIS, nemesis.swarm->work.clients_count);
}

static uint32_t leader_of(uint32_t partition)
{
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++) {
		const struct ord_engine *e = sim_node_engine(i);
		struct ord_replica_status status;
		if (e == NULL)
			continue;
		ord_engine_replica_status(e, partition, &status);
		if (status.ready)
			return i;
	}
	return draw_node();
}

static uint32_t draw_leader(void)
{
	return leader_of((uint32_t)sim_below(SIM_NEMESIS, nemesis.swarm->node.partitions_count));
}

/* An end that belongs to the phase in which the fault began: number tells which. */
static void end_at(uint64_t after_us, void (*fn)(void *ctx, uint64_t arg), uint64_t arg)
{
	sim_at(sim_now_us() + after_us, fn, (void *)(uintptr_t)nemesis.phase, arg);
}

static bool end_is_void(const void *ctx)
{
	return (uint64_t)(uintptr_t)ctx != nemesis.phase;
}

/* --- Nodes. --- */

static void restart_event(void *ctx, uint64_t node);

/* Starts it, unless it runs; some do not get far. */
static void start(uint32_t node)
{
	struct sim_process *p = sim_node_process(node);
	bool deadly = nemesis.swarm->weights[SIM_FAULT_KILL] > 0 || nemesis.swarm->weights[SIM_FAULT_POWER] > 0;
	if (p->state == SIM_DOWN && nemesis.active && deadly && sim_percent(SIM_NEMESIS, 10)) {
		sim_node_plan_death(node, 1 + sim_below(SIM_NEMESIS, START_IOS), sim_percent(SIM_NEMESIS, 50));
		end_at(KEEP_STARTING_US + draw_lasts_us(), restart_event, node);
	}
	if (!sim_node_start(node))
		end_at(KEEP_STARTING_US + draw_lasts_us(), restart_event, node);
}

static void restart_event(void *ctx, uint64_t node)
{
	if (end_is_void(ctx) || nemesis.held[node])
		return;
	if (sim_node_down_us((uint32_t)node) > LONG_DOWN_US)
		sim_cover(SIM_COVER_LONG_DOWN);
	start((uint32_t)node);
}

static void restart_later(uint32_t node)
{
	uint64_t after_us = draw_lasts_us();
	if (sim_percent(SIM_NEMESIS, 30)) /* at once, so to speak: others still owe it answers */
		after_us = RESTART_US_MIN + sim_below(SIM_NEMESIS, 100 * SIM_MS);
	else if (sim_once_in(SIM_NEMESIS, 12))
		after_us += LONG_DOWN_US;
	end_at(after_us, restart_event, node);
}

static void fault_kill(void)
{
	uint32_t node = sim_percent(SIM_NEMESIS, 50) ? draw_node() : draw_leader();
	sim_node_kill(node, sim_percent(SIM_NEMESIS, 25) ? 0 : 1 + sim_below(SIM_NEMESIS, 60));
	restart_later(node);
}

static void fault_power(void)
{
	uint32_t node = sim_percent(SIM_NEMESIS, 50) ? draw_node() : draw_leader();
	sim_node_power_loss(node, sim_percent(SIM_NEMESIS, 25) ? 0 : 1 + sim_below(SIM_NEMESIS, 60));
	restart_later(node);
}

static void fault_kill_all(void)
{
	bool power = sim_percent(SIM_NEMESIS, 70);
	if (power)
		sim_cover(SIM_COVER_ALL_POWER_LOST);
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++) {
		if (power)
			sim_node_power_loss(i, sim_below(SIM_NEMESIS, 10));
		else
			sim_node_kill(i, sim_below(SIM_NEMESIS, 10));
		end_at(draw_lasts_us(), restart_event, i);
	}
}

static void fault_stop(void)
{
	uint32_t node = draw_node();
	sim_node_stop(node);
	restart_later(node);
}

static void stop_event(void *ctx, uint64_t node)
{
	if (end_is_void(ctx))
		return;
	sim_node_stop((uint32_t)node);
	end_at(RESTART_US_MIN + 3 * SIM_SECOND, restart_event, node);
}

static void fault_rolling(void)
{
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++)
		end_at((uint64_t)i * 4 * SIM_SECOND, stop_event, i);
}

static void fault_pause(void)
{
	uint32_t node = sim_percent(SIM_NEMESIS, 25) ? draw_node() : draw_leader();
	uint64_t lasts_us = draw_lasts_us();
	if (sim_percent(SIM_NEMESIS, 50)) /* until others have just chosen another leader */
		lasts_us = sim_between(SIM_NEMESIS, 1, 40) * nemesis.swarm->node.election_timeout_ms * SIM_MS / 10;
	sim_cover(lasts_us > (uint64_t)nemesis.swarm->node.election_timeout_ms * 2 * SIM_MS ? SIM_COVER_PAUSED_LONG
											    : SIM_COVER_PAUSED);
	sim_process_pause(sim_node_process(node), sim_now_us() + lasts_us);
}

void sim_nemesis_tempt(uint32_t node, uint32_t once_in)
{
	const struct sim_swarm *s = nemesis.swarm;
	bool kill = s != NULL && s->weights[SIM_FAULT_KILL] > 0;
	bool power = s != NULL && s->weights[SIM_FAULT_POWER] > 0;
	if (!nemesis.active || (!kill && !power) || !sim_node_is_up(node) || !sim_once_in(SIM_NEMESIS, once_in))
		return;
	uint64_t after_ios = 1 + sim_below(SIM_NEMESIS, TEMPTED_IOS_MAX);
	sim_trace("node %llu shall die after %llu I/Os", node, after_ios, 0, 0);
	if (power && (!kill || sim_percent(SIM_NEMESIS, 50)))
		sim_node_power_loss(node, after_ios);
	else
		sim_node_kill(node, after_ios);
	restart_later(node);
}

/* --- Paths. One cut between nodes at a time. --- */

static void cuts_mend(void)
{
	for (uint32_t a = 1; a <= nemesis.nodes_count; a++)
		for (uint32_t b = 1; b <= nemesis.nodes_count; b++)
			sim_net_cut(a, b, false);
}

static void cuts_end_event(void *ctx, uint64_t cut)
{
	if (!end_is_void(ctx) && cut == nemesis.cuts)
		cuts_mend();
}

static void cuts_begin(enum sim_cover cover)
{
	cuts_mend();
	sim_cover(cover);
	end_at(draw_lasts_us(), cuts_end_event, ++nemesis.cuts);
}

static void cut_both(uint32_t a, uint32_t b)
{
	sim_net_cut(a, b, true);
	sim_net_cut(b, a, true);
}

static void cut_off(uint32_t node)
{
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++)
		if (i != node)
			cut_both(node, i);
}

static void fault_cut_one(void)
{
	cuts_begin(SIM_COVER_PARTITION_ONE);
	cut_off(draw_node());
}

static void fault_cut_leader(void)
{
	cuts_begin(SIM_COVER_PARTITION_LEADER);
	cut_off(draw_leader());
}

static void fault_cut_halves(void)
{
	cuts_begin(SIM_COVER_PARTITION_HALVES);
	uint64_t side = sim_below(SIM_NEMESIS, 1u << nemesis.nodes_count);
	for (uint32_t a = 1; a <= nemesis.nodes_count; a++)
		for (uint32_t b = 1; b < a; b++)
			if ((side >> a & 1) != (side >> b & 1))
				cut_both(a, b);
}

static void fault_cut_one_way(void)
{
	cuts_begin(SIM_COVER_PARTITION_ONE_WAY);
	uint32_t from = draw_node();
	uint32_t to = draw_other(from);
	if (sim_percent(SIM_NEMESIS, 50)) {
		sim_net_cut(from, to, true);
		return;
	}
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++)
		if (i != from)
			sim_net_cut(from, i, true);
}

/* On a ring of nodes each reaches the half of the others that is nearest to it. */
static void fault_cut_ring(void)
{
	cuts_begin(SIM_COVER_PARTITION_RING);
	uint32_t n = nemesis.nodes_count;
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
	if (end_is_void(ctx))
		return;
	sim_net_cut((uint32_t)(path >> 16), (uint32_t)(path & 0xffff), false);
	sim_net_cut((uint32_t)(path & 0xffff), (uint32_t)(path >> 16), false);
}

static void fault_cut_client(void)
{
	uint32_t client = draw_client_address();
	uint32_t node = draw_node();
	sim_cover(SIM_COVER_CLIENT_CUT);
	sim_net_cut(client, node, true);
	if (sim_percent(SIM_NEMESIS, 50))
		sim_net_cut(node, client, true);
	end_at(draw_lasts_us(), path_end_event, (uint64_t)client << 16 | node);
}

static void fault_reset(void)
{
	sim_cover(SIM_COVER_CONNECTION_CUT);
	uint32_t node = draw_node();
	sim_net_reset(node, draw_other(node));
}

static void fault_reset_client(void)
{
	sim_cover(SIM_COVER_CLIENT_CUT);
	sim_net_reset(draw_client_address(), draw_node());
}

static void slow_end_event(void *ctx, uint64_t path)
{
	if (!end_is_void(ctx))
		sim_net_slow((uint32_t)(path >> 16), (uint32_t)(path & 0xffff), 0);
}

static void fault_slow_path(void)
{
	uint32_t from = draw_node();
	uint32_t to = draw_other(from);
	sim_cover(SIM_COVER_SLOW_PATH);
	sim_net_slow(from, to, (uint32_t)sim_between(SIM_NEMESIS, 5, 400) * SIM_MS);
	end_at(draw_lasts_us(), slow_end_event, (uint64_t)from << 16 | to);
}

static void frames_end_event(void *ctx, uint64_t arg)
{
	(void)arg;
	if (!end_is_void(ctx))
		*sim_net_habits() = nemesis.swarm->net;
}

static void fault_frames(void)
{
	struct sim_net_habits *h = sim_net_habits();
	uint32_t once_in = (uint32_t)sim_between(SIM_NEMESIS, 5, 200);
	h->frame_lose_once_in = sim_percent(SIM_NEMESIS, 50) ? once_in : 0;
	h->frame_repeat_once_in = sim_percent(SIM_NEMESIS, 50) ? once_in : 0;
	h->frame_swap_once_in = sim_percent(SIM_NEMESIS, 50) ? once_in : 0;
	h->frame_garble_once_in = sim_percent(SIM_NEMESIS, 30) ? once_in * 10 : 0;
	end_at(draw_lasts_us(), frames_end_event, 0);
}

/* --- Disks. --- */

static struct sim_disk_habits *habits_of(uint32_t node)
{
	return sim_disk_habits(sim_node_process(node)->disk);
}

static void habits_end_event(void *ctx, uint64_t node)
{
	if (!end_is_void(ctx))
		*habits_of((uint32_t)node) = nemesis.swarm->disk;
}

static void fault_slow_disk(void)
{
	uint32_t node = draw_node();
	struct sim_disk_habits *h = habits_of(node);
	sim_cover(SIM_COVER_DISK_SLOW);
	h->sync_us_min = (uint32_t)sim_between(SIM_NEMESIS, 5, 100) * SIM_MS;
	h->sync_us_max = h->sync_us_min * (uint32_t)sim_between(SIM_NEMESIS, 1, 20);
	end_at(draw_lasts_us(), habits_end_event, node);
}

/* The disk may fail again when the node is back; then it is well. */
static void failing_disk(uint32_t node)
{
	end_at(draw_lasts_us(), habits_end_event, node);
	restart_later(node);
}

static void fault_sync_fails(void)
{
	uint32_t node = draw_node();
	habits_of(node)->sync_fail_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 30);
	failing_disk(node);
}

static void fault_write_fails(void)
{
	uint32_t node = draw_node();
	struct sim_disk_habits *h = habits_of(node);
	h->write_short_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 10);
	if (sim_percent(SIM_NEMESIS, 50))
		h->write_fail_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 30);
	if (sim_percent(SIM_NEMESIS, 50))
		sim_node_kill(node, 0); /* files are made at a start */
	failing_disk(node);
}

static void fault_read_fails(void)
{
	uint32_t node = draw_node();
	struct sim_disk_habits *h = habits_of(node);
	h->read_short_once_in = (uint32_t)sim_between(SIM_NEMESIS, 1, 10);
	h->read_fail_once_in = sim_percent(SIM_NEMESIS, 50) ? (uint32_t)sim_between(SIM_NEMESIS, 2, 200) : 0;
	sim_node_kill(node, 0);
	failing_disk(node);
}

static void fault_disk_full(void)
{
	uint32_t node = draw_node();
	struct sim_disk *d = sim_node_process(node)->disk;
	sim_disk_habits(d)->bytes_max = sim_disk_bytes(d) + sim_below(SIM_NEMESIS, DISK_FULL_ROOM);
	failing_disk(node);
}

static uint32_t damaged_count(void)
{
	uint32_t count = 0;
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++)
		count += sim_disk_is_damaged(sim_node_process(i)->disk);
	return count;
}

static void mend_event(void *ctx, uint64_t node)
{
	if (!end_is_void(ctx))
		sim_disk_mend(sim_node_process((uint32_t)node)->disk);
}

static void damage(uint32_t node)
{
	struct sim_disk *d = sim_node_process(node)->disk;
	char text[256] = "";
	bool done;
	switch (sim_below(SIM_NEMESIS, 3)) {
	case 0:
		done = sim_disk_flip_bit(d, "/data/wal/", text, sizeof text);
		break;
	case 1:
		done = sim_disk_lose_write(d, "/data/wal/", text, sizeof text);
		break;
	default:
		done = sim_disk_misdirect_write(d, "/data/wal/", text, sizeof text);
		break;
	}
	if (done)
		sim_trace_text("node %u: %s", node, text);
}

static void damage_event(void *ctx, uint64_t node)
{
	if (end_is_void(ctx) || sim_node_process((uint32_t)node)->state != SIM_DOWN)
		return;
	/* Never on a majority: of what no majority has any more nothing can be promised. */
	if (damaged_count() + 1 <= (nemesis.nodes_count - 1) / 2)
		damage((uint32_t)node);
	end_at(draw_lasts_us(), restart_event, node);
	end_at(2 * SIM_SECOND + 2 * draw_lasts_us(), mend_event, node);
}

static void fault_damage(void)
{
	uint32_t node = draw_node();
	if (sim_node_is_up(node) &&
	    sim_percent(SIM_NEMESIS, 30)) { /* found when it is read for a peer, or at the next start */
		if (damaged_count() + 1 <= (nemesis.nodes_count - 1) / 2)
			damage(node);
		sim_node_harm(node);
		restart_later(node);
		end_at(2 * SIM_SECOND + 2 * draw_lasts_us(), mend_event, node);
		return;
	}
	sim_node_power_loss(node, 0);
	end_at(SIM_MS, damage_event, node);
}

/* --- Clocks. --- */

static void fault_clock_jump(void)
{
	struct sim_process *p = sim_node_process(draw_node());
	int64_t jump_us = (int64_t)sim_between(SIM_NEMESIS, 1, 100) * SIM_MS;
	if (sim_percent(SIM_NEMESIS, 50))
		jump_us *= 1000;
	bool back = sim_percent(SIM_NEMESIS, 50);
	sim_cover(back ? SIM_COVER_CLOCK_BACK : SIM_COVER_CLOCK_FORWARD);
	p->wall_offset_us += back ? -jump_us : jump_us;
}

static void fault_clock_drift(void)
{
	sim_cover(SIM_COVER_CLOCK_DRIFT);
	int32_t most_ppm =
		sim_percent(SIM_NEMESIS, 50) ? 1000 : 600000; /* what is wrong by much must not matter, too */
	int32_t ppm = (int32_t)sim_below(SIM_NEMESIS, 2 * (uint64_t)most_ppm) - most_ppm;
	sim_clock_drift(sim_node_process(draw_node()), ppm);
}

/* --- Clients. --- */

static void fault_client_crash(void)
{
	sim_work_crash(1 + (uint32_t)sim_below(SIM_NEMESIS, nemesis.swarm->work.clients_count));
}

/* --- Beginning and end. --- */

static void (*const fault_begins[])(void) = {
	[SIM_FAULT_KILL] = fault_kill,
	[SIM_FAULT_POWER] = fault_power,
	[SIM_FAULT_KILL_ALL] = fault_kill_all,
	[SIM_FAULT_STOP] = fault_stop,
	[SIM_FAULT_ROLLING] = fault_rolling,
	[SIM_FAULT_PAUSE] = fault_pause,
	[SIM_FAULT_CUT_ONE] = fault_cut_one,
	[SIM_FAULT_CUT_LEADER] = fault_cut_leader,
	[SIM_FAULT_CUT_HALVES] = fault_cut_halves,
	[SIM_FAULT_CUT_ONE_WAY] = fault_cut_one_way,
	[SIM_FAULT_CUT_RING] = fault_cut_ring,
	[SIM_FAULT_CUT_CLIENT] = fault_cut_client,
	[SIM_FAULT_RESET] = fault_reset,
	[SIM_FAULT_RESET_CLIENT] = fault_reset_client,
	[SIM_FAULT_SLOW_PATH] = fault_slow_path,
	[SIM_FAULT_FRAMES] = fault_frames,
	[SIM_FAULT_SLOW_DISK] = fault_slow_disk,
	[SIM_FAULT_SYNC_FAILS] = fault_sync_fails,
	[SIM_FAULT_WRITE_FAILS] = fault_write_fails,
	[SIM_FAULT_READ_FAILS] = fault_read_fails,
	[SIM_FAULT_DISK_FULL] = fault_disk_full,
	[SIM_FAULT_DAMAGE] = fault_damage,
	[SIM_FAULT_CLOCK_JUMP] = fault_clock_jump,
	[SIM_FAULT_CLOCK_DRIFT] = fault_clock_drift,
	[SIM_FAULT_CLIENT_CRASH] = fault_client_crash,
};

static enum sim_fault draw_fault(void)
{
	unsigned total = 0;
	for (unsigned i = 0; i < SIM_FAULTS_COUNT; i++)
		total += nemesis.swarm->weights[i];
	uint64_t at = sim_below(SIM_NEMESIS, total);
	unsigned i = 0;
	while (at >= nemesis.swarm->weights[i])
		at -= nemesis.swarm->weights[i++];
	return (enum sim_fault)i;
}

static void fault_event(void *ctx, uint64_t arg)
{
	(void)arg;
	if (end_is_void(ctx) || !nemesis.active)
		return;
	enum sim_fault fault = draw_fault();
	sim_trace_text("fault: %s", sim_fault_name(fault));
	fault_begins[fault]();
	end_at(1 + sim_below(SIM_NEMESIS, 2 * nemesis.swarm->fault_pause_us), fault_event, 0);
}

void sim_nemesis_start(const struct sim_swarm *swarm)
{
	memset(&nemesis, 0, sizeof nemesis);
	nemesis.swarm = swarm;
	nemesis.nodes_count = swarm->node.nodes_count;
	nemesis.phase = 1;
	nemesis.active = swarm->fault_pause_us > 0;
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++) {
		if (nemesis.active && swarm->weights[SIM_FAULT_WRITE_FAILS] > 0 && sim_percent(SIM_NEMESIS, 50)) {
			habits_of(i)->write_short_once_in = 2; /* while its files are made */
			end_at(draw_lasts_us(), habits_end_event, i);
		}
		start(i);
	}
	if (nemesis.active)
		end_at(sim_below(SIM_NEMESIS, 2 * swarm->fault_pause_us), fault_event, 0);
}

/* Everything that a fault changed is as it was; who is down is started. */
static void put_right(void)
{
	nemesis.phase++;
	nemesis.active = false;
	for (uint32_t a = 0; a < SIM_ADDRESSES_MAX; a++)
		for (uint32_t b = 0; b < SIM_ADDRESSES_MAX; b++) {
			sim_net_cut(a, b, false);
			sim_net_slow(a, b, 0);
		}
	*sim_net_habits() = nemesis.swarm->net;
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++) {
		struct sim_process *p = sim_node_process(i);
		*habits_of(i) = nemesis.swarm->disk;
		sim_disk_mend(p->disk);
		sim_node_spare(i);
		sim_process_resume(p);
	}
}

static void start_event(void *ctx, uint64_t node)
{
	if (end_is_void(ctx) || nemesis.held[node])
		return;
	sim_node_start((uint32_t)node);
	end_at(SIM_SECOND, start_event, node); /* one that is just dying is started again */
}

static void hold(uint32_t node)
{
	nemesis.held[node] = true;
	switch (sim_below(SIM_NEMESIS, 3)) {
	case 0:
		sim_node_power_loss(node, 0);
		break;
	case 1:
		cut_off(node);
		break;
	default:
		sim_process_pause(sim_node_process(node), UINT64_MAX);
		break;
	}
}

void sim_nemesis_spare_majority(void)
{
	uint32_t n = nemesis.nodes_count;
	uint32_t wrong = nemesis.swarm->calm ? 0 : (uint32_t)sim_below(SIM_NEMESIS, (n - 1) / 2 + 1);
	put_right();
	while (wrong > 0) {
		uint32_t node = draw_node();
		if (nemesis.held[node])
			continue;
		hold(node);
		wrong--;
	}
	for (uint32_t i = 1; i <= n; i++)
		end_at(0, start_event, i);
}

void sim_nemesis_spare_all(void)
{
	put_right();
	memset(nemesis.held, 0, sizeof nemesis.held);
	for (uint32_t i = 1; i <= nemesis.nodes_count; i++)
		end_at(0, start_event, i);
}
