/* SPDX-License-Identifier: Apache-2.0 - a write-ahead log read as far as it can be: whatever byte changes, all records but those that it belongs to are told. */
#include "cli/segments.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "raft/segment.h"

#define SEGMENTS 3
#define BATCHES 3 /* a segment */
#define RECORDS 2 /* a batch */
#define ROOM 100  /* behind the last batch of a segment: the zeros that end it, then what its file had before */

static char data_dir[] = "/tmp/ordain-segments.XXXXXX";
static struct ord_bytes segments[SEGMENTS];

struct told {
	unsigned records;
	unsigned damages;
	unsigned unfinished;
	uint64_t skipped;
	uint64_t last_index;
	char why[128];		       /* of the last damage */
	void (*at_first_record)(void); /* NULL: nothing happens */
};

static void path_of(unsigned segment, char path[128])
{
	snprintf(path, 128, "%s/wal/%016x.wal", data_dir, segment + 1);
}

static void write_segment(unsigned segment, size_t len)
{
	char path[128];

	path_of(segment, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, segments[segment].base, len), (ssize_t)len);
	close(fd);
}

static void put_batch(struct ord_bytes *out, uint64_t sequence, uint32_t salt)
{
	static const char payload[] = "a command";
	uint8_t records[RECORDS][128];
	struct ord_batch_header h = {.sequence = sequence, .records = RECORDS};

	for (unsigned i = 0; i < RECORDS; i++) {
		struct ord_record r = {.type = ORD_RECORD_ENTRY,
				       .kind = ORD_ENTRY_COMMAND,
				       .group = i,
				       .term = 1,
				       .index = sequence,
				       .payload = ord_slice_of(payload, sizeof payload)};
		ord_record_encode(&r, records[i]);
		h.length += (uint32_t)ord_record_bytes(&r);
		h.check = ord_batch_check(h.check, ord_record_check(records[i]));
	}
	ord_batch_encode(&h, salt, ord_bytes_extend(out, ORD_BATCH_HEADER_BYTES));
	for (unsigned i = 0; i < RECORDS; i++)
		ord_bytes_put(out, records[i], h.length / RECORDS);
}

static void open_log(void)
{
	char path[128];

	cr_assert_not_null(mkdtemp(data_dir));
	snprintf(path, sizeof path, "%s/wal", data_dir);
	cr_assert_eq(mkdir(path, 0700), 0);
	for (unsigned s = 0; s < SEGMENTS; s++) {
		struct ord_segment header = {.format = ORD_SEGMENT_FORMAT,
					     .node = 1,
					     .groups_count = RECORDS,
					     .number = s + 1,
					     .sequence = 1 + s * BATCHES};
		ord_bytes_init(&segments[s], 1u << 16);
		uint32_t salt = ord_segment_encode(&header, ord_bytes_extend(&segments[s], ORD_SEGMENT_HEADER_BYTES));
		for (unsigned b = 0; b < BATCHES; b++)
			put_batch(&segments[s], header.sequence + b, salt);
		uint8_t *room = ord_bytes_extend(&segments[s], ROOM);
		memset(room, 'o', ROOM);
		memset(room, 0, ORD_BATCH_HEADER_BYTES);
		write_segment(s, segments[s].len);
	}
}

static void close_log(void)
{
	char path[128];

	for (unsigned s = 0; s < SEGMENTS; s++) {
		path_of(s, path);
		unlink(path);
		ord_bytes_close(&segments[s]);
	}
	snprintf(path, sizeof path, "%s/wal", data_dir);
	rmdir(path);
	rmdir(data_dir);
}

TestSuite(cli_segments, .init = open_log, .fini = close_log);

static bool record_cb(void *ctx, const struct ord_segments_place *place, const struct ord_record *r)
{
	struct told *t = ctx;

	cr_expect_eq(place->sequence, r->index);
	cr_expect_geq(r->index, t->last_index, "in the order of the log");
	t->last_index = r->index;
	if (t->records++ == 0 && t->at_first_record != NULL)
		t->at_first_record();
	return true;
}

static void damage_cb(void *ctx, const struct ord_segments_place *place, uint64_t bytes, const char *why)
{
	struct told *t = ctx;

	cr_expect_gt(strlen(why), 0);
	cr_expect_leq(place->offset + bytes, segments[place->segment - 1].len);
	snprintf(t->why, sizeof t->why, "%s", why);
	t->damages++;
	t->skipped += bytes;
}

static void unfinished_cb(void *ctx, const struct ord_segments_place *place, uint64_t bytes)
{
	struct told *t = ctx;

	cr_expect_eq(place->segment, SEGMENTS);
	cr_expect_gt(bytes, 0);
	t->unfinished++;
}

static struct told walk_while(void (*at_first_record)(void))
{
	struct told t = {.at_first_record = at_first_record};
	struct ord_segments_visitor visitor = {
		.ctx = &t, .record = record_cb, .damage = damage_cb, .unfinished = unfinished_cb};
	char why[256];

	cr_assert_eq(ord_segments_walk(data_dir, &visitor, why, sizeof why), ORD_OK);
	return t;
}

static struct told walk(void)
{
	return walk_while(NULL);
}

#define ALL (SEGMENTS * BATCHES * RECORDS)

Test(cli_segments, a_sound_log_is_told_whole)
{
	struct told t = walk();

	cr_expect_eq(t.records, ALL);
	cr_expect_eq(t.damages, 0);
	cr_expect_eq(t.unfinished, 0, "what stands behind the end is not looked at");
}

Test(cli_segments, every_byte_that_changes_is_told)
{
	for (unsigned s = 0; s < SEGMENTS - 1; s++) {
		for (size_t i = 0; i < segments[s].len - ROOM + ORD_BATCH_HEADER_BYTES; i++) {
			segments[s].base[i] ^= 0x10;
			write_segment(s, segments[s].len);
			struct told t = walk();
			cr_expect_geq(t.damages, 1, "segment %u, byte %zu", s, i);
			cr_expect_geq(t.records, ALL - RECORDS, "segment %u, byte %zu", s, i);
			cr_expect_eq(t.unfinished, 0);
			if (i < ORD_SEGMENT_HEADER_BYTES)
				cr_expect_eq(t.damages, 1, "its header alone: segment %u, byte %zu", s, i);
			segments[s].base[i] ^= 0x10;
		}
		write_segment(s, segments[s].len);
	}
	cr_expect_eq(walk().damages, 0);
}

/* A record alone is left out, when it is its own checksum that is wrong. */
Test(cli_segments, a_payload_that_changed_costs_its_record)
{
	size_t payload = ORD_SEGMENT_HEADER_BYTES + ORD_BATCH_HEADER_BYTES + ORD_RECORD_HEADER_BYTES;

	segments[0].base[payload] ^= 1;
	write_segment(0, segments[0].len);
	struct told t = walk();
	cr_expect_eq(t.records, ALL - 1);
	cr_expect_eq(t.damages, 1);
	cr_expect_eq(t.skipped, ORD_RECORD_HEADER_BYTES + 10);
}

/* Whatever a crash left of the last segment is an end, and no damage. */
Test(cli_segments, a_log_that_was_cut_short_is_sound)
{
	size_t end = segments[SEGMENTS - 1].len - ROOM;
	size_t batch = (end - ORD_SEGMENT_HEADER_BYTES) / BATCHES;

	for (size_t len = 0; len < end; len++) {
		write_segment(SEGMENTS - 1, len);
		struct told t = walk();
		size_t whole = len < ORD_SEGMENT_HEADER_BYTES ? 0 : (len - ORD_SEGMENT_HEADER_BYTES) / batch;
		cr_expect_eq(t.damages, 0, "%zu bytes", len);
		cr_expect_eq(t.records, (SEGMENTS - 1) * BATCHES * RECORDS + whole * RECORDS, "%zu bytes", len);
		bool clean =
			len == 0 || (len >= ORD_SEGMENT_HEADER_BYTES && (len - ORD_SEGMENT_HEADER_BYTES) % batch == 0);
		cr_expect_eq(t.unfinished, clean ? 0 : 1, "%zu bytes", len);
	}
}

/* The same where room was made in advance: what was not written is zero. */
Test(cli_segments, a_write_that_was_cut_short_is_no_damage)
{
	struct ord_bytes *last = &segments[SEGMENTS - 1];
	size_t end = last->len - ROOM;

	for (size_t len = end - 1; len > 0; len--) {
		last->base[len] = 0;
		write_segment(SEGMENTS - 1, last->len);
		struct told t = walk();
		cr_expect_eq(t.damages, 0, "%zu bytes", len);
		cr_expect_eq(t.records % RECORDS, 0, "a batch counts as a whole or not at all: %zu bytes", len);
		cr_expect_leq(t.unfinished, 1);
	}
	cr_expect_eq(walk().records, (SEGMENTS - 1) * BATCHES * RECORDS);
}

Test(cli_segments, a_segment_that_is_missing_is_told)
{
	char path[128];

	path_of(1, path);
	unlink(path);
	struct told t = walk();
	cr_expect_eq(t.damages, 1);
	cr_expect_eq(t.records, ALL - BATCHES * RECORDS);
}

Test(cli_segments, a_log_may_begin_late)
{
	char path[128];

	path_of(0, path);
	unlink(path);
	struct told t = walk();
	cr_expect_eq(t.damages, 0);
	cr_expect_eq(t.records, ALL - BATCHES * RECORDS);
}

/* The last segment's file was another one's, and nothing was written to it since. */
Test(cli_segments, a_used_file_of_which_nothing_was_written_is_empty)
{
	struct ord_bytes last = segments[SEGMENTS - 1];
	segments[SEGMENTS - 1] = segments[0];
	write_segment(SEGMENTS - 1, segments[0].len);
	segments[SEGMENTS - 1] = last;
	struct told t = walk();
	cr_expect_eq(t.damages, 0, "%s", t.why);
	cr_expect_eq(t.unfinished, 0);
	cr_expect_eq(t.records, ALL - BATCHES * RECORDS);
}

Test(cli_segments, an_old_header_before_new_batches_is_damage)
{
	memcpy(segments[SEGMENTS - 1].base, segments[0].base, ORD_SEGMENT_HEADER_BYTES);
	write_segment(SEGMENTS - 1, segments[SEGMENTS - 1].len);
	struct told t = walk();
	cr_expect_eq(t.damages, 1);
	cr_expect_eq(t.records, ALL);
}

/* A batch that became zeros looks like the end; what follows knows better, and is told. */
Test(cli_segments, a_batch_that_became_zeros_is_told)
{
	size_t batch = (segments[0].len - ROOM - ORD_SEGMENT_HEADER_BYTES) / BATCHES;

	for (unsigned s = 0; s < SEGMENTS; s += SEGMENTS - 1) {
		memset(segments[s].base + ORD_SEGMENT_HEADER_BYTES + batch, 0, ORD_BATCH_HEADER_BYTES);
		write_segment(s, segments[s].len);
	}
	struct told t = walk();
	cr_expect_eq(t.damages, 2);
	cr_expect_eq(t.records, ALL - 2 * RECORDS);
}

/* The first segment is removed while it is read, and its file used again. */
static void use_again(void)
{
	char path[128], later[128];
	struct ord_segment header = {.format = ORD_SEGMENT_FORMAT, .node = 1, .groups_count = RECORDS, .number = 9};
	uint8_t out[4096] = {0};

	path_of(0, path);
	path_of(8, later);
	cr_assert_eq(rename(path, later), 0);
	ord_segment_encode(&header, out);
	int fd = open(later, O_WRONLY);
	cr_assert_eq(pwrite(fd, out, sizeof out, 0), (ssize_t)sizeof out);
	close(fd);
}

Test(cli_segments, a_segment_that_is_removed_while_it_is_read_is_no_damage)
{
	char path[128];
	struct told t = walk_while(use_again);
	cr_expect_eq(t.damages, 0, "%s", t.why);
	cr_expect_eq(t.records, ALL - (BATCHES - 1) * RECORDS,
		     "the batch that was read by then, and the other segments");
	path_of(8, path);
	unlink(path);
}

static void remove_two(void)
{
	char path[128];

	for (unsigned s = 0; s < 2; s++) {
		path_of(s, path);
		cr_assert_eq(unlink(path), 0);
	}
}

Test(cli_segments, segments_that_are_removed_before_their_turn_are_no_damage)
{
	struct told t = walk_while(remove_two);
	cr_expect_eq(t.damages, 0, "%s", t.why);
	cr_expect_eq(t.records, ALL - BATCHES * RECORDS);
}
