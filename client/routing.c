/* SPDX-License-Identifier: Apache-2.0 - routing of keys. */
#include "client/routing.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/limits.h"

uint64_t ord_routing_request(const struct ordain_id *id)
{
	return ord_hash64(id->bytes, sizeof id->bytes);
}

uint64_t ord_routing_account(struct ordain_str account)
{
	return ord_hash64(account.base, account.len);
}

uint64_t ord_routing_name(struct ordain_str space, struct ordain_str name)
{
	ORD_ASSERT(space.len <= ORD_NAMESPACE_BYTES_MAX);
	ORD_ASSERT(name.len <= ORD_NAME_BYTES_MAX);
	uint8_t key[1 + ORD_NAMESPACE_BYTES_MAX + ORD_NAME_BYTES_MAX];
	key[0] = (uint8_t)space.len;
	if (space.len > 0)
		memcpy(key + 1, space.base, space.len);
	if (name.len > 0)
		memcpy(key + 1 + space.len, name.base, name.len);
	return ord_hash64(key, 1 + space.len + name.len);
}

uint64_t ord_routing_command(const struct ordain_command *c)
{
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		return ord_routing_account(c->open_account.account);
	case ORDAIN_SET_ACCOUNT:
		return ord_routing_account(c->set_account.account);
	case ORDAIN_TRANSFER:
		return ord_routing_request(&c->id);
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		return ord_routing_name(c->naming.space, c->naming.name);
	}
	ORD_ASSERT(!"a known kind of command");
}

uint32_t ord_routing_partition(uint64_t key_hash, uint32_t partitions_count)
{
	ORD_ASSERT(partitions_count > 0);
	return (uint32_t)(key_hash % partitions_count);
}
