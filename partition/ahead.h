/* SPDX-License-Identifier: Apache-2.0 - looking ahead: asks memory for the records of an entry while it is checked, before it is applied. */
#ifndef ORD_PARTITION_AHEAD_H
#define ORD_PARTITION_AHEAD_H

#include <stdint.h>

#include "base/table.h"

/* Lookups between the two hints for one record: about what memory takes to answer the first. */
#define ORD_AHEAD_DISTANCE 8u

struct ord_ahead {
	const struct ord_table *tables[ORD_AHEAD_DISTANCE]; /* borrowed */
	uint64_t hashes[ORD_AHEAD_DISTANCE];
	uint32_t count;
};

/* This hash will be looked for in the table soon. Begin with a zeroed struct ord_ahead. */
static inline void ord_ahead_add(struct ord_ahead *ahead, const struct ord_table *table, uint64_t hash)
{
	uint32_t place = ahead->count++ % ORD_AHEAD_DISTANCE;
	if (ahead->tables[place] != NULL)
		ord_table_prefetch_record(ahead->tables[place], ahead->hashes[place]);
	ord_table_prefetch(table, hash);
	ahead->tables[place] = table;
	ahead->hashes[place] = hash;
}

#endif
