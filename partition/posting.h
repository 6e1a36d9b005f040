/* SPDX-License-Identifier: Apache-2.0 - postings: every movement of an account's balance, and the record of stages by which none happens twice. */
#ifndef ORD_PARTITION_POSTING_H
#define ORD_PARTITION_POSTING_H

#include "partition/ahead.h"
#include "partition/command.h"
#include "partition/state.h"

/* What the stage of this kind did here for the request id; NULL when it has not been here. */
const struct ord_stage *ord_posting_find(const struct ord_partition *p, const struct ord_uuid *request_id,
					 enum ord_posting_kind kind);

/* It will be looked for soon. */
void ord_posting_ahead(const struct ord_partition *p, const struct ord_uuid *request_id, enum ord_posting_kind kind,
		       struct ord_ahead *ahead);

/* Moves the balance by the message's amount (a debit down, credit and refund up) and records it; the caller knows that it may. */
void ord_posting_add(struct ord_partition *p, struct ord_account *a, enum ord_posting_kind kind,
		     const struct ord_message *m);

/* Records that the stage was refused here. */
void ord_posting_refuse(struct ord_partition *p, enum ord_posting_kind kind, const struct ord_message *m,
			enum ord_refusal reason);

/* Adds the stage, and its posting when it has one, to a digest, from nothing. */
void ord_posting_digest(const struct ord_stage *stage, struct ord_digest *d);

#endif
