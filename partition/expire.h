/* SPDX-License-Identifier: Apache-2.0 - request ids that are so old that nothing is known of them any more: the watermark in the state, and dropping their records from the store.
 *
 * An id is expired when its own time (UUIDv7) lies before the watermark. What a client asks under it is refused, and no stage is looked for or recorded under it, whether a record is still there or not: so records may be dropped
 * whenever there is time, and on each replica at another time. Two kinds of request stay as they were: one without an outcome, and one whose id lay ahead of the log's time when it was logged. */
#ifndef ORD_PARTITION_EXPIRE_H
#define ORD_PARTITION_EXPIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/command.h"
#include "partition/digest.h"
#include "partition/store.h"

struct ord_partition;
struct ord_request;

/* Records that were dropped, and postings that never got a stage: each replica's own. With them the digest goes on to be that of all records there ever were. */
struct ord_dropped {
	struct ord_digest digest;
	uint64_t requests_count;
	uint64_t stages_count;
	uint64_t posted_count; /* of those stages */
};

/* The two tables that are swept. */
#define ORD_EXPIRE_TABLES 2

struct ord_expiry {
	uint64_t watermark_ms; /* part of the state; 0: nothing ever expires */
	struct ord_dropped dropped;

	/* Of the checkpoint that is under way. */
	uint64_t sweep_ms;			  /* the watermark that it has */
	struct ord_dropped saved;		  /* what it says was dropped */
	uint64_t sweep_left;			  /* so many records more are looked at */
	size_t sweep_table;			  /* the table that is swept now */
	struct ord_bytes keys[ORD_EXPIRE_TABLES]; /* owned; of what it drops, in order */

	/* From one checkpoint to the next. */
	uint8_t from[ORD_EXPIRE_TABLES][ORD_STORE_KEY_BYTES_MAX]; /* where the sweep goes on */
	size_t from_bytes[ORD_EXPIRE_TABLES];
	bool passed_over[ORD_EXPIRE_TABLES]; /* something that was in memory: it has to come again */
	uint64_t swept_ms
		[ORD_EXPIRE_TABLES]; /* the watermark up to which it has been through; what comes into the store later waits for the next */
};

void ord_expire_init(struct ord_expiry *e);
void ord_expire_close(struct ord_expiry *e);

/* The processor of EXPIRE: the watermark never goes back, and stays behind the log's time. */
void ord_expire_apply(struct ord_partition *p, const struct ord_expire *c);

bool ord_expire_is_old(const struct ord_partition *p, const struct ord_uuid *id);

/* True when nothing may be said of that id but that it is expired. r: its record, if one is there. */
bool ord_expire_request(const struct ord_partition *p, const struct ord_uuid *id, const struct ord_request *r);

/* True when the record of that id, with this status (enum ord_status) and time of logging, may be dropped. */
bool ord_expire_record(const struct ord_partition *p, const struct ord_uuid *id, uint8_t status, uint64_t logged_us);

/* A stage of an expired id was done, or refused, and leaves no record: its digest, and whether it posted. */
void ord_expire_stage(struct ord_partition *p, const struct ord_digest *digest, bool posted);

/* Sweeping, as a part of a checkpoint: begin with it; step looks at up to rows_max records of the store and drops the expired ones that are not in memory, true when no more are to be looked at; finish when what it
 * wrote is read. A store that fails ends the sweep, and nothing else. */
void ord_expire_begin(struct ord_partition *p, uint64_t rows_max);
bool ord_expire_step(struct ord_partition *p, size_t rows_max);
void ord_expire_finish(struct ord_partition *p);

/* True when the checkpoint under way takes that record out of the store: then it is not to be read from there. */
bool ord_expire_is_swept(const struct ord_partition *p, enum ord_store_table table, struct ord_slice key);

#endif
