/* SPDX-License-Identifier: Apache-2.0 - a checkpoint's changes in the order of the tables, and within one in that of the keys: what lies together is written together. */
#ifndef ORD_NODE_CHANGE_ORDER_H
#define ORD_NODE_CHANGE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "partition/changes.h"

/* A change, and eight bytes of its key as a number: most comparisons need no more. */
struct ord_change_item {
	uint64_t digits;
	const uint8_t *at; /* borrowed, among the changes' bytes */
};

struct ord_change_order {
	struct ord_change_item *items; /* owned; all of a table together, in order */
	struct ord_change_item *spare; /* owned; what sorting moves through */
	size_t begins[ORD_STORE_TABLES + 1];
};

/* Puts the changes in order; they have to stay as they are while the order is used. Of a key that comes more than once the removals come first. ORD_ERR_NOMEM. To be closed in any case. */
int ord_change_order_make(struct ord_change_order *o, const struct ord_changes *changes);
void ord_change_order_close(struct ord_change_order *o);

/* Number i of all, from begins[table] to before begins[table + 1]. Whoever reads them one after the other is not kept waiting for memory. */
void ord_change_order_at(const struct ord_change_order *o, size_t i, struct ord_change *ret);

#endif
