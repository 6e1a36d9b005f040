/* SPDX-License-Identifier: Apache-2.0 - what a partition knows: its records and the struct that holds them. For partition/ and its tests only. */
#ifndef ORD_PARTITION_STATE_H
#define ORD_PARTITION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "partition/chain.h"
#include "partition/command.h"
#include "partition/digest.h"
#include "partition/effects.h"
#include "partition/outbox.h"
#include "partition/partition.h"
#include "partition/pool.h"

/* Records begin with their table link, so that a link is its record. Texts stand at the end of the record, one after the other. */

struct ord_posting;

/* Wider than an amount: a refund always succeeds, and together with credits that came meanwhile it can pass 2^63-1. */
typedef __int128 ord_balance;

struct ord_account {
	struct ord_table_link link;
	ord_balance balance;
	uint64_t identity;	  /* hash of what never changes; stands for the account in digests */
	struct ord_digest digest; /* of what changes, as it now is: state, balance, count of postings */
	int64_t floor;
	int64_t ceiling;
	uint64_t opened_us;
	struct ord_posting **postings; /* owned; a vector, posting number n at place n - 1 */
	uint32_t postings_count;
	uint32_t postings_capacity;
	uint8_t state; /* enum ord_account_state */
	uint8_t id_bytes;
	uint8_t asset_bytes;
	uint8_t text[]; /* id, asset */
};

struct ord_name {
	struct ord_table_link link;
	struct ord_uuid request_id; /* of the claim or reassign that made it so */
	uint64_t position;	    /* of the same */
	uint64_t since_us;
	uint8_t space_bytes;
	uint8_t name_bytes;
	uint8_t owner_bytes;
	uint8_t text[]; /* namespace, name, owner */
};

struct ord_request {
	struct ord_table_link link;
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
	struct ord_table_link link;
	struct ord_uuid request_id;
	uint32_t home;
	uint16_t
		reason; /* enum ord_refusal: NONE when it posted, and then the stage is the beginning of a struct ord_posting */
	uint8_t kind; /* enum ord_posting_kind */
};

struct ord_posting {
	struct ord_stage stage;
	struct ord_account *account; /* borrowed */
	uint64_t number;	     /* within the account, from 1 */
	int64_t amount;		     /* above zero */
	int64_t balance_after;	     /* INT64_MAX when it is more than that */
	uint64_t position;
	uint64_t time_us;
	uint8_t counterparty_bytes;
	uint8_t counterparty[];
};

struct ord_partition {
	uint32_t id;
	uint32_t partitions_count;

	struct ord_pool pool; /* accounts, requests, stages, postings */
	struct ord_table accounts;
	struct ord_table names; /* its records are owned one by one */
	struct ord_table requests;
	struct ord_table stages;
	struct ord_outbox *outboxes; /* owned; one for each partition of the cluster, its own stays empty */
	uint64_t *cursors;	     /* owned; one for each partition of the cluster */

	uint64_t position; /* of the command that is being applied, or of the next one */
	uint64_t entries_count;
	uint64_t time_us;
	uint64_t unsettled_count;
	uint64_t postings_count;
	uint64_t ignored_count; /* stages and outcomes that changed nothing: decided before, or from nowhere */
	uint64_t outbox_count;
	uint64_t outbox_bytes;
	struct ord_digest digest; /* of all records, outboxes and cursors */
	struct ord_chain chain;

	/* While an entry is applied. */
	struct ord_effects *fx;	  /* borrowed; NULL outside of apply */
	struct ord_message local; /* the message to this same partition that waits, when local_waits */
	bool local_waits;
};

/* For the calling thread's use while an entry is applied: sends m on to a partition. To this same one: it is processed in the same command. A
 * stage sends one message at most, so one waits at most. */
void ord_partition_emit(struct ord_partition *p, uint32_t destination, const struct ord_message *m);

/* The state digest made anew from every record; equal to status.state_digest, or memory has changed by itself. */
void ord_partition_digest_recompute(const struct ord_partition *p, uint64_t ret[2]);

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

/* Walks over all records of a kind, in no particular order: begin with *cursor 0 and previous NULL; NULL after the last. */
static inline struct ord_account *ord_state_next_account(const struct ord_partition *p, uint64_t *cursor,
							 struct ord_account *previous)
{
	return (struct ord_account *)ord_table_next(&p->accounts, cursor, (struct ord_table_link *)previous);
}

static inline struct ord_name *ord_state_next_name(const struct ord_partition *p, uint64_t *cursor,
						   struct ord_name *previous)
{
	return (struct ord_name *)ord_table_next(&p->names, cursor, (struct ord_table_link *)previous);
}

static inline struct ord_request *ord_state_next_request(const struct ord_partition *p, uint64_t *cursor,
							 struct ord_request *previous)
{
	return (struct ord_request *)ord_table_next(&p->requests, cursor, (struct ord_table_link *)previous);
}

/* Stages that refused (reason set) and stages that posted (NONE: cast to struct ord_posting). All postings are also in their accounts' vectors. */
static inline struct ord_stage *ord_state_next_stage(const struct ord_partition *p, uint64_t *cursor,
						     struct ord_stage *previous)
{
	return (struct ord_stage *)ord_table_next(&p->stages, cursor, (struct ord_table_link *)previous);
}

#endif
