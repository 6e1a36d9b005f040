/* SPDX-License-Identifier: Apache-2.0 - checks a command as the cluster will, before it is sent. */
#include "cli/check.h"

#include "base/assert.h"

static struct ord_slice slice_of(struct ordain_str s)
{
	return ord_slice_of(s.base, s.len);
}

static struct ord_naming naming_of(const struct ordain_naming *n)
{
	return (struct ord_naming){.space = slice_of(n->space),
				   .name = slice_of(n->name),
				   .owner = slice_of(n->owner),
				   .expected = slice_of(n->expected)};
}

int ord_check_command(const struct ordain_command *c, struct ord_fault *ret)
{
	struct ord_command core = {0};
	memcpy(core.request_id.bytes, c->id.bytes, sizeof core.request_id.bytes);
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		core.kind = ORD_COMMAND_OPEN_ACCOUNT;
		core.open_account = (struct ord_open_account){.account = slice_of(c->open_account.account),
							      .asset = slice_of(c->open_account.asset),
							      .floor = c->open_account.floor,
							      .ceiling = c->open_account.ceiling};
		break;
	case ORDAIN_SET_ACCOUNT:
		core.kind = ORD_COMMAND_SET_ACCOUNT;
		core.set_account = (struct ord_set_account){.account = slice_of(c->set_account.account),
							    .state = (enum ord_account_state)c->set_account.state};
		break;
	case ORDAIN_TRANSFER:
		core.kind = ORD_COMMAND_TRANSFER;
		core.transfer = (struct ord_transfer){.payer = slice_of(c->transfer.payer),
						      .payee = slice_of(c->transfer.payee),
						      .asset = slice_of(c->transfer.asset),
						      .amount = c->transfer.amount};
		break;
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		core.kind = c->kind == ORDAIN_CLAIM	? ORD_COMMAND_CLAIM
			    : c->kind == ORDAIN_RELEASE ? ORD_COMMAND_RELEASE
							: ORD_COMMAND_REASSIGN;
		core.naming = naming_of(&c->naming);
		break;
	}
	ORD_ASSERT(core.kind != 0);
	return ord_command_check(&core, ret);
}
