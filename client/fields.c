/* SPDX-License-Identifier: Apache-2.0 - fields of maps. */
#include "client/fields.h"

#include "base/uuid.h"

const msgpack_object *ord_fields_find(const msgpack_object *o, const char *name)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_MAP)
		return NULL;
	size_t len = strlen(name);
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		const msgpack_object *key = &o->via.map.ptr[i].key;
		if (key->type == MSGPACK_OBJECT_STR && key->via.str.size == len &&
		    memcmp(key->via.str.ptr, name, len) == 0)
			return &o->via.map.ptr[i].val;
	}
	return NULL;
}

bool ord_fields_u64(const msgpack_object *o, const char *name, uint64_t *ret)
{
	const msgpack_object *v = ord_fields_find(o, name);
	if (v == NULL || v->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return false;
	*ret = v->via.u64;
	return true;
}

bool ord_fields_u32(const msgpack_object *o, const char *name, uint32_t *ret)
{
	uint64_t v;
	if (!ord_fields_u64(o, name, &v) || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

bool ord_fields_i64(const msgpack_object *o, const char *name, int64_t *ret)
{
	const msgpack_object *v = ord_fields_find(o, name);
	if (v == NULL)
		return false;
	if (v->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
		*ret = v->via.i64;
		return true;
	}
	if (v->type != MSGPACK_OBJECT_POSITIVE_INTEGER || v->via.u64 > INT64_MAX)
		return false;
	*ret = (int64_t)v->via.u64;
	return true;
}

bool ord_fields_bool(const msgpack_object *o, const char *name, bool *ret)
{
	const msgpack_object *v = ord_fields_find(o, name);
	if (v == NULL || v->type != MSGPACK_OBJECT_BOOLEAN)
		return false;
	*ret = v->via.boolean;
	return true;
}

bool ord_fields_str(const msgpack_object *o, const char *name, struct ordain_str *ret)
{
	const msgpack_object *v = ord_fields_find(o, name);
	if (v == NULL || v->type != MSGPACK_OBJECT_STR)
		return false;
	ret->base = v->via.str.ptr;
	ret->len = v->via.str.size;
	return true;
}

bool ord_fields_id(const msgpack_object *o, const char *name, struct ordain_id *ret)
{
	const msgpack_object *v = ord_fields_find(o, name);
	if (v == NULL)
		return false;
	if (v->type == MSGPACK_OBJECT_BIN && v->via.bin.size == sizeof ret->bytes) {
		memcpy(ret->bytes, v->via.bin.ptr, sizeof ret->bytes);
		return true;
	}
	struct ordain_str text;
	return ord_fields_str(o, name, &text) && ordain_id_parse(text, ret) == 0;
}

/* Decimal digits up to max; moves *at behind them. */
static bool digits(const char **at, const char *end, uint64_t max, uint64_t *ret)
{
	const char *begin = *at;
	uint64_t v = 0;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		unsigned digit = (unsigned)(**at - '0');
		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return *at > begin;
}

bool ord_fields_position(const msgpack_object *o, const char *name, uint32_t *ret_partition, uint64_t *ret_offset)
{
	struct ordain_str text;
	if (!ord_fields_str(o, name, &text))
		return false;
	const char *at = text.base;
	const char *end = text.base + text.len;
	uint64_t partition;
	uint64_t offset;
	if (!digits(&at, end, UINT32_MAX, &partition) || at == end || *at != ':')
		return false;
	at++;
	if (!digits(&at, end, UINT64_MAX, &offset) || at != end)
		return false;
	*ret_partition = (uint32_t)partition;
	*ret_offset = offset;
	return true;
}

bool ord_fields_is(struct ordain_str s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.base, text, s.len) == 0;
}
