/* SPDX-License-Identifier: Apache-2.0 - what a partition knows: its records and the struct that holds them. For partition/ and its tests only. */
#ifndef ORD_PARTITION_STATE_H
#define ORD_PARTITION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "partition/chain.h"
#include "partition/changes.h"
#include "partition/command.h"
#include "partition/digest.h"
#include "partition/effects.h"
#include "partition/expire.h"
#include "partition/outbox.h"
#include "partition/partition.h"
#include "partition/pool.h"
#include "partition/row.h"
#include "partition/store.h"
#include "partition/stored.h"

/* Records begin with their row, which begins with its table link, so that a link is its record. Texts stand at the end of the record, one after the other. */

struct ord_account {
	struct ord_row row;
	ord_balance balance;
	uint64_t identity;	  /* hash of what never changes; stands for the account in digests */
	struct ord_digest digest; /* of what changes, as it now is: state, balance, count of postings */
	int64_t floor;
	int64_t ceiling;
	uint64_t opened_us;
	uint64_t postings_count;
	uint64_t last_ordinal;		       /* of the newest posting, when there is one */
	uint64_t ordinals[ORD_POSTING_LEVELS]; /* of the newest posting whose number 16, 256, ... divides */
	uint8_t state;			       /* enum ord_account_state */
	uint8_t id_bytes;
	uint8_t asset_bytes;
	uint8_t text[]; /* id, asset */
};

struct ord_name {
	struct ord_row row;
	struct ord_uuid request_id; /* of the claim or reassign that made it so */
	uint64_t position;	    /* of the same */
	uint64_t since_us;
	uint8_t space_bytes;
	uint8_t name_bytes;
	uint8_t owner_bytes;
	uint8_t text[]; /* namespace, name, owner */
};

struct ord_request {
	struct ord_row row;
	struct ord_uuid id;
	uint64_t position; /* of the command that logged it */
	uint64_t logged_us;
	uint64_t decided_us; /* 0 while accepted */
	uint8_t kind;	     /* enum ord_command_kind */
	uint8_t status;	     /* enum ord_status */
	uint8_t field;	     /* place + 1, in the kind's field list, of the field that the refusal names; 0: none */
	uint16_t reason;     /* enum ord_refusal */
	uint16_t body_bytes;
	uint8_t body[]; /* the command's fields as they were encoded */
};

/* What a stage of a transfer did here, by (request id, kind): the second look at the request id where money moves (transfer.c). */
struct ord_stage {
	struct ord_row row;
	struct ord_uuid request_id;
	uint64_t ordinal; /* of its posting, when it posted */
	uint32_t home;
	uint16_t reason; /* enum ord_refusal; NONE when it posted */
	uint8_t kind;	 /* enum ord_posting_kind */
	bool is_posting; /* it is the beginning of a struct ord_posting; otherwise the posting, if any, is in the store */
	bool is_apart; /* in no table and not to be stored: only its posting counts, since its request id had expired */
};

struct ord_posting {
	struct ord_stage stage;
	uint64_t account;  /* its identity */
	uint64_t number;   /* within the account, from 1 */
	uint64_t previous; /* ordinal of the account's posting before it */
	uint64_t
		earlier; /* ordinal of the one that lies the greatest power of 16 before it that divides its number, if that is 16 or more */
	int64_t amount;	       /* above zero */
	int64_t balance_after; /* INT64_MAX when it is more than that */
	uint64_t position;
	uint64_t time_us;
	uint8_t counterparty_bytes;
	uint8_t counterparty[];
};

/* Postings in memory, by ordinal: the newest ones without a gap. */
struct ord_posting_ring {
	struct ord_posting **places; /* owned; a power of two of them */
	uint64_t capacity;
	uint64_t first; /* ordinal of the oldest one in memory; the next new one gets the partition's postings_count */
};

/* none --begin--> encoding --step, the last one--> encoded --take--> writing --finish, the last one--> none (partition/checkpoint.h) */
enum ord_checkpoint_phase {
	ORD_CHECKPOINT_NONE = 0,
	ORD_CHECKPOINT_ENCODING,
	ORD_CHECKPOINT_ENCODED,
	ORD_CHECKPOINT_WRITING
};

struct ord_checkpoint {
	enum ord_checkpoint_phase phase;
	struct ord_changes changes; /* owned */
	struct ord_bytes value;	    /* owned; one value while it is made */
	size_t cursor;		    /* of frozen rows: encoded, later made clean */
};

/* How far the store has an outbox. */
struct ord_outbox_saved {
	uint64_t first;
	uint64_t next;
};

struct ord_partition {
	uint32_t id;
	uint32_t partitions_count;
	const struct ord_store *store; /* borrowed; NULL: everything stays in memory */

	struct ord_pool pool; /* all records */
	struct ord_rows rows;
	struct ord_table accounts;
	struct ord_table names;
	struct ord_table requests;
	struct ord_table stages;
	struct ord_posting_ring postings;
	struct ord_checkpoint checkpoint;
	struct ord_expiry expiry;
	struct ord_outbox_saved *outboxes_saved; /* owned; as outboxes */
	struct ord_outbox *outboxes;		 /* owned; one for each partition of the cluster, its own stays empty */
	uint64_t *cursors;			 /* owned; one for each partition of the cluster */

	uint64_t position; /* of the command that is being applied, or of the next one */
	uint64_t entries_count;
	uint64_t time_us;
	uint64_t time_before_us; /* before the entry that was applied last */
	uint64_t accounts_count;
	uint64_t names_count;
	uint64_t requests_count; /* ever */
	uint64_t unsettled_count;
	uint64_t postings_count;
	uint64_t ignored_count; /* stages and outcomes that changed nothing: decided before, or from nowhere */
	uint64_t outbox_count;
	uint64_t outbox_bytes;
	struct ord_digest digest; /* of all records, outboxes and cursors */
	struct ord_chain chain;
	struct ord_mark_status marks; /* of this replica alone, no part of the state */

	/* While an entry is applied. */
	struct ord_effects *fx;	  /* borrowed; NULL outside of apply */
	struct ord_message local; /* the message to this same partition that waits, when local_waits */
	bool local_waits;
};

/* For the calling thread's use while an entry is applied: sends m on to a partition. To this same one: it is processed in the same command. A
 * stage sends one message at most, so one waits at most. */
void ord_partition_emit(struct ord_partition *p, uint32_t destination, const struct ord_message *m);

/* The state digest as of another time of the last entry. */
void ord_partition_digest_at(const struct ord_partition *p, uint64_t time_us, uint64_t ret[2]);

/* The state digest made anew from every record; equal to status.state_digest, or memory or store has changed by itself. Loads all (ord_state_load_all). ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_partition_digest_recompute(struct ord_partition *p, uint64_t ret[2]);

/* The state digest whose part of accounts, names, requests and stages is given: the rest is in memory. */
void ord_partition_digest_close(const struct ord_partition *p, struct ord_digest records, uint64_t ret[2]);

static inline struct ord_slice ord_account_id(const struct ord_account *a)
{
	return ord_slice_of(a->text, a->id_bytes);
}

static inline struct ord_slice ord_account_asset(const struct ord_account *a)
{
	return ord_slice_of(a->text + a->id_bytes, a->asset_bytes);
}

static inline struct ord_slice ord_name_space(const struct ord_name *n)
{
	return ord_slice_of(n->text, n->space_bytes);
}

static inline struct ord_slice ord_name_name(const struct ord_name *n)
{
	return ord_slice_of(n->text + n->space_bytes, n->name_bytes);
}

static inline struct ord_slice ord_name_owner(const struct ord_name *n)
{
	return ord_slice_of(n->text + n->space_bytes + n->name_bytes, n->owner_bytes);
}

static inline struct ord_slice ord_posting_counterparty(const struct ord_posting *posting)
{
	return ord_slice_of(posting->counterparty, posting->counterparty_bytes);
}

/* Brings all that is in the store into memory, but postings: for checks of the whole state. Nothing may be evicted before they are done. ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_state_load_all(struct ord_partition *p);

/* Walks over all records of a kind that are in memory, in no particular order: begin with *cursor 0 and previous NULL; NULL after the last. */
static inline struct ord_account *ord_state_next_account(const struct ord_partition *p, uint64_t *cursor,
							 struct ord_account *previous)
{
	return (struct ord_account *)ord_table_next(&p->accounts, cursor, (struct ord_table_link *)previous);
}

static inline struct ord_name *ord_state_next_name(const struct ord_partition *p, uint64_t *cursor,
						   struct ord_name *previous)
{
	do
		previous = (struct ord_name *)ord_table_next(&p->names, cursor, (struct ord_table_link *)previous);
	while (previous != NULL && (previous->row.flags & ORD_ROW_REMOVED) != 0);
	return previous;
}

static inline struct ord_request *ord_state_next_request(const struct ord_partition *p, uint64_t *cursor,
							 struct ord_request *previous)
{
	return (struct ord_request *)ord_table_next(&p->requests, cursor, (struct ord_table_link *)previous);
}

/* Stages that refused (reason set) and stages that posted (NONE). */
static inline struct ord_stage *ord_state_next_stage(const struct ord_partition *p, uint64_t *cursor,
						     struct ord_stage *previous)
{
	return (struct ord_stage *)ord_table_next(&p->stages, cursor, (struct ord_table_link *)previous);
}

#endif
