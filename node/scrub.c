/* SPDX-License-Identifier: Apache-2.0 - the scrub of states and write-ahead log.
 *
 * A round: the state of each partition that is whole, from its first pair to its last; then the log, a piece a tick, since that one is read on the loop's thread.
 */
#include "node/scrub.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "node/engine_state.h"

#define PIECE_BYTES (128u << 10)
#define PIECES_PER_SECOND 4 /* about, with a low rate */
/* What looking at a state or a segment costs, whatever is in it. */
#define LOOK_BYTES 4096u
#define CREDIT_BYTES_MAX (1 << 20)
/* While the log is damaged checkpoints are asked for so often: what leaves it depends on what the history has by then. */
#define HASTEN_MS 5000u

void ord_scrub_init(struct ord_scrub *s, struct ord_engine *e, uint64_t bytes_per_second)
{
	*s = (struct ord_scrub){.engine = e, .bytes_per_second = bytes_per_second, .ticked_ms = e->now_ms};
}

void ord_scrub_now(struct ord_scrub *s)
{
	s->hurries = true;
	s->begins = true;
}

/* Who presses reads at once and is in debt, so that what follows waits: the rate is kept all the same. What was asked for adds nothing to that. */
static void pay(struct ord_scrub *s, uint64_t bytes)
{
	int64_t debt_bytes = s->credit_bytes < 0 ? s->credit_bytes : 0;
	s->credit_bytes -= (int64_t)(bytes + LOOK_BYTES);
	if (s->hurries && s->credit_bytes < debt_bytes)
		s->credit_bytes = debt_bytes;
}

/* Between two pieces the file of a state grows and nobody looks: with a low rate they are short. */
static uint64_t piece_bytes(const struct ord_scrub *s)
{
	uint64_t bytes = s->hurries || s->presses ? PIECE_BYTES : s->bytes_per_second / PIECES_PER_SECOND;
	if (bytes < LOOK_BYTES)
		return LOOK_BYTES;
	return bytes < PIECE_BYTES ? bytes : PIECE_BYTES;
}

static bool may_read(const struct ord_scrub *s)
{
	return s->hurries || s->presses || s->credit_bytes > 0;
}

/* --- States. --- */

static void next_partition(struct ord_scrub *s)
{
	struct ord_states *states = &s->engine->keep.states;
	if (s->place.table != 0)
		states->scrub_end(states->ctx);
	s->partition += s->engine->shards_count;
	s->place = (struct ord_pairs_place){0};
	s->presses = false;
}

/* Asks for the next piece of a state, unless the log is next. */
static void states_go_on(struct ord_scrub *s)
{
	struct ord_engine *e = s->engine;
	struct ord_states *states = &e->keep.states;
	if (s->asked)
		return;
	while (s->partition < e->partitions_count &&
	       (!e->keep.enabled || !ord_replica_is_whole(&e->replicas[s->partition])))
		next_partition(s);
	if (s->partition >= e->partitions_count || !may_read(s))
		return;
	s->asked = true;
	states->scrub(states->ctx, s->partition, &s->place, piece_bytes(s));
}

static void state_damaged(struct ord_scrub *s, uint32_t partition)
{
	struct ord_engine *e = s->engine;
	s->status.damaged_states_count++;
	if (e->nodes_count > 1)
		ord_fence_damaged(&e->replicas[partition]);
	else
		ord_engine_notice(e, ORD_LOG_ERROR,
				  "partition %" PRIu32
				  ": its state on disk is damaged, and a cluster of one node has no other one to get "
				  "it from: what it answers and keeps from now on may be wrong; restore the data "
				  "directory whole",
				  partition);
}

void ord_scrub_checked(struct ord_scrub *s, uint32_t partition, int status, const struct ord_pairs_checked *piece)
{
	ORD_ASSERT(s->asked);
	s->asked = false;
	if (s->engine->stopped)
		return;
	s->status.records_count += piece->pairs_count;
	s->place = piece->place;
	s->presses = piece->presses;
	pay(s, piece->bytes);
	if (status == ORD_ERR_CORRUPT && ord_replica_is_whole(&s->engine->replicas[partition]))
		state_damaged(s, partition);
	if (status != ORD_OK || piece->is_last)
		next_partition(s);
	states_go_on(s);
}

/* --- The log. --- */

static void log_tell(struct ord_scrub *s, const struct ord_host_status *h)
{
	s->status.damaged_logs_count++;
	s->hasten_ms = 0;
	ord_engine_notice(
		s->engine, ORD_LOG_ERROR,
		"the write-ahead log is damaged in segment %" PRIu64 " at offset %" PRIu64
		": %s; checkpoints are made so that it can go, and what else is in it is written again; see to this "
		"disk",
		h->wal_damaged_segment, h->wal_damaged_offset, h->wal_damaged_why);
}

/* Has checkpoints made, so that damaged segments can go. */
static void log_hasten(struct ord_scrub *s)
{
	struct ord_engine *e = s->engine;
	if (s->hasten_ms != 0 && e->now_ms - s->hasten_ms < HASTEN_MS)
		return;
	s->hasten_ms = e->now_ms;
	for (uint32_t i = e->shard; e->keep.enabled && i < e->partitions_count; i += e->shards_count)
		ord_keep_want(&e->keep, i);
}

static void log_watch(struct ord_scrub *s)
{
	struct ord_host_status h;
	ord_host_status(s->engine->host, &h);
	s->status.damaged_segment = h.wal_damaged_segment;
	if (h.wal_damaged_segment > s->told_segment) {
		s->told_segment = h.wal_damaged_segment;
		log_tell(s, &h);
	}
	if (h.wal_damaged_segment != 0) {
		log_hasten(s);
	} else if (s->told_segment != 0) {
		ord_engine_notice(s->engine, ORD_LOG_INFO,
				  "the write-ahead log is sound again: what was damaged, up to segment %" PRIu64
				  ", has gone",
				  s->told_segment);
		s->told_segment = 0;
	}
}

static void round_end(struct ord_scrub *s)
{
	ord_trace("scrub round", s->status.rounds_count, s->status.records_count);
	s->running = false;
	s->status.rounds_count++;
	s->hurries = s->hurries && s->begins;
}

static void log_go_on(struct ord_scrub *s)
{
	struct ord_host_scrubbed piece;
	int err = ord_host_scrub(s->engine->host, &piece);
	s->status.log_bytes += piece.bytes;
	pay(s, piece.bytes);
	if (piece.is_last || err == ORD_ERR_NOMEM)
		round_end(s);
}

/* --- Rounds. --- */

static void credit(struct ord_scrub *s)
{
	uint64_t passed_ms = s->engine->now_ms - s->ticked_ms;
	s->ticked_ms = s->engine->now_ms;
	s->credit_bytes += (int64_t)(s->bytes_per_second * passed_ms / 1000);
	if (s->credit_bytes > CREDIT_BYTES_MAX)
		s->credit_bytes = CREDIT_BYTES_MAX;
}

static void round_begin(struct ord_scrub *s)
{
	struct ord_engine *e = s->engine;
	bool is_time =
		s->bytes_per_second > 0 && (s->round_ms == 0 || e->now_ms - s->round_ms >= e->bounds.scrub_pause_ms);
	if (s->asked || (!s->begins && !is_time))
		return;
	s->begins = false;
	s->running = true;
	s->round_ms = e->now_ms;
	s->partition = e->shard;
	s->place = (struct ord_pairs_place){0};
}

void ord_scrub_tick(struct ord_scrub *s)
{
	credit(s);
	log_watch(s);
	if (!s->running)
		round_begin(s);
	if (!s->running)
		return;
	states_go_on(s);
	if (s->partition >= s->engine->partitions_count && !s->asked && may_read(s))
		log_go_on(s);
}

void ord_scrub_status(const struct ord_scrub *s, struct ord_scrub_status *ret)
{
	*ret = s->status;
	ret->scrubbing = s->running || s->begins;
}
