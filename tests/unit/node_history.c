/* SPDX-License-Identifier: Apache-2.0 - the history on disk: what was told to be durable is there at the next start, and nothing else is. */
#include "node/history.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/history_read.h"
#include "tests/support/history.h"
#include "tests/support/node_client.h"

#define PARTITIONS 3

static uv_loop_t loop;
static char parent[64];
static char directory[128];
static struct ord_history *store;
static struct history histories[PARTITIONS];
static uint64_t volume_bytes;
static char why[1024];
static bool stopped;

/* What was told, block by block. */
static unsigned told_count;
static uint64_t told_index[PARTITIONS];
static int told_status;

static void written_cb(void *ctx, uint32_t partition, uint64_t last_index, int status)
{
	cr_assert_eq(ctx, &loop);
	cr_assert_gt(last_index, told_index[partition], "in order");
	told_index[partition] = last_index;
	told_status = status;
	told_count++;
}

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static int store_try(void)
{
	struct ord_history_options options = {.loop = &loop,
					      .directory = directory,
					      .cluster = history_cluster,
					      .partitions_count = PARTITIONS,
					      .volume_bytes = volume_bytes,
					      .written = written_cb,
					      .ctx = &loop,
					      .keep_damaged = true};
	return ord_history_open(&options, &store, why, sizeof why);
}

static void store_open(void)
{
	cr_assert_eq(store_try(), ORD_OK, "%s", why);
}

static void store_stop(void)
{
	stopped = false;
	ord_history_stop(store, stopped_cb, NULL);
	UNTIL(&loop, stopped);
	store = NULL;
}

static void make(void)
{
	snprintf(parent, sizeof parent, "/tmp/ordain-history-XXXXXX");
	cr_assert_not_null(mkdtemp(parent));
	snprintf(directory, sizeof directory, "%s/history", parent);
	cr_assert_eq(uv_loop_init(&loop), 0);
	volume_bytes = ORD_VOLUME_BYTES;
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		history_open(&histories[i], i + 1, i);
		histories[i].dull = true;
	}
	store_open();
}

static void directory_remove(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", parent);
	cr_assert_eq(system(command), 0);
}

static void clean(void)
{
	if (store != NULL)
		store_stop();
	cr_assert_eq(uv_loop_close(&loop), 0);
	for (uint32_t i = 0; i < PARTITIONS; i++)
		history_close(&histories[i]);
	directory_remove();
}

TestSuite(node_history, .init = make, .fini = clean, .timeout = 120);

/* The next block of the partition, handed over. */
static void block_write(uint32_t partition)
{
	struct ord_block_raw raw;
	history_block(&histories[partition], &raw);
	uint64_t bytes = raw.content.len, before = ord_history_waiting_bytes(store);
	cr_assert_eq(ord_history_write(store, &raw), ORD_OK);
	cr_assert_null(raw.content.base);
	cr_assert_eq(ord_history_waiting_bytes(store), before + bytes);
}

static void blocks_write(uint32_t partition, unsigned count)
{
	unsigned before = told_count;
	for (unsigned i = 0; i < count; i++)
		block_write(partition);
	UNTIL(&loop, told_count == before + count);
	cr_assert_eq(told_status, ORD_OK, "%s", ord_history_error_text(store));
}

static const char *path_of(uint32_t partition, uint64_t volume)
{
	static char path[256];
	char name[ORD_VOLUME_NAME_SIZE];
	ord_volume_name(volume, name);
	snprintf(path, sizeof path, "%s/%u/%s", directory, partition, name);
	return path;
}

static size_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (size_t)st.st_size : SIZE_MAX;
}

static struct ord_bytes content_of(const char *path)
{
	struct ord_bytes bytes;
	int fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0);
	ord_bytes_init(&bytes, 1u << 30);
	size_t len = size_of(path);
	uint8_t *at = len > 0 ? ord_bytes_extend(&bytes, len) : NULL;
	cr_assert_eq(len > 0 ? read(fd, at, len) : 0, (ssize_t)len);
	close(fd);
	return bytes;
}

static void content_set(const char *path, const void *base, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, base, len), (ssize_t)len);
	close(fd);
}

static void byte_flip(const char *path, size_t offset)
{
	struct ord_bytes bytes = content_of(path);
	cr_assert_lt(offset, bytes.len);
	bytes.base[offset] ^= 1;
	content_set(path, bytes.base, bytes.len);
	ord_bytes_close(&bytes);
}

static void cr_found(uint32_t partition, const struct ord_block_end *end, bool has_cut)
{
	const struct ord_history_found *found = ord_history_found(store, partition);
	cr_assert_eq(memcmp(&found->end, end, sizeof *end), 0, "block %zu", (size_t)found->end.number);
	cr_assert_eq(found->cut_bytes > 0, has_cut);
}

/* --- Writing, and the next start. --- */

Test(node_history, a_new_history_is_empty)
{
	static const struct ord_block_end none;
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_found(i, &none, false);
	store_stop();
	store_open();
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_found(i, &none, false);
	cr_assert_str_eq(ord_history_error_text(store), "");
}

Test(node_history, what_was_told_is_there_at_the_next_start)
{
	for (unsigned round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < PARTITIONS; i++) {
			histories[i].dull = round % 2 == 0;
			blocks_write(i, i + 1);
			cr_assert_eq(told_index[i], histories[i].builder.end.last_index);
		}
		cr_assert_eq(ord_history_waiting_bytes(store), 0);
		store_stop();
		store_open();
		for (uint32_t i = 0; i < PARTITIONS; i++)
			cr_found(i, &histories[i].builder.end, false);
	}
}

/* Many at once, mixed: the order of each partition is kept, and so is the bound. */
Test(node_history, many_blocks_wait_and_are_told_in_order)
{
	unsigned count = 0;
	while (!ord_history_is_full(store))
		block_write(count++ % PARTITIONS);
	cr_assert_geq(ord_history_waiting_bytes(store), ORD_HISTORY_WAITING_BYTES_MAX);
	UNTIL(&loop, told_count == count);
	cr_assert_eq(ord_history_waiting_bytes(store), 0);
	cr_assert_not(ord_history_is_full(store));
	store_stop();
	store_open();
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_found(i, &histories[i].builder.end, false);
}

Test(node_history, stopping_tells_what_was_written_and_drops_the_rest)
{
	for (unsigned i = 0; i < 100; i++)
		block_write(1);
	store_stop();
	store_open();
	cr_assert_eq(ord_history_found(store, 1)->end.last_index, told_index[1]);
	cr_assert_eq(ord_history_found(store, 1)->end.number, told_count);
}

Test(node_history, a_block_that_is_not_the_next_one_is_a_bug, .signal = SIGABRT)
{
	struct ord_block_raw raw;
	history_block(&histories[0], &raw);
	ord_block_raw_close(&raw);
	directory_remove(); /* nothing is called behind an abort */
	block_write(0);
}

Test(node_history, a_file_that_has_reached_its_length_is_followed_by_another)
{
	volume_bytes = 1000;
	store_stop();
	store_open();
	for (unsigned i = 0; i < 12; i++)
		blocks_write(0, 1);
	cr_assert_neq(size_of(path_of(0, 1)), SIZE_MAX);
	cr_assert_geq(size_of(path_of(0, 1)), volume_bytes);
	uint64_t second = 2;
	while (size_of(path_of(0, second)) == SIZE_MAX)
		cr_assert_lt(++second, 12);
	cr_assert_geq(size_of(path_of(0, second)), volume_bytes);
	store_stop();
	store_open();
	cr_found(0, &histories[0].builder.end, false);
	blocks_write(0, 3);
	store_stop();
	store_open();
	cr_found(0, &histories[0].builder.end, false);
}

/* --- Ends that were cut short. --- */

/* Three blocks, one after the other: three writes; where each ends in the file, and what the history was then. */
static struct ord_block_end ends[4];
static size_t lengths[4];

static void three_write(void)
{
	lengths[0] = ORD_VOLUME_HEADER_BYTES;
	for (unsigned i = 1; i < 4; i++) {
		blocks_write(0, 1);
		ends[i] = histories[0].builder.end;
		lengths[i] = size_of(path_of(0, 1));
	}
	store_stop();
}

/* partition_volume.c tries every length; here some between, since each start waits for the disk. */
static size_t length_next(size_t len)
{
	for (size_t i = 0; i < 4; i++)
		if (len + 1 < lengths[i] + 2 && len + 8 > lengths[i])
			return len + 1;
	return len + 7;
}

Test(node_history, a_tail_of_any_length_is_cut)
{
	three_write();
	struct ord_bytes whole = content_of(path_of(0, 1));
	for (size_t len = 0; len <= whole.len; len = length_next(len)) {
		unsigned blocks = 0;
		while (blocks < 3 && len >= lengths[blocks + 1])
			blocks++;
		content_set(path_of(0, 1), whole.base, len);
		store_open();
		cr_found(0, &ends[blocks], len != 0 && (blocks == 0 || len != lengths[blocks]));
		cr_assert_eq(size_of(path_of(0, 1)), blocks == 0 ? SIZE_MAX : lengths[blocks]);
		store_stop();
	}
	ord_bytes_close(&whole);
}

Test(node_history, what_is_cut_can_be_written_again)
{
	three_write();
	struct ord_bytes whole = content_of(path_of(0, 1));
	struct history twin;
	history_open(&twin, 1, 0);
	twin.dull = true;
	for (unsigned i = 0; i < 2; i++) {
		struct ord_block_raw raw;
		history_block(&twin, &raw);
		ord_block_raw_close(&raw);
	}
	content_set(path_of(0, 1), whole.base, lengths[3] - 9);
	store_open();
	cr_found(0, &ends[2], true);
	histories[0].builder.end.number = 2; /* the twin goes on where the store ends */
	struct ord_block_raw raw;
	history_block(&twin, &raw);
	told_index[0] = 0;
	cr_assert_eq(ord_history_write(store, &raw), ORD_OK);
	UNTIL(&loop, told_index[0] == ends[3].last_index);
	store_stop();
	struct ord_bytes again = content_of(path_of(0, 1));
	cr_assert(ord_slice_equal(ord_bytes_slice(&whole), ord_bytes_slice(&again)));
	ord_bytes_close(&whole);
	ord_bytes_close(&again);
	history_close(&twin);
}

Test(node_history, damage_in_the_last_block_is_cut_and_damage_before_it_is_told)
{
	three_write();
	byte_flip(path_of(0, 1), lengths[2] + ORD_BLOCK_HEADER_BYTES + 3);
	store_open();
	cr_found(0, &ends[2], true);
	store_stop();
	byte_flip(path_of(0, 1), lengths[0] + 20);
	cr_assert_eq(store_try(), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(why, path_of(0, 1)), "%s", why);
	cr_assert_not_null(strstr(why, "offset 64"), "%s", why);
}

/* Hands over blocks that are ready, until the last of them were one write. Gives how many were joined to the last one. */
static uint32_t run_write(struct ord_block_header *ret_last)
{
	struct ord_history_reader_options options = {.directory = directory, .cluster = history_cluster};
	uint32_t joined = 0;
	for (unsigned round = 0; round < 50 && joined == 0; round++) {
		struct ord_block_raw raws[8];
		struct ord_history_reader *reader;
		struct ord_block block;
		unsigned before = told_count;
		for (unsigned i = 0; i < 8; i++)
			history_block(&histories[0], &raws[i]);
		for (unsigned i = 0; i < 8; i++)
			cr_assert_eq(ord_history_write(store, &raws[i]), ORD_OK);
		UNTIL(&loop, told_count == before + 8);
		cr_assert_eq(ord_history_reader_open(&options, &reader), ORD_OK);
		uint64_t last = histories[0].builder.end.number;
		cr_assert_eq(ord_history_read_number(reader, last, &block), ORD_OK);
		joined = block.header.joined;
		*ret_last = block.header;
		ord_history_reader_close(reader);
	}
	return joined;
}

/* Sectors reach a disk in any order: the first block of the last write is missing, the last one is there. */
Test(node_history, a_hole_in_the_last_write_is_cut)
{
	struct ord_block_header last;
	blocks_write(0, 1);
	uint32_t joined = run_write(&last);
	cr_assert_gt(joined, 0);
	store_stop();
	struct ord_bytes bytes = content_of(path_of(0, 1));
	struct ord_volume v = history_volume(&bytes, 1);
	struct ord_block_header h;
	uint64_t offset = ORD_VOLUME_HEADER_BYTES;
	char fault[ORD_BLOCK_WHY_SIZE];
	while (ord_volume_peek(&v, offset, &h, fault) == ORD_OK && h.number < last.number - joined)
		offset += ord_block_bytes(&h);
	memset(bytes.base + offset, 0, 64);
	content_set(path_of(0, 1), bytes.base, bytes.len);
	store_open();
	cr_assert_eq(ord_history_found(store, 0)->end.number, last.number - joined - 1);
	cr_assert_eq(ord_history_found(store, 0)->cut_bytes, bytes.len - offset);
	ord_bytes_close(&bytes);
}

/* A file that was begun and never got a whole block: the one before it must be whole then. */
Test(node_history, a_last_file_without_a_block_is_removed)
{
	volume_bytes = 1;
	store_stop();
	store_open();
	blocks_write(0, 1);
	struct ord_block_end first = histories[0].builder.end;
	blocks_write(0, 1);
	store_stop();
	struct ord_bytes second = content_of(path_of(0, 2));
	for (size_t len = 0; len < second.len; len += 23) {
		content_set(path_of(0, 2), second.base, len);
		store_open();
		cr_found(0, &first, len > 0);
		cr_assert_eq(size_of(path_of(0, 2)), SIZE_MAX);
		store_stop();
	}
	content_set(path_of(0, 2), second.base, 100);
	byte_flip(path_of(0, 1), 100);
	cr_assert_eq(store_try(), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(why, path_of(0, 1)), "%s", why);
	ord_bytes_close(&second);
}

Test(node_history, a_file_of_another_partition_is_refused)
{
	three_write();
	struct ord_bytes bytes = content_of(path_of(0, 1));
	content_set(path_of(1, 1), bytes.base, bytes.len);
	ord_bytes_close(&bytes);
	cr_assert_eq(store_try(), ORD_ERR_MISMATCH);
	cr_assert_not_null(strstr(why, "partition 0"), "%s", why);
}

Test(node_history, other_names_are_left_aside)
{
	three_write();
	content_set(path_of(0, 9), "x", 1);
	char name[512];
	snprintf(name, sizeof name, "%s.old", path_of(0, 9));
	cr_assert_eq(rename(path_of(0, 9), name), 0);
	store_open();
	cr_found(0, &ends[3], false);
	cr_assert_eq(size_of(name), 1);
}

/* --- Failures. --- */

/* A directory stands where a file should be made. */
Test(node_history, a_write_that_fails_names_the_file_and_ends_all_writing)
{
	cr_assert_eq(mkdir(path_of(2, 1), 0700), 0);
	block_write(2);
	block_write(0);
	UNTIL(&loop, told_count == 2);
	cr_assert_eq(told_status, ORD_ERR_IO);
	cr_assert_not_null(strstr(ord_history_error_text(store), "2/00000000000000000001.hist"), "%s",
			   ord_history_error_text(store));
	cr_assert_eq(ord_history_waiting_bytes(store), 0);
	block_write(1);
	UNTIL(&loop, told_count == 3);
	cr_assert_eq(told_status, ORD_ERR_IO);
	cr_assert_eq(size_of(path_of(1, 1)), SIZE_MAX);
}

Test(node_history, a_block_that_was_changed_in_memory_is_not_written)
{
	struct ord_block_raw raw;
	history_block(&histories[0], &raw);
	raw.content.base[raw.content.len - 5] ^= 1;
	cr_assert_eq(ord_history_write(store, &raw), ORD_OK);
	UNTIL(&loop, told_count == 1);
	cr_assert_eq(told_status, ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(ord_history_error_text(store), "block 1 of partition 0"), "%s",
			   ord_history_error_text(store));
	cr_assert_eq(size_of(path_of(0, 1)), SIZE_MAX);
}

Test(node_history, a_directory_that_cannot_be_made_is_named)
{
	store_stop();
	snprintf(directory, sizeof directory, "%s/missing/history", parent);
	cr_assert_eq(store_try(), ORD_ERR_IO);
	cr_assert_not_null(strstr(why, directory), "%s", why);
}
