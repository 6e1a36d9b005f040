/* SPDX-License-Identifier: Apache-2.0 - blocks of history by number and by position, from files that are sound, growing or damaged. */
#include "node/history_read.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "tests/support/history.h"

#define BLOCKS 9

static char directory[64];
static struct history history;
static struct ord_block_codec *codec;
static struct ord_block_header headers[BLOCKS + 1]; /* [number] */
static struct ord_bytes files[BLOCKS + 1];	    /* [first block] */
static uint64_t offsets[BLOCKS + 1];		    /* in their files */
static uint64_t file_of[BLOCKS + 1];
static struct ord_history_reader *reader;

static const char *path_of(uint64_t volume)
{
	static char path[256];
	char name[ORD_VOLUME_NAME_SIZE];
	ord_volume_name(volume, name);
	snprintf(path, sizeof path, "%s/0/%s", directory, name);
	return path;
}

static void file_store(uint64_t volume, size_t len)
{
	int fd = open(path_of(volume), O_WRONLY | O_TRUNC | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, files[volume].base, len), (ssize_t)len);
	close(fd);
}

static int reader_try(void)
{
	struct ord_history_reader_options options = {.directory = directory, .cluster = history_cluster};
	ord_history_reader_close(reader);
	reader = NULL;
	return ord_history_reader_open(&options, &reader);
}

/* Blocks 1 2 3, 4 5, 6 7 8 9 in three files. */
static void make(void)
{
	char path[128];
	snprintf(directory, sizeof directory, "/tmp/ordain-history-read-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/0", directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	history_open(&history, 1, 0);
	history.dull = true;
	cr_assert_eq(ord_block_codec_open(&codec), ORD_OK);
	uint64_t volume = 0;
	for (uint64_t number = 1; number <= BLOCKS; number++) {
		if (number == 1 || number == 4 || number == 6) {
			volume = number;
			history_buffer(&files[volume]);
			history_volume_begin(&files[volume], volume);
		}
		file_of[number] = volume;
		offsets[number] = files[volume].len;
		headers[number] = history_encode(&history, codec, 0, &files[volume]);
	}
	for (uint64_t i = 1; i <= BLOCKS; i++)
		if (file_of[i] == i)
			file_store(i, files[i].len);
	cr_assert_eq(reader_try(), ORD_OK);
}

static void clean(void)
{
	char command[128];
	ord_history_reader_close(reader);
	ord_block_codec_close(codec);
	history_close(&history);
	for (size_t i = 0; i <= BLOCKS; i++)
		ord_bytes_close(&files[i]);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(node_history_read, .init = make, .fini = clean, .timeout = 60);

static void cr_number(uint64_t number)
{
	struct ord_block block;
	cr_assert_eq(ord_history_read_number(reader, number, &block), ORD_OK, "%s",
		     ord_history_reader_error_text(reader));
	cr_assert_eq(block.header.number, number);
	cr_assert_eq(block.content.len, headers[number].content_bytes);
	struct ord_slice stored = ord_slice_of(files[file_of[number]].base + offsets[number], block.bytes.len);
	cr_assert(ord_slice_equal(block.bytes, stored));
}

static void cr_stored(uint64_t number)
{
	struct ord_slice stored =
		ord_slice_of(files[file_of[number]].base + offsets[number], ord_block_bytes(&headers[number]));
	struct ord_block_header header;
	struct ord_slice bytes;
	cr_assert_eq(ord_history_read_stored(reader, number, &header, &bytes), ORD_OK, "%s",
		     ord_history_reader_error_text(reader));
	cr_assert_eq(header.number, number);
	cr_assert(ord_slice_equal(bytes, stored));
}

static void cr_position(uint64_t position, uint64_t number)
{
	struct ord_block block;
	cr_assert_eq(ord_history_read_position(reader, position, &block), ORD_OK, "%s",
		     ord_history_reader_error_text(reader));
	cr_assert_eq(block.header.number, number, "position %zu", (size_t)position);
}

static void cr_fails(int err, uint64_t number)
{
	struct ord_block block;
	cr_assert_eq(ord_history_read_number(reader, number, &block), err, "%s", ord_history_reader_error_text(reader));
	struct ord_block_header header;
	struct ord_slice bytes;
	cr_assert_eq(ord_history_read_stored(reader, number, &header, &bytes), err, "%s",
		     ord_history_reader_error_text(reader));
	cr_assert_eq(ord_history_read_number(reader, number, &block), err, "%s", ord_history_reader_error_text(reader));
}

static void damage(uint64_t number, size_t at)
{
	files[file_of[number]].base[offsets[number] + at] ^= 1;
	file_store(file_of[number], files[file_of[number]].len);
}

/* --- Sound files. --- */

Test(node_history_read, every_block_from_every_other)
{
	for (uint64_t number = 1; number <= BLOCKS; number++)
		cr_number(number);
	for (uint64_t number = BLOCKS; number > 0; number--)
		cr_number(number);
	for (uint64_t a = 1; a <= BLOCKS; a++) {
		for (uint64_t b = 1; b <= BLOCKS; b++) {
			cr_number(a);
			cr_stored(b);
		}
	}
	cr_fails(ORD_ERR_NOT_FOUND, 0);
	cr_fails(ORD_ERR_NOT_FOUND, BLOCKS + 1);
	cr_number(4);
}

Test(node_history_read, every_position_is_found_in_its_block)
{
	struct ord_block block;
	for (uint64_t number = 1; number <= BLOCKS; number++) {
		cr_position(headers[number].first_position, number);
		cr_position(ord_block_last_position(&headers[number]), number);
		cr_position(headers[number].first_position + headers[number].commands_count / 2, number);
	}
	uint64_t behind = ord_block_last_position(&headers[BLOCKS]) + 1;
	cr_assert_eq(ord_history_read_position(reader, behind, &block), ORD_ERR_NOT_FOUND);
	cr_position(0, 1);
	cr_number(2);
}

Test(node_history_read, what_retention_has_dropped_is_not_found)
{
	struct ord_block block;
	cr_number(2);
	cr_assert_eq(unlink(path_of(1)), 0);
	cr_number(3); /* from the file that is open */
	cr_number(4);
	cr_fails(ORD_ERR_NOT_FOUND, 3);
	cr_assert_eq(ord_history_read_position(reader, 0, &block), ORD_ERR_NOT_FOUND);
	cr_position(headers[4].first_position, 4);
}

Test(node_history_read, a_partition_without_history_is_not_found)
{
	char command[128];
	snprintf(command, sizeof command, "rm -r %s/0", directory);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(reader_try(), ORD_ERR_NOT_FOUND);
	snprintf(command, sizeof command, "mkdir %s/0", directory);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(reader_try(), ORD_OK);
	cr_fails(ORD_ERR_NOT_FOUND, 1);
}

/* --- Files that grow meanwhile. --- */

Test(node_history_read, a_block_is_there_once_it_is_whole)
{
	size_t begin = offsets[BLOCKS], whole = files[6].len;
	for (size_t len = begin; len < whole; len += 11) {
		file_store(6, len);
		cr_fails(ORD_ERR_NOT_FOUND, BLOCKS);
		cr_number(BLOCKS - 1);
	}
	file_store(6, whole);
	cr_number(BLOCKS);
}

Test(node_history_read, a_new_file_is_found)
{
	struct ord_block block;
	cr_assert_eq(unlink(path_of(6)), 0);
	cr_number(5);
	cr_fails(ORD_ERR_NOT_FOUND, 6);
	file_store(6, 0);
	cr_fails(ORD_ERR_NOT_FOUND, 6);
	cr_assert_eq(ord_history_read_position(reader, headers[6].first_position, &block), ORD_ERR_NOT_FOUND);
	cr_position(headers[5].first_position, 5);
	file_store(6, files[6].len);
	cr_number(6);
	cr_position(headers[6].first_position, 6);
}

/* --- Damage. --- */

Test(node_history_read, damage_is_named_and_blocks_around_it_are_read)
{
	const size_t places[] = {2, 40, 180, ORD_BLOCK_HEADER_BYTES + 9};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char place[32];
		snprintf(place, sizeof place, "offset %zu", (size_t)offsets[7]);
		damage(7, places[i]);
		for (uint64_t number = 1; number <= BLOCKS; number++) {
			if (number != 7) {
				cr_number(number);
				cr_stored(number);
				continue;
			}
			cr_fails(ORD_ERR_CORRUPT, 7);
			const char *text = ord_history_reader_error_text(reader);
			cr_assert_not_null(strstr(text, path_of(6)), "%s", text);
			cr_assert_not_null(strstr(text, place), "%s", text);
		}
		struct ord_block block;
		cr_assert_eq(ord_history_read_position(reader, headers[7].first_position, &block), ORD_ERR_CORRUPT);
		cr_position(headers[8].first_position, 8);
		damage(7, places[i]);
	}
}

Test(node_history_read, a_time_is_found_in_the_first_block_that_reaches_it)
{
	struct ord_block block;
	for (uint64_t number = 1; number <= BLOCKS; number++) {
		uint64_t times[] = {headers[number].last_time_us, headers[number].first_time_us,
				    number > 1 ? headers[number - 1].last_time_us + 1 : 0};
		for (size_t i = 0; i < 3; i++) {
			uint64_t expected = 1;
			while (headers[expected].last_time_us < times[i])
				expected++;
			cr_assert_eq(ord_history_read_time(reader, times[i], &block), ORD_OK);
			cr_assert_eq(block.header.number, expected, "%u of block %u", (unsigned)i, (unsigned)number);
		}
	}
	cr_assert_eq(ord_history_read_time(reader, headers[BLOCKS].last_time_us + 1, &block), ORD_ERR_NOT_FOUND);
	cr_assert_eq(unlink(path_of(4)), 0); /* a gap: the first block behind it */
	cr_assert_eq(ord_history_read_time(reader, headers[3].last_time_us + 1, &block), ORD_OK);
	cr_assert_eq(block.header.number, 6);
}

Test(node_history_read, a_first_block_that_is_damaged_hides_no_other)
{
	damage(4, 10);
	cr_fails(ORD_ERR_CORRUPT, 4);
	cr_number(5);
	cr_position(headers[5].first_position, 5);
	cr_position(headers[3].first_position, 3);
	struct ord_block block;
	cr_assert_eq(ord_history_read_position(reader, headers[4].first_position, &block), ORD_ERR_CORRUPT);
}

Test(node_history_read, a_file_that_is_missing_in_the_middle_is_a_gap_and_a_short_one_is_damaged)
{
	struct ord_block block;
	cr_assert_eq(unlink(path_of(4)), 0);
	cr_fails(ORD_ERR_NOT_FOUND, 4);
	cr_fails(ORD_ERR_NOT_FOUND, 5);
	cr_assert_eq(ord_history_read_position(reader, headers[5].first_position, &block), ORD_ERR_NOT_FOUND);
	cr_number(3);
	cr_number(6);
	file_store(4, offsets[5]);
	cr_number(4);
	cr_fails(ORD_ERR_NOT_FOUND, 5);
	cr_number(6);
	file_store(4, offsets[5] + 3);
	cr_number(4);
	cr_fails(ORD_ERR_CORRUPT, 5);
	cr_number(6);
}

Test(node_history_read, another_cluster_is_refused)
{
	struct ord_history_reader_options options = {.directory = directory, .cluster = {{1}}};
	struct ord_block block;
	ord_history_reader_close(reader);
	cr_assert_eq(ord_history_reader_open(&options, &reader), ORD_OK);
	cr_assert_eq(ord_history_read_number(reader, 1, &block), ORD_ERR_MISMATCH);
}
