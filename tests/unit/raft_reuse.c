/* SPDX-License-Identifier: Apache-2.0 - segments in the files of segments that were removed: what stands there still counts for nothing, wherever a crash leaves it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "raft/segment.h"
#include "raft/wal.h"
#include "tests/support/raft_log.h"

static struct raft_disk disk;
static struct raft_disk other;
static uint64_t number; /* of the last record */

static void setup(void)
{
	raft_disk_open(&disk);
	raft_disk_open(&other);
	disk.reuses = true;
	number = 0;
}

static void teardown(void)
{
	raft_disk_close(&disk);
	raft_disk_close(&other);
}

TestSuite(raft_reuse, .init = setup, .fini = teardown, .timeout = 60);

/* Removes all segments but the last two: nothing in them is held. */
static void remove_old(struct ord_wal *w)
{
	struct ord_wal_oldest oldest;
	while (ord_wal_oldest(w, &oldest) && oldest.segments_count > 2) {
		ord_wal_remove(w);
		if (disk.remove_segment == 0)
			return;
		raft_disk_complete_remove(&disk);
		ord_wal_removed(w);
	}
}

/* The records that were read are a run that ends with last. */
static void expect_up_to(uint64_t last)
{
	cr_assert_gt(raft_log_seen.count, 0);
	for (uint64_t i = 0; i < raft_log_seen.count; i++)
		cr_assert_eq(raft_log_seen.index[i], last - raft_log_seen.count + 1 + i);
}

static void put_synced(struct ord_wal *w)
{
	raft_log_put(w, ++number);
	raft_log_sync(&disk, w);
}

/* A log whose segments are in used files; the write of a first batch in one is in flight, and the file is in disk.spare. */
static struct ord_wal *log_at_reused_segment(void)
{
	struct ord_wal *w = raft_log_open(&disk);
	while (disk.reused_count < 3) {
		put_synced(w);
		remove_old(w);
	}
	uint64_t last = raft_disk_last(&disk);
	while (!disk.in_flight) {
		remove_old(w);
		raft_log_put(w, ++number);
		ord_wal_write(w);
		if (disk.write_segment == last)
			raft_log_sync(&disk, w);
	}
	cr_assert(disk.spare.exists);
	cr_assert_eq(disk.write_offset, 0);
	return w;
}

static void goes_on(uint64_t durable)
{
	struct ord_wal *w = raft_log_open(&other);
	expect_up_to(durable);
	for (uint64_t i = 1; i <= 100; i++) { /* the segment is ended and becomes one in the middle */
		raft_log_put(w, durable + i);
		raft_log_sync(&other, w);
	}
	ord_wal_close(w);
	ord_wal_close(raft_log_open(&other));
	expect_up_to(durable + 100);
}

/* The segment of the write in flight is there, with what its file had before. */
static struct raft_disk_segment *copy_with_used_file(void)
{
	struct raft_disk_segment *s = &other.segments[disk.write_segment];
	raft_disk_copy(&disk, &other);
	*s = disk.spare;
	s->base = malloc(s->capacity);
	cr_assert_not_null(s->base);
	memcpy(s->base, disk.spare.base, s->len);
	return s;
}

Test(raft_reuse, a_log_goes_round_in_used_files)
{
	for (int life = 0; life < 6; life++) {
		struct ord_wal *w = raft_log_open(&disk);
		if (life > 0)
			expect_up_to(number);
		for (int i = 0; i < 150 + life; i++) {
			put_synced(w);
			remove_old(w);
		}
		for (uint64_t i = raft_disk_first(&disk); i <= raft_disk_last(&disk); i++)
			cr_assert_leq(disk.segments[i].len, raft_log_normal.segment_bytes);
		ord_wal_close(w);
	}
	cr_expect_gt(disk.reused_count, 10);
}

Test(raft_reuse, a_used_file_of_which_nothing_was_written_is_as_if_it_were_not_there)
{
	struct ord_wal *w = log_at_reused_segment();
	const struct raft_disk_segment *s = copy_with_used_file();
	size_t len = s->len;
	ord_wal_close(raft_log_open(&other));
	expect_up_to(number - 1);
	cr_expect_eq(s->len, len, "its room is not given away");
	goes_on(number - 1);
	ord_wal_close(w);
}

/* Any beginning of the first write, and any end of it, with and without the zeros. */
Test(raft_reuse, a_first_write_in_a_used_file_torn_at_any_byte_is_cut)
{
	struct ord_wal *w = log_at_reused_segment();
	const uint8_t *base = disk.write_bytes.base;
	size_t len = disk.write_bytes.len;
	for (size_t torn = 1; torn < len; torn++) {
		struct raft_disk_segment *s = copy_with_used_file();
		memcpy(s->base, base, torn);
		memset(s->base + len, 0, torn % 2 * ORD_IO_END_BYTES);
		goes_on(number - 1);
		raft_disk_close(&other);
		s = copy_with_used_file();
		memcpy(s->base + torn, base + torn, len - torn);
		memset(s->base + len, 0, torn % 2 * ORD_IO_END_BYTES);
		bool whole = memcmp(s->base, base, len) == 0; /* headers begin alike */
		goes_on(whole ? number : number - 1);
		raft_disk_close(&other);
	}
	ord_wal_close(w);
}

/* The batch is there, and what ends it is not: it counts, and what stands behind it does not. */
Test(raft_reuse, a_last_batch_without_its_zeros_counts)
{
	struct ord_wal *w = log_at_reused_segment();
	struct raft_disk_segment *s = copy_with_used_file();
	memcpy(s->base, disk.write_bytes.base, disk.write_bytes.len);
	goes_on(number);
	ord_wal_close(w);
}

/* The log of another node, batch by batch like this one: only the salt tells its batches from those that would come next. */
Test(raft_reuse, batches_of_another_segment_in_the_right_order_are_not_believed)
{
	struct ord_wal_options o = raft_log_normal;
	struct ord_wal *w = raft_log_open(&disk);
	put_synced(w);
	size_t end = disk.segments[1].len - ORD_IO_END_BYTES;
	ord_wal_close(w);
	o.node = 5;
	cr_assert_eq(raft_log_open_with(&other, o, &w), ORD_OK);
	for (uint64_t i = 1; i <= 3; i++) {
		raft_log_put(w, i);
		raft_log_sync(&other, w);
	}
	ord_wal_close(w);
	memcpy(other.segments[1].base, disk.segments[1].base, end);
	ord_wal_close(raft_log_open(&other));
	expect_up_to(1);
}

/* The header of the segment went back to what stood there before: batches behind the first tell. */
Test(raft_reuse, an_old_header_before_new_batches_is_corruption)
{
	struct ord_wal *w = log_at_reused_segment();
	struct ord_wal *none = NULL;
	uint8_t old[ORD_SEGMENT_HEADER_BYTES];
	memcpy(old, disk.spare.base, sizeof old);
	uint64_t segment = disk.write_segment;
	raft_log_sync(&disk, w);
	put_synced(w);
	ord_wal_close(w);
	raft_disk_copy(&disk, &other);
	memcpy(other.segments[segment].base, old, sizeof old);
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "a batch written after it"), "%s", raft_log_why);
}

/* It is in the log, so its file is not the one that was removed. */
Test(raft_reuse, a_last_segment_that_is_a_copy_of_another_one_is_corruption)
{
	struct ord_wal *w = log_at_reused_segment();
	struct ord_wal *none = NULL;
	raft_disk_copy(&disk, &other);
	const struct raft_disk_segment *first = &other.segments[raft_disk_first(&other)];
	struct raft_disk_segment *s = &other.segments[disk.write_segment];
	*s = *first;
	s->base = malloc(s->capacity);
	cr_assert_not_null(s->base);
	memcpy(s->base, first->base, s->len);
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "written as segment"), "%s", raft_log_why);
	ord_wal_close(w);
}

Test(raft_reuse, a_last_segment_with_a_later_number_is_corruption)
{
	struct ord_wal *w = log_at_reused_segment();
	struct ord_wal *none = NULL;
	struct raft_disk_segment *s = copy_with_used_file();
	struct ord_segment header;
	uint32_t salt;
	cr_assert_eq(ord_segment_decode(s->base, &header, &salt), ORD_OK);
	header.number = disk.write_segment + 1;
	ord_segment_encode(&header, s->base);
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "written as segment"), "%s", raft_log_why);
	ord_wal_close(w);
}

/* Zeros where a batch was: in the last segment a later one tells. */
Test(raft_reuse, zeros_before_a_later_batch_are_corruption)
{
	struct ord_wal *w = log_at_reused_segment();
	struct ord_wal *none = NULL;
	raft_log_sync(&disk, w);
	uint64_t segment = disk.write_segment;
	put_synced(w);
	uint64_t middle = disk.write_offset;
	put_synced(w);
	ord_wal_close(w);
	memset(disk.segments[segment].base + middle, 0, ORD_BATCH_HEADER_BYTES);
	cr_expect_eq(raft_log_open_with(&disk, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "a batch written after it"), "%s", raft_log_why);
}

/* The segment after it says nothing, since nothing of it is on disk yet. */
Test(raft_reuse, zeros_in_a_segment_that_another_empty_one_follows_are_corruption)
{
	struct ord_wal *w = log_at_reused_segment();
	struct ord_wal *none = NULL;
	copy_with_used_file();
	struct raft_disk_segment *sealed = &other.segments[disk.write_segment - 1];
	memset(sealed->base + ORD_SEGMENT_HEADER_BYTES, 0, ORD_BATCH_HEADER_BYTES);
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "a batch written after it"), "%s", raft_log_why);
	ord_wal_close(w);
}

/* Crashes at random points, with removals under way, in files that are used again and again. */
Test(raft_reuse, random_crashes_lose_only_what_was_not_synced)
{
	struct random r = random_of(11);
	uint64_t durable = 0;
	for (int life = 0; life < 500; life++) {
		struct ord_wal *w = raft_log_open(&disk);
		uint32_t count;
		if (durable > 0) {
			expect_up_to(raft_log_seen.index[raft_log_seen.count - 1]);
			cr_assert_geq(raft_log_seen.index[raft_log_seen.count - 1], durable);
			durable = raft_log_seen.index[raft_log_seen.count - 1];
		} else {
			durable = raft_log_seen.count;
		}
		number = durable;
		uint64_t first = durable;
		uint64_t batches[81];
		for (uint64_t i = random_below(&r, 80); i > 0; i--) {
			raft_log_put(w, ++number);
			batches[number - first] = ord_wal_sequence(w);
			if (random_chance(&r, 40))
				ord_wal_write(w);
			if (random_chance(&r, 60) && disk.in_flight) {
				raft_disk_complete(&disk);
				ord_wal_synced(w, &count);
				remove_old(w);
			}
			while (durable < number && batches[durable + 1 - first] <= ord_wal_durable(w))
				durable++;
		}
		raft_disk_crash(&disk, &r);
		ord_wal_close(w);
	}
	cr_expect_gt(durable, 5000);
	cr_expect_gt(disk.reused_count, 50);
}
