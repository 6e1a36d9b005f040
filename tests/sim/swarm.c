/* SPDX-License-Identifier: Apache-2.0 - what a seed decides. */
#include "tests/sim/swarm.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/world.h"

const char *sim_fault_name(enum sim_fault fault)
{
	static const char *const names[] = {
#define X(name, text) #name,
#include "tests/sim/faults.def"
#undef X
	};
	return names[fault];
}

/* More than a node writes before it notices. */
#define RESERVE_BYTES (512u << 10)

static uint64_t one_of(const uint64_t *values, size_t count)
{
	return values[sim_below(SIM_SWARM, count)];
}

#define ONE_OF(...) one_of((const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void draw_nodes(struct sim_node_options *o)
{
	o->nodes_count = (uint32_t)ONE_OF(1, 3, 3, 3, 3, 3, 3, 5, 5, 7);
	o->partitions_count = (uint32_t)ONE_OF(1, 2, 2, 3, 3, 4, 4, 5, 8);
	o->election_timeout_ms = (uint32_t)ONE_OF(300, 500, 500, 500, 1000);
	o->heartbeat_ms = o->election_timeout_ms / 5;
	o->segment_bytes = ONE_OF(4096, 4096, 8192, 32768, 262144, 1u << 20);
	o->cache_bytes = ONE_OF(1, 8192, 65536, 1u << 20);
}

/* Some runs have the bounds of a real node, others such that everything is full all the time. */
static void draw_bounds(struct ord_bounds *b)
{
	if (sim_percent(SIM_SWARM, 40))
		return;
	b->deliver_bytes = (uint32_t)ONE_OF(0, 1, 400, 2000);
	b->entry_bytes = (uint32_t)ONE_OF(0, 4096, 8192);
	if (b->deliver_bytes == 0 && b->entry_bytes != 0)
		b->deliver_bytes = 2000;
	b->admit_bytes = ONE_OF(0, 1, 1000, 20000);
	b->reads_count = (uint32_t)ONE_OF(0, 1, 3, 20);
	b->forwards_count = (uint32_t)ONE_OF(0, 1, 5, 50);
	b->unsettled_count = (uint32_t)ONE_OF(0, 1, 5, 50);
	b->deliver_window = (uint32_t)ONE_OF(0, 1, 3, 20);
	b->raft_message_bytes = (uint32_t)ONE_OF(0, 1, 1000);
	if (b->entry_bytes != 0 && b->raft_message_bytes != 0)
		b->peer_output_bytes = (uint32_t)ONE_OF(0, 64u << 10); /* one message must fit */
	b->raft_window_bytes = (uint32_t)ONE_OF(0, 1, 2000);
	b->raft_turn_entries = (uint32_t)ONE_OF(0, 1, 10);
}

/* How often there is a checkpoint, how long one takes, and how much stays in memory. */
static void draw_states(struct sim_node_options *o)
{
	o->memory_bytes = ONE_OF(1, 1, 4096, 65536, 1u << 30);
	o->checkpoint_bytes = ONE_OF(1, 1000, 10000, 50000, 1u << 30);
	o->bounds.checkpoint_rows = (uint32_t)ONE_OF(0, 1, 3, 20);
	o->bounds.copy_bytes = (uint32_t)ONE_OF(500, 2000, 10000, 20000);
	o->bounds.raft_trailing_bytes = (uint32_t)ONE_OF(0, 1, 1, 10000);
	o->bounds.raft_segments = (uint32_t)ONE_OF(0, 1, 3);
	o->bounds.block_bytes = (uint32_t)ONE_OF(1, 500, 3000, 20000);
	o->bounds.volume_bytes = (uint32_t)ONE_OF(1, 2000, 20000);
	o->bounds.scrub_pause_ms = (uint32_t)ONE_OF(500, 2000, 5000);
	o->mark_entries = (uint32_t)ONE_OF(0, 1, 5, 20, 100);
	if (o->bounds.volume_bytes == 1 && o->bounds.block_bytes < 3000)
		o->bounds.volume_bytes = 50000; /* not thousands of files, whose names are read again and again */
}

static void draw_work(struct sim_work_options *o, uint32_t partitions_count)
{
	o->clients_count = (uint32_t)sim_between(SIM_SWARM, 1, 8);
	o->partitions_count = partitions_count;
	o->accounts_count = (uint32_t)ONE_OF(3, 5, 8, 12, 30);
	o->assets_count = (uint32_t)sim_between(SIM_SWARM, 1, 3);
	o->names_count = (uint32_t)ONE_OF(2, 5, 20);
	o->operations_max = (uint32_t)ONE_OF(200, 400, 800, 1500, 3000);
	o->batch_max = (uint32_t)ONE_OF(1, 1, 4, 20, 100, 300);
	if (o->operations_max > 800 && o->batch_max > 4) /* a run shall not take long */
		o->batch_max = 4;
	o->pause_us_max = ONE_OF(20, 200, 500, 1500) * SIM_MS;
	o->parallel_max = (uint32_t)ONE_OF(1, 2, 8);
	o->zipf = sim_percent(SIM_SWARM, 50);
	o->tight = sim_percent(SIM_SWARM, 60);
}

static void draw_net(struct sim_net_habits *h)
{
	h->latency_us_min = (uint32_t)ONE_OF(20, 50, 200, 1000);
	h->latency_us_max = h->latency_us_min * (uint32_t)ONE_OF(2, 4, 20);
	h->lose_once_in = (uint32_t)ONE_OF(0, 10000, 1000, 200);
	h->split_once_in = (uint32_t)ONE_OF(0, 1000, 50, 5);
	h->buffer_bytes = (uint32_t)ONE_OF(4096, 65536, 262144, 2u << 20);
}

static void draw_disk(struct sim_disk_habits *h)
{
	h->write_us_max = (uint32_t)ONE_OF(20, 100);
	h->sync_us_min = (uint32_t)ONE_OF(50, 100, 1000);
	h->sync_us_max = h->sync_us_min * (uint32_t)ONE_OF(2, 10, 30);
}

/* Faults that no election follows. */
static bool is_calm(unsigned fault)
{
	switch ((enum sim_fault)fault) {
	case SIM_FAULT_FRAMES:
	case SIM_FAULT_SLOW_PATH:
	case SIM_FAULT_CUT_CLIENT:
	case SIM_FAULT_RESET_CLIENT:
	case SIM_FAULT_CLIENT_CRASH:
	case SIM_FAULT_CLOCK_JUMP:
		return true;
	default:
		return false;
	}
}

static void draw_faults(struct sim_swarm *s)
{
	bool any = false;
	s->calm = sim_percent(SIM_SWARM, 15);
	s->fault_pause_us = ONE_OF(500, 1500, 3000, 6000, 15000) * SIM_MS;
	s->fault_lasts_us = ONE_OF(300, 1000, 4000, 15000) * SIM_MS;
	unsigned present = (unsigned)ONE_OF(15, 40, 80);
	for (unsigned i = 0; i < SIM_FAULTS_COUNT; i++) {
		s->weights[i] = sim_percent(SIM_SWARM, present) ? 1 + (unsigned)sim_below(SIM_SWARM, 10) : 0;
		if ((i == SIM_FAULT_DAMAGE_STATE || i == SIM_FAULT_SPOIL) && s->weights[i] > 0)
			s->weights[i] += 5; /* most of them have to wait until all is whole */
		if (i == SIM_FAULT_DISK_FILLS)
			s->weights[i] = 0; /* where loads are such that a node can see it coming: draw_full_disks */
		if (s->calm)
			s->weights[i] = is_calm(i) ? 1 : 0;
		any |= s->weights[i] > 0;
	}
	if (!any || sim_percent(SIM_SWARM, 3))
		s->fault_pause_us = 0;
}

/* Leaders that sleep or are cut off while others take over, and clients that read at once what others were told, also by other nodes: whoever serves from old state is caught. */
static void draw_sleepers(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_PAUSE] = 4;
	s->sleepers = true;
	s->weights[SIM_FAULT_CLOCK_DRIFT] = 1;
	s->weights[SIM_FAULT_CUT_LEADER] = 4;
	s->calm = false;
	s->fault_pause_us = 3 * SIM_SECOND;
	s->node.bounds = (struct ord_bounds){0};
	s->node.nodes_count = 3;
	s->work.partitions_count = s->node.partitions_count = (uint32_t)ONE_OF(1, 2);
	s->work.clients_count = 8;
	s->work.parallel_max = 8;
	s->work.batch_max = 1;
	s->work.operations_max = 3000;
	s->work.pause_us_max = 20 * SIM_MS;
	s->work.reads_back = true;
	s->work.asks_nodes = sim_percent(SIM_SWARM, 50);
	s->work.reads_nodes = sim_percent(SIM_SWARM, 50);
	s->safety_us = 120 * SIM_SECOND;
}

/* Somebody always wants something. */
static void keep_busy(struct sim_swarm *s)
{
	s->work.clients_count = 8;
	s->work.parallel_max = 2;
	s->work.batch_max = (uint32_t)ONE_OF(1, 4);
	s->work.pause_us_max = 200 * SIM_MS;
	s->work.operations_max = 6000;
}

/* Disks that are slower than elections: what is under way to them is replaced before it is there. */
static void draw_slow_disks(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_CUT_LEADER] = 3;
	s->weights[SIM_FAULT_PAUSE] = 2;
	s->weights[SIM_FAULT_POWER] = 2;
	s->weights[SIM_FAULT_SLOW_DISK] = 8;
	s->calm = false;
	s->fault_pause_us = 2 * SIM_SECOND;
	s->fault_lasts_us = 2 * SIM_SECOND;
	s->node.election_timeout_ms = 300;
	s->node.heartbeat_ms = 60;
	keep_busy(s);
	s->safety_us = 120 * SIM_SECOND;
}

/* Leaders whose disks stand still are cut off, and hear of their successors while what they wrote alone is still under way. */
static void draw_overtaken(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_CUT_LEADER] = 1;
	s->overtaken = true;
	s->calm = false;
	s->fault_pause_us = 5 * SIM_SECOND;
	s->fault_lasts_us = 2 * SIM_SECOND;
	s->node.bounds = (struct ord_bounds){0};
	s->node.nodes_count = (uint32_t)ONE_OF(3, 3, 5);
	s->node.election_timeout_ms = 300;
	s->node.heartbeat_ms = 60;
	keep_busy(s);
	s->safety_us = 120 * SIM_SECOND;
}

/* Leaders that hear of their successors late: answers that were given to them before are still on their way when the first reads come that those must not answer. */
static void draw_late_news(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_CUT_LEADER] = 1;
	s->weights[SIM_FAULT_PAUSE] = 1;
	s->late_news = s->sleepers = true;
	s->calm = false;
	s->fault_pause_us = 2 * SIM_SECOND;
	s->fault_lasts_us = 2 * SIM_SECOND;
	s->node.bounds = (struct ord_bounds){0};
	s->node.nodes_count = (uint32_t)ONE_OF(3, 3, 5);
	s->node.election_timeout_ms = 300;
	s->node.heartbeat_ms = 60;
	s->work.partitions_count = s->node.partitions_count = (uint32_t)ONE_OF(1, 2);
	s->net.latency_us_min = 200;
	s->net.latency_us_max = 1000;
	keep_busy(s);
	s->work.parallel_max = 8;
	s->work.batch_max = 1;
	s->work.reads_back = s->work.reads_nodes = true;
	s->safety_us = 60 * SIM_SECOND;
}

/* Nodes pass on what they are asked, and start again and again while the answers wait: an answer to one life must not be given to the next. */
static void draw_callers(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_KILL] = 1;
	s->weights[SIM_FAULT_POWER] = (unsigned)ONE_OF(0, 1);
	s->callers = true;
	s->calm = false;
	s->fault_pause_us = 15 * SIM_SECOND;
	s->fault_lasts_us = 2 * SIM_SECOND;
	s->node.election_timeout_ms = 300;
	s->node.heartbeat_ms = 60;
	s->node.bounds = (struct ord_bounds){0};
	s->node.nodes_count = 3;
	s->work.partitions_count = s->node.partitions_count = (uint32_t)ONE_OF(1, 2, 3);
	keep_busy(s);
	s->work.parallel_max = 8;
	s->work.pause_us_max = 50 * SIM_MS;
	s->work.asks_nodes = true;
	s->work.operations_max = 3000;
	s->net.latency_us_min = 1000;
	s->net.latency_us_max = 20000;
	s->safety_us = 60 * SIM_SECOND;
}

/* Nothing goes wrong but that disks take long. */
static void draw_steady(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_SLOW_DISK] = 1;
	s->steady = s->calm = true;
	s->fault_pause_us = 2 * SIM_SECOND;
	s->fault_lasts_us = 4 * SIM_SECOND;
	s->node.bounds = (struct ord_bounds){0};
	s->node.nodes_count = (uint32_t)ONE_OF(3, 5);
	s->net.latency_us_max = s->net.latency_us_min * 2;
	s->net.lose_once_in = 0;
	keep_busy(s);
	s->safety_us = 60 * SIM_SECOND;
}

/* Large batches and small entries, and no elections: what does not fit has to go into the next one, and nobody sends it again. */
static void draw_full(struct sim_swarm *s)
{
	s->calm = true;
	for (unsigned i = 0; i < SIM_FAULTS_COUNT; i++)
		s->weights[i] = is_calm(i) ? 1 : 0;
	s->node.bounds = (struct ord_bounds){.entry_bytes = 4096, .deliver_bytes = (uint32_t)ONE_OF(400, 2000)};
	s->node.partitions_count = s->work.partitions_count = (uint32_t)ONE_OF(2, 3);
	s->work.operations_max = 6000;
	s->work.batches = true;
	s->work.batch_max = (uint32_t)ONE_OF(100, 300);
	s->work.clients_count = 6;
	s->work.parallel_max = 2;
	s->safety_us = 60 * SIM_SECOND;
}

/* Disks that get full before the eyes of their nodes, which refuse in time and never stop for it. */
static void draw_full_disks(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_DISK_FILLS] = 4;
	s->fills = s->calm = sim_percent(SIM_SWARM, 50);
	if (!s->fills) {
		s->weights[SIM_FAULT_KILL] = 1;
		s->weights[SIM_FAULT_POWER] = 1;
		s->weights[SIM_FAULT_PAUSE] = 1;
		s->weights[SIM_FAULT_CUT_LEADER] = 1;
		s->weights[SIM_FAULT_CUT_ONE] = 1;
	}
	s->fault_pause_us = ONE_OF(4000, 10000) * SIM_MS;
	/* Where nothing else goes wrong: long enough that whoever leads has to give that up. */
	s->fault_lasts_us = (s->fills ? 60000 : ONE_OF(15000, 60000)) * SIM_MS;
	s->node.bounds = (struct ord_bounds){0};
	s->node.nodes_count = (uint32_t)ONE_OF(1, 3, 3, 3, 5);
	s->node.segment_bytes = ONE_OF(4096, 8192, 32768);
	keep_busy(s);
	s->work.asks_nodes = sim_percent(SIM_SWARM, 50);
	s->safety_us = 120 * SIM_SECOND;
}

/* Disks that spoil records and batches which are soon read again: nothing stays in memory, segments are small, and the scrub comes late. */
static void draw_damaged(struct sim_swarm *s)
{
	memset(s->weights, 0, sizeof s->weights);
	s->weights[SIM_FAULT_DAMAGE_STATE] = 3;
	s->weights[SIM_FAULT_DAMAGE] = 3;
	s->weights[SIM_FAULT_POWER] = 1;
	s->calm = false;
	s->fault_pause_us = 2 * SIM_SECOND;
	s->fault_lasts_us = 2 * SIM_SECOND;
	s->node.bounds = (struct ord_bounds){.checkpoint_rows = 20, .scrub_pause_ms = 5000, .block_bytes = 3000};
	s->node.nodes_count = (uint32_t)ONE_OF(3, 5);
	s->node.segment_bytes = 4096;
	s->node.memory_bytes = 1;
	s->node.checkpoint_bytes = ONE_OF(1000, 5000);
	s->work.accounts_count = (uint32_t)ONE_OF(3, 8);
	keep_busy(s);
	s->safety_us = 120 * SIM_SECOND;
}

/* Of a seed that is kept for a bug; 0: it is none. */
static uint32_t kept_shards(uint64_t seed)
{
	static const struct {
		uint64_t seed;
		uint32_t shards_count;
	} kept[] = {
#define X(seed_, shards_, mutant_, text_) {seed_, shards_},
#include "tests/sim/seeds.def"
#undef X
	};
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (kept[i].seed == seed)
			return kept[i].shards_count;
	return 0;
}

/* From a stream of its own, so that what else a seed means does not depend on it. */
static void draw_shards(struct sim_swarm *s, uint64_t seed, uint32_t wanted)
{
	uint32_t count = sim_percent(SIM_SHARDS, 25) ? 2 + (uint32_t)sim_below(SIM_SHARDS, 2) : 1;
	if (wanted == 0)
		wanted = kept_shards(seed);
	if (wanted != 0)
		count = wanted;
	s->node.shards_count = count < s->node.partitions_count ? count : s->node.partitions_count;
	s->node.reserve_bytes *= s->node.shards_count;
	if (s->node.shards_count > 1)
		sim_cover(SIM_COVER_SHARDS);
}

/* From a stream of its own, too. Nobody could tell what a replica that went astray answers before it is found from the truth: it never leads, and such reads are not only the leader's. Seeds that are kept for a bug have none. */
static void draw_stale(struct sim_swarm *s, uint64_t seed)
{
	bool are_there = sim_percent(SIM_STALE, 25);
	unsigned percent = sim_percent(SIM_STALE, 50) ? 50 : 10;
	if (are_there && s->weights[SIM_FAULT_SPOIL] == 0 && kept_shards(seed) == 0)
		s->work.stale_percent = percent;
}

void sim_swarm_draw(struct sim_swarm *s, uint64_t seed, uint32_t shards_count)
{
	*s = (struct sim_swarm){0};
	draw_nodes(&s->node);
	draw_bounds(&s->node.bounds);
	draw_work(&s->work, s->node.partitions_count);
	draw_net(&s->net);
	draw_disk(&s->disk);
	draw_faults(s);
	s->safety_us = ONE_OF(60, 120, 240, 480) * SIM_SECOND;
	if (s->calm && sim_percent(SIM_SWARM, 25))
		draw_full(s);
	uint64_t special = sim_below(SIM_SWARM, 100);
	if (special < 6)
		draw_sleepers(s);
	else if (special < 12)
		draw_slow_disks(s);
	else if (special < 16)
		draw_steady(s);
	else if (special < 20 || (special >= 33 && special < 37))
		draw_overtaken(s);
	else if (special < 23)
		draw_callers(s);
	else if (special < 30)
		draw_full_disks(s);
	else if (special < 33)
		draw_full(s);
	else if (special >= 42 && special < 47)
		draw_late_news(s);
	draw_states(&s->node);
	if (special >= 37 && special < 42)
		draw_damaged(s);
	s->loses_disks = !s->calm && s->fault_pause_us > 0 && s->node.nodes_count >= 3 && sim_percent(SIM_SWARM, 40);
	/* Clocks of clients differ by two minutes: some are told at once that their ids are expired, others while their transfers are under way, or long after. */
	s->node.bounds.request_window_ms = (uint32_t)ONE_OF(150000, 100000, 0, 20000, 0, 0);
	s->node.reserve_bytes = RESERVE_BYTES + 4 * s->node.segment_bytes;
	draw_shards(s, seed, shards_count);
	draw_stale(s, seed);
}

void sim_swarm_show(const struct sim_swarm *s)
{
	char faults[512];
	int len = 0;
	faults[0] = '\0';
	for (unsigned i = 0; s->fault_pause_us > 0 && i < SIM_FAULTS_COUNT && len < (int)sizeof faults - 32; i++)
		if (s->weights[i] > 0)
			len += snprintf(faults + len, sizeof faults - (size_t)len, " %s:%u", sim_fault_name(i),
					s->weights[i]);
	sim_trace_text("%u nodes, %u partitions, %u shards, segments of %llu bytes, %llu bytes a checkpoint, %llu in "
		       "memory, a "
		       "mark every %u entries, "
		       "election %u ms; %u clients, %u operations in batches "
		       "up to %u, %u %% of reads may be stale; latency %u-%u us, sync %u-%u us; %llu s with a fault "
		       "every %llu ms%s, ids expire "
		       "after %u ms:%s",
		       s->node.nodes_count, s->node.partitions_count, s->node.shards_count,
		       (unsigned long long)s->node.segment_bytes, (unsigned long long)s->node.checkpoint_bytes,
		       (unsigned long long)s->node.memory_bytes, s->node.mark_entries, s->node.election_timeout_ms,
		       s->work.clients_count, s->work.operations_max, s->work.batch_max, s->work.stale_percent,
		       s->net.latency_us_min, s->net.latency_us_max, s->disk.sync_us_min, s->disk.sync_us_max,
		       (unsigned long long)(s->safety_us / SIM_SECOND),
		       (unsigned long long)(s->fault_pause_us / SIM_MS), s->loses_disks ? ", disks get lost" : "",
		       s->node.bounds.request_window_ms, faults);
}
