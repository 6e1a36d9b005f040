/* SPDX-License-Identifier: Apache-2.0 - blocks of history: the header to bytes and back, how blocks follow each other, the entries in them.
 *
 * A block is a header and the compressed content. Numbers are little-endian.
 *
 *   offset bytes of the header
 *        0     4 6f 48 42 7f
 *        4     4 CRC-32C of bytes 8 to 191
 *        8     4 format, 1
 *       12     4 partition
 *       16    16 cluster id
 *       32     8 number of the block: 1, 2, 3 ...
 *       40     8 index of its first entry; 48: of its last one
 *       56     8 term of its first entry; 64: of its last one
 *       72     8 position (offset) of its first command
 *       80     4 number of commands; 84: of entries
 *       88     8 time of its first entry, microseconds since 1970; 96: of its last one
 *      104    32 history hash before its first entry; 136: after its last one (chain.h)
 *      168     4 length of the content
 *      172     4 length of the compressed content, which follows the header
 *      176     4 CRC-32C of the compressed content
 *      180     4 how many of the blocks just before it were written and synced together with it
 *      184     8 zero
 *
 * The content is a Zstandard frame (RFC 8878) of entries one after the other: index u64, term u64, length u32, that many bytes (entry.c).
 */
#include "partition/block.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "partition/command.h"

static const char magic[4] = {'o', 'H', 'B', '\x7f'};

struct header_bytes {
	char magic[4];
	uint32_t crc;
	uint32_t format;
	uint32_t partition;
	uint8_t cluster[16];
	uint64_t number;
	uint64_t first_index;
	uint64_t last_index;
	uint64_t first_term;
	uint64_t last_term;
	uint64_t first_position;
	uint32_t commands_count;
	uint32_t entries_count;
	uint64_t first_time_us;
	uint64_t last_time_us;
	uint8_t chain_before[ORD_CHAIN_BYTES];
	uint8_t chain_after[ORD_CHAIN_BYTES];
	uint32_t content_bytes;
	uint32_t stored_bytes;
	uint32_t stored_crc;
	uint32_t joined;
	uint64_t zero;
};

_Static_assert(sizeof(struct header_bytes) == ORD_BLOCK_HEADER_BYTES, "the header has no holes");

static uint32_t header_crc(const struct header_bytes *b)
{
	return ord_crc32c(0, &b->format, sizeof *b - offsetof(struct header_bytes, format));
}

void ord_block_header_encode(const struct ord_block_header *h, uint8_t out[ORD_BLOCK_HEADER_BYTES])
{
	struct header_bytes b = {.format = ORD_BLOCK_FORMAT,
				 .partition = h->partition,
				 .number = h->number,
				 .first_index = h->first_index,
				 .last_index = h->last_index,
				 .first_term = h->first_term,
				 .last_term = h->last_term,
				 .first_position = h->first_position,
				 .commands_count = h->commands_count,
				 .entries_count = h->entries_count,
				 .first_time_us = h->first_time_us,
				 .last_time_us = h->last_time_us,
				 .content_bytes = h->content_bytes,
				 .stored_bytes = h->stored_bytes,
				 .stored_crc = h->stored_crc,
				 .joined = h->joined};
	memcpy(b.magic, magic, sizeof b.magic);
	memcpy(b.cluster, h->cluster.bytes, sizeof b.cluster);
	memcpy(b.chain_before, h->chain_before, sizeof b.chain_before);
	memcpy(b.chain_after, h->chain_after, sizeof b.chain_after);
	b.crc = header_crc(&b);
	memcpy(out, &b, sizeof b);
}

static int wrong(char *why, int err, const char *text)
{
	snprintf(why, ORD_BLOCK_WHY_SIZE, "%s", text);
	return err;
}

/* What every header of ours says, whatever stands in the block. */
static int header_check(const struct header_bytes *b, char *why)
{
	if (b->format != ORD_BLOCK_FORMAT) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the block is of format %" PRIu32 ", this build knows %u", b->format,
			 ORD_BLOCK_FORMAT);
		return ORD_ERR_MISMATCH;
	}
	if (b->content_bytes > ORD_BLOCK_CONTENT_BYTES_MAX || b->stored_bytes > ORD_BLOCK_STORED_BYTES_MAX)
		return wrong(why, ORD_ERR_TOO_BIG, "the block says that it is longer than a block can be");
	if (b->number == 0 || b->joined >= b->number || b->entries_count == 0 || b->commands_count < b->entries_count ||
	    b->first_index == 0 || b->last_index - b->first_index < b->entries_count - 1 ||
	    b->first_index > b->last_index || b->first_term > b->last_term || b->first_time_us > b->last_time_us ||
	    b->first_position > UINT64_MAX - b->commands_count || b->zero != 0)
		return wrong(why, ORD_ERR_CORRUPT, "the numbers of the block's header contradict each other");
	return ORD_OK;
}

int ord_block_header_decode(const uint8_t in[ORD_BLOCK_HEADER_BYTES], struct ord_block_header *ret, char *why)
{
	struct header_bytes b;
	memcpy(&b, in, sizeof b);
	if (memcmp(b.magic, magic, sizeof b.magic) != 0)
		return wrong(why, ORD_ERR_FORMAT, "no block begins here");
	if (b.crc != header_crc(&b))
		return wrong(why, ORD_ERR_CORRUPT, "the checksum of the block's header is wrong");
	int err = header_check(&b, why);
	if (err != ORD_OK)
		return err;
	*ret = (struct ord_block_header){.partition = b.partition,
					 .joined = b.joined,
					 .number = b.number,
					 .first_index = b.first_index,
					 .last_index = b.last_index,
					 .first_term = b.first_term,
					 .last_term = b.last_term,
					 .first_position = b.first_position,
					 .commands_count = b.commands_count,
					 .entries_count = b.entries_count,
					 .first_time_us = b.first_time_us,
					 .last_time_us = b.last_time_us,
					 .content_bytes = b.content_bytes,
					 .stored_bytes = b.stored_bytes,
					 .stored_crc = b.stored_crc};
	memcpy(ret->cluster.bytes, b.cluster, sizeof b.cluster);
	memcpy(ret->chain_before, b.chain_before, sizeof b.chain_before);
	memcpy(ret->chain_after, b.chain_after, sizeof b.chain_after);
	return ORD_OK;
}

/* --- One block after the other. --- */

struct ord_block_end ord_block_end_of(const struct ord_block_header *h)
{
	struct ord_block_end end = {.number = h->number,
				    .last_index = h->last_index,
				    .last_term = h->last_term,
				    .next_position = h->first_position + h->commands_count,
				    .last_time_us = h->last_time_us};
	memcpy(end.chain, h->chain_after, sizeof end.chain);
	return end;
}

static int differs(char *why, const char *what, uint64_t is, const char *relation, uint64_t expected)
{
	snprintf(why, ORD_BLOCK_WHY_SIZE,
		 "the block does not follow the one before: its %s is %" PRIu64 " and should be %s%" PRIu64, what, is,
		 relation, expected);
	return ORD_ERR_CORRUPT;
}

int ord_block_follows(const struct ord_block_header *h, const struct ord_block_end *end, char *why)
{
	if (h->number != end->number + 1)
		return differs(why, "number", h->number, "", end->number + 1);
	if (h->first_index <= end->last_index)
		return differs(why, "first index", h->first_index, "above ", end->last_index);
	if (h->first_term < end->last_term)
		return differs(why, "first term", h->first_term, "at least ", end->last_term);
	if (h->first_position != end->next_position)
		return differs(why, "first position", h->first_position, "", end->next_position);
	if (h->first_time_us < end->last_time_us)
		return differs(why, "first time", h->first_time_us, "at least ", end->last_time_us);
	if (memcmp(h->chain_before, end->chain, sizeof end->chain) != 0)
		return wrong(why, ORD_ERR_CORRUPT, "the chain is broken: the block was made after another one");
	return ORD_OK;
}

struct ord_block_id ord_block_id_of(const struct ord_block_header *h)
{
	struct ord_block_id id = {.number = h->number, .last_position = ord_block_last_position(h)};
	memcpy(id.chain_after, h->chain_after, sizeof id.chain_after);
	return id;
}

bool ord_block_id_equal(const struct ord_block_id *a, const struct ord_block_id *b)
{
	return a->number == b->number && a->last_position == b->last_position &&
	       memcmp(a->chain_after, b->chain_after, sizeof a->chain_after) == 0;
}

/* --- The content. --- */

void ord_block_entry_encode(const struct ord_block_entry *e, struct ord_bytes *out)
{
	ORD_ASSERT(e->bytes.len <= ORD_ENTRY_BYTES_MAX);
	ord_bytes_put_u64(out, e->index);
	ord_bytes_put_u64(out, e->term);
	ord_bytes_put_u32(out, (uint32_t)e->bytes.len);
	ord_bytes_put(out, e->bytes.base, e->bytes.len);
}

struct ord_block_cursor ord_block_cursor_of(const struct ord_block_header *h, struct ord_slice content)
{
	return (struct ord_block_cursor){.reader = ord_reader_of(content), .position = h->first_position};
}

int ord_block_next(struct ord_block_cursor *c, struct ord_block_entry *ret)
{
	if (ord_reader_left(&c->reader) == 0)
		return ORD_ERR_NOT_FOUND;
	struct ord_block_entry e = {.position = c->position};
	struct ord_entry_header header;
	e.index = ord_reader_u64(&c->reader);
	e.term = ord_reader_u64(&c->reader);
	e.bytes = ord_reader_take(&c->reader, ord_reader_u32(&c->reader));
	if (c->reader.failed)
		return ORD_ERR_TRUNCATED;
	struct ord_reader r = ord_reader_of(e.bytes);
	int err = ord_entry_decode(&r, &header);
	if (err != ORD_OK)
		return err;
	if (header.commands_count == 0)
		return ORD_ERR_FORMAT;
	e.time_us = header.time_us;
	e.commands_count = header.commands_count;
	c->position += header.commands_count;
	*ret = e;
	return ORD_OK;
}
