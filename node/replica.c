/* SPDX-License-Identifier: Apache-2.0 - one partition on this node. */
#include "node/replica.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/trace.h"
#include "node/engine_state.h"
#include "node/query.h"

static int state_read(struct ord_replica *r, const struct ord_store *store, struct ord_note *ret_note, char *why,
		      size_t why_size)
{
	struct ord_partition_options options = {
		.id = r->id, .partitions_count = r->engine->partitions_count, .store = store};
	*ret_note = (struct ord_note){0};
	int err = ord_partition_open(&options, &r->partition);
	if (err == ORD_OK && store != NULL)
		err = ord_keep_find(r, ret_note);
	if (err == ORD_ERR_FORMAT)
		snprintf(why, why_size,
			 "the state of partition %u has a format that this version does not know: start the version "
			 "that wrote it",
			 r->id);
	else if (err == ORD_ERR_MISMATCH)
		snprintf(why, why_size,
			 "the state of partition %u is another partition's, or of a cluster with another number of "
			 "them: restore the data directory whole",
			 r->id);
	else if (err != ORD_OK)
		snprintf(why, why_size, "the state of partition %u cannot be read (%s)", r->id, ord_err_text(err));
	return err;
}

/* Opens the state that is on disk. One that is damaged is set aside where others can bring a new one. */
static int state_open(struct ord_replica *r, struct ord_note *ret_note, char *why, size_t why_size)
{
	struct ord_engine *e = r->engine;
	const struct ord_store *store;
	int err = ord_keep_open(&e->keep, r->id, &store, why, why_size);
	if (err == ORD_OK)
		err = state_read(r, store, ret_note, why, why_size);
	if (err == ORD_ERR_CORRUPT && e->nodes_count == 1) {
		size_t len = strlen(why);
		snprintf(why + len, why_size - len,
			 "; a cluster of one node has no other one to get it from: restore the data directory whole");
	}
	if (err != ORD_ERR_CORRUPT || e->nodes_count == 1)
		return err;
	ord_engine_notice(e, ORD_LOG_ERROR, "%s; another node is asked for one, and it is set aside then", why);
	ord_partition_close(r->partition);
	r->partition = NULL;
	r->lost = true;
	err = ord_keep_discard(&e->keep, r->id, &store, why, why_size);
	return err == ORD_OK ? state_read(r, store, ret_note, why, why_size) : err;
}

/* What is kept of the state besides it. */
static void state_adopt(struct ord_replica *r)
{
	const struct ord_engine *e = r->engine;
	struct ord_partition_status status;
	ord_partition_status(r->partition, &status);
	r->unsettled_count = status.unsettled_count;
	r->entries_count = r->marked_count = status.entries_count;
	/* Not at once when nothing ever expired: a new cluster has nothing that could. */
	if (status.expired_ms == 0 && e->wall_us / 1000 > e->request_window_ms)
		r->aged_ms = e->wall_us / 1000 - e->request_window_ms;
}

/* The history goes on where it ended, or where that of the node ended whose state this is: what is missing between them is filled in later. */
static int history_open(struct ord_replica *r, const struct ord_uuid *cluster, const struct ord_note *note)
{
	struct ord_engine *e = r->engine;
	if (!e->has_archive)
		return ORD_OK;
	struct ord_block_end end = e->archive.end(e->archive.ctx, r->id);
	int err = ORD_OK;
	if (end.last_index < note->base_index && end.number < note->end.number) {
		end = note->end;
		err = e->archive.jump(e->archive.ctx, r->id, &end);
	}
	r->archived = end;
	return err == ORD_OK ? ord_block_builder_open(&r->builder, cluster, r->id, &end, e->bounds.block_bytes) : err;
}

int ord_replica_open(struct ord_replica *r, struct ord_engine *e, uint32_t id, const struct ord_uuid *cluster,
		     char *why, size_t why_size)
{
	*r = (struct ord_replica){.id = id, .engine = e, .checkpoint_ms = e->now_ms, .marked_ms = e->now_ms};
	ord_admit_init(&r->admit, &e->bounds);
	ord_reads_init(&r->reads, &e->bounds);
	struct ord_note note;
	int err = state_open(r, &note, why, why_size);
	if (err != ORD_OK)
		return err;
	state_adopt(r);
	err = ord_settling_open(&r->settling, id, e->now_ms);
	if (err == ORD_OK)
		err = history_open(r, cluster, &note);
	if (err == ORD_OK)
		err = ord_dispatch_open(&r->dispatch, e->partitions_count);
	if (err != ORD_OK)
		snprintf(why, why_size, "not enough memory for partition %u", id);
	return err;
}

void ord_replica_close(struct ord_replica *r)
{
	ORD_ASSERT(!r->ready);
	ord_dispatch_close(&r->dispatch);
	ord_settling_close(&r->settling);
	ord_admit_close(&r->admit);
	ord_reads_close(&r->reads);
	ord_block_builder_close(&r->builder);
	free(r->ends);
	ord_partition_close(r->partition);
}

/* --- A state from another node. --- */

bool ord_replica_is_whole(const struct ord_replica *r)
{
	return !r->lost && r->fence.state != ORD_FENCE_FENCED && !ord_copy_in_has(r->engine, r->id);
}

static int history_go_on(struct ord_replica *r, const struct ord_note *note)
{
	struct ord_engine *e = r->engine;
	struct ord_uuid cluster = r->builder.header.cluster;
	if (!e->has_archive || r->builder.end.last_index >= note->base_index ||
	    r->builder.end.number >= note->end.number)
		return ORD_OK;
	int err = e->archive.jump(e->archive.ctx, r->id, &note->end);
	if (err != ORD_OK)
		return err;
	ord_block_builder_close(&r->builder);
	r->archived = note->end;
	return ord_block_builder_open(&r->builder, &cluster, r->id, &note->end, e->bounds.block_bytes);
}

int ord_replica_replace(struct ord_replica *r, const struct ord_note *note, char *why, size_t why_size)
{
	struct ord_states *states = &r->engine->keep.states;
	const struct ord_store *store;
	struct ord_note found;
	ORD_ASSERT(!ord_keep_is_busy(&r->engine->keep, r->id));
	ORD_ASSERT(!ord_replica_archives(r));
	int err = states->replace(states->ctx, r->id, r->fence.state == ORD_FENCE_FENCED, &store, why, why_size);
	if (err != ORD_OK)
		return err;
	ord_trace("replica_replace", r->id, note->index);
	ord_replica_lose(r);
	ord_partition_close(r->partition);
	r->partition = NULL;
	err = state_read(r, store, &found, why, why_size);
	if (err == ORD_OK && (found.index != note->index || found.base_index != note->base_index))
		err = ORD_ERR_CORRUPT;
	if (err == ORD_OK)
		err = history_go_on(r, note);
	if (err == ORD_OK) {
		state_adopt(r);
		ord_fence_lift(r);
		r->lost = false;
	}
	if (err != ORD_OK)
		snprintf(why, why_size, "partition %u: the state that another node sent cannot be used (%s)", r->id,
			 ord_err_text(err));
	return err;
}

/* --- Clients. --- */

uint64_t ord_replica_time_us(struct ord_replica *r)
{
	if (r->engine->wall_us > r->time_us)
		r->time_us = r->engine->wall_us;
	return r->time_us;
}

int ord_replica_submit(struct ord_replica *r, const struct ord_command *c, const struct ord_ticket *ticket)
{
	ORD_ASSERT(r->ready);
	if (!ord_engine_may_admit(r->engine))
		return ORD_ERR_NO_SPACE;
	if (c->kind == ORD_COMMAND_TRANSFER &&
	    r->unsettled_count + r->admit.commands_count >= r->engine->bounds.unsettled_count)
		return ORD_ERR_BUSY;
	return ord_admit_command(&r->admit, c, ticket, r->engine->now_ms);
}

int ord_replica_read(struct ord_replica *r, struct ord_slice query, uint64_t deadline_ms, struct ord_waiter *w,
		     uint32_t item)
{
	ORD_ASSERT(r->ready);
	return ord_reads_add(&r->reads, query, w, item, deadline_ms);
}

int ord_replica_read_stale(struct ord_replica *r, struct ord_slice query, uint64_t deadline_ms, struct ord_waiter *w,
			   uint32_t item)
{
	ORD_ASSERT(ord_replica_is_whole(r));
	return ord_reads_add_stale(&r->reads, query, w, item, deadline_ms);
}

static void ticket_answer(struct ord_ticket *t, const struct ord_answer *a)
{
	struct ord_waiter *w = t->waiter;
	if (w == NULL)
		return;
	t->waiter = NULL;
	w->answer(w, t->item, a);
}

static void read_answer(struct ord_read *read, const struct ord_answer *a)
{
	struct ord_waiter *w = read->waiter;
	if (w == NULL)
		return;
	read->waiter = NULL;
	w->answer(w, read->item, a);
}

static void batch_fail(struct ord_replica *r, struct ord_batch *b, int err)
{
	struct ord_answer a = {.err = err, .partition = r->id};
	for (size_t i = 0; i < b->tickets_count; i++) {
		a.err = b->tickets[i].resent ? ORD_ERR_UNKNOWN : err;
		ticket_answer(&b->tickets[i], &a);
	}
	ord_admit_recycle(&r->admit, b);
}

/* A read changes nothing: another node may be asked. */
static void reads_fail(struct ord_replica *r)
{
	struct ord_answer a = {.err = ORD_ERR_NOT_LEADER, .partition = r->id};
	struct ord_read *first = ord_reads_take_all(&r->reads);
	for (struct ord_read *read = first; read != NULL; read = read->next)
		read_answer(read, &a);
	ord_reads_free(first);
}

void ord_replica_lose(struct ord_replica *r)
{
	ord_trace("replica_lose", r->id, r->inflight_count);
	r->ready = false;
	while (r->inflight != NULL) {
		struct ord_batch *b = r->inflight;
		r->inflight = b->next;
		batch_fail(r, b, ORD_ERR_UNKNOWN);
	}
	r->inflight_count = 0;
	while (ord_admit_waiting(&r->admit))
		batch_fail(r, ord_admit_take(&r->admit, 0), ORD_ERR_NOT_LEADER);
	reads_fail(r);
	ord_settling_fail(&r->settling, ORD_ERR_UNKNOWN);
}

/* Tells each client of the batch what was decided; who wants the outcome of an accepted transfer goes on waiting. */
static void batch_reply(struct ord_replica *r, struct ord_batch *b, const struct ord_effects *fx)
{
	ORD_ASSERT(fx->replies_count == b->tickets_count);
	for (size_t i = 0; i < b->tickets_count; i++) {
		struct ord_ticket *t = &b->tickets[i];
		const struct ord_result *result = &fx->replies[i].result;
		if (t->waiter == NULL)
			continue;
		if (result->status == ORD_STATUS_ACCEPTED && t->wait == ORD_WAIT_SETTLED) {
			ord_settling_add(&r->settling, &t->request_id, result, t->deadline_ms, t->waiter, t->item);
			t->waiter = NULL;
			continue;
		}
		struct ord_answer a = {.partition = r->id, .result = *result};
		/* An earlier leader may have logged it while the id was young enough. */
		if (t->resent && result->reason == ORD_REFUSAL_REQUEST_ID_EXPIRED)
			a = (struct ord_answer){.err = ORD_ERR_UNKNOWN, .partition = r->id};
		ticket_answer(t, &a);
	}
}

/* The oldest batch under way, if it is what was applied as (index, term). */
static struct ord_batch *inflight_take(struct ord_replica *r, uint64_t index, uint64_t term)
{
	struct ord_batch *b = r->inflight;
	if (b == NULL || b->index != index)
		return NULL;
	ORD_ASSERT(b->term == term); /* another term's entry here means lost leadership, announced before */
	r->inflight = b->next;
	r->inflight_count--;
	b->next = NULL;
	return b;
}

/* A partition that moved is marked at the latest after so long. */
#define REPLICA_MARK_MS 60000u
/* Answers to reads of one turn, some milliseconds' worth, so that heartbeats need not wait for long ones; and what a read weighs besides its answer. */
#define REPLICA_READS_BYTES (1u << 20)
#define REPLICA_READ_BYTES 100u
/* The watermark of request ids moves when it can move by such a part of their time. */
#define REPLICA_AGE_STEPS 1000u

/* The state has the entry in it. Its own time counts and not the state's: an entry without commands leaves the state alone, and still none behind it may be older. */
static void replica_see(struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice entry)
{
	struct ord_entry_header header;
	struct ord_reader reader = ord_reader_of(entry);
	int err = ord_entry_decode(&reader, &header);
	ORD_ASSERT(err == ORD_OK); /* it was applied */
	r->applied_index = index;
	r->applied_term = term;
	if (header.time_us > r->entry_us)
		r->entry_us = header.time_us;
	if (header.time_us > r->time_us)
		r->time_us = header.time_us;
}

static void apply_failed(struct ord_replica *r, uint64_t index, int err)
{
	char why[256];
	bool is_store = err == ORD_ERR_IO || err == ORD_ERR_CORRUPT;
	snprintf(why, sizeof why, "partition %u: entry %llu of the log cannot be applied (%s); %s", r->id,
		 (unsigned long long)index, ord_err_text(err),
		 is_store ? "its state on disk cannot be read: restore the data directory whole"
			  : "if a newer version of ordaind wrote it, start that version here too");
	ord_engine_fatal(r->engine, err, why);
}

static void archive_failed(struct ord_replica *r, uint64_t index, int err)
{
	char why[192];
	snprintf(why, sizeof why,
		 "partition %u: entry %llu of the log does not follow its history (%s): remove the partition's "
		 "directory "
		 "below history/, and it is made anew from the log",
		 r->id, (unsigned long long)index, ord_err_text(err));
	ord_engine_fatal(r->engine, err, why);
}

bool ord_replica_archives(const struct ord_replica *r)
{
	return r->ends_count > 0;
}

void ord_replica_archived(struct ord_replica *r, uint64_t last_index)
{
	ORD_ASSERT(r->ends_count > 0);
	ORD_ASSERT(r->ends[0].last_index == last_index);
	r->archived = r->ends[0];
	r->ends_count--;
	memmove(r->ends, r->ends + 1, r->ends_count * sizeof *r->ends);
}

bool ord_replica_recall(const struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice *ret)
{
	struct ord_block_cursor cursor = {.reader = ord_reader_of(ord_bytes_slice(&r->builder.content))};
	struct ord_block_entry e;
	while (ord_block_next(&cursor, &e) == ORD_OK) {
		if (e.index != index || e.term != term)
			continue;
		*ret = e.bytes;
		return true;
	}
	return false;
}

/* Hands the full block over. */
static int block_write(struct ord_replica *r)
{
	struct ord_block_raw raw;
	if (r->ends_count == r->ends_capacity) {
		size_t capacity = r->ends_capacity == 0 ? 16 : r->ends_capacity * 2;
		struct ord_block_end *ends = realloc(r->ends, capacity * sizeof *ends);
		if (ends == NULL)
			return ORD_ERR_NOMEM;
		r->ends = ends;
		r->ends_capacity = capacity;
	}
	ord_block_builder_take(&r->builder, &raw);
	int err = r->engine->archive.write(r->engine->archive.ctx, &raw);
	ord_block_raw_close(&raw);
	if (err == ORD_OK)
		r->ends[r->ends_count++] = r->builder.end;
	return err;
}

/* The entry becomes part of the history, unless it is already, or has no commands. chain is the history hash after it; NULL when the state has more in it than that. False
 * when the node has to stop. */
static bool replica_archive(struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice entry,
			    const uint8_t *chain)
{
	struct ord_block_builder *b = &r->builder;
	struct ord_entry_header header;
	struct ord_reader reader = ord_reader_of(entry);
	if (!r->engine->has_archive || index <= b->end.last_index)
		return true;
	int err = ord_entry_decode(&reader, &header);
	if (err == ORD_OK && header.commands_count == 0)
		return true;
	struct ord_block_entry e = {.index = index, .term = term, .position = b->end.next_position, .bytes = entry};
	if (err == ORD_OK)
		err = ord_block_builder_add(b, &e, chain);
	if (err == ORD_OK && ord_block_builder_is_full(b))
		err = block_write(r);
	if (err != ORD_OK)
		archive_failed(r, index, err);
	return err == ORD_OK;
}

static void batch_applied(struct ord_replica *r, struct ord_batch *b)
{
	for (size_t i = 0; i < b->sources_count; i++)
		ord_dispatch_applied(r, b->sources[i]);
	ord_admit_recycle(&r->admit, b);
}

/* Comes last: it may fence the replica. */
static void replica_compare(struct ord_replica *r, const struct ord_mark_effect *mark)
{
	if (!mark->compared || r->fence.state == ORD_FENCE_FENCED)
		return;
	r->marked_count = r->entries_count;
	r->marked_ms = r->engine->now_ms;
	ord_fence_compared(r, mark);
}

void ord_replica_apply(struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice entry)
{
	struct ord_effects *fx = &r->engine->effects;
	if (index <= r->applied_index || r->fence.state == ORD_FENCE_FENCED) {
		replica_archive(r, index, term, entry, NULL);
		return;
	}
	int err = ord_partition_apply(r->partition, entry, fx);
	if (err == ORD_ERR_CORRUPT && r->engine->nodes_count > 1) {
		ord_fence_damaged(r);
		replica_archive(r, index, term, entry, NULL);
		return;
	}
	if (err != ORD_OK) {
		apply_failed(r, index, err);
		return;
	}
	struct ord_partition_status status;
	ord_partition_status(r->partition, &status);
	r->unsettled_count = status.unsettled_count;
	r->entries_count = status.entries_count;
	replica_see(r, index, term, entry);
	if (!replica_archive(r, index, term, entry, status.history_hash))
		return;
	if (fx->outbox_grew)
		r->dispatch.pump = true;
	struct ord_batch *b = inflight_take(r, index, term);
	if (b != NULL)
		batch_reply(r, b, fx);
	ord_settling_outcomes(&r->settling, fx->outcomes, fx->outcomes_count);
	if (b != NULL)
		batch_applied(r, b);
	replica_compare(r, &fx->mark);
}

/* --- Reads. --- */

/* The leader is asked, as if it had not been allowed to be stale. */
static void read_pass_on(struct ord_replica *r, struct ord_read *read)
{
	struct ord_slice query = ord_slice_of(read->query, read->query_bytes);
	int err = r->ready ? ord_reads_add(&r->reads, query, read->waiter, read->item, read->deadline_ms)
			   : ord_forward_take(&r->engine->forward, ORD_PART_READ, r->id, ORD_WAIT_LOGGED, query,
					      read->deadline_ms, read->waiter, read->item);
	struct ord_answer a = {.err = err, .partition = r->id};
	if (err != ORD_OK)
		read_answer(read, &a);
}

/* False when the state is damaged where it was read. The answer is in room afterwards, in the place of what was there. is_stale: nobody has made sure that it is not; then it is passed on when it finds nothing,
 * since that something is not there must be true. */
static bool read_run(struct ord_replica *r, struct ord_read *read, bool is_stale, struct ord_bytes *room)
{
	ord_bytes_clear(room);
	if (read->waiter == NULL)
		return true;
	int err = ord_query_run(ord_slice_of(read->query, read->query_bytes), r->partition, r->id, room);
	bool is_damaged = err == ORD_ERR_CORRUPT && r->engine->nodes_count > 1;
	if (is_stale && err == ORD_ERR_NOT_FOUND) {
		read_pass_on(r, read);
		return true;
	}
	if (is_damaged)
		err = ORD_ERR_NOT_LEADER; /* another node has it */
	struct ord_answer a = {.err = err == ORD_ERR_FORMAT ? ORD_ERR_INVALID : err,
			       .partition = r->id,
			       .body = ord_bytes_slice(room)};
	read_answer(read, &a);
	return !is_damaged;
}

/* The state is known to be wrong, or is being replaced: another node is to be asked. */
static void stale_fail(struct ord_replica *r)
{
	struct ord_answer a = {.err = ORD_ERR_NOT_LEADER, .partition = r->id};
	struct ord_read *read;
	while ((read = ord_reads_take_stale(&r->reads)) != NULL) {
		read_answer(read, &a);
		ord_reads_free(read);
	}
}

/* Those first that were asked for: what comes meanwhile waits for the next question, so that they are not endless. */
static void reads_answer(struct ord_replica *r)
{
	bool is_damaged = false;
	size_t bytes = 0;
	bool may_read = ord_reads_asked(&r->reads) && ord_host_may_read(r->engine->host, r->id, &r->reads.point);
	struct ord_bytes room;
	if (ord_reads_have_stale(&r->reads) && !ord_replica_is_whole(r))
		stale_fail(r);
	ord_bytes_init(&room, ORD_RPC_BYTES_MAX);
	while (bytes < REPLICA_READS_BYTES) {
		struct ord_read *read = may_read ? ord_reads_take(&r->reads) : NULL;
		bool is_stale = read == NULL;
		if (is_stale)
			read = ord_reads_take_stale(&r->reads);
		if (read == NULL)
			break;
		is_damaged = !read_run(r, read, is_stale, &room) || is_damaged;
		bytes += REPLICA_READ_BYTES + room.len;
		ord_reads_free(read);
	}
	ord_bytes_close(&room);
	if (is_damaged)
		ord_fence_damaged(r);
}

bool ord_replica_serve(struct ord_replica *r)
{
	struct ord_read_point point;
	reads_answer(r);
	if (r->ready && ord_reads_may_ask(&r->reads) && ord_host_read_begin(r->engine->host, r->id, &point) == ORD_OK) {
		ord_reads_ask(&r->reads, &point);
		reads_answer(r); /* nobody else has a vote */
	}
	return ord_reads_have_stale(&r->reads) ||
	       (ord_reads_asked(&r->reads) && ord_host_may_read(r->engine->host, r->id, &r->reads.point));
}

static void leader_set(struct ord_replica *r, uint32_t leader)
{
	r->engine->forward.retry = true;
	if (r->leader == leader)
		return;
	ord_trace("replica_leader", r->id, leader);
	r->leader = leader;
	ord_dispatch_hasten(r->engine, r->id);
}

void ord_replica_hear(struct ord_replica *r, uint32_t node)
{
	if (r->group_leader != 0)
		return;
	r->heard = node;
	leader_set(r, node);
}

void ord_replica_doubt(struct ord_replica *r, uint32_t node)
{
	if (r->heard != node)
		return;
	r->heard = 0;
	if (r->group_leader == 0)
		leader_set(r, 0);
}

void ord_replica_role(struct ord_replica *r, enum ord_role role, uint32_t leader)
{
	bool leads = role == ORD_ROLE_LEADER;
	if (leader != 0)
		r->heard = 0; /* what was said before is no news any more */
	r->group_leader = leader;
	leader_set(r, leader != 0 ? leader : r->heard);
	r->engine->forward.retry = true;
	if (leads == r->ready || (leads && r->fence.state == ORD_FENCE_FENCED))
		return;
	if (!leads) {
		ord_replica_lose(r);
		return;
	}
	r->ready = true;
	ord_dispatch_ready(r);
}

static int batch_propose(struct ord_replica *r, struct ord_batch *b)
{
	int err = ord_host_propose(r->engine->host, r->id, ord_bytes_slice(&b->entry), &b->index, &b->term);
	struct ord_batch **at = &r->inflight;
	if (err != ORD_OK)
		return err;
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	r->inflight_count++;
	return ORD_OK;
}

static bool mark_is_due(const struct ord_replica *r)
{
	uint32_t most = r->engine->mark_entries;
	uint64_t count = r->entries_count - r->marked_count;
	bool is_old = r->engine->now_ms - r->marked_ms >= REPLICA_MARK_MS;
	return most != 0 && count > 0 && (count >= most || is_old);
}

/* A mark is of the state as it is applied, so that nothing of this leader's may be under way, and goes alone. */
static void mark_propose(struct ord_replica *r)
{
	if (!r->ready || r->inflight_count > 0 || !mark_is_due(r) || !ord_engine_may_propose(r->engine))
		return;
	struct ord_command c = {.kind = ORD_COMMAND_MARK};
	ord_partition_mark(r->partition, &c.mark);
	struct ord_batch *b = ord_admit_alone(&r->admit, &c, ord_replica_time_us(r));
	if (batch_propose(r, b) != ORD_OK)
		ord_admit_recycle(&r->admit, b);
}

void ord_replica_propose(struct ord_replica *r)
{
	mark_propose(r);
	while (r->ready && r->inflight_count < ORD_REPLICA_INFLIGHT_MAX && ord_admit_waiting(&r->admit) &&
	       ord_engine_may_propose(r->engine)) {
		ord_dispatch_trim(r, false);
		struct ord_batch *b = ord_admit_take(&r->admit, ord_replica_time_us(r));
		if (batch_propose(r, b) != ORD_OK) {
			ord_admit_untake(&r->admit, b);
			return;
		}
	}
}

static void reads_expire(struct ord_replica *r, struct ord_read *read, uint64_t now_ms)
{
	struct ord_answer a = {.err = ORD_ERR_NOT_LEADER, .partition = r->id};
	for (; read != NULL; read = read->next)
		if (read->deadline_ms <= now_ms)
			read_answer(read, &a);
}

struct expiry {
	uint32_t partition;
	uint64_t now_ms;
};

static void batch_expire(void *ctx, struct ord_batch *b)
{
	const struct expiry *x = ctx;
	struct ord_answer a = {.err = ORD_ERR_UNKNOWN, .partition = x->partition};
	if (b->deadline_min_ms > x->now_ms)
		return;
	b->deadline_min_ms = UINT64_MAX;
	for (size_t i = 0; i < b->tickets_count; i++) {
		struct ord_ticket *t = &b->tickets[i];
		if (t->deadline_ms <= x->now_ms)
			ticket_answer(t, &a);
		else if (t->deadline_ms < b->deadline_min_ms)
			b->deadline_min_ms = t->deadline_ms;
	}
}

void ord_replica_expire(struct ord_replica *r, uint64_t now_ms)
{
	struct expiry x = {.partition = r->id, .now_ms = now_ms};
	for (struct ord_batch *b = r->inflight; b != NULL; b = b->next)
		batch_expire(&x, b);
	ord_admit_each(&r->admit, batch_expire, &x);
	reads_expire(r, r->reads.asked.first, now_ms);
	reads_expire(r, r->reads.came.first, now_ms);
	reads_expire(r, r->reads.stale.first, now_ms);
	ord_settling_expire(&r->settling, now_ms);
}

/* By the newest id as well as by the clock: a clock that is far ahead must not make what clients ask now expired. */
static uint64_t watermark_of(const struct ord_replica *r, const struct ord_partition_status *s)
{
	uint64_t window_ms = r->engine->request_window_ms;
	uint64_t now_ms = r->engine->wall_us / 1000 < s->newest_ms ? r->engine->wall_us / 1000 : s->newest_ms;
	return now_ms > window_ms ? now_ms - window_ms : 0;
}

void ord_replica_age(struct ord_replica *r)
{
	struct ord_partition_status s;
	if (!r->ready || r->engine->request_window_ms == 0)
		return;
	ord_partition_status(r->partition, &s);
	uint64_t before_ms = s.expired_ms > r->aged_ms ? s.expired_ms : r->aged_ms;
	struct ord_command c = {.kind = ORD_COMMAND_EXPIRE, .expire = {.watermark_ms = watermark_of(r, &s)}};
	if (c.expire.watermark_ms < before_ms + r->engine->request_window_ms / REPLICA_AGE_STEPS)
		return;
	r->aged_ms = c.expire.watermark_ms;
	ord_admit_internal(&r->admit, &c);
}

static void tickets_count(void *ctx, struct ord_batch *b)
{
	uint64_t *count = ctx;
	*count += b->tickets_count;
}

uint64_t ord_replica_waiters_count(const struct ord_replica *r)
{
	uint64_t count = ord_settling_count(&r->settling) + r->reads.count;
	for (struct ord_batch *b = r->inflight; b != NULL; b = b->next)
		tickets_count(&count, b);
	ord_admit_each(&r->admit, tickets_count, &count);
	return count;
}
