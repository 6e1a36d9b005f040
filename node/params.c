/* SPDX-License-Identifier: Apache-2.0 - decoding of parameters. */
#include "node/params.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/shard.h"
#include "partition/command.h"

enum field_kind { KIND_UUID, KIND_TEXT, KIND_NUMBER, KIND_STATE, KIND_WAIT, KIND_CONSISTENCY, KIND_ITEMS, KIND_MAP };

struct field {
	const char *name;
	size_t name_len;
	enum field_kind kind;
	size_t offset; /* in struct ord_params */
	int64_t least;
	int64_t most;
};

static const struct field fields[ORD_FIELDS_COUNT] = {
#define X(NAME_, name_, kind_, member, least_, most_, initial)                \
	[ORD_FIELD_##NAME_] = {.name = (name_),                               \
			       .name_len = sizeof(name_) - 1,                 \
			       .kind = KIND_##kind_,                          \
			       .offset = offsetof(struct ord_params, member), \
			       .least = (least_),                             \
			       .most = (most_)},
#include "node/fields.def"
#undef X
};

/* The numbers' defaults; everything else begins as zero. */
static const struct ord_params defaults = {
#define DEFAULT_UUID(member, initial)
#define DEFAULT_TEXT(member, initial)
#define DEFAULT_ITEMS(member, initial)
#define DEFAULT_MAP(member, initial)
#define DEFAULT_NUMBER(member, initial) .member = (initial),
#define DEFAULT_STATE(member, initial) .member = (initial),
#define DEFAULT_WAIT(member, initial) .member = (initial),
#define DEFAULT_CONSISTENCY(member, initial) .member = (initial),
#define X(NAME_, name_, kind_, member, least_, most_, initial) DEFAULT_##kind_(member, initial)
#include "node/fields.def"
#undef X
};

const char *ord_field_name(enum ord_field field)
{
	ORD_ASSERT(field < ORD_FIELDS_COUNT);
	return fields[field].name;
}

void ord_params_fault_set(struct ord_params_fault *ret, enum ord_rpc_error code, const char *field, const char *message)
{
	ret->code = code;
	snprintf(ret->field, sizeof ret->field, "%s", field == NULL ? "" : field);
	snprintf(ret->message, sizeof ret->message, "%s", message == NULL ? ord_rpc_error_text(code) : message);
}

/* What a right value looks like. */
static void field_describe(const struct field *f, char *text, size_t text_size)
{
	switch (f->kind) {
	case KIND_UUID:
		snprintf(text, text_size,
			 "must be 16 bytes (bin), or a text of 36 characters (RFC 9562) or 32 hexadecimal digits");
		break;
	case KIND_TEXT:
		snprintf(text, text_size, "must be a text (str) of %" PRId64 " to %" PRId64 " bytes of UTF-8", f->least,
			 f->most);
		break;
	case KIND_NUMBER:
		snprintf(text, text_size, "must be an integer from %" PRId64 " to %" PRId64, f->least, f->most);
		break;
	case KIND_STATE:
		snprintf(text, text_size, "must be \"open\", \"frozen\" or \"closed\"");
		break;
	case KIND_WAIT:
		snprintf(text, text_size, "must be \"settled\" or \"logged\"");
		break;
	case KIND_CONSISTENCY:
		snprintf(text, text_size, "must be \"linearizable\" or \"stale\"");
		break;
	case KIND_ITEMS:
		snprintf(text, text_size, "must be an array of %" PRId64 " to %" PRId64 " maps", f->least, f->most);
		break;
	case KIND_MAP:
		snprintf(text, text_size, "must be a map of field names and values");
		break;
	}
}

static int fault_field(struct ord_params_fault *ret, enum ord_rpc_error code, const struct field *f)
{
	char text[ORD_FAULT_MESSAGE_SIZE];
	field_describe(f, text, sizeof text);
	ord_params_fault_set(ret, code, f->name, text);
	return ORD_ERR_INVALID;
}

/* Names the fields that there are. The client's text is shown in plain ASCII: an answer must be UTF-8 whatever came. */
static int fault_unknown(struct ord_params_fault *ret, const msgpack_object *key, uint32_t allowed)
{
	char name[ORD_FAULT_FIELD_SIZE] = "";
	size_t len = key->type == MSGPACK_OBJECT_STR ? key->via.str.size : 0;
	for (size_t i = 0; i < len && i < sizeof name - 1; i++)
		name[i] = key->via.str.ptr[i] >= 0x20 && key->via.str.ptr[i] < 0x7f ? key->via.str.ptr[i] : '?';
	char text[ORD_FAULT_MESSAGE_SIZE];
	size_t at = (size_t)snprintf(text, sizeof text, "%s",
				     key->type == MSGPACK_OBJECT_STR ? "there is no such field here; there are"
								     : "a field's name must be a str; there are");
	for (unsigned f = 0; f < ORD_FIELDS_COUNT; f++) {
		if ((allowed & ORD_FIELD_BIT(f)) == 0 || at + fields[f].name_len + 2 > sizeof text)
			continue;
		at += (size_t)snprintf(text + at, sizeof text - at, " %s", fields[f].name);
	}
	ord_params_fault_set(ret, ORD_RPC_ERROR_UNKNOWN_FIELD, name, text);
	return ORD_ERR_INVALID;
}

static bool str_is(const msgpack_object *o, const char *text)
{
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(text) &&
	       memcmp(o->via.str.ptr, text, o->via.str.size) == 0;
}

static bool take_uuid(const msgpack_object *o, struct ord_uuid *ret)
{
	if (o->type == MSGPACK_OBJECT_STR)
		return ord_uuid_parse(ord_slice_of(o->via.str.ptr, o->via.str.size), ret) == ORD_OK;
	if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size != sizeof ret->bytes)
		return false;
	memcpy(ret->bytes, o->via.bin.ptr, sizeof ret->bytes);
	return true;
}

static bool take_text(const msgpack_object *o, const struct field *f, struct ord_slice *ret)
{
	if (o->type != MSGPACK_OBJECT_STR || o->via.str.size < (uint64_t)f->least ||
	    o->via.str.size > (uint64_t)f->most)
		return false;
	*ret = ord_slice_of(o->via.str.ptr, o->via.str.size);
	return true;
}

static bool take_number(const msgpack_object *o, const struct field *f, int64_t *ret)
{
	int64_t number;
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
		number = (int64_t)o->via.u64;
	else if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		number = o->via.i64;
	else
		return false;
	if (number < f->least || number > f->most)
		return false;
	*ret = number;
	return true;
}

static bool take_state(const msgpack_object *o, int64_t *ret)
{
	for (int state = ORD_ACCOUNT_OPEN; state <= ORD_ACCOUNT_CLOSED; state++)
		if (str_is(o, ord_account_state_name((enum ord_account_state)state))) {
			*ret = state;
			return true;
		}
	return false;
}

static bool take_wait(const msgpack_object *o, int64_t *ret)
{
	bool logged = str_is(o, "logged");
	if (!logged && !str_is(o, "settled"))
		return false;
	*ret = logged ? ORD_WAIT_LOGGED : ORD_WAIT_SETTLED;
	return true;
}

static bool take_consistency(const msgpack_object *o, int64_t *ret)
{
	bool stale = str_is(o, "stale");
	if (!stale && !str_is(o, "linearizable"))
		return false;
	*ret = stale ? ORD_CONSISTENCY_STALE : ORD_CONSISTENCY_LINEARIZABLE;
	return true;
}

static int take_items(const msgpack_object *o, const struct field *f, const msgpack_object **ret,
		      struct ord_params_fault *ret_fault)
{
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < (uint64_t)f->least)
		return fault_field(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, f);
	if (o->via.array.size > (uint64_t)f->most)
		return fault_field(ret_fault, ORD_RPC_ERROR_TOO_LARGE, f);
	*ret = o;
	return ORD_OK;
}

static int field_take(const struct field *f, const msgpack_object *o, struct ord_params *ret,
		      struct ord_params_fault *ret_fault)
{
	void *member = (char *)ret + f->offset;
	bool fits = false;
	switch (f->kind) {
	case KIND_UUID:
		fits = take_uuid(o, member);
		break;
	case KIND_TEXT:
		fits = take_text(o, f, member);
		break;
	case KIND_NUMBER:
		fits = take_number(o, f, member);
		break;
	case KIND_STATE:
		fits = take_state(o, member);
		break;
	case KIND_WAIT:
		fits = take_wait(o, member);
		break;
	case KIND_CONSISTENCY:
		fits = take_consistency(o, member);
		break;
	case KIND_ITEMS:
		return take_items(o, f, member, ret_fault);
	case KIND_MAP:
		fits = o->type == MSGPACK_OBJECT_MAP;
		*(const msgpack_object **)member = o;
		break;
	}
	return fits ? ORD_OK : fault_field(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, f);
}

/* The field of that name, ORD_FIELDS_COUNT when there is none. guess is tried first, then those after it. */
static unsigned field_find(const msgpack_object *key, unsigned guess)
{
	if (key->type != MSGPACK_OBJECT_STR)
		return ORD_FIELDS_COUNT;
	for (unsigned i = 0; i < ORD_FIELDS_COUNT; i++) {
		unsigned f = guess + i < ORD_FIELDS_COUNT ? guess + i : guess + i - ORD_FIELDS_COUNT;
		if (fields[f].name_len == key->via.str.size &&
		    memcmp(fields[f].name, key->via.str.ptr, key->via.str.size) == 0)
			return f;
	}
	return ORD_FIELDS_COUNT;
}

static int map_decode(const msgpack_object_map *map, uint32_t needed, uint32_t optional, struct ord_params *ret,
		      struct ord_params_fault *ret_fault)
{
	unsigned guess = 0;
	for (uint32_t i = 0; i < map->size; i++) {
		unsigned f = field_find(&map->ptr[i].key, guess);
		if (f == ORD_FIELDS_COUNT || ((needed | optional) & ORD_FIELD_BIT(f)) == 0)
			return fault_unknown(ret_fault, &map->ptr[i].key, needed | optional);
		if ((ret->given & ORD_FIELD_BIT(f)) != 0) {
			ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, fields[f].name,
					     "is there twice: give it once");
			return ORD_ERR_INVALID;
		}
		int err = field_take(&fields[f], &map->ptr[i].val, ret, ret_fault);
		if (err != ORD_OK)
			return err;
		ret->given |= ORD_FIELD_BIT(f);
		guess = f + 1 < ORD_FIELDS_COUNT ? f + 1 : 0;
	}
	uint32_t missing = needed & ~ret->given;
	if (missing != 0)
		return fault_field(ret_fault, ORD_RPC_ERROR_MISSING_FIELD, &fields[__builtin_ctz(missing)]);
	return ORD_OK;
}

int ord_params_decode(const msgpack_object *params, uint32_t needed, uint32_t optional, struct ord_params *ret,
		      struct ord_params_fault *ret_fault)
{
	*ret = defaults;
	if (params->type == MSGPACK_OBJECT_MAP)
		return map_decode(&params->via.map, needed, optional, ret, ret_fault);
	ord_params_fault_set(ret_fault, ORD_RPC_ERROR_INVALID_FIELD, "params",
			     "must be a map of field names and values, or an array that holds one such map");
	return ORD_ERR_INVALID;
}
