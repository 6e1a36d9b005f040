/* SPDX-License-Identifier: Apache-2.0 - checking the log while it is in use: every bit that changed is found, and what is damaged leaves the log. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "raft/record.h"
#include "raft/segment.h"
#include "tests/support/raft_cluster.h"

static const struct raft_cluster_options lone = {.nodes_count = 1,
						 .groups_count = 3,
						 .seed = 1,
						 .segment_bytes = 8192,
						 .cache_bytes = 1,
						 .trailing_bytes = 1000000,
						 .segments_max = 100,
						 .sync_ms_max = 3};

static struct raft_cluster *c;

/* Some segments, of which nothing has gone. */
static void make(void)
{
	c = malloc(sizeof *c);
	cr_assert_not_null(c);
	raft_cluster_open(c, &lone);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_led, 2000));
	raft_cluster_load(c, 50, 400, 300);
	raft_cluster_run(c, 1000);
	cr_assert_gt(raft_disk_last(&c->nodes[0].disk), 5);
}

static void clean(void)
{
	raft_cluster_close(c);
	free(c);
}

TestSuite(raft_scrub, .init = make, .fini = clean, .timeout = 120);

static struct raft_disk_segment *segment(uint64_t number)
{
	return &c->nodes[0].disk.segments[number];
}

static struct ord_host_status status(void)
{
	struct ord_host_status s;
	ord_host_status(c->nodes[0].host, &s);
	return s;
}

/* One round. True when damage was found. */
static bool round_finds(void)
{
	struct ord_host_scrubbed s = {0};
	bool found = false;
	for (unsigned i = 0; !s.is_last; i++) {
		cr_assert_lt(i, 1000);
		found |= ord_host_scrub(c->nodes[0].host, &s) == ORD_ERR_CORRUPT;
	}
	return found;
}

static void release(uint32_t first_group)
{
	for (uint32_t g = first_group; g < lone.groups_count; g++) {
		struct ord_group_status s;
		ord_host_group_status(c->nodes[0].host, g, &s);
		raft_cluster_release(c, 0, g, s.applied_index);
	}
}

Test(raft_scrub, a_sound_log_is_read_whole)
{
	struct ord_host_scrubbed s = {0};
	uint64_t bytes = 0, written = 0;
	while (!s.is_last) {
		cr_assert_eq(ord_host_scrub(c->nodes[0].host, &s), ORD_OK);
		bytes += s.bytes;
	}
	for (uint64_t i = 1; i <= raft_disk_last(&c->nodes[0].disk); i++)
		written += segment(i)->len;
	cr_expect_eq(bytes, written - ORD_IO_END_BYTES, "but what ends the one that is being written");
	cr_expect_eq(status().wal_damaged_segment, 0);
	cr_expect_not(round_finds(), "the next round begins again");
}

Test(raft_scrub, any_bit_that_changed_is_found)
{
	cr_assert_not(round_finds());
	for (uint64_t number = 1; number <= 2; number++)
		for (size_t i = 0; i < segment(number)->len; i += i < 200 ? 1 : 13) {
			segment(number)->base[i] ^= 0x10;
			cr_assert(round_finds(), "segment %lu, byte %zu", number, i);
			segment(number)->base[i] ^= 0x10;
		}
	cr_expect_eq(status().wal_damaged_segment, 2);
	cr_expect_not(round_finds());
}

/* Up to the end of what is on disk; what stands behind that is nothing yet. */
Test(raft_scrub, any_bit_of_the_segment_that_is_being_written_is_found)
{
	raft_cluster_load(c, 10, 30, 100);
	raft_cluster_run(c, 1000);
	struct raft_disk_segment *s = segment(raft_disk_last(&c->nodes[0].disk));
	size_t end = s->len - ORD_IO_END_BYTES;
	cr_assert_gt(end, 500);
	for (size_t i = 0; i < end; i += i < 200 || i + 200 > end ? 1 : 13) {
		s->base[i] ^= 0x10;
		cr_assert(round_finds(), "byte %zu of %zu", i, end);
		s->base[i] ^= 0x10;
	}
	memset(s->base + end - 64, 0, 64);
	cr_expect(round_finds(), "what became zeros is no end");
	memset(s->base + end, 0x6f, ORD_IO_END_BYTES);
	cr_expect_eq(status().wal_damaged_segment, raft_disk_last(&c->nodes[0].disk));
}

/* A batch that became zeros at the end of it looks like the end. */
Test(raft_scrub, the_last_batch_that_became_zeros_is_found)
{
	struct raft_disk_segment *s = segment(raft_disk_last(&c->nodes[0].disk));
	struct ord_segment header;
	struct ord_batch_header h;
	uint32_t salt;
	size_t at = ORD_SEGMENT_HEADER_BYTES, last = 0;
	cr_assert_eq(ord_segment_decode(s->base, &header, &salt), ORD_OK);
	for (; ord_batch_decode(s->base + at, salt, &h); at += ORD_BATCH_HEADER_BYTES + h.length)
		last = at;
	cr_assert_gt(last, 0);
	memset(s->base + last, 0, s->len - last);
	cr_expect(round_finds());
}

/* A segment whose file was another one's before. */
Test(raft_scrub, what_stands_behind_the_end_is_not_looked_at)
{
	struct raft_disk_segment *s = segment(2);
	s->base = realloc(s->base, s->len + 5000);
	cr_assert_not_null(s->base);
	memset(s->base + s->len, 0x6f, 5000);
	s->len += 5000;
	s->capacity = s->len;
	cr_expect_not(round_finds());
	memset(s->base + s->len - 5000 - ORD_IO_END_BYTES, 0x6f, ORD_IO_END_BYTES);
	cr_expect(round_finds(), "the end is gone");
}

/* Zeros in the place of a batch end the segment: that one is missing is seen where the next one begins. */
Test(raft_scrub, a_batch_that_became_zeros_is_found)
{
	struct ord_batch_header h;
	struct ord_segment header;
	uint32_t salt;
	cr_assert_eq(ord_segment_decode(segment(2)->base, &header, &salt), ORD_OK);
	cr_assert(ord_batch_decode(segment(2)->base + ORD_SEGMENT_HEADER_BYTES, salt, &h));
	memset(segment(2)->base + ORD_SEGMENT_HEADER_BYTES + ORD_BATCH_HEADER_BYTES + h.length, 0,
	       ORD_BATCH_HEADER_BYTES);
	cr_expect(round_finds());
	cr_expect_eq(status().wal_damaged_segment, 3);
}

Test(raft_scrub, a_segment_that_was_cut_is_found)
{
	segment(2)->len -= 100;
	cr_expect(round_finds());
	segment(2)->len = 0;
	cr_expect(round_finds());
}

Test(raft_scrub, one_that_cannot_be_read_twice_counts_as_damaged)
{
	c->nodes[0].disk.read_err = ORD_ERR_IO;
	cr_expect_not(round_finds());
	cr_expect(round_finds());
	c->nodes[0].disk.read_err = ORD_OK;
}

/* What the damaged segment has is released: it goes, though there would be room for it. */
Test(raft_scrub, damaged_segments_go_when_all_is_released)
{
	segment(3)->base[segment(3)->len / 2] ^= 1;
	cr_assert(round_finds());
	cr_expect_eq(status().wal_damaged_segment, 3);
	raft_cluster_run(c, 1000);
	cr_expect_eq(raft_disk_first(&c->nodes[0].disk), 1, "nothing is released yet");
	release(0);
	raft_cluster_run(c, 1000);
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 3);
	cr_expect_eq(status().wal_damaged_segment, 0);
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	cr_expect(raft_cluster_run_until(c, raft_cluster_all_equal, 5000));
}

/* Nothing of group 0 is released: what can be read of it is copied, and the one that cannot keeps its segment until it is released, without ending the node. */
Test(raft_scrub, what_is_not_released_is_copied)
{
	segment(3)->base[segment(3)->len / 2] ^= 1;
	cr_assert(round_finds());
	release(1);
	raft_cluster_run(c, 9000);
	cr_expect_eq(raft_disk_first(&c->nodes[0].disk), 1, "it is given time");
	raft_cluster_run(c, 5000);
	uint64_t first = raft_disk_first(&c->nodes[0].disk);
	cr_expect(first == 3 || first == 4, "%lu", first);
	cr_expect_eq(c->nodes[0].fatal, ORD_OK, "%s", c->nodes[0].why);
	uint64_t bytes = status().wal_bytes;
	raft_cluster_run(c, 5000);
	cr_expect_lt(status().wal_bytes, bytes + 8192, "it is not copied again and again");
	release(0);
	raft_cluster_run(c, 3000);
	cr_expect_eq(status().wal_damaged_segment, 0);
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	cr_expect(raft_cluster_run_until(c, raft_cluster_all_equal, 5000));
}

/* Nothing else is written meanwhile: the log goes on in a new segment all the same, and the damaged one goes. */
Test(raft_scrub, the_segment_that_is_being_written_goes_when_it_is_damaged)
{
	uint64_t last = raft_disk_last(&c->nodes[0].disk);
	segment(last)->base[segment(last)->len / 2] ^= 1;
	cr_assert(round_finds());
	raft_cluster_run(c, 100);
	cr_expect_eq(raft_disk_last(&c->nodes[0].disk), last + 1);
	release(0);
	raft_cluster_run(c, 1000);
	cr_expect_eq(raft_disk_first(&c->nodes[0].disk), last + 1);
	cr_expect_eq(raft_disk_last(&c->nodes[0].disk), last + 1, "one new segment, no more");
	cr_expect_eq(status().wal_damaged_segment, 0);
	cr_expect_not(round_finds());
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	cr_expect(raft_cluster_run_until(c, raft_cluster_all_equal, 5000));
}

/* A segment as it was before it was damaged: what the owner has in memory. */
static uint8_t sound[8192 * 2];
static size_t sound_len;
static unsigned recalled;

static bool recall(struct raft_cluster *cluster, uint32_t group, uint64_t index, uint64_t term, struct ord_slice *ret)
{
	struct ord_segment header;
	struct ord_batch_header h;
	struct ord_record r;
	uint32_t salt;
	(void)cluster;
	cr_assert_eq(ord_segment_decode(sound, &header, &salt), ORD_OK);
	for (size_t at = ORD_SEGMENT_HEADER_BYTES; ord_batch_decode(sound + at, salt, &h);) {
		at += ORD_BATCH_HEADER_BYTES;
		for (size_t end = at + h.length; at < end; at += ord_record_bytes(&r)) {
			cr_assert_eq(ord_record_decode(ord_slice_of(sound + at, end - at), &r), ORD_OK);
			if (r.type != ORD_RECORD_ENTRY || r.group != group || r.index != index)
				continue;
			cr_expect_eq(r.term, term);
			*ret = r.payload;
			recalled++;
			return true;
		}
	}
	return false;
}

/* What cannot be read is taken from the owner, and written again: nothing needs the damaged segment any more, though nothing of group 0 is released. */
Test(raft_scrub, what_cannot_be_read_is_recalled)
{
	sound_len = segment(3)->len;
	cr_assert_leq(sound_len, sizeof sound);
	memcpy(sound, segment(3)->base, sound_len);
	c->recall = recall;
	for (size_t i = 300; i < sound_len; i += 600)
		segment(3)->base[i] ^= 1;
	cr_assert(round_finds());
	release(1);
	raft_cluster_run(c, 14000);
	cr_expect_gt(recalled, 0);
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 3);
	cr_expect_eq(status().wal_damaged_segment, 0);
	cr_expect_eq(c->nodes[0].fatal, ORD_OK, "%s", c->nodes[0].why);
	cr_expect_not(round_finds());
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	cr_expect(raft_cluster_run_until(c, raft_cluster_all_equal, 5000), "the log is whole");
}

/* Members are known to the group itself: the first entries of all go, too. */
Test(raft_scrub, members_are_recalled)
{
	struct ord_segment header;
	struct ord_record r;
	uint32_t salt;
	unsigned changes = 0;
	uint8_t *base = segment(1)->base;
	cr_assert_eq(ord_segment_decode(base, &header, &salt), ORD_OK);
	struct ord_batch_header h;
	for (size_t at = ORD_SEGMENT_HEADER_BYTES; ord_batch_decode(base + at, salt, &h);) {
		at += ORD_BATCH_HEADER_BYTES;
		for (size_t end = at + h.length; at < end; at += ord_record_bytes(&r)) {
			cr_assert_eq(ord_record_decode(ord_slice_of(base + at, end - at), &r), ORD_OK);
			if (r.type != ORD_RECORD_ENTRY || r.kind != ORD_ENTRY_CHANGE)
				continue;
			base[at + ORD_RECORD_HEADER_BYTES + 3] ^= 1;
			changes++;
		}
	}
	cr_assert_eq(changes, lone.groups_count);
	cr_assert(round_finds());
	raft_cluster_run(c, 14000);
	cr_expect_gt(raft_disk_first(&c->nodes[0].disk), 1);
	cr_expect_eq(status().wal_damaged_segment, 0);
	raft_cluster_kill(c, 0);
	raft_cluster_start(c, 0);
	cr_expect(raft_cluster_run_until(c, raft_cluster_all_equal, 5000), "the log is whole");
}
