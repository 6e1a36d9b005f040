/* SPDX-License-Identifier: Apache-2.0 - the note that a node keeps with a checkpoint: where in the log the state is, where the log begins, where the history ended. To the partition it is bytes. */
#ifndef ORD_PARTITION_NOTE_H
#define ORD_PARTITION_NOTE_H

#include <stdint.h>

#include "base/bytes.h"
#include "partition/block.h"

#define ORD_NOTE_FORMAT 2u

/* Members of a group, encoded: nine of them with their texts take less than 200 bytes. */
#define ORD_NOTE_MEMBERS_BYTES_MAX 512u

struct ord_note {
	uint64_t
		index; /* of the last entry that the state has in it; its term; the time of the newest entry, with commands or without */
	uint64_t term;
	uint64_t time_us;

	/* A start with this state needs the log after this index alone: what is up to there is in the state, and in the history or among the state's own entries. 0: the log from its beginning. */
	uint64_t base_index;
	uint64_t base_term;
	uint64_t current_term;	  /* of the group when the checkpoint began */
	uint64_t members_index;	  /* of the entry that set the members in force at the base */
	struct ord_slice members; /* its payload; borrowed */

	struct ord_block_end
		end; /* of the history on disk when the checkpoint began: all after it is in the log after the base */
};

/* Asserts that it fits ORD_CHECKPOINT_NOTE_BYTES_MAX. */
void ord_note_encode(const struct ord_note *n, struct ord_bytes *out);

/* members points into in. Reads format 1, too, which knew no base and no history. ORD_ERR_FORMAT: written by a later version. ORD_ERR_CORRUPT: its numbers contradict each other, or it is cut short. */
int ord_note_decode(struct ord_slice in, struct ord_note *ret);

#endif
