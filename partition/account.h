/* SPDX-License-Identifier: Apache-2.0 - accounts: opened once, opened, frozen or closed, with a balance that only postings move. */
#ifndef ORD_PARTITION_ACCOUNT_H
#define ORD_PARTITION_ACCOUNT_H

#include "base/bytes.h"
#include "partition/ahead.h"
#include "partition/command.h"
#include "partition/state.h"

/* NULL when there is none. */
struct ord_account *ord_account_find(const struct ord_partition *p, struct ord_slice account);

/* It will be looked for soon. */
void ord_account_ahead(const struct ord_partition *p, struct ord_slice account, struct ord_ahead *ahead);

/* The processors of OPEN_ACCOUNT and SET_ACCOUNT: decide the request r, for good. */
void ord_account_apply_open(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);
void ord_account_apply_set(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);

/* Tells the partition's digest after the account's state, balance or count of postings changed. */
void ord_account_changed(struct ord_partition *p, struct ord_account *a);

/* Adds the account to a digest, from nothing. */
void ord_account_digest(const struct ord_account *a, struct ord_digest *d);

/* Frees what the account owns besides its record. */
void ord_account_release(struct ord_account *a);

#endif
