/* SPDX-License-Identifier: Apache-2.0 - looking ahead: asks memory, and the store, for the records of an entry while it is checked, before it is applied. */
#ifndef ORD_PARTITION_AHEAD_H
#define ORD_PARTITION_AHEAD_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/table.h"
#include "base/uuid.h"

struct ord_partition;
struct ord_ahead_look;

/* Brings what is looked for from the store, unless memory has it; that the store does not have it is no error. ORD_ERR_IO, ORD_ERR_CORRUPT. */
typedef int (*ord_ahead_load)(struct ord_partition *p, const struct ord_ahead_look *look);

/* What will be looked for: its place in memory, and the key by which load knows it. */
struct ord_ahead_look {
	const struct ord_table *table; /* borrowed */
	uint64_t hash;
	ord_ahead_load load;	   /* NULL: the store cannot have it alone */
	struct ord_slice texts[2]; /* borrowed until ord_ahead_finish; of accounts and names */
	struct ord_uuid id;	   /* of requests and stages */
	uint32_t kind;		   /* of stages */
};

/* Looks between the hint for a bucket, that for the record in it, and loading: about what memory takes to answer the one before. */
#define ORD_AHEAD_DISTANCE 8u
#define ORD_AHEAD_LOOKS (2 * ORD_AHEAD_DISTANCE)

/* Begin with one that has nothing but its partition. */
struct ord_ahead {
	struct ord_partition *partition; /* borrowed */
	struct ord_ahead_look looks[ORD_AHEAD_LOOKS];
	uint32_t count;
};

/* Hints for this look, and goes on with an earlier one: what that one's load gave. Then, too, the look has been added. */
int ord_ahead_add(struct ord_ahead *a, const struct ord_ahead_look *look);

/* Loads for all looks that were added: from here on all that they look for is in memory, if it is anywhere. What the first load that failed gave. */
int ord_ahead_finish(struct ord_ahead *a);

#endif
