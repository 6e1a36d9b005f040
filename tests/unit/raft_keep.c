/* SPDX-License-Identifier: Apache-2.0 - segments of the write-ahead log: they go when nothing in them is needed, a log without its beginning opens, formats are told apart. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "raft/segment.h"
#include "raft/wal.h"
#include "tests/support/raft_log.h"

static struct raft_disk disk;
static struct raft_disk other;

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

TestSuite(raft_keep, .init = setup, .fini = teardown);

static uint64_t places[RAFT_LOG_SEEN_MAX];

static size_t bytes_of(uint64_t number)
{
	uint8_t payload[256];
	struct ord_record r = raft_log_record(number, payload);
	return ord_record_bytes(&r);
}

/* Appends records up to last, all needed, each synced by itself. */
static void put_needed(struct ord_wal *w, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++) {
		places[i] = raft_log_put(w, i);
		ord_wal_hold(w, places[i], bytes_of(i), ORD_WAL_USE_ENTRY);
		raft_log_sync(&disk, w);
	}
}

static void let_go(struct ord_wal *w, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++)
		ord_wal_let_go(w, places[i], bytes_of(i), ORD_WAL_USE_ENTRY);
}

/* Removes what may go. */
static void remove_all(struct ord_wal *w)
{
	struct ord_wal_oldest oldest;
	while (ord_wal_oldest(w, &oldest) && oldest.used_bytes[ORD_WAL_USE_ENTRY] == 0) {
		ord_wal_remove(w);
		if (disk.remove_segment == 0)
			return;
		cr_assert_not(ord_wal_oldest(w, &oldest), "one removal at a time");
		raft_disk_complete_remove(&disk);
		ord_wal_removed(w);
	}
}

Test(raft_keep, segments_go_when_nothing_in_them_is_needed)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal_status before;
	struct ord_wal_status after;
	put_needed(w, 1, 300);
	uint64_t last = raft_disk_last(&disk);
	cr_assert_gt(last, 4);
	remove_all(w);
	cr_expect_eq(raft_disk_first(&disk), 1);
	ord_wal_status(w, &before);
	cr_expect_eq(before.segments_count, last);
	/* All but one record in the middle of the third segment. */
	uint64_t kept = 1;
	while (ord_place_segment(places[kept + 3]) < 3)
		kept++;
	kept += 3;
	let_go(w, 1, kept - 1);
	let_go(w, kept + 1, 300);
	remove_all(w);
	cr_expect_eq(raft_disk_first(&disk), 3);
	let_go(w, kept, kept);
	remove_all(w);
	cr_expect_eq(raft_disk_first(&disk), last, "the one that is written stays");
	ord_wal_status(w, &after);
	cr_expect_eq(after.segments_count, 1);
	cr_expect_eq(after.disk_bytes, disk.segments[last].len);
	ord_wal_close(w);
}

Test(raft_keep, a_log_without_its_beginning_opens_and_goes_on)
{
	struct ord_wal *w = raft_log_open(&disk);
	put_needed(w, 1, 300);
	let_go(w, 1, 150);
	remove_all(w);
	uint64_t first = raft_disk_first(&disk);
	cr_assert_gt(first, 1);
	put_needed(w, 301, 320);
	ord_wal_close(w);
	for (int life = 0; life < 3; life++) {
		w = raft_log_open(&disk);
		cr_expect_eq(ord_wal_first(w), first);
		cr_expect_not(ord_wal_was_empty(w));
		cr_expect_leq(raft_log_seen.index[0], 151);
		cr_assert_eq(raft_log_seen.count, 320 + (uint64_t)life - raft_log_seen.index[0] + 1);
		for (uint64_t i = 1; i < raft_log_seen.count; i++)
			cr_assert_eq(raft_log_seen.index[i], raft_log_seen.index[i - 1] + 1);
		raft_log_put(w, 321 + (uint64_t)life);
		raft_log_sync(&disk, w);
		ord_wal_close(w);
	}
}

/* What replaces the last thing that was needed is on disk before the segment goes; so is whatever else is to be. */
Test(raft_keep, a_segment_stays_until_what_replaces_it_is_durable)
{
	struct ord_wal *w = raft_log_open(&disk);
	uint32_t count;
	put_needed(w, 1, 300);
	raft_log_put(w, 301);
	let_go(w, 1, 300);
	remove_all(w);
	cr_expect_eq(raft_disk_first(&disk), 1);
	ord_wal_write(w);
	remove_all(w);
	cr_expect_eq(raft_disk_first(&disk), 1, "it is being written");
	raft_log_put(w, 302);
	ord_wal_keep_until_durable(w);
	raft_disk_complete(&disk);
	ord_wal_synced(w, &count);
	remove_all(w);
	cr_expect_eq(raft_disk_first(&disk), 1, "something else is to be written before");
	raft_log_sync(&disk, w);
	remove_all(w);
	cr_expect_eq(raft_disk_first(&disk), raft_disk_last(&disk));
	ord_wal_close(w);
}

/* The log begins with the segment where its last batch stands: one that was only begun could be cut to nothing. */
Test(raft_keep, the_last_segment_with_a_batch_on_disk_never_goes)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal_oldest oldest;
	uint32_t count;
	uint64_t i = 1;
	while (disk.write_segment < 2) {
		raft_log_sync(&disk, w);
		raft_log_put(w, i++);
		ord_wal_write(w);
	}
	cr_expect_not(ord_wal_oldest(w, &oldest), "the second one is not on disk yet");
	raft_disk_copy(&disk, &other);
	raft_disk_complete(&disk);
	ord_wal_synced(w, &count);
	cr_expect(ord_wal_oldest(w, &oldest));
	ord_wal_close(w);
	/* The same when it was torn before the log was opened. */
	other.in_flight = true;
	other.write_segment = 2;
	other.write_bytes = ord_slice_of("torn", 4);
	raft_disk_tear(&other, 4, 0);
	w = raft_log_open(&other);
	cr_expect_not(ord_wal_oldest(w, &oldest));
	ord_wal_close(w);
}

Test(raft_keep, what_is_missing_or_damaged_at_a_late_beginning_is_corruption)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	put_needed(w, 1, 300);
	let_go(w, 1, 100);
	remove_all(w);
	uint64_t first = raft_disk_first(&disk);
	cr_assert_gt(first, 1);
	ord_wal_close(w);
	raft_disk_copy(&disk, &other);
	other.segments[first + 1].exists = false;
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT,
		     "one in the middle is missing");
	cr_expect_not_null(strstr(raft_log_why, "missing"), "%s", raft_log_why);
	raft_disk_close(&other);
	for (uint64_t at = 0; at < ORD_SEGMENT_HEADER_BYTES; at++) {
		raft_disk_copy(&disk, &other);
		other.segments[first].base[at] ^= 4;
		/* Also when it is the only one: it was not made by a write that was cut short. */
		for (uint64_t i = first + 1; at % 2 == 0 && i <= raft_disk_last(&disk); i++)
			other.segments[i].exists = false;
		cr_assert_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT, "byte %lu", at);
		raft_disk_close(&other);
	}
}

/* Writes the segment again as an earlier version did: the zeros behind the last batch are room made in advance. */
static void make_format(struct raft_disk_segment *s, uint32_t format)
{
	struct ord_segment header;
	struct ord_batch_header h;
	uint32_t salt;
	cr_assert_eq(ord_segment_decode(s->base, &header, &salt), ORD_OK);
	cr_assert_eq(header.format, ORD_SEGMENT_FORMAT);
	header.format = format;
	header.cluster = raft_log_normal.cluster;
	uint32_t old = ord_segment_encode(&header, s->base);
	for (size_t at = ORD_SEGMENT_HEADER_BYTES; at < s->len - ORD_IO_END_BYTES;
	     at += ORD_BATCH_HEADER_BYTES + h.length) {
		cr_assert(ord_batch_decode(s->base + at, salt, &h));
		ord_batch_encode(&h, old, s->base + at);
	}
}

static void go_on_after(uint32_t format)
{
	struct ord_wal *w = raft_log_open(&disk);
	put_needed(w, 1, 100);
	ord_wal_close(w);
	uint64_t last = raft_disk_last(&disk);
	for (uint64_t i = 1; i <= last; i++)
		make_format(&disk.segments[i], format);
	raft_disk_copy(&disk, &other);
	for (int life = 0; life < 2; life++) {
		ord_wal_close(raft_log_open(&disk));
		cr_expect_eq(raft_log_seen.count, 100);
		cr_expect_eq(raft_disk_last(&disk), last, "nothing is written yet");
	}
	w = raft_log_open(&disk);
	raft_log_put(w, 101);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	cr_expect_eq(raft_disk_last(&disk), last + 1);
	w = raft_log_open(&disk);
	cr_expect_eq(raft_log_seen.count, 101);
	raft_log_put(w, 102);
	raft_log_sync(&disk, w);
	ord_wal_close(w);
	cr_expect_eq(raft_disk_last(&disk), last + 1);
	/* Damage is told from a torn write there, too. */
	struct ord_wal *none = NULL;
	other.segments[last].base[3] ^= 1;
	cr_expect_eq(raft_log_open_with(&other, raft_log_normal, &none), ORD_ERR_CORRUPT);
}

Test(raft_keep, a_log_of_format_1_is_read_and_goes_on_in_a_new_segment)
{
	go_on_after(1);
}

Test(raft_keep, a_log_of_format_2_is_read_and_goes_on_in_a_new_segment)
{
	go_on_after(2);
}

Test(raft_keep, a_log_of_format_3_is_read_and_goes_on_in_a_new_segment)
{
	go_on_after(3);
}

/* What stands behind the last batch is zeros there, or damage. */
Test(raft_keep, a_sealed_segment_of_format_3_has_nothing_behind_zeros)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	put_needed(w, 1, 100);
	ord_wal_close(w);
	cr_assert_gt(raft_disk_last(&disk), 1);
	for (uint32_t format = ORD_SEGMENT_FORMAT; format >= 3; format--) {
		raft_disk_copy(&disk, &other);
		if (format < ORD_SEGMENT_FORMAT)
			make_format(&other.segments[1], format);
		memset(other.segments[1].base + other.segments[1].len, 7, 1); /* it has room for twice its length */
		other.segments[1].len++;
		int err = raft_log_open_with(&other, raft_log_normal, &none);
		cr_expect_eq(err, format == 3 ? ORD_ERR_CORRUPT : ORD_OK, "format %u: %s", format, raft_log_why);
		ord_wal_close(err == ORD_OK ? none : NULL);
		raft_disk_close(&other);
	}
}

Test(raft_keep, a_format_of_later_is_refused_by_name)
{
	struct ord_wal *w = raft_log_open(&disk);
	struct ord_wal *none = NULL;
	put_needed(w, 1, 5);
	ord_wal_close(w);
	struct ord_segment header = {.format = ORD_SEGMENT_FORMAT + 1,
				     .cluster = raft_log_normal.cluster,
				     .node = 4,
				     .groups_count = RAFT_LOG_GROUPS,
				     .number = 1,
				     .sequence = 1};
	ord_segment_encode(&header, disk.segments[1].base);
	cr_expect_eq(raft_log_open_with(&disk, raft_log_normal, &none), ORD_ERR_MISMATCH);
	cr_expect_not_null(strstr(raft_log_why, "format"), "%s", raft_log_why);
}
