/* SPDX-License-Identifier: Apache-2.0 - checkpoints, one after the other. */
#include "node/keep.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "node/engine_state.h"
#include "partition/checkpoint.h"

/* A partition that changed is written at the latest so long after its last checkpoint: bounds the log that a start has to read. */
#define KEEP_AGE_MS 60000u
/* After a disk was full. */
#define KEEP_RETRY_MS 1000u

void ord_keep_init(struct ord_keep *k, struct ord_engine *e, const struct ord_keep_options *options)
{
	*k = (struct ord_keep){
		.engine = e, .memory_bytes = options->memory_bytes, .checkpoint_bytes = options->checkpoint_bytes};
	if (options->states != NULL) {
		k->enabled = true;
		k->states = *options->states;
	}
	ord_changes_init(&k->changes);
}

void ord_keep_close(struct ord_keep *k)
{
	ord_changes_close(&k->changes);
}

int ord_keep_open(struct ord_keep *k, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	*ret = NULL;
	return k->enabled ? k->states.open(k->states.ctx, partition, ret, why, why_size) : ORD_OK;
}

int ord_keep_discard(struct ord_keep *k, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	ORD_ASSERT(k->enabled);
	return k->states.discard(k->states.ctx, partition, ret, why, why_size);
}

/* --- Notes. --- */

/* The log has to begin at the lower end of what the state and the history have, but has no more what it dropped already. */
static uint64_t base_of(const struct ord_replica *r)
{
	struct ord_group_status group;
	uint64_t index = r->applied_index;
	if (r->engine->has_archive && r->archived.last_index < index)
		index = r->archived.last_index;
	ord_host_group_status(r->engine->host, r->id, &group);
	if (index > group.applied_index) /* after a start what the state has in it is given to apply once more */
		index = group.applied_index;
	return index > group.base_index ? index : group.base_index;
}

static void note_make(const struct ord_replica *r, struct ord_note *n)
{
	struct ord_base base;
	ord_host_base(r->engine->host, r->id, base_of(r), &base);
	*n = (struct ord_note){.index = r->applied_index,
			       .term = r->applied_term,
			       .time_us = r->entry_us,
			       .base_index = base.index,
			       .base_term = base.term,
			       .current_term = base.current_term,
			       .members_index = base.members_index,
			       .members = base.members,
			       .end = r->archived};
}

int ord_keep_find(struct ord_replica *r, struct ord_note *ret_note)
{
	struct ord_slice bytes;
	*ret_note = (struct ord_note){0};
	int err = ord_checkpoint_note(r->partition, &bytes);
	if (err == ORD_OK && bytes.len > 0)
		err = ord_note_decode(bytes, ret_note);
	if (err != ORD_OK)
		return err;
	r->applied_index = ret_note->index;
	r->applied_term = ret_note->term;
	r->entry_us = ret_note->time_us;
	r->stored_index = ret_note->index;
	r->base_index = ret_note->base_index;
	if (r->time_us < r->entry_us)
		r->time_us = r->entry_us;
	return ORD_OK;
}

void ord_keep_base(const struct ord_note *note, struct ord_base *ret)
{
	*ret = (struct ord_base){.index = note->base_index,
				 .term = note->base_term,
				 .current_term = note->current_term,
				 .members_index = note->members_index,
				 .members = note->members};
}

/* --- One checkpoint. --- */

static struct ord_partition *partition_of(const struct ord_keep *k, uint32_t partition)
{
	return k->engine->replicas[partition].partition;
}

static void begin(struct ord_keep *k, uint32_t partition)
{
	struct ord_replica *r = &k->engine->replicas[partition];
	uint8_t bytes[ORD_CHECKPOINT_NOTE_BYTES_MAX];
	struct ord_bytes encoded = {.base = bytes, .capacity = sizeof bytes, .bytes_max = sizeof bytes};
	struct ord_note note;
	note_make(r, &note);
	ord_note_encode(&note, &encoded);
	ord_trace("checkpoint", partition, r->applied_index);
	ord_checkpoint_lend(r->partition, &k->changes);
	ord_checkpoint_begin(r->partition, ord_bytes_slice(&encoded));
	k->partition = partition;
	k->index = note.index;
	k->base_index = note.base_index;
	k->begun_ms = k->engine->now_ms;
	r->checkpoint_ms = k->engine->now_ms;
	r->checkpoint_wanted = false;
	k->phase = ORD_KEEP_ENCODING;
}

static void encode(struct ord_keep *k)
{
	struct ord_partition *p = partition_of(k, k->partition);
	if (!ord_checkpoint_step(p, k->engine->bounds.checkpoint_rows))
		return;
	k->changes = ord_checkpoint_take(p);
	k->phase = ORD_KEEP_WRITING;
	k->states.write(k->states.ctx, k->partition, &k->changes);
}

static void finish(struct ord_keep *k)
{
	if (!ord_checkpoint_finish(partition_of(k, k->partition), k->engine->bounds.checkpoint_rows))
		return;
	k->engine->replicas[k->partition].stored_index = k->index;
	k->engine->replicas[k->partition].base_index = k->base_index;
	k->phase = ORD_KEEP_IDLE;
	k->count++;
	k->last_ms = k->engine->now_ms - k->begun_ms;
}

void ord_keep_written(struct ord_keep *k, int status)
{
	char why[1024];
	ORD_ASSERT(k->phase == ORD_KEEP_WRITING);
	if (status == ORD_ERR_NO_SPACE) {
		k->phase = ORD_KEEP_WAITING;
		k->retry_ms = k->engine->now_ms + KEEP_RETRY_MS;
		return;
	}
	ord_changes_clear(
		&k->changes); /* its memory serves the next one: giving back and getting so much takes longer than a turn may */
	if (k->engine->stopped)
		return;
	snprintf(why, sizeof why, "partition %u: its state cannot be written (%s)", k->partition, ord_err_text(status));
	int err = status == ORD_OK ? k->states.renew(k->states.ctx, k->partition, why, sizeof why) : status;
	if (err == ORD_OK) {
		k->phase = ORD_KEEP_FINISHING;
		return;
	}
	if (err == ORD_ERR_CORRUPT && k->engine->nodes_count > 1) {
		k->phase = ORD_KEEP_IDLE;
		if (status == ORD_OK)
			ord_engine_notice(k->engine, ORD_LOG_ERROR, "%s", why);
		ord_fence_damaged(&k->engine->replicas[k->partition]);
		return;
	}
	ord_engine_fatal(k->engine, err, why);
}

void ord_keep_abandon(struct ord_keep *k, uint32_t partition)
{
	if (k->partition != partition || (k->phase != ORD_KEEP_ENCODING && k->phase != ORD_KEEP_WAITING))
		return;
	ord_changes_clear(&k->changes);
	k->phase = ORD_KEEP_IDLE;
}

/* --- When. --- */

struct candidate {
	uint32_t partition;
	uint64_t changed_bytes;
	bool is_old;
};

/* The partition that has changed most, and whether there is one whose changes have waited long; then that one. */
static struct candidate pick(const struct ord_keep *k, uint64_t *ret_changed_bytes)
{
	const struct ord_engine *e = k->engine;
	struct candidate best = {.partition = 0};
	*ret_changed_bytes = 0;
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count) {
		struct ord_checkpoint_status status;
		const struct ord_replica *r = &e->replicas[i];
		if (!ord_replica_is_whole(r)) /* what it has is worth nothing, or about to be replaced */
			continue;
		ord_checkpoint_status(r->partition, &status);
		bool moved = r->applied_index > r->stored_index;
		bool is_old = moved && (r->checkpoint_wanted || e->now_ms - r->checkpoint_ms >= KEEP_AGE_MS);
		*ret_changed_bytes += status.changed_bytes;
		if (is_old > best.is_old || (is_old == best.is_old && status.changed_bytes > best.changed_bytes))
			best = (struct candidate){i, status.changed_bytes, is_old};
	}
	return best;
}

void ord_keep_release(struct ord_keep *k)
{
	struct ord_engine *e = k->engine;
	if (!k->enabled)
		return;
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count) {
		struct ord_group_status group;
		uint64_t index = e->replicas[i].base_index;
		uint64_t held = ord_copy_out_held(e, i);
		ord_host_group_status(e->host, i, &group);
		if (index > held)
			index = held;
		if (index > group.base_index && index <= group.applied_index)
			ord_host_release(e->host, i, index);
	}
}

void ord_keep_want(struct ord_keep *k, uint32_t partition)
{
	k->engine->replicas[partition].checkpoint_wanted = true;
}

bool ord_keep_is_busy(const struct ord_keep *k, uint32_t partition)
{
	return k->phase != ORD_KEEP_IDLE && k->partition == partition;
}

void ord_keep_tick(struct ord_keep *k)
{
	if (!k->enabled)
		return;
	if (k->phase == ORD_KEEP_WAITING && k->engine->now_ms >= k->retry_ms) {
		k->phase = ORD_KEEP_WRITING;
		k->states.write(k->states.ctx, k->partition, &k->changes);
	}
	if (k->phase != ORD_KEEP_IDLE)
		return;
	uint64_t changed_bytes;
	struct candidate best = pick(k, &changed_bytes);
	if (best.is_old || changed_bytes >= k->checkpoint_bytes)
		begin(k, best.partition);
}

/* Of one partition in each turn, each its share of the memory. */
static void evict(struct ord_keep *k)
{
	const struct ord_engine *e = k->engine;
	uint32_t count = ord_engine_owned_count(e);
	k->evicting = (k->evicting + 1) % count;
	ord_checkpoint_evict(partition_of(k, e->shard + k->evicting * e->shards_count), k->memory_bytes / count,
			     e->bounds.checkpoint_rows);
}

bool ord_keep_turn(struct ord_keep *k)
{
	if (!k->enabled)
		return false;
	if (k->phase == ORD_KEEP_ENCODING)
		encode(k);
	else if (k->phase == ORD_KEEP_FINISHING)
		finish(k);
	evict(k);
	return k->phase == ORD_KEEP_ENCODING || k->phase == ORD_KEEP_FINISHING;
}

void ord_keep_status(const struct ord_keep *k, struct ord_keep_status *ret)
{
	*ret = (struct ord_keep_status){.checkpoints_count = k->count, .checkpoint_ms = k->last_ms};
	const struct ord_engine *e = k->engine;
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count) {
		struct ord_checkpoint_status status;
		ord_checkpoint_status(e->replicas[i].partition, &status);
		ret->memory_bytes += status.memory_bytes;
		ret->changed_bytes += status.changed_bytes;
	}
}
