/* SPDX-License-Identifier: Apache-2.0 - what a checkpoint writes, as bytes that can be handed to another thread: keys with new values, and keys that are gone. */
#ifndef ORD_PARTITION_CHANGES_H
#define ORD_PARTITION_CHANGES_H

#include <stdbool.h>

#include "base/bytes.h"
#include "partition/store.h"

/* A key may come more than once; then it was removed and set again in an order that is not kept: if it was ever set, the value counts, and it was set once at most. */
struct ord_changes {
	struct ord_bytes bytes;
	uint64_t count;
};

struct ord_change {
	enum ord_store_table table;
	bool is_removal;
	struct ord_slice key;
	struct ord_slice value; /* empty when it is a removal */
};

/* Allocates nothing yet. */
void ord_changes_init(struct ord_changes *c);
void ord_changes_close(struct ord_changes *c);

/* Empties it and keeps its memory. */
void ord_changes_clear(struct ord_changes *c);

/* Add one. Assert the bounds of the key. Running out of memory aborts. */
void ord_changes_put(struct ord_changes *c, enum ord_store_table table, struct ord_slice key, struct ord_slice value);
void ord_changes_remove(struct ord_changes *c, enum ord_store_table table, struct ord_slice key);

/* A change begins with its table's number (u8), 1 when it is a removal (u8), the lengths of key (u16) and value (u32); these follow. Never on disk in this form. */
#define ORD_CHANGE_HEAD_BYTES 8

/* Reads the change that begins there, whole, as one of these functions added it; the slices point into its bytes. How many bytes it takes. */
static inline size_t ord_change_read(const uint8_t *at, struct ord_change *ret)
{
	uint16_t key_bytes;
	uint32_t value_bytes;
	memcpy(&key_bytes, at + 2, sizeof key_bytes);
	memcpy(&value_bytes, at + 4, sizeof value_bytes);
	ret->table = (enum ord_store_table)at[0];
	ret->is_removal = at[1] != 0;
	ret->key = ord_slice_of(at + ORD_CHANGE_HEAD_BYTES, key_bytes);
	ret->value = ord_slice_of(at + ORD_CHANGE_HEAD_BYTES + key_bytes, value_bytes);
	return ORD_CHANGE_HEAD_BYTES + (size_t)key_bytes + value_bytes;
}

/* Reads them back, in the order in which they were added: begin with a reader over ord_bytes_slice(&c->bytes). False after the last. Slices point into the bytes. */
bool ord_changes_next(struct ord_reader *r, struct ord_change *ret);

#endif
