/* SPDX-License-Identifier: Apache-2.0 - the one history of each partition.
 *
 * An entry that some replica is given to apply is committed, for good. So the first one to get it writes it down, and the copy of the partition applies it at once; whoever comes
 * to the same place of the log later, on another node or after a restart, must bring the same bytes, and end in the same state with the same effects (invariant 5). A replica that is
 * fenced applies nothing, and may be the only one that gets an entry before all die: its history has it, and so has the record. */
#include "tests/sim/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "partition/block.h"
#include "partition/invariants.h"
#include "partition/state.h"
#include "tests/sim/coverage.h"
#include "tests/sim/follow.h"
#include "tests/sim/letters.h"
#include "tests/sim/observe.h"
#include "tests/sim/oracle.h"
#include "tests/sim/process.h"
#include "tests/sim/record_wrap.h"
#include "tests/sim/world.h"

/* What applying one entry did. */
struct applied {
	uint64_t index; /* in the log; 0: nobody said */
	uint64_t bytes_hash;
	size_t bytes_count;
	uint64_t effects_hash;
	uint64_t position; /* after it */
	uint64_t state_digest[2];
	uint8_t history_hash[32];
};

struct record_log {
	struct ord_partition *copy; /* owned */
	struct applied *entries;    /* owned */
	uint64_t count;
	uint64_t capacity;
	uint64_t time_us;   /* of the last entry, also when it has no commands */
	struct applied now; /* what the last entry did */
};

static struct {
	uint32_t partitions_count;
	uint32_t nodes_count;
	struct record_log logs[SIM_PARTITIONS_MAX];
	struct ord_partition *copies[SIM_PARTITIONS_MAX];	       /* the same again, as others want them */
	uint64_t applied_count[ORD_NODES_MAX + 1][SIM_PARTITIONS_MAX]; /* by this boot of the node */
	/* Of the last entry that this boot of the node was given, or has in the state that it found. */
	uint64_t given_index[ORD_NODES_MAX + 1][SIM_PARTITIONS_MAX];
	uint32_t boots_count[ORD_NODES_MAX + 1];
	bool harmed[ORD_NODES_MAX + 1];
	bool spoilt[ORD_NODES_MAX + 1][SIM_PARTITIONS_MAX]; /* went astray */
	uint64_t checked_count;				    /* entries of all partitions when all was checked last */
	uint64_t announced; /* index of the entry that is applied next; 0: nobody said */
	uint64_t announced_before;
} record;

/* --- What applying an entry did. --- */

static uint64_t result_hash(const struct ord_result *r, uint64_t seed)
{
	uint64_t fixed[4] = {r->status, r->reason, r->replayed, r->position};
	uint64_t hash = ord_hash64_seed(fixed, sizeof fixed, seed);

	return r->field == NULL ? hash : ord_hash64_seed(r->field, strlen(r->field), hash);
}

static uint64_t effects_hash(const struct ord_effects *fx)
{
	uint64_t hash = fx->outbox_grew;

	for (size_t i = 0; i < fx->replies_count; i++)
		hash = result_hash(&fx->replies[i].result, hash + fx->replies[i].command_number);
	for (size_t i = 0; i < fx->outcomes_count; i++) {
		const struct ord_outcome *o = &fx->outcomes[i];

		hash = result_hash(&o->result, ord_hash64_seed(o->request_id.bytes, sizeof o->request_id.bytes, hash));
	}
	return hash;
}

static struct applied applied_of(const struct ord_partition *p, struct ord_slice entry, const struct ord_effects *fx)
{
	struct ord_partition_status status;
	struct applied a = {
		.bytes_hash = ord_hash64(entry.base, entry.len),
		.bytes_count = entry.len,
		.effects_hash = effects_hash(fx),
	};

	ord_partition_status(p, &status);
	a.position = status.position;
	memcpy(a.state_digest, status.state_digest, sizeof a.state_digest);
	memcpy(a.history_hash, status.history_hash, sizeof a.history_hash);
	return a;
}

/* --- Opening and closing. --- */

void sim_record_open(uint32_t partitions_count, uint32_t nodes_count)
{
	SIM_ASSERT(partitions_count >= 1 && partitions_count <= SIM_PARTITIONS_MAX);
	SIM_ASSERT(nodes_count >= 1 && nodes_count <= ORD_NODES_MAX);
	memset(&record, 0, sizeof record);
	record.partitions_count = partitions_count;
	record.nodes_count = nodes_count;
	for (uint32_t i = 0; i < partitions_count; i++) {
		struct ord_partition_options options = {.id = i, .partitions_count = partitions_count};

		SIM_ASSERT(ord_partition_open(&options, &record.logs[i].copy) == ORD_OK);
		record.copies[i] = record.logs[i].copy;
	}
	sim_oracle_open(partitions_count, record.copies);
	for (uint32_t i = 0; i < partitions_count; i++)
		record.logs[i].now = applied_of(record.copies[i], ord_slice_text(""), sim_oracle_effects());
	sim_follow_open(partitions_count, record.copies);
	sim_observe_open();
}

void sim_record_close(void)
{
	sim_observe_close();
	sim_follow_close();
	sim_oracle_close();
	for (uint32_t i = 0; i < record.partitions_count; i++) {
		ord_partition_close(record.logs[i].copy);
		free(record.logs[i].entries);
	}
	memset(&record, 0, sizeof record);
}

void sim_record_boot(uint32_t node)
{
	SIM_ASSERT(node >= 1 && node <= record.nodes_count);
	memset(record.applied_count[node], 0, sizeof record.applied_count[node]);
	memset(record.given_index[node], 0, sizeof record.given_index[node]);
	if (record.boots_count[node]++ > 0)
		sim_follow_restart();
}

/* --- Replicas that go astray. --- */

void sim_record_spoil(uint32_t node, uint32_t partition)
{
	SIM_ASSERT(node >= 1 && node <= record.nodes_count && partition < record.partitions_count);
	record.spoilt[node][partition] = true;
}

void sim_record_harm(uint32_t node)
{
	SIM_ASSERT(node >= 1 && node <= record.nodes_count);
	record.harmed[node] = true;
}

bool sim_record_is_spoilt(uint32_t node, uint32_t partition)
{
	SIM_ASSERT(node >= 1 && node <= record.nodes_count && partition < record.partitions_count);
	return record.spoilt[node][partition];
}

bool sim_record_any_spoilt(void)
{
	for (uint32_t node = 1; node <= record.nodes_count; node++)
		for (uint32_t i = 0; i < record.partitions_count; i++)
			if (record.spoilt[node][i])
				return true;
	return false;
}

void sim_record_replaced(uint32_t node, uint32_t partition)
{
	if (sim_record_is_spoilt(node, partition))
		sim_cover(SIM_COVER_SPOILT_REPLACED);
	record.spoilt[node][partition] = false;
}

static void spoilt_applied(uint32_t node, uint32_t partition, const struct ord_mark_effect *mark)
{
	if (!mark->compared)
		return;
	if (!mark->differs)
		sim_fail(SIM_SAFETY,
			 "node %u, partition %u: the mark of position %llu does not notice that a balance is another "
			 "one",
			 node, partition, (unsigned long long)mark->said.position);
	sim_cover(SIM_COVER_SPOILT_FOUND);
}

/* --- Where in the log. --- */

void sim_record_announce(uint64_t index, uint64_t index_before)
{
	record.announced = index;
	record.announced_before = index_before;
}

/* How many entries there are up to that index. */
static uint64_t entries_up_to(const struct record_log *l, uint64_t index)
{
	uint64_t low = 0, high = l->count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (l->entries[middle].index <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void sim_record_found(uint32_t node, const struct ord_partition *p, uint64_t index)
{
	const struct record_log *l = &record.logs[p->id];
	uint64_t number = entries_up_to(l, index);
	struct ord_partition_status status;
	struct applied empty = {.position = 0};

	record.applied_count[node][p->id] = number;
	record.given_index[node][p->id] = index;
	const struct applied *a = number == 0 ? &empty : &l->entries[number - 1];
	ord_partition_status(p, &status);
	bool is_right = number > 0 && a->index == index && status.position == a->position &&
			memcmp(status.state_digest, a->state_digest, sizeof a->state_digest) == 0 &&
			memcmp(status.history_hash, a->history_hash, sizeof a->history_hash) == 0;
	if (index == 0 || is_right)
		record.spoilt[node][p->id] = false;
	else if (!record.spoilt[node][p->id])
		sim_fail(SIM_SAFETY,
			 "node %u starts with a state of partition %u at index %llu, position %llu, that nobody had "
			 "there",
			 node, p->id, (unsigned long long)index, (unsigned long long)status.position);
}

void sim_record_found_history(uint32_t node, uint32_t partition, const struct ord_block_end *end)
{
	const struct record_log *l = &record.logs[partition];
	uint64_t number = entries_up_to(l, end->last_index);

	if (end->number == 0)
		return;
	const struct applied *a = number == 0 ? NULL : &l->entries[number - 1];
	if (a == NULL || a->index != end->last_index || a->position != end->next_position ||
	    memcmp(end->chain, a->history_hash, sizeof a->history_hash) != 0)
		sim_fail(SIM_SAFETY, "node %u starts with a history of partition %u up to index %llu that nobody has",
			 node, partition, (unsigned long long)end->last_index);
}

/* The number of the entry that a replica is applying. Nothing may be passed over, nothing may come twice. */
static uint64_t number_of(uint32_t node, uint32_t partition)
{
	struct record_log *l = &record.logs[partition];
	uint64_t number = record.applied_count[node][partition]++;

	if (record.announced == 0)
		return number;
	uint64_t before = number == 0 ? 0 : l->entries[number - 1].index;
	if (before != record.announced_before || (number < l->count && l->entries[number].index != record.announced))
		sim_fail(SIM_SAFETY,
			 "node %u, partition %u applies index %llu after %llu: entry %llu is at %llu, after %llu", node,
			 partition, (unsigned long long)record.announced, (unsigned long long)record.announced_before,
			 (unsigned long long)number,
			 (unsigned long long)(number < l->count ? l->entries[number].index : 0),
			 (unsigned long long)before);
	return number;
}

/* --- The first replica that applies an entry. --- */

static void log_grow(struct record_log *l)
{
	if (l->count < l->capacity)
		return;
	l->capacity = l->capacity == 0 ? 256 : 2 * l->capacity;
	l->entries = realloc(l->entries, l->capacity * sizeof *l->entries);
	SIM_ASSERT(l->entries != NULL);
}

/* The state is what it was before. */
static bool is_unchanged(const struct applied *before, const struct applied *now, const struct ord_effects *fx)
{
	return memcmp(before->state_digest, now->state_digest, sizeof now->state_digest) == 0 &&
	       memcmp(before->history_hash, now->history_hash, sizeof now->history_hash) == 0 &&
	       fx->replies_count == 0 && fx->outcomes_count == 0 && !fx->outbox_grew;
}

static void log_append(struct record_log *l, uint32_t partition, struct ord_slice bytes)
{
	struct ord_effects *fx = sim_oracle_effects();
	struct ord_reader r = ord_reader_of(bytes);
	struct ord_entry_header header;

	SIM_ASSERT(ord_entry_decode(&r, &header) == ORD_OK);
	if (header.time_us < l->time_us)
		sim_fail(SIM_SAFETY,
			 "the time of entry %llu of partition %u is %llu, before that of the one before it, %llu",
			 (unsigned long long)l->count, partition, (unsigned long long)header.time_us,
			 (unsigned long long)l->time_us);
	SIM_ASSERT(__real_ord_partition_apply(l->copy, bytes, fx) == ORD_OK);
	log_grow(l);
	struct applied *a = &l->entries[l->count];
	*a = applied_of(l->copy, bytes, fx);
	a->index = record.announced;
	if (header.commands_count == 0 && !is_unchanged(&l->now, a, fx))
		sim_fail(SIM_SAFETY, "entry %llu of partition %u has no commands, and changes the state or has effects",
			 (unsigned long long)l->count, partition);
	struct sim_entry entry = {
		.partition = partition,
		.number = l->count++,
		.bytes = bytes,
		.begin = l->now.position,
		.end = a->position,
		.time_us = header.time_us,
		.commands_count = header.commands_count,
		.fx = fx,
	};
	if (entry.end != entry.begin + entry.commands_count)
		sim_fail(SIM_SAFETY,
			 "entry %llu of partition %u has %u commands and moves the position from %llu to %llu",
			 (unsigned long long)entry.number, partition, entry.commands_count,
			 (unsigned long long)entry.begin, (unsigned long long)entry.end);
	l->now = *a;
	l->time_us = entry.time_us;
	sim_follow_entry(&entry);
}

/* --- All replicas. --- */

__attribute__((noreturn)) static void replica_differs(uint32_t node, uint32_t partition, uint64_t number,
						      const char *what, const struct applied *first,
						      const struct applied *now)
{
	sim_fail(SIM_SAFETY,
		 "invariant 5: node %u, partition %u, entry %llu: %s (first %zu bytes %016llx, now %zu bytes %016llx; "
		 "position %llu, now %llu; digest %016llx, now %016llx)",
		 node, partition, (unsigned long long)number, what, first->bytes_count,
		 (unsigned long long)first->bytes_hash, now->bytes_count, (unsigned long long)now->bytes_hash,
		 (unsigned long long)first->position, (unsigned long long)now->position,
		 (unsigned long long)first->state_digest[0], (unsigned long long)now->state_digest[0]);
}

static void replica_compare(uint32_t node, uint32_t partition, uint64_t number, const struct applied *now)
{
	const struct applied *first = &record.logs[partition].entries[number];

	if (first->bytes_hash != now->bytes_hash || first->bytes_count != now->bytes_count)
		replica_differs(node, partition, number, "another entry than others applied there", first, now);
	if (first->position != now->position)
		replica_differs(node, partition, number, "another position after it", first, now);
	if (memcmp(first->state_digest, now->state_digest, sizeof first->state_digest) != 0)
		replica_differs(node, partition, number, "another state after it", first, now);
	if (memcmp(first->history_hash, now->history_hash, sizeof first->history_hash) != 0)
		replica_differs(node, partition, number, "another history after it", first, now);
	if (first->effects_hash != now->effects_hash)
		replica_differs(node, partition, number, "other effects of it", first, now);
}

int __wrap_ord_partition_apply(struct ord_partition *p, struct ord_slice entry, struct ord_effects *fx)
{
	const struct sim_process *by = sim_current();
	int rv = __real_ord_partition_apply(p, entry, fx);

	/* What the dead do has not happened. */
	if (by == NULL || !by->is_node || by->state != SIM_UP)
		return rv;
	SIM_ASSERT(by->number <= record.nodes_count && p->id < record.partitions_count);
	struct record_log *l = &record.logs[p->id];
	uint64_t number = number_of(by->number, p->id);
	if (rv == ORD_ERR_CORRUPT && record.harmed[by->number]) {
		record.applied_count[by->number][p->id]--;
		return rv;
	}
	if (rv != ORD_OK)
		sim_fail(SIM_SAFETY, "node %u, partition %u: entry %llu cannot be applied: %s", by->number, p->id,
			 (unsigned long long)number, ord_err_text(rv));
	SIM_ASSERT(number <= l->count);
	if (number == l->count)
		log_append(l, p->id, entry);
	if (record.spoilt[by->number][p->id]) {
		spoilt_applied(by->number, p->id, &fx->mark);
		return rv;
	}
	struct applied now = applied_of(p, entry, fx);
	replica_compare(by->number, p->id, number, &now);
	return rv;
}

/* --- What a replica is given, also when it is fenced and applies nothing. --- */

static void given_again(uint32_t node, uint32_t partition, const struct applied *a, struct ord_slice entry)
{
	if (a->bytes_count != entry.len || a->bytes_hash != ord_hash64(entry.base, entry.len))
		sim_fail(SIM_SAFETY, "node %u, partition %u is given another entry at index %llu than others", node,
			 partition, (unsigned long long)a->index);
}

void sim_record_given(uint32_t node, uint32_t partition, uint64_t index, struct ord_slice entry)
{
	SIM_ASSERT(node >= 1 && node <= record.nodes_count && partition < record.partitions_count);
	struct record_log *l = &record.logs[partition];
	uint64_t number = entries_up_to(l, index);
	uint64_t last_index = number == 0 ? 0 : l->entries[number - 1].index;
	uint64_t given_index = record.given_index[node][partition];

	record.given_index[node][partition] = index;
	if (last_index == index) {
		given_again(node, partition, &l->entries[number - 1], entry);
		return;
	}
	if (number < l->count || given_index != last_index)
		sim_fail(SIM_SAFETY,
			 "node %u, partition %u is given index %llu after %llu: others have %llu before it and %llu "
			 "entries behind it",
			 node, partition, (unsigned long long)index, (unsigned long long)given_index,
			 (unsigned long long)last_index, (unsigned long long)(l->count - number));
	record.announced = index;
	log_append(l, partition, entry);
	sim_cover(SIM_COVER_COMMITTED_UNAPPLIED);
}

/* --- All of it. --- */

/* Checking takes as long as there is much. So while all goes on it is done when a quarter is new, and altogether costs no more than a few times the last; and whenever
 * everything has come to rest, as at the end. */
static bool check_is_due(uint64_t entries_count)
{
	char why[128];
	uint64_t new_count = entries_count - record.checked_count;

	return new_count > 0 && (new_count * 4 >= record.checked_count || sim_record_is_settled(why, sizeof why));
}

void sim_record_check(void)
{
	char why[512];
	uint64_t entries_count = 0;

	for (uint32_t i = 0; i < record.partitions_count; i++)
		entries_count += record.logs[i].count;
	if (!check_is_due(entries_count))
		return;
	record.checked_count = entries_count;
	if (ord_invariants_check(record.copies, record.partitions_count, why, sizeof why) != ORD_OK)
		sim_fail(SIM_SAFETY, "%s", why);
	sim_oracle_check();
	sim_follow_check();
	sim_observe_check();
}

static bool partition_is_settled(uint32_t partition, char *why, size_t why_size)
{
	const struct ord_partition *p = record.copies[partition];
	struct ord_partition_status status;

	ord_partition_status(p, &status);
	if (status.unsettled_count > 0) {
		snprintf(why, why_size, "invariant 8: %llu requests of partition %u have no outcome",
			 (unsigned long long)status.unsettled_count, partition);
		return false;
	}
	for (uint32_t i = 0; i < record.partitions_count; i++) {
		uint64_t count = sim_letters_count(partition, i);
		uint64_t cursor = ord_partition_cursor(record.copies[i], partition);
		uint64_t kept = ord_partition_outbox_next(p, i) - ord_partition_outbox_first(p, i);

		if (cursor == count && kept == 0)
			continue;
		snprintf(why, why_size, "of %llu messages of partition %u to %u %llu are applied, %llu not trimmed",
			 (unsigned long long)count, partition, i, (unsigned long long)cursor, (unsigned long long)kept);
		return false;
	}
	return true;
}

bool sim_record_is_settled(char *why, size_t why_size)
{
	for (uint32_t i = 0; i < record.partitions_count; i++)
		if (!partition_is_settled(i, why, why_size))
			return false;
	return true;
}

/* --- Looking into it. --- */

static const struct record_log *log_of(uint32_t partition)
{
	SIM_ASSERT(partition < record.partitions_count);
	return &record.logs[partition];
}

uint64_t sim_record_position(uint32_t partition)
{
	return log_of(partition)->now.position;
}

struct ord_partition *sim_record_partition(uint32_t partition)
{
	return log_of(partition)->copy;
}

struct sim_record_entry sim_record_entry(uint32_t partition, uint64_t number)
{
	const struct record_log *l = log_of(partition);

	SIM_ASSERT(number < l->count);
	const struct applied *a = &l->entries[number];
	uint64_t begin = number == 0 ? 0 : l->entries[number - 1].position;
	return (struct sim_record_entry){.index = a->index,
					 .bytes_hash = a->bytes_hash,
					 .bytes_count = a->bytes_count,
					 .commands_count = (uint32_t)(a->position - begin)};
}

uint32_t sim_record_partitions_count(void)
{
	return record.partitions_count;
}

uint64_t sim_record_boundary(uint32_t partition, uint64_t position)
{
	const struct record_log *l = log_of(partition);
	uint64_t below = 0,
		 above = l->count; /* entries before `below` end at or before the position, from `above` on behind it */

	SIM_ASSERT(position < l->now.position);
	while (below < above) {
		uint64_t middle = below + (above - below) / 2;

		if (l->entries[middle].position <= position)
			below = middle + 1;
		else
			above = middle;
	}
	return l->entries[below].position;
}

uint64_t sim_record_applied(uint32_t node, uint32_t partition)
{
	SIM_ASSERT(node >= 1 && node <= record.nodes_count && partition < record.partitions_count);
	return record.applied_count[node][partition];
}

uint64_t sim_record_entries(uint32_t partition)
{
	return log_of(partition)->count;
}
