/* SPDX-License-Identifier: Apache-2.0 - is the state in a store what its own numbers say? Record by record, in memory that does not grow with the state. For tools, copies and the scrub; not beside apply. */
#ifndef ORD_PARTITION_AUDIT_H
#define ORD_PARTITION_AUDIT_H

#include <stdint.h>

#include "partition/pairs.h"
#include "partition/partition.h"

struct ord_audit;

/* Opens the partition that options->store has; for errors see ord_partition_open. The caller owns *ret and closes it. */
int ord_audit_open(const struct ord_partition_options *options, struct ord_audit **ret);

/* NULL is fine. */
void ord_audit_close(struct ord_audit *a);

/* Takes in one pair of the store; all of all tables must be given, each once, in any order. ORD_ERR_CORRUPT: checksum or content is wrong, or a record that it names is missing or damaged. ORD_ERR_IO. */
int ord_audit_add(struct ord_audit *a, enum ord_store_table table, struct ord_slice key, struct ord_slice value);

/* After the last pair: ORD_ERR_CORRUPT with why (ORD_AUDIT_WHY_SIZE bytes) when the counts of records or the digest of all are others than the partition's numbers say. */
#define ORD_AUDIT_WHY_SIZE 256
int ord_audit_finish(const struct ord_audit *a, char *why);

/* As the partition's numbers say; nothing of it is checked before finish. */
void ord_audit_status(const struct ord_audit *a, struct ord_partition_status *ret);

/* The next pairs of the store, up to the one that brings them to bytes_max, in place of add; each must come after the one before it. The store must stay as it is from open on. What was taken is in *ret; with the last pair finish
 * is done, too. Errors as add and finish, with why. */
int ord_audit_go_on(struct ord_audit *a, uint64_t bytes_max, struct ord_pairs_checked *ret, char *why);

/* All of it: is the state in options->store what its own numbers say? ORD_ERR_CORRUPT with why (ORD_AUDIT_WHY_SIZE bytes), and the errors of opening. */
int ord_audit_store(const struct ord_partition_options *options, char *why);

#endif
