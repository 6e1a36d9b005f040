/* SPDX-License-Identifier: Apache-2.0 - the states of a node in memory, which outlive its engine: checkpoints are durable when a test lets them be, copies can be opened, are asked for and never read, begun and not filled. */
#ifndef ORD_TESTS_SUPPORT_NODE_STATES_H
#define ORD_TESTS_SUPPORT_NODE_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "node/engine.h"
#include "node/states.h"
#include "tests/support/memory_store.h"

#define NODE_STATES_PARTITIONS_MAX 8

struct node_states {
	uint32_t partitions_count;
	struct memory_store kept[NODE_STATES_PARTITIONS_MAX]; /* on the disk */
	struct memory_store seen[NODE_STATES_PARTITIONS_MAX]; /* by the engine */
	struct memory_store views[ORD_STATES_COPIES_MAX];
	bool copied[ORD_STATES_COPIES_MAX];
	unsigned copy_reads_count;	 /* that were begun */
	const struct ord_changes *write; /* borrowed; under way, NULL: none */
	uint32_t write_partition;
	bool holds; /* writes begin, and do not end */
	bool full;  /* writes end for want of room */
};

/* Empty ones. The struct must stay where it is. */
void node_states_open(struct node_states *s, uint32_t partitions_count);
void node_states_close(struct node_states *s);

/* For one engine after the other. The scrub and setting a state aside fail the test. */
struct ord_states node_states_interface(struct node_states *s);

/* A write that is not held ends. */
void node_states_step(struct node_states *s, struct ord_engine *e);

/* The engine was stopped, and is about to be closed: a write under way is lost. */
void node_states_crash(struct node_states *s, struct ord_engine *e);

#endif
