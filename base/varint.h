/* SPDX-License-Identifier: Apache-2.0 - numbers that are mostly small, in as many bytes as they need.
 *
 * LEB128, unsigned: seven bits a byte, the lowest first, bit 7 set in every byte but the last (DWARF 5, section 7.6); 1 to 10 bytes. Signed numbers are mapped to unsigned ones first, so that those
 * near zero are small: 0, -1, 1, -2 ... become 0, 1, 2, 3 ... (Protocol Buffers, "Encoding", ZigZag). */
#ifndef ORD_BASE_VARINT_H
#define ORD_BASE_VARINT_H

#include "base/bytes.h"

#define ORD_VARINT_BYTES_MAX 10

static inline void ord_bytes_put_varint(struct ord_bytes *b, uint64_t v)
{
	uint8_t out[ORD_VARINT_BYTES_MAX];
	size_t len = 0;
	for (; v >= 0x80; v >>= 7)
		out[len++] = (uint8_t)(v | 0x80);
	out[len++] = (uint8_t)v;
	ord_bytes_put(b, out, len);
}

static inline void ord_bytes_put_signed_varint(struct ord_bytes *b, int64_t v)
{
	ord_bytes_put_varint(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* 0 and failed also when it has more than 64 bits. */
static inline uint64_t ord_reader_varint(struct ord_reader *r)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64 && r->offset < r->len && !r->failed; shift += 7) {
		uint8_t byte = r->base[r->offset++];
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	r->failed = true;
	return 0;
}

static inline int64_t ord_reader_signed_varint(struct ord_reader *r)
{
	uint64_t v = ord_reader_varint(r);
	return (int64_t)(v >> 1 ^ ((v & 1) != 0 ? UINT64_MAX : 0));
}

#endif
