/* SPDX-License-Identifier: Apache-2.0 - arrays that grow while a history is read. */
#ifndef ORD_JEPSEN_ARRAY_H
#define ORD_JEPSEN_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for an item at that place. base is the address of the array's pointer (of any type; from malloc, or NULL); new items are zero. Twice as many each
 * time, so that it is never more than twice what the history has. False: no memory, or place is UINT32_MAX (ORD_NUMBERING_NONE); nothing has changed then. */
bool ord_array_reach(void *base, uint32_t *capacity, uint32_t place, size_t item_bytes);

#endif
