/* SPDX-License-Identifier: Apache-2.0 - measures, again and again, how much room is left on a directory's file system. The loop never waits for it. */
#ifndef ORD_NODE_GAUGE_H
#define ORD_NODE_GAUGE_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "node/room.h"

struct ord_gauge;
struct ord_faults_disk;

/* With less than that a node does not start: opening the state of a partition takes some pages that must be there. */
#define ORD_GAUGE_START_BYTES(partitions_count) ((64u << 10) + (uint64_t)(partitions_count) * (16u << 10))

struct ord_gauge_options {
	uv_loop_t *loop;
	const char *directory;	/* copied */
	uint64_t reserve_bytes; /* as ord_room_init */
	uint64_t needs_bytes;
	uint64_t start_bytes;		/* what has to be there at the start */
	struct ord_faults_disk *faults; /* borrowed; says on purpose that nothing is free, NULL: never */

	/* What the owner is about to write. */
	uint64_t (*waiting_bytes)(void *ctx);

	/* There is a sample; the state was before, and may be the same. Not called for the first sample: look at ord_gauge_room. */
	void (*sampled)(void *ctx, enum ord_room_state before);
	void *ctx; /* borrowed; first argument of both */
};

/* Takes the first sample at once, and the others from the loop. ORD_ERR_NO_SPACE (less than start_bytes), ORD_ERR_IO, ORD_ERR_NOMEM, with why (why_size bytes): the directory and the remedy.
 * The caller owns *ret. */
int ord_gauge_start(const struct ord_gauge_options *options, struct ord_gauge **ret, char *why, size_t why_size);

/* The last sample and what it means; valid until stop. */
const struct ord_room *ord_gauge_room(const struct ord_gauge *g);

/* Waits for the sample under way, calls stopped from the loop and frees g. */
void ord_gauge_stop(struct ord_gauge *g, void (*stopped)(void *ctx), void *ctx);

#endif
