/* SPDX-License-Identifier: Apache-2.0 - what of the partitions' logs a node has in its checkpoints and not in its history: read from its files, while it runs or not; never written. */
#ifndef ORD_CLI_TAILS_H
#define ORD_CLI_TAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/folder.h"
#include "cli/home.h"
#include "partition/note.h"

/* Of one partition. A checkpoint proves that the entries up to its own are committed, those after the last block of history among them, which are in the write-ahead log alone. */
struct ord_tail {
	bool has_checkpoint;
	struct ord_note note; /* of the newest checkpoint; without members */
	uint64_t position;    /* of that checkpoint */
	uint8_t history_hash[ORD_CHAIN_BYTES];
	uint64_t wanted_index; /* given by the owner: */
	uint64_t
		due_index; /* the last entry with commands, of those in the log after the checkpoint and up to wanted_index; 0: none */
	uint64_t
		log_index; /* the last entry in the log, committed or not, or the one that it goes on behind; 0: none, as in a log that was begun anew */
	uint64_t log_term; /* its term */
	uint64_t base_index; /* what the log goes on behind, when it says so; 0: it does not */

	/* The entries with commands between note.end and the checkpoint, as a block has them. is_whole: they are all there, by the history hash. */
	struct ord_bytes content; /* owned */
	bool is_whole;
};

/* What the entries of one tail may take; a node whose history is further behind has to be waited for. */
#define ORD_TAIL_BYTES_MAX (64u << 20)

struct ord_tails {
	uint32_t count;
	struct ord_tail *tails; /* owned; by partition */

	/* What was wrong with the log when it was read last. */
	char damage[ORD_FOLDER_WHY_SIZE]; /* the first place that is damaged: file, offset, what; "": none is */
	char unfinished
		[ORD_FOLDER_WHY_SIZE]; /* where it ends with what is no whole batch: one that is being written, or, when it stays, damage; "": it does not */
};

/* Makes tails that know nothing yet. ORD_ERR_NOMEM. */
int ord_tails_open(struct ord_tails *t, uint32_t partitions_count);

/* Tolerates tails that were not opened. */
void ord_tails_close(struct ord_tails *t);

/* Reads what the checkpoints say. *ret_changed: one of them is another one than before. ORD_ERR_CORRUPT (damaged), ORD_ERR_FORMAT, ORD_ERR_MISMATCH (written by another version), ORD_ERR_IO, ORD_ERR_NOMEM, with why. */
int ord_tails_look(struct ord_tails *t, const struct ord_home *home, bool *ret_changed, char *why, size_t why_size);

/* Reads the write-ahead log, and takes the entries between history and checkpoint. Where is_whole is false afterwards, the node has written meanwhile, or the log is damaged: then t->damage or t->unfinished says so. What
 * else stands in the damaged parts is not known: due_index and log_index may be too low. ORD_ERR_NOT_FOUND: there is no log; ORD_ERR_IO, ORD_ERR_NOMEM, with why. */
int ord_tails_read(struct ord_tails *t, const struct ord_home *home, char *why, size_t why_size);

/* Has the log lost the entry with that index and term, which was its last one, to a later leader? Terms never fall along a log, so a shorter log that ends in a later term has. One that was begun anew, and gets its entries
 * again, is shorter as well, but ends in no later term before it has that entry. */
bool ord_tail_has_overruled(const struct ord_tail *t, uint64_t index, uint64_t term);

#endif
