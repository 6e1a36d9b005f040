/* SPDX-License-Identifier: Apache-2.0 - ordaind as a simulated program: the shard and the listener on a loop, as node/main.c puts them there. */
#include "tests/sim/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/config.h"
#include "node/gauge.h"
#include "node/log.h"
#include "node/node.h"
#include "node/shard.h"
#include "tests/sim/coverage.h"
#include "tests/sim/disk.h"
#include "tests/sim/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/promise.h"
#include "tests/sim/record.h"
#include "tests/sim/states.h"
#include "tests/sim/world.h"

/* Wall clocks begin on some day. */
#define WALL_EPOCH_US 1700000000000000
#define SKEW_US_MAX 400000

struct node {
	struct sim_process process; /* first */
	struct ord_config config;
	uv_loop_t loop;
	struct ord_node *node;
	bool started;	 /* what comes now is the loop's */
	bool stopping;	 /* in order, or as a ghost */
	bool power_lost; /* what was not on the platter is to go */
	bool powered;
	bool damaged;
	bool harmed;		    /* in this life */
	uint64_t failures_at_start; /* of its disk */
	uint64_t down_since_us;
};

static struct node nodes[SIM_NODES_MAX];
static struct sim_node_options options;
static void (*on_down)(uint32_t node);

static struct node *node_at(uint32_t node)
{
	SIM_ASSERT(node >= 1 && node <= options.nodes_count);
	return &nodes[node - 1];
}

struct sim_process *sim_node_process(uint32_t node)
{
	return &node_at(node)->process;
}

struct ord_uuid sim_node_cluster(void)
{
	struct ord_uuid cluster;
	memset(cluster.bytes, 7, sizeof cluster.bytes);
	return cluster;
}

uint32_t sim_nodes_count(void)
{
	return options.nodes_count;
}

void sim_nodes_on_down(void (*fn)(uint32_t node))
{
	on_down = fn;
}

bool sim_node_is_up(uint32_t node)
{
	return node_at(node)->process.state == SIM_UP;
}

bool sim_node_is_damaged(uint32_t node)
{
	return node_at(node)->damaged;
}

uint64_t sim_node_down_us(uint32_t node)
{
	const struct node *n = node_at(node);
	return n->process.state == SIM_DOWN ? sim_now_us() - n->down_since_us : 0;
}

uint32_t sim_shards_count(void)
{
	return options.shards_count;
}

const struct ord_shard *sim_node_shard(uint32_t node, uint32_t shard)
{
	const struct node *n = node_at(node);
	return n->process.state == SIM_UP && n->node != NULL && !n->stopping ? ord_node_shard(n->node, shard) : NULL;
}

const struct ord_engine *sim_node_engine(uint32_t node, uint32_t partition)
{
	const struct ord_shard *shard = sim_node_shard(node, partition % options.shards_count);
	return shard != NULL ? ord_shard_engine(shard) : NULL;
}

const char *sim_node_wal_files(uint32_t shard)
{
	static const char *const names[SIM_SHARDS_MAX] = {"/data/shard-0/wal/", "/data/shard-1/wal/",
							  "/data/shard-2/wal/"};
	SIM_ASSERT(shard < options.shards_count && shard < SIM_SHARDS_MAX);
	return options.shards_count == 1 ? "/data/wal/" : names[shard];
}

const char *sim_node_history_files(uint32_t shard)
{
	static const char *const names[SIM_SHARDS_MAX] = {"/data/shard-0/history/", "/data/shard-1/history/",
							  "/data/shard-2/history/"};
	SIM_ASSERT(shard < options.shards_count && shard < SIM_SHARDS_MAX);
	return options.shards_count == 1 ? "/data/history/" : names[shard];
}

bool sim_node_log_is_damaged(uint32_t node)
{
	bool is_damaged = false;
	for (uint32_t i = 0; i < options.shards_count; i++)
		is_damaged = is_damaged || sim_disk_is_damaged(node_at(node)->process.disk, sim_node_wal_files(i));
	return is_damaged;
}

/* --- Its end. --- */

static void node_stopped_cb(void *ctx)
{
	struct node *n = ctx;
	n->node = NULL;
}

static void node_begin_stop(void *ctx)
{
	struct node *n = ctx;
	if (n->stopping)
		return;
	n->stopping = true;
	if (n->node != NULL)
		ord_node_stop(n->node, node_stopped_cb, n);
}

/* Whatever way it ended: the kernel takes back what it had. */
static void node_gone(struct node *n)
{
	sim_process_bury(&n->process, node_begin_stop, n);
	n->process.die_at_io = 0;
	SIM_ASSERT(n->node == NULL);
	sim_disk_release(n->process.disk);
	if (n->power_lost)
		sim_disk_power_loss(n->process.disk);
	n->power_lost = false;
	n->down_since_us = sim_now_us();
	if (on_down != NULL)
		on_down(n->process.number);
}

static void node_power_off(struct node *n)
{
	sim_net_power(n->process.address, false);
	n->powered = false;
}

static void node_died(struct sim_process *p)
{
	struct node *n = (struct node *)p;
	sim_cover(n->power_lost ? SIM_COVER_POWER_LOST : SIM_COVER_KILLED);
	if (p->died_at_io)
		sim_cover(SIM_COVER_KILLED_IN_TURN);
	if (n->power_lost)
		node_power_off(n);
	node_gone(n);
}

/* In order: its loop has nothing left to do. */
static void node_ended_event(void *ctx, uint64_t boot)
{
	struct node *n = ctx;
	if (n->process.boots_count != boot || n->process.state != SIM_UP)
		return;
	if (n->node != NULL) {
		sim_at(sim_now_us() + SIM_MS, node_ended_event, n, boot);
		return;
	}
	sim_trace("node %llu has stopped", n->process.number, 0, 0, 0);
	node_gone(n);
}

/* Only the disk's own failures are an excuse. */
static bool node_is_excused(const struct node *n, int err)
{
	/* It fills up little by little: the node had time to refuse. */
	if (err == ORD_ERR_NO_SPACE && sim_disk_habits(n->process.disk)->fills)
		return false;
	bool is_disk = err == ORD_ERR_IO || err == ORD_ERR_NO_SPACE;
	return is_disk && sim_disk_failures(n->process.disk) > n->failures_at_start;
}

static void node_fatal_cb(void *ctx, int err, const char *why)
{
	struct node *n = ctx;
	if (n->process.state != SIM_UP)
		return; /* the dead may find whatever they like */
	sim_trace_text("the node has to stop: %s (%s)", why, ord_err_text(err));
	bool is_damage = err == ORD_ERR_CORRUPT && n->harmed;
	if (is_damage)
		sim_cover(SIM_COVER_FATAL_CORRUPT);
	else if (!node_is_excused(n, err) || (err == ORD_ERR_NO_SPACE && strstr(why, "history") != NULL))
		sim_fail(SIM_SAFETY, "node %u stops itself: %s (%s)", n->process.number, why, ord_err_text(err));
	sim_cover(SIM_COVER_FATAL_DISK);
	sim_process_die(&n->process);
}

/* --- Its beginning. --- */

static void node_configure(struct node *n)
{
	struct ord_config *c = &n->config;
	char why[ORD_CONFIG_WHY_SIZE];
	ord_config_init(c);
	c->cluster = sim_node_cluster();
	c->node = n->process.number;
	c->nodes_count = options.nodes_count;
	for (uint32_t i = 0; i < options.nodes_count; i++) {
		struct ord_config_node *node = &c->nodes[i];
		node->id = i + 1;
		/* Some names need a resolver, others do not. */
		snprintf(node->peer.host, sizeof node->peer.host, i % 2 == 0 ? "10.0.0.%u" : "node%u", i + 1);
		memcpy(node->client.host, node->peer.host, sizeof node->client.host);
		node->peer.port = SIM_PEER_PORT;
		node->client.port = SIM_CLIENT_PORT;
	}
	c->partitions_count = options.partitions_count;
	c->shards_count = options.shards_count;
	snprintf(c->data_dir, sizeof c->data_dir, "/data");
	c->election_timeout_ms = options.election_timeout_ms;
	c->heartbeat_ms = options.heartbeat_ms;
	c->segment_bytes = options.segment_bytes;
	c->cache_bytes = options.cache_bytes;
	c->memory_bytes = options.memory_bytes;
	c->reserve_bytes = options.reserve_bytes;
	c->checkpoint_bytes = options.checkpoint_bytes;
	c->mark_entries = options.mark_entries;
	c->request_days = 0; /* a run does not last days: see bounds.request_window_ms */
	c->bounds = options.bounds;
	int err = ord_config_check(c, why);
	if (err != ORD_OK)
		sim_fail(SIM_SAFETY, "the configuration of node %u: %s", n->process.number, why);
}

static void node_power_on(struct node *n)
{
	int64_t skew_us = (int64_t)sim_below(SIM_NEMESIS, SKEW_US_MAX) - SKEW_US_MAX / 2;
	if (n->powered)
		return;
	n->powered = true;
	sim_net_power(n->process.address, true);
	sim_clock_start(&n->process, WALL_EPOCH_US + skew_us, n->process.drift_ppm);
}

static int node_open(struct node *n, char *why, size_t why_size)
{
	struct ord_node_options o = {.loop = &n->loop, .config = &n->config, .fatal = node_fatal_cb, .ctx = n};
	int err = ord_node_start(&o, &n->node, why, why_size);
	if (err != ORD_OK)
		n->node = NULL;
	return err;
}

/* So little is left that it need not try. */
static bool is_full(const struct node *n, int err)
{
	return err == ORD_ERR_NO_SPACE &&
	       sim_disk_free_bytes(n->process.disk) < ORD_GAUGE_START_BYTES(options.partitions_count);
}

/* What a start may be refused for: only what the disk did. */
static void node_refused(struct node *n, int err, const char *why)
{
	sim_trace_text("cannot start: %s (%s)", why, ord_err_text(err));
	n->damaged = err == ORD_ERR_CORRUPT || err == ORD_ERR_LOG_LOST;
	if (n->damaged && sim_node_log_is_damaged(n->process.number))
		sim_cover(SIM_COVER_START_REFUSED_CORRUPT);
	else if (node_is_excused(n, err) || is_full(n, err))
		sim_cover(SIM_COVER_START_REFUSED_IO);
	else
		sim_fail(SIM_SAFETY, "node %u refuses to start from a sound disk: %s (%s)", n->process.number, why,
			 ord_err_text(err));
}

bool sim_node_start(uint32_t node)
{
	struct node *n = node_at(node);
	struct sim_process *p = &n->process;
	char why[1024] = "";
	if (p->state != SIM_DOWN)
		return true;
	node_power_on(n);
	if (p->boots_count > 0)
		sim_cover(SIM_COVER_RESTARTED);
	p->state = SIM_UP;
	p->boots_count++;
	p->ios_count = 0;
	n->started = false;
	n->stopping = false;
	n->damaged = false;
	n->harmed = false;
	n->failures_at_start = sim_disk_failures(p->disk);
	sim_record_boot(node);
	struct sim_process *before = sim_enter(p);
	sim_trace("node %llu starts, boot %llu", node, p->boots_count, 0, 0);
	int err = uv_loop_init(&n->loop);
	SIM_ASSERT(err == 0);
	err = node_open(n, why, sizeof why);
	sim_enter(before);
	if (p->state != SIM_UP) {
		sim_cover(SIM_COVER_KILLED_IN_START);
		return false; /* its burial is on the way */
	}
	n->started = err == ORD_OK;
	if (err == ORD_OK) {
		for (uint32_t i = 0; i < options.partitions_count; i++) {
			struct ord_shard *shard = ord_node_shard(n->node, i % options.shards_count);
			struct ord_member_self self;
			ord_shard_member_status(shard, &self);
			sim_promise_boot(node, self.member, i, ord_shard_engine(shard));
		}
		return true;
	}
	node_refused(n, err, why);
	node_gone(n);
	return false;
}

/* --- What happens to it. --- */

void sim_node_plan_death(uint32_t node, uint64_t at_io, bool power)
{
	struct node *n = node_at(node);
	SIM_ASSERT(n->process.state == SIM_DOWN);
	n->process.die_at_io = at_io;
	n->power_lost = power;
}

void sim_node_syncs(void)
{
	const struct sim_process *p = sim_current();
	if (p == NULL || !p->is_node || p->state != SIM_UP || sim_thread_is_running())
		return;
	const struct node *n = node_at(p->number);
	if (n->started && !n->stopping)
		sim_fail(SIM_SAFETY, "node %u waits for its disk, and with it all that its loop has to do", p->number);
}

void sim_node_harm(uint32_t node)
{
	node_at(node)->harmed = true;
}

void sim_node_wipe(uint32_t node)
{
	struct sim_process *p = &node_at(node)->process;
	SIM_ASSERT(p->state == SIM_DOWN);
	struct sim_disk_habits habits = *sim_disk_habits(p->disk);
	sim_disk_close(p->disk);
	p->disk = sim_disk_open();
	*sim_disk_habits(p->disk) = habits;
	sim_states_lose(node);
}

void sim_node_spare(uint32_t node)
{
	node_at(node)->process.die_at_io = 0;
	node_at(node)->power_lost = false;
}

void sim_node_kill(uint32_t node, uint64_t after_ios)
{
	struct sim_process *p = &node_at(node)->process;
	if (p->state != SIM_UP)
		return;
	if (after_ios == 0) {
		sim_process_die(p);
		return;
	}
	p->die_at_io = p->ios_count + after_ios;
}

void sim_node_power_loss(uint32_t node, uint64_t after_ios)
{
	struct node *n = node_at(node);
	struct sim_process *p = &n->process;
	if (p->state == SIM_DOWN) {
		sim_cover(SIM_COVER_POWER_LOST);
		node_power_off(n);
		sim_disk_power_loss(p->disk);
		return;
	}
	n->power_lost = true;
	if (p->state == SIM_UP && after_ios > 0) {
		p->die_at_io = p->ios_count + after_ios;
		return;
	}
	node_power_off(n);
	if (p->state == SIM_UP)
		sim_process_die(p);
}

void sim_node_stop(uint32_t node)
{
	struct node *n = node_at(node);
	if (n->process.state != SIM_UP || n->stopping || n->node == NULL)
		return;
	sim_cover(SIM_COVER_STOPPED);
	struct sim_process *before = sim_enter(&n->process);
	sim_trace("node %llu is asked to stop", node, 0, 0, 0);
	node_begin_stop(n);
	sim_enter(before);
	sim_at(sim_now_us() + SIM_MS, node_ended_event, n, n->process.boots_count);
}

void sim_nodes_open(const struct sim_node_options *o)
{
	options = *o;
	SIM_ASSERT(options.shards_count >= 1 && options.shards_count <= SIM_SHARDS_MAX);
	memset(nodes, 0, sizeof nodes);
	for (uint32_t i = 0; i < options.nodes_count; i++) {
		struct node *n = &nodes[i];
		struct sim_process *p = &n->process;
		snprintf(p->name, sizeof p->name, "node %u", i + 1);
		p->number = i + 1;
		p->address = i + 1;
		p->is_node = true;
		p->disk = sim_disk_open();
		p->died = node_died;
		node_configure(n);
	}
}

void sim_nodes_close(void)
{
	for (uint32_t i = 0; i < options.nodes_count; i++) {
		struct node *n = &nodes[i];
		if (n->process.state != SIM_DOWN)
			node_gone(n);
		sim_disk_close(n->process.disk);
	}
}
