/* SPDX-License-Identifier: Apache-2.0 - headers of segments and batches to bytes and back. */
#include "raft/segment.h"

#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "raft/record.h"

#define SEGMENT_CRC_OFFSET (ORD_SEGMENT_HEADER_BYTES - 4)

static const char segment_magic[8] = "ordwal\r\n";
static const char batch_magic[4] = {'o', 'B', 'A', '\x7f'};

struct segment_bytes {
	char magic[8];
	uint32_t format;
	uint32_t node;
	uint8_t cluster[16];
	uint64_t number;
	uint64_t sequence;
	uint32_t groups_count;
	uint8_t zero[8];
	uint32_t crc;
};

struct batch_bytes {
	char magic[4];
	uint32_t crc;
	uint64_t sequence;
	uint32_t length;
	uint32_t records;
	uint32_t check;
	uint32_t zero;
};

_Static_assert(sizeof(struct segment_bytes) == ORD_SEGMENT_HEADER_BYTES, "the segment header has no holes");
_Static_assert(sizeof(struct batch_bytes) == ORD_BATCH_HEADER_BYTES, "the batch header has no holes");

uint32_t ord_segment_encode(const struct ord_segment *s, uint8_t out[ORD_SEGMENT_HEADER_BYTES])
{
	struct segment_bytes b = {.format = s->format,
				  .node = s->node,
				  .number = s->number,
				  .sequence = s->sequence,
				  .groups_count = s->groups_count};
	memcpy(b.magic, segment_magic, sizeof b.magic);
	memcpy(b.cluster, s->cluster.bytes, sizeof b.cluster);
	b.crc = ord_crc32c(0, &b, SEGMENT_CRC_OFFSET);
	memcpy(out, &b, sizeof b);
	return b.crc;
}

int ord_segment_decode(const uint8_t in[ORD_SEGMENT_HEADER_BYTES], struct ord_segment *ret, uint32_t *ret_salt)
{
	struct segment_bytes b;
	memcpy(&b, in, sizeof b);
	if (memcmp(b.magic, segment_magic, sizeof b.magic) != 0)
		return ORD_ERR_FORMAT;
	if (b.crc != ord_crc32c(0, &b, SEGMENT_CRC_OFFSET))
		return ORD_ERR_CORRUPT;
	if (b.format < ORD_SEGMENT_FORMAT_OLDEST || b.format > ORD_SEGMENT_FORMAT)
		return ORD_ERR_MISMATCH;
	*ret = (struct ord_segment){.format = b.format,
				    .node = b.node,
				    .number = b.number,
				    .sequence = b.sequence,
				    .groups_count = b.groups_count};
	memcpy(ret->cluster.bytes, b.cluster, sizeof b.cluster);
	*ret_salt = b.crc;
	return ORD_OK;
}

/* The checksum begins with the salt, so that a batch of another segment, node or cluster is none here. */
static uint32_t batch_crc(const struct batch_bytes *b, uint32_t salt)
{
	return ord_crc32c(salt, &b->sequence, sizeof *b - offsetof(struct batch_bytes, sequence));
}

void ord_batch_encode(const struct ord_batch_header *h, uint32_t salt, uint8_t out[ORD_BATCH_HEADER_BYTES])
{
	struct batch_bytes b = {.sequence = h->sequence, .length = h->length, .records = h->records, .check = h->check};
	memcpy(b.magic, batch_magic, sizeof b.magic);
	b.crc = batch_crc(&b, salt);
	memcpy(out, &b, sizeof b);
}

bool ord_batch_decode(const uint8_t in[ORD_BATCH_HEADER_BYTES], uint32_t salt, struct ord_batch_header *ret)
{
	struct batch_bytes b;
	memcpy(&b, in, sizeof b);
	if (memcmp(b.magic, batch_magic, sizeof b.magic) != 0 || b.crc != batch_crc(&b, salt) || b.zero != 0)
		return false;
	*ret = (struct ord_batch_header){
		.sequence = b.sequence, .length = b.length, .records = b.records, .check = b.check};
	return true;
}

bool ord_batch_is_end(const uint8_t in[ORD_BATCH_HEADER_BYTES])
{
	static const uint8_t zeros[ORD_BATCH_HEADER_BYTES];
	return memcmp(in, zeros, sizeof zeros) == 0;
}

uint32_t ord_batch_check(uint32_t check, uint32_t record_crc)
{
	return ord_crc32c(check, &record_crc, sizeof record_crc);
}

bool ord_batch_holds(const struct ord_batch_header *h, struct ord_slice in)
{
	const uint8_t *at = in.base;
	uint32_t check = 0;
	uint32_t records = 0;
	if (in.len != h->length)
		return false;
	for (size_t offset = 0; offset < in.len; records++) {
		struct ord_record r;
		if (ord_record_decode(ord_slice_of(at + offset, in.len - offset), &r) != ORD_OK)
			return false;
		check = ord_batch_check(check, ord_record_check(at + offset));
		offset += ord_record_bytes(&r);
	}
	return records == h->records && check == h->check;
}
