/* SPDX-License-Identifier: Apache-2.0 - the groups of one node over one write-ahead log and one wire. */
#include "raft/host.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "raft/host_state.h"
#include "raft/members.h"

#define HEARTBEAT_MS 100
#define SEGMENT_BYTES (64u << 20)
#define CACHE_BYTES (64u << 20)

/* Unanswered entries to one peer, shared out among the groups. */
#define PEER_WINDOW_BYTES (32u << 20)
#define GROUP_WINDOW_BYTES_MIN (256u << 10)
#define GROUP_WINDOW_BYTES_MAX (8u << 20)

/* Released entries that stay for followers that lag, shared out among the groups, and segments that may stay for their sake. */
#define TRAILING_BYTES (64u << 20)
#define SEGMENTS_MAX 8

/* Entries in one append, without the last of them. */
#define MESSAGE_BYTES (512u << 10)
_Static_assert(MESSAGE_BYTES + ORD_RECORD_BYTES_MAX + 256 <= ORD_MESSAGE_BYTES_MAX, "an append fits a message");

/* Applied in one turn, all groups together. */
#define TURN_ENTRIES 512
#define TURN_APPLY_BYTES (1u << 20) /* some 10,000 commands: a replay of a long log must not keep heartbeats waiting */

const char *ord_role_name(enum ord_role role)
{
	switch (role) {
	case ORD_ROLE_FOLLOWER:
		return "follower";
	case ORD_ROLE_CANDIDATE:
		return "candidate";
	case ORD_ROLE_LEADER:
		return "leader";
	default:
		return "unavailable";
	}
}

int ord_host_check_library(char *why, size_t why_size)
{
	/* raft_match_index came with 0.22. A library that was linked statically has passed the compiler's check and is not seen here. */
	bool is_shared = dlsym(RTLD_DEFAULT, "raft_init") != NULL;
	if (!is_shared || dlsym(RTLD_DEFAULT, "raft_match_index") != NULL)
		return ORD_OK;
	snprintf(
		why, why_size,
		"the libraft that this program runs with is older than 0.22, which can lose committed entries: install "
		"libraft0 0.22 or later, or remove the older one from the library path");
	return ORD_ERR_MISMATCH;
}

static int compare_nodes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static bool nodes_valid(const struct ord_group_env *env)
{
	for (uint32_t i = 0; i < env->nodes_count; i++)
		if (env->nodes[i] == 0 || (i > 0 && env->nodes[i] == env->nodes[i - 1]))
			return false;
	return ord_group_env_peer(env, env->node) < env->nodes_count;
}

static int check_options(const struct ord_host_options *o, char *why, size_t why_size)
{
	if (o->nodes_count < 1 || o->nodes_count > ORD_NODES_MAX)
		snprintf(why, why_size, "a cluster has 1 to %d nodes, not %" PRIu32, ORD_NODES_MAX, o->nodes_count);
	else if (o->groups_count < 1 || o->groups_count > ORD_PARTITIONS_MAX)
		snprintf(why, why_size, "a cluster has 1 to %d partitions, not %" PRIu32, ORD_PARTITIONS_MAX,
			 o->groups_count);
	else if (o->groups_first >= o->groups_count)
		snprintf(why, why_size, "there is no group %" PRIu32 " among %" PRIu32, o->groups_first,
			 o->groups_count);
	else if (o->segment_bytes != 0 &&
		 (o->segment_bytes < ORD_WAL_SEGMENT_BYTES_MIN || o->segment_bytes > ORD_WAL_SEGMENT_BYTES_MAX))
		snprintf(why, why_size, "segment_bytes is %u to %u, not %" PRIu64, ORD_WAL_SEGMENT_BYTES_MIN,
			 ORD_WAL_SEGMENT_BYTES_MAX, o->segment_bytes);
	else if (o->member != 0 && ORD_MEMBER_NODE(o->member) != o->node)
		snprintf(why, why_size, "member %" PRIu64 " is not one of node %" PRIu32, o->member, o->node);
	else
		return ORD_OK;
	return ORD_ERR_INVALID;
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
	return value != 0 ? value : otherwise;
}

static uint64_t window_for(uint32_t groups_count)
{
	uint64_t bytes = PEER_WINDOW_BYTES / groups_count;
	if (bytes < GROUP_WINDOW_BYTES_MIN)
		return GROUP_WINDOW_BYTES_MIN;
	return bytes > GROUP_WINDOW_BYTES_MAX ? GROUP_WINDOW_BYTES_MAX : bytes;
}

static int env_open(struct ord_host *h, const struct ord_host_options *o, char *why, size_t why_size)
{
	struct ord_group_env *env = &h->env;
	env->events = o->events;
	env->node = o->node;
	env->member = o->member;
	env->nodes_count = o->nodes_count;
	memcpy(env->nodes, o->nodes, o->nodes_count * sizeof env->nodes[0]);
	qsort(env->nodes, env->nodes_count, sizeof env->nodes[0], compare_nodes);
	if (!nodes_valid(env)) {
		snprintf(why, why_size, "the list of nodes must have node %" PRIu32 " itself, no id twice, and no id 0",
			 o->node);
		return ORD_ERR_INVALID;
	}
	for (uint32_t i = 0; i < env->nodes_count; i++)
		ord_member_format(env->nodes[i], env->texts[i]);
	ord_members_encode(env->nodes, env->nodes_count, &env->members);
	env->seed = o->seed;
	env->groups_step = h->groups_step;
	env->election_timeout_ms = (uint32_t)or_default(o->election_timeout_ms, ORD_ELECTION_TIMEOUT_MS);
	env->heartbeat_ms = (uint32_t)or_default(o->heartbeat_ms, HEARTBEAT_MS);
	env->window_bytes = or_default(o->window_bytes, window_for(o->groups_count));
	env->message_bytes = (uint32_t)or_default(o->message_bytes, MESSAGE_BYTES);
	env->trailing_bytes = or_default(o->trailing_bytes, TRAILING_BYTES / o->groups_count);
	h->segments_max = or_default(o->segments_max, SEGMENTS_MAX);
	h->segment_bytes = or_default(o->segment_bytes, SEGMENT_BYTES);
	h->turn_entries = or_default(o->turn_entries, TURN_ENTRIES);
	env->entries = malloc(ORD_MESSAGE_ENTRIES_MAX * sizeof *env->entries);
	if (env->entries == NULL || env->members.failed) {
		snprintf(why, why_size, "out of memory");
		return ORD_ERR_NOMEM;
	}
	return ORD_OK;
}

bool ord_host_has(const struct ord_host *h, uint32_t group)
{
	return group < h->groups_count && h->groups[group] != NULL;
}

static int groups_open(struct ord_host *h)
{
	h->groups = calloc(h->groups_count, sizeof(struct ord_group *));
	h->balance_not_before_ms = calloc(h->groups_count, sizeof *h->balance_not_before_ms);
	if (h->groups == NULL || h->balance_not_before_ms == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = h->groups_first; i < h->groups_count; i += h->groups_step)
		if (ord_group_open(&h->env, i, &h->groups[i]) != ORD_OK)
			return ORD_ERR_NOMEM;
	return ORD_OK;
}

static int host_recover_cb(void *arg, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	struct ord_host *h = arg;
	h->has_records = true;
	if (!ord_host_has(h, r->group)) {
		snprintf(why, why_size, "a record is of partition %" PRIu32 ", which is not one of this log's",
			 r->group);
		return ORD_ERR_CORRUPT;
	}
	return ord_group_recover(h->groups[r->group], r, place, why, why_size);
}

static int wal_open(struct ord_host *h, const struct ord_host_options *o, char *why, size_t why_size)
{
	struct ord_wal_options w = {.cluster = o->cluster,
				    .node = o->node,
				    .groups_count = o->groups_count,
				    .segment_bytes = h->segment_bytes,
				    .cache_bytes = or_default(o->cache_bytes, CACHE_BYTES),
				    .io = o->io};
	int err = ORD_OK;
	for (uint32_t i = h->groups_first; err == ORD_OK && o->bases != NULL && i < h->groups_count;
	     i += h->groups_step) {
		err = ord_group_set_base(h->groups[i], &o->bases[i], why, why_size);
		h->releases = h->releases || o->bases[i].index > 0 || o->bases[i].lost;
	}
	if (err == ORD_OK)
		err = ord_wal_open(&w, host_recover_cb, h, &h->env.wal, why, why_size);
	if (h->has_records && h->env.member == 0)
		h->env.member = h->env.node;
	for (uint32_t i = h->groups_first; err == ORD_OK && i < h->groups_count; i += h->groups_step)
		err = ord_group_recovered(h->groups[i], why, why_size);
	if (err != ORD_OK)
		return err;
	err = ord_wal_reader_open(h->env.wal, &h->env.send_reader);
	if (err == ORD_OK)
		err = ord_wal_reader_open(h->env.wal, &h->env.apply_reader);
	if (err != ORD_OK)
		snprintf(why, why_size, "out of memory");
	return err;
}

static int groups_begin(struct ord_host *h, char *why, size_t why_size)
{
	int err = ORD_OK;
	for (uint32_t i = h->groups_first; err == ORD_OK && i < h->groups_count; i += h->groups_step)
		err = ord_group_begin(h->groups[i], why, why_size);
	return err;
}

int ord_host_open(const struct ord_host_options *options, uint64_t now_ms, struct ord_host **ret, char *why,
		  size_t why_size)
{
	struct ord_host *h = NULL;
	int err = ord_host_check_library(why, why_size);
	if (err == ORD_OK)
		err = check_options(options, why, why_size);
	if (err != ORD_OK)
		goto fail;
	h = calloc(1, sizeof *h);
	if (h == NULL) {
		snprintf(why, why_size, "out of memory");
		err = ORD_ERR_NOMEM;
		goto fail;
	}
	h->groups_count = options->groups_count;
	h->groups_first = options->groups_first;
	h->groups_step = options->groups_step != 0 ? options->groups_step : 1;
	h->tidy_group = h->groups_first;
	h->env.now_ms = now_ms;
	h->env.room_end_bytes = UINT64_MAX;
	ord_bytes_init(&h->env.members, ORD_ENTRY_BYTES_MAX);
	ord_bytes_init(&h->env.output, ORD_MESSAGE_BYTES_MAX);
	err = env_open(h, options, why, why_size);
	if (err != ORD_OK)
		goto fail;
	err = groups_open(h);
	if (err != ORD_OK) {
		snprintf(why, why_size, "out of memory");
		goto fail;
	}
	err = wal_open(h, options, why, why_size);
	if (err == ORD_OK && options->log_begun && !h->has_records) {
		snprintf(why, why_size,
			 "the write-ahead log is empty, though it had begun: its files were removed, or their content "
			 "is lost");
		err = ORD_ERR_CORRUPT;
	}
	if (err == ORD_OK)
		err = groups_begin(h, why, why_size);
	if (err != ORD_OK)
		goto fail;
	*ret = h;
	return ORD_OK;
fail:
	ord_host_close(h);
	return err;
}

void ord_host_close(struct ord_host *h)
{
	if (h == NULL)
		return;
	for (uint32_t i = 0; h->groups != NULL && i < h->groups_count; i++)
		ord_group_close(h->groups[i]);
	free(h->groups);
	free(h->balance_not_before_ms);
	ord_wal_scrub_close(h->scrub);
	ord_wal_reader_close(h->env.send_reader);
	ord_wal_reader_close(h->env.apply_reader);
	ord_wal_close(h->env.wal);
	ord_bytes_close(&h->env.members);
	ord_bytes_close(&h->env.output);
	free(h->env.entries);
	ord_group_env_close(&h->env);
	free(h);
}

int ord_host_begin(struct ord_host *h, uint64_t member)
{
	char why[256];
	struct ord_group_env *env = &h->env;
	if (ORD_MEMBER_NODE(member) != env->node || (env->member != 0 && env->member != member))
		return ORD_ERR_INVALID;
	if (env->member != 0 || env->dead)
		return ORD_OK;
	env->member = member;
	int err = groups_begin(h, why, sizeof why);
	if (err != ORD_OK)
		ord_group_env_fatal(env, err, "%s", why);
	return err;
}

void ord_host_peer(struct ord_host *h, uint32_t node, uint64_t member)
{
	struct ord_group_env *env = &h->env;
	uint32_t peer = ord_group_env_peer(env, node);
	if (peer == env->nodes_count || node == env->node || (member != 0 && ORD_MEMBER_NODE(member) != node))
		return;
	env->peers[peer].member = member;
	ord_host_ask_anew(h, peer); /* what was under way is lost */
}

int ord_host_propose(struct ord_host *h, uint32_t group, struct ord_slice entry, uint64_t *ret_index,
		     uint64_t *ret_term)
{
	ORD_ASSERT(ord_host_has(h, group));
	ORD_ASSERT(entry.len > 0);
	ORD_ASSERT(entry.len <= ORD_ENTRY_BYTES_MAX);
	if (h->env.dead)
		return ORD_ERR_NOT_LEADER;
	return ord_group_propose(h->groups[group], entry, ret_index, ret_term);
}

static void heard(struct ord_host *h, uint32_t peer)
{
	struct ord_group_peer *p = &h->env.peers[peer];
	bool was_silent = p->heard_ms == 0 || h->env.now_ms - p->heard_ms > h->env.election_timeout_ms;
	if (was_silent)
		p->heard_since_ms = h->env.now_ms;
	p->heard_ms = h->env.now_ms > 0 ? h->env.now_ms : 1;
}

bool ord_host_is_between_members(const struct ord_group_env *env, uint32_t peer, uint64_t from, uint64_t to)
{
	uint64_t known = env->peers[peer].member;
	return env->member != 0 && to == env->member && (known == 0 || known == from);
}

int ord_host_receive(struct ord_host *h, uint32_t from, struct ord_slice message)
{
	struct ord_group_env *env = &h->env;
	struct ord_message m;
	if (env->dead)
		return ORD_OK;
	int err = ord_codec_decode(message, env->entries, &m);
	if (err != ORD_OK)
		return err;
	uint32_t peer = ord_group_env_peer(env, from);
	if (ORD_MEMBER_NODE(m.from) != from || ORD_MEMBER_NODE(m.to) != env->node || from == env->node ||
	    peer == env->nodes_count || !ord_host_has(h, m.group))
		return ORD_ERR_FORMAT;
	if (!ord_host_is_between_members(env, peer, m.from, m.to))
		return ORD_OK;
	heard(h, peer);
	return ord_group_receive(h->groups[m.group], &m);
}

void ord_host_tick(struct ord_host *h, uint64_t now_ms)
{
	struct ord_group_env *env = &h->env;
	uint64_t before_ms = env->now_ms;
	if (env->dead || now_ms < before_ms)
		return;
	env->now_ms = now_ms;
	/* After a pause of the whole process what the peers said meanwhile may still be unread: it comes first, timeouts a tick later. */
	h->skipped_tick = now_ms - before_ms >= env->heartbeat_ms && !h->skipped_tick;
	if (h->skipped_tick)
		return;
	for (uint32_t i = h->groups_first; i < h->groups_count && !env->dead; i += h->groups_step)
		ord_group_tick(h->groups[i]);
	if (!env->dead)
		ord_host_replace_members(h);
	if (!env->dead)
		ord_host_balance(h);
}

void ord_host_synced(struct ord_host *h, int status)
{
	struct ord_group_env *env = &h->env;
	uint32_t count;
	if (env->dead)
		return;
	if (status != ORD_OK) {
		ord_group_env_fatal(env, status,
				    "the write-ahead log cannot be written: %s; what is on disk is not known any more: "
				    "check the disk and start the node again",
				    ord_err_text(status));
		return;
	}
	const uint32_t *groups = ord_wal_synced(env->wal, &count);
	for (uint32_t i = 0; i < count && !env->dead; i++)
		ord_group_synced(h->groups[groups[i]]);
}

void ord_host_removed(struct ord_host *h, int status)
{
	struct ord_group_env *env = &h->env;
	if (env->dead)
		return;
	if (status == ORD_OK)
		ord_wal_removed(env->wal);
	else
		ord_group_env_fatal(env, status,
				    "an old segment of the write-ahead log cannot be removed: %s; check the disk and "
				    "start the node again",
				    ord_err_text(status));
}

void ord_host_base(const struct ord_host *h, uint32_t group, uint64_t index, struct ord_base *ret)
{
	ORD_ASSERT(ord_host_has(h, group));
	ord_group_base(h->groups[group], index, ret);
}

void ord_host_release(struct ord_host *h, uint32_t group, uint64_t index)
{
	ORD_ASSERT(ord_host_has(h, group));
	if (h->env.dead)
		return;
	h->releases = true;
	ord_group_release(h->groups[group], index);
}

int ord_host_install(struct ord_host *h, uint32_t group, const struct ord_base *base)
{
	ORD_ASSERT(ord_host_has(h, group));
	if (h->env.dead)
		return ORD_ERR_BUSY;
	h->releases = true;
	return ord_group_install(h->groups[group], base);
}

int ord_host_rewind(struct ord_host *h, uint32_t group, uint64_t index)
{
	ORD_ASSERT(ord_host_has(h, group));
	return h->env.dead ? ORD_ERR_BUSY : ord_group_rewind(h->groups[group], index);
}

void ord_host_hold_group(struct ord_host *h, uint32_t group, bool held)
{
	ORD_ASSERT(ord_host_has(h, group));
	ord_group_hold(h->groups[group], held);
}

void ord_host_hold(struct ord_host *h, bool held)
{
	h->held = held;
}

void ord_host_reluctant(struct ord_host *h, uint32_t node, bool reluctant)
{
	uint32_t peer = ord_group_env_peer(&h->env, node);
	if (peer < h->env.nodes_count)
		h->env.peers[peer].reluctant = reluctant;
}

void ord_host_room(struct ord_host *h, uint64_t bytes)
{
	struct ord_wal_status wal;
	ord_wal_status(h->env.wal, &wal);
	bool ends = bytes < UINT64_MAX - wal.appended_bytes;
	h->env.room_end_bytes = ends ? wal.appended_bytes + bytes : UINT64_MAX;
}

bool ord_host_has_room(const struct ord_host *h)
{
	return ord_group_env_has_room(&h->env);
}

static void turn_apply(struct ord_host *h)
{
	struct ord_group_env *env = &h->env;
	env->applied_count = 0;
	env->applied_bytes = 0;
	while (!env->dead && !h->held && env->applied_count < h->turn_entries &&
	       env->applied_bytes < TURN_APPLY_BYTES) {
		struct ord_group *g = ord_group_env_next(env, ORD_GROUP_QUEUE_APPLY);
		if (g == NULL)
			return;
		ord_group_apply(g);
	}
}

static void turn_send(struct ord_host *h)
{
	struct ord_group_env *env = &h->env;
	struct ord_group *last = env->queues[ORD_GROUP_QUEUE_SEND].last;
	struct ord_group *g = NULL;
	env->cold_bytes = 0;
	while (g != last && !env->dead) {
		g = ord_group_env_next(env, ORD_GROUP_QUEUE_SEND);
		ord_group_send(g);
	}
}

bool ord_host_turn(struct ord_host *h)
{
	struct ord_group_env *env = &h->env;
	if (env->dead)
		return false;
	ord_wal_write(env->wal);
	turn_apply(h);
	turn_send(h);
	ord_host_ask(h);
	if (env->dead)
		return false;
	ord_wal_trim(env->wal);
	ord_host_tidy(h);
	ord_wal_write(env->wal);
	return (env->queues[ORD_GROUP_QUEUE_APPLY].first != NULL && !h->held) ||
	       env->queues[ORD_GROUP_QUEUE_SEND].first != NULL;
}

int ord_host_scrub(struct ord_host *h, struct ord_host_scrubbed *ret)
{
	struct ord_wal_scrubbed piece;
	*ret = (struct ord_host_scrubbed){.is_last = true};
	if (h->env.dead)
		return ORD_OK;
	int err = h->scrub == NULL ? ord_wal_scrub_open(h->env.wal, &h->scrub) : ORD_OK;
	if (err != ORD_OK)
		return err;
	err = ord_wal_scrub_step(h->scrub, &piece);
	*ret = (struct ord_host_scrubbed){.bytes = piece.bytes, .is_last = piece.is_last};
	if (err == ORD_ERR_CORRUPT)
		ord_group_env_damaged(&h->env, piece.segment, piece.offset, piece.why);
	return err;
}

int ord_host_transfer(struct ord_host *h, uint32_t group, uint32_t node)
{
	ORD_ASSERT(ord_host_has(h, group));
	if (h->env.dead)
		return ORD_ERR_NOT_LEADER;
	return ord_group_transfer(h->groups[group], node);
}

void ord_host_group_status(const struct ord_host *h, uint32_t group, struct ord_group_status *ret)
{
	ORD_ASSERT(ord_host_has(h, group));
	ord_group_status(h->groups[group], ret);
}

void ord_host_members(const struct ord_host *h, uint32_t group, struct ord_member_status *ret, uint32_t *ret_count)
{
	ORD_ASSERT(ord_host_has(h, group));
	ord_group_members(h->groups[group], ret, ret_count);
}

void ord_host_voters(const struct ord_host *h, uint32_t group, uint32_t *ret, uint32_t *ret_count)
{
	ORD_ASSERT(ord_host_has(h, group));
	ord_group_voters(h->groups[group], ret, ret_count);
}

void ord_host_status(const struct ord_host *h, struct ord_host_status *ret)
{
	struct ord_wal_status w;
	ord_wal_status(h->env.wal, &w);
	*ret = (struct ord_host_status){.wal_bytes = w.disk_bytes,
					.wal_segments = w.segments_count,
					.wal_waiting_bytes = w.waiting_bytes,
					.wal_appended_bytes = w.appended_bytes,
					.syncs_count = w.syncs_count,
					.cached_bytes = w.memory_bytes,
					.wal_damaged_segment = h->env.damage.segment,
					.wal_damaged_offset = h->env.damage.offset,
					.wal_damaged_why = h->env.damage.why,
					.sync_in_flight = w.in_flight};
}
