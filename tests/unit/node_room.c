/* SPDX-License-Identifier: Apache-2.0 - how much room is left, and what that means. */
#include "node/room.h"

#include <criterion/criterion.h>

#define MIB (UINT64_C(1) << 20)
#define TOTAL_BYTES (10000 * MIB)

static struct ord_room room;
static uint64_t now_ms;

static void begin(void)
{
	ord_room_init(&room, 400 * MIB, 0);
	now_ms = 1000;
}

TestSuite(node_room, .init = begin);

/* A second later so much is free. */
static bool seen(uint64_t free_mib)
{
	struct ord_room_sample s = {.free_bytes = free_mib * MIB, .total_bytes = TOTAL_BYTES};
	return ord_room_update(&room, &s, now_ms += 1000);
}

Test(node_room, gets_low_below_the_reserve_and_critical_below_a_quarter_of_it)
{
	cr_assert_not(seen(5000));
	cr_assert_not(seen(400));
	cr_assert_eq(room.state, ORD_ROOM_OK);
	cr_assert(seen(399));
	cr_assert_eq(room.state, ORD_ROOM_LOW);
	cr_assert_not(seen(100));
	cr_assert(seen(99));
	cr_assert_eq(room.state, ORD_ROOM_CRITICAL);
	cr_assert_not(seen(0));
}

Test(node_room, gets_better_only_some_way_above_the_threshold)
{
	seen(50);
	cr_assert_not(seen(149));
	cr_assert(seen(150));
	cr_assert_eq(room.state, ORD_ROOM_LOW);
	cr_assert_not(seen(400));
	cr_assert_not(seen(499));
	cr_assert(seen(500));
	cr_assert_eq(room.state, ORD_ROOM_OK);
	cr_assert(seen(99));
	cr_assert_eq(room.state, ORD_ROOM_CRITICAL, "at once, if need be");
	cr_assert(seen(5000));
	cr_assert_eq(room.state, ORD_ROOM_OK);
}

Test(node_room, what_waits_to_be_written_counts_as_written)
{
	struct ord_room_sample s = {.free_bytes = 500 * MIB, .total_bytes = TOTAL_BYTES, .waiting_bytes = 101 * MIB};
	cr_assert(ord_room_update(&room, &s, 1000));
	cr_assert_eq(room.state, ORD_ROOM_LOW);
	s.waiting_bytes = 600 * MIB;
	cr_assert(ord_room_update(&room, &s, 2000));
	cr_assert_eq(room.state, ORD_ROOM_CRITICAL);
}

Test(node_room, files_can_run_out_too)
{
	struct ord_room_sample s = {
		.free_bytes = 5000 * MIB, .total_bytes = TOTAL_BYTES, .free_files = 1024, .total_files = 100000};
	cr_assert_not(ord_room_update(&room, &s, 1000));
	s.free_files = 1023;
	cr_assert(ord_room_update(&room, &s, 2000));
	cr_assert_eq(room.state, ORD_ROOM_LOW);
	s.free_files = 255;
	cr_assert(ord_room_update(&room, &s, 3000));
	cr_assert_eq(room.state, ORD_ROOM_CRITICAL);
	s.free_files = 1280;
	cr_assert(ord_room_update(&room, &s, 4000));
	cr_assert_eq(room.state, ORD_ROOM_OK);
	s.free_files = s.total_files = 0; /* it does not count them */
	cr_assert_not(ord_room_update(&room, &s, 5000));
}

Test(node_room, the_reserve_is_a_tenth_within_bounds)
{
	cr_expect_eq(ord_room_reserve(8000 * MIB, 100 * MIB), 800 * MIB);
	cr_expect_eq(ord_room_reserve(1000000 * MIB, 100 * MIB), 1024 * MIB);
	cr_expect_eq(ord_room_reserve(1000 * MIB, 100 * MIB), 164 * MIB);
	cr_expect_eq(ord_room_reserve(1000000 * MIB, 4000 * MIB), 4064 * MIB);
	ord_room_init(&room, 0, 100 * MIB);
	seen(5000);
	cr_expect_eq(room.reserve_bytes, TOTAL_BYTES / 10, "as soon as it is known");
	cr_expect_eq(room.state, ORD_ROOM_OK);
}

Test(node_room, is_looked_at_each_second_and_more_often_when_little_is_left_or_it_shrinks_fast)
{
	seen(9000); /* 8600 MiB above the reserve: more than what anybody writes in four seconds */
	cr_expect_eq(ord_room_pause_ms(&room), 1000);
	seen(4496); /* 4096 MiB: two seconds of somebody who writes 2 GiB in each */
	cr_expect_eq(ord_room_pause_ms(&room), 227, "it fell by 4504 MiB in a second: %u", ord_room_pause_ms(&room));
	seen(4496);
	cr_expect_eq(ord_room_pause_ms(&room), 500, "nobody writes now: %u", ord_room_pause_ms(&room));
	seen(500);
	cr_expect_eq(ord_room_pause_ms(&room), 100);
	seen(395);
	cr_expect_eq(ord_room_pause_ms(&room), 100, "on the way to the next threshold");
	seen(50);
	cr_expect_eq(ord_room_pause_ms(&room), 100, "never less");
}

Test(node_room, until_the_next_look_entries_may_not_use_up_the_last_quarter)
{
	seen(5000);
	cr_expect_eq(ord_room_entries_bytes(&room), 4900 * MIB / 4);
	seen(180);
	cr_expect_eq(ord_room_entries_bytes(&room), 20 * MIB);
	struct ord_room_sample s = {.free_bytes = 180 * MIB, .total_bytes = TOTAL_BYTES, .waiting_bytes = 60 * MIB};
	ord_room_update(&room, &s, now_ms += 1000);
	cr_expect_eq(ord_room_entries_bytes(&room), 5 * MIB, "what waits is as good as written");
	seen(99);
	cr_expect_eq(ord_room_entries_bytes(&room), 0);
	seen(149);
	cr_expect_eq(room.state, ORD_ROOM_CRITICAL);
	cr_expect_eq(ord_room_entries_bytes(&room), 0, "not before it is better");
}

Test(node_room, where_files_run_out_no_entries_are_taken)
{
	struct ord_room_sample s = {
		.free_bytes = 5000 * MIB, .total_bytes = TOTAL_BYTES, .free_files = 255, .total_files = 100000};
	ord_room_update(&room, &s, 1000);
	cr_expect_eq(ord_room_entries_bytes(&room), 0);
}

Test(node_room, states_have_names)
{
	cr_expect_str_eq(ord_room_name(ORD_ROOM_OK), "ok");
	cr_expect_str_eq(ord_room_name(ORD_ROOM_LOW), "low");
	cr_expect_str_eq(ord_room_name(ORD_ROOM_CRITICAL), "critical");
}
