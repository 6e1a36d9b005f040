/* SPDX-License-Identifier: Apache-2.0 - accounts: opened once, opened, frozen or closed, with a balance that only postings move. */
#ifndef ORD_PARTITION_ACCOUNT_H
#define ORD_PARTITION_ACCOUNT_H

#include "base/bytes.h"
#include "partition/ahead.h"
#include "partition/command.h"
#include "partition/state.h"

/* NULL when there is none in memory; while an entry is applied all that it can touch is (ord_account_ahead). */
struct ord_account *ord_account_find(const struct ord_partition *p, struct ord_slice account);

/* Brings it into memory when only the store has it. ORD_ERR_IO, ORD_ERR_CORRUPT. */
int ord_account_load(struct ord_partition *p, struct ord_slice account);

/* It will be looked for soon: as ord_ahead_add. account stays where it is until ord_ahead_finish. */
int ord_account_ahead(struct ord_ahead *ahead, struct ord_slice account);

/* Makes a record like a, with these texts, and puts it into the table; its row is the caller's to add. */
struct ord_account *ord_account_make(struct ord_partition *p, const struct ord_account *a, struct ord_slice id,
				     struct ord_slice asset);

size_t ord_account_bytes(const struct ord_account *a);

/* The processors of OPEN_ACCOUNT and SET_ACCOUNT: decide the request r, for good. */
void ord_account_apply_open(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);
void ord_account_apply_set(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);

/* Tells the partition's digest after the account's state, balance or count of postings changed. */
void ord_account_changed(struct ord_partition *p, struct ord_account *a);

/* Adds the account to a digest, from nothing. */
void ord_account_digest(const struct ord_account *a, struct ord_digest *d);

#endif
