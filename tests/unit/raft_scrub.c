/* SPDX-License-Identifier: Apache-2.0 - checking the log while it is in use: every bit that changed is found, and what is damaged leaves the log. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
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
	uint64_t bytes = 0, sealed = 0;
	while (!s.is_last) {
		cr_assert_eq(ord_host_scrub(c->nodes[0].host, &s), ORD_OK);
		bytes += s.bytes;
	}
	for (uint64_t i = 1; i < raft_disk_last(&c->nodes[0].disk); i++)
		sealed += segment(i)->len;
	cr_expect_eq(bytes, sealed);
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
