/* SPDX-License-Identifier: Apache-2.0 - the transfer pipeline: request, debit, credit, refund, outcome. */
#ifndef ORD_PARTITION_TRANSFER_H
#define ORD_PARTITION_TRANSFER_H

#include "partition/ahead.h"
#include "partition/command.h"
#include "partition/state.h"

/* The processor of TRANSFER: sends the debit on its way; the request r stays accepted until its outcome comes back. */
void ord_transfer_apply(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);

/* One stage: what a message asks of this partition. Total: a message that makes no sense changes nothing but ignored_count. */
void ord_transfer_receive(struct ord_partition *p, const struct ord_message *m);

/* The message will be received soon: as ord_account_ahead, for all that it will touch, and what the messages will that follow from it here. What its slices borrow stays where it is until ord_ahead_finish. */
int ord_transfer_ahead(struct ord_ahead *ahead, const struct ord_message *m);

#endif
