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

/* Entries base + 1 .. last. */
struct ord_entries {
	struct ord_entry_ref **chunks; /* owned, each too; NULL where nothing has been put */
	size_t chunks_count;
	size_t chunks_capacity;
	uint64_t chunks_first; /* number of the first chunk; chunk n is for the entries from 256 n + 1 on */
	uint64_t base;
	uint64_t base_term; /* 0 when base is */
	uint64_t last;
};

/* A zeroed struct is an empty log that begins with entry 1. */
void ord_entries_close(struct ord_entries *e);

/* Forgets all; the log goes on after base, an entry of that term. Both 0, or neither. */
void ord_entries_begin(struct ord_entries *e, uint64_t base, uint64_t base_term);

/* Makes the next append certain to succeed. ORD_ERR_NOMEM. */
int ord_entries_reserve(struct ord_entries *e);

/* Adds entry last + 1. ORD_ERR_NOMEM. */
int ord_entries_append(struct ord_entries *e, const struct ord_entry_ref *ref);

/* Sets the entry at index, which may lie behind last + 1: those between are holes, which ord_entries_get does not find. For reading a log back,
 * where an entry may come after later ones. Asserts index > base. ORD_ERR_NOMEM, and ORD_ERR_INVALID when it lies too far behind (2^26). */
int ord_entries_put(struct ord_entries *e, uint64_t index, const struct ord_entry_ref *ref);

/* The first index after base that is not in the log: last + 1, or that of the first hole. */
uint64_t ord_entries_gap(const struct ord_entries *e);

/* The record of entry index stands at place from now on. Asserts that the entry is in the log. */
void ord_entries_move(struct ord_entries *e, uint64_t index, uint64_t place);

/* Removes the entries from index on. Asserts index > base; nothing happens when there are none. */
void ord_entries_truncate(struct ord_entries *e, uint64_t index);

/* Forgets the entries up to index, which is the base from now on, and gives their memory back. Asserts that it is in the log. */
void ord_entries_drop(struct ord_entries *e, uint64_t index);

/* The same for a base that need not be in the log, an entry of that term: 0 when base is, and only then. Asserts that it is not before the base of now, nor after the last entry. */
void ord_entries_rebase(struct ord_entries *e, uint64_t base, uint64_t base_term);

/* The entry at index, NULL when it is not in the log. Valid until the next change. */
const struct ord_entry_ref *ord_entries_get(const struct ord_entries *e, uint64_t index);

/* The term of the entry at index, which may be the base; 0 for index 0. Asserts that it is known. */
uint64_t ord_entries_term(const struct ord_entries *e, uint64_t index);

static inline size_t ord_entry_record_bytes(const struct ord_entry_ref *ref)
{
	return ORD_RECORD_HEADER_BYTES + ref->payload_bytes;
}

#endif
