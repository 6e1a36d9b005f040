/* SPDX-License-Identifier: Apache-2.0 - how the state stands in a store: each record as a key and a value that ends with a checksum of both. */
#ifndef ORD_PARTITION_SAVED_H
#define ORD_PARTITION_SAVED_H

#include "partition/changes.h"
#include "partition/posting.h"
#include "partition/state.h"

/* Of the partition's own numbers. */
#define ORD_SAVED_NUMBERS_FORMAT 4

/* Adds to the checkpoint's changes: a row as it is, or that it is gone; the messages that the store has not, and those that it need not have any more; the partition's own numbers; the owner's note. */
void ord_saved_put_row(struct ord_partition *p, const struct ord_row *row);
void ord_saved_put_messages(struct ord_partition *p);
void ord_saved_put_numbers(struct ord_partition *p);
void ord_saved_put_dropped(struct ord_partition *p); /* of p->expiry.saved */
void ord_saved_put_note(struct ord_partition *p, struct ord_slice note);

/* As ord_checkpoint_note. */
int ord_saved_get_note(const struct ord_partition *p, struct ord_slice *ret);

/* Bring a record from the store into memory if it is there; the caller knows that it is not in memory. ORD_OK also when the store has none; ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_saved_get_account(struct ord_partition *p, struct ord_slice account);
int ord_saved_get_name(struct ord_partition *p, struct ord_slice space, struct ord_slice name);
int ord_saved_get_request(struct ord_partition *p, const struct ord_uuid *id);
int ord_saved_get_stage(struct ord_partition *p, const struct ord_uuid *request_id, enum ord_posting_kind kind);

/* Brings the record that a walk of the store has met into memory, unless it is there: of ACCOUNTS, NAMES, REQUESTS and STAGES. ORD_ERR_CORRUPT. */
int ord_saved_load(struct ord_partition *p, enum ord_store_table table, struct ord_slice key, struct ord_slice value);

/* A posting that is not in memory; its slices point into the store. ORD_ERR_IO; ORD_ERR_CORRUPT also when it is not there. */
int ord_saved_get_posting(const struct ord_partition *p, uint64_t ordinal, struct ord_posting_fact *ret);

/* What a stored posting says. */
struct ord_posting_fact ord_saved_posting_fact(const struct ord_stored_posting *s);

/* Fills an empty partition with the numbers and messages that the store has; ORD_OK also when it has nothing. ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_FORMAT (written by a version that this build does
 * not know), ORD_ERR_MISMATCH (another partition's). */
int ord_saved_open(struct ord_partition *p);

#endif
