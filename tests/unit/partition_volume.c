/* SPDX-License-Identifier: Apache-2.0 - files of history: names, headers, looking for blocks, and which end was cut short. */
#include "partition/volume.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "tests/support/history.h"

#define BLOCKS 6

static struct history history;
static struct ord_block_codec *codec;
static struct ord_bytes file;
static struct ord_bytes room;
static struct ord_block_header headers[BLOCKS];
static uint64_t offsets[BLOCKS + 1];
static char why[ORD_BLOCK_WHY_SIZE];

/* Blocks 1 | 2 3 | 4 5 6 of partition 0: three writes. The compressed blocks are some hundred bytes long. */
static const uint32_t joined[BLOCKS] = {0, 0, 1, 0, 1, 2};

static void make(void)
{
	history_open(&history, 1, 0);
	history.dull = true;
	history_buffer(&file);
	history_buffer(&room);
	cr_assert_eq(ord_block_codec_open(&codec), ORD_OK);
	history_volume_begin(&file, 1);
	for (unsigned i = 0; i < BLOCKS; i++) {
		offsets[i] = file.len;
		headers[i] = history_encode(&history, codec, joined[i], &file);
	}
	offsets[BLOCKS] = file.len;
}

static void clean(void)
{
	history_close(&history);
	ord_bytes_close(&file);
	ord_bytes_close(&room);
	ord_block_codec_close(codec);
}

TestSuite(partition_volume, .init = make, .fini = clean, .timeout = 120);

/* --- Names and headers. --- */

Test(partition_volume, names_are_the_number_of_the_first_block)
{
	char name[ORD_VOLUME_NAME_SIZE];
	uint64_t number = 7;
	ord_volume_name(42, name);
	cr_assert_str_eq(name, "00000000000000000042.hist");
	cr_assert(ord_volume_number(name, &number));
	cr_assert_eq(number, 42);
	ord_volume_name(UINT64_MAX, name);
	cr_assert(ord_volume_number(name, &number));
	cr_assert_eq(number, UINT64_MAX);
	const char *none[] = {"",
			      "42.hist",
			      "00000000000000000042.his",
			      "00000000000000000042.hist.new",
			      "000000000000000000042.hist",
			      "0000000000000000004x.hist",
			      "00000000000000000000.hist",
			      "18446744073709551616.hist"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		cr_assert_not(ord_volume_number(none[i], &number), "%s", none[i]);
}

Test(partition_volume, a_change_of_any_bit_of_the_header_is_found)
{
	struct ord_volume_header h;
	struct ord_volume v = history_volume(&file, 1);
	cr_assert_eq(ord_volume_check(&v, why), ORD_OK);
	for (unsigned bit = 0; bit < ORD_VOLUME_HEADER_BYTES * 8; bit++) {
		file.base[bit / 8] ^= (uint8_t)(1u << bit % 8);
		int err = ord_volume_header_decode(file.base, &h, why);
		cr_assert_eq(err, bit < 64 ? ORD_ERR_FORMAT : ORD_ERR_CORRUPT);
		file.base[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

Test(partition_volume, a_file_of_something_else_is_refused)
{
	struct ord_volume v = history_volume(&file, 1);
	v.header.cluster.bytes[0]++;
	cr_assert_eq(ord_volume_check(&v, why), ORD_ERR_MISMATCH);
	cr_assert_not_null(strstr(why, "cluster"), "%s", why);
	v = history_volume(&file, 1);
	v.header.partition = 3;
	cr_assert_eq(ord_volume_check(&v, why), ORD_ERR_MISMATCH);
	cr_assert_not_null(strstr(why, "partition"), "%s", why);
	v = history_volume(&file, 2);
	cr_assert_eq(ord_volume_check(&v, why), ORD_ERR_MISMATCH);
	cr_assert_not_null(strstr(why, "block"), "%s", why);
	v = history_volume(&file, 1);
	v.bytes = ORD_VOLUME_HEADER_BYTES - 1;
	cr_assert_eq(ord_volume_check(&v, why), ORD_ERR_TRUNCATED);
	file.base[8] = 9;
	uint32_t crc = ord_crc32c(0, file.base, ORD_VOLUME_HEADER_BYTES - 4);
	memcpy(file.base + ORD_VOLUME_HEADER_BYTES - 4, &crc, sizeof crc);
	v = history_volume(&file, 1);
	cr_assert_eq(ord_volume_check(&v, why), ORD_ERR_MISMATCH);
	cr_assert_not_null(strstr(why, "format 9"), "%s", why);
}

Test(partition_volume, blocks_of_another_partition_are_not_taken_for_ours)
{
	struct ord_volume v = history_volume(&file, 1);
	struct ord_block_header h;
	uint64_t offset;
	v.header.partition = 3;
	cr_assert_eq(ord_volume_peek(&v, offsets[0], &h, why), ORD_ERR_CORRUPT);
	cr_assert(ord_volume_is_misplaced(&v));
	v = history_volume(&file, 2);
	cr_assert(ord_volume_is_misplaced(&v));
	v = history_volume(&file, 1);
	cr_assert_not(ord_volume_is_misplaced(&v));
	v.header.cluster.bytes[0] ^= 1;
	cr_assert_eq(ord_volume_peek(&v, offsets[0], &h, why), ORD_ERR_MISMATCH);
	cr_assert_not(ord_volume_is_misplaced(&v));
	cr_assert_eq(ord_volume_search(&v, 0, &h, &offset, why), ORD_ERR_NOT_FOUND);
}

/* --- Walking. --- */

Test(partition_volume, blocks_are_walked_and_read)
{
	struct ord_volume v = history_volume(&file, 1);
	struct ord_block_header h;
	struct ord_block block;
	uint64_t offset = ORD_VOLUME_HEADER_BYTES;
	for (unsigned i = 0; i < BLOCKS; i++) {
		cr_assert_eq(ord_volume_peek(&v, offset, &h, why), ORD_OK, "%s", why);
		cr_assert_eq(h.number, i + 1);
		cr_assert_eq(ord_volume_read(&v, offset, &h, &room, why), ORD_OK);
		cr_assert_eq(ord_block_decode(codec, ord_bytes_slice(&room), &block, why), ORD_OK, "%s", why);
		offset += ord_block_bytes(&h);
	}
	cr_assert_eq(ord_volume_peek(&v, offset, &h, why), ORD_ERR_NOT_FOUND);
	v.bytes = offset - 1;
	cr_assert_eq(ord_volume_peek(&v, offsets[BLOCKS - 1], &h, why), ORD_ERR_TRUNCATED);
	v.bytes = offsets[BLOCKS - 1] + 1;
	cr_assert_eq(ord_volume_peek(&v, offsets[BLOCKS - 1], &h, why), ORD_ERR_TRUNCATED);
}

Test(partition_volume, the_next_block_is_found_from_any_byte)
{
	struct ord_volume v = history_volume(&file, 1);
	struct ord_block_header h;
	uint64_t offset;
	unsigned next = 0;
	for (uint64_t from = 0; from <= offsets[BLOCKS - 1]; from++) {
		next += from > offsets[next];
		cr_assert_eq(ord_volume_search(&v, from, &h, &offset, why), ORD_OK);
		cr_assert_eq(offset, offsets[next], "from %zu", (size_t)from);
		cr_assert_eq(h.number, next + 1);
	}
	cr_assert_eq(ord_volume_search(&v, offsets[BLOCKS - 1] + 1, &h, &offset, why), ORD_ERR_NOT_FOUND);
}

/* Behind gaps around the lengths in which the search reads. */
Test(partition_volume, the_next_block_is_found_behind_long_damage)
{
	const size_t gaps[] = {1, 191, 192, 193, 16383, 16384, 16385, 16384 + 191, 16384 + 192, 40000};
	for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
		struct ord_block_header h;
		uint64_t offset = 0;
		ord_bytes_clear(&room);
		memset(ord_bytes_extend(&room, gaps[i]), 'o', gaps[i]);
		ord_bytes_put(&room, file.base + offsets[2], file.len - offsets[2]);
		struct ord_volume v = history_volume(&room, 1);
		cr_assert_eq(ord_volume_search(&v, 0, &h, &offset, why), ORD_OK);
		cr_assert_eq(offset, gaps[i]);
		cr_assert_eq(h.number, 3);
	}
}

/* --- The end. --- */

static int find_end(struct ord_volume_end *ret, uint64_t *ret_offset)
{
	struct ord_volume v = history_volume(&file, 1);
	why[0] = '\0';
	int err = ord_volume_find_end(&v, codec, &room, ret, ret_offset, why);
	cr_assert(err == ORD_OK || why[0] != '\0');
	return err;
}

/* The end is behind that many blocks. */
static void cr_end(unsigned blocks)
{
	struct ord_volume_end end;
	uint64_t offset;
	cr_assert_eq(find_end(&end, &offset), ORD_OK, "%s", why);
	cr_assert_eq(end.offset, blocks == 0 ? 0 : offsets[blocks], "%zu, not behind %u blocks", (size_t)end.offset,
		     blocks);
	cr_assert_eq(end.end.number, blocks);
	if (blocks == 0)
		return;
	struct ord_block_end expected = ord_block_end_of(&headers[blocks - 1]);
	cr_assert_eq(memcmp(&end.end, &expected, sizeof expected), 0);
	cr_assert_eq(end.run_offset, offsets[blocks - 1 - joined[blocks - 1]]);
}

static void cr_corrupt(uint64_t expected_offset)
{
	struct ord_volume_end end;
	uint64_t offset = 0;
	cr_assert_eq(find_end(&end, &offset), ORD_ERR_CORRUPT);
	cr_assert_eq(offset, expected_offset, "%zu: %s", (size_t)offset, why);
}

Test(partition_volume, a_file_that_was_cut_at_any_length_ends_with_its_last_whole_block)
{
	size_t whole = file.len;
	unsigned blocks = 0;
	for (file.len = 0; file.len <= whole; file.len++) {
		blocks += blocks < BLOCKS && file.len == offsets[blocks + 1];
		cr_end(blocks);
	}
}

/* Any part of the last write may be missing: here blocks of 64 bytes that the disk never got. */
Test(partition_volume, what_the_last_write_did_not_bring_is_cut_wherever_it_is)
{
	for (unsigned block = 3; block < BLOCKS; block++) {
		for (uint64_t at = offsets[block]; at < offsets[block + 1]; at += 64) {
			uint8_t kept[64];
			size_t len = offsets[block + 1] - at < 64 ? offsets[block + 1] - at : 64;
			memcpy(kept, file.base + at, len);
			memset(file.base + at, 0, len);
			cr_end(block);
			memcpy(file.base + at, kept, len);
		}
	}
	cr_end(BLOCKS);
}

Test(partition_volume, a_first_write_that_left_nothing_leaves_an_empty_file)
{
	file.len = offsets[1];
	memset(file.base, 0, file.len);
	cr_end(0);
	file.len = 0;
	cr_end(0);
}

/* What was written after a sync proves that what stands before it was whole. */
Test(partition_volume, damage_before_the_last_write_is_corruption)
{
	memset(file.base, 0, ORD_VOLUME_HEADER_BYTES);
	cr_corrupt(0);
	history_volume_begin(&room, 1);
	memcpy(file.base, room.base, ORD_VOLUME_HEADER_BYTES);
	for (unsigned block = 0; block < 3; block++) {
		for (unsigned at = 0; at < ORD_BLOCK_HEADER_BYTES; at += 7) {
			file.base[offsets[block] + at] ^= 0x40;
			cr_corrupt(offsets[block]);
			file.base[offsets[block] + at] ^= 0x40;
		}
	}
	cr_end(BLOCKS);
}

/* The header of block 4 is there, its content is not: its write was begun, so that the one before had been synced. */
Test(partition_volume, damage_before_a_write_that_left_nothing_is_corruption)
{
	file.len = offsets[4];
	file.base[offsets[4] - 1] ^= 1;
	cr_end(3);
	file.base[offsets[3] - 1] ^= 1;
	cr_corrupt(offsets[2]);
	file.base[offsets[3] + 5] ^= 1; /* nothing of the third write is left: the second may be the torn one */
	cr_end(2);
}

Test(partition_volume, a_sound_block_in_the_wrong_place_is_corruption)
{
	memmove(file.base + offsets[1], file.base + offsets[2], file.len - offsets[2]);
	file.len -= offsets[2] - offsets[1];
	cr_corrupt(offsets[1]);
}

/* It is as it was written, and it never fitted: no write was cut short. */
Test(partition_volume, a_last_block_that_was_written_wrong_is_corruption)
{
	struct ord_block_header h = headers[BLOCKS - 1];
	h.chain_after[0] ^= 1;
	ord_block_header_encode(&h, file.base + offsets[BLOCKS - 1]);
	cr_corrupt(offsets[BLOCKS - 1]);
}

static int read_fails(void *ctx, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	(void)ctx;
	(void)offset;
	(void)base;
	(void)len;
	(void)ret_len;
	return ORD_ERR_IO;
}

Test(partition_volume, a_file_that_cannot_be_read_is_not_cut)
{
	struct ord_volume v = history_volume(&file, 1);
	struct ord_volume_end end;
	uint64_t offset;
	v.read = read_fails;
	cr_assert_eq(ord_volume_find_end(&v, codec, &room, &end, &offset, why), ORD_ERR_IO);
	v = history_volume(&file, 1);
	v.bytes += 10; /* shorter than it said */
	cr_assert_eq(ord_volume_find_end(&v, codec, &room, &end, &offset, why), ORD_OK);
	cr_assert_eq(end.end.number, BLOCKS);
	v.bytes += 1000;
	cr_assert_eq(ord_volume_find_end(&v, codec, &room, &end, &offset, why), ORD_ERR_IO);
}

/* Whatever is damaged, the end that is found is one: what is left after the cut is whole, and the next start cuts no more. */
Test(partition_volume, foreign_bytes_do_no_harm)
{
	struct random random = random_of(5);
	struct ord_bytes good = file;
	unsigned found = 0, told = 0;
	history_buffer(&file);
	for (unsigned i = 0; i < 3000; i++) {
		struct ord_volume_end end, again;
		uint64_t offset;
		ord_bytes_clear(&file);
		ord_bytes_put(&file, good.base, good.len);
		for (uint64_t n = random_below(&random, 4); n > 0; n--)
			file.base[random_below(&random, file.len)] = (uint8_t)random_next(&random);
		file.len -= random_chance(&random, 50) ? random_below(&random, file.len) : 0;
		if (find_end(&end, &offset) != ORD_OK) {
			cr_assert_leq(offset, file.len);
			told++;
			continue;
		}
		cr_assert_leq(end.offset, file.len);
		found++;
		file.len = end.offset;
		if (file.len == 0)
			continue;
		cr_assert_eq(find_end(&again, &offset), ORD_OK, "%s", why);
		cr_assert_eq(again.offset, end.offset);
		cr_assert_eq(memcmp(&again.end, &end.end, sizeof end.end), 0);
	}
	cr_assert(found > 500 && told > 500, "%u, %u", found, told);
	ord_bytes_close(&good);
}
