/* SPDX-License-Identifier: Apache-2.0 - a partition: the fold over one log. apply is the only way to change it; all else reads. */
#ifndef ORD_PARTITION_PARTITION_H
#define ORD_PARTITION_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/command.h"
#include "partition/effects.h"
#include "partition/store.h"

struct ord_partition;

struct ord_partition_options {
	uint32_t id;		   /* 0 .. partitions_count - 1 */
	uint32_t partitions_count; /* of the cluster */
	const struct ord_store *
		store; /* borrowed until close; where checkpoints go (partition/checkpoint.h). NULL: everything stays in memory */
};

/* Makes a partition with the state that the store has, an empty one when it has none. ORD_ERR_NOMEM, and of the store ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_FORMAT (written by another version),
 * ORD_ERR_MISMATCH (of another partition). The caller owns *ret and closes it. */
int ord_partition_open(const struct ord_partition_options *options, struct ord_partition **ret);

/* Frees all of it. NULL is fine. */
void ord_partition_close(struct ord_partition *p);

/* Applies the commands of one committed entry, in order; fx is cleared and filled. An entry without commands changes nothing. Deterministic: equal partitions given equal bytes end
 * equal, on any machine, whoever leads. Total: what a client could cause is a refusal in fx. An error means that the bytes are no entry that
 * this build understands (ORD_ERR_FORMAT, ORD_ERR_TRUNCATED, ORD_ERR_MISMATCH), or that the store failed or is damaged (ORD_ERR_IO, ORD_ERR_CORRUPT): nothing was applied and the replica must stop.
 * Running out of memory aborts. */
int ord_partition_apply(struct ord_partition *p, struct ord_slice entry, struct ord_effects *fx);

/* What came of the marks that this replica applied since it was opened. Replicas of equal state may differ in it. */
struct ord_mark_status {
	uint64_t equal_count;
	uint64_t differing_count;
	uint64_t behind_count;	 /* of another position than this replica's, so that nothing could be compared */
	uint64_t equal_position; /* of the last one that was equal; 0 also when there was none */
};

/* A mark of this replica as it is now: for an entry that has nothing else in it, proposed while no other is under way. */
void ord_partition_mark(const struct ord_partition *p, struct ord_mark *ret);

/* Makes a fault on purpose, for tests: the account's balance changes here and not in the log, as if it had been computed wrong. ORD_ERR_NOT_FOUND: no such account is in memory. */
int ord_partition_spoil(struct ord_partition *p, struct ord_slice account, int64_t delta);

/* The offset of the next command: how many were applied. */
uint64_t ord_partition_position(const struct ord_partition *p);

/* The state at this moment in numbers. */
struct ord_partition_status {
	uint64_t position; /* offset of the next command: how many were applied */
	uint64_t entries_count;
	uint64_t time_us;	  /* of the last entry */
	uint64_t state_digest[2]; /* over all state, independent of memory layout and of the cut into entries */
	uint8_t history_hash[32]; /* SHA-256 chain over all entries: H(previous, entry) */
	uint64_t accounts_count;
	uint64_t names_count;	  /* with an owner */
	uint64_t requests_count;  /* ever */
	uint64_t unsettled_count; /* transfers of this partition without outcome */
	uint64_t outbox_count;	  /* messages not yet trimmed, all destinations */
	uint64_t outbox_bytes;
	uint64_t ignored_count; /* stages and outcomes that came again or from nowhere: 0 in a healthy cluster */
	uint64_t expired_ms;	/* request ids of an earlier time are expired; 0: none is */
	uint64_t
		newest_ms; /* time of the newest request id, of those that do not lie ahead of the log; 0: none has a time */
	struct ord_mark_status marks;
};
void ord_partition_status(const struct ord_partition *p, struct ord_partition_status *ret);

/* The messages owed to destination from number `from` on: a run of at most bytes_max bytes (at least one message when there is any).
 * A run also ends where its piece of memory does (64 KiB): go on from first + count. The slice is valid until the next apply. count 0 when there
 * are none. Asserts that `from` was not trimmed: use ord_partition_outbox_first. */
struct ord_outbox_run {
	uint64_t first;
	uint32_t count;
	struct ord_slice messages;
};
struct ord_outbox_run ord_partition_outbox_peek(const struct ord_partition *p, uint32_t destination, uint64_t from,
						size_t bytes_max);

/* Number of the first untrimmed message to destination, and the number that the next new message will get (numbers begin at 1). */
uint64_t ord_partition_outbox_first(const struct ord_partition *p, uint32_t destination);
uint64_t ord_partition_outbox_next(const struct ord_partition *p, uint32_t destination);

/* Number of the last message from source that was applied here, 0 when none. */
uint64_t ord_partition_cursor(const struct ord_partition *p, uint32_t source);

/* --- Reading. Slices point into the state: valid until the next apply, step of a checkpoint or eviction. All give ORD_OK, ORD_ERR_NOT_FOUND, or of the store ORD_ERR_IO, ORD_ERR_CORRUPT. --- */

struct ord_account_view {
	struct ord_slice account;
	struct ord_slice asset;
	enum ord_account_state state;
	int64_t balance; /* INT64_MAX when refunds lifted it higher; the exact one is kept inside */
	int64_t floor;
	int64_t ceiling;
	uint64_t postings_count;
	uint64_t opened_us;
};
int ord_partition_account(struct ord_partition *p, struct ord_slice account, struct ord_account_view *ret);

enum ord_posting_kind { ORD_POSTING_DEBIT = 1, ORD_POSTING_CREDIT = 2, ORD_POSTING_REFUND = 3 };
const char *ord_posting_kind_name(enum ord_posting_kind kind); /* "debit", "credit", "refund" */

struct ord_posting_view {
	uint64_t number; /* within the account, from 1 */
	enum ord_posting_kind kind;
	struct ord_uuid request_id;
	struct ord_slice counterparty;
	int64_t amount;	       /* above zero */
	int64_t balance_after; /* as balance */
	uint64_t position;     /* offset in this partition */
	uint64_t time_us;
};
/* Fills up to views_max postings of the account with numbers from `from` (1 is the first) up. *ret_count tells how many. */
int ord_partition_history(struct ord_partition *p, struct ord_slice account, uint64_t from,
			  struct ord_posting_view *views, size_t views_max, size_t *ret_count);

struct ord_request_view {
	struct ord_command command; /* what was asked */
	struct ord_result result;   /* what is known; replayed is false */
	uint64_t logged_us;
	uint64_t decided_us; /* 0 while accepted */
};
/* Also ORD_ERR_EXPIRED: nothing is known any more of an id of that time. */
int ord_partition_request(struct ord_partition *p, const struct ord_uuid *id, struct ord_request_view *ret);

struct ord_name_view {
	struct ord_slice owner;
	struct ord_uuid request_id; /* of the claim or reassign that made it so */
	uint64_t position;	    /* of the same: grows with each change of owner, so it can fence */
	uint64_t since_us;
};
int ord_partition_name(struct ord_partition *p, struct ord_slice space, struct ord_slice name,
		       struct ord_name_view *ret);

#endif
