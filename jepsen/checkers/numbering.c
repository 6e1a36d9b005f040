/* SPDX-License-Identifier: Apache-2.0 - values as numbers. */
#include "jepsen/checkers/numbering.h"

#include <stdlib.h>

#include "base/err.h"
#include "jepsen/array.h"

struct numbered {
	struct ord_table_link link; /* first */
	struct ord_edn value;
	uint32_t number;
};

int ord_numbering_open(struct ord_numbering *ret)
{
	*ret = (struct ord_numbering){0};
	ord_edn_pool_init(&ret->pool, ORD_EDN_POOL_BYTES_MAX);
	return ord_table_open(&ret->table);
}

void ord_numbering_close(struct ord_numbering *n)
{
	ord_table_close(&n->table);
	ord_edn_pool_close(&n->pool);
	free(n->values);
	*n = (struct ord_numbering){0};
}

static bool numbered_equal(const struct ord_table_link *link, const void *key)
{
	return ord_edn_equal(((const struct numbered *)link)->value, *(const struct ord_edn *)key);
}

uint32_t ord_numbering_find(const struct ord_numbering *n, struct ord_edn value)
{
	const struct ord_table_link *link = ord_table_find(&n->table, ord_edn_hash(value), &value, numbered_equal);
	return link != NULL ? ((const struct numbered *)link)->number : ORD_NUMBERING_NONE;
}

uint32_t ord_numbering_of(struct ord_numbering *n, struct ord_edn value)
{
	uint32_t number = ord_numbering_find(n, value);
	if (number != ORD_NUMBERING_NONE)
		return number;
	if (!ord_array_reach(&n->values, &n->values_capacity, n->values_count, sizeof *n->values))
		return ORD_NUMBERING_NONE;
	struct numbered *numbered = ord_edn_take(&n->pool, sizeof *numbered);
	if (numbered == NULL)
		return ORD_NUMBERING_NONE;
	*numbered = (struct numbered){.value = value, .number = n->values_count};
	ord_table_put(&n->table, &numbered->link, ord_edn_hash(value));
	n->values[n->values_count] = value;
	return n->values_count++;
}
