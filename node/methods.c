/* SPDX-License-Identifier: Apache-2.0 - the table of methods. */
#include "node/methods.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "partition/route.h"

#define F(field) ORD_FIELD_BIT(ORD_FIELD_##field)

static const struct ord_method methods[] = {
#define X(name_, kind_, what_, needed_, optional_, item_) \
	{.name = (name_),                                 \
	 .kind = ORD_METHOD_##kind_,                      \
	 .what = (what_),                                 \
	 .needed = (needed_),                             \
	 .optional = (optional_) | F(TIMEOUT_MS),         \
	 .item_needed = (item_)},
#include "node/methods.def"
#undef X
};

int ord_method_find(struct ord_slice name, const struct ord_method **ret, struct ord_params_fault *ret_fault)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (ord_slice_equal(name, ord_slice_text(methods[i].name))) {
			*ret = &methods[i];
			return ORD_OK;
		}
	static const char all[] = "there is no such method; there are"
#define X(name_, kind_, what_, needed_, optional_, item_) " " name_
#include "node/methods.def"
#undef X
		;
	_Static_assert(sizeof all <= ORD_FAULT_MESSAGE_SIZE, "the list of methods is not cut");
	ord_params_fault_set(ret_fault, ORD_RPC_ERROR_UNKNOWN_METHOD, NULL, all);
	return ORD_ERR_NOT_FOUND;
}

int ord_method_params(const struct ord_method *m, const msgpack_object *params, struct ord_params *ret,
		      struct ord_params_fault *ret_fault)
{
	return ord_params_decode(params, m->needed, m->optional, ret, ret_fault);
}

int ord_method_item(const struct ord_method *m, const msgpack_object *item, struct ord_params *ret,
		    struct ord_params_fault *ret_fault)
{
	ORD_ASSERT(m->kind == ORD_METHOD_BATCH);
	if (item->type == MSGPACK_OBJECT_MAP)
		return ord_params_decode(item, m->item_needed, 0, ret, ret_fault);
	*ret = (struct ord_params){0};
	ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, ord_field_name(ORD_FIELD_ITEMS),
			     "each item must be a map of field names and values");
	return ORD_ERR_INVALID;
}

static void naming_fill(const struct ord_params *params, struct ord_naming *ret)
{
	ret->space = params->space;
	ret->name = params->name;
	ret->owner = params->owner;
	ret->expected = params->expected;
}

int ord_method_command(const struct ord_method *m, const struct ord_params *params, struct ord_command *ret,
		       struct ord_params_fault *ret_fault)
{
	ORD_ASSERT(m->kind == ORD_METHOD_COMMAND || m->kind == ORD_METHOD_BATCH);
	*ret = (struct ord_command){.kind = (enum ord_command_kind)m->what, .request_id = params->id};
	switch (ret->kind) {
	case ORD_COMMAND_OPEN_ACCOUNT:
		ret->open_account = (struct ord_open_account){.account = params->account,
							      .asset = params->asset,
							      .floor = params->floor,
							      .ceiling = params->ceiling};
		break;
	case ORD_COMMAND_SET_ACCOUNT:
		ret->set_account = (struct ord_set_account){.account = params->account,
							    .state = (enum ord_account_state)params->state};
		break;
	case ORD_COMMAND_TRANSFER:
		ret->transfer = (struct ord_transfer){.payer = params->payer,
						      .payee = params->payee,
						      .asset = params->asset,
						      .amount = params->amount};
		break;
	case ORD_COMMAND_CLAIM:
	case ORD_COMMAND_RELEASE:
	case ORD_COMMAND_REASSIGN:
		naming_fill(params, &ret->naming);
		break;
	case ORD_COMMAND_DELIVER:
	case ORD_COMMAND_TRIM:
	case ORD_COMMAND_MARK:
	case ORD_COMMAND_EXPIRE:
		ORD_ASSERT(!"a method that sends what only nodes may");
	}
	struct ord_fault fault;
	int err = ord_command_check(ret, &fault);
	if (err != ORD_OK)
		ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, fault.field, fault.remedy);
	return err;
}

int ord_method_query(const struct ord_method *m, const struct ord_params *params, uint32_t partitions_count,
		     struct ord_query *ret, uint32_t *ret_partition, struct ord_params_fault *ret_fault)
{
	ORD_ASSERT(m->kind == ORD_METHOD_READ);
	if (params->partition >= (int64_t)partitions_count) {
		char text[ORD_FAULT_MESSAGE_SIZE];
		snprintf(text, sizeof text, "must be an integer from 0 to %" PRIu32, partitions_count - 1);
		ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, ord_field_name(ORD_FIELD_PARTITION), text);
		return ORD_ERR_INVALID;
	}
	*ret = (struct ord_query){.kind = (enum ord_query_kind)m->what,
				  .account = params->account,
				  .from = (uint64_t)params->from,
				  .limit = (uint32_t)params->limit,
				  .request_id = params->id,
				  .space = params->space,
				  .name = params->name,
				  .may_be_stale = params->consistency == ORD_CONSISTENCY_STALE};
	switch (ret->kind) {
	case ORD_QUERY_ACCOUNT:
	case ORD_QUERY_HISTORY:
		*ret_partition = ord_route_account(params->account, partitions_count);
		break;
	case ORD_QUERY_REQUEST:
		*ret_partition = params->partition >= 0 ? (uint32_t)params->partition
							: ord_route_request(&params->id, partitions_count);
		break;
	case ORD_QUERY_NAME:
		*ret_partition = ord_route_name(params->space, params->name, partitions_count);
		break;
	}
	return ORD_OK;
}
