/* SPDX-License-Identifier: Apache-2.0 - values as numbers 0, 1, 2, ... in the order they are met: a checker's keys, ids and names become places in arrays. */
#ifndef ORD_JEPSEN_CHECKERS_NUMBERING_H
#define ORD_JEPSEN_CHECKERS_NUMBERING_H

#include "base/table.h"
#include "jepsen/edn.h"

#define ORD_NUMBERING_NONE UINT32_MAX

struct ord_numbering {
	struct ord_table table;
	struct ord_edn_pool pool; /* of its records */
	struct ord_edn *values;	  /* owned; by number; what they point to is borrowed from who brought them */
	uint32_t values_count;
	uint32_t values_capacity;
};

/* ORD_ERR_NOMEM. */
int ord_numbering_open(struct ord_numbering *ret);

/* Tolerates a zeroed one. */
void ord_numbering_close(struct ord_numbering *n);

/* The number of the value, a new one when it was not met. ORD_NUMBERING_NONE without memory. */
uint32_t ord_numbering_of(struct ord_numbering *n, struct ord_edn value);

/* The same, but for a value that was not met, ORD_NUMBERING_NONE. */
uint32_t ord_numbering_find(const struct ord_numbering *n, struct ord_edn value);

#endif
