/* SPDX-License-Identifier: Apache-2.0 - files of history.
 *
 * The history of a partition is a directory of files, each named by the number of its first block, 20 digits and ".hist". A file is a header and blocks (block.c), one after
 * the other. Numbers are little-endian.
 *
 *   offset bytes of the header
 *        0     8 "ordhis\r\n"
 *        8     4 format, 1
 *       12     4 partition
 *       16    16 cluster id
 *       32     8 number of its first block
 *       40    20 zero
 *       60     4 CRC-32C of bytes 0 to 59
 *
 * Blocks that waited for the disk together are one write and one sync, and the next write begins only after that sync has succeeded; the first write of a file brings its
 * header, too. Each block says how many before it belong to its write ("joined"). So when a block that should stand somewhere does not, and n is its number:
 *
 *   - A block behind it that was written after a sync of n (its number less what it says is joined is above n) proves that n was durable: corruption.
 *   - Otherwise n belongs to the last write, which was cut short: an incomplete tail. Sectors may reach a disk in any order, so that any part of that write may be missing, and
 *     all blocks of the last write are checked to their last byte. The first that is not as it was written, and all behind it, is the tail.
 *
 * When retention has dropped the oldest files, the file "first" is such a header, with "ordfst\r\n" at its beginning: the first block that is kept. It is replaced, and durable, before
 * the files go.
 *
 * A change of bits in the last write cannot be told from a torn one.
 */
#include "partition/volume.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"

#define NAME_DIGITS 20
#define NAME_SUFFIX ".hist"
#define CRC_OFFSET (ORD_VOLUME_HEADER_BYTES - 4)
#define SEARCH_BYTES (16u << 10)

static const char magic[8] = "ordhis\r\n";
static const char first_magic[8] = "ordfst\r\n";

struct header_bytes {
	char magic[8];
	uint32_t format;
	uint32_t partition;
	uint8_t cluster[16];
	uint64_t first_block;
	uint8_t zero[20];
	uint32_t crc;
};

_Static_assert(sizeof(struct header_bytes) == ORD_VOLUME_HEADER_BYTES, "the header has no holes");

static int wrong(char *why, int err, const char *text)
{
	snprintf(why, ORD_BLOCK_WHY_SIZE, "%s", text);
	return err;
}

void ord_volume_name(uint64_t first_block, char name[ORD_VOLUME_NAME_SIZE])
{
	snprintf(name, ORD_VOLUME_NAME_SIZE, "%0*" PRIu64 NAME_SUFFIX, NAME_DIGITS, first_block);
}

bool ord_volume_number(const char *name, uint64_t *ret_first_block)
{
	uint64_t number = 0;
	for (size_t i = 0; i < NAME_DIGITS; i++) {
		unsigned digit = (unsigned)(name[i] - '0');
		if (digit > 9 || number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (strcmp(name + NAME_DIGITS, NAME_SUFFIX) != 0 || number == 0)
		return false;
	*ret_first_block = number;
	return true;
}

/* --- The header. --- */

static void header_encode(const struct ord_volume_header *h, const char first[8], uint8_t out[ORD_VOLUME_HEADER_BYTES])
{
	struct header_bytes b = {.format = ORD_VOLUME_FORMAT, .partition = h->partition, .first_block = h->first_block};
	memcpy(b.magic, first, sizeof b.magic);
	memcpy(b.cluster, h->cluster.bytes, sizeof b.cluster);
	b.crc = ord_crc32c(0, &b, CRC_OFFSET);
	memcpy(out, &b, sizeof b);
}

static int header_decode(const uint8_t in[ORD_VOLUME_HEADER_BYTES], const char first[8], struct ord_volume_header *ret,
			 char *why)
{
	struct header_bytes b;
	memcpy(&b, in, sizeof b);
	if (memcmp(b.magic, first, sizeof b.magic) != 0)
		return wrong(why, ORD_ERR_FORMAT, "not a file of history");
	if (b.crc != ord_crc32c(0, &b, CRC_OFFSET))
		return wrong(why, ORD_ERR_CORRUPT, "the checksum of the file's header is wrong");
	if (b.format != ORD_VOLUME_FORMAT) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the file is of format %" PRIu32 ", this build knows %u", b.format,
			 ORD_VOLUME_FORMAT);
		return ORD_ERR_MISMATCH;
	}
	*ret = (struct ord_volume_header){.partition = b.partition, .first_block = b.first_block};
	memcpy(ret->cluster.bytes, b.cluster, sizeof b.cluster);
	return ORD_OK;
}

void ord_volume_header_encode(const struct ord_volume_header *h, uint8_t out[ORD_VOLUME_HEADER_BYTES])
{
	header_encode(h, magic, out);
}

int ord_volume_header_decode(const uint8_t in[ORD_VOLUME_HEADER_BYTES], struct ord_volume_header *ret, char *why)
{
	return header_decode(in, magic, ret, why);
}

void ord_volume_first_encode(const struct ord_volume_header *h, uint8_t out[ORD_VOLUME_HEADER_BYTES])
{
	header_encode(h, first_magic, out);
}

int ord_volume_first_decode(const uint8_t in[ORD_VOLUME_HEADER_BYTES], struct ord_volume_header *ret, char *why)
{
	return header_decode(in, first_magic, ret, why);
}

/* Reads len bytes that lie within the file. */
static int read_whole(const struct ord_volume *v, uint64_t offset, void *base, size_t len, char *why)
{
	size_t have = 0;
	int err = v->read(v->ctx, offset, base, len, &have);
	if (err != ORD_OK)
		return wrong(why, err, ord_err_text(err));
	return have == len ? ORD_OK : wrong(why, ORD_ERR_IO, "the file became shorter while it was read");
}

int ord_volume_check(const struct ord_volume *v, char *why)
{
	uint8_t in[ORD_VOLUME_HEADER_BYTES];
	struct ord_volume_header h;
	if (v->bytes < sizeof in)
		return wrong(why, ORD_ERR_TRUNCATED, "the file is shorter than its header");
	int err = read_whole(v, 0, in, sizeof in, why);
	if (err == ORD_OK)
		err = ord_volume_header_decode(in, &h, why);
	if (err != ORD_OK)
		return err;
	if (!ord_uuid_equal(&h.cluster, &v->header.cluster))
		return wrong(why, ORD_ERR_MISMATCH, "the file belongs to another cluster");
	if (h.partition != v->header.partition) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the file belongs to partition %" PRIu32, h.partition);
		return ORD_ERR_MISMATCH;
	}
	if (h.first_block != v->header.first_block) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the file begins with block %" PRIu64 ", its name says another one",
			 h.first_block);
		return ORD_ERR_MISMATCH;
	}
	return ORD_OK;
}

bool ord_volume_is_misplaced(const struct ord_volume *v)
{
	uint8_t in[ORD_VOLUME_HEADER_BYTES];
	struct ord_volume_header h;
	char why[ORD_BLOCK_WHY_SIZE];
	if (v->bytes < sizeof in || read_whole(v, 0, in, sizeof in, why) != ORD_OK ||
	    ord_volume_header_decode(in, &h, why) != ORD_OK || !ord_uuid_equal(&h.cluster, &v->header.cluster))
		return false;
	return h.partition != v->header.partition || h.first_block != v->header.first_block;
}

/* --- Blocks. --- */

static bool is_ours(const struct ord_volume *v, const struct ord_block_header *h)
{
	return h->partition == v->header.partition && ord_uuid_equal(&h->cluster, &v->header.cluster);
}

int ord_volume_peek(const struct ord_volume *v, uint64_t offset, struct ord_block_header *ret, char *why)
{
	uint8_t in[ORD_BLOCK_HEADER_BYTES];
	struct ord_block_header h;
	if (offset >= v->bytes)
		return wrong(why, ORD_ERR_NOT_FOUND, "the file ends here");
	if (v->bytes - offset < sizeof in)
		return wrong(why, ORD_ERR_TRUNCATED, "the file ends within the header of a block");
	int err = read_whole(v, offset, in, sizeof in, why);
	if (err == ORD_OK)
		err = ord_block_header_decode(in, &h, why);
	if (err != ORD_OK)
		return err;
	if (!ord_uuid_equal(&h.cluster, &v->header.cluster))
		return wrong(why, ORD_ERR_MISMATCH, "the block belongs to another cluster");
	if (!is_ours(v, &h))
		return wrong(why, ORD_ERR_CORRUPT, "the block belongs to another partition");
	if (v->bytes - offset < ord_block_bytes(&h))
		return wrong(why, ORD_ERR_TRUNCATED, "the file ends within a block");
	*ret = h;
	return ORD_OK;
}

int ord_volume_read(const struct ord_volume *v, uint64_t offset, const struct ord_block_header *h,
		    struct ord_bytes *bytes, char *why)
{
	ord_bytes_clear(bytes);
	uint8_t *base = ord_bytes_extend(bytes, ord_block_bytes(h));
	if (base == NULL)
		return wrong(why, ORD_ERR_NOMEM, ord_err_text(ORD_ERR_NOMEM));
	return read_whole(v, offset, base, bytes->len, why);
}

/* Looks for a header that begins in the first `begins` bytes of a window. */
static bool window_search(const struct ord_volume *v, struct ord_slice window, size_t begins,
			  struct ord_block_header *ret, size_t *ret_at)
{
	const uint8_t *base = window.base;
	char why[ORD_BLOCK_WHY_SIZE];
	for (size_t at = 0; at < begins && window.len - at >= ORD_BLOCK_HEADER_BYTES; at++) {
		const uint8_t *first = memchr(base + at, 'o', begins - at);
		struct ord_block_header h;
		if (first == NULL)
			return false;
		at = (size_t)(first - base);
		if (window.len - at < ORD_BLOCK_HEADER_BYTES || ord_block_header_decode(first, &h, why) != ORD_OK ||
		    !is_ours(v, &h))
			continue;
		*ret = h;
		*ret_at = at;
		return true;
	}
	return false;
}

int ord_volume_search(const struct ord_volume *v, uint64_t offset, struct ord_block_header *ret, uint64_t *ret_offset,
		      char *why)
{
	uint8_t window[SEARCH_BYTES + ORD_BLOCK_HEADER_BYTES];
	for (; offset < v->bytes && v->bytes - offset >= ORD_BLOCK_HEADER_BYTES; offset += SEARCH_BYTES) {
		size_t len = v->bytes - offset < sizeof window ? (size_t)(v->bytes - offset) : sizeof window;
		size_t begins = len < SEARCH_BYTES ? len : SEARCH_BYTES;
		size_t at;
		int err = read_whole(v, offset, window, len, why);
		if (err != ORD_OK)
			return err;
		if (window_search(v, ord_slice_of(window, len), begins, ret, &at)) {
			*ret_offset = offset + at;
			return ORD_OK;
		}
	}
	return wrong(why, ORD_ERR_NOT_FOUND, "no block follows");
}

/* --- The end. --- */

/* May what is missing from number and offset on be the end of a write that was cut short? Not when something stands behind it that was written after its sync. */
static int tail_check(const struct ord_volume *v, uint64_t offset, uint64_t number, char *why)
{
	char none[ORD_BLOCK_WHY_SIZE];
	struct ord_block_header h;
	int err;
	while ((err = ord_volume_search(v, offset, &h, &offset, none)) == ORD_OK) {
		if (h.number - h.joined > number)
			return ORD_ERR_CORRUPT; /* why says what stands there instead */
		offset++;
	}
	return err == ORD_ERR_NOT_FOUND ? ORD_OK : wrong(why, err, none);
}

/* What is found while the headers are followed: where they end, and where they ended before the last write. */
struct follow {
	struct ord_volume_end end;
	struct ord_volume_end before_run;
};

static void follow_add(struct follow *f, const struct ord_block_header *h, uint64_t offset)
{
	if (f->end.offset == 0 || h->joined == 0) {
		f->before_run = f->end;
		f->end.run_offset = offset;
	}
	f->end.offset = offset + ord_block_bytes(h);
	f->end.end = ord_block_end_of(h);
}

/* Follows the headers from the first block on, as far as they go. *ret_offset: where something else stands. */
static int headers_follow(const struct ord_volume *v, struct follow *f, uint64_t *ret_offset, char *why)
{
	struct ord_block_header h;
	int err;
	for (;;) {
		bool first = f->end.offset == 0;
		*ret_offset = first ? ORD_VOLUME_HEADER_BYTES : f->end.offset;
		err = ord_volume_peek(v, *ret_offset, &h, why);
		if (err != ORD_OK)
			break;
		if (!first)
			err = ord_block_follows(&h, &f->end.end, why);
		else if (h.number != v->header.first_block)
			err = wrong(why, ORD_ERR_CORRUPT, "the file does not begin with the block that its name says");
		if (err != ORD_OK)
			return err; /* a sound header in the wrong place: no write was cut short */
		follow_add(f, &h, *ret_offset);
	}
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err == ORD_ERR_IO || err == ORD_ERR_MISMATCH)
		return err;
	uint64_t number = f->end.offset == 0 ? v->header.first_block : f->end.end.number + 1;
	return tail_check(v, *ret_offset, number, why);
}

/* Checks the blocks of the last write of `end`. *ret_good: where those that are as they were written end; `before` when the first is not. */
static int run_check(const struct ord_volume *v, struct ord_block_codec *codec, struct ord_bytes *bytes,
		     const struct ord_volume_end *end, const struct ord_volume_end *before,
		     struct ord_volume_end *ret_good, uint64_t *ret_offset, char *why)
{
	*ret_good = *before;
	for (uint64_t offset = end->run_offset; offset < end->offset; offset = ret_good->offset) {
		struct ord_block_header h;
		struct ord_block block;
		*ret_offset = offset;
		int err = ord_volume_peek(v, offset, &h, why);
		if (err == ORD_OK)
			err = ord_volume_read(v, offset, &h, bytes, why);
		if (err != ORD_OK)
			return err;
		if (!ord_block_is_whole(&h, ord_bytes_slice(bytes)))
			return ORD_OK;
		err = ord_block_decode(codec, ord_bytes_slice(bytes), &block, why);
		if (err != ORD_OK)
			return err; /* it is as it was written, and that is wrong */
		ret_good->offset = offset + ord_block_bytes(&h);
		ret_good->run_offset = end->run_offset;
		ret_good->end = ord_block_end_of(&h);
	}
	return ORD_OK;
}

int ord_volume_find_end(const struct ord_volume *v, struct ord_block_codec *codec, struct ord_bytes *bytes,
			struct ord_volume_end *ret, uint64_t *ret_offset, char *why)
{
	struct follow f = {0};
	struct ord_volume_end good = {0}, again;
	*ret_offset = 0;
	int err = ord_volume_check(v, why);
	if (err == ORD_ERR_TRUNCATED || err == ORD_ERR_FORMAT || err == ORD_ERR_CORRUPT) {
		err = tail_check(v, 0, v->header.first_block, why);
		if (err == ORD_OK)
			*ret = good;
		return err;
	}
	if (err == ORD_OK)
		err = headers_follow(v, &f, ret_offset, why);
	if (err == ORD_OK)
		err = run_check(v, codec, bytes, &f.end, &f.before_run, &good, ret_offset, why);
	if (err != ORD_OK)
		return err;
	if (good.offset != 0 &&
	    good.offset == f.before_run.offset) { /* the last write left nothing: what was synced before is whole */
		err = run_check(v, codec, bytes, &f.before_run, &(struct ord_volume_end){0}, &again, ret_offset, why);
		if (err == ORD_OK && again.offset != good.offset)
			err = wrong(why, ORD_ERR_CORRUPT, "the checksum of the block's content is wrong");
	}
	if (err == ORD_OK)
		*ret = good;
	return err;
}
