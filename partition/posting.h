/* SPDX-License-Identifier: Apache-2.0 - postings: every movement of an account's balance, and the record of stages by which none happens twice. */
#ifndef ORD_PARTITION_POSTING_H
#define ORD_PARTITION_POSTING_H

#include "partition/ahead.h"
#include "partition/command.h"
#include "partition/state.h"

/* A posting, from memory or from the store; the view's slices are valid as those of all views. */
struct ord_posting_fact {
	struct ord_posting_view view;
	uint64_t account; /* its identity (struct ord_account) */
	uint64_t previous;
	uint64_t earlier;
	uint32_t home;
};

/* What the stage of this kind did here for the request id; NULL when it has not been here. */
const struct ord_stage *ord_posting_find(const struct ord_partition *p, const struct ord_uuid *request_id,
					 enum ord_posting_kind kind);

/* As ord_account_ahead. */
int ord_posting_ahead(struct ord_ahead *ahead, const struct ord_uuid *request_id, enum ord_posting_kind kind);

/* The posting with that ordinal; asserts that there is one. ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_posting_get(const struct ord_partition *p, uint64_t ordinal, struct ord_posting_fact *ret);

/* The ordinal of the account's posting with that number; asserts that there is one. ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_posting_seek(const struct ord_partition *p, const struct ord_account *a, uint64_t number, uint64_t *ret);

/* The record of the account's posting with that number, NULL when it is not in memory. Asserts that there is such a posting. */
struct ord_posting *ord_posting_record(const struct ord_partition *p, const struct ord_account *a, uint64_t number);

/* Makes a stage without its posting and puts it into the table; its row is the caller's to add. */
struct ord_stage *ord_posting_make_stage(struct ord_partition *p, const struct ord_stage *stage);

/* The stage leaves memory. */
void ord_posting_gone(struct ord_partition *p, const struct ord_stage *stage);

size_t ord_posting_bytes(const struct ord_stage *stage);

/* Moves the balance by the message's amount (a debit down, credit and refund up) and records it; the caller knows that it may. */
void ord_posting_add(struct ord_partition *p, struct ord_account *a, enum ord_posting_kind kind,
		     const struct ord_message *m);

/* Records that the stage was refused here. */
void ord_posting_refuse(struct ord_partition *p, enum ord_posting_kind kind, const struct ord_message *m,
			enum ord_refusal reason);

/* What a posting's stage adds to the digest. */
struct ord_digest ord_posting_fact_digest(const struct ord_posting_fact *fact);

/* Adds the stage, and its posting when it has one, to a digest, from nothing. ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_posting_digest(const struct ord_partition *p, const struct ord_stage *stage, struct ord_digest *d);

#endif
