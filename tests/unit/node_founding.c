/* SPDX-License-Identifier: Apache-2.0 - who a node is, found out over real connections: founders, newcomers, directories that were replaced. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/support/node_side.h"

TestSuite(founding, .init = side_bench_make, .fini = side_bench_clean, .timeout = 60);

static enum ord_standing standing_of(const struct side *s)
{
	return ord_datadir_self(s->datadir)->standing;
}

static void wipe(struct side *s)
{
	char command[sizeof s->config.data_dir + 16];
	snprintf(command, sizeof command, "rm -r %s", s->config.data_dir);
	cr_assert_eq(system(command), 0);
}

static bool knows_member(unsigned of, unsigned node)
{
	return sides[of].members[node] != 0;
}

Test(founding, new_directories_found_a_cluster_when_all_have_met)
{
	side_both_start();
	SIDE_TURN_UNTIL(sides[1].member == 1 && sides[2].member == 2);
	SIDE_TURN_UNTIL(sides[1].members[2] == 2 && sides[2].members[1] == 1);
	cr_expect_eq(sides[1].lost_count + sides[2].lost_count, 0, "the connections stay");
	side_part_send(&sides[1], 2, 0, 100);
	SIDE_TURN_UNTIL(sides[2].next == 1);
	side_stop(&sides[2]);
	SIDE_TURN_UNTIL(!sides[1].connected[2]);
	side_start(side_of(2));
	cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_FOUNDER);
	sides[1].members[2] = 0;
	SIDE_TURN_UNTIL(sides[1].members[2] == 2 && sides[2].members[1] == 1);
	cr_expect_eq(sides[2].member, 0, "what is known is not decided again");
	side_both_stop();
}

Test(founding, a_node_waits_until_it_has_the_word_of_all)
{
	uint32_t nodes[ORD_NODES_MAX];
	for (unsigned i = 1; i <= 2; i++) {
		side_of(i)->config.nodes[2] =
			(struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = side_ports[3]}};
		sides[i].config.nodes_count = 3;
		side_start(&sides[i]);
	}
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 2);
	SIDE_TURN_UNTIL(sides[1].connected[2] && sides[2].connected[1]);
	side_turn_for(300);
	cr_expect_eq(standing_of(&sides[1]), ORD_STANDING_UNDECIDED);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 1);
	cr_expect_eq(nodes[0], 3);
	/* Its word comes with its own greeting, too. */
	struct ord_greeting g = side_greeting(3, 1);
	g.firsts[0] = (struct ord_greeting_first){1, ord_datadir_self(sides[1].datadir)->incarnation};
	g.firsts_count = 1;
	side_expect_welcome(&g);
	SIDE_TURN_UNTIL(sides[1].member == 1);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 0);
	side_turn_for(100);
	cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_UNDECIDED);
	side_both_stop();
}

Test(founding, a_word_of_a_directory_that_was_replaced_counts_no_more)
{
	uint32_t nodes[ORD_NODES_MAX];
	side_of(1)->config.nodes[2] =
		(struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = side_ports[3]}};
	sides[1].config.nodes_count = 3;
	side_start(&sides[1]);
	struct ord_greeting g = side_greeting(3, 1);
	g.firsts[0] = (struct ord_greeting_first){1, ord_datadir_self(sides[1].datadir)->incarnation};
	g.firsts_count = 1;
	side_expect_welcome(&g);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 1);
	g.incarnation.bytes[9]++;
	g.firsts_count = 0;
	side_expect_welcome(&g);
	cr_expect_eq(ord_peers_waits_for(sides[1].peers, nodes), 2);
	side_stop(&sides[1]);
}

Test(founding, a_node_whose_directory_is_lost_is_a_newcomer_and_is_let_in)
{
	side_both_start();
	SIDE_TURN_UNTIL(sides[1].member == 1 && sides[2].member == 2);
	for (unsigned round = 0; round < 3; round++) {
		uint64_t before = sides[1].members[2];
		side_stop(&sides[2]);
		wipe(&sides[2]);
		SIDE_TURN_UNTIL(!sides[1].connected[2]);
		side_start(&sides[2]);
		SIDE_TURN_UNTIL(sides[2].member != 0 && sides[1].connected[2]);
		cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_NEWCOMER);
		SIDE_TURN_UNTIL(sides[1].members[2] == sides[2].member);
		cr_expect_neq(sides[2].member, before);
		cr_expect_eq((uint32_t)sides[2].member, 2);
		cr_expect_neq(sides[2].member, 2);
		SIDE_TURN_UNTIL(sides[2].members[1] == 1);
	}
	side_both_stop();
}

/* The notes that a node lost come back to it before it is anything, so that it does not call another newcomer a founder. */
Test(founding, who_lost_its_notes_takes_over_those_of_others)
{
	side_start(side_of(1));
	struct ord_uuid gone = {{3, 3, 3}};
	struct ord_greeting g = side_greeting(2, 1);
	g.firsts[0] = (struct ord_greeting_first){1, gone}; /* node 1 was another one before */
	g.firsts[1] = (struct ord_greeting_first){3, gone}; /* not a node that node 1 knows */
	g.firsts_count = 2;
	side_expect_welcome(&g);
	SIDE_TURN_UNTIL(sides[1].member != 0);
	cr_expect_eq(standing_of(&sides[1]), ORD_STANDING_NEWCOMER);
	side_stop(&sides[1]);
	wipe(&sides[1]);
	sides[1].config.nodes[2] =
		(struct ord_config_node){.id = 3, .peer = {.host = "127.0.0.1", .port = side_ports[3]}};
	sides[1].config.nodes_count = 3;
	side_start(&sides[1]);
	side_expect_welcome(&g);
	SIDE_TURN_UNTIL(sides[1].member != 0);
	side_stop(&sides[1]);
	side_start(&sides[1]);
	const struct ord_met_node *met = ord_met_find(ord_datadir_met(sides[1].datadir), 3);
	cr_assert(met->has_first && !met->has_current);
	cr_expect(ord_uuid_equal(&met->first, &gone));
	g = side_greeting(3, 1);
	g.member = 3;
	side_expect_refusal(&g, "from its beginning");
	side_stop(&sides[1]);
}

Test(founding, a_newcomer_that_lost_its_directory_before_all_had_met_is_no_founder)
{
	side_start(side_of(1));
	struct ord_greeting g = side_greeting(2, 1);
	side_expect_welcome(&g); /* node 2 was here, and is gone before it has met anybody's word */
	side_start(side_of(2));
	SIDE_TURN_UNTIL(sides[2].member != 0);
	cr_expect_eq(standing_of(&sides[2]), ORD_STANDING_NEWCOMER);
	SIDE_TURN_UNTIL(sides[1].member != 0);
	cr_expect_eq(standing_of(&sides[1]), ORD_STANDING_FOUNDER);
	SIDE_TURN_UNTIL(knows_member(1, 2) && knows_member(2, 1));
	cr_expect_eq(sides[1].members[2], sides[2].member);
	side_both_stop();
}

Test(founding, what_comes_from_a_directory_that_was_replaced_meanwhile_is_not_taken)
{
	side_start(side_of(1));
	struct ord_greeting g = side_greeting(2, 1);
	struct client old = client_open(&side_loop, side_ports[1], 0);
	side_greet(&old, &g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&old).kind, ORD_FRAME_WELCOME);
	g.incarnation.bytes[9]++;
	struct client new = client_open(&side_loop, side_ports[1], 0);
	side_greet(&new, &g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&new).kind, ORD_FRAME_WELCOME);
	side_is_closed(&old);
	cr_assert_eq(sides[1].ended_count, 1);
	client_close(&new);
	side_stop(&sides[1]);
}

/* The same when it is learnt from an answer. */
Test(founding, a_welcome_of_another_directory_ends_what_the_replaced_one_had)
{
	int deaf = side_deaf_open(side_ports[2], 8);
	side_start(side_of(1));
	struct ord_greeting g = side_greeting(2, 1);
	struct client old = client_open(&side_loop, side_ports[1], 0);
	side_greet(&old, &g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&old).kind, ORD_FRAME_WELCOME);
	g.incarnation.bytes[9]++;
	struct client c = side_deaf_client(deaf);
	cr_assert_eq(side_answer(&c).kind, ORD_FRAME_HELLO);
	side_greet(&c, &g, ORD_FRAME_WELCOME);
	side_is_closed(&old);
	cr_assert_eq(sides[1].ended_count, 1);
	cr_assert_not(sides[1].connected[2]);
	struct client new = client_open(&side_loop, side_ports[1], 0);
	side_greet(&new, &g, ORD_FRAME_HELLO);
	cr_assert_eq(side_answer(&new).kind, ORD_FRAME_WELCOME);
	SIDE_TURN_UNTIL(sides[1].connected[2]);
	/* And a connection that this node made to the one that is replaced is made anew. */
	g.incarnation.bytes[9]++;
	struct client newer = client_open(&side_loop, side_ports[1], 0);
	side_greet(&newer, &g, ORD_FRAME_HELLO);
	side_is_closed(&c);
	side_is_closed(&new);
	client_close(&newer);
	close(deaf);
	side_stop(&sides[1]);
}

Test(founding, a_standing_that_cannot_be_written_is_tried_again)
{
	char in_the_way[sizeof side_of(1)->config.data_dir + 16];
	side_start(side_of(1));
	snprintf(in_the_way, sizeof in_the_way, "%s/identity.new", sides[1].config.data_dir);
	cr_assert_eq(mkdir(in_the_way, 0700), 0);
	side_start(side_of(2));
	SIDE_TURN_UNTIL(sides[2].member == 2);
	side_turn_for(200);
	cr_expect_eq(sides[1].member, 0);
	cr_assert_eq(rmdir(in_the_way), 0);
	SIDE_TURN_UNTIL(sides[1].member == 1 && sides[2].members[1] == 1);
	side_both_stop();
}
