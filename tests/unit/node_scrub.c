/* SPDX-License-Identifier: Apache-2.0 - which piece of a state the scrub asks for next, when, and that it lets go of what it does not go on with. */
#include "node/scrub.h"

#include <criterion/criterion.h>

#include "base/err.h"
#include "node/engine_state.h"

#define PARTITIONS_COUNT 2

static struct ord_engine e;
static struct ord_replica replicas[PARTITIONS_COUNT];
static struct ord_scrub s;
static unsigned asked_count, ended_count;
static uint32_t asked_partition;
static struct ord_pairs_place asked_place;
static uint64_t asked_bytes;

static void states_scrub(void *ctx, uint32_t partition, const struct ord_pairs_place *after, uint64_t bytes_max)
{
	(void)ctx;
	cr_assert_gt(bytes_max, 0);
	asked_bytes = bytes_max;
	asked_partition = partition;
	asked_place = *after;
	asked_count++;
}

static void states_scrub_end(void *ctx)
{
	(void)ctx;
	ended_count++;
}

/* A round in which the first piece of partition 0 is being checked, and nothing more may be read. */
static void begin(void)
{
	e = (struct ord_engine){
		.partitions_count = PARTITIONS_COUNT, .replicas = replicas, .nodes_count = 1, .shards_count = 1};
	e.keep = (struct ord_keep){.enabled = true, .states = {.scrub = states_scrub, .scrub_end = states_scrub_end}};
	for (uint32_t i = 0; i < PARTITIONS_COUNT; i++)
		replicas[i] = (struct ord_replica){.engine = &e, .id = i};
	ord_scrub_init(&s, &e, 0);
	s.running = true;
	s.asked = true;
}

TestSuite(node_scrub, .init = begin);

static void checked(bool presses, bool is_last)
{
	struct ord_pairs_checked piece = {
		.place = {.table = 4}, .pairs_count = 3, .bytes = 500, .presses = presses, .is_last = is_last};
	ord_scrub_checked(&s, 0, ORD_OK, &piece);
}

Test(node_scrub, the_next_piece_waits_until_it_may_be_read)
{
	checked(false, false);
	cr_expect_eq(asked_count, 0);
	cr_expect_not(s.asked);
	cr_expect_eq(s.status.records_count, 3);
}

Test(node_scrub, the_rest_of_a_state_whose_view_holds_too_much_waits_for_nothing)
{
	checked(true, false);
	cr_expect_eq(asked_count, 1);
	cr_expect_eq(asked_partition, 0);
	cr_expect_eq(asked_place.table, 4);
	checked(true, true);
	cr_expect_eq(asked_count, 1, "the next state does");
	cr_expect_eq(s.partition, 1);
}

/* 500 bytes a piece, and a page for looking. */
#define PIECE_COST (500 + 4096)

Test(node_scrub, what_was_read_at_once_is_made_up_for)
{
	for (unsigned i = 0; i < 3; i++)
		checked(true, false);
	checked(true, true);
	cr_expect_eq(asked_count, 3, "the next state waits");
	cr_expect_eq(s.credit_bytes, -4 * PIECE_COST, "until so much might have been read");
}

Test(node_scrub, what_was_asked_for_owes_nothing_and_pays_no_debt)
{
	checked(true, false);
	ord_scrub_now(&s);
	for (unsigned i = 0; i < 10; i++)
		checked(false, false);
	cr_expect_eq(asked_count, 11, "it does not wait");
	cr_expect_eq(s.credit_bytes, -PIECE_COST);
}

Test(node_scrub, a_low_rate_has_short_pieces)
{
	s.bytes_per_second = 64u << 10;
	s.credit_bytes = 1 << 20;
	checked(false, false);
	cr_expect_eq(asked_bytes, 16u << 10);
	checked(true, false);
	cr_expect_eq(asked_bytes, 128u << 10, "at once");
	s.bytes_per_second = 100;
	checked(false, false);
	cr_expect_eq(asked_bytes, 4096, "a page");
}

Test(node_scrub, a_state_that_is_not_whole_any_more_is_let_go)
{
	s.hurries = true;
	replicas[0].lost = true;
	checked(false, false);
	cr_expect_eq(ended_count, 1);
	cr_expect_eq(asked_count, 1);
	cr_expect_eq(asked_partition, 1);
	cr_expect_eq(asked_place.table, 0, "the next one from its beginning");
}
