/* SPDX-License-Identifier: Apache-2.0 - commands into fields. */
#include "client/encode.h"

#include "base/assert.h"
#include "base/limits.h"

#define STRINGIFY(x) #x
#define AT_MOST(bytes) "at most " STRINGIFY(bytes) " bytes"

uint32_t ord_encode_fields_count(enum ordain_command_kind kind)
{
	switch (kind) {
	case ORDAIN_OPEN_ACCOUNT:
	case ORDAIN_TRANSFER:
	case ORDAIN_REASSIGN:
		return 5;
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
		return 4;
	case ORDAIN_SET_ACCOUNT:
		return 3;
	}
	ORD_ASSERT(!"a known kind of command");
}

static const char *str_check(struct ordain_str s, size_t bytes_max, const char *field, const char *text,
			     const char **ret_field)
{
	if (s.len <= bytes_max)
		return NULL;
	*ret_field = field;
	return text;
}

static const char *account_check(struct ordain_str s, const char *field, const char **ret_field)
{
	return str_check(s, ORD_ACCOUNT_ID_BYTES_MAX, field, "an account's id has " AT_MOST(ORD_ACCOUNT_ID_BYTES_MAX),
			 ret_field);
}

static const char *asset_check(struct ordain_str s, const char **ret_field)
{
	return str_check(s, ORD_ASSET_BYTES_MAX, "asset", "an asset has " AT_MOST(ORD_ASSET_BYTES_MAX), ret_field);
}

static const char *naming_check(const struct ordain_naming *n, const char **ret_field)
{
	const char *why = str_check(n->space, ORD_NAMESPACE_BYTES_MAX, "namespace",
				    "a namespace has " AT_MOST(ORD_NAMESPACE_BYTES_MAX), ret_field);
	if (why == NULL)
		why = str_check(n->name, ORD_NAME_BYTES_MAX, "name", "a name has " AT_MOST(ORD_NAME_BYTES_MAX),
				ret_field);
	if (why == NULL)
		why = str_check(n->owner, ORD_OWNER_BYTES_MAX, "owner", "an owner has " AT_MOST(ORD_OWNER_BYTES_MAX),
				ret_field);
	if (why == NULL)
		why = str_check(n->expected, ORD_OWNER_BYTES_MAX, "expected",
				"an owner has " AT_MOST(ORD_OWNER_BYTES_MAX), ret_field);
	return why;
}

const char *ord_encode_check(const struct ordain_command *c, const char **ret_field)
{
	const char *why = NULL;
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		why = account_check(c->open_account.account, "account", ret_field);
		return why != NULL ? why : asset_check(c->open_account.asset, ret_field);
	case ORDAIN_SET_ACCOUNT:
		if (c->set_account.state < ORDAIN_ACCOUNT_OPEN || c->set_account.state > ORDAIN_ACCOUNT_CLOSED) {
			*ret_field = "state";
			return "the state is open, frozen or closed";
		}
		return account_check(c->set_account.account, "account", ret_field);
	case ORDAIN_TRANSFER:
		why = account_check(c->transfer.payer, "payer", ret_field);
		if (why == NULL)
			why = account_check(c->transfer.payee, "payee", ret_field);
		return why != NULL ? why : asset_check(c->transfer.asset, ret_field);
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		return naming_check(&c->naming, ret_field);
	}
	ORD_ASSERT(!"a known kind of command");
}

void ord_encode_str(msgpack_packer *p, const char *field, struct ordain_str s)
{
	ord_rpc_put_text(p, field);
	ord_rpc_put_str(p, ord_slice_of(s.base, s.len));
}

void ord_encode_id(msgpack_packer *p, const struct ordain_id *id)
{
	ord_rpc_put_text(p, "id");
	msgpack_pack_bin(p, sizeof id->bytes);
	msgpack_pack_bin_body(p, id->bytes, sizeof id->bytes);
}

static void encode_number(msgpack_packer *p, const char *field, int64_t v)
{
	ord_rpc_put_text(p, field);
	msgpack_pack_int64(p, v);
}

static void encode_naming(msgpack_packer *p, const struct ordain_command *c)
{
	ord_encode_str(p, "namespace", c->naming.space);
	ord_encode_str(p, "name", c->naming.name);
	if (c->kind != ORDAIN_CLAIM)
		ord_encode_str(p, "expected", c->naming.expected);
	if (c->kind != ORDAIN_RELEASE)
		ord_encode_str(p, "owner", c->naming.owner);
}

void ord_encode_command(const struct ordain_command *c, struct ord_bytes *out)
{
	msgpack_packer p;
	ord_rpc_packer(out, &p);
	ord_encode_id(&p, &c->id);
	switch (c->kind) {
	case ORDAIN_OPEN_ACCOUNT:
		ord_encode_str(&p, "account", c->open_account.account);
		ord_encode_str(&p, "asset", c->open_account.asset);
		encode_number(&p, "floor", c->open_account.floor);
		encode_number(&p, "ceiling", c->open_account.ceiling);
		break;
	case ORDAIN_SET_ACCOUNT:
		ord_encode_str(&p, "account", c->set_account.account);
		ord_encode_str(&p, "state", ordain_str_of(ordain_account_state_name(c->set_account.state)));
		break;
	case ORDAIN_TRANSFER:
		ord_encode_str(&p, "payer", c->transfer.payer);
		ord_encode_str(&p, "payee", c->transfer.payee);
		encode_number(&p, "amount", c->transfer.amount);
		ord_encode_str(&p, "asset", c->transfer.asset);
		break;
	case ORDAIN_CLAIM:
	case ORDAIN_RELEASE:
	case ORDAIN_REASSIGN:
		encode_naming(&p, c);
		break;
	}
}

void ord_encode_call(msgpack_packer *p, enum ordain_wait wait, uint32_t timeout_ms)
{
	ord_rpc_put_text(p, "wait");
	ord_rpc_put_text(p, wait == ORDAIN_WAIT_LOGGED ? "logged" : "settled");
	ord_rpc_put_text(p, "timeout_ms");
	msgpack_pack_uint32(p, timeout_ms);
}
