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

/* The note of a checkpoint: u32 format, u64 index and u64 term of the last entry applied, u64 the time of the last entry. */
#define NOTE_FORMAT 1
#define NOTE_BYTES 28

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

/* --- Notes. --- */

static void note_put(const struct ord_replica *r, struct ord_bytes *out)
{
	ord_bytes_put_u32(out, NOTE_FORMAT);
	ord_bytes_put_u64(out, r->applied_index);
	ord_bytes_put_u64(out, r->applied_term);
	ord_bytes_put_u64(out, r->entry_us);
	ORD_ASSERT(!out->failed);
}

int ord_keep_find(struct ord_replica *r)
{
	struct ord_slice note;
	int err = ord_checkpoint_note(r->partition, &note);
	if (err != ORD_OK || note.len == 0)
		return err;
	struct ord_reader reader = ord_reader_of(note);
	if (ord_reader_u32(&reader) != NOTE_FORMAT)
		return ORD_ERR_FORMAT;
	r->applied_index = ord_reader_u64(&reader);
	r->applied_term = ord_reader_u64(&reader);
	r->entry_us = ord_reader_u64(&reader);
	if (reader.failed || ord_reader_left(&reader) != 0)
		return ORD_ERR_CORRUPT;
	r->stored_index = r->applied_index;
	r->time_us = r->entry_us;
	return ORD_OK;
}

/* --- One checkpoint. --- */

static struct ord_partition *partition_of(const struct ord_keep *k, uint32_t partition)
{
	return k->engine->replicas[partition].partition;
}

static void begin(struct ord_keep *k, uint32_t partition)
{
	struct ord_replica *r = &k->engine->replicas[partition];
	uint8_t note_bytes[NOTE_BYTES];
	struct ord_bytes note = {.base = note_bytes, .capacity = NOTE_BYTES, .bytes_max = NOTE_BYTES};
	note_put(r, &note);
	ord_trace("checkpoint", partition, r->applied_index);
	ord_checkpoint_begin(r->partition, ord_bytes_slice(&note));
	k->partition = partition;
	k->index = r->applied_index;
	k->begun_ms = k->engine->now_ms;
	r->checkpoint_ms = k->engine->now_ms;
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
	k->phase = ORD_KEEP_IDLE;
	k->count++;
	k->last_ms = k->engine->now_ms - k->begun_ms;
}

void ord_keep_written(struct ord_keep *k, int status)
{
	char why[128];
	ORD_ASSERT(k->phase == ORD_KEEP_WRITING);
	if (status == ORD_ERR_NO_SPACE) {
		k->phase = ORD_KEEP_WAITING;
		k->retry_ms = k->engine->now_ms + KEEP_RETRY_MS;
		return;
	}
	ord_changes_close(&k->changes);
	if (k->engine->stopped)
		return;
	int err = status == ORD_OK ? k->states.renew(k->states.ctx, k->partition) : status;
	if (err == ORD_OK) {
		k->phase = ORD_KEEP_FINISHING;
		return;
	}
	snprintf(why, sizeof why, "partition %u: its state cannot be written or read (%s)", k->partition,
		 ord_err_text(err));
	ord_engine_fatal(k->engine, err, why);
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
	for (uint32_t i = 0; i < e->partitions_count; i++) {
		struct ord_checkpoint_status status;
		ord_checkpoint_status(e->replicas[i].partition, &status);
		bool moved = e->replicas[i].applied_index > e->replicas[i].stored_index;
		bool is_old = moved && e->now_ms - e->replicas[i].checkpoint_ms >= KEEP_AGE_MS;
		*ret_changed_bytes += status.changed_bytes;
		if (is_old > best.is_old || (is_old == best.is_old && status.changed_bytes > best.changed_bytes))
			best = (struct candidate){i, status.changed_bytes, is_old};
	}
	return best;
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
	uint32_t count = k->engine->partitions_count;
	k->evicting = (k->evicting + 1) % count;
	ord_checkpoint_evict(partition_of(k, k->evicting), k->memory_bytes / count, k->engine->bounds.checkpoint_rows);
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
	for (uint32_t i = 0; i < k->engine->partitions_count; i++) {
		struct ord_checkpoint_status status;
		ord_checkpoint_status(k->engine->replicas[i].partition, &status);
		ret->memory_bytes += status.memory_bytes;
		ret->changed_bytes += status.changed_bytes;
	}
}
