/* SPDX-License-Identifier: Apache-2.0 - parts for a node that cannot be reached go through a third one, over real sockets. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"
#include "node/wire.h"
#include "tests/support/node_side.h"

TestSuite(peers_relay, .init = side_bench_make, .fini = side_bench_clean, .timeout = 60);

static const struct ord_faults_link_rule good;
static const struct ord_faults_link_rule cut = {.cut_out = true, .cut_in = true};

static bool all_know(unsigned nodes)
{
	for (unsigned a = 1; a <= nodes; a++)
		for (unsigned b = 1; b <= nodes; b++)
			if (a != b && (!sides[a].connected[b] || sides[a].members[b] == 0))
				return false;
	return true;
}

static void start(unsigned nodes)
{
	side_nodes = nodes;
	for (unsigned i = 1; i <= nodes; i++) {
		struct side *s = side_of(i);
		s->config.enable_faults = true;
		s->takes_all = true;
		side_start(s);
	}
	SIDE_TURN_UNTIL(all_know(nodes));
}

static void stop(void)
{
	for (unsigned i = 1; i <= side_nodes; i++)
		side_stop(&sides[i]);
}

static void cut_pair(unsigned a, unsigned b)
{
	cr_assert(ord_peers_link_set(sides[a].peers, b, &cut));
	cr_assert(ord_peers_link_set(sides[b].peers, a, &cut));
}

static struct ord_peer_status status_of(unsigned node, unsigned peer)
{
	struct ord_peer_status status = {0};
	for (uint32_t i = 0; status.node != peer; i++)
		ord_peers_status(sides[node].peers, i, &status);
	return status;
}

/* A part that tells the two ways apart: one of the same number comes from each. */
static void number_send(unsigned from, unsigned to)
{
	side_part_send(&sides[from], to, 0, 100);
	side_turn();
}

/* Three nodes, of which 1 and 2 do not reach each other, and know it. */
static void start_cut(void)
{
	start(3);
	cut_pair(1, 2);
	SIDE_TURN_UNTIL(sides[1].relayed[2]);
}

Test(peers_relay, what_two_nodes_have_for_each_other_goes_through_the_third_while_their_link_is_cut)
{
	start(3);
	number_send(1, 2);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 1);
	cr_assert_eq(status_of(1, 2).relayed_count, 0, "not while there is a straight way");
	uint64_t cut_ns = uv_hrtime();
	cut_pair(1, 2);
	SIDE_TURN_UNTIL(sides[1].relayed[2] && sides[2].relayed[1]);
	cr_assert_lt((uv_hrtime() - cut_ns) / 1000000, 4500, "before TCP gives up");
	for (unsigned i = 0; i < 20; i++) {
		number_send(1, 2);
		number_send(2, 1);
	}
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 21 && sides[1].numbered[2] == 20);
	SIDE_TURN_UNTIL(!sides[1].connected[2] && !sides[2].connected[1]);
	cr_assert(sides[1].relayed[2] && sides[2].relayed[1], "it stays so without a connection");
	number_send(1, 2);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 22);
	cr_assert_eq(status_of(1, 2).relayed_count, 21);
	cr_assert_eq(status_of(3, 2).passed_count, 21);
	cr_assert_eq(status_of(3, 1).passed_count, 20);
	cr_assert(sides[3].connected[1] && sides[3].connected[2] && !sides[3].relayed[1]);
	cr_assert(ord_peers_link_set(sides[1].peers, 2, &good) && ord_peers_link_set(sides[2].peers, 1, &good));
	SIDE_TURN_UNTIL(!sides[1].relayed[2] && !sides[2].relayed[1] && all_know(3));
	number_send(1, 2);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 23);
	cr_assert_eq(status_of(1, 2).relayed_count, 21);
	stop();
}

Test(peers_relay, one_direction_that_fails_is_noticed_by_both_ends)
{
	start(3);
	cr_assert(ord_peers_link_set(sides[1].peers, 2, &(struct ord_faults_link_rule){.cut_out = true}));
	SIDE_TURN_UNTIL(sides[1].relayed[2]);
	unsigned before = sides[2].numbered[1];
	number_send(1, 2);
	number_send(2, 1);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == before + 1 && sides[1].numbered[2] == 1);
	cr_assert_gt(status_of(1, 2).relayed_count, 0);
	stop();
}

/* Messages between partitions that overtake each other are sent again and again. */
Test(peers_relay, parts_keep_their_order_though_there_are_two_ways_round)
{
	start(4);
	cut_pair(1, 2);
	SIDE_TURN_UNTIL(sides[1].relayed[2] && sides[2].relayed[1]);
	sides[2].takes_all = false; /* in order */
	cr_assert(ord_peers_link_set(sides[3].peers, 2, &(struct ord_faults_link_rule){.delay_ms = 100}));
	for (uint32_t i = 0; i < 20; i++) {
		side_part_send(&sides[1], 2, i, 100);
		side_turn_for(2);
	}
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 20);
	stop();
}

static unsigned passed_by(unsigned node)
{
	return (unsigned)status_of(node, 2).passed_count;
}

/* What was on its way through the one before may be lost, and the owner has to hear of that. */
Test(peers_relay, another_third_node_takes_over_when_there_is_no_way_through_the_first_and_the_owner_is_told)
{
	start(4);
	cut_pair(1, 2);
	SIDE_TURN_UNTIL(sides[1].relayed[2] && sides[2].relayed[1]);
	for (unsigned i = 0; i < 20; i++)
		number_send(1, 2);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 20);
	unsigned third = passed_by(3) > 0 ? 3 : 4, other = 7 - third;
	cr_assert(passed_by(third) == 20 && passed_by(other) == 0);
	unsigned told = sides[1].relayed_count;
	cut_pair(2, third);
	SIDE_TURN_UNTIL(sides[1].relayed_count == told + 1);
	cr_assert(sides[1].relayed[2]);
	for (unsigned i = 0; i < 20; i++)
		number_send(1, 2);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 40);
	cr_assert(passed_by(third) == 20 && passed_by(other) == 20);
	side_stop(&sides[other]);
	SIDE_TURN_UNTIL(!sides[1].relayed[2]);
	cr_assert_eq(sides[1].relayed_count, told + 2);
	stop();
}

Test(peers_relay, nobody_is_asked_to_pass_on_what_is_for_a_node_that_has_ended)
{
	start(3);
	side_stop(&sides[2]);
	SIDE_TURN_UNTIL(!sides[1].connected[2] && !sides[3].connected[2]);
	number_send(1, 2);
	side_turn_for(3000);
	number_send(1, 2);
	side_turn_for(100);
	cr_assert_not(sides[1].relayed[2]);
	cr_assert_eq(status_of(1, 2).relayed_count, 0);
	stop();
}

Test(peers_relay, a_third_node_that_does_not_hear_this_one_is_left_out)
{
	start(4);
	cut_pair(1, 2);
	SIDE_TURN_UNTIL(sides[1].relayed[2]);
	number_send(1, 2);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 1);
	unsigned third = passed_by(3) > 0 ? 3 : 4;
	cr_assert(ord_peers_link_set(sides[1].peers, third, &(struct ord_faults_link_rule){.cut_out = true}));
	SIDE_TURN_UNTIL(sides[1].relayed[third]);
	for (unsigned i = 0; i < 5; i++)
		number_send(1, 2);
	SIDE_TURN_UNTIL(sides[2].numbered[1] == 6);
	cr_assert_eq(passed_by(7 - third), 5);
	stop();
}

/* In the same turn, before another way is looked for. */
Test(peers_relay, a_third_node_that_has_just_gone_is_given_nothing)
{
	start(3);
	cut_pair(1, 2);
	SIDE_TURN_UNTIL(sides[1].relayed[2]);
	side_stop(&sides[3]);
	while (sides[1].connected[3])
		uv_run(&side_loop, UV_RUN_ONCE);
	cr_assert(sides[1].relayed[2]);
	uint64_t dropped_count = status_of(1, 2).dropped_count;
	side_part_send(&sides[1], 2, 0, 100);
	cr_assert_eq(status_of(1, 2).dropped_count, dropped_count + 1);
	SIDE_TURN_UNTIL(!sides[1].relayed[2]);
	stop();
}

/* What is long or Raft's does not go round: it is lost, as before. */
Test(peers_relay, what_is_not_worth_it_does_not_go_round)
{
	start_cut();
	const uint8_t kinds[] = {ORD_PART_RAFT,	 ORD_PART_CONFIRM,     ORD_PART_COPY_PAIRS,
				 ORD_PART_BLOCK, ORD_PART_MARK_RESULT, ORD_PART_ROOM};
	for (size_t i = 0; i < sizeof kinds; i++)
		ord_peers_send(sides[1].peers, 2, kinds[i], ord_slice_text("body"));
	side_turn_for(100);
	cr_assert_eq(status_of(1, 2).relayed_count, 0);
	stop();
}

Test(peers_relay, what_is_relayed_leaves_room_for_the_third_nodes_own)
{
	start_cut();
	while (status_of(1, 2).dropped_count == 0)
		side_part_send(&sides[1], 2, 0, 1u << 20);
	cr_assert_leq(status_of(1, 3).output_bytes, ORD_PEER_OUTPUT_BYTES_MAX / 4 + (1u << 10));
	cr_assert_geq(status_of(1, 3).output_bytes, ORD_PEER_OUTPUT_BYTES_MAX / 4 - (1u << 21));
	side_part_send(&sides[1], 3, 0, 1u << 20);
	unsigned sent = (unsigned)status_of(1, 2).relayed_count;
	SIDE_TURN_UNTIL(sides[3].numbered[1] == 1 && sides[2].numbered[1] == sent);
	cr_assert_eq(status_of(1, 3).dropped_count, 0);
	stop();
}

/* --- What must not be believed. --- */

static struct ord_part_relay relay_of(unsigned from, unsigned to)
{
	uint32_t number = 0;
	static uint8_t body[sizeof number];
	struct ord_part_relay part = {
		.from = from, .to = to, .kind = SIDE_PART_NUMBERED, .body = ord_slice_of(body, sizeof body)};
	if (from <= side_nodes && from != 0)
		part.incarnation = ord_datadir_self(sides[from].datadir)->incarnation;
	return part;
}

/* Node 3 hands it to node 1 over its own connection. */
static void relay_put(const struct ord_part_relay *part)
{
	struct ord_bytes body;
	ord_bytes_init(&body, 1024);
	ord_wire_put_relay(part, &body);
	ord_peers_send(sides[3].peers, 1, ORD_PART_RELAY, ord_bytes_slice(&body));
	ord_bytes_close(&body);
}

Test(peers_relay, what_comes_round_is_taken_as_from_its_origin_if_that_is_known)
{
	start(3);
	struct ord_part_relay part = relay_of(2, 1);
	relay_put(&part);
	SIDE_TURN_UNTIL(sides[1].numbered[2] == 1);
	part.incarnation.bytes[0] ^= 1; /* a directory that was replaced, or was never met */
	relay_put(&part);
	side_turn_for(100);
	cr_assert(sides[1].numbered[2] == 1 && sides[1].connected[3]);
	stop();
}

Test(peers_relay, what_no_third_node_sends_ends_its_connection)
{
	start(3);
	struct ord_part_relay wrong[] = {relay_of(2, 2), relay_of(9, 1), relay_of(3, 9), relay_of(3, 1),
					 relay_of(2, 1), relay_of(1, 2), relay_of(2, 1), relay_of(2, 1)};
	wrong[4].kind = ORD_PART_RAFT;
	wrong[6].kind = ORD_PART_CONFIRM;
	wrong[7].kind = ORD_PART_RELAY;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		unsigned lost = sides[1].ended_count;
		relay_put(&wrong[i]);
		SIDE_TURN_UNTIL(sides[1].ended_count == lost + 1);
		SIDE_TURN_UNTIL(all_know(3) && sides[3].connected[1]);
	}
	ord_peers_send(sides[3].peers, 1, ORD_PART_REACH, ord_slice_text("odd"));
	SIDE_TURN_UNTIL(sides[1].ended_count == sizeof wrong / sizeof *wrong + 1);
	stop();
}

/* At most one hop: what has been passed on once is passed on by nobody. */
Test(peers_relay, nobody_passes_on_what_was_passed_on)
{
	start(4);
	struct ord_part_relay part = relay_of(2, 4);
	relay_put(&part);
	SIDE_TURN_UNTIL(sides[1].ended_count == 1);
	side_turn_for(100);
	cr_assert_eq(sides[4].numbered[2], 0);
	stop();
}

Test(peers_relay, who_has_no_way_drops_it_and_counts_it)
{
	start_cut();
	struct ord_part_relay part = relay_of(3, 2);
	relay_put(&part);
	SIDE_TURN_UNTIL(status_of(1, 2).refused_count == 1);
	cr_assert_eq(sides[2].numbered[3], 0);
	cr_assert(sides[1].connected[3]);
	stop();
}
