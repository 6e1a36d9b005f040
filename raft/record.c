/* SPDX-License-Identifier: Apache-2.0 - records to bytes and back. */
#include "raft/record.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"

#define CRC_BYTES 4u

struct header {
	uint32_t crc;
	uint32_t length;
	uint32_t group;
	uint8_t type;
	uint8_t kind;
	uint16_t zero;
	uint64_t term;
	uint64_t index;
};

_Static_assert(sizeof(struct header) == ORD_RECORD_HEADER_BYTES, "the header has no holes");

static size_t payload_bytes_max(uint8_t type)
{
	return type == ORD_RECORD_COPY ? ORD_RECORD_BYTES_MAX : ORD_ENTRY_BYTES_MAX;
}

void ord_record_encode(const struct ord_record *r, uint8_t *out)
{
	ORD_ASSERT(r->payload.len <= payload_bytes_max((uint8_t)r->type));
	struct header h = {.length = (uint32_t)r->payload.len,
			   .group = r->group,
			   .type = (uint8_t)r->type,
			   .kind = (uint8_t)r->kind,
			   .term = r->term,
			   .index = r->index};
	memcpy(out, &h, sizeof h);
	if (r->payload.len > 0)
		memcpy(out + sizeof h, r->payload.base, r->payload.len);
	h.crc = ord_crc32c(0, out + CRC_BYTES, sizeof h - CRC_BYTES + r->payload.len);
	memcpy(out, &h.crc, sizeof h.crc);
}

static bool entry_makes_sense(const struct header *h)
{
	if (h->index == 0 || h->index > ORD_RAFT_NUMBER_MAX)
		return false;
	if (h->kind == ORD_ENTRY_COMMAND || h->kind == ORD_ENTRY_CHANGE)
		return h->length > 0;
	return h->kind == ORD_ENTRY_BARRIER;
}

static bool header_makes_sense(const struct header *h)
{
	if (h->zero != 0 || h->term == 0 || h->term > ORD_RAFT_NUMBER_MAX)
		return false;
	if (h->type == ORD_RECORD_ENTRY)
		return entry_makes_sense(h);
	if (h->kind != 0)
		return false;
	if (h->type == ORD_RECORD_VOTE)
		return h->length == 0 && (h->index == 0 || (uint32_t)h->index != 0);
	if (h->index == 0 || h->index > ORD_RAFT_NUMBER_MAX)
		return false;
	return h->type == ORD_RECORD_COPY ? h->length >= ORD_RECORD_HEADER_BYTES
					  : h->type == ORD_RECORD_BASE && h->length == 0;
}

/* Looks at the record alone, not at the one inside a copy. */
static int decode_outside(struct ord_slice in, struct ord_record *ret)
{
	struct header h;
	const uint8_t *at = in.base;
	if (in.len < sizeof h)
		return ORD_ERR_TRUNCATED;
	memcpy(&h, at, sizeof h);
	if (h.length > payload_bytes_max(h.type))
		return ORD_ERR_FORMAT;
	if (in.len - sizeof h < h.length)
		return ORD_ERR_TRUNCATED;
	if (ord_crc32c(0, at + CRC_BYTES, sizeof h - CRC_BYTES + h.length) != h.crc)
		return ORD_ERR_CORRUPT;
	if (!header_makes_sense(&h))
		return ORD_ERR_FORMAT;
	*ret = (struct ord_record){.type = h.type,
				   .kind = h.kind,
				   .group = h.group,
				   .term = h.term,
				   .index = h.index,
				   .payload = ord_slice_of(at + sizeof h, h.length)};
	return ORD_OK;
}

static bool copy_makes_sense(const struct ord_record *copy)
{
	struct ord_record r;
	return decode_outside(copy->payload, &r) == ORD_OK && r.type == ORD_RECORD_ENTRY && r.group == copy->group &&
	       r.term == copy->term && r.index == copy->index && ord_record_bytes(&r) == copy->payload.len;
}

struct ord_record ord_record_of_copy(const struct ord_record *copy)
{
	struct ord_record r;
	ORD_ASSERT(copy->type == ORD_RECORD_COPY);
	ORD_ASSERT(decode_outside(copy->payload, &r) == ORD_OK);
	return r;
}

int ord_record_decode(struct ord_slice in, struct ord_record *ret)
{
	struct ord_record r;
	int err = decode_outside(in, &r);
	if (err != ORD_OK)
		return err;
	if (r.type == ORD_RECORD_COPY && !copy_makes_sense(&r))
		return ORD_ERR_FORMAT;
	*ret = r;
	return ORD_OK;
}
