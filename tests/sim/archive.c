/* SPDX-License-Identifier: Apache-2.0 - the histories that nodes have on their disks. */
#include "tests/sim/archive.h"

#include <stdio.h>

#include "base/err.h"
#include "base/hash.h"
#include "node/engine_state.h"
#include "node/history.h"
#include "node/history_read.h"
#include "tests/sim/coverage.h"
#include "tests/sim/node.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"

/* When a node was first asked whether its history is whole, and had been through how many rounds of its scrub: damage that was there then is found by the second one after. */
static uint64_t rounds_at_first[SIM_NODES_MAX + 1][SIM_SHARDS_MAX];
static uint64_t boots_at_first[SIM_NODES_MAX + 1][SIM_SHARDS_MAX];

struct archive {
	uint32_t node;
	uint32_t partition;
	uint64_t number;     /* of the next entry that all have applied */
	uint64_t last_index; /* of the last one seen on the disk */
};

/* The next one with commands: the others are not in the history. */
static bool next_entry(struct archive *a, struct sim_record_entry *ret)
{
	uint64_t count = sim_record_entries(a->partition);
	while (a->number < count) {
		*ret = sim_record_entry(a->partition, a->number++);
		if (ret->commands_count > 0)
			return true;
	}
	return false;
}

static void block_check(struct archive *a, const struct ord_block *block)
{
	struct ord_block_cursor cursor = ord_block_cursor_of(&block->header, block->content);
	struct ord_block_entry e;
	while (ord_block_next(&cursor, &e) == ORD_OK) {
		struct sim_record_entry known;
		if (!next_entry(a, &known) || known.index != e.index || known.bytes_count != e.bytes.len ||
		    known.bytes_hash != ord_hash64(e.bytes.base, e.bytes.len))
			sim_fail(
				SIM_SAFETY,
				"node %u, partition %u: block %llu of its history has another entry at index %llu than "
				"was applied",
				a->node, a->partition, (unsigned long long)block->header.number,
				(unsigned long long)e.index);
		a->last_index = e.index;
	}
}

static int blocks_check(struct archive *a, struct ord_history_reader *reader)
{
	struct ord_block block;
	int err = ORD_OK;
	for (uint64_t number = 1; err == ORD_OK; number++) {
		err = ord_history_read_number(reader, number, &block);
		if (err == ORD_OK) {
			block_check(a, &block);
			sim_cover(SIM_COVER_BLOCK_CHECKED);
		}
	}
	return err;
}

static void archive_check(struct archive *a, const struct ord_engine *e)
{
	struct ord_history_reader_options options = {.directory =
							     sim_node_history_files(a->partition % sim_shards_count()),
						     .cluster = sim_node_cluster(),
						     .partition = a->partition};
	struct ord_history_reader *reader = NULL;
	int err = ord_history_reader_open(&options, &reader);
	if (err == ORD_OK)
		err = blocks_check(a, reader);
	if (err != ORD_ERR_NOT_FOUND)
		sim_fail(SIM_SAFETY, "node %u, partition %u: its history cannot be read: %s", a->node, a->partition,
			 reader == NULL ? ord_err_text(err) : ord_history_reader_error_text(reader));
	ord_history_reader_close(reader);
	if (a->last_index < e->replicas[a->partition].archived.last_index)
		sim_fail(SIM_SAFETY,
			 "node %u, partition %u: its history ends at index %llu, and it was told that %llu is on disk",
			 a->node, a->partition, (unsigned long long)a->last_index,
			 (unsigned long long)e->replicas[a->partition].archived.last_index);
}

void sim_archive_check(uint32_t nodes_count, uint32_t partitions_count)
{
	for (uint32_t node = 1; node <= nodes_count; node++) {
		struct sim_process *before = sim_enter(sim_node_process(node));
		for (uint32_t i = 0; i < partitions_count; i++) {
			const struct ord_engine *e = sim_node_engine(node, i);
			struct archive a = {.node = node, .partition = i};
			if (e != NULL)
				archive_check(&a, e);
		}
		sim_enter(before);
	}
}

static void status_cover(uint32_t node, const struct ord_history_status *s, const struct ord_scrub_status *log)
{
	if (s->damaged_count > 0)
		sim_cover(SIM_COVER_HISTORY_ASIDE);
	if (s->filled_count > 0)
		sim_cover(SIM_COVER_HISTORY_FILLED);
	if (s->rounds_count > 0)
		sim_cover(SIM_COVER_HISTORY_SCRUBBED);
	if (s->compared_count > 0)
		sim_cover(SIM_COVER_HISTORY_COMPARED);
	if (log->damaged_logs_count > 0)
		sim_cover(SIM_COVER_LOG_DAMAGE_FOUND);
	if (s->different_count > 0)
		sim_fail(SIM_SAFETY, "node %u has another history than one of its peers", node);
}

static void shard_status(uint32_t node, uint32_t shard, struct ord_history_status *ret,
			 struct ord_scrub_status *ret_log)
{
	struct sim_process *before = sim_enter(sim_node_process(node));
	ord_shard_history_status(sim_node_shard(node, shard), ret);
	ord_shard_scrub_status(sim_node_shard(node, shard), ret_log);
	sim_enter(before);
	status_cover(node, ret, ret_log);
}

void sim_archive_watch(void)
{
	for (uint32_t node = 1; node <= sim_nodes_count(); node++)
		for (uint32_t i = 0; i < sim_shards_count(); i++) {
			struct ord_history_status s;
			struct ord_scrub_status log;
			if (sim_node_shard(node, i) != NULL)
				shard_status(node, i, &s, &log);
		}
}

bool sim_archive_has_all(uint32_t node)
{
	bool has_all = true;
	struct sim_process *before = sim_enter(sim_node_process(node));
	for (uint32_t i = 0; i < sim_shards_count(); i++) {
		struct ord_history_status s;
		ord_shard_history_status(sim_node_shard(node, i), &s);
		has_all = has_all && s.surveyed && s.missing_count == 0;
	}
	sim_enter(before);
	return has_all;
}

static bool shard_is_whole(uint32_t node, uint32_t shard, char *why, size_t why_size)
{
	struct ord_history_status s;
	struct ord_scrub_status log;
	shard_status(node, shard, &s, &log);
	uint64_t boots = sim_node_process(node)->boots_count;
	if (boots_at_first[node][shard] != boots) {
		boots_at_first[node][shard] = boots;
		rounds_at_first[node][shard] = s.rounds_count;
	}
	bool scrubbed = s.rounds_count >= rounds_at_first[node][shard] + 2;
	if (s.surveyed && scrubbed && s.missing_count == 0)
		return true;
	snprintf(why, why_size, "node %u, shard %u: %llu blocks of its history are missing, %llu rounds of its scrub",
		 node, shard, (unsigned long long)s.missing_count, (unsigned long long)s.rounds_count);
	return false;
}

bool sim_archive_is_whole(char *why, size_t why_size)
{
	bool is_whole = true;
	for (uint32_t node = 1; node <= sim_nodes_count(); node++)
		for (uint32_t i = 0; i < sim_shards_count(); i++) {
			if (sim_node_shard(node, i) == NULL) {
				snprintf(why, why_size, "node %u is down", node);
				return false;
			}
			is_whole = shard_is_whole(node, i, why, why_size) && is_whole; /* all begin to wait at once */
		}
	return is_whole;
}
