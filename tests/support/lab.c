/* SPDX-License-Identifier: Apache-2.0 - a cluster without a network. */
#include "tests/support/lab.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "partition/checkpoint.h"

static struct ord_partition *partition_new(const struct lab *l, uint32_t id)
{
	struct ord_partition_options options = {.id = id, .partitions_count = l->partitions_count};
	struct ord_partition *p = NULL;

	ORD_ASSERT(ord_partition_open(&options, &p) == ORD_OK);
	return p;
}

static struct ord_partition *partition_stored(const struct lab *l, uint32_t id)
{
	struct ord_partition_options options = {
		.id = id, .partitions_count = l->partitions_count, .store = &l->stores[id].store.interface};
	struct ord_partition *p = NULL;

	ORD_ASSERT(ord_partition_open(&options, &p) == ORD_OK);
	return p;
}

void lab_open(struct lab *l, uint32_t partitions_count)
{
	ORD_ASSERT(partitions_count >= 1 && partitions_count <= LAB_PARTITIONS_MAX);
	memset(l, 0, sizeof *l);
	l->partitions_count = partitions_count;
	ord_effects_init(&l->fx);
	for (uint32_t i = 0; i < partitions_count; i++)
		l->partitions[i] = partition_new(l, i);
}

void lab_open_stored(struct lab *l, uint32_t partitions_count)
{
	lab_open(l, partitions_count);
	l->stores = calloc(partitions_count, sizeof *l->stores);
	ORD_ASSERT(l->stores != NULL);
	for (uint32_t i = 0; i < partitions_count; i++) {
		memory_store_open(&l->stores[i].store);
		lab_replace(l, i, partition_stored(l, i));
	}
}

static void letters_close(struct lab_letters *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->letters[i].bytes);
	free(s->letters);
}

void lab_close(struct lab *l)
{
	for (uint32_t i = 0; i < l->partitions_count; i++) {
		ord_partition_close(l->partitions[i]);
		for (size_t c = 0; c < l->logs[i].count; c++)
			free(l->logs[i].commands[c].bytes);
		free(l->logs[i].commands);
		for (uint32_t d = 0; d < l->partitions_count; d++)
			letters_close(&l->letters[i][d]);
		if (l->stores != NULL) {
			memory_store_close(&l->stores[i].store);
			ord_changes_close(&l->stores[i].changes);
		}
	}
	free(l->stores);
	ord_effects_close(&l->fx);
}

/* Room for one more record; dies when there is no memory. */
static void *grow(void *base, size_t count, size_t *capacity, size_t record_bytes)
{
	if (count < *capacity)
		return base;
	*capacity = *capacity == 0 ? 64 : *capacity * 2;
	base = realloc(base, *capacity * record_bytes);
	ORD_ASSERT(base != NULL);
	return base;
}

static uint8_t *copy(const void *base, size_t len)
{
	uint8_t *bytes = malloc(len == 0 ? 1 : len);

	ORD_ASSERT(bytes != NULL);
	memcpy(bytes, base, len);
	return bytes;
}

static void log_append(struct lab_log *log, const struct ord_command *c, uint64_t time_us, bool begins_entry)
{
	struct ord_bytes b;

	ord_bytes_init(&b, ORD_ENTRY_BYTES_MAX);
	ord_command_encode(c, &b);
	ORD_ASSERT(!b.failed);
	log->commands = grow(log->commands, log->count, &log->capacity, sizeof *log->commands);
	log->commands[log->count++] = (struct lab_command){
		.bytes = copy(b.base, b.len),
		.len = b.len,
		.time_us = time_us,
		.begins_entry = begins_entry,
	};
	ord_bytes_close(&b);
}

/* Applies the log's commands first .. end - 1 as one entry. */
static void apply_range(struct ord_partition *p, const struct lab_log *log, size_t first, size_t end,
			struct ord_effects *fx)
{
	struct ord_bytes b;

	ord_bytes_init(&b, ORD_ENTRY_BYTES_MAX);
	ord_entry_begin(&b, log->commands[first].time_us);
	for (size_t i = first; i < end; i++)
		ord_bytes_put(&b, log->commands[i].bytes, log->commands[i].len);
	ord_entry_end(&b, (uint32_t)(end - first));
	ORD_ASSERT(!b.failed);
	ORD_ASSERT(ord_partition_apply(p, ord_bytes_slice(&b), fx) == ORD_OK);
	ord_bytes_close(&b);
}

static void collect_run(struct lab_letters *s, const struct ord_outbox_run *run)
{
	struct ord_reader r = ord_reader_of(run->messages);
	struct ord_message m;

	ORD_ASSERT(run->first == s->count + 1);
	for (uint32_t i = 0; i < run->count; i++) {
		size_t begin = r.offset;

		ORD_ASSERT(ord_message_decode(&r, &m) == ORD_OK);
		s->letters = grow(s->letters, s->count, &s->capacity, sizeof *s->letters);
		s->letters[s->count++] = (struct lab_letter){
			.bytes = copy(r.base + begin, r.offset - begin),
			.len = r.offset - begin,
		};
	}
	ORD_ASSERT(ord_reader_left(&r) == 0);
}

static void collect(struct lab *l, uint32_t source)
{
	struct ord_partition *p = l->partitions[source];

	for (uint32_t d = 0; d < l->partitions_count; d++) {
		struct lab_letters *s = &l->letters[source][d];

		while (s->count + 1 < ord_partition_outbox_next(p, d)) {
			struct ord_outbox_run run = ord_partition_outbox_peek(p, d, s->count + 1, 4096);

			ORD_ASSERT(run.count > 0);
			collect_run(s, &run);
		}
	}
}

void lab_apply(struct lab *l, uint32_t partition, const struct ord_command *commands, size_t commands_count,
	       uint64_t time_us)
{
	struct lab_log *log = &l->logs[partition];
	size_t first = log->count;

	ORD_ASSERT(partition < l->partitions_count && commands_count > 0);
	for (size_t i = 0; i < commands_count; i++)
		log_append(log, &commands[i], time_us, i == 0);
	apply_range(l->partitions[partition], log, first, log->count, &l->fx);
	collect(l, partition);
}

struct ord_command lab_deliver(const struct lab *l, uint32_t source, uint32_t destination, uint64_t first,
			       uint32_t count)
{
	const struct lab_letters *s = &l->letters[source][destination];
	struct ord_bytes b;

	ORD_ASSERT(first >= 1 && count >= 1 && first + count - 1 <= s->count);
	ord_bytes_init(&b, ORD_DELIVER_BYTES_MAX);
	for (uint64_t n = first; n < first + count; n++)
		ord_bytes_put(&b, s->letters[n - 1].bytes, s->letters[n - 1].len);
	ORD_ASSERT(!b.failed);
	return (struct ord_command){
		.kind = ORD_COMMAND_DELIVER,
		.deliver = {.source = source, .first = first, .count = count, .messages = ord_bytes_slice(&b)},
	};
}

/* Applies the log from the partition's position on, up to commands_count. */
static void replay_on(struct ord_partition *p, const struct lab_log *log, size_t commands_count)
{
	struct ord_partition_status status;
	struct ord_effects fx;

	ORD_ASSERT(commands_count <= log->count);
	ord_effects_init(&fx);
	ord_partition_status(p, &status);
	for (size_t first = status.position, end = first + 1; end <= commands_count; end++) {
		if (end < log->count && !log->commands[end].begins_entry)
			continue;
		apply_range(p, log, first, end, &fx);
		first = end;
	}
	ord_effects_close(&fx);
}

struct ord_partition *lab_replay(const struct lab *l, uint32_t partition, size_t commands_count)
{
	struct ord_partition *p = partition_new(l, partition);

	replay_on(p, &l->logs[partition], commands_count);
	return p;
}

struct ord_partition *lab_resplit(const struct lab *l, uint32_t partition, struct random *r)
{
	const struct lab_log *log = &l->logs[partition];
	struct ord_partition *p = partition_new(l, partition);
	struct ord_effects fx;
	size_t first = 0;

	ord_effects_init(&fx);
	for (size_t end = 1; end <= log->count; end++) {
		bool same_time = end < log->count && log->commands[end].time_us == log->commands[first].time_us;

		if (same_time && random_chance(r, 70))
			continue;
		apply_range(p, log, first, end, &fx);
		first = end;
	}
	ord_effects_close(&fx);
	return p;
}

void lab_replace(struct lab *l, uint32_t partition, struct ord_partition *replacement)
{
	ord_partition_close(l->partitions[partition]);
	l->partitions[partition] = replacement;
}

/* begin, step ..., take | written, finish ... */
void lab_checkpoint(struct lab *l, uint32_t partition, size_t rows_max)
{
	struct ord_partition *p = l->partitions[partition];
	struct lab_store *s = &l->stores[partition];
	struct ord_checkpoint_status status;

	ord_checkpoint_status(p, &status);
	if (!status.under_way) {
		ord_checkpoint_begin(p, ord_slice_text("a note"));
	} else if (s->taken) {
		if (s->changes.count > 0) {
			memory_store_write(&s->store, &s->changes);
			ord_changes_close(&s->changes);
		}
		s->taken = !ord_checkpoint_finish(p, rows_max);
	} else if (ord_checkpoint_step(p, rows_max)) {
		s->changes = ord_checkpoint_take(p);
		s->taken = true;
	}
}

void lab_checkpoint_whole(struct lab *l, uint32_t partition, size_t rows_max)
{
	struct ord_checkpoint_status status;

	do {
		lab_checkpoint(l, partition, rows_max);
		ord_checkpoint_status(l->partitions[partition], &status);
	} while (status.under_way);
}

void lab_restart(struct lab *l, uint32_t partition)
{
	struct lab_store *s = &l->stores[partition];
	struct ord_partition *p = partition_stored(l, partition);

	replay_on(p, &l->logs[partition], l->logs[partition].count);
	if (s->taken)
		ord_changes_close(&s->changes);
	s->taken = false;
	lab_replace(l, partition, p);
}
