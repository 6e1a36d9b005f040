/* SPDX-License-Identifier: Apache-2.0 - which partition a key lives in: XXH3-64(key) mod count, fixed for the cluster's life. */
#ifndef ORD_PARTITION_ROUTE_H
#define ORD_PARTITION_ROUTE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/command.h"

/* All assert partitions_count > 0. The keys: a request id's 16 bytes; an account's id; a name's namespace length (one byte),
 * namespace and name, one after the other. */
uint32_t ord_route_request(const struct ord_uuid *id, uint32_t partitions_count);
uint32_t ord_route_account(struct ord_slice account, uint32_t partitions_count);
uint32_t ord_route_name(struct ord_slice space, struct ord_slice name, uint32_t partitions_count);

/* Where a client's command is logged: a transfer by its request id, accounts by account, names by name. Asserts a client command. */
uint32_t ord_route_command(const struct ord_command *c, uint32_t partitions_count);

#endif
