/* SPDX-License-Identifier: Apache-2.0 - every message between partitions. */
#include "tests/sim/letters.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "tests/sim/money.h"
#include "tests/sim/observe.h"
#include "tests/sim/world.h"

/* The bytes themselves stand in the outbox until they are trimmed; a copy that comes later is recognised by its hash. */
struct letter {
	uint64_t hash;
	enum ord_message_kind kind;
};

struct lane {
	struct letter *letters; /* owned */
	uint64_t count;
	uint64_t capacity;
};

static struct {
	uint32_t partitions_count;
	struct lane lanes[SIM_PARTITIONS_MAX][SIM_PARTITIONS_MAX]; /* [source][destination] */
} letters;

void sim_letters_open(uint32_t partitions_count)
{
	memset(&letters, 0, sizeof letters);
	letters.partitions_count = partitions_count;
}

void sim_letters_close(void)
{
	for (uint32_t s = 0; s < letters.partitions_count; s++)
		for (uint32_t d = 0; d < letters.partitions_count; d++)
			free(letters.lanes[s][d].letters);
	memset(&letters, 0, sizeof letters);
}

bool sim_letters_is_money(const struct ord_message *m)
{
	return m->kind == ORD_MESSAGE_CREDIT || m->kind == ORD_MESSAGE_REFUND;
}

static void lane_append(struct lane *l, const struct ord_message *m, struct ord_slice bytes)
{
	if (l->count == l->capacity) {
		l->capacity = l->capacity == 0 ? 256 : 2 * l->capacity;
		l->letters = realloc(l->letters, l->capacity * sizeof *l->letters);
		SIM_ASSERT(l->letters != NULL);
	}
	l->letters[l->count++] = (struct letter){.hash = ord_hash64(bytes.base, bytes.len), .kind = m->kind};
	if (sim_letters_is_money(m))
		sim_money_add(m->transfer.asset, m->transfer.amount);
}

static void run_collect(struct lane *l, const struct ord_outbox_run *run)
{
	struct ord_reader r = ord_reader_of(run->messages);

	for (uint32_t i = 0; i < run->count; i++) {
		struct ord_message m;
		size_t begin = r.offset;

		SIM_ASSERT(ord_message_decode(&r, &m) == ORD_OK);
		lane_append(l, &m, ord_slice_of(r.base + begin, r.offset - begin));
	}
}

static void lane_collect(const struct ord_partition *p, uint32_t source, uint32_t destination, uint64_t entry)
{
	struct lane *l = &letters.lanes[source][destination];
	uint64_t next = ord_partition_outbox_next(p, destination);

	if (ord_partition_outbox_first(p, destination) > l->count + 1)
		sim_fail(SIM_SAFETY,
			 "invariant 7: entry %llu of partition %u: messages to %u up to %llu are trimmed, and %llu was "
			 "the last to be sent",
			 (unsigned long long)entry, source, destination,
			 (unsigned long long)ord_partition_outbox_first(p, destination) - 1,
			 (unsigned long long)l->count);
	while (l->count + 1 < next) {
		struct ord_outbox_run run = ord_partition_outbox_peek(p, destination, l->count + 1, UINT32_MAX);

		SIM_ASSERT(run.count > 0 && run.first == l->count + 1);
		run_collect(l, &run);
	}
	if (l->count + 1 > next)
		sim_fail(SIM_SAFETY, "invariant 7: entry %llu of partition %u: message %llu to %u has gone",
			 (unsigned long long)entry, source, (unsigned long long)l->count, destination);
}

void sim_letters_collect(const struct ord_partition *p, uint32_t source, uint64_t entry)
{
	for (uint32_t d = 0; d < letters.partitions_count; d++)
		if (d != source)
			lane_collect(p, source, d, entry);
}

void sim_letters_compare(uint32_t source, uint32_t destination, uint64_t n, struct ord_slice bytes)
{
	const struct lane *l = &letters.lanes[source][destination];

	if (n == 0 || n > l->count)
		sim_fail(SIM_SAFETY, "invariant 7: partition %u is delivered message %llu of %u, which has sent %llu",
			 destination, (unsigned long long)n, source, (unsigned long long)l->count);
	if (ord_hash64(bytes.base, bytes.len) != l->letters[n - 1].hash)
		sim_fail(SIM_SAFETY,
			 "invariant 7: partition %u is delivered message %llu of %u, and it is not what was sent",
			 destination, (unsigned long long)n, source);
}

uint64_t sim_letters_count(uint32_t source, uint32_t destination)
{
	return letters.lanes[source][destination].count;
}

enum ord_message_kind sim_letters_kind(uint32_t source, uint32_t destination, uint64_t n)
{
	const struct lane *l = &letters.lanes[source][destination];

	SIM_ASSERT(n >= 1 && n <= l->count);
	return l->letters[n - 1].kind;
}
