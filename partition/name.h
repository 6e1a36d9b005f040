/* SPDX-License-Identifier: Apache-2.0 - names: each has one owner at most, and the first claim in log order has it. */
#ifndef ORD_PARTITION_NAME_H
#define ORD_PARTITION_NAME_H

#include <stdint.h>

#include "base/bytes.h"
#include "partition/ahead.h"
#include "partition/command.h"
#include "partition/state.h"

/* XXH3-64 with this seed over the name's key: the namespace's length (one byte), namespace, name. Seed 0 is the routing's. */
uint64_t ord_name_hash(struct ord_slice space, struct ord_slice name, uint64_t seed);

/* NULL when nobody owns it, as far as memory knows; while an entry is applied all that it can touch is there (ord_name_ahead). */
struct ord_name *ord_name_find(const struct ord_partition *p, struct ord_slice space, struct ord_slice name);

/* As ord_account_load and ord_account_ahead. */
int ord_name_load(struct ord_partition *p, struct ord_slice space, struct ord_slice name);
int ord_name_ahead(struct ord_ahead *ahead, struct ord_slice space, struct ord_slice name);

/* True when memory knows who owns it, or that nobody does any more: then the store is not to be asked. */
bool ord_name_is_known(const struct ord_partition *p, struct ord_slice space, struct ord_slice name);

/* Makes a record like n with the naming's texts and puts it into the table; its row is the caller's to add. */
struct ord_name *ord_name_make(struct ord_partition *p, const struct ord_name *n, const struct ord_naming *naming);

size_t ord_name_bytes(const struct ord_name *n);

/* The processors of CLAIM, RELEASE and REASSIGN: decide the request r, for good. */
void ord_name_apply_claim(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);
void ord_name_apply_release(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);
void ord_name_apply_reassign(struct ord_partition *p, const struct ord_command *c, struct ord_request *r);

/* Adds the name to a digest, from nothing. */
void ord_name_digest(const struct ord_name *n, struct ord_digest *d);

#endif
