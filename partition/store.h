/* SPDX-License-Identifier: Apache-2.0 - where the records of a partition lie when they are not in memory, as the partition sees it: tables of keys and values, as of the last checkpoint. */
#ifndef ORD_PARTITION_STORE_H
#define ORD_PARTITION_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"

/* Numbers stand on disk and are never reused. */
enum ord_store_table {
	ORD_STORE_META = 1,
	ORD_STORE_ACCOUNTS = 2,
	ORD_STORE_NAMES = 3,
	ORD_STORE_REQUESTS = 4,
	ORD_STORE_STAGES = 5,
	ORD_STORE_POSTINGS = 6,
	ORD_STORE_MESSAGES = 7,
};
#define ORD_STORE_TABLES 8 /* one more than the last number */

/* The longest key: a namespace and a name with one byte of length. */
#define ORD_STORE_KEY_BYTES_MAX 320

/* The longest value: the partition's own numbers, with three for each partition there is. */
#define ORD_STORE_VALUE_BYTES_MAX (1024 + ORD_PARTITIONS_MAX * 24)

/* Takes one pair of a walk; what it gives other than ORD_OK ends the walk. The slices are valid during the call. */
typedef int (*ord_store_each)(void *arg, struct ord_slice key, struct ord_slice value);

/* What is read is what the last checkpoint that was finished (ord_checkpoint_finish) has written, nothing of a later one. Blocks for as long as a disk takes that does not have it in memory. */
struct ord_store {
	void *ctx; /* borrowed; first argument of all */

	/* The value of a key; valid until the store is led to what a later checkpoint has written. ORD_ERR_NOT_FOUND, ORD_ERR_IO, ORD_ERR_CORRUPT. */
	int (*get)(void *ctx, enum ord_store_table table, struct ord_slice key, struct ord_slice *ret);

	/* Calls each(arg, ...) for the pairs of a table whose keys are not below `from` (empty: all), in ascending order of their keys (memcmp). ORD_ERR_IO, ORD_ERR_CORRUPT, or what each gave. */
	int (*walk)(void *ctx, enum ord_store_table table, struct ord_slice from, ord_store_each each, void *arg);
};

#endif
