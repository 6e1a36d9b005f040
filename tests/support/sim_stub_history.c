/* SPDX-License-Identifier: Apache-2.0 - a cluster without network and Raft, for the checkers. */
#include "tests/support/sim_stub_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "partition/route.h"
#include "tests/sim/record.h"
#include "tests/support/partition_build.h"
#include "tests/support/sim_stub_record.h"

#define ENTRIES_MAX 256

struct kept {
	uint8_t *bytes; /* owned */
	size_t len;
};

static struct {
	struct ord_partition *replicas[HISTORY_NODES + 1][HISTORY_PARTITIONS];
	struct kept entries[HISTORY_PARTITIONS][ENTRIES_MAX];
	size_t entries_count[HISTORY_PARTITIONS];
	struct ord_effects fx;
	struct ord_bytes entry; /* here, and not on the stack: a run that fails does not come back */
	uint64_t time_us;
} history;

static void replicas_open(uint32_t node)
{
	for (uint32_t i = 0; i < HISTORY_PARTITIONS; i++) {
		struct ord_partition_options options = {.id = i, .partitions_count = HISTORY_PARTITIONS};

		ord_partition_close(history.replicas[node][i]);
		ORD_ASSERT(ord_partition_open(&options, &history.replicas[node][i]) == ORD_OK);
	}
	sim_record_boot(node);
}

struct history_names history_open(void)
{
	struct history_names names = {
		.bank = build_account_in("bank", 0, HISTORY_PARTITIONS),
		.alice = build_account_in("alice", 1, HISTORY_PARTITIONS),
		.bob = build_account_in("bob", 2, HISTORY_PARTITIONS),
		.nobody = build_account_in("nobody", 2, HISTORY_PARTITIONS),
	};

	memset(&history, 0, sizeof history);
	ord_effects_init(&history.fx);
	ord_bytes_init(&history.entry, ORD_ENTRY_BYTES_MAX);
	history.time_us = 1000000;
	sim_stub_record_enter(0, SIM_UP);
	sim_record_open(HISTORY_PARTITIONS, HISTORY_NODES);
	for (uint32_t node = 1; node <= HISTORY_NODES; node++)
		replicas_open(node);
	history_command(build_open("o1", names.bank, "EUR", -1000, INT64_MAX));
	history_command(build_open("o2", names.alice, "EUR", 0, INT64_MAX));
	history_command(build_open("o3", names.bob, "EUR", 0, 500));
	return names;
}

void history_close(void)
{
	sim_stub_record_enter(0, SIM_UP);
	sim_record_close();
	for (uint32_t i = 0; i < HISTORY_PARTITIONS; i++) {
		for (uint32_t node = 1; node <= HISTORY_NODES; node++)
			ord_partition_close(history.replicas[node][i]);
		for (size_t n = 0; n < history.entries_count[i]; n++)
			free(history.entries[i][n].bytes);
	}
	ord_effects_close(&history.fx);
	ord_bytes_close(&history.entry);
}

/* The bytes are valid until the next call. */
static struct ord_slice encode(const struct ord_command *commands, size_t count, uint64_t time_us)
{
	struct ord_bytes *out = &history.entry;

	ord_bytes_clear(out);
	ord_entry_begin(out, time_us);
	for (size_t i = 0; i < count; i++)
		ord_command_encode(&commands[i], out);
	ord_entry_end(out, (uint32_t)count);
	ORD_ASSERT(!out->failed);
	return ord_bytes_slice(out);
}

static void apply_on(uint32_t node, uint32_t partition, struct ord_slice entry)
{
	sim_stub_record_enter(node, SIM_UP);
	ord_partition_apply(history.replicas[node][partition], entry, &history.fx);
	sim_stub_record_enter(0, SIM_UP);
}

static void keep(uint32_t partition, struct ord_slice entry)
{
	struct kept *k = &history.entries[partition][history.entries_count[partition]++];

	ORD_ASSERT(history.entries_count[partition] <= ENTRIES_MAX);
	k->bytes = malloc(entry.len);
	ORD_ASSERT(k->bytes != NULL);
	memcpy(k->bytes, entry.base, entry.len);
	k->len = entry.len;
}

struct ordain_str history_str(struct ord_slice s)
{
	return (struct ordain_str){.base = s.base, .len = s.len};
}

const char *history_id(const char *stem, uint32_t partition)
{
	return build_id_in(stem, partition, HISTORY_PARTITIONS);
}

struct ord_command history_transfer(const char *stem, uint32_t home, const char *payer, const char *payee,
				    int64_t amount)
{
	return build_transfer(history_id(stem, home), payer, payee, amount);
}

void history_log(uint32_t partition, const struct ord_command *commands, size_t count)
{
	struct ord_slice entry = encode(commands, count, history.time_us += 1000);

	keep(partition, entry);
	for (uint32_t node = 1; node <= HISTORY_NODES; node++)
		apply_on(node, partition, entry);
}

uint32_t history_command(struct ord_command c)
{
	uint32_t partition = ord_route_command(&c, HISTORY_PARTITIONS);

	history_log(partition, &c, 1);
	return partition;
}

void history_log_on(uint32_t node, uint32_t partition, const struct ord_command *commands, size_t count,
		    uint64_t time_us)
{
	apply_on(node, partition, encode(commands, count, time_us));
}

uint64_t history_time_us(void)
{
	return history.time_us;
}

void history_restart(uint32_t node, uint64_t count)
{
	replicas_open(node);
	for (uint32_t i = 0; i < HISTORY_PARTITIONS; i++)
		for (size_t n = 0; n < history.entries_count[i] && n < count; n++)
			apply_on(node, i, ord_slice_of(history.entries[i][n].bytes, history.entries[i][n].len));
}

struct ord_command history_deliver(uint32_t source, uint32_t destination, uint64_t first, uint32_t count)
{
	const struct ord_partition *p = sim_record_partition(source);
	struct ord_outbox_run run = ord_partition_outbox_peek(p, destination, first, UINT32_MAX);
	struct ord_reader r = ord_reader_of(run.messages);

	ORD_ASSERT(run.first == first && run.count >= count);
	for (uint32_t i = 0; i < count; i++) {
		struct ord_message m;

		ORD_ASSERT(ord_message_decode(&r, &m) == ORD_OK);
	}
	return (struct ord_command){
		.kind = ORD_COMMAND_DELIVER,
		.deliver = {source, first, count, ord_slice_of(run.messages.base, r.offset)},
	};
}

bool history_move(uint32_t source, uint32_t destination)
{
	uint64_t cursor = ord_partition_cursor(sim_record_partition(destination), source);
	uint64_t next = ord_partition_outbox_next(sim_record_partition(source), destination);

	if (cursor + 1 >= next)
		return false;
	struct ord_command d = history_deliver(source, destination, cursor + 1, (uint32_t)(next - cursor - 1));
	struct ord_command t = {.kind = ORD_COMMAND_TRIM, .trim = {destination, next - 1}};
	history_log(destination, &d, 1);
	history_log(source, &t, 1);
	return true;
}

void history_settle(void)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (uint32_t s = 0; s < HISTORY_PARTITIONS; s++)
			for (uint32_t d = 0; d < HISTORY_PARTITIONS; d++)
				moved |= s != d && history_move(s, d);
	}
}

struct ord_partition *history_copy(uint32_t partition)
{
	return (struct ord_partition *)sim_record_partition(partition);
}

struct ord_partition *history_replica(uint32_t node, uint32_t partition)
{
	return history.replicas[node][partition];
}
