/* SPDX-License-Identifier: Apache-2.0 - where the states of a node's partitions lie, as the engine sees it: a store each, and one writing of a checkpoint at a time. Node and simulator implement it. */
#ifndef ORD_NODE_STATES_H
#define ORD_NODE_STATES_H

#include <stddef.h>
#include <stdint.h>

#include "partition/changes.h"
#include "partition/store.h"

struct ord_states {
	void *ctx; /* borrowed; first argument of all */

	/* The partition's store; valid as long as the states are. Blocks; start-up only. ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_NO_SPACE, ORD_ERR_MISMATCH, ORD_ERR_NOMEM with why, which names the file and the remedy. */
	int (*open)(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size);

	/* Begins to make the changes in the partition's store, all or nothing, durably. Never blocks. The changes stay valid and unchanged until the owner of the interface calls ord_engine_saved() from the same
	 * thread, with ORD_OK, ORD_ERR_NO_SPACE (nothing was changed, the same may be tried again), or ORD_ERR_IO or ORD_ERR_CORRUPT (the node must stop). At most one write is under way. */
	void (*write)(void *ctx, uint32_t partition, const struct ord_changes *changes);

	/* From now on the partition's store reads what the last write has made. ORD_ERR_IO, ORD_ERR_NOMEM. */
	int (*renew)(void *ctx, uint32_t partition);
};

#endif
