/* SPDX-License-Identifier: Apache-2.0 - arrays that grow while a history is read. */
#include "jepsen/array.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

bool ord_array_reach(void *base, uint32_t *capacity, uint32_t place, size_t item_bytes)
{
	uint64_t wanted = *capacity > 0 ? *capacity : CAPACITY_MIN;
	void *items;
	if (place < *capacity)
		return true;
	while (wanted <= place)
		wanted *= 2;
	if (wanted > UINT32_MAX)
		return false;
	memcpy(&items, base, sizeof items);
	items = realloc(items, wanted * item_bytes);
	if (items == NULL)
		return false;
	memset((char *)items + *capacity * item_bytes, 0, (wanted - *capacity) * item_bytes);
	memcpy(base, &items, sizeof items);
	*capacity = (uint32_t)wanted;
	return true;
}
