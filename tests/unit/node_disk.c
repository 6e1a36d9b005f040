/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log's files: what was written is there, and segments are prepared in advance. */
#include "node/disk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/disk_blocks.h"
#include "tests/support/node_client.h"

#define SEGMENT_BYTES (3u << 20)
#define BLOCK_BYTES ORD_DISK_BLOCK_BYTES
/* How long a segment is that grows, once a few bytes are in it. */
#define GROWN_BYTES (BLOCK_BYTES + SEGMENT_BYTES / 16)

static uv_loop_t loop;
static char directory[64];
static struct ord_disk *disk;
static struct ord_io io;
static unsigned synced_count;
static int synced_status;
static bool stopped;

static unsigned removed_count;
static int removed_status;

static void removed_cb(void *ctx, int status)
{
	(void)ctx;
	removed_count++;
	removed_status = status;
}

static void synced_cb(void *ctx, int status)
{
	(void)ctx;
	synced_count++;
	synced_status = status;
}

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static atomic_uint stored_count;
static atomic_int stored_status;

static int stored_cb(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&stored_count, 1);
	return atomic_load(&stored_status);
}

static unsigned starves_count;
static char starves_what[256];

static void starves_cb(void *ctx, const char *what)
{
	(void)ctx;
	starves_count++;
	snprintf(starves_what, sizeof starves_what, "%s", what);
}

static unsigned cached_count;

static void cached_cb(void *ctx)
{
	(void)ctx;
	cached_count++;
}

/* A disk without room, once so many writes have had some. */
static atomic_bool is_full;
static atomic_uint writes_left;
/* One that has room for one block. */
static atomic_bool is_full_ahead;
static atomic_uint tries_count;
/* A file system that has direct writes by name only. */
static atomic_bool refuses_direct;
static atomic_uint refused_count;
extern ssize_t __real_pwrite(int fd, const void *base, size_t len, off_t offset);
extern ssize_t __wrap_pwrite(int fd, const void *base, size_t len, off_t offset);

ssize_t __wrap_pwrite(int fd, const void *base, size_t len, off_t offset)
{
	if (atomic_load(&refuses_direct) && (fcntl(fd, F_GETFL) & O_DIRECT) != 0) {
		atomic_fetch_add(&refused_count, 1);
		errno = EINVAL;
		return -1;
	}
	if (atomic_load(&is_full_ahead) && len > BLOCK_BYTES) {
		errno = ENOSPC;
		return -1;
	}
	if (!atomic_load(&is_full))
		return __real_pwrite(fd, base, len, offset);
	if (atomic_load(&writes_left) > 0) {
		atomic_fetch_sub(&writes_left, 1);
		return __real_pwrite(fd, base, len, offset);
	}
	atomic_fetch_add(&tries_count, 1);
	errno = ENOSPC;
	return -1;
}

static atomic_bool sync_is_full;
static atomic_uint syncs_count;
extern int __real_fdatasync(int fd);
extern int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	if (!atomic_load(&sync_is_full))
		return __real_fdatasync(fd);
	atomic_fetch_add(&syncs_count, 1);
	errno = ENOSPC;
	return -1;
}

static void disk_start(uint64_t segment_bytes)
{
	struct ord_disk_events events = {.synced = synced_cb,
					 .removed = removed_cb,
					 .starves = starves_cb,
					 .cached = cached_cb,
					 .stored = stored_cb};
	cr_assert_eq(ord_disk_open(&loop, directory, segment_bytes, &events, &disk), ORD_OK);
	io = ord_disk_io(disk);
}

static void disk_end(void)
{
	stopped = false;
	ord_disk_stop(disk, stopped_cb, NULL);
	UNTIL(&loop, stopped);
}

static void make(void)
{
	snprintf(directory, sizeof directory, "/tmp/ordain-disk-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(uv_loop_init(&loop), 0);
	disk_start(SEGMENT_BYTES);
}

static void clean(void)
{
	char command[128];
	disk_end();
	cr_assert_eq(uv_loop_close(&loop), 0);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(disk, .init = make, .fini = clean, .timeout = 60);

static const char *path_of(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static int64_t size_of(const char *name)
{
	struct stat st;
	return stat(path_of(name), &st) == 0 ? (int64_t)st.st_size : -1;
}

/* What it takes on the disk, which may be more than its length. */
static uint64_t room_of(const char *name)
{
	struct stat st;
	return stat(path_of(name), &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static uint64_t inode_of(const char *name)
{
	struct stat st;
	return stat(path_of(name), &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static int write_wait(uint64_t segment, uint64_t offset, const void *base, size_t len)
{
	unsigned before = synced_count;
	io.write(io.ctx, segment, offset, ord_slice_of(base, len));
	UNTIL(&loop, synced_count > before);
	cr_assert_eq(synced_count, before + 1);
	return synced_status;
}

static void fill_segment(uint64_t segment)
{
	static uint8_t block[1u << 20];
	for (uint64_t offset = 0; offset < SEGMENT_BYTES; offset += sizeof block) {
		uint64_t left = SEGMENT_BYTES - ORD_IO_END_BYTES - offset;
		size_t len = left < sizeof block ? (size_t)left : sizeof block;
		memset(block, (int)(segment + offset / sizeof block), sizeof block);
		cr_assert_eq(write_wait(segment, offset, block, len), ORD_OK);
	}
}

struct listed {
	uint64_t segments[4];
	uint64_t bytes[4];
	unsigned count;
};

static void listed_cb(void *arg, uint64_t segment, uint64_t bytes)
{
	struct listed *listed = arg;
	cr_assert_lt(listed->count, 4);
	listed->segments[listed->count] = segment;
	listed->bytes[listed->count++] = bytes;
}

Test(disk, what_was_written_is_read_and_listed)
{
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	cr_assert_eq(write_wait(1, 3, "+one", 4), ORD_OK);
	cr_assert_eq(write_wait(2, 0, "two", 3), ORD_OK);
	cr_assert_eq(write_wait(16, 0, "sixteen", 7), ORD_OK);
	char got[64] = "";
	size_t len;
	cr_assert_eq(io.read(io.ctx, 1, 1, got, sizeof got, &len), ORD_OK);
	cr_assert(len == sizeof got && memcmp(got, "ne+one", 6) == 0);
	for (size_t i = 6; i < len; i++)
		cr_assert_eq(got[i], 0, "zeros stand behind what was written last");
	cr_assert_eq(io.read(io.ctx, 16, 0, got, 3, &len), ORD_OK);
	cr_assert(len == 3 && memcmp(got, "six", 3) == 0);
	cr_assert_eq(io.read(io.ctx, 3, 0, got, 3, &len), ORD_ERR_IO);
	close(open(path_of("1.wal"), O_CREAT | O_WRONLY, 0600)); /* not ours */
	close(open(path_of("0000000000000003.wal.old"), O_CREAT | O_WRONLY, 0600));
	struct listed listed = {0};
	cr_assert_eq(io.list(io.ctx, listed_cb, &listed), ORD_OK);
	cr_assert_eq(listed.count, 3);
	const uint64_t segments[] = {1, 2, 16}, bytes[] = {GROWN_BYTES, GROWN_BYTES, GROWN_BYTES};
	cr_assert_arr_eq(listed.segments, segments, sizeof segments);
	cr_assert_arr_eq(listed.bytes, bytes, sizeof bytes);
	cr_assert_eq(io.truncate(io.ctx, 1, 5), ORD_OK);
	cr_assert_eq(size_of("0000000000000001.wal"), 5);
	cr_assert_eq(io.truncate(io.ctx, 9, 5), ORD_ERR_IO);
	cr_assert_eq(io.rewrite(io.ctx, 1, 2, ord_slice_of("e+", 2)), ORD_OK);
	cr_assert_eq(io.read(io.ctx, 1, 0, got, 9, &len), ORD_OK);
	cr_assert(len == 5 && memcmp(got, "one+o", 5) == 0);
	cr_assert_eq(io.rewrite(io.ctx, 9, 0, ord_slice_of("nine", 4)), ORD_ERR_IO);
}

static const char *segment_name(uint64_t segment)
{
	static char name[32];
	snprintf(name, sizeof name, "%016llx.wal", (unsigned long long)segment);
	return name;
}

/* Byte i of what check_writes writes. */
static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(1 + i * 7 % 251 + i / BLOCK_BYTES % 5);
}

/* Writes of such lengths, one behind the other, must read back as one row of bytes, with zeros behind. */
static void check_writes(uint64_t segment, const size_t *lens, size_t count, bool restarts)
{
	static uint8_t want[SEGMENT_BYTES];
	static uint8_t got[SEGMENT_BYTES];
	size_t end = 0;
	for (size_t i = 0; i < sizeof want; i++)
		want[i] = byte_at(i);
	for (size_t i = 0; i < count; i++) {
		size_t len;
		cr_assert_eq(write_wait(segment, end, want + end, lens[i]), ORD_OK);
		end += lens[i];
		if (restarts) {
			disk_end();
			disk_start(SEGMENT_BYTES);
		}
		cr_assert_eq(io.read(io.ctx, segment, 0, got, sizeof got, &len), ORD_OK);
		cr_assert_geq(len, end + ORD_IO_END_BYTES);
		cr_assert_arr_eq(got, want, end, "after write %zu", i);
		for (size_t at = end; at < end + ORD_IO_END_BYTES; at++)
			cr_assert_eq(got[at], 0, "after write %zu, at %zu", i, at);
	}
}

/* Ends just before, at and behind the end of a block, ends for whose zeros there is just no room in it, and more than a piece. */
static const size_t lens[] = {3,
			      BLOCK_BYTES - 3,
			      BLOCK_BYTES - ORD_IO_END_BYTES,
			      1,
			      ORD_IO_END_BYTES - 2,
			      1,
			      1,
			      BLOCK_BYTES,
			      3 * BLOCK_BYTES + 17,
			      (256u << 10) - 17,
			      (700u << 10) + 5,
			      1};

/* Whether the file system under this test has direct writes. */
static bool is_direct(void)
{
	int fd = open(path_of("direct"), O_CREAT | O_RDWR | O_DIRECT, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

Test(disk, writes_of_all_lengths_are_read_back)
{
	check_writes(1, lens, sizeof lens / sizeof *lens, false);
	cr_expect(cached_count == 0 || !is_direct());
}

/* The part of a block that was written before a restart is not in memory. */
Test(disk, a_block_that_was_begun_is_gone_on_with_after_a_restart)
{
	check_writes(1, lens, sizeof lens / sizeof *lens, true);
	cr_assert_eq(io.truncate(io.ctx, 1, 5), ORD_OK);
	disk_end();
	disk_start(SEGMENT_BYTES);
	uint8_t got[8];
	size_t len;
	cr_assert_eq(write_wait(1, 5, "xyz", 3), ORD_OK);
	cr_assert_eq(io.read(io.ctx, 1, 0, got, sizeof got, &len), ORD_OK);
	const uint8_t want[] = {byte_at(0), byte_at(1), byte_at(2), byte_at(3), byte_at(4), 'x', 'y', 'z'};
	cr_assert_arr_eq(got, want, sizeof want);
}

Test(disk, where_direct_writes_are_refused_they_go_through_the_page_cache)
{
	atomic_store(&refuses_direct, true);
	check_writes(1, lens, sizeof lens / sizeof *lens, false);
	fill_segment(2);
	cr_expect_eq(cached_count, 1, "it is told once");
	check_writes(3, lens, sizeof lens / sizeof *lens, true);
	if (is_direct())
		cr_expect_gt(atomic_load(&refused_count), 0);
	fill_segment(4);
	UNTIL(&loop, size_of("spare") == SEGMENT_BYTES);
	atomic_store(&refuses_direct, false);
}

/* A sync of a file that has become longer costs more. */
Test(disk, a_segment_grows_by_more_than_a_small_write)
{
	static uint8_t large[64u << 10];
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	for (uint64_t offset = 3; offset + BLOCK_BYTES <= GROWN_BYTES; offset += BLOCK_BYTES) {
		cr_assert_eq(write_wait(1, offset, "one", 3), ORD_OK);
		cr_assert_eq(size_of(segment_name(1)), GROWN_BYTES);
	}
	cr_assert_eq(write_wait(1, GROWN_BYTES, "one", 3), ORD_OK);
	cr_assert_eq(size_of(segment_name(1)), 2 * GROWN_BYTES);
	cr_assert_eq(write_wait(2, 0, large, sizeof large), ORD_OK);
	cr_assert_eq(size_of(segment_name(2)), sizeof large + BLOCK_BYTES);
}

Test(disk, the_next_segment_is_prepared_and_used)
{
	uint64_t segment = 1;
	uint64_t spare;
	do { /* the thread that prepares may see its file a moment before it says so: then the next one does */
		cr_assert_lt(segment, 20);
		fill_segment(segment++);
		UNTIL(&loop, size_of("spare") == SEGMENT_BYTES);
		spare = inode_of("spare");
		cr_assert_eq(write_wait(segment, 0, "begin", 5), ORD_OK);
	} while (inode_of(segment_name(segment)) != spare);
	cr_assert_eq(size_of(segment_name(segment)), SEGMENT_BYTES);
	cr_assert_eq(size_of("spare"), -1);
	static uint8_t got[SEGMENT_BYTES];
	size_t len;
	cr_assert_eq(io.read(io.ctx, segment, 0, got, sizeof got, &len), ORD_OK);
	cr_assert_eq(len, sizeof got);
	cr_assert_eq(memcmp(got, "begin", 5), 0);
	for (size_t i = 5; i < sizeof got; i++)
		cr_assert_eq(got[i], 0);
	cr_assert_eq(io.read(io.ctx, segment - 1, SEGMENT_BYTES - ORD_IO_END_BYTES - 1, got, 8, &len), ORD_OK);
	cr_assert(len == 8 && got[0] == (uint8_t)(segment + 1) && got[1] == 0);
}

Test(disk, a_segment_has_its_room_before_it_is_written)
{
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	cr_assert_eq(size_of(segment_name(1)), GROWN_BYTES);
	cr_assert_geq(room_of(segment_name(1)), SEGMENT_BYTES);
}

Test(disk, where_room_is_short_no_segment_is_prepared)
{
	ord_disk_prepare(disk, false);
	fill_segment(1);
	cr_assert_eq(write_wait(2, 0, "two", 3), ORD_OK);
	cr_assert_eq(size_of(segment_name(2)), BLOCK_BYTES, "it grows by what it must");
	cr_assert_lt(room_of(segment_name(2)), SEGMENT_BYTES);
	cr_assert_eq(size_of("spare"), -1);
	ord_disk_prepare(disk, true);
	fill_segment(2);
	UNTIL(&loop, size_of("spare") == SEGMENT_BYTES);
}

Test(disk, a_prepared_segment_is_kept_over_a_restart_unless_segments_have_another_length)
{
	fill_segment(1);
	UNTIL(&loop, size_of("spare") == SEGMENT_BYTES);
	uint64_t spare = inode_of("spare");
	disk_end();
	disk_start(SEGMENT_BYTES);
	cr_assert_eq(write_wait(2, 0, "two", 3), ORD_OK);
	cr_assert_eq(inode_of("0000000000000002.wal"), spare);
	fill_segment(2);
	UNTIL(&loop, size_of("spare") == SEGMENT_BYTES);
	disk_end();
	disk_start(SEGMENT_BYTES / 2);
	cr_assert_eq(size_of("spare"), -1);
	cr_assert_eq(write_wait(3, 0, "three", 5), ORD_OK);
	cr_assert_eq(size_of("0000000000000003.wal"), BLOCK_BYTES + SEGMENT_BYTES / 2 / 16);
}

/* Preparing is a help, not a need: a directory where the file should be stands for a disk that refuses. */
Test(disk, a_segment_that_cannot_be_prepared_grows)
{
	cr_assert_eq(mkdir(path_of("spare.new"), 0700), 0);
	fill_segment(1);
	cr_assert_eq(write_wait(2, 0, "two", 3), ORD_OK);
	cr_assert_eq(size_of("0000000000000002.wal"), GROWN_BYTES);
	cr_assert_eq(rmdir(path_of("spare.new")), 0);
	fill_segment(2); /* tried again, at the latest when this segment is full, too */
	fill_segment(3);
	UNTIL(&loop, size_of("spare") == SEGMENT_BYTES);
}

Test(disk, a_write_that_fails_names_the_file)
{
	cr_assert_eq(mkdir(path_of("0000000000000001.wal"), 0700), 0);
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_ERR_IO);
	cr_assert_not_null(strstr(ord_disk_error_text(disk), "0000000000000001.wal"), "%s", ord_disk_error_text(disk));
}

Test(disk, a_write_for_which_there_is_no_room_ends_when_there_is)
{
	char got[8] = "";
	size_t len;
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	for (unsigned round = 1; round <= 2; round++) {
		unsigned before = synced_count;
		atomic_store(&is_full, true);
		atomic_store(&tries_count, 0);
		io.write(io.ctx, round, round == 1 ? 3 : 0, ord_slice_of("two", 3));
		UNTIL(&loop, starves_count == round && atomic_load(&tries_count) > 2);
		cr_expect_eq(starves_count, round, "it is told once");
		cr_expect_eq(synced_count, before);
		cr_expect_not_null(strstr(starves_what, ".wal"), "%s", starves_what);
		atomic_store(&is_full, false);
		UNTIL(&loop, synced_count > before);
		cr_expect_eq(synced_status, ORD_OK);
		cr_expect_str_empty(ord_disk_error_text(disk));
	}
	cr_assert_eq(io.read(io.ctx, 1, 0, got, 6, &len), ORD_OK);
	cr_expect_str_eq(got, "onetwo");
}

/* Each try begins with the block that the write before it ended in. */
Test(disk, a_long_write_that_finds_no_room_in_its_middle_is_whole_when_there_is)
{
	static uint8_t want[700u << 10];
	static uint8_t got[sizeof want];
	size_t len;
	for (size_t i = 0; i < sizeof want; i++)
		want[i] = byte_at(i);
	cr_assert_eq(write_wait(1, 0, want, 3), ORD_OK);
	atomic_store(&writes_left, 2);
	atomic_store(&is_full, true);
	unsigned before = synced_count;
	io.write(io.ctx, 1, 3, ord_slice_of(want + 3, sizeof want - 3));
	UNTIL(&loop, starves_count == 1);
	atomic_store(&is_full, false);
	UNTIL(&loop, synced_count > before);
	cr_assert_eq(io.read(io.ctx, 1, 0, got, sizeof got, &len), ORD_OK);
	cr_expect_eq(len, sizeof got);
	cr_expect_arr_eq(got, want, sizeof want);
}

/* As where a segment could not have its room taken at once. */
Test(disk, a_small_write_needs_no_room_ahead)
{
	atomic_store(&is_full_ahead, true);
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	cr_expect_eq(starves_count, 0);
	cr_expect_eq(size_of(segment_name(1)), BLOCK_BYTES);
	atomic_store(&is_full_ahead, false);
}

Test(disk, a_segment_that_has_become_shorter_is_an_error)
{
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	cr_assert_eq(write_wait(2, 0, "two", 3), ORD_OK);
	cr_assert_eq(truncate(path_of(segment_name(1)), 2), 0);
	cr_expect_eq(write_wait(1, 3, "one", 3), ORD_ERR_IO);
	cr_expect_not_null(strstr(ord_disk_error_text(disk), segment_name(1)), "%s", ord_disk_error_text(disk));
}

/* Of what a failed sync leaves in the cache nobody knows whether it will come to the disk. */
Test(disk, a_sync_for_which_there_is_no_room_is_not_tried_again)
{
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	atomic_store(&sync_is_full, true);
	cr_expect_eq(write_wait(1, 3, "two", 3), ORD_ERR_NO_SPACE);
	cr_expect_eq(atomic_load(&syncs_count), 1);
	atomic_store(&sync_is_full, false);
}

Test(disk, stopping_gives_up_a_write_that_waits_for_room)
{
	atomic_store(&is_full, true);
	io.write(io.ctx, 1, 0, ord_slice_of("one", 3));
	UNTIL(&loop, starves_count == 1);
	disk_end();
	cr_expect_eq(synced_count, 1);
	cr_expect_eq(synced_status, ORD_ERR_NO_SPACE);
	atomic_store(&is_full, false);
	disk_start(SEGMENT_BYTES);
}

Test(disk, what_is_done_between_a_sync_and_its_telling_may_fail)
{
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	cr_expect_eq(atomic_load(&stored_count), 1);
	atomic_store(&stored_status, ORD_ERR_IO);
	cr_expect_eq(write_wait(1, 3, "two", 3), ORD_ERR_IO);
	cr_expect_eq(atomic_load(&stored_count), 2);
	cr_expect_not_null(strstr(ord_disk_error_text(disk), "identity"), "%s", ord_disk_error_text(disk));
	atomic_store(&stored_status, ORD_OK);
}

static int remove_wait(uint64_t segment)
{
	unsigned before = removed_count;
	io.remove(io.ctx, segment);
	UNTIL(&loop, removed_count > before);
	cr_assert_eq(removed_count, before + 1);
	return removed_status;
}

Test(disk, a_segment_that_is_removed_is_gone_while_writes_go_on)
{
	char got[8];
	size_t len;
	for (uint64_t segment = 1; segment < 5; segment++)
		cr_assert_eq(write_wait(segment, 0, "content", 7), ORD_OK);
	cr_assert_eq(io.read(io.ctx, 1, 0, got, 7, &len), ORD_OK);
	unsigned before = synced_count;
	io.write(io.ctx, 4, 7, ord_slice_of("more", 4));
	cr_assert_eq(remove_wait(1), ORD_OK);
	UNTIL(&loop, synced_count > before);
	cr_assert_eq(synced_status, ORD_OK);
	cr_assert_eq(size_of("0000000000000001.wal"), -1);
	cr_assert_eq(io.read(io.ctx, 1, 0, got, 7, &len), ORD_ERR_IO, "an open file would keep its room");
	cr_assert_eq(remove_wait(2), ORD_OK);
	disk_end();
	disk_start(SEGMENT_BYTES);
	struct listed listed = {0};
	cr_assert_eq(io.list(io.ctx, listed_cb, &listed), ORD_OK);
	cr_assert_eq(listed.count, 2);
	cr_assert_eq(listed.segments[0], 3);
	cr_assert_eq(listed.bytes[1], GROWN_BYTES);
}

Test(disk, a_removal_that_fails_names_the_file)
{
	cr_assert_eq(mkdir(path_of("0000000000000001.wal"), 0700), 0);
	cr_assert_eq(remove_wait(1), ORD_ERR_IO);
	cr_assert_not_null(strstr(ord_disk_error_text(disk), "0000000000000001.wal"), "%s", ord_disk_error_text(disk));
}

/* A segment of the full length, with no other one prepared. */
static uint64_t make_full(uint64_t segment)
{
	cr_assert_eq(size_of("spare"), -1);
	ord_disk_prepare(disk, false);
	fill_segment(segment);
	ord_disk_prepare(disk, true);
	cr_assert_eq(size_of(segment_name(segment)), SEGMENT_BYTES);
	return inode_of(segment_name(segment));
}

Test(disk, a_segment_that_is_removed_is_used_again_as_it_is)
{
	uint64_t inode = make_full(1);
	cr_assert_eq(write_wait(2, 0, "two", 3), ORD_OK);
	cr_assert_eq(remove_wait(1), ORD_OK);
	cr_assert_eq(size_of(segment_name(1)), -1);
	cr_assert_eq(inode_of("spare"), inode);
	cr_assert_eq(write_wait(3, 0, "three", 5), ORD_OK);
	cr_assert_eq(inode_of(segment_name(3)), inode);
	cr_assert_eq(size_of("spare"), -1);
	char got[BLOCK_BYTES + 1];
	const char zeros[BLOCK_BYTES - 5] = "";
	size_t len;
	cr_assert_eq(io.read(io.ctx, 3, 0, got, sizeof got, &len), ORD_OK);
	cr_assert(memcmp(got, "three", 5) == 0 && memcmp(got + 5, zeros, sizeof zeros) == 0);
	cr_assert_eq(got[sizeof got - 1], 1, "what it was filled with before");
}

Test(disk, zeros_stand_behind_each_write_in_a_segment_that_is_used_again)
{
	for (unsigned restarts = 0; restarts <= 1; restarts++) {
		uint64_t inode = make_full(1 + 3 * restarts);
		cr_assert_eq(write_wait(2 + 3 * restarts, 0, "two", 3), ORD_OK);
		cr_assert_eq(remove_wait(1 + 3 * restarts), ORD_OK);
		check_writes(3 + 3 * restarts, lens, sizeof lens / sizeof *lens, restarts == 1);
		cr_assert_eq(inode_of(segment_name(3 + 3 * restarts)), inode);
	}
}

Test(disk, a_segment_that_was_kept_is_used_after_a_restart)
{
	uint64_t inode = make_full(1);
	cr_assert_eq(write_wait(2, 0, "two", 3), ORD_OK);
	cr_assert_eq(remove_wait(1), ORD_OK);
	disk_end();
	disk_start(SEGMENT_BYTES);
	cr_assert_eq(write_wait(3, 0, "three", 5), ORD_OK);
	cr_assert_eq(inode_of(segment_name(3)), inode);
}

/* One that is removed just before the log comes to a new segment finds a spare there: without it the next one would be filled with zeros, again and again. */
Test(disk, a_second_segment_that_is_removed_moves_up_when_the_first_is_used)
{
	uint64_t inodes[] = {make_full(1), make_full(2)};
	cr_assert_eq(write_wait(3, 0, "three", 5), ORD_OK);
	cr_assert_eq(remove_wait(1), ORD_OK);
	cr_assert_eq(remove_wait(2), ORD_OK);
	cr_assert_eq(inode_of("spare"), inodes[0]);
	cr_assert_eq(inode_of("spare.next"), inodes[1]);
	cr_assert_eq(write_wait(4, 0, "four", 4), ORD_OK);
	cr_assert_eq(inode_of(segment_name(4)), inodes[0]);
	UNTIL(&loop, inode_of("spare") == inodes[1]);
	cr_assert_eq(size_of("spare.next"), -1);
	fill_segment(4);
	cr_assert_eq(inode_of("spare"), inodes[1], "none is filled");
	disk_end();
	char from[256];
	snprintf(from, sizeof from, "%s", path_of("spare"));
	cr_assert_eq(rename(from, path_of("spare.next")), 0);
	disk_start(SEGMENT_BYTES); /* it may have been left like this */
	UNTIL(&loop, inode_of("spare") == inodes[1]);
}

/* Two are enough, where room is short one is; and their length must be right. */
Test(disk, a_segment_that_is_of_no_use_goes)
{
	uint64_t inodes[5];
	for (uint64_t segment = 1; segment <= 5; segment++)
		inodes[segment - 1] = make_full(segment);
	cr_assert_eq(write_wait(6, 0, "six", 3), ORD_OK);
	cr_assert_eq(write_wait(7, 0, "seven", 5), ORD_OK);
	ord_disk_prepare(disk, false);
	cr_assert_eq(remove_wait(1), ORD_OK);
	cr_assert_eq(remove_wait(2), ORD_OK);
	cr_assert_eq(inode_of("spare"), inodes[0], "the log may need it");
	cr_assert_eq(size_of("spare.next"), -1, "room is short");
	ord_disk_prepare(disk, true);
	cr_assert_eq(remove_wait(3), ORD_OK);
	cr_assert_eq(remove_wait(4), ORD_OK);
	for (uint64_t segment = 1; segment <= 4; segment++)
		cr_assert_eq(size_of(segment_name(segment)), -1);
	cr_assert_eq(inode_of("spare"), inodes[0], "the first ones stay");
	cr_assert_eq(inode_of("spare.next"), inodes[2]);
	ord_disk_prepare(disk, false);
	UNTIL(&loop, size_of("spare.next") == -1);
	cr_assert_eq(inode_of("spare"), inodes[0], "the log may need it");
	disk_end();
	disk_start(SEGMENT_BYTES / 2);
	cr_assert_eq(size_of("spare"), -1);
	cr_assert_eq(remove_wait(5), ORD_OK);
	cr_assert_eq(remove_wait(6), ORD_OK);
	cr_assert_eq(size_of("spare"), -1, "neither has the length that segments have now");
	cr_assert_eq(size_of(segment_name(5)), -1);
	cr_assert_eq(size_of(segment_name(6)), -1);
}

/* Where a log begins anew its first segment may have the number and the first batch that another one had: then old batches could not be told from new ones. */
Test(disk, a_spare_without_segments_is_not_used)
{
	make_full(1);
	make_full(2);
	cr_assert_eq(write_wait(3, 0, "three", 5), ORD_OK);
	cr_assert_eq(remove_wait(1), ORD_OK);
	cr_assert_eq(remove_wait(2), ORD_OK);
	cr_assert_eq(size_of("spare.next"), SEGMENT_BYTES);
	disk_end();
	cr_assert_eq(unlink(path_of(segment_name(3))), 0);
	disk_start(SEGMENT_BYTES);
	cr_assert_eq(size_of("spare"), -1);
	cr_assert_eq(size_of("spare.next"), -1);
	cr_assert_eq(write_wait(1, 0, "one", 3), ORD_OK);
	cr_assert_eq(size_of(segment_name(1)), GROWN_BYTES);
}

/* What is under way ends, or has not begun; it is told or not, and the file is there or not. */
Test(disk, stopping_ends_the_removal_under_way)
{
	for (uint64_t segment = 1; segment < 30; segment++) {
		cr_assert_eq(write_wait(segment, 0, "content", 7), ORD_OK);
		unsigned before = removed_count;
		io.remove(io.ctx, segment);
		disk_end();
		bool is_there = size_of(segment_name(segment)) >= 0;
		cr_assert(is_there ? removed_count == before : removed_count == before + 1);
		disk_start(SEGMENT_BYTES);
	}
}

Test(disk, stopping_ends_the_write_and_the_preparation_under_way)
{
	static uint8_t block[SEGMENT_BYTES - 1];
	for (uint64_t segment = 1; segment < 6; segment++) {
		cr_assert_eq(write_wait(segment, 0, block, sizeof block), ORD_OK);
		io.write(io.ctx, segment, sizeof block, ord_slice_of("!", 1)); /* begins the preparation, too */
		unsigned before = synced_count;
		disk_end();
		cr_assert_eq(synced_count, before + 1);
		cr_assert_eq(synced_status, ORD_OK);
		disk_start(SEGMENT_BYTES);
		char got;
		size_t len;
		cr_assert_eq(io.read(io.ctx, segment, sizeof block, &got, 1, &len), ORD_OK);
		cr_assert(len == 1 && got == '!');
	}
}
