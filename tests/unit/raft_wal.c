/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log: what was synced comes back, what was torn is cut, what was damaged is reported (segments that go: raft_keep.c). */
#include "raft/wal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "raft/segment.h"
#include "tests/support/raft_log.h"

static struct raft_disk disk;
static struct raft_disk other;

/* Expects records first .. last, in order. */
static void expect_records(uint64_t last)
{
	cr_assert_eq(raft_log_seen.count, last, "%lu records, not %lu", raft_log_seen.count, last);
	for (uint64_t i = 0; i < last; i++)
		cr_assert_eq(raft_log_seen.index[i], i + 1);
}

static void setup(void)
{
	raft_disk_open(&disk);
	raft_disk_open(&other);
}

static void teardown(void)
{
	raft_disk_close(&disk);
	raft_disk_close(&other);
}

TestSuite(raft_wal, .init = setup, .fini = teardown);

Test(raft_wal, records_come_back_in_order_over_many_segments)
{
	uint64_t number = 0;
	for (int life = 0; life < 5; life++) {
		struct ord_wal *w = raft_log_open(&disk);
		cr_expect_eq(ord_wal_was_empty(w), life == 0);
		expect_records(number);
		for (int batch = 0; batch < 50; batch++) {
			for (int i = 0; i <= batch % 5; i++)
				raft_log_put(w, ++number);
			raft_log_sync(&disk, w);
		}
		ord_wal_close(w);
	}
	cr_expect_gt(raft_disk_last(&disk), 5);
	for (uint64_t i = 1; i <= raft_disk_last(&disk); i++)
		cr_expect_leq(disk.segments[i].len, raft_log_normal.segment_bytes);
	ord_wal_close(raft_log_open(&disk));
	expect_records(number);
}

Test(raft_wal, what_waits_goes_into_one_write)
{
	struct ord_wal *w = raft_log_open(&disk);
	uint32_t count;
	raft_log_put(w, 1);
	ord_wal_write(w);
	uint64_t first = ord_wal_sequence(w);
	for (uint64_t i = 2; i <= 20; i++)
		raft_log_put(w, i);
	cr_expect_eq(ord_wal_sequence(w), first + 1);
	cr_expect_eq(ord_wal_durable(w), first - 1);
	ord_wal_write(w);
	cr_expect_eq(disk.writes_count, 1, "one write in flight");
	raft_disk_complete(&disk);
	const uint32_t *groups = ord_wal_synced(w, &count);
	cr_expect_eq(count, 1);
	cr_expect_eq(groups[0], 1);
	cr_expect_eq(ord_wal_durable(w), first);
	ord_wal_write(w);
	cr_expect_eq(disk.writes_count, 2);
	raft_disk_complete(&disk);
	groups = ord_wal_synced(w, &count);
	cr_expect_eq(count, RAFT_LOG_GROUPS, "each group once");
	/* Who goes through them may append meanwhile. */
	uint32_t before[RAFT_LOG_GROUPS];
	memcpy(before, groups, sizeof before);
	for (uint64_t i = 21; i <= 60; i++)
		raft_log_put(w, i * 2 + 1);
	cr_expect_eq(memcmp(before, groups, sizeof before), 0);
	raft_log_sync(&disk, w);
	ord_wal_write(w);
	cr_expect_not(disk.in_flight, "nothing waits");
	ord_wal_close(w);
}

Test(raft_wal, a_write_is_bounded)
{
	static uint8_t payload[ORD_ENTRY_BYTES_MAX];
	struct ord_wal_options o = raft_log_normal;
	struct ord_wal *w;
	uint64_t place;
	o.segment_bytes = 64 << 20;
	o.cache_bytes = 1ull << 30;
	cr_assert_eq(raft_log_open_with(&disk, o, &w), ORD_OK);
	struct ord_record r = {.type = ORD_RECORD_ENTRY,
			       .kind = ORD_ENTRY_COMMAND,
			       .term = 1,
			       .index = 1,
			       .payload = ord_slice_of(payload, sizeof payload)};
	for (int i = 0; i < 20; i++)
		cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	raft_log_sync(&disk, w);
	cr_expect_leq(disk.write_bytes_max, 8u << 20);
	cr_expect_geq(disk.writes_count, 5);
	ord_wal_close(w);
}

/* A log of one segment with some batches, and one more in flight. Returns the records that are durable. */
static uint64_t log_with_write_in_flight(struct ord_wal **ret)
{
	struct ord_wal *w = raft_log_open(&disk);
	uint64_t number = 0;
	for (int batch = 0; batch < 4; batch++) {
		for (int i = 0; i < 3; i++)
			raft_log_put(w, ++number);
		raft_log_sync(&disk, w);
	}
	for (uint64_t i = 1; i <= 5; i++)
		raft_log_put(w, number + i);
	ord_wal_write(w);
	*ret = w;
	return number;
}

static void expect_goes_on(struct raft_disk *d, uint64_t durable)
{
	struct ord_wal *w = raft_log_open(d);
	expect_records(durable);
	raft_log_put(w, durable + 1);
	raft_log_sync(d, w);
	ord_wal_close(w);
	ord_wal_close(raft_log_open(d));
	expect_records(durable + 1);
}

Test(raft_wal, a_last_batch_torn_at_any_byte_is_cut)
{
	struct ord_wal *w;
	uint64_t durable = log_with_write_in_flight(&w);
	size_t len = disk.write_bytes.len;
	for (size_t torn = 0; torn < len; torn++) {
		for (size_t zeros = 0; zeros <= len - torn; zeros += len - torn) {
			raft_disk_copy(&disk, &other);
			other.in_flight = true;
			other.write_segment = disk.write_segment;
			other.write_offset = disk.write_offset;
			other.write_bytes = disk.write_bytes;
			raft_disk_tear(&other, torn, zeros);
			expect_goes_on(&other, durable);
			raft_disk_close(&other);
			if (zeros == len - torn)
				break;
		}
	}
	raft_disk_complete(&disk);
	expect_goes_on(&disk, durable + 5);
	ord_wal_close(w);
}

Test(raft_wal, a_last_batch_with_any_byte_wrong_is_cut)
{
	struct ord_wal *w;
	uint64_t durable = log_with_write_in_flight(&w);
	uint64_t start = disk.write_offset;
	raft_disk_complete(&disk);
	for (uint64_t at = start; at < disk.segments[1].len; at++) {
		bool behind = at >= disk.segments[1].len - ORD_IO_END_BYTES; /* the zeros: the batch is whole */
		raft_disk_copy(&disk, &other);
		other.segments[1].base[at] ^= 0x40;
		expect_goes_on(&other, behind ? durable + 5 : durable);
		raft_disk_close(&other);
	}
	ord_wal_close(w);
}

Test(raft_wal, any_byte_wrong_before_the_last_batch_is_corruption)
{
	struct ord_wal *w;
	log_with_write_in_flight(&w);
	uint64_t end = disk.write_offset;
	raft_disk_complete(&disk);
	for (uint64_t at = 0; at < end; at++) {
		char expected[64];
		struct ord_wal *none = NULL;
		raft_disk_copy(&disk, &other);
		other.segments[1].base[at] ^= 1;
		cr_assert_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT, "byte %lu", at);
		snprintf(expected, sizeof expected, "segment 1 at offset %s",
			 at < ORD_SEGMENT_HEADER_BYTES ? "0:" : "");
		cr_assert_not_null(strstr(raft_log_why, expected), "%s", raft_log_why);
		cr_assert_not_null(strstr(raft_log_why, "damaged in segment"), "%s", raft_log_why);
		cr_assert_eq(other.segments[1].len, disk.segments[1].len, "nothing was cut");
		raft_disk_close(&other);
	}
	ord_wal_close(w);
}

/* Each record is whole, but not in the order in which they were written: sectors of an older write at the same place look like that. */
Test(raft_wal, whole_records_of_another_write_are_not_believed)
{
	struct ord_record r = {.type = ORD_RECORD_VOTE, .term = 1};
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	uint8_t kept[ORD_RECORD_HEADER_BYTES];
	uint64_t place;
	r.group = 6 % RAFT_LOG_GROUPS;
	r.index = 6;
	cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	r.group = 13 % RAFT_LOG_GROUPS;
	r.index = 13;
	cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	raft_log_sync(&disk, w);
	raft_log_put(w, 1);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	uint8_t *first = disk.segments[1].base + ORD_SEGMENT_HEADER_BYTES + ORD_BATCH_HEADER_BYTES;
	memcpy(kept, first, sizeof kept);
	memcpy(first, first + sizeof kept, sizeof kept);
	memcpy(first + sizeof kept, kept, sizeof kept);
	cr_expect_eq(raft_log_open_with(&disk, raft_log_normal, &none), ORD_ERR_CORRUPT);
}

Test(raft_wal, a_segment_under_another_number_is_corruption)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	for (uint64_t i = 1; raft_disk_last(&disk) < 4; i++) {
		raft_log_put(w, i);
		raft_log_sync(&disk, w);
	}
	ord_wal_close(w);
	struct raft_disk_segment kept = disk.segments[2];
	disk.segments[2] = disk.segments[3];
	disk.segments[3] = kept;
	cr_expect_eq(raft_log_open_with(&disk, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "written as segment 3"), "%s", raft_log_why);
}

Test(raft_wal, damage_in_an_earlier_segment_is_corruption)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	for (uint64_t i = 1; i <= 300; i++) {
		raft_log_put(w, i);
		raft_log_sync(&disk, w);
	}
	ord_wal_close(w);
	cr_assert_gt(raft_disk_last(&disk), 3);
	for (uint64_t at = disk.segments[2].len - 332; at < disk.segments[2].len; at += 7) {
		raft_disk_copy(&disk, &other);
		other.segments[2].base[at] ^= 0x80;
		cr_assert_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT);
		cr_assert_not_null(strstr(raft_log_why, "segment 2"), "%s", raft_log_why);
		raft_disk_close(&other);
	}
	raft_disk_copy(&disk, &other);
	other.segments[2].len -= ORD_IO_END_BYTES + 10;
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT, "a segment that ends early");
	other.segments[2].len = 0;
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT, "an empty one");
	other.segments[2].exists = false;
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT, "none at all");
	cr_expect_not_null(strstr(raft_log_why, "segment 2"), "%s", raft_log_why);
	raft_disk_close(&other);
}

/* The last batch of a segment is gone, and zeros stand there: only the next segment knows. */
Test(raft_wal, a_batch_lost_at_the_end_of_a_segment_is_corruption)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	uint64_t last = 0;
	for (uint64_t i = 1; raft_disk_last(&disk) < 2; i++) {
		uint64_t place = raft_log_put(w, i);
		if (ord_place_segment(place) == 1)
			last = ord_place_offset(place);
		raft_log_sync(&disk, w);
	}
	ord_wal_close(w);
	last -= ORD_BATCH_HEADER_BYTES;
	memset(disk.segments[1].base + last, 0, disk.segments[1].len - last);
	cr_expect_eq(raft_log_open_with(&disk, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "segment 2"), "%s", raft_log_why);
	char expected[64];
	snprintf(expected, sizeof expected, "segment 1 ends without it at offset %lu", last);
	cr_expect_not_null(strstr(raft_log_why, expected), "%s", raft_log_why);
}

/* Zeros end a segment, and nothing of the next one is on disk: only what stands behind the zeros tells that they are not the end. */
Test(raft_wal, zeros_before_later_batches_are_corruption_whatever_follows)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	uint64_t third = 0, fourth = 0;
	for (uint64_t i = 1; raft_disk_last(&disk) < 2; i++) {
		uint64_t place = raft_log_put(w, i);
		if (i == 3)
			third = ord_place_offset(place) - ORD_BATCH_HEADER_BYTES;
		if (i == 4)
			fourth = ord_place_offset(place) - ORD_BATCH_HEADER_BYTES;
		raft_log_sync(&disk, w);
	}
	ord_wal_close(w);
	cr_assert_lt(third, fourth);
	memset(disk.segments[1].base + third, 0, fourth - third);
	disk.segments[2].len = 0;
	cr_expect_eq(raft_log_open_with(&disk, raft_log_normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(raft_log_why, "in segment 1"), "%s", raft_log_why);
}

Test(raft_wal, room_made_in_advance_is_a_clean_end)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	raft_log_put(w, 1);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	raft_disk_copy(&disk, &other);
	other.write_segment = 1;
	other.write_offset = other.segments[1].len;
	other.write_bytes = ord_slice_of(NULL, 0);
	other.in_flight = true;
	raft_disk_tear(&other, 0, 5000);
	w = raft_log_open(&other);
	expect_records(1);
	raft_log_put(w, 2);
	raft_log_sync(&other, w);
	ord_wal_close(w);
	cr_expect_gt(other.segments[1].len, 5000);
	ord_wal_close(raft_log_open(&other));
	expect_records(2);
	/* Damage before the room is found all the same. */
	other.segments[1].base[ORD_SEGMENT_HEADER_BYTES + 40] ^= 1;
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT);
}

Test(raft_wal, room_left_at_the_end_of_any_segment_is_no_damage)
{
	struct ord_wal *w = raft_log_open(&disk);
	for (uint64_t i = 1; i <= 300; i++) {
		raft_log_put(w, i);
		raft_log_sync(&disk, w);
	}
	ord_wal_close(w);
	cr_assert_gt(raft_disk_last(&disk), 3);
	for (uint64_t i = 1; i <= raft_disk_last(&disk); i++) {
		disk.in_flight = true;
		disk.write_segment = i;
		disk.write_offset = disk.segments[i].len;
		disk.write_bytes = ord_slice_of(NULL, 0);
		raft_disk_tear(&disk, 0, 3000 * i);
	}
	expect_goes_on(&disk, 300);
}

Test(raft_wal, a_first_write_of_a_segment_torn_at_any_byte_is_cut)
{
	struct ord_wal *w = raft_log_open(&disk);
	uint64_t number = 0;
	while (disk.write_segment < 2) {
		raft_log_sync(&disk, w);
		raft_log_put(w, ++number);
		ord_wal_write(w);
	}
	for (size_t torn = 0; torn < disk.write_bytes.len; torn++) {
		raft_disk_copy(&disk, &other);
		other.in_flight = true;
		other.write_segment = 2;
		other.write_bytes = disk.write_bytes;
		raft_disk_tear(&other, torn, torn % 2 * 600);
		expect_goes_on(&other, number - 1);
		raft_disk_close(&other);
	}
	raft_disk_complete(&disk);
	ord_wal_close(w);
}

/* A killed process leaves writes that the operating system has and the disk has not. */
Test(raft_wal, what_is_read_at_the_start_is_synced)
{
	struct ord_wal *w = raft_log_open(&disk);
	raft_log_put(w, 1);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	cr_assert_eq(disk.syncs_count, 0);
	ord_wal_close(raft_log_open(&disk));
	cr_expect_eq(disk.syncs_count, 1);
}

/* A sync that failed leaves the last batch in the cache for good: only writing it again brings it to the disk. Those before it were synced. */
Test(raft_wal, the_last_batch_is_written_again_at_the_start)
{
	struct ord_wal *w = raft_log_open(&disk);
	raft_log_put(w, 1);
	raft_log_put(w, 2);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	w = raft_log_open(&disk);
	cr_expect_eq(disk.rewrite_offset, 0, "the first batch was written with the segment's header");
	cr_expect_eq(disk.rewrite_bytes, disk.segments[1].len);
	uint64_t second = disk.segments[1].len - ORD_IO_END_BYTES;
	raft_log_put(w, 3);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	ord_wal_close(raft_log_open(&disk));
	cr_expect_eq(disk.rewrites_count, 2);
	cr_expect_eq(disk.rewrite_offset, second);
	cr_expect_eq(disk.rewrite_bytes, disk.segments[1].len - second, "and the zeros behind it");
	expect_records(3);
}

/* Blocks of memory are not longer than a segment, or small segments would leave most of each empty. */
Test(raft_wal, what_waits_takes_no_more_memory_than_it_must)
{
	struct ord_wal_options o = raft_log_normal;
	struct ord_wal *w;
	struct ord_wal_status s;
	o.segment_bytes = 4096;
	o.cache_bytes = 64u << 20;
	cr_assert_eq(raft_log_open_with(&disk, o, &w), ORD_OK);
	for (uint64_t i = 0; i < 5000; i++)
		raft_log_put(w, i + 1);
	ord_wal_status(w, &s);
	cr_expect_gt(s.waiting_bytes, 500000);
	cr_expect_lt(s.memory_bytes, 2 * s.waiting_bytes);
	ord_wal_close(w);
}

Test(raft_wal, another_owner_is_a_mismatch)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	struct ord_wal_options o = raft_log_normal;
	raft_log_put(w, 1);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	o.cluster.bytes[0] ^= 1;
	cr_expect_eq(raft_log_open_with(&disk, o, &none), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(raft_log_why, "cluster"), "%s", raft_log_why);
	o = raft_log_normal;
	o.node = 5;
	cr_expect_eq(raft_log_open_with(&disk, o, &none), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(raft_log_why, "node 4"), "%s", raft_log_why);
	o = raft_log_normal;
	o.groups_count = RAFT_LOG_GROUPS + 1;
	cr_expect_eq(raft_log_open_with(&disk, o, &none), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(raft_log_why, "partitions"), "%s", raft_log_why);
}

Test(raft_wal, a_disk_that_cannot_be_read_is_reported)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	raft_log_put(w, 1);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	disk.read_err = ORD_ERR_IO;
	cr_expect_eq(raft_log_open_with(&disk, raft_log_normal, &none), ORD_ERR_IO);
	cr_expect_not_null(strstr(raft_log_why, "segment 1"), "%s", raft_log_why);
}

Test(raft_wal, records_are_read_back_from_memory_and_from_disk)
{
	static uint64_t places[2000];
	struct ord_wal_options o = raft_log_normal;
	struct ord_wal *w;
	struct ord_wal_reader *r;
	struct ord_wal_status s;
	size_t cold = 0;
	o.cache_bytes = 1;
	cr_assert_eq(raft_log_open_with(&disk, o, &w), ORD_OK);
	cr_assert_eq(ord_wal_reader_open(w, &r), ORD_OK);
	for (uint64_t i = 0; i < 2000; i++) {
		places[i] = raft_log_put(w, i + 1);
		if (i % 3 == 0)
			ord_wal_write(w);
		if (i % 5 == 0) {
			raft_log_sync(&disk, w);
			ord_wal_trim(w);
			ord_wal_status(w, &s);
			cr_assert_leq(s.memory_bytes, 48u << 10);
		}
	}
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t number = i % 2 == 0 ? i : 1999 - i;
		uint8_t payload[256];
		struct ord_record expected = raft_log_record(number + 1, payload);
		struct ord_record got;
		struct ord_wal_piece piece;
		cr_assert_eq(ord_wal_read(r, places[number], ord_record_bytes(&expected), &piece), ORD_OK);
		cr_assert_eq(ord_record_decode(piece.bytes, &got), ORD_OK);
		cr_assert_eq(got.index, number + 1);
		cr_assert(ord_slice_equal(got.payload, expected.payload));
		cold += piece.read_bytes;
	}
	cr_expect_gt(cold, 100000);
	raft_log_sync(&disk, w);
	ord_wal_reader_close(r);
	ord_wal_close(w);
}

/* A window that reaches to the durable end must not be believed about what is written there later. */
Test(raft_wal, a_window_ends_at_the_durable_end)
{
	struct ord_wal_options o = raft_log_normal;
	struct ord_wal *w;
	struct ord_wal_reader *r;
	struct ord_wal_piece piece;
	struct ord_record got;
	uint64_t places[400];
	uint8_t payload[256];
	o.cache_bytes = 1;
	o.segment_bytes = 1 << 20;
	cr_assert_eq(raft_log_open_with(&disk, o, &w), ORD_OK);
	cr_assert_eq(ord_wal_reader_open(w, &r), ORD_OK);
	/* Room made in advance: a window that goes too far would see zeros. */
	raft_log_put(w, 0);
	raft_log_sync(&disk, w);
	disk.in_flight = true;
	disk.write_offset = disk.segments[1].len;
	disk.write_bytes = ord_slice_of(NULL, 0);
	raft_disk_tear(&disk, 0, 200000);
	for (uint64_t i = 0; i < 400; i++) {
		struct ord_record first = raft_log_record(1, payload);
		places[i] = raft_log_put(w, i + 1);
		raft_log_sync(&disk, w);
		ord_wal_trim(w);
		/* Reads the oldest again and again, through windows that see ever more. */
		cr_assert_eq(ord_wal_read(r, places[0], ord_record_bytes(&first), &piece), ORD_OK);
	}
	for (uint64_t i = 0; i < 400; i++) {
		struct ord_record expected = raft_log_record(i + 1, payload);
		cr_assert_eq(ord_wal_read(r, places[i], ord_record_bytes(&expected), &piece), ORD_OK);
		cr_assert_eq(ord_record_decode(piece.bytes, &got), ORD_OK);
		cr_assert_eq(got.index, i + 1);
	}
	ord_wal_reader_close(r);
	ord_wal_close(w);
}

Test(raft_wal, a_reservation_that_is_not_used_leaves_no_trace)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal_status before;
	struct ord_wal_status after;
	ord_wal_status(w, &before);
	cr_assert_eq(ord_wal_reserve(w, 100), ORD_OK);
	cr_assert_eq(ord_wal_reserve(w, ORD_ENTRY_BYTES_MAX), ORD_OK);
	cr_assert_eq(ord_wal_reserve(w, 5000), ORD_OK);
	ord_wal_write(w);
	cr_expect_not(disk.in_flight);
	for (uint64_t i = 1; i <= 100; i++) {
		cr_assert_eq(ord_wal_reserve(w, i * 5000 % ORD_ENTRY_BYTES_MAX), ORD_OK);
		raft_log_put(w, i);
		if (i % 4 == 0)
			raft_log_sync(&disk, w);
	}
	raft_log_sync(&disk, w);
	ord_wal_status(w, &after);
	cr_expect_eq(after.waiting_bytes, before.waiting_bytes);
	ord_wal_close(w);
	ord_wal_close(raft_log_open(&disk));
	expect_records(100);
}

/* Crashes at random points: what was synced is there, and what came back before stays. */
Test(raft_wal, random_crashes_lose_only_what_was_not_synced)
{
	struct random r = random_of(5);
	uint64_t durable = 0;
	for (int life = 0; life < 300; life++) {
		struct ord_wal *w = raft_log_open(&disk);
		cr_assert_geq(raft_log_seen.count, durable);
		expect_records(raft_log_seen.count);
		durable = raft_log_seen.count;
		uint64_t number = durable;
		uint64_t batches[41];
		uint64_t first = durable;
		uint32_t count;
		for (uint64_t i = random_below(&r, 40); i > 0; i--) {
			raft_log_put(w, ++number);
			batches[number - first] = ord_wal_sequence(w);
			if (random_chance(&r, 40))
				ord_wal_write(w);
			if (random_chance(&r, 40) && disk.in_flight) {
				raft_disk_complete(&disk);
				ord_wal_synced(w, &count);
			}
			while (durable < number && batches[durable + 1 - first] <= ord_wal_durable(w))
				durable++;
		}
		raft_disk_crash(&disk, &r);
		ord_wal_close(w);
	}
	cr_expect_gt(durable, 1000);
}
