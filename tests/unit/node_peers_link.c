/* SPDX-License-Identifier: Apache-2.0 - a network between two nodes that is bad on purpose, over real sockets. */
#include <criterion/criterion.h>
#include <string.h>

#include "node/peers.h"
#include "tests/support/node_side.h"

TestSuite(peers_link, .init = side_bench_make, .fini = side_bench_clean, .timeout = 60);

static const struct ord_faults_link_rule good;

static void start(unsigned node)
{
	struct side *s = side_of(node);
	s->config.enable_faults = true;
	side_start(s);
}

static void both_start(void)
{
	start(1);
	start(2);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	SIDE_TURN_UNTIL(sides[1].members[2] != 0 && sides[2].members[1] != 0); /* nothing more is said by itself */
}

static void rule_set(unsigned node, unsigned to, struct ord_faults_link_rule rule)
{
	cr_assert(ord_peers_link_set(sides[node].peers, to, &rule));
}

static struct ord_faults_link_counts counts_of(unsigned node, unsigned to)
{
	return ord_peers_link(sides[node].peers, to)->counts;
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

Test(peers_link, there_is_none_to_a_node_that_is_not_there)
{
	both_start();
	cr_assert_not(ord_peers_link_set(sides[1].peers, 1, &good));
	cr_assert_not(ord_peers_link_set(sides[1].peers, 9, &good));
	cr_assert_null(ord_peers_link(sides[1].peers, 9));
	cr_assert_not_null(ord_peers_link(sides[1].peers, 2));
	side_both_stop();
}

Test(peers_link, what_is_delayed_comes_whole_in_order_and_late)
{
	both_start();
	uint32_t number = 0;
	for (unsigned round = 0; round < 5; round++) {
		rule_set(1, 2, (struct ord_faults_link_rule){.delay_ms = 40, .jitter_ms = 40, .reorder_ppm = 500000});
		for (unsigned i = 0; i < 20; i++, number++) {
			side_part_send(&sides[1], 2, number, 100 + i * 50000);
			side_turn();
		}
		rule_set(1, 2, good); /* what is on the way comes at once, before what is sent now */
		side_part_send(&sides[1], 2, number++, 1u << 20);
		SIDE_TURN_UNTIL(sides[2].next == number);
	}
	rule_set(1, 2, (struct ord_faults_link_rule){.delay_ms = 150});
	uint64_t begin_ms = now_ms();
	side_part_send(&sides[1], 2, number++, 100);
	SIDE_TURN_UNTIL(sides[2].next == number);
	cr_assert_geq(now_ms() - begin_ms, 149);
	begin_ms = now_ms();
	side_part_send(&sides[2], 1, 0, 100);
	SIDE_TURN_UNTIL(sides[1].next == 1);
	cr_assert_lt(now_ms() - begin_ms, 149, "the other direction is as it was");
	cr_assert_eq(counts_of(1, 2).delayed, 1);
	cr_assert_eq(sides[1].lost_count, 0);
	side_both_stop();
}

/* Which member a node is travels in a frame of its own. */
Test(peers_link, all_that_is_said_goes_through_the_link)
{
	start(1);
	start(2);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	rule_set(1, 2, (struct ord_faults_link_rule){.delay_ms = 30});
	rule_set(2, 1, (struct ord_faults_link_rule){.delay_ms = 30});
	SIDE_TURN_UNTIL(sides[1].members[2] != 0 && sides[2].members[1] != 0);
	for (uint32_t i = 0; i < 8; i++) {
		side_part_send(&sides[1], 2, i, 4u << 20);
		SIDE_TURN_UNTIL(sides[2].next == i + 1);
	}
	cr_assert_eq(side_status(&sides[1]).dropped_count, 0);
	side_both_stop();
}

Test(peers_link, a_short_cut_only_holds_up)
{
	both_start();
	rule_set(1, 2, (struct ord_faults_link_rule){.cut_out = true});
	rule_set(2, 1, (struct ord_faults_link_rule){.cut_in = true});
	side_part_send(&sides[1], 2, 0, 100);
	side_part_send(&sides[2], 1, 0, 100);
	SIDE_TURN_UNTIL(sides[1].next == 1);
	side_turn_for(300);
	cr_assert_eq(sides[2].next, 0, "nothing gets through");
	cr_assert_eq(counts_of(1, 2).stopped, 1);
	rule_set(1, 2, good);
	side_part_send(&sides[1], 2, 1, 100);
	side_turn_for(300);
	cr_assert_eq(sides[2].next, 0, "either end is enough for a cut");
	rule_set(2, 1, good);
	SIDE_TURN_UNTIL(sides[2].next == 2);
	cr_assert(sides[1].lost_count == 0 && sides[2].lost_count == 0);
	side_both_stop();
}

Test(peers_link, a_long_cut_ends_the_connection_and_nobody_answers_until_it_is_mended)
{
	both_start();
	rule_set(1, 2, (struct ord_faults_link_rule){.cut_out = true, .cut_in = true});
	uint64_t begin_ms = now_ms();
	side_turn_for(500);
	cr_assert(sides[1].connected[2], "nothing waits for an answer yet");
	side_part_send(&sides[1], 2, 77, 100); /* lost with the connection */
	SIDE_TURN_UNTIL(!sides[1].connected[2]);
	cr_assert_geq(now_ms() - begin_ms, 5400, "TCP gives up after five seconds without an answer");
	SIDE_TURN_UNTIL(counts_of(1, 2).attempts > 0);
	SIDE_TURN_UNTIL(counts_of(1, 2).unanswered > 0); /* of node 2, which knows of no cut */
	side_turn_for(300);
	side_part_send(&sides[2], 1, 0, 100); /* to nobody */
	side_turn_for(300);
	cr_assert_not(sides[1].connected[2]);
	cr_assert_eq(sides[1].next, 0);
	rule_set(1, 2, good);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_part_send(&sides[1], 2, 0, 100);
	SIDE_TURN_UNTIL(sides[2].next == 1);
	side_both_stop();
}

Test(peers_link, no_connection_is_made_where_one_direction_is_cut)
{
	both_start();
	rule_set(1, 2, (struct ord_faults_link_rule){.cut_in = true});
	side_stop(&sides[2]);
	start(2);
	SIDE_TURN_UNTIL(counts_of(1, 2).unanswered > 0);
	cr_assert_not(sides[2].connected[1]);
	rule_set(1, 2, good);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_both_stop();
}

Test(peers_link, what_waits_for_a_slow_link_has_a_bound)
{
	both_start();
	rule_set(1, 2, (struct ord_faults_link_rule){.rate_bytes_s = 1});
	uint32_t sent = 0;
	while (side_status(&sides[1]).dropped_count == 0) {
		side_part_send(&sides[1], 2, sent++, 1u << 20);
		ord_peers_flush(sides[1].peers);
		cr_assert_lt(sent, 256);
	}
	cr_assert_leq(ord_peers_link(sides[1].peers, 2)->waiting_bytes,
		      ORD_FAULTS_LINK_BYTES_MAX + ORD_PEER_OUTPUT_BYTES_MAX / 2);
	side_both_stop(); /* with all of it on the way */
}
