/* SPDX-License-Identifier: Apache-2.0 - the one transaction of etcd that a claim needs, as protocol buffers. */
#include "tests/peers/etcd_txn.h"

#include "base/assert.h"
#include "base/err.h"

#define TEXT_BYTES_MAX 100

/* A field's number and how its value is written. */
enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
#define TAG(number, wire) ((uint8_t)((number) << 3 | (wire)))

/* What follows has len bytes. */
static void head_put(struct ord_bytes *b, uint8_t tag, size_t len)
{
	ord_bytes_put_u8(b, tag);
	if (len >= 0x80)
		ord_bytes_put_u8(b, (uint8_t)(len | 0x80));
	ord_bytes_put_u8(b, (uint8_t)(len >= 0x80 ? len >> 7 : len));
}

static size_t head_bytes(size_t len)
{
	return len >= 0x80 ? 3 : 2;
}

static void text_put(struct ord_bytes *b, uint8_t tag, struct ord_slice text)
{
	head_put(b, tag, text.len);
	ord_bytes_put(b, text.base, text.len);
}

static void number_put(struct ord_bytes *b, uint8_t tag, uint8_t value)
{
	ord_bytes_put_u8(b, tag);
	ord_bytes_put_u8(b, value);
}

void etcd_txn_create(struct ord_bytes *b, struct ord_slice key, struct ord_slice value)
{
	ORD_ASSERT(key.len < TEXT_BYTES_MAX);
	ORD_ASSERT(value.len < TEXT_BYTES_MAX);
	size_t put_bytes = head_bytes(key.len) + key.len + head_bytes(value.len) + value.len;
	head_put(b, TAG(1, BYTES), 2 + 2 + head_bytes(key.len) + key.len + 2); /* compare */
	number_put(b, TAG(1, VARINT), 0);				       /* result: EQUAL */
	number_put(b, TAG(2, VARINT), 1);				       /* target: CREATE */
	text_put(b, TAG(3, BYTES), key);
	number_put(b, TAG(5, VARINT), 0);			       /* create_revision: none */
	head_put(b, TAG(2, BYTES), head_bytes(put_bytes) + put_bytes); /* success: RequestOp */
	head_put(b, TAG(2, BYTES), put_bytes);			       /* request_put */
	text_put(b, TAG(1, BYTES), key);
	text_put(b, TAG(2, BYTES), value);
}

static uint64_t varint_take(struct ord_reader *r)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = ord_reader_u8(r);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	r->failed = true;
	return 0;
}

/* Passes over one value; returns it when it is a number. */
static uint64_t value_take(struct ord_reader *r, unsigned wire)
{
	switch (wire) {
	case VARINT:
		return varint_take(r);
	case FIXED64:
		return ord_reader_u64(r);
	case BYTES:
		ord_reader_take(r, (size_t)varint_take(r));
		return 0;
	case FIXED32:
		return ord_reader_u32(r);
	default:
		r->failed = true;
		return 0;
	}
}

int etcd_txn_succeeded(struct ord_slice response, bool *ret)
{
	struct ord_reader r = ord_reader_of(response);
	bool succeeded = false; /* false is what is not written */
	while (!r.failed && ord_reader_left(&r) > 0) {
		uint64_t tag = varint_take(&r);
		uint64_t value = value_take(&r, (unsigned)(tag & 7));
		if (tag == TAG(2, VARINT))
			succeeded = value != 0;
	}
	if (r.failed)
		return ORD_ERR_FORMAT;
	*ret = succeeded;
	return ORD_OK;
}
