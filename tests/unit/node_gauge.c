/* SPDX-License-Identifier: Apache-2.0 - measuring a real file system. */
#include "node/gauge.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "tests/support/node_client.h"

static uv_loop_t loop;
static struct ord_gauge *gauge;
static uint64_t waiting;
static unsigned samples_count;
static unsigned changes_count;
static enum ord_room_state state_before;
static bool stopped;
static char why[512];

static uint64_t waiting_bytes(void *ctx)
{
	(void)ctx;
	return waiting;
}

static void sampled(void *ctx, enum ord_room_state before)
{
	(void)ctx;
	samples_count++;
	if (ord_gauge_room(gauge)->state == before)
		return;
	changes_count++;
	state_before = before;
}

static void stopped_cb(void *ctx)
{
	(void)ctx;
	stopped = true;
}

static int start(const char *directory, uint64_t reserve_bytes, uint64_t start_bytes)
{
	struct ord_gauge_options options = {.loop = &loop,
					    .directory = directory,
					    .reserve_bytes = reserve_bytes,
					    .start_bytes = start_bytes,
					    .waiting_bytes = waiting_bytes,
					    .sampled = sampled};
	return ord_gauge_start(&options, &gauge, why, sizeof why);
}

static void end(void)
{
	ord_gauge_stop(gauge, stopped_cb, NULL);
	UNTIL(&loop, stopped);
}

static void make(void)
{
	cr_assert_eq(uv_loop_init(&loop), 0);
}

static void clean(void)
{
	cr_assert_eq(uv_loop_close(&loop), 0, "a handle was left open");
}

TestSuite(node_gauge, .init = make, .fini = clean, .timeout = 30);

Test(node_gauge, the_first_sample_is_there_at_once)
{
	struct statvfs s;
	cr_assert_eq(start("/tmp", 1, 1), ORD_OK, "%s", why);
	cr_assert_eq(statvfs("/tmp", &s), 0);
	const struct ord_room *room = ord_gauge_room(gauge);
	cr_expect_eq(room->sample.total_bytes, (uint64_t)s.f_blocks * s.f_frsize);
	cr_expect_gt(room->sample.free_bytes, 0);
	cr_expect_leq(room->sample.free_bytes, room->sample.total_bytes);
	cr_expect_eq(room->state, ORD_ROOM_OK);
	end();
	cr_expect_eq(changes_count, 0);
}

Test(node_gauge, each_sample_is_told_and_changes_as_they_come)
{
	cr_assert_eq(start("/tmp", 1u << 20, 1), ORD_OK, "%s", why);
	waiting = UINT64_MAX;
	UNTIL(&loop, changes_count == 1);
	cr_expect_eq(state_before, ORD_ROOM_OK);
	cr_expect_eq(ord_gauge_room(gauge)->state, ORD_ROOM_CRITICAL);
	waiting = 0;
	UNTIL(&loop, changes_count == 2);
	cr_expect_eq(ord_gauge_room(gauge)->state, ORD_ROOM_OK);
	UNTIL(&loop, samples_count == 3);
	cr_expect_eq(changes_count, 2);
	end();
}

Test(node_gauge, a_disk_that_is_low_from_the_first_is_no_reason_not_to_start)
{
	cr_assert_eq(start("/tmp", UINT64_MAX / 2, 1), ORD_OK, "%s", why);
	cr_expect_eq(ord_gauge_room(gauge)->state, ORD_ROOM_CRITICAL);
	end();
}

Test(node_gauge, without_the_little_that_a_start_takes_the_text_names_the_directory_and_the_remedy)
{
	cr_assert_eq(start("/tmp", 1, UINT64_MAX), ORD_ERR_NO_SPACE);
	cr_expect_not_null(strstr(why, "data_dir /tmp:"), "%s", why);
	cr_expect_not_null(strstr(why, "make room"), "%s", why);
	cr_assert_eq(start("/no-such-directory", 1, 1), ORD_ERR_IO);
	cr_expect_not_null(strstr(why, "/no-such-directory"), "%s", why);
}
