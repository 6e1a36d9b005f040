/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log: what was synced comes back, what was torn is cut, what was damaged is reported. */
#include "raft/wal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "raft/segment.h"
#include "tests/support/raft_disk.h"

#define GROUPS 3
#define SEEN_MAX 20000

/* What the log said when it was opened. */
struct seen {
	uint64_t count;
	uint64_t index[SEEN_MAX];
	uint64_t place[SEEN_MAX];
	uint32_t len[SEEN_MAX];
};

static struct seen seen;
static struct raft_disk disk;
static struct raft_disk other;
static char why[512];

static const struct ord_wal_options normal = {
	.cluster = {{1, 2, 3}}, .node = 4, .groups_count = GROUPS, .segment_bytes = 8192, .cache_bytes = 1 << 20};

static uint8_t payload_byte(uint64_t number, size_t i)
{
	return (uint8_t)(number * 31 + i * 7);
}

/* Record number n: an entry of some group, or sometimes a vote. Its length is in its number. */
static struct ord_record record_of(uint64_t number, uint8_t *payload)
{
	struct ord_record r = {.type = ORD_RECORD_ENTRY, .kind = ORD_ENTRY_COMMAND, .term = 1, .index = number};
	size_t len = 1 + number * 37 % 200;
	r.group = (uint32_t)(number % GROUPS);
	if (number % 7 == 6) {
		r.type = ORD_RECORD_VOTE;
		r.kind = 0;
		return r;
	}
	for (size_t i = 0; i < len; i++)
		payload[i] = payload_byte(number, i);
	r.payload = ord_slice_of(payload, len);
	return r;
}

static int wal_each(void *arg, const struct ord_record *r, uint64_t place, char *reason, size_t reason_size)
{
	uint8_t payload[256];
	struct ord_record expected = record_of(r->index, payload);
	(void)arg;
	(void)reason;
	(void)reason_size;
	cr_assert_lt(seen.count, SEEN_MAX);
	cr_assert_eq(r->type, expected.type);
	cr_assert_eq(r->kind, expected.kind);
	cr_assert_eq(r->group, expected.group);
	cr_assert(ord_slice_equal(r->payload, expected.payload));
	seen.index[seen.count] = r->index;
	seen.place[seen.count] = place;
	seen.len[seen.count] = (uint32_t)ord_record_bytes(r);
	seen.count++;
	return ORD_OK;
}

static int open_with(struct raft_disk *d, struct ord_wal_options options, struct ord_wal **ret)
{
	options.io = raft_disk_io(d);
	seen.count = 0;
	why[0] = 0;
	return ord_wal_open(&options, wal_each, NULL, ret, why, sizeof why);
}

static struct ord_wal *open_good(struct raft_disk *d)
{
	struct ord_wal *w = NULL;
	int err = open_with(d, normal, &w);
	cr_assert_eq(err, ORD_OK, "%s", why);
	return w;
}

static uint64_t put(struct ord_wal *w, uint64_t number)
{
	uint8_t payload[256];
	uint64_t place;
	struct ord_record r = record_of(number, payload);
	cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	return place;
}

static void sync_all(struct raft_disk *d, struct ord_wal *w)
{
	uint32_t count;
	for (ord_wal_write(w); d->in_flight; ord_wal_write(w)) {
		raft_disk_complete(d);
		ord_wal_synced(w, &count);
	}
}

/* Expects records first .. last, in order. */
static void expect_records(uint64_t last)
{
	cr_assert_eq(seen.count, last, "%lu records, not %lu", seen.count, last);
	for (uint64_t i = 0; i < last; i++)
		cr_assert_eq(seen.index[i], i + 1);
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
		struct ord_wal *w = open_good(&disk);
		cr_expect_eq(ord_wal_was_empty(w), life == 0);
		expect_records(number);
		for (int batch = 0; batch < 50; batch++) {
			for (int i = 0; i <= batch % 5; i++)
				put(w, ++number);
			sync_all(&disk, w);
		}
		ord_wal_close(w);
	}
	cr_expect_gt(raft_disk_last(&disk), 5);
	for (uint64_t i = 1; i <= raft_disk_last(&disk); i++)
		cr_expect_leq(disk.segments[i].len, normal.segment_bytes);
	ord_wal_close(open_good(&disk));
	expect_records(number);
}

Test(raft_wal, what_waits_goes_into_one_write)
{
	struct ord_wal *w = open_good(&disk);
	uint32_t count;
	put(w, 1);
	ord_wal_write(w);
	uint64_t first = ord_wal_sequence(w);
	for (uint64_t i = 2; i <= 20; i++)
		put(w, i);
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
	cr_expect_eq(count, GROUPS, "each group once");
	/* Who goes through them may append meanwhile. */
	uint32_t before[GROUPS];
	memcpy(before, groups, sizeof before);
	for (uint64_t i = 21; i <= 60; i++)
		put(w, i * 2 + 1);
	cr_expect_eq(memcmp(before, groups, sizeof before), 0);
	sync_all(&disk, w);
	ord_wal_write(w);
	cr_expect_not(disk.in_flight, "nothing waits");
	ord_wal_close(w);
}

Test(raft_wal, a_write_is_bounded)
{
	static uint8_t payload[ORD_ENTRY_BYTES_MAX];
	struct ord_wal_options o = normal;
	struct ord_wal *w;
	uint64_t place;
	o.segment_bytes = 64 << 20;
	o.cache_bytes = 1ull << 30;
	cr_assert_eq(open_with(&disk, o, &w), ORD_OK);
	struct ord_record r = {.type = ORD_RECORD_ENTRY,
			       .kind = ORD_ENTRY_COMMAND,
			       .term = 1,
			       .index = 1,
			       .payload = ord_slice_of(payload, sizeof payload)};
	for (int i = 0; i < 20; i++)
		cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	sync_all(&disk, w);
	cr_expect_leq(disk.write_bytes_max, 8u << 20);
	cr_expect_geq(disk.writes_count, 5);
	ord_wal_close(w);
}

/* A log of one segment with some batches, and one more in flight. Returns the records that are durable. */
static uint64_t log_with_write_in_flight(struct ord_wal **ret)
{
	struct ord_wal *w = open_good(&disk);
	uint64_t number = 0;
	for (int batch = 0; batch < 4; batch++) {
		for (int i = 0; i < 3; i++)
			put(w, ++number);
		sync_all(&disk, w);
	}
	for (uint64_t i = 1; i <= 5; i++)
		put(w, number + i);
	ord_wal_write(w);
	*ret = w;
	return number;
}

static void expect_goes_on(struct raft_disk *d, uint64_t durable)
{
	struct ord_wal *w = open_good(d);
	expect_records(durable);
	put(w, durable + 1);
	sync_all(d, w);
	ord_wal_close(w);
	ord_wal_close(open_good(d));
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
		raft_disk_copy(&disk, &other);
		other.segments[1].base[at] ^= 0x40;
		expect_goes_on(&other, durable);
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
		cr_assert_eq(open_with(&other, normal, &none), ORD_ERR_CORRUPT, "byte %lu", at);
		snprintf(expected, sizeof expected, "segment 1 at offset %s",
			 at < ORD_SEGMENT_HEADER_BYTES ? "0:" : "");
		cr_assert_not_null(strstr(why, expected), "%s", why);
		cr_assert_not_null(strstr(why, "restore"), "%s", why);
		cr_assert_eq(other.segments[1].len, disk.segments[1].len, "nothing was cut");
		raft_disk_close(&other);
	}
	ord_wal_close(w);
}

/* Each record is whole, but not in the order in which they were written: sectors of an older write at the same place look like that. */
Test(raft_wal, whole_records_of_another_write_are_not_believed)
{
	struct ord_record r = {.type = ORD_RECORD_VOTE, .term = 1};
	struct ord_wal *w = open_good(&disk);
	struct ord_wal *none = NULL;
	uint8_t kept[ORD_RECORD_HEADER_BYTES];
	uint64_t place;
	r.group = 6 % GROUPS;
	r.index = 6;
	cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	r.group = 13 % GROUPS;
	r.index = 13;
	cr_assert_eq(ord_wal_append(w, &r, &place), ORD_OK);
	sync_all(&disk, w);
	put(w, 1);
	sync_all(&disk, w);
	ord_wal_close(w);
	uint8_t *first = disk.segments[1].base + ORD_SEGMENT_HEADER_BYTES + ORD_BATCH_HEADER_BYTES;
	memcpy(kept, first, sizeof kept);
	memcpy(first, first + sizeof kept, sizeof kept);
	memcpy(first + sizeof kept, kept, sizeof kept);
	cr_expect_eq(open_with(&disk, normal, &none), ORD_ERR_CORRUPT);
}

Test(raft_wal, a_segment_under_another_number_is_corruption)
{
	struct ord_wal *w = open_good(&disk);
	struct ord_wal *none = NULL;
	for (uint64_t i = 1; raft_disk_last(&disk) < 4; i++) {
		put(w, i);
		sync_all(&disk, w);
	}
	ord_wal_close(w);
	struct raft_disk_segment kept = disk.segments[2];
	disk.segments[2] = disk.segments[3];
	disk.segments[3] = kept;
	cr_expect_eq(open_with(&disk, normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(why, "written as segment 3"), "%s", why);
}

Test(raft_wal, damage_in_an_earlier_segment_is_corruption)
{
	struct ord_wal *w = open_good(&disk);
	struct ord_wal *none = NULL;
	for (uint64_t i = 1; i <= 300; i++) {
		put(w, i);
		sync_all(&disk, w);
	}
	ord_wal_close(w);
	cr_assert_gt(raft_disk_last(&disk), 3);
	for (uint64_t at = disk.segments[2].len - 300; at < disk.segments[2].len; at += 7) {
		raft_disk_copy(&disk, &other);
		other.segments[2].base[at] ^= 0x80;
		cr_assert_eq(open_with(&other, normal, &none), ORD_ERR_CORRUPT);
		cr_assert_not_null(strstr(why, "segment 2"), "%s", why);
		raft_disk_close(&other);
	}
	raft_disk_copy(&disk, &other);
	other.segments[2].len -= 10;
	cr_expect_eq(open_with(&other, normal, &none), ORD_ERR_CORRUPT, "a segment that ends early");
	other.segments[2].len = 0;
	cr_expect_eq(open_with(&other, normal, &none), ORD_ERR_CORRUPT, "an empty one");
	other.segments[2].exists = false;
	cr_expect_eq(open_with(&other, normal, &none), ORD_ERR_CORRUPT, "none at all");
	cr_expect_not_null(strstr(why, "segment 2"), "%s", why);
	raft_disk_close(&other);
}

/* The last batch of a segment is gone, and zeros stand there: only the next segment knows. */
Test(raft_wal, a_batch_lost_at_the_end_of_a_segment_is_corruption)
{
	struct ord_wal *w = open_good(&disk);
	struct ord_wal *none = NULL;
	uint64_t last = 0;
	for (uint64_t i = 1; raft_disk_last(&disk) < 2; i++) {
		uint64_t place = put(w, i);
		if (ord_place_segment(place) == 1)
			last = ord_place_offset(place);
		sync_all(&disk, w);
	}
	ord_wal_close(w);
	last -= ORD_BATCH_HEADER_BYTES;
	memset(disk.segments[1].base + last, 0, disk.segments[1].len - last);
	cr_expect_eq(open_with(&disk, normal, &none), ORD_ERR_CORRUPT);
	cr_expect_not_null(strstr(why, "segment 2"), "%s", why);
}

Test(raft_wal, room_made_in_advance_is_a_clean_end)
{
	struct ord_wal *w = open_good(&disk);
	struct ord_wal *none = NULL;
	put(w, 1);
	sync_all(&disk, w);
	ord_wal_close(w);
	raft_disk_copy(&disk, &other);
	other.write_segment = 1;
	other.write_offset = other.segments[1].len;
	other.write_bytes = ord_slice_of(NULL, 0);
	other.in_flight = true;
	raft_disk_tear(&other, 0, 5000);
	w = open_good(&other);
	expect_records(1);
	put(w, 2);
	sync_all(&other, w);
	ord_wal_close(w);
	cr_expect_gt(other.segments[1].len, 5000);
	ord_wal_close(open_good(&other));
	expect_records(2);
	/* Damage before the room is found all the same. */
	other.segments[1].base[ORD_SEGMENT_HEADER_BYTES + 40] ^= 1;
	cr_expect_eq(open_with(&other, normal, &none), ORD_ERR_CORRUPT);
}

Test(raft_wal, room_left_at_the_end_of_any_segment_is_no_damage)
{
	struct ord_wal *w = open_good(&disk);
	for (uint64_t i = 1; i <= 300; i++) {
		put(w, i);
		sync_all(&disk, w);
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
	struct ord_wal *w = open_good(&disk);
	uint64_t number = 0;
	while (disk.write_segment < 2) {
		sync_all(&disk, w);
		put(w, ++number);
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
	struct ord_wal *w = open_good(&disk);
	put(w, 1);
	sync_all(&disk, w);
	ord_wal_close(w);
	cr_assert_eq(disk.syncs_count, 0);
	ord_wal_close(open_good(&disk));
	cr_expect_eq(disk.syncs_count, 1);
}

/* A sync that failed leaves the last batch in the cache for good: only writing it again brings it to the disk. Those before it were synced. */
Test(raft_wal, the_last_batch_is_written_again_at_the_start)
{
	struct ord_wal *w = open_good(&disk);
	put(w, 1);
	put(w, 2);
	sync_all(&disk, w);
	ord_wal_close(w);
	w = open_good(&disk);
	cr_expect_eq(disk.rewrite_offset, 0, "the first batch was written with the segment's header");
	cr_expect_eq(disk.rewrite_bytes, disk.segments[1].len);
	uint64_t second = disk.segments[1].len;
	put(w, 3);
	sync_all(&disk, w);
	ord_wal_close(w);
	ord_wal_close(open_good(&disk));
	cr_expect_eq(disk.rewrites_count, 2);
	cr_expect_eq(disk.rewrite_offset, second);
	cr_expect_eq(disk.rewrite_bytes, disk.segments[1].len - second);
	expect_records(3);
}

/* Blocks of memory are not longer than a segment, or small segments would leave most of each empty. */
Test(raft_wal, what_waits_takes_no_more_memory_than_it_must)
{
	struct ord_wal_options o = normal;
	struct ord_wal *w;
	struct ord_wal_status s;
	o.segment_bytes = 4096;
	o.cache_bytes = 64u << 20;
	cr_assert_eq(open_with(&disk, o, &w), ORD_OK);
	for (uint64_t i = 0; i < 5000; i++)
		put(w, i + 1);
	ord_wal_status(w, &s);
	cr_expect_gt(s.waiting_bytes, 500000);
	cr_expect_lt(s.memory_bytes, 2 * s.waiting_bytes);
	ord_wal_close(w);
}

Test(raft_wal, another_owner_is_a_mismatch)
{
	struct ord_wal *w = open_good(&disk);
	struct ord_wal *none = NULL;
	struct ord_wal_options o = normal;
	put(w, 1);
	sync_all(&disk, w);
	ord_wal_close(w);
	o.cluster.bytes[0] ^= 1;
	cr_expect_eq(open_with(&disk, o, &none), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(why, "cluster"), "%s", why);
	o = normal;
	o.node = 5;
	cr_expect_eq(open_with(&disk, o, &none), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(why, "node 4"), "%s", why);
	o = normal;
	o.groups_count = GROUPS + 1;
	cr_expect_eq(open_with(&disk, o, &none), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(why, "partitions"), "%s", why);
}

Test(raft_wal, a_disk_that_cannot_be_read_is_reported)
{
	struct ord_wal *w = open_good(&disk);
	struct ord_wal *none = NULL;
	put(w, 1);
	sync_all(&disk, w);
	ord_wal_close(w);
	disk.read_err = ORD_ERR_IO;
	cr_expect_eq(open_with(&disk, normal, &none), ORD_ERR_IO);
	cr_expect_not_null(strstr(why, "segment 1"), "%s", why);
}

Test(raft_wal, records_are_read_back_from_memory_and_from_disk)
{
	static uint64_t places[2000];
	struct ord_wal_options o = normal;
	struct ord_wal *w;
	struct ord_wal_reader *r;
	struct ord_wal_status s;
	size_t cold = 0;
	o.cache_bytes = 1;
	cr_assert_eq(open_with(&disk, o, &w), ORD_OK);
	cr_assert_eq(ord_wal_reader_open(w, &r), ORD_OK);
	for (uint64_t i = 0; i < 2000; i++) {
		places[i] = put(w, i + 1);
		if (i % 3 == 0)
			ord_wal_write(w);
		if (i % 5 == 0) {
			sync_all(&disk, w);
			ord_wal_trim(w);
			ord_wal_status(w, &s);
			cr_assert_leq(s.memory_bytes, 48u << 10);
		}
	}
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t number = i % 2 == 0 ? i : 1999 - i;
		uint8_t payload[256];
		struct ord_record expected = record_of(number + 1, payload);
		struct ord_record got;
		struct ord_wal_piece piece;
		cr_assert_eq(ord_wal_read(r, places[number], ord_record_bytes(&expected), &piece), ORD_OK);
		cr_assert_eq(ord_record_decode(piece.bytes, &got), ORD_OK);
		cr_assert_eq(got.index, number + 1);
		cr_assert(ord_slice_equal(got.payload, expected.payload));
		cold += piece.read_bytes;
	}
	cr_expect_gt(cold, 100000);
	sync_all(&disk, w);
	ord_wal_reader_close(r);
	ord_wal_close(w);
}

/* A window that reaches to the durable end must not be believed about what is written there later. */
Test(raft_wal, a_window_ends_at_the_durable_end)
{
	struct ord_wal_options o = normal;
	struct ord_wal *w;
	struct ord_wal_reader *r;
	struct ord_wal_piece piece;
	struct ord_record got;
	uint64_t places[400];
	uint8_t payload[256];
	o.cache_bytes = 1;
	o.segment_bytes = 1 << 20;
	cr_assert_eq(open_with(&disk, o, &w), ORD_OK);
	cr_assert_eq(ord_wal_reader_open(w, &r), ORD_OK);
	/* Room made in advance: a window that goes too far would see zeros. */
	put(w, 0);
	sync_all(&disk, w);
	disk.in_flight = true;
	disk.write_offset = disk.segments[1].len;
	disk.write_bytes = ord_slice_of(NULL, 0);
	raft_disk_tear(&disk, 0, 200000);
	for (uint64_t i = 0; i < 400; i++) {
		struct ord_record first = record_of(1, payload);
		places[i] = put(w, i + 1);
		sync_all(&disk, w);
		ord_wal_trim(w);
		/* Reads the oldest again and again, through windows that see ever more. */
		cr_assert_eq(ord_wal_read(r, places[0], ord_record_bytes(&first), &piece), ORD_OK);
	}
	for (uint64_t i = 0; i < 400; i++) {
		struct ord_record expected = record_of(i + 1, payload);
		cr_assert_eq(ord_wal_read(r, places[i], ord_record_bytes(&expected), &piece), ORD_OK);
		cr_assert_eq(ord_record_decode(piece.bytes, &got), ORD_OK);
		cr_assert_eq(got.index, i + 1);
	}
	ord_wal_reader_close(r);
	ord_wal_close(w);
}

Test(raft_wal, a_reservation_that_is_not_used_leaves_no_trace)
{
	struct ord_wal *w = open_good(&disk);
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
		put(w, i);
		if (i % 4 == 0)
			sync_all(&disk, w);
	}
	sync_all(&disk, w);
	ord_wal_status(w, &after);
	cr_expect_eq(after.waiting_bytes, before.waiting_bytes);
	ord_wal_close(w);
	ord_wal_close(open_good(&disk));
	expect_records(100);
}

/* Crashes at random points: what was synced is there, and what came back before stays. */
Test(raft_wal, random_crashes_lose_only_what_was_not_synced)
{
	struct random r = random_of(5);
	uint64_t durable = 0;
	for (int life = 0; life < 300; life++) {
		struct ord_wal *w = open_good(&disk);
		cr_assert_geq(seen.count, durable);
		expect_records(seen.count);
		durable = seen.count;
		uint64_t number = durable;
		uint64_t batches[41];
		uint64_t first = durable;
		uint32_t count;
		for (uint64_t i = random_below(&r, 40); i > 0; i--) {
			put(w, ++number);
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
