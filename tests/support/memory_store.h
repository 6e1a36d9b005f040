/* SPDX-License-Identifier: Apache-2.0 - a store in memory: what a checkpoint wrote is there, all or nothing. */
#ifndef ORD_TESTS_SUPPORT_MEMORY_STORE_H
#define ORD_TESTS_SUPPORT_MEMORY_STORE_H

#include "partition/changes.h"
#include "partition/store.h"

struct memory_pair {
	uint8_t *bytes; /* owned; key, then value */
	size_t key_bytes;
	size_t value_bytes;
};

struct memory_table {
	struct memory_pair *pairs; /* owned; ascending by key */
	size_t count;
};

struct memory_store {
	struct memory_table tables[ORD_STORE_TABLES];
	struct ord_store interface;
	uint64_t gets_count;
	int fails; /* what every get and walk gives instead, ORD_OK: nothing */
};

/* Empty. The struct must stay where it is. */
void memory_store_open(struct memory_store *s);
void memory_store_close(struct memory_store *s);

/* Another store with the same in it. */
void memory_store_copy(struct memory_store *s, const struct memory_store *from);

/* Makes the changes; asserts what partition/changes.h says of keys that come more than once. */
void memory_store_write(struct memory_store *s, const struct ord_changes *changes);

/* The pair at place of a table, to be damaged. */
struct memory_pair *memory_store_pair(struct memory_store *s, enum ord_store_table table, size_t place);

#endif
