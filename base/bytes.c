/* SPDX-License-Identifier: Apache-2.0 - byte buffers and readers. */
#include "base/bytes.h"

#include <stdlib.h>

#include "base/assert.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ordain's formats are little-endian and are written with plain stores: port base/bytes.c first"
#endif

#define BYTES_FIRST_CAPACITY 256

void ord_bytes_init(struct ord_bytes *b, size_t bytes_max)
{
	*b = (struct ord_bytes){.bytes_max = bytes_max};
}

void ord_bytes_close(struct ord_bytes *b)
{
	free(b->base);
	*b = (struct ord_bytes){.bytes_max = b->bytes_max};
}

void ord_bytes_clear(struct ord_bytes *b)
{
	b->len = 0;
	b->failed = false;
}

static bool bytes_grow(struct ord_bytes *b, size_t need)
{
	size_t capacity = b->capacity < BYTES_FIRST_CAPACITY ? BYTES_FIRST_CAPACITY : b->capacity;
	while (capacity < need)
		capacity *= 2;
	if (capacity > b->bytes_max)
		capacity = b->bytes_max;
	uint8_t *base = realloc(b->base, capacity);
	if (base == NULL)
		return false;
	b->base = base;
	b->capacity = capacity;
	return true;
}

uint8_t *ord_bytes_extend_more(struct ord_bytes *b, size_t len)
{
	ORD_ASSERT(b->len <= b->bytes_max);
	if (b->failed || len > b->bytes_max - b->len) {
		b->failed = true;
		return NULL;
	}
	if (b->capacity - b->len < len && !bytes_grow(b, b->len + len)) {
		b->failed = true;
		return NULL;
	}
	uint8_t *at = b->base + b->len;
	b->len += len;
	return at;
}

void ord_bytes_put_text8(struct ord_bytes *b, struct ord_slice s)
{
	ORD_ASSERT(s.len <= UINT8_MAX);
	ord_bytes_put_u8(b, (uint8_t)s.len);
	ord_bytes_put(b, s.base, s.len);
}

void ord_bytes_set_u32(struct ord_bytes *b, size_t offset, uint32_t v)
{
	ORD_ASSERT(offset + sizeof v <= b->len);
	memcpy(b->base + offset, &v, sizeof v);
}

void ord_bytes_consume(struct ord_bytes *b, size_t len)
{
	ORD_ASSERT(len <= b->len);
	if (len == 0)
		return;
	memmove(b->base, b->base + len, b->len - len);
	b->len -= len;
}
