/* SPDX-License-Identifier: Apache-2.0 - tests of node/faults_link.h and node/faults_disk.h, and of a clock that is wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <uv.h>

#include "base/err.h"
#include "node/clock.h"
#include "node/faults_disk.h"
#include "node/faults_link.h"

static const struct ord_faults_link_rule good;

static void put(struct ord_faults_link *l, size_t len, uint64_t now_us)
{
	struct ord_bytes bytes;
	ord_bytes_init(&bytes, 64u << 20);
	cr_assert_not_null(ord_bytes_extend(&bytes, len));
	memset(bytes.base, (int)(len % 251), len);
	ord_faults_link_put(l, &bytes, now_us);
	cr_assert_null(bytes.base, "the bytes were taken over");
}

/* Takes out what is due; its length, 0: nothing. */
static size_t take(struct ord_faults_link *l, uint64_t now_us)
{
	struct ord_bytes bytes;
	if (!ord_faults_link_take(l, now_us, &bytes))
		return 0;
	size_t len = bytes.len;
	ord_bytes_close(&bytes);
	return len;
}

Test(node_faults, a_good_link_is_idle)
{
	struct ord_faults_link l;
	ord_faults_link_init(&l, 1);
	cr_assert(ord_faults_link_is_idle(&l));
	cr_assert_not(ord_faults_link_is_cut(&l));
	cr_assert_eq(ord_faults_link_due_us(&l), UINT64_MAX);
	ord_faults_link_close(&l);
}

Test(node_faults, a_delay_is_kept_to_and_nothing_overtakes)
{
	struct ord_faults_link l;
	struct ord_faults_link_rule rule = {.delay_ms = 20, .jitter_ms = 15, .reorder_ppm = 300000};
	ord_faults_link_init(&l, 1);
	ord_faults_link_set(&l, &rule);
	for (size_t i = 1; i <= 500; i++)
		put(&l, i, 1000000 + i * 100);
	uint64_t last_us = 0;
	for (size_t i = 1; i <= 500; i++) {
		uint64_t due_us = ord_faults_link_due_us(&l);
		cr_assert_geq(due_us, last_us);
		cr_assert_geq(due_us, 1000000 + i * 100 + 5000);
		cr_assert_eq(take(&l, due_us - 1), 0);
		cr_assert_eq(take(&l, due_us), i, "in the order in which they were sent");
		last_us = due_us;
	}
	cr_assert_eq(l.counts.delayed, 500);
	cr_assert_eq(l.counts.bytes, 500 * 501 / 2);
	cr_assert(l.counts.reordered > 100 && l.counts.reordered < 200);
	ord_faults_link_close(&l);
}

Test(node_faults, a_rate_is_kept_to)
{
	struct ord_faults_link l;
	struct ord_faults_link_rule rule = {.rate_bytes_s = 100000};
	ord_faults_link_init(&l, 1);
	ord_faults_link_set(&l, &rule);
	for (int i = 0; i < 10; i++)
		put(&l, 10000, 5000000);
	cr_assert_eq(take(&l, 5000000 + 99999), 0);
	for (uint64_t i = 1; i <= 10; i++)
		cr_assert_eq(take(&l, 5000000 + i * 100000), 10000);
	/* Doubled packets take their part of it. */
	rule.duplicate_ppm = ORD_FAULTS_PPM_ALL;
	ord_faults_link_set(&l, &rule);
	put(&l, 1448, 9000000);
	cr_assert_eq(ord_faults_link_due_us(&l), 9000000 + 28960);
	cr_assert_eq(l.counts.duplicated, 1);
	ord_faults_link_close(&l);
}

Test(node_faults, a_lost_packet_holds_up_what_is_behind_it)
{
	struct ord_faults_link l;
	struct ord_faults_link_rule rule = {.loss_ppm = 100000};
	ord_faults_link_init(&l, 7);
	ord_faults_link_set(&l, &rule);
	uint64_t longest_us = 0, stalls = 0;
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t now_us = 1000000 + i * 20000000;
		put(&l, 100, now_us);
		uint64_t late_us = ord_faults_link_due_us(&l) - now_us;
		longest_us = late_us > longest_us ? late_us : longest_us;
		stalls += late_us > 0;
		cr_assert(late_us == 0 || late_us >= 200000, "as soon as TCP would send it again, not sooner");
		cr_assert_eq(take(&l, now_us + late_us), 100, "nothing is lost for good");
	}
	cr_assert(stalls > 60 && stalls < 140, "%lu", stalls);
	cr_assert_geq(l.counts.lost, stalls);
	cr_assert_leq(longest_us, 7000000);
	ord_faults_link_close(&l);
}

Test(node_faults, nothing_comes_out_of_a_cut_link_until_it_is_mended)
{
	struct ord_faults_link l;
	struct ord_faults_link_rule delay = {.delay_ms = 10}, cut = {.delay_ms = 10, .cut_out = true};
	struct ord_faults_link_rule all = {.loss_ppm = ORD_FAULTS_PPM_ALL}, in = {.cut_in = true};
	ord_faults_link_init(&l, 1);
	ord_faults_link_set(&l, &delay);
	put(&l, 5, 1000000);
	ord_faults_link_set(&l, &cut);
	cr_assert(ord_faults_link_is_cut_out(&l));
	cr_assert_eq(ord_faults_link_due_us(&l), UINT64_MAX);
	cr_assert_eq(take(&l, UINT64_MAX - 1), 0);
	ord_faults_link_set(&l, &all);
	cr_assert(ord_faults_link_is_cut_out(&l));
	ord_faults_link_set(&l, &in);
	cr_assert_not(ord_faults_link_is_cut_out(&l));
	cr_assert(ord_faults_link_is_cut(&l));
	ord_faults_link_set(&l, &good);
	cr_assert_not(ord_faults_link_is_idle(&l), "something is on the way yet");
	cr_assert_eq(take(&l, 0), 5, "at once");
	cr_assert(ord_faults_link_is_idle(&l));
	ord_faults_link_close(&l);
}

Test(node_faults, a_link_that_gets_faster_keeps_nothing_back_by_its_old_rule)
{
	struct ord_faults_link l;
	struct ord_faults_link_rule slow = {.rate_bytes_s = 1, .loss_ppm = 1}, faster = {.loss_ppm = 1};
	struct ord_faults_link_rule far = {.delay_ms = 60000}, near = {.delay_ms = 10};
	ord_faults_link_init(&l, 1);
	ord_faults_link_set(&l, &slow);
	put(&l, 1000, 1000000);
	cr_assert_eq(take(&l, 2000000), 0);
	ord_faults_link_set(&l, &faster);
	put(&l, 5, 2000000);
	cr_assert_eq(take(&l, 2000000), 1000);
	cr_assert_eq(take(&l, 2000000), 5);
	ord_faults_link_set(&l, &far);
	put(&l, 7, 3000000);
	ord_faults_link_set(&l, &near);
	put(&l, 8, 3000000);
	cr_assert_eq(take(&l, 3000000), 7);
	cr_assert_eq(take(&l, 3009999), 0);
	cr_assert_eq(take(&l, 3010000), 8);
	put(&l, 9, 4000000);
	ord_faults_link_set(&l, &far);
	cr_assert_eq(take(&l, 4009999), 0, "a slower one changes nothing of what is on the way");
	cr_assert_eq(take(&l, 4010000), 9);
	ord_faults_link_close(&l);
}

Test(node_faults, what_is_on_the_way_has_a_bound)
{
	struct ord_faults_link l;
	struct ord_faults_link_rule rule = {.delay_ms = 60000};
	ord_faults_link_init(&l, 1);
	ord_faults_link_set(&l, &rule);
	size_t count = 0;
	for (; ord_faults_link_has_room(&l); count++)
		put(&l, 1, 1000000);
	cr_assert_eq(count, ORD_FAULTS_LINK_CHUNKS_MAX);
	ord_faults_link_drop(&l);
	cr_assert(ord_faults_link_has_room(&l));
	for (count = 0; ord_faults_link_has_room(&l); count++)
		put(&l, 1u << 20, 1000000);
	cr_assert_eq(count, ORD_FAULTS_LINK_BYTES_MAX >> 20);
	ord_faults_link_close(&l);
}

Test(node_faults, counters_begin_anew_with_a_rule_and_go_on_with_the_same_one)
{
	struct ord_faults_link l;
	struct ord_faults_link_rule rule = {.delay_ms = 10}, other = {.delay_ms = 11};
	ord_faults_link_init(&l, 1);
	ord_faults_link_set(&l, &rule);
	put(&l, 1, 1000000);
	ord_faults_link_set(&l, &rule);
	cr_assert_eq(l.counts.delayed, 1);
	ord_faults_link_set(&l, &other);
	cr_assert_eq(l.counts.delayed, 0);
	ord_faults_link_close(&l);
}

/* --- Disks. --- */

static void disk_is(struct ord_faults_disk *f, struct ord_faults_disk_rule rule)
{
	ord_faults_disk_set(f, &rule);
}

static struct ord_faults_disk_counts counts_of(struct ord_faults_disk *f)
{
	struct ord_faults_disk_rule rule;
	struct ord_faults_disk_counts counts;
	ord_faults_disk_get(f, &rule, &counts);
	return counts;
}

Test(node_faults, a_disk_fails_as_it_is_told_to)
{
	struct ord_faults_disk *f;
	cr_assert_eq(ord_faults_disk_open(&f), ORD_OK);
	cr_assert(ord_faults_disk_write(NULL, true) && ord_faults_disk_sync(NULL) && !ord_faults_disk_is_full(NULL));
	cr_assert(ord_faults_disk_write(f, true) && ord_faults_disk_sync(f) && !ord_faults_disk_is_full(f));
	disk_is(f, (struct ord_faults_disk_rule){.full = true});
	cr_assert(ord_faults_disk_is_full(f));
	cr_assert(ord_faults_disk_write(f, false) && ord_faults_disk_sync(f),
		  "what has its room already can be written");
	cr_assert_not(ord_faults_disk_write(f, true));
	cr_assert_eq(errno, ENOSPC);
	cr_assert_eq(counts_of(f).refused, 1);
	disk_is(f, (struct ord_faults_disk_rule){.error = true});
	cr_assert_eq(counts_of(f).refused, 0);
	cr_assert_not(ord_faults_disk_write(f, false));
	cr_assert_eq(errno, EIO);
	errno = 0;
	cr_assert_not(ord_faults_disk_sync(f));
	cr_assert_eq(errno, EIO);
	cr_assert_eq(counts_of(f).failed, 2);
	ord_faults_disk_close(f);
}

static void heal_soon(void *arg)
{
	while (counts_of(arg).slowed < 1)
		uv_sleep(1);
	disk_is(arg, (struct ord_faults_disk_rule){0});
}

Test(node_faults, a_slow_disk_is_slow_until_it_is_mended, .timeout = 30)
{
	struct ord_faults_disk *f;
	uv_thread_t healer;
	cr_assert_eq(ord_faults_disk_open(&f), ORD_OK);
	disk_is(f, (struct ord_faults_disk_rule){.slow_ms = 30});
	uint64_t begin_us = ord_clock_monotonic_us();
	cr_assert(ord_faults_disk_sync(f));
	cr_assert_geq(ord_clock_monotonic_us() - begin_us, 30000);
	cr_assert_eq(counts_of(f).slowed, 1);
	disk_is(f, (struct ord_faults_disk_rule){.slow_ms = 60000});
	cr_assert(ord_faults_disk_write(f, true), "writes are not");
	cr_assert_eq(uv_thread_create(&healer, heal_soon, f), 0);
	cr_assert(ord_faults_disk_sync(f), "it comes back long before the minute is over");
	uv_thread_join(&healer);
	ord_faults_disk_close(f);
}

/* --- Clocks. --- */

Test(node_faults, a_clock_is_as_wrong_as_it_is_told_to_be)
{
	struct ord_clock_skew ahead = {.offset_us = 5000000, .since_us = 1000};
	struct ord_clock_skew slow = {.drift_ppm = -100000, .since_us = 1000000};
	cr_assert_eq(ord_clock_skew_us(&ahead, 99000000), 5000000);
	cr_assert_eq(ord_clock_skew_us(&slow, 1000000), 0);
	cr_assert_eq(ord_clock_skew_us(&slow, 11000000), -1000000, "ten seconds at nine tenths");
	struct ord_clock c = {.skew = {.offset_us = 3600000000}};
	uint64_t wrong_us = ord_clock_wall_us(&c), right_us = ord_clock_system_us();
	cr_assert(wrong_us > right_us + 3599000000 && wrong_us < right_us + 3601000000);
	c.skew = (struct ord_clock_skew){0};
	cr_assert_eq(ord_clock_wall_us(&c), wrong_us, "it never goes back for its owner");
	cr_assert_gt(c.behind_us, 3590000000);
}
