/* SPDX-License-Identifier: Apache-2.0 - ordaind as a simulated program: what its main() does, and how it is started, stopped, killed and looked into. */
#ifndef ORD_TESTS_SIM_NODE_H
#define ORD_TESTS_SIM_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/engine.h"
#include "tests/sim/process.h"

#define SIM_NODES_MAX 7
#define SIM_SHARDS_MAX 3

struct sim_node_options {
	uint32_t nodes_count;
	uint32_t partitions_count;
	uint32_t shards_count; /* all on the loop of the node's one thread, whose order of work is drawn */
	uint32_t election_timeout_ms;
	uint32_t heartbeat_ms;
	uint64_t segment_bytes;
	uint64_t cache_bytes;
	uint64_t memory_bytes;
	uint64_t reserve_bytes;
	uint64_t checkpoint_bytes;
	uint32_t mark_entries;
	struct ord_bounds bounds;
};

void sim_nodes_open(const struct sim_node_options *options);
void sim_nodes_close(void);

/* Whom to tell that a node is down, whatever way it ended; NULL: nobody. */
void sim_nodes_on_down(void (*fn)(uint32_t node));

/* Nodes have ids from 1. Starts it unless it runs; false when it refused to start (the reason is in the trace). */
bool sim_node_start(uint32_t node);
/* Lets the next start, or what follows it, end at that I/O: killed, or with the power gone. */
void sim_node_plan_death(uint32_t node, uint64_t at_io, bool power);
/* Its files are damaged while it runs: it may read that, and go on from what it read even when the disk is mended. */
void sim_node_harm(uint32_t node);
/* Its disk and its states are as new. It must be down. */
void sim_node_wipe(uint32_t node);
/* A death that was planned does not come. */
void sim_node_spare(uint32_t node);
/* kill -9: at once, or in the middle of what it does at its I/O number `after_ios` from now on (0: at once). */
void sim_node_kill(uint32_t node, uint64_t after_ios);
/* The machine loses power, at once or then: as kill, and what is not on the platter is gone. The other side of its connections is not told. */
void sim_node_power_loss(uint32_t node, uint64_t after_ios);
/* SIGTERM: it says goodbye in order. */
void sim_node_stop(uint32_t node);

/* The program that runs now syncs a file. Fails the run when that is the loop of a node that has started: a disk may take long, and others would take the node for dead. */
void sim_node_syncs(void);

struct sim_process *sim_node_process(uint32_t node);
struct ord_uuid sim_node_cluster(void);
bool sim_node_is_up(uint32_t node);
uint32_t sim_nodes_count(void);

/* True when its last start was refused because its files are damaged. */
bool sim_node_is_damaged(uint32_t node);

/* How long it has been down; 0 when it is not. */
uint64_t sim_node_down_us(uint32_t node);

/* Shards have numbers from 0. */
uint32_t sim_shards_count(void);

/* What decides for a partition there, and what runs a shard; NULL unless the node is up. */
const struct ord_engine *sim_node_engine(uint32_t node, uint32_t partition);
const struct ord_shard *sim_node_shard(uint32_t node, uint32_t shard);

/* The files of a shard's log ("/data/wal/") and history; literals. */
const char *sim_node_wal_files(uint32_t shard);
const char *sim_node_history_files(uint32_t shard);
/* The log of a shard of the node is damaged and was not mended. */
bool sim_node_log_is_damaged(uint32_t node);

#endif
