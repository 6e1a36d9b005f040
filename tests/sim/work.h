/* SPDX-License-Identifier: Apache-2.0 - programs that use the cluster: what they ask for, when, and that they check what they are told (observe.h). */
#ifndef ORD_TESTS_SIM_WORK_H
#define ORD_TESTS_SIM_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/process.h"

/* What a seed decides about the work of all clients. */
struct sim_work_options {
	uint32_t clients_count;
	uint32_t partitions_count;
	uint32_t accounts_count; /* of each asset, issuers apart */
	uint32_t assets_count;
	uint32_t names_count;
	uint32_t operations_max; /* all clients together; then no new ones begin but repeats and reads */
	uint64_t pause_us_max;	 /* a client waits up to so long between operations */
	uint32_t batch_max;	 /* commands in one submit */
	uint32_t parallel_max;	 /* operations of one client under way */
	uint64_t lasts_us;	 /* new operations are spread over so long from the start on; 0: the work decides */
	bool batches;		 /* most submits are batches, and large */
	bool asks_nodes;	 /* clients ask one node or another, which passes it on */
	bool reads_nodes;	 /* reads of what was just told ask any node, whoever leads */
	bool reads_back;	 /* whatever a client is told, another one reads at once */
	unsigned stale_percent;	 /* of the reads that may be stale, but the last ones, which must see everything */
	bool zipf;		 /* few accounts have most of the work */
	bool tight;		 /* ceilings and balances that are reached all the time */
	const char *addresses;	 /* of the nodes, "node1:4001,node2:4001" */
};

void sim_work_open(const struct sim_work_options *options);
/* Buries the clients that are up and frees all. */
void sim_work_close(void);

/* Each client is a program (process.h) with a loop; starts all of them. */
void sim_work_start(void);

/* A client ends without a word, at once or at one of its next I/Os, and starts again after a while, with the same ids in mind; for the nemesis. Numbers are from 1. Nothing when
 * it is down. */
void sim_work_crash(uint32_t client);

/* No new operations from now on, but each request of which a client does not know the outcome is asked again until it does. */
void sim_work_finish(void);

/* After sim_work_finish: everybody knows the outcome of everything, and nothing is under way. False with why while that is not so. */
bool sim_work_is_finished(char *why, size_t why_size);

/* Operations begun, and those of which the outcome is known. */
void sim_work_counts(uint64_t *ret_begun, uint64_t *ret_known);

#endif
