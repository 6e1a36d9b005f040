/* SPDX-License-Identifier: Apache-2.0 - a shard: the engine on a libuv loop, with its disk, its peers and its clock.
 *
 * A turn of the loop: whatever came (frames, calls, a finished sync, a tick) has been given to the engine; then shard_turn lets it apply, propose and
 * answer, and sends what came of it, one frame to each peer.
 *
 * Stopping: engine -> gauge -> peers -> disk -> states -> history -> handles -> engine and data directory closed -> stopped.
 */
#include "node/shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/histogram.h"
#include "node/bounds.h"
#include "node/clock.h"
#include "node/config.h"
#include "node/datadir.h"
#include "node/disk.h"
#include "node/engine.h"
#include "node/faults.h"
#include "node/gauge.h"
#include "node/history.h"
#include "node/keep.h"
#include "node/lmdb.h"
#include "node/log.h"
#include "node/peers.h"
#include "node/shard_state.h"

#define TICK_MS 10

static void shard_clock(struct ord_shard *s)
{
	ord_engine_clock(s->engine, ord_clock_monotonic_ms(), ord_clock_wall_us(&s->clock));
}

static void idle_cb(uv_idle_t *idle)
{
	(void)idle; /* being active keeps the loop from waiting; the work is done in the check callback */
}

/* What checkpoints add to a turn. */
static bool engine_keep(struct ord_shard *s)
{
	uint64_t worked_us = ord_clock_worked_us();
	bool more = ord_engine_keep(s->engine);
	ord_histogram_add(&s->keeps_us, ord_clock_worked_us() - worked_us);
	return more;
}

static void shard_turn(struct ord_shard *s)
{
	if (s->stopping || s->fatal_told || s->is_held)
		return;
	shard_clock(s);
	uint64_t begin_us = ord_clock_monotonic_us(), worked_us = ord_clock_worked_us();
	bool more = ord_engine_turn(s->engine);
	more = engine_keep(s) || more;
	if (s->fatal_told)
		return;
	ord_peers_flush(s->peers);
	if (s->siblings.send != NULL)
		s->siblings.send(s->siblings.ctx);
	ord_histogram_add(&s->turns_us, ord_clock_monotonic_us() - begin_us);
	ord_histogram_add(&s->works_us, ord_clock_worked_us() - worked_us);
	if (more)
		uv_idle_start(&s->idle, idle_cb);
	else
		uv_idle_stop(&s->idle);
}

static void check_cb(uv_check_t *check)
{
	shard_turn(check->data);
}

static void tick_cb(uv_timer_t *timer)
{
	struct ord_shard *s = timer->data;
	if (s->stopping || s->fatal_told || s->is_held)
		return;
	shard_clock(s);
	ord_history_tick(s->history, ord_engine_now_ms(s->engine), ord_clock_wall_us(&s->clock));
	ord_engine_tick(s->engine);
	shard_turn(s);
}

/* --- Events of engine, disk and peers. --- */

static void engine_send(void *ctx, uint32_t node, enum ord_part_kind kind, struct ord_slice body)
{
	struct ord_shard *s = ctx;
	if (s->peers != NULL && !s->stopping)
		ord_peers_send(s->peers, node, (uint8_t)kind, body);
}

static bool engine_hand(void *ctx, uint32_t shard, enum ord_part_kind kind, struct ord_slice body)
{
	struct ord_shard *s = ctx;
	return s->siblings.hand != NULL && s->siblings.hand(s->siblings.ctx, shard, (uint8_t)kind, body);
}

static void engine_fatal(void *ctx, int err, const char *why)
{
	struct ord_shard *s = ctx;
	if (s->fatal_told)
		return;
	s->fatal_told = true;
	s->fatal(s->fatal_ctx, err, why);
}

/* Before the first record of the log is built on, it is noted that the log has begun. On the disk's thread. */
static int disk_stored(void *ctx)
{
	struct ord_shard *s = ctx;
	return ord_datadir_log_begun_write(s->datadir);
}

static void disk_synced(void *ctx, int status)
{
	struct ord_shard *s = ctx;
	bool is_given_up = s->stopping && status == ORD_ERR_NO_SPACE;
	if (s->fatal_told || is_given_up)
		return;
	if (status != ORD_OK) {
		char why[sizeof s->config->data_dir + 512];
		snprintf(why, sizeof why,
			 "data_dir %s: %s; after a failed write or sync what is on disk is unknown, so the node stops: "
			 "mend the disk, "
			 "then start it again",
			 s->config->data_dir, ord_disk_error_text(s->disk));
		engine_fatal(s, status, why);
		return;
	}
	ord_datadir_log_begun_keep(s->datadir);
	ord_engine_synced(s->engine, status);
}

static void disk_starves(void *ctx, const char *what)
{
	struct ord_shard *s = ctx;
	if (s->fatal_told || s->stopping)
		return;
	ord_log(ORD_LOG_ERROR,
		"data_dir %s: %s; the log stands still, and with it all that this node has to acknowledge, "
		"until there is room again; make room, but remove nothing in data_dir",
		s->config->data_dir, what);
}

/* It costs no promise, but time. */
static void disk_cached(void *ctx)
{
	const struct ord_shard *s = ctx;
	ord_log(ORD_LOG_WARN,
		"data_dir %s: its file system refuses direct writes (O_DIRECT): the write-ahead log goes through the "
		"page cache, which is slower; ext4 and xfs have them",
		s->config->data_dir);
}

static void disk_removed(void *ctx, int status)
{
	struct ord_shard *s = ctx;
	if (s->fatal_told)
		return;
	if (status == ORD_OK) {
		ord_engine_removed(s->engine, status);
		return;
	}
	char why[sizeof s->config->data_dir + 512];
	snprintf(
		why, sizeof why,
		"data_dir %s: %s; the write-ahead log would grow until the disk is full: mend the disk, then start the "
		"node again",
		s->config->data_dir, ord_disk_error_text(s->disk));
	engine_fatal(s, status, why);
}

static void state_written(void *ctx, uint32_t partition, int status)
{
	struct ord_shard *s = ctx;
	(void)partition;
	if (s->fatal_told)
		return;
	bool is_mendable = status == ORD_ERR_CORRUPT && s->config->nodes_count > 1;
	if (status != ORD_OK && status != ORD_ERR_NO_SPACE && !is_mendable) {
		char why[sizeof s->config->data_dir + 1024];
		snprintf(why, sizeof why,
			 "%s; what is on disk is unknown, so the node stops: mend the disk, then start it again",
			 ord_lmdb_error_text(s->lmdb));
		engine_fatal(s, status, why);
		return;
	}
	if (is_mendable)
		ord_log(ORD_LOG_ERROR, "%s", ord_lmdb_error_text(s->lmdb));
	uint64_t worked_us = ord_clock_worked_us();
	ord_engine_saved(s->engine, status);
	ord_histogram_add(&s->keeps_us, ord_clock_worked_us() - worked_us);
}

static void state_copied(void *ctx, unsigned copy, int status, const struct ord_changes *pairs, bool is_last)
{
	struct ord_shard *s = ctx;
	if (!s->fatal_told)
		ord_engine_copy_read(s->engine, copy, status, pairs, is_last);
}

static void state_filled(void *ctx, int status)
{
	struct ord_shard *s = ctx;
	if (s->fatal_told)
		return;
	if (status != ORD_OK)
		ord_log(ORD_LOG_WARN, "%s; it is asked for once more", ord_lmdb_error_text(s->lmdb));
	ord_engine_copy_filled(s->engine, status);
}

static void state_scrubbed(void *ctx, uint32_t partition, int status, const struct ord_pairs_checked *piece)
{
	struct ord_shard *s = ctx;
	if (s->fatal_told)
		return;
	if (status != ORD_OK)
		ord_log(ORD_LOG_ERROR, "%s", ord_lmdb_error_text(s->lmdb));
	ord_engine_scrubbed(s->engine, partition, status, piece);
}

static void history_written(void *ctx, uint32_t partition, uint64_t last_index, int status)
{
	struct ord_shard *s = ctx;
	if (s->fatal_told)
		return;
	if (status != ORD_OK) {
		char why[sizeof s->config->data_dir + 512];
		snprintf(why, sizeof why,
			 "data_dir %s: %s; what is on disk is unknown, so the node stops: mend the disk, then start it "
			 "again",
			 s->config->data_dir, ord_history_error_text(s->history));
		engine_fatal(s, status, why);
		return;
	}
	ord_engine_archived(s->engine, partition, last_index);
}

static void history_filled(void *ctx, uint32_t partition, uint64_t number, int status)
{
	struct ord_shard *s = ctx;
	bool is_own = status == ORD_OK || status == ORD_ERR_CORRUPT || status == ORD_ERR_INVALID ||
		      status == ORD_ERR_NO_SPACE;
	if (s->fatal_told || s->stopping)
		return;
	if (is_own)
		ord_engine_filled(s->engine, partition, number, status);
	else
		history_written(s, partition, 0, status);
}

static void history_answered(void *ctx, const struct ord_archive_answer *a)
{
	struct ord_shard *s = ctx;
	if (!s->fatal_told && !s->stopping)
		ord_engine_answered(s->engine, a);
}

static void history_checked(void *ctx, uint32_t partition, const struct ord_block_id *id)
{
	struct ord_shard *s = ctx;
	if (!s->fatal_told && !s->stopping)
		ord_engine_checked(s->engine, partition, id);
}

static void history_notice(void *ctx, const char *text)
{
	(void)ctx;
	ord_log(ORD_LOG_WARN, "%s", text);
}

static void engine_notice(void *ctx, enum ord_log_level level, const char *text)
{
	(void)ctx;
	ord_log(level, "%s", text);
}

static int peers_receive(void *ctx, uint32_t node, uint8_t kind, struct ord_slice body)
{
	struct ord_shard *s = ctx;
	if (s->stopping || s->fatal_told)
		return ORD_OK;
	return ord_engine_receive(s->engine, node, kind, body);
}

static void peers_ended(void *ctx, uint32_t node)
{
	struct ord_shard *s = ctx;
	if (!s->stopping && !s->fatal_told)
		ord_engine_peer_ended(s->engine, node);
}

static void peers_member(void *ctx, uint32_t node, uint64_t member)
{
	struct ord_shard *s = ctx;
	if (!s->stopping && !s->fatal_told)
		ord_engine_peer_member(s->engine, node, member);
}

static void peers_decided(void *ctx, uint64_t member)
{
	struct ord_shard *s = ctx;
	if (!s->stopping && !s->fatal_told)
		ord_engine_begin(s->engine, member);
}

static void peers_connected(void *ctx, uint32_t node, bool connected)
{
	struct ord_shard *s = ctx;
	if (!s->stopping && !s->fatal_told)
		ord_engine_peer(s->engine, node, connected);
}

static void peers_relayed(void *ctx, uint32_t node, bool relayed)
{
	struct ord_shard *s = ctx;
	if (!s->stopping && !s->fatal_told)
		ord_engine_peer_relayed(s->engine, node, relayed);
}

/* --- Room on the disk. --- */

static uint32_t shards_count(const struct ord_shard *s)
{
	return s->config->shards_count > 0 ? s->config->shards_count : 1;
}

static uint64_t room_waiting_bytes(void *ctx)
{
	const struct ord_shard *s = ctx;
	struct ord_host_status host;
	struct ord_keep_status keep;
	if (s->engine == NULL || s->stopping || s->fatal_told)
		return 0;
	ord_engine_host_status(s->engine, &host);
	ord_engine_keep_status(s->engine, &keep);
	/* The other shards write to the same disk: as much as this one, for all that it knows. */
	return shards_count(s) * (host.wal_waiting_bytes + ord_history_waiting_bytes(s->history) + keep.changed_bytes);
}

static void room_log(const struct ord_shard *s, const struct ord_room *r)
{
	unsigned long long left_mib = r->sample.free_bytes >> 20, reserve_mib = r->reserve_bytes >> 20;
	unsigned long long waiting_mib = r->sample.waiting_bytes >> 20;
	const char *dir = s->config->data_dir;
	if (r->state == ORD_ROOM_OK)
		ord_log(ORD_LOG_INFO, "data_dir %s: there is room again, %llu MiB are free: clients are served", dir,
			left_mib);
	else if (r->state == ORD_ROOM_LOW)
		ord_log(ORD_LOG_WARN,
			"data_dir %s: the disk is nearly full, %llu MiB are free, %llu MiB wait to be written, and "
			"reserve_bytes is %llu MiB (files free: %llu): clients are refused (disk_full) and leaderships "
			"handed over until there is room "
			"again; make room, but remove nothing in data_dir",
			dir, left_mib, waiting_mib, reserve_mib, (unsigned long long)r->sample.free_files);
	else
		ord_log(ORD_LOG_ERROR,
			"data_dir %s: the disk is full but for %llu MiB, and %llu MiB wait to be written (files free: "
			"%llu): this node takes no more "
			"entries until there is room again; make room, but remove nothing in data_dir",
			dir, left_mib, waiting_mib, (unsigned long long)r->sample.free_files);
}

static void room_sampled(void *ctx, enum ord_room_state before)
{
	struct ord_shard *s = ctx;
	if (s->stopping || s->fatal_told)
		return;
	const struct ord_room *room = ord_gauge_room(s->gauge);
	if (room->state != before) {
		room_log(s, room);
		ord_disk_prepare(s->disk, room->state == ORD_ROOM_OK);
	}
	uint64_t bytes = ord_room_entries_bytes(room);
	ord_engine_room(s->engine, room->state, bytes == UINT64_MAX ? bytes : bytes / shards_count(s));
}

/* --- Calls. --- */

void ord_shard_submit(struct ord_shard *s, const struct ord_command *c, enum ord_wait wait, uint64_t deadline_ms,
		      struct ord_waiter *w, uint32_t item)
{
	ord_engine_submit(s->engine, c, wait, deadline_ms, w, item);
}

void ord_shard_read(struct ord_shard *s, uint32_t partition, struct ord_slice query, uint64_t deadline_ms,
		    struct ord_waiter *w, uint32_t item)
{
	ord_engine_read(s->engine, partition, query, deadline_ms, w, item);
}

void ord_shard_join(struct ord_shard *s, const struct ord_shard_siblings *siblings)
{
	ORD_ASSERT(s->siblings.hand == NULL);
	s->siblings = *siblings;
	s->is_held = false;
}

void ord_shard_take(struct ord_shard *s, uint32_t from, uint8_t kind, struct ord_slice body)
{
	if (!s->stopping && !s->fatal_told)
		ord_engine_take(s->engine, from, kind, body);
}

uint64_t ord_shard_now_ms(const struct ord_shard *s)
{
	return ord_engine_now_ms(s->engine);
}

uint32_t ord_shard_partitions_count(const struct ord_shard *s)
{
	return ord_engine_partitions_count(s->engine);
}

/* --- Stopping. --- */

static void shard_free(struct ord_shard *s)
{
	ord_engine_close(s->engine);
	ord_datadir_close(s->datadir);
	ord_faults_disk_close(s->faults);
	void (*stopped)(void *ctx) = s->stopped;
	void *ctx = s->stopped_ctx;
	free(s);
	stopped(ctx);
}

static void handle_closed_cb(uv_handle_t *handle)
{
	struct ord_shard *s = handle->data;
	if (--s->handles_count == 0)
		shard_free(s);
}

static void handles_close(void *ctx)
{
	struct ord_shard *s = ctx;
	s->history = NULL;
	uv_close((uv_handle_t *)&s->tick, handle_closed_cb);
	uv_close((uv_handle_t *)&s->check, handle_closed_cb);
	uv_close((uv_handle_t *)&s->idle, handle_closed_cb);
}

static void history_stop(void *ctx)
{
	struct ord_shard *s = ctx;
	s->lmdb = NULL;
	if (s->history != NULL)
		ord_history_stop(s->history, handles_close, s);
	else
		handles_close(s);
}

static void lmdb_stop(void *ctx)
{
	struct ord_shard *s = ctx;
	s->disk = NULL;
	if (s->lmdb != NULL)
		ord_lmdb_stop(s->lmdb, history_stop, s);
	else
		history_stop(s);
}

static void disk_stop(void *ctx)
{
	struct ord_shard *s = ctx;
	s->peers = NULL;
	if (s->disk != NULL)
		ord_disk_stop(s->disk, lmdb_stop, s);
	else
		lmdb_stop(s);
}

static void peers_stop(void *ctx)
{
	struct ord_shard *s = ctx;
	s->gauge = NULL;
	if (s->peers != NULL)
		ord_peers_stop(s->peers, disk_stop, s);
	else
		disk_stop(s);
}

void ord_shard_stop(struct ord_shard *s, void (*stopped)(void *ctx), void *ctx)
{
	ORD_ASSERT(!s->stopping);
	s->stopping = true;
	s->stopped = stopped;
	s->stopped_ctx = ctx;
	if (s->engine != NULL)
		ord_engine_stop(s->engine);
	if (s->faults != NULL)
		ord_faults_disk_set(s->faults,
				    &(struct ord_faults_disk_rule){0}); /* nobody waits for a slow disk any more */
	if (s->gauge != NULL)
		ord_gauge_stop(s->gauge, peers_stop, s);
	else
		peers_stop(s);
}

/* --- Starting. --- */

static int shard_open_history(struct ord_shard *s, char *why, size_t why_size)
{
	struct ord_bounds bounds = s->config->bounds;
	ord_bounds_fill(&bounds);
	struct ord_history_options options = {.loop = s->loop,
					      .directory = ord_datadir_history(s->datadir),
					      .cluster = s->config->cluster,
					      .partitions_count = s->config->partitions_count,
					      .partitions_first = s->config->shard,
					      .partitions_step = s->config->shards_count,
					      .volume_bytes = bounds.volume_bytes,
					      .written = history_written,
					      .filled = history_filled,
					      .notice = history_notice,
					      .answered = history_answered,
					      .checked = history_checked,
					      .scrub_bytes = s->config->scrub_bytes,
					      .keep_bytes = s->config->history_bytes,
					      .keep_us = s->config->history_days * UINT64_C(86400000000),
					      .scrub_pause_ms = bounds.scrub_pause_ms,
					      .ctx = s,
					      .faults = s->faults,
					      .keep_damaged = s->config->nodes_count == 1};
	return ord_history_open(&options, &s->history, why, why_size);
}

static int shard_open_engine(struct ord_shard *s, char *why, size_t why_size)
{
	const struct ord_config *c = s->config;
	const struct ord_self *self = ord_datadir_self(s->datadir);
	uint32_t nodes[ORD_NODES_MAX];
	struct ord_states states = ord_lmdb_states(s->lmdb);
	struct ord_archive archive = ord_history_archive(s->history);
	for (uint32_t i = 0; i < c->nodes_count; i++)
		nodes[i] = c->nodes[i].id;
	struct ord_engine_options options = {
		.cluster = c->cluster,
		.node = c->node,
		.member = ord_self_member(self, c->node),
		.log_begun = self->log_begun,
		.nodes = nodes,
		.nodes_count = c->nodes_count,
		.partitions_count = c->partitions_count,
		.shard = c->shard,
		.shards_count = c->shards_count,
		.election_timeout_ms = c->election_timeout_ms,
		.heartbeat_ms = c->heartbeat_ms,
		.segment_bytes = c->segment_bytes,
		.cache_bytes = c->cache_bytes,
		.bounds = c->bounds,
		.states = &states,
		.memory_bytes = c->memory_bytes,
		.checkpoint_bytes = c->checkpoint_bytes,
		.archive = &archive,
		.scrub_bytes = c->scrub_bytes,
		.repair_bytes = c->repair_bytes,
		.io = ord_disk_io(s->disk),
		.events = {.ctx = s, .send = engine_send, .hand = engine_hand, .fatal = engine_fatal}};
	options.mark_entries = c->mark_entries;
	options.request_window_ms = c->bounds.request_window_ms;
	if (options.request_window_ms == 0)
		options.request_window_ms = (uint64_t)c->request_days * 24 * 3600 * 1000;
	options.events.notice = engine_notice;
	if (getrandom(&options.seed, sizeof options.seed, 0) != (ssize_t)sizeof options.seed) {
		snprintf(why, why_size, "no random numbers to be had from the system");
		return ORD_ERR_IO;
	}
	return ord_engine_open(&options, ord_clock_monotonic_ms(), ord_clock_wall_us(&s->clock), &s->engine, why,
			       why_size);
}

/* What it still writes after it has begun to refuse: the segment that grows and the one behind it, and a checkpoint. */
static int shard_open_gauge(struct ord_shard *s, char *why, size_t why_size)
{
	const struct ord_config *c = s->config;
	struct ord_gauge_options options = {.loop = s->loop,
					    .directory = c->data_dir,
					    .reserve_bytes = c->reserve_bytes,
					    .needs_bytes =
						    shards_count(s) * (2 * c->segment_bytes + c->checkpoint_bytes),
					    .start_bytes = ORD_GAUGE_START_BYTES(c->partitions_count),
					    .faults = s->faults,
					    .waiting_bytes = room_waiting_bytes,
					    .sampled = room_sampled,
					    .ctx = s};
	return ord_gauge_start(&options, &s->gauge, why, why_size);
}

static int shard_open(struct ord_shard *s, char *why, size_t why_size)
{
	int err = ord_datadir_open(s->config, &s->datadir, why, why_size);
	if (err == ORD_OK && s->config->enable_faults)
		err = ord_faults_disk_open(&s->faults);
	if (err == ORD_OK)
		err = shard_open_gauge(s, why, why_size);
	if (err != ORD_OK)
		return err;
	struct ord_disk_events disk_events = {.ctx = s,
					      .synced = disk_synced,
					      .removed = disk_removed,
					      .starves = disk_starves,
					      .cached = disk_cached,
					      .stored = disk_stored,
					      .faults = s->faults};
	err = ord_disk_open(s->loop, ord_datadir_wal(s->datadir), s->config->segment_bytes, &disk_events, &s->disk);
	if (err != ORD_OK) {
		snprintf(why, why_size, "data_dir %s: the write-ahead log's directory cannot be opened",
			 s->config->data_dir);
		return err;
	}
	struct ord_lmdb_events lmdb_events = {.ctx = s,
					      .written = state_written,
					      .copied = state_copied,
					      .scrubbed = state_scrubbed,
					      .filled = state_filled,
					      .faults = s->faults};
	err = ord_lmdb_open(s->loop, ord_datadir_state(s->datadir), s->config->partitions_count, &lmdb_events,
			    &s->lmdb);
	if (err != ORD_OK) {
		snprintf(why, why_size, "data_dir %s: the directory 'state' cannot be made (%s)", s->config->data_dir,
			 ord_err_text(err));
		return err;
	}
	err = shard_open_history(s, why, why_size);
	if (err != ORD_OK)
		return err;
	err = shard_open_engine(s, why, why_size);
	if (err != ORD_OK)
		return err;
	room_sampled(s, ORD_ROOM_OK);
	struct ord_peers_events events = {.ctx = s,
					  .receive = peers_receive,
					  .ended = peers_ended,
					  .member = peers_member,
					  .decided = peers_decided,
					  .connected = peers_connected,
					  .relayed = peers_relayed};
	return ord_peers_start(s->loop, s->config, s->datadir, &events, &s->peers, why, why_size);
}

static void shard_gone(void *ctx)
{
	*(bool *)ctx = true;
}

static int shard_try(uv_loop_t *loop, const struct ord_config *config,
		     void (*fatal)(void *ctx, int err, const char *why), void *ctx, struct ord_shard **ret, char *why,
		     size_t why_size)
{
	struct ord_shard *s = calloc(1, sizeof *s);
	if (s == NULL) {
		snprintf(why, why_size, "not enough memory");
		return ORD_ERR_NOMEM;
	}
	s->loop = loop;
	s->config = config;
	s->is_held = config->shards_count > 1;
	s->fatal = fatal;
	s->fatal_ctx = ctx;
	ORD_ASSERT(uv_timer_init(loop, &s->tick) == 0 && uv_check_init(loop, &s->check) == 0 &&
		   uv_idle_init(loop, &s->idle) == 0);
	s->tick.data = s;
	s->check.data = s;
	s->idle.data = s;
	s->handles_count = 3;
	ord_histogram_init(&s->turns_us);
	ord_histogram_init(&s->works_us);
	ord_histogram_init(&s->keeps_us);
	int err = shard_open(s, why, why_size);
	if (err != ORD_OK) {
		bool gone = false;
		ord_shard_stop(s, shard_gone, &gone);
		while (!gone)
			uv_run(loop, UV_RUN_ONCE);
		return err;
	}
	uv_timer_start(&s->tick, tick_cb, TICK_MS, TICK_MS);
	uv_check_start(&s->check, check_cb);
	*ret = s;
	return ORD_OK;
}

/* The log of a node that has others can be done without: what it lacks then, they have, and it takes part as a new member, since nobody knows what the old one promised. */
static int log_renew(const struct ord_config *config, char *why, size_t why_size)
{
	ord_log(ORD_LOG_ERROR,
		"%s; the log in %s/wal is set aside, and this node joins its partitions again as a new member, with "
		"what its "
		"states and histories hold: see to this disk",
		why, config->data_dir);
	return ord_datadir_renew(config, why, why_size);
}

int ord_shard_start(uv_loop_t *loop, const struct ord_config *config,
		    void (*fatal)(void *ctx, int err, const char *why), void *ctx, struct ord_shard **ret, char *why,
		    size_t why_size)
{
	int err = shard_try(loop, config, fatal, ctx, ret, why, why_size);
	if (err != ORD_ERR_LOG_LOST)
		return err;
	if (config->nodes_count == 1) {
		size_t len = strlen(why);
		snprintf(why + len, why_size - len,
			 "; a cluster of one node has no other one to get it from: restore the data directory whole");
		return err;
	}
	err = log_renew(config, why, why_size);
	return err == ORD_OK ? shard_try(loop, config, fatal, ctx, ret, why, why_size) : err;
}
