/* SPDX-License-Identifier: Apache-2.0 - the stream of messages, and the heads of messages. A message is scanned to its end first (client/scan.h), so that
 * msgpack-c allocates only for objects that are really there. */
#include "client/rpc.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "client/scan.h"

/* A stream begins with this much memory, offers at least SPACE_MIN to a read, and lets go of more than KEEP when it runs empty: there may be
 * thousands of them. */
#define STREAM_FIRST_BYTES (8u << 10)
#define STREAM_SPACE_MIN_BYTES (2u << 10)
#define STREAM_KEEP_BYTES (256u << 10)
#define STREAM_ZONE_BYTES (8u << 10)

/* A decoded object takes 24 bytes or 48: as many objects as this keep a stream's memory at a small multiple of bytes_max. An item of a batch has an
 * object for about every five bytes. */
#define STREAM_OBJECTS_MAX(bytes_max) (1024 + (bytes_max) / 8)

struct ord_rpc_stream {
	uint8_t *base; /* owned */
	size_t capacity;
	size_t begin;	/* of what has not been given out */
	size_t end;	/* of what has come */
	size_t offered; /* by the last space */
	size_t bytes_max;
	struct ord_scan scan;
	msgpack_zone zone; /* owned; of the message that was given out */
	msgpack_object object;
};

const char *ord_rpc_error_name(enum ord_rpc_error code)
{
	switch (code) {
	case ORD_RPC_ERROR_NONE:
		return "none";
#define X(number, name, text, explanation) \
	case ORD_RPC_ERROR_##name:         \
		return text;
#include "client/errors.def"
#undef X
	}
	return "unknown_error";
}

const char *ord_rpc_error_text(enum ord_rpc_error code)
{
	switch (code) {
	case ORD_RPC_ERROR_NONE:
		return "no error";
#define X(number, name, text, explanation) \
	case ORD_RPC_ERROR_##name:         \
		return explanation;
#include "client/errors.def"
#undef X
	}
	return "an error that this version does not know";
}

int ord_rpc_stream_open(size_t bytes_max, struct ord_rpc_stream **ret)
{
	struct ord_rpc_stream *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ORD_ERR_NOMEM;
	if (!msgpack_zone_init(&s->zone, STREAM_ZONE_BYTES)) {
		free(s);
		return ORD_ERR_NOMEM;
	}
	s->bytes_max = bytes_max;
	ord_scan_init(&s->scan, bytes_max, STREAM_OBJECTS_MAX(bytes_max));
	*ret = s;
	return ORD_OK;
}

void ord_rpc_stream_close(struct ord_rpc_stream *s)
{
	if (s == NULL)
		return;
	msgpack_zone_destroy(&s->zone);
	free(s->base);
	free(s);
}

/* The capacity that the next read should find: twice as much when the last one filled what it was offered, or nothing fits any more. */
static size_t stream_capacity_wanted(const struct ord_rpc_stream *s, bool full)
{
	size_t wanted = s->capacity < STREAM_FIRST_BYTES ? STREAM_FIRST_BYTES : s->capacity;
	if (wanted - s->end < STREAM_SPACE_MIN_BYTES || (full && wanted < STREAM_KEEP_BYTES))
		wanted *= 2;
	size_t most = s->bytes_max + STREAM_KEEP_BYTES;
	return wanted < most ? wanted : most;
}

void *ord_rpc_stream_space(struct ord_rpc_stream *s, size_t *ret_len)
{
	bool full = s->offered > 0 && s->end == s->capacity;
	if (s->begin > 0) {
		memmove(s->base, s->base + s->begin, s->end - s->begin);
		s->end -= s->begin;
		s->begin = 0;
	}
	size_t wanted = stream_capacity_wanted(s, full);
	if (wanted > s->capacity) {
		uint8_t *base = realloc(s->base, wanted);
		if (base == NULL)
			return NULL;
		s->base = base;
		s->capacity = wanted;
	}
	s->offered = s->capacity - s->end;
	*ret_len = s->offered;
	return s->offered > 0 ? s->base + s->end : NULL;
}

void ord_rpc_stream_filled(struct ord_rpc_stream *s, size_t len)
{
	ORD_ASSERT(len <= s->offered);
	ORD_ASSERT(len <= s->capacity - s->end);
	s->end += len;
}

static bool text_from(const msgpack_object *o, struct ord_slice *ret)
{
	if (o->type != MSGPACK_OBJECT_STR)
		return false;
	*ret = ord_slice_of(o->via.str.ptr, o->via.str.size);
	return true;
}

static bool id_from(const msgpack_object *o, uint32_t *ret)
{
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > UINT32_MAX)
		return false;
	*ret = (uint32_t)o->via.u64;
	return true;
}

/* The published form of params is an array of arguments; ours is one map. Both spellings, and no arguments at all, come out as a map. */
static const msgpack_object *params_from(const msgpack_object *o)
{
	static const msgpack_object empty = {.type = MSGPACK_OBJECT_MAP};
	if (o->type != MSGPACK_OBJECT_ARRAY)
		return o;
	if (o->via.array.size == 0)
		return &empty;
	if (o->via.array.size == 1 && o->via.array.ptr[0].type == MSGPACK_OBJECT_MAP)
		return &o->via.array.ptr[0];
	return o;
}

static bool message_from(const msgpack_object *o, struct ord_rpc_message *ret)
{
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < 3)
		return false;
	const msgpack_object *part = o->via.array.ptr;
	if (part[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER || part[0].via.u64 > ORD_RPC_NOTIFY)
		return false;
	struct ord_rpc_message m = {.type = (enum ord_rpc_type)part[0].via.u64};
	if (o->via.array.size != (m.type == ORD_RPC_NOTIFY ? 3u : 4u))
		return false;
	bool right;
	if (m.type == ORD_RPC_REQUEST) {
		right = id_from(&part[1], &m.id) && text_from(&part[2], &m.method);
		m.params = params_from(&part[3]);
	} else if (m.type == ORD_RPC_RESPONSE) {
		right = id_from(&part[1], &m.id);
		m.error = &part[2];
		m.result = &part[3];
	} else {
		right = text_from(&part[1], &m.method);
		m.params = params_from(&part[2]);
	}
	if (right)
		*ret = m;
	return right;
}

/* Nothing waits: give back memory that one large message took. */
static void stream_rest(struct ord_rpc_stream *s)
{
	s->begin = s->end = 0;
	if (s->capacity <= STREAM_KEEP_BYTES)
		return;
	free(s->base);
	s->base = NULL;
	s->capacity = 0;
	s->offered = 0;
}

int ord_rpc_stream_next(struct ord_rpc_stream *s, struct ord_rpc_message *ret, bool *ret_have)
{
	*ret_have = false;
	msgpack_zone_clear(&s->zone);
	if (s->begin == s->end) {
		stream_rest(s);
		return ORD_OK;
	}
	bool whole;
	int err = ord_scan_continue(&s->scan, s->base + s->begin, s->end - s->begin, &whole);
	if (err != ORD_OK || !whole)
		return err;
	size_t len = s->scan.offset;
	size_t parsed = 0;
	msgpack_unpack_return got =
		msgpack_unpack((const char *)s->base + s->begin, len, &parsed, &s->zone, &s->object);
	if (got == MSGPACK_UNPACK_NOMEM_ERROR)
		return ORD_ERR_NOMEM;
	if (got != MSGPACK_UNPACK_SUCCESS || parsed != len || !message_from(&s->object, ret))
		return ORD_ERR_FORMAT;
	s->begin += len;
	ord_scan_restart(&s->scan);
	*ret_have = true;
	return ORD_OK;
}

size_t ord_rpc_stream_waiting_bytes(const struct ord_rpc_stream *s)
{
	return s->end - s->begin;
}

static int packer_write(void *data, const char *base, size_t len)
{
	struct ord_bytes *out = data;
	ord_bytes_put(out, base, len);
	return out->failed ? -1 : 0;
}

void ord_rpc_packer(struct ord_bytes *out, msgpack_packer *ret)
{
	msgpack_packer_init(ret, out, packer_write);
}

void ord_rpc_put_str(msgpack_packer *p, struct ord_slice s)
{
	msgpack_pack_str(p, s.len);
	msgpack_pack_str_body(p, s.base, s.len);
}

void ord_rpc_put_text(msgpack_packer *p, const char *text)
{
	ord_rpc_put_str(p, ord_slice_text(text));
}

void ord_rpc_put_request(msgpack_packer *p, uint32_t id, const char *method)
{
	msgpack_pack_array(p, 4);
	msgpack_pack_uint32(p, ORD_RPC_REQUEST);
	msgpack_pack_uint32(p, id);
	ord_rpc_put_text(p, method);
}

void ord_rpc_put_result(msgpack_packer *p, uint32_t id)
{
	msgpack_pack_array(p, 4);
	msgpack_pack_uint32(p, ORD_RPC_RESPONSE);
	msgpack_pack_uint32(p, id);
	msgpack_pack_nil(p);
}

void ord_rpc_put_fault(msgpack_packer *p, const struct ord_rpc_fault *fault)
{
	ORD_ASSERT(fault->code != ORD_RPC_ERROR_NONE);
	const char *message = fault->message != NULL ? fault->message : ord_rpc_error_text(fault->code);
	msgpack_pack_map(p, 3u + (fault->field != NULL) + (fault->retry_after_ms != 0) + (fault->leader != 0));
	ord_rpc_put_pair_u64(p, "code", fault->code);
	ord_rpc_put_pair_text(p, "name", ord_rpc_error_name(fault->code));
	ord_rpc_put_pair_text(p, "message", message);
	if (fault->field != NULL)
		ord_rpc_put_pair_text(p, "field", fault->field);
	if (fault->retry_after_ms != 0)
		ord_rpc_put_pair_u64(p, "retry_after_ms", fault->retry_after_ms);
	if (fault->leader != 0)
		ord_rpc_put_pair_u64(p, "leader", fault->leader);
}

void ord_rpc_put_error(msgpack_packer *p, uint32_t id, const struct ord_rpc_fault *fault)
{
	msgpack_pack_array(p, 4);
	msgpack_pack_uint32(p, ORD_RPC_RESPONSE);
	msgpack_pack_uint32(p, id);
	ord_rpc_put_fault(p, fault);
	msgpack_pack_nil(p);
}

void ord_rpc_put_pair_text(msgpack_packer *p, const char *key, const char *value)
{
	ord_rpc_put_text(p, key);
	ord_rpc_put_text(p, value);
}

void ord_rpc_put_pair_str(msgpack_packer *p, const char *key, struct ord_slice value)
{
	ord_rpc_put_text(p, key);
	ord_rpc_put_str(p, value);
}

void ord_rpc_put_pair_u64(msgpack_packer *p, const char *key, uint64_t value)
{
	ord_rpc_put_text(p, key);
	msgpack_pack_uint64(p, value);
}

void ord_rpc_put_pair_i64(msgpack_packer *p, const char *key, int64_t value)
{
	ord_rpc_put_text(p, key);
	msgpack_pack_int64(p, value);
}

void ord_rpc_put_pair_bool(msgpack_packer *p, const char *key, bool value)
{
	ord_rpc_put_text(p, key);
	if (value)
		msgpack_pack_true(p);
	else
		msgpack_pack_false(p);
}
