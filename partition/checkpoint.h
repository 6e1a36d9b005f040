/* SPDX-License-Identifier: Apache-2.0 - checkpoints: what changed since the last one, as it is at one position, for a store to write while the partition goes on.
 *
 *   begin          ends the epoch: what is written is the state at this position, whatever is applied later
 *   step ... step  encodes the changed records, as many at a time as the caller has time for; one that is about to change again is encoded before (partition/row.c)
 *   take           moves the encoded changes out: a store writes them, and what the caller adds, all or nothing
 *   finish ...     when they are durable, and the store reads from then on what they have made: the records may leave memory */
#ifndef ORD_PARTITION_CHECKPOINT_H
#define ORD_PARTITION_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "partition/changes.h"
#include "partition/partition.h"

struct ord_row;

/* What the owner knows of the log at that position, kept with the state: it is not the partition's. */
#define ORD_CHECKPOINT_NOTE_BYTES_MAX 1024

/* Asserts that the partition has a store and no checkpoint is under way, and the bounds of the note: not empty. */
void ord_checkpoint_begin(struct ord_partition *p, struct ord_slice note);

/* Gives the next checkpoint the memory of an empty list of changes to use; *spare owns nothing afterwards. Asserts that none is under way. */
void ord_checkpoint_lend(struct ord_partition *p, struct ord_changes *spare);

/* The note of the checkpoint that the partition was opened with; empty when there was none. Valid until another one is written and the store led to it. ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_checkpoint_note(const struct ord_partition *p, struct ord_slice *ret);

/* Encodes up to rows_max records. True when all are; then take. */
bool ord_checkpoint_step(struct ord_partition *p, size_t rows_max);

/* The changes; the caller closes them. */
struct ord_changes ord_checkpoint_take(struct ord_partition *p);

/* Goes on with up to rows_max records. True when the checkpoint is over, and another one may begin. */
bool ord_checkpoint_finish(struct ord_partition *p, size_t rows_max);

/* How much a checkpoint that began now would write, roughly, and how much memory the records take. */
struct ord_checkpoint_status {
	bool under_way;
	uint64_t changed_count;
	uint64_t changed_bytes;
	uint64_t memory_bytes;
	uint64_t clean_bytes; /* of them: may leave memory */
};
void ord_checkpoint_status(const struct ord_partition *p, struct ord_checkpoint_status *ret);

/* Lets records that are in the store leave memory, those first that were not used for long, until all take bytes_max or less, or rows_max were looked at. Views become invalid. */
void ord_checkpoint_evict(struct ord_partition *p, uint64_t bytes_max, size_t rows_max);

/* For partition/row.c: a record of the checkpoint under way is about to change. */
void ord_checkpoint_encode(struct ord_partition *p, struct ord_row *row);

#endif
