/* SPDX-License-Identifier: Apache-2.0 - which partition a key lives in. */
#include "partition/route.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/limits.h"
#include "partition/name.h"

static uint32_t route(struct ord_slice key, uint32_t partitions_count)
{
	ORD_ASSERT(partitions_count > 0);
	return (uint32_t)(ord_hash64(key.base, key.len) % partitions_count);
}

uint32_t ord_route_request(const struct ord_uuid *id, uint32_t partitions_count)
{
	return route(ord_slice_of(id->bytes, sizeof id->bytes), partitions_count);
}

uint32_t ord_route_account(struct ord_slice account, uint32_t partitions_count)
{
	return route(account, partitions_count);
}

uint32_t ord_route_name(struct ord_slice space, struct ord_slice name, uint32_t partitions_count)
{
	ORD_ASSERT(partitions_count > 0);
	return (uint32_t)(ord_name_hash(space, name, 0) % partitions_count);
}

uint32_t ord_route_command(const struct ord_command *c, uint32_t partitions_count)
{
	switch (c->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		return ord_route_account(c->open_account.account, partitions_count);
	case ORD_COMMAND_SET_ACCOUNT:
		return ord_route_account(c->set_account.account, partitions_count);
	case ORD_COMMAND_TRANSFER:
		return ord_route_request(&c->request_id, partitions_count);
	case ORD_COMMAND_CLAIM:
	case ORD_COMMAND_RELEASE:
	case ORD_COMMAND_REASSIGN:
		return ord_route_name(c->naming.space, c->naming.name, partitions_count);
	case ORD_COMMAND_DELIVER:
	case ORD_COMMAND_TRIM:
	case ORD_COMMAND_MARK:
	case ORD_COMMAND_EXPIRE:
		break;
	}
	ORD_ASSERT(!"only a client's command has a route");
	return 0;
}
