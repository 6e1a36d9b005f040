/* SPDX-License-Identifier: Apache-2.0 - the log of one group as an index: for each entry its term and where its record lies in the write-ahead log. */
#ifndef ORD_RAFT_ENTRIES_H
#define ORD_RAFT_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

#include "raft/record.h"

/* 24 bytes stay in memory for each entry; the bytes of the entry itself stay in the memory of the write-ahead log for a while (raft/wal.h). */
struct ord_entry_ref {
	uint64_t place; /* of the record */
	uint64_t term;
	uint32_t payload_bytes;
	uint32_t kind; /* enum ord_entry_kind */
};

_Static_assert(sizeof(struct ord_entry_ref) == 24, "an entry costs 24 bytes of memory");

/* Entries 1 .. last. */
struct ord_entries {
	struct ord_entry_ref **chunks; /* owned, each too */
	size_t chunks_count;
	size_t chunks_capacity;
	uint64_t last;
};

/* A zeroed struct is an empty log. */
void ord_entries_close(struct ord_entries *e);

/* Makes the next append certain to succeed. ORD_ERR_NOMEM. */
int ord_entries_reserve(struct ord_entries *e);

/* Adds entry last + 1. ORD_ERR_NOMEM. */
int ord_entries_append(struct ord_entries *e, const struct ord_entry_ref *ref);

/* Removes the entries from index on. Asserts index >= 1; nothing happens when there are none. */
void ord_entries_truncate(struct ord_entries *e, uint64_t index);

/* The entry at index, NULL when it is not in the log. Valid until the next change. */
const struct ord_entry_ref *ord_entries_get(const struct ord_entries *e, uint64_t index);

/* The term of the entry at index, 0 for index 0. Asserts that it is in the log. */
uint64_t ord_entries_term(const struct ord_entries *e, uint64_t index);

static inline size_t ord_entry_record_bytes(const struct ord_entry_ref *ref)
{
	return ORD_RECORD_HEADER_BYTES + ref->payload_bytes;
}

#endif
