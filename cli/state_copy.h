/* SPDX-License-Identifier: Apache-2.0 - a state of one's own: all that a node's last checkpoint has, copied to an LMDB environment in another place, and led on there. */
#ifndef ORD_CLI_STATE_COPY_H
#define ORD_CLI_STATE_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "cli/home.h"
#include "node/lmdb_env.h"
#include "partition/note.h"
#include "partition/partition.h"

struct ord_state_copy {
	struct ord_lmdb_env env;
	struct ord_lmdb_view view;
	struct ord_partition *partition; /* owned; NULL: not open */
	struct ord_note note; /* of the checkpoint that was copied; without members; all zero when there was none */
};

/* Copies the states of all partitions of a node's data directory to to_dir/state, which is there and empty; a partition without a checkpoint gets an empty state. In a process of its own, since damaged pages may
 * end it. Nothing is durable yet. ORD_ERR_CORRUPT, ORD_ERR_MISMATCH, ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM with why. */
int ord_state_copy_make(const struct ord_home *home, uint32_t partitions_count, const char *to_dir, char *why,
			size_t why_size);

/* Opens a copy and the partition in it. *c must stay where it is, and is to be closed in any case. Errors with why. */
int ord_state_copy_open(struct ord_state_copy *c, const char *dir, uint32_t partition, uint32_t partitions_count,
			char *why, size_t why_size);

/* Writes what was applied since, with a note. Nothing may be applied afterwards. Errors with why. */
int ord_state_copy_save(struct ord_state_copy *c, const struct ord_note *note, char *why, size_t why_size);

/* Puts another note in the place of that of a copy which is not open. Errors with why. */
int ord_state_copy_renote(const char *dir, uint32_t partition, uint32_t partitions_count, const struct ord_note *note,
			  char *why, size_t why_size);

/* Tolerates a zeroed one. */
void ord_state_copy_close(struct ord_state_copy *c);

/* Are the states in a data directory, or a backup, what their own numbers say? In a process of its own. ORD_ERR_CORRUPT and other errors with why. */
int ord_state_copy_audit(const struct ord_home *home, uint32_t partitions_count, char *why, size_t why_size);

#endif
