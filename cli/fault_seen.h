/* SPDX-License-Identifier: Apache-2.0 - what a node says of the faults that are in force in it: its answer to `faults` (docs/protocol.md). */
#ifndef ORD_CLI_FAULT_SEEN_H
#define ORD_CLI_FAULT_SEEN_H

#include <msgpack.h>

#include "cli/fault.h"

/* Puts the answer of the node at that place into the look, which the other nodes fill as well: of a link each end says what it does. What is missing in it, of
 * another type, or about a node that the layout does not have, is passed over. */
void ord_fault_seen_take(const msgpack_object *result, const struct ord_layout *l, uint32_t place,
			 struct ord_fault_look *look);

#endif
