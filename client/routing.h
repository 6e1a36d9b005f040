/* SPDX-License-Identifier: Apache-2.0 - which partition a key lives in, as the nodes compute it: XXH3-64(key) mod count. */
#ifndef ORD_CLIENT_ROUTING_H
#define ORD_CLIENT_ROUTING_H

#include <stdint.h>

#include "client/ordain.h"

/* The hash of a key: a request id's 16 bytes; an account's id; a name's namespace length (one byte), namespace and name, one after the other.
 * ord_routing_name asserts lengths within base/limits.h. */
uint64_t ord_routing_request(const struct ordain_id *id);
uint64_t ord_routing_account(struct ordain_str account);
uint64_t ord_routing_name(struct ordain_str space, struct ordain_str name);

/* Of the key that decides where a command is logged. Asserts a known kind and lengths within base/limits.h. */
uint64_t ord_routing_command(const struct ordain_command *c);

/* Asserts partitions_count > 0. A wrong partition costs one more hop, nothing else: nodes route again. */
uint32_t ord_routing_partition(uint64_t key_hash, uint32_t partitions_count);

#endif
