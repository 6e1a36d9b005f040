/* SPDX-License-Identifier: Apache-2.0 - the engine: routes what comes in, and ends each turn of the loop. */
#include "node/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/engine_state.h"
#include "node/query.h"
#include "partition/route.h"

/* Deadlines are looked at, lost deliveries sent again and parked calls tried again this often. */
#define ENGINE_SWEEP_MS 100
/* Old history is looked at this often. */
#define ENGINE_RETAIN_MS 10000
/* Nodes that are reached through a third one are told so often who leads here. */
#define ENGINE_READY_MS 1000
/* What a client is told to wait after ORD_ERR_BUSY. */
#define ENGINE_BUSY_MS 100

uint32_t ord_engine_place(const struct ord_engine *e, uint32_t node)
{
	uint32_t place = 0;
	while (place < e->nodes_count && e->nodes[place] != node)
		place++;
	return place;
}

void ord_engine_send(struct ord_engine *e, uint32_t to, enum ord_part_kind kind)
{
	ORD_ASSERT(!e->scratch.failed);
	if (to >= ORD_ENGINE_SHARDS)
		ord_engine_hand(e, to - ORD_ENGINE_SHARDS, kind);
	else
		e->events.send(e->events.ctx, to, kind, ord_bytes_slice(&e->scratch));
}

void ord_engine_fatal(struct ord_engine *e, int err, const char *why)
{
	e->stopped = true;
	e->events.fatal(e->events.ctx, err, why);
}

void ord_engine_notice(struct ord_engine *e, enum ord_log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;
	if (e->events.notice == NULL)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	e->events.notice(e->events.ctx, level, text);
}

/* --- Events of the host. --- */

static void host_send(void *ctx, uint32_t node, struct ord_slice message)
{
	struct ord_engine *e = ctx;
	e->events.send(e->events.ctx, node, ORD_PART_RAFT, message);
}

static void host_confirm(void *ctx, uint32_t node, struct ord_slice message)
{
	struct ord_engine *e = ctx;
	e->events.send(e->events.ctx, node, ORD_PART_CONFIRM, message);
}

static void host_apply(void *ctx, uint32_t group, uint64_t index, uint64_t term, struct ord_slice entry)
{
	struct ord_engine *e = ctx;
	if (!e->stopped)
		ord_replica_apply(&e->replicas[group], index, term, entry);
}

static bool host_recall(void *ctx, uint32_t group, uint64_t index, uint64_t term, struct ord_slice *ret)
{
	struct ord_engine *e = ctx;
	return ord_replica_recall(&e->replicas[group], index, term, ret);
}

static void host_role(void *ctx, uint32_t group, enum ord_role role, uint64_t term, uint32_t leader)
{
	struct ord_engine *e = ctx;
	(void)term;
	if (!e->stopped)
		ord_replica_role(&e->replicas[group], role, leader);
}

static void host_want_install(void *ctx, uint32_t group, uint32_t from, uint64_t index, uint64_t term)
{
	struct ord_engine *e = ctx;
	(void)term;
	if (!e->stopped)
		ord_copy_in_want(e, group, from, index);
}

static bool host_may_lead(void *ctx, uint32_t group, uint32_t node)
{
	const struct ord_engine *e = ctx;
	uint32_t place = ord_engine_place(e, node);
	return place == e->nodes_count || ord_fence_may_lead(&e->replicas[group], place);
}

static void host_fatal(void *ctx, int err, const char *why)
{
	ord_engine_fatal(ctx, err, why);
}

/* --- Answers. --- */

static void engine_defer(struct ord_engine *e, struct ord_waiter *w, uint32_t item, int err, uint32_t partition)
{
	if (e->deferred_count == e->deferred_capacity) {
		e->deferred_capacity = e->deferred_capacity == 0 ? 64 : e->deferred_capacity * 2;
		e->deferred = realloc(e->deferred, e->deferred_capacity * sizeof *e->deferred);
		ORD_ASSERT(e->deferred != NULL);
	}
	e->deferred[e->deferred_count++] =
		(struct ord_engine_deferred){.waiter = w,
					     .item = item,
					     .answer = {.err = err,
							.partition = partition,
							.retry_after_ms = err == ORD_ERR_BUSY ? ENGINE_BUSY_MS : 0}};
}

static bool engine_answer_deferred(struct ord_engine *e)
{
	size_t count = e->deferred_count;
	if (count == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct ord_engine_deferred d = e->deferred[i]; /* the array may grow during the call */
		d.waiter->answer(d.waiter, d.item, &d.answer);
	}
	memmove(e->deferred, e->deferred + count, (e->deferred_count - count) * sizeof *e->deferred);
	e->deferred_count -= count;
	return e->deferred_count > 0;
}

/* --- Calls of other nodes and shards. --- */

/* A call that another node or shard passed on is answered: item is the number that it gave the call. */
static void remote_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct ord_engine_remote *remote = (struct ord_engine_remote *)w;
	struct ord_engine *e = remote->engine;
	ORD_ASSERT(remote->calls_count > 0);
	remote->calls_count--;
	if (!remote->lost) {
		ord_bytes_clear(&e->scratch);
		ord_wire_put_answer((uint64_t)remote->run << 32 | item, a, &e->scratch);
		ord_engine_send(e, remote->from, ORD_PART_ANSWER);
	} else if (remote->calls_count == 0) {
		free(remote);
	}
}

void ord_engine_remote_lose(struct ord_engine *e, uint32_t place)
{
	struct ord_engine_remote *remote = e->remotes[place];
	e->remotes[place] = NULL;
	if (remote == NULL)
		return;
	e->past_runs[place] = remote->run;
	remote->lost = true;
	if (remote->calls_count == 0)
		free(remote);
}

static struct ord_engine_remote *remote_new(struct ord_engine *e, uint32_t from, uint32_t run)
{
	struct ord_engine_remote *remote = calloc(1, sizeof *remote);
	ORD_ASSERT(remote != NULL);
	remote->waiter.answer = remote_answer;
	remote->engine = e;
	remote->from = from;
	remote->run = run;
	return remote;
}

struct ord_engine_remote *ord_engine_sibling(struct ord_engine *e, uint32_t shard)
{
	if (e->siblings[shard] == NULL)
		e->siblings[shard] = remote_new(e, ORD_ENGINE_SHARDS + shard, 0);
	return e->siblings[shard];
}

static void sibling_lose(struct ord_engine_remote *remote)
{
	if (remote == NULL)
		return;
	remote->lost = true;
	if (remote->calls_count == 0)
		free(remote);
}

/* NULL: that run is over, what comes of it now was long on its way. */
static struct ord_engine_remote *remote_get(struct ord_engine *e, uint32_t place, uint32_t run)
{
	struct ord_engine_remote *remote = e->remotes[place];
	if (remote != NULL && remote->run != run) {
		if (run == e->past_runs[place])
			return NULL;
		ord_engine_remote_lose(e, place);
		remote = NULL;
	}
	if (remote == NULL)
		remote = remote_new(e, e->nodes[place], run);
	e->remotes[place] = remote;
	return remote;
}

/* True the first time that a call with that number comes. */
static bool remote_is_first(struct ord_engine_remote *remote, uint32_t number)
{
	const uint32_t window = ORD_ENGINE_CALLS_WINDOW;
	uint32_t ahead = number - remote->newest; /* numbers wrap around */
	if (!remote->any || (ahead >= window && ahead < UINT32_C(1) << 31)) {
		memset(remote->seen, 0, sizeof remote->seen);
		remote->newest = number;
		remote->any = true;
	} else if (ahead < window) {
		for (uint32_t i = 0; i < ahead; i++) {
			uint32_t bit = ++remote->newest % window;
			remote->seen[bit / 64] &= ~(UINT64_C(1) << bit % 64);
		}
	} else if (remote->newest - number >= window) {
		return false;
	}
	uint64_t *word = &remote->seen[number % window / 64];
	uint64_t mask = UINT64_C(1) << number % 64;
	bool is_first = (*word & mask) == 0;
	*word |= mask;
	return is_first;
}

/* --- Opening and closing. --- */

static void engine_init(struct ord_engine *e, const struct ord_engine_options *o, uint64_t now_ms, uint64_t wall_us)
{
	e->events = o->events;
	e->bounds = o->bounds;
	ord_bounds_fill(&e->bounds);
	e->node = o->node;
	e->nodes_count = o->nodes_count;
	e->partitions_count = o->partitions_count;
	e->shard = o->shard;
	e->shards_count = o->shards_count != 0 ? o->shards_count : 1;
	e->run = (uint32_t)(o->seed ^ o->seed >> 32) | 1;
	e->now_ms = now_ms;
	e->wall_us = wall_us;
	e->election_ms = o->election_timeout_ms != 0 ? o->election_timeout_ms : ORD_ELECTION_TIMEOUT_MS;
	e->swept_ms = now_ms;
	ord_effects_init(&e->effects);
	ord_bytes_init(&e->scratch, ORD_FRAME_BYTES_MAX);
	for (uint32_t i = 0; i < o->nodes_count; i++)
		e->nodes[i] = o->nodes[i];
	struct ord_keep_options keep = {
		.states = o->states, .memory_bytes = o->memory_bytes, .checkpoint_bytes = o->checkpoint_bytes};
	ord_keep_init(&e->keep, e, &keep);
	e->mark_entries = o->mark_entries;
	e->request_window_ms = o->request_window_ms;
	e->has_archive = o->archive != NULL;
	if (e->has_archive)
		e->archive = *o->archive;
	ord_fill_init(&e->fill, e, o->repair_bytes);
	ord_scrub_init(&e->scrub, e, o->scrub_bytes);
}

/* Where the log of a partition begins, as its state says. */
static int base_find(struct ord_replica *r, struct ord_base *ret)
{
	struct ord_note note;
	if (!r->engine->keep.enabled)
		return ORD_OK;
	int err = ord_keep_find(r, &note);
	ord_keep_base(&note, ret);
	ret->lost = r->lost;
	return err;
}

static int engine_open_host(struct ord_engine *e, const struct ord_engine_options *o, char *why, size_t why_size)
{
	struct ord_base *bases = calloc(o->partitions_count, sizeof *bases);
	int err = bases != NULL ? ORD_OK : ORD_ERR_NOMEM;
	for (uint32_t i = e->shard; err == ORD_OK && i < e->partitions_count; i += e->shards_count)
		err = base_find(&e->replicas[i], &bases[i]);
	struct ord_host_options host = {.cluster = o->cluster,
					.node = o->node,
					.member = o->member,
					.log_begun = o->log_begun,
					.nodes = e->nodes,
					.nodes_count = e->nodes_count,
					.groups_count = o->partitions_count,
					.groups_first = e->shard,
					.groups_step = e->shards_count,
					.seed = o->seed,
					.election_timeout_ms = o->election_timeout_ms,
					.heartbeat_ms = o->heartbeat_ms,
					.segment_bytes = o->segment_bytes,
					.cache_bytes = o->cache_bytes,
					.message_bytes = o->bounds.raft_message_bytes,
					.window_bytes = o->bounds.raft_window_bytes,
					.turn_entries = o->bounds.raft_turn_entries,
					.trailing_bytes = o->bounds.raft_trailing_bytes,
					.segments_max = o->bounds.raft_segments,
					.bases = bases,
					.io = o->io,
					.events = {.ctx = e,
						   .send = host_send,
						   .confirm = host_confirm,
						   .apply = host_apply,
						   .role = host_role,
						   .want_install = host_want_install,
						   .may_lead = host_may_lead,
						   .recall = host_recall,
						   .fatal = host_fatal}};
	if (err == ORD_OK) {
		err = ord_host_open(&host, e->now_ms, &e->host, why, why_size);
		err = err == ORD_ERR_CORRUPT ? ORD_ERR_LOG_LOST : err;
	}
	free(bases);
	return err;
}

int ord_engine_open(const struct ord_engine_options *options, uint64_t now_ms, uint64_t wall_us,
		    struct ord_engine **ret, char *why, size_t why_size)
{
	ORD_ASSERT(options->partitions_count > 0 && options->partitions_count <= ORD_PARTITIONS_MAX);
	ORD_ASSERT(options->nodes_count > 0 && options->nodes_count <= ORD_NODES_MAX);
	ORD_ASSERT(options->shards_count <= ORD_SHARDS_MAX && options->shards_count <= options->partitions_count);
	ORD_ASSERT(options->shard == 0 || options->shard < options->shards_count);
	snprintf(why, why_size, "not enough memory for %u partitions", options->partitions_count);
	struct ord_engine *e = calloc(1, sizeof *e);
	if (e == NULL)
		return ORD_ERR_NOMEM;
	engine_init(e, options, now_ms, wall_us);
	e->replicas = calloc(options->partitions_count, sizeof *e->replicas);
	int err = e->replicas == NULL ? ORD_ERR_NOMEM : ord_forward_open(&e->forward, e);
	if (err == ORD_OK)
		err = ord_copy_in_open(&e->copy_in, e);
	for (uint32_t i = e->shard; err == ORD_OK && i < e->partitions_count; i += e->shards_count)
		err = ord_replica_open(&e->replicas[i], e, i, &options->cluster, why, why_size);
	if (err == ORD_OK)
		err = engine_open_host(e, options, why, why_size);
	if (err != ORD_OK) {
		ord_engine_stop(e);
		ord_engine_close(e);
		return err;
	}
	*ret = e;
	return ORD_OK;
}

void ord_engine_begin(struct ord_engine *e, uint64_t member)
{
	int err = e->stopped ? ORD_OK : ord_host_begin(e->host, member);
	ORD_ASSERT(err != ORD_ERR_INVALID); /* others are told by fatal */
}

void ord_engine_stop(struct ord_engine *e)
{
	e->stopped = true;
	for (uint32_t i = e->shard; e->replicas != NULL && i < e->partitions_count; i += e->shards_count)
		ord_replica_lose(&e->replicas[i]);
	ord_forward_fail(&e->forward);
	while (engine_answer_deferred(e))
		;
}

void ord_engine_close(struct ord_engine *e)
{
	if (e == NULL)
		return;
	ORD_ASSERT(e->stopped);
	while (engine_answer_deferred(e)) /* of calls that came after stop */
		;
	ord_host_close(e->host);
	ord_forward_close(&e->forward);
	for (uint32_t i = 0; i < e->nodes_count; i++)
		ord_engine_remote_lose(e, i);
	for (uint32_t i = 0; i < e->shards_count; i++)
		sibling_lose(e->siblings[i]);
	for (uint32_t i = e->shard; e->replicas != NULL && i < e->partitions_count; i += e->shards_count)
		ord_replica_close(&e->replicas[i]);
	free(e->replicas);
	ord_copy_in_close(&e->copy_in);
	ord_keep_close(&e->keep);
	ord_fill_close(&e->fill);
	free(e->deferred);
	ord_effects_close(&e->effects);
	ord_bytes_close(&e->scratch);
	free(e);
}

/* --- Calls of clients. --- */

void ord_engine_submit(struct ord_engine *e, const struct ord_command *c, enum ord_wait wait, uint64_t deadline_ms,
		       struct ord_waiter *w, uint32_t item)
{
	uint32_t partition = ord_route_command(c, e->partitions_count);
	struct ord_replica *r = &e->replicas[partition];
	int err = ORD_ERR_NOT_LEADER;
	if (r->ready) {
		struct ord_ticket t = {.waiter = w,
				       .deadline_ms = deadline_ms,
				       .request_id = c->request_id,
				       .item = item,
				       .wait = wait};
		err = ord_replica_submit(r, c, &t);
	} else if (!e->stopped) {
		struct ord_bytes body;
		ord_bytes_init(&body, ORD_COMMAND_BYTES_MAX);
		ord_command_encode(c, &body);
		ORD_ASSERT(!body.failed);
		err = ord_forward_take(&e->forward, ORD_PART_SUBMIT, partition, wait, ord_bytes_slice(&body),
				       deadline_ms, w, item);
		ord_bytes_close(&body);
	}
	if (err != ORD_OK)
		engine_defer(e, w, item, err, partition);
}

void ord_engine_read(struct ord_engine *e, uint32_t partition, struct ord_slice query, uint64_t deadline_ms,
		     struct ord_waiter *w, uint32_t item)
{
	ORD_ASSERT(partition < e->partitions_count);
	struct ord_replica *r = &e->replicas[partition];
	int err = ORD_ERR_NOT_LEADER;
	bool is_ours = ord_query_may_be_stale(query) && ord_engine_owns(e, partition) && ord_replica_is_whole(r);
	if (!e->stopped && is_ours)
		err = ord_replica_read_stale(r, query, deadline_ms, w, item);
	else if (r->ready)
		err = ord_replica_read(r, query, deadline_ms, w, item);
	else if (!e->stopped)
		err = ord_forward_take(&e->forward, ORD_PART_READ, partition, ORD_WAIT_LOGGED, query, deadline_ms, w,
				       item);
	if (err != ORD_OK)
		engine_defer(e, w, item, err, partition);
}

/* --- Parts from other nodes. --- */

/* A command that a node passed on is checked like a client's own: a bad one must not reach a log. */
static int submit_decode(const struct ord_engine *e, const struct ord_part_call *part, struct ord_command *ret)
{
	struct ord_fault fault;
	struct ord_reader reader = ord_reader_of(part->body);
	if (ord_command_decode(&reader, ret) != ORD_OK || ord_reader_left(&reader) != 0 ||
	    ord_command_check(ret, &fault) != ORD_OK)
		return ORD_ERR_FORMAT;
	return ord_route_command(ret, e->partitions_count) == part->partition ? ORD_OK : ORD_ERR_FORMAT;
}

static int receive_call(struct ord_engine *e, uint32_t place, enum ord_part_kind kind, struct ord_slice body)
{
	struct ord_part_call part;
	struct ord_command c;
	if (ord_wire_get_call(body, &part) != ORD_OK || !ord_engine_owns(e, part.partition) ||
	    part.timeout_ms > ORD_WAIT_MS_MAX || part.body.len > ORD_COMMAND_BYTES_MAX)
		return ORD_ERR_FORMAT;
	if (kind == ORD_PART_SUBMIT && submit_decode(e, &part, &c) != ORD_OK)
		return ORD_ERR_FORMAT;
	struct ord_replica *r = &e->replicas[part.partition];
	uint32_t number = (uint32_t)part.forward;
	struct ord_engine_remote *remote = remote_get(e, place, (uint32_t)(part.forward >> 32));
	if (remote == NULL || !remote_is_first(remote, number))
		return ORD_OK;
	remote->calls_count++;
	struct ord_waiter *w = &remote->waiter;
	uint64_t deadline_ms = e->now_ms + part.timeout_ms;
	int err = ORD_ERR_NOT_LEADER;
	if (r->ready && kind == ORD_PART_SUBMIT) {
		struct ord_ticket t = {.waiter = w,
				       .deadline_ms = deadline_ms,
				       .request_id = c.request_id,
				       .item = number,
				       .wait = part.wait};
		err = ord_replica_submit(r, &c, &t);
	} else if (r->ready) {
		err = ord_replica_read(r, part.body, deadline_ms, w, number);
	}
	if (err != ORD_OK)
		engine_defer(e, w, number, err, part.partition);
	return ORD_OK;
}

static int receive_answer(struct ord_engine *e, uint32_t from, struct ord_slice body)
{
	uint64_t forward;
	struct ord_answer a;
	if (ord_wire_get_answer(body, &forward, &a) != ORD_OK)
		return ORD_ERR_FORMAT;
	if (forward >> 32 == e->run)
		ord_forward_answer(&e->forward, from, (uint32_t)forward, &a);
	return ORD_OK;
}

/* What reaches a log must be readable by every replica: a run is exactly as many messages as it says. */
static int deliver_check(const struct ord_deliver *run)
{
	struct ord_reader r = ord_reader_of(run->messages);
	struct ord_message m;
	for (uint32_t i = 0; i < run->count; i++)
		if (ord_message_decode(&r, &m) != ORD_OK)
			return ORD_ERR_FORMAT;
	return ord_reader_left(&r) == 0 ? ORD_OK : ORD_ERR_FORMAT;
}

static int receive_deliver(struct ord_engine *e, struct ord_slice body)
{
	struct ord_part_deliver part;
	if (ord_wire_get_deliver(body, &part) != ORD_OK || !ord_engine_owns(e, part.destination) ||
	    part.run.source >= e->partitions_count || part.run.source == part.destination)
		return ORD_ERR_FORMAT;
	struct ord_replica *r = &e->replicas[part.destination];
	if (!r->ready)
		return ORD_OK;
	if (ord_dispatch_wants(r, &part.run) && deliver_check(&part.run) != ORD_OK)
		return ORD_ERR_FORMAT;
	ord_dispatch_take(r, &part.run);
	return ORD_OK;
}

static int receive_cursor(struct ord_engine *e, struct ord_slice body)
{
	struct ord_part_cursor part;
	if (ord_wire_get_cursor(body, &part) != ORD_OK || !ord_engine_owns(e, part.source) ||
	    part.destination >= e->partitions_count || part.source == part.destination)
		return ORD_ERR_FORMAT;
	ord_dispatch_cursor(&e->replicas[part.source], &part);
	return ORD_OK;
}

static int receive_ready(struct ord_engine *e, uint32_t place, struct ord_slice body)
{
	uint32_t partition, from = e->nodes[place];
	if (ord_wire_get_ready(body, &partition) != ORD_OK || !ord_engine_owns(e, partition))
		return ORD_ERR_FORMAT;
	/* On the way round it is said again and again. */
	bool is_news = !e->relayed[place] || e->replicas[partition].leader != from;
	ord_replica_hear(&e->replicas[partition], from);
	if (is_news)
		ord_dispatch_restart_all(e, partition);
	e->forward.retry = true;
	return ORD_OK;
}

static int receive_copy(struct ord_engine *e, uint32_t from, enum ord_part_kind kind, struct ord_slice body)
{
	struct ord_part_copy part;
	if (ord_wire_get_copy(kind, body, &part) != ORD_OK || !ord_engine_owns(e, part.partition))
		return ORD_ERR_FORMAT;
	switch (kind) {
	case ORD_PART_COPY_ASK:
		ord_copy_out_ask(e, from, &part);
		return ORD_OK;
	case ORD_PART_COPY_NEXT:
		ord_copy_out_next(e, from, &part);
		return ORD_OK;
	case ORD_PART_COPY_END:
		ord_copy_out_end(e, from, &part);
		return ORD_OK;
	case ORD_PART_COPY_NOTE:
		return ord_copy_in_note(e, from, &part);
	default:
		return ord_copy_in_pairs(e, from, &part);
	}
}

static int receive_mark_result(struct ord_engine *e, uint32_t place, struct ord_slice body)
{
	struct ord_part_mark_result part;
	if (ord_wire_get_mark_result(body, &part) != ORD_OK || !ord_engine_owns(e, part.partition))
		return ORD_ERR_FORMAT;
	ord_fence_receive(&e->replicas[part.partition], place, &part);
	return ORD_OK;
}

int ord_engine_receive(struct ord_engine *e, uint32_t from, enum ord_part_kind kind, struct ord_slice body)
{
	uint32_t place = ord_engine_place(e, from);
	if (place == e->nodes_count || from == e->node)
		return ORD_ERR_FORMAT;
	if (e->stopped)
		return ORD_OK;
	switch (kind) {
	case ORD_PART_RAFT:
		return ord_host_receive(e->host, from, body);
	case ORD_PART_SUBMIT:
	case ORD_PART_READ:
		return receive_call(e, place, kind, body);
	case ORD_PART_ANSWER:
		return receive_answer(e, from, body);
	case ORD_PART_DELIVER:
		return receive_deliver(e, body);
	case ORD_PART_CURSOR:
		return receive_cursor(e, body);
	case ORD_PART_READY:
		return receive_ready(e, place, body);
	case ORD_PART_COPY_ASK:
	case ORD_PART_COPY_NOTE:
	case ORD_PART_COPY_NEXT:
	case ORD_PART_COPY_PAIRS:
	case ORD_PART_COPY_END:
		return receive_copy(e, from, kind, body);
	case ORD_PART_WANT_BLOCK:
	case ORD_PART_WANT_BLOCK_ID:
		return ord_fill_receive_want(&e->fill, place, kind == ORD_PART_WANT_BLOCK, body);
	case ORD_PART_BLOCK:
		return ord_fill_receive_block(&e->fill, place, body);
	case ORD_PART_BLOCK_ID:
		return ord_fill_receive_id(&e->fill, place, body);
	case ORD_PART_MARK_RESULT:
		return receive_mark_result(e, place, body);
	case ORD_PART_CONFIRM:
		return ord_host_receive_confirm(e->host, from, body);
	case ORD_PART_ROOM:
		return ord_engine_receive_room(e, place, body);
	case ORD_PART_REACH: /* are for node/peers_relay.c */
	case ORD_PART_RELAY:
	case ORD_PART_LEADER: /* between shards alone */
		break;
	}
	return ORD_ERR_FORMAT;
}

/* --- Time and turns. --- */

void ord_engine_synced(struct ord_engine *e, int status)
{
	ord_host_synced(e->host, status);
}

void ord_engine_removed(struct ord_engine *e, int status)
{
	ord_host_removed(e->host, status);
}

void ord_engine_saved(struct ord_engine *e, int status)
{
	ord_keep_written(&e->keep, status);
}

void ord_engine_copy_read(struct ord_engine *e, unsigned copy, int status, const struct ord_changes *pairs,
			  bool is_last)
{
	if (!e->stopped)
		ord_copy_out_read(e, copy, status, pairs, is_last);
}

void ord_engine_copy_filled(struct ord_engine *e, int status)
{
	ord_copy_in_filled(e, status);
}

void ord_engine_scrubbed(struct ord_engine *e, uint32_t partition, int status, const struct ord_pairs_checked *piece)
{
	ord_scrub_checked(&e->scrub, partition, status, piece);
}

void ord_engine_archived(struct ord_engine *e, uint32_t partition, uint64_t last_index)
{
	ORD_ASSERT(ord_engine_owns(e, partition));
	ord_replica_archived(&e->replicas[partition], last_index);
}

void ord_engine_filled(struct ord_engine *e, uint32_t partition, uint64_t number, int status)
{
	if (!e->stopped)
		ord_fill_filled(&e->fill, partition, number, status);
}

void ord_engine_answered(struct ord_engine *e, const struct ord_archive_answer *a)
{
	if (!e->stopped)
		ord_fill_answered(&e->fill, a);
}

void ord_engine_checked(struct ord_engine *e, uint32_t partition, const struct ord_block_id *id)
{
	if (!e->stopped)
		ord_fill_checked(&e->fill, partition, id);
}

void ord_engine_clock(struct ord_engine *e, uint64_t now_ms, uint64_t wall_us)
{
	ORD_ASSERT(now_ms >= e->now_ms && wall_us >= e->wall_us);
	e->now_ms = now_ms;
	e->wall_us = wall_us;
}

/* What a checkpoint has may leave the history, when it is old enough. */
static void engine_retain(struct ord_engine *e)
{
	e->retained_ms = e->now_ms;
	for (uint32_t i = e->shard; e->has_archive && i < e->partitions_count; i += e->shards_count)
		e->archive.retain(e->archive.ctx, i, e->replicas[i].stored_index, e->wall_us); /* no memory: later */
}

static void engine_sweep(struct ord_engine *e)
{
	e->swept_ms = e->now_ms;
	ord_keep_release(&e->keep);
	ord_copy_out_tick(e);
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count) {
		ord_replica_expire(&e->replicas[i], e->now_ms);
		ord_dispatch_tick(&e->replicas[i], e->now_ms);
		ord_fence_tick(&e->replicas[i]);
		ord_replica_age(&e->replicas[i]);
	}
	ord_forward_expire(&e->forward, e->now_ms);
	e->forward.retry = true;
}

void ord_engine_tick(struct ord_engine *e)
{
	if (e->stopped)
		return;
	ord_host_tick(e->host, e->now_ms);
	if (e->stopped)
		return;
	ord_keep_tick(&e->keep);
	ord_copy_in_tick(e);
	if (e->stopped)
		return;
	ord_fill_tick(&e->fill);
	ord_scrub_tick(&e->scrub);
	ord_engine_tell_room(e, false);
	if (e->now_ms - e->ready_told_ms >= ENGINE_READY_MS)
		ord_engine_tell_ready(e);
	if (e->now_ms - e->swept_ms >= ENGINE_SWEEP_MS)
		engine_sweep(e);
	if (e->now_ms - e->retained_ms >= ENGINE_RETAIN_MS)
		engine_retain(e);
}

bool ord_engine_turn(struct ord_engine *e)
{
	if (e->stopped)
		return false;
	ord_host_hold(e->host, e->has_archive && e->archive.is_full(e->archive.ctx));
	bool more = ord_host_turn(e->host);
	if (e->stopped)
		return false;
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count)
		more = ord_replica_serve(&e->replicas[i]) || more;
	if (e->forward.retry)
		ord_forward_retry(&e->forward);
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count)
		ord_dispatch_pump(&e->replicas[i]);
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count)
		ord_replica_propose(&e->replicas[i]);
	more = engine_answer_deferred(e) || more;
	more = ord_host_turn(e->host) || more;
	ord_engine_tell_leaders(e);
	return !e->stopped && more;
}

bool ord_engine_keep(struct ord_engine *e)
{
	return !e->stopped && ord_keep_turn(&e->keep);
}
