/* SPDX-License-Identifier: Apache-2.0 - frames between nodes.
 *
 *   offset  bytes
 *        0      4  magic "ORDF"
 *        4      4  CRC-32C of everything from offset 8 to the end of the body
 *        8      4  length of the body
 *       12      1  kind
 *       13      3  the low 24 bits of the CRC-32C of offsets 8 to 12: a wrong length must not be waited for
 *       16         body
 *
 * A PARTS body is a sequence of: 1 byte kind, 4 bytes length, then so many bytes (node/wire.c).
 * A greeting is: 2 protocol, 16 cluster, 4 node, 16 incarnation, 4 partitions, 4 to, 8 member, 1 count, then so often 4 node, 16 first incarnation of it.
 * A MEMBER body is: 8 member. Numbers are little-endian.
 */
#include "node/frame.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"

#define FRAME_MAGIC 0x4644524fu /* "ORDF" */
#define FRAME_CHECKED_OFFSET 8
#define FRAME_HEAD_BYTES 5 /* length and kind, from there on */
#define FRAME_HEAD_CHECK_BITS 24

/* The check of a header's length and kind, above the kind's byte. */
static uint32_t head_check(const uint8_t *header)
{
	uint32_t crc = ord_crc32c(0, header + FRAME_CHECKED_OFFSET, FRAME_HEAD_BYTES);
	return crc << (32 - FRAME_HEAD_CHECK_BITS);
}

size_t ord_frame_begin(struct ord_bytes *out)
{
	size_t begun = out->len;
	ord_bytes_extend(out, ORD_FRAME_HEADER_BYTES);
	return begun;
}

void ord_frame_end(struct ord_bytes *out, size_t begun, enum ord_frame_kind kind)
{
	ORD_ASSERT(!out->failed && out->len >= begun + ORD_FRAME_HEADER_BYTES);
	ord_bytes_set_u32(out, begun, FRAME_MAGIC);
	ord_bytes_set_u32(out, begun + 8, (uint32_t)(out->len - begun - ORD_FRAME_HEADER_BYTES));
	ord_bytes_set_u32(out, begun + 12, (uint32_t)kind);
	ord_bytes_set_u32(out, begun + 12, (uint32_t)kind | head_check(out->base + begun));
	size_t checked = begun + FRAME_CHECKED_OFFSET;
	ord_bytes_set_u32(out, begun + 4, ord_crc32c(0, out->base + checked, out->len - checked));
}

void ord_frame_put_part(struct ord_bytes *out, uint8_t kind, struct ord_slice body)
{
	ord_bytes_put_u8(out, kind);
	ord_bytes_put_u32(out, (uint32_t)body.len);
	ord_bytes_put(out, body.base, body.len);
}

bool ord_frame_next_part(struct ord_reader *body, uint8_t *ret_kind, struct ord_slice *ret_body)
{
	if (body->failed || ord_reader_left(body) == 0)
		return false;
	*ret_kind = ord_reader_u8(body);
	*ret_body = ord_reader_take(body, ord_reader_u32(body));
	return !body->failed;
}

void ord_frame_put_greeting(struct ord_bytes *out, const struct ord_greeting *g)
{
	ord_bytes_put_u16(out, g->protocol);
	ord_bytes_put(out, g->cluster.bytes, sizeof g->cluster.bytes);
	ord_bytes_put_u32(out, g->node);
	ord_bytes_put(out, g->incarnation.bytes, sizeof g->incarnation.bytes);
	ord_bytes_put_u32(out, g->partitions_count);
	ord_bytes_put_u16(out, g->shard);
	ord_bytes_put_u16(out, g->shards_count);
	ord_bytes_put_u32(out, g->to);
	ord_bytes_put_u64(out, g->member);
	ord_bytes_put_u8(out, (uint8_t)g->firsts_count);
	for (uint32_t i = 0; i < g->firsts_count; i++) {
		ord_bytes_put_u32(out, g->firsts[i].node);
		ord_bytes_put(out, g->firsts[i].incarnation.bytes, sizeof g->firsts[i].incarnation.bytes);
	}
}

static struct ord_uuid reader_uuid(struct ord_reader *r)
{
	struct ord_uuid id = {0};
	struct ord_slice s = ord_reader_take(r, sizeof id.bytes);
	if (s.len != 0)
		memcpy(id.bytes, s.base, s.len);
	return id;
}

int ord_frame_get_greeting(struct ord_slice body, struct ord_greeting *ret)
{
	struct ord_reader r = ord_reader_of(body);
	struct ord_greeting g = {.protocol = ord_reader_u16(&r)};
	if (!r.failed && g.protocol != ORD_FRAME_PROTOCOL) {
		*ret = g;
		return ORD_OK;
	}
	g.cluster = reader_uuid(&r);
	g.node = ord_reader_u32(&r);
	g.incarnation = reader_uuid(&r);
	g.partitions_count = ord_reader_u32(&r);
	g.shard = ord_reader_u16(&r);
	g.shards_count = ord_reader_u16(&r);
	g.to = ord_reader_u32(&r);
	g.member = ord_reader_u64(&r);
	g.firsts_count = ord_reader_u8(&r);
	if (g.firsts_count > ORD_NODES_MAX)
		return ORD_ERR_FORMAT;
	for (uint32_t i = 0; i < g.firsts_count; i++) {
		g.firsts[i].node = ord_reader_u32(&r);
		g.firsts[i].incarnation = reader_uuid(&r);
	}
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret = g;
	return ORD_OK;
}

void ord_frame_put_member(struct ord_bytes *out, uint64_t member)
{
	ord_bytes_put_u64(out, member);
}

int ord_frame_get_member(struct ord_slice body, uint64_t *ret)
{
	struct ord_reader r = ord_reader_of(body);
	uint64_t member = ord_reader_u64(&r);
	if (r.failed || ord_reader_left(&r) != 0)
		return ORD_ERR_FORMAT;
	*ret = member;
	return ORD_OK;
}

int ord_frame_decode(struct ord_slice bytes, size_t bytes_max, struct ord_frame *ret, bool *ret_have)
{
	struct ord_reader r = ord_reader_of(bytes);
	*ret_have = false;
	if (bytes.len >= sizeof(uint32_t) && ord_reader_u32(&r) != FRAME_MAGIC)
		return ORD_ERR_FORMAT;
	if (bytes.len < ORD_FRAME_HEADER_BYTES)
		return ORD_OK;
	uint32_t crc = ord_reader_u32(&r);
	uint32_t len = ord_reader_u32(&r);
	uint32_t kind = ord_reader_u32(&r);
	if ((kind ^ head_check(bytes.base)) >> (32 - FRAME_HEAD_CHECK_BITS) != 0)
		return ORD_ERR_CORRUPT;
	kind &= 0xff;
	if (kind < ORD_FRAME_HELLO || kind > ORD_FRAME_MEMBER)
		return ORD_ERR_FORMAT;
	if (len > bytes_max - ORD_FRAME_HEADER_BYTES)
		return ORD_ERR_TOO_BIG;
	if (ord_reader_left(&r) < len)
		return ORD_OK;
	const uint8_t *base = bytes.base;
	size_t frame_bytes = ORD_FRAME_HEADER_BYTES + (size_t)len;
	if (ord_crc32c(0, base + FRAME_CHECKED_OFFSET, frame_bytes - FRAME_CHECKED_OFFSET) != crc)
		return ORD_ERR_CORRUPT;
	*ret = (struct ord_frame){.kind = kind, .body = ord_reader_take(&r, len), .frame_bytes = frame_bytes};
	*ret_have = true;
	return ORD_OK;
}
