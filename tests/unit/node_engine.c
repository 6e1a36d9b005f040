/* SPDX-License-Identifier: Apache-2.0 - the engine's promises over three nodes: each answer true and in time, whoever is asked and whatever is lost. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/engine_state.h"
#include "node/query.h"
#include "node/wire.h"
#include "partition/route.h"
#include "tests/support/node_calls.h"

Test(engine, a_transfer_settles_through_any_node)
{
	struct node_cluster c;
	calls_start(&c, 1);
	for (unsigned place = 0; place < NODE_CLUSTER_NODES; place++) {
		struct call *call = call_transfer(0, 2, 100);
		call_send(&c, call, place, ORD_WAIT_SETTLED);
		calls_wait(&c);
		cr_assert_eq(call->last_err, ORD_OK, "%s", ord_err_text(call->last_err));
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
		cr_assert_not(call->last.replayed);
		call_send(&c, call, (place + 1) % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
		calls_wait(&c);
		cr_assert(call->last.replayed);
	}
	node_cluster_steps(&c, 2000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

Test(engine, a_logged_wait_is_answered_before_the_outcome)
{
	struct node_cluster c;
	calls_start(&c, 2);
	struct call *call = call_transfer(0, 3, 7);
	call_send(&c, call, 0, ORD_WAIT_LOGGED);
	calls_wait(&c);
	cr_assert_eq(call->last_err, ORD_OK);
	uint32_t home = ord_route_request(&call->command.request_id, PARTITIONS);
	if (ord_route_account(call->command.transfer.payer, PARTITIONS) != home)
		cr_assert_eq(call->last.status, ORD_STATUS_ACCEPTED);
	call_send(&c, call, 1, ORD_WAIT_SETTLED);
	calls_wait(&c);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	cr_assert(call->last.replayed);
	node_cluster_close(&c);
}

Test(engine, without_a_majority_calls_are_answered_in_time)
{
	struct node_cluster c;
	calls_start(&c, 3);
	node_cluster_crash(&c, 0);
	node_cluster_crash(&c, 1);
	size_t first = calls_count;
	for (unsigned i = 0; i < 20; i++)
		call_send(&c, call_transfer(0, 2, 1), 2, ORD_WAIT_SETTLED);
	calls_wait(&c);
	for (size_t i = first; i < calls_count; i++)
		cr_assert(calls[i].last_err == ORD_ERR_UNKNOWN || calls[i].last_err == ORD_ERR_NOT_LEADER, "%s",
			  ord_err_text(calls[i].last_err));
	node_cluster_restart(&c, 0);
	node_cluster_restart(&c, 1);
	node_cluster_wait_ready(&c);
	for (size_t i = first; i < calls_count; i++)
		call_send(&c, &calls[i], 2, ORD_WAIT_SETTLED);
	calls_wait(&c);
	for (size_t i = first; i < calls_count; i++)
		cr_assert_eq(calls[i].decided, ORD_STATUS_SETTLED, "%s", ord_err_text(calls[i].last_err));
	node_cluster_steps(&c, 2000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

/* The answer that the partition's state at that node gives now. */
static void expect_state_at(const struct node_cluster *c, const struct look *look, unsigned place, unsigned account)
{
	char name[16];
	struct ord_query q = {.kind = ORD_QUERY_ACCOUNT, .account = account_name(name, account)};
	uint32_t partition = ord_route_account(q.account, PARTITIONS);
	struct ord_bytes query, body;
	ord_bytes_init(&query, 256);
	ord_bytes_init(&body, 512);
	ord_query_encode(&q, &query);
	cr_assert_eq(ord_query_run(ord_bytes_slice(&query), ord_engine_partition(c->nodes[place].engine, partition),
				   partition, &body),
		     ORD_OK);
	cr_assert_eq(look->body_bytes, body.len);
	cr_assert_arr_eq(look->body, body.base, body.len);
	ord_bytes_close(&query);
	ord_bytes_close(&body);
}

Test(engine, a_read_at_any_node_sees_what_was_acknowledged)
{
	struct node_cluster c;
	calls_start(&c, 4);
	char name[16];
	uint32_t partition = ord_route_account(account_name(name, 2), PARTITIONS);
	for (unsigned i = 0; i < 6; i++) {
		call_send(&c, call_transfer(0, 2, 10), i % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
		calls_wait(&c);
		struct look look;
		look_begin(&c, &look, (i + 1) % NODE_CLUSTER_NODES, 2);
		look_wait(&c, &look);
		cr_assert_eq(look.err, ORD_OK);
		expect_state_at(&c, &look, (unsigned)node_cluster_leader(&c, partition), 2);
	}
	node_cluster_close(&c);
}

Test(engine, a_leader_that_was_cut_off_answers_no_stale_read)
{
	struct node_cluster c;
	calls_start(&c, 5);
	char name[16];
	uint32_t partition = ord_route_account(account_name(name, 2), PARTITIONS);
	int old = node_cluster_leader(&c, partition);
	unsigned other = (unsigned)(old + 1) % NODE_CLUSTER_NODES;
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		c.cut[old][i] = true;
		c.cut[i][old] = true;
	}
	struct look look;
	look_begin(&c, &look, (unsigned)old, 2); /* it still takes itself for the leader */
	struct call *call = call_transfer(0, 2, 10);
	while (call->decided == 0 && c.now_ms < 20000) {
		if (call->outstanding == 0)
			call_send(&c, call, other, ORD_WAIT_SETTLED);
		node_cluster_step(&c);
	}
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	cr_assert(!look.answered || look.err != ORD_OK, "the old leader answered from its old state");
	memset(c.cut, 0, sizeof c.cut);
	look_wait(&c, &look);
	if (look.err == ORD_OK)
		expect_state_at(&c, &look, other, 2);
	node_cluster_close(&c);
}

/* --- Promises about single calls. --- */

/* Whoever waits is told when leadership is lost, long before the deadline: for a place in the log, an outcome, or a read. */
Test(engine, who_waits_is_told_at_once_when_leadership_is_lost)
{
	struct node_cluster c;
	calls_start(&c, 6);
	c.lost_kind = ORD_PART_DELIVER; /* no outcome comes */
	struct call *settling = call_transfer(0, 2, 1);
	while (ord_route_account(settling->command.transfer.payer, PARTITIONS) == call_home(settling))
		settling = call_transfer(0, 2, 1);
	unsigned old = (unsigned)node_cluster_leader(&c, call_home(settling));
	call_send_for(&c, settling, old, ORD_WAIT_SETTLED, 60000);
	node_cluster_steps(&c, 50);
	cr_assert_eq(settling->outstanding, 1);
	node_cluster_cut_off(&c, old, true);
	struct call *logging = call_transfer(0, 2, 1);
	while (call_home(logging) != call_home(settling))
		logging = call_transfer(0, 2, 1);
	call_send_for(&c, logging, old, ORD_WAIT_SETTLED, 60000);
	struct call *waiting = call_transfer(0, 2, 1);
	while (call_home(waiting) != call_home(settling))
		waiting = call_transfer(0, 2, 1);
	node_cluster_steps(&c, 5); /* the first is proposed, the second one waits behind it */
	call_send_for(&c, waiting, old, ORD_WAIT_SETTLED, 60000);
	node_cluster_steps(&c, 3000);
	cr_assert(settling->outstanding == 0 && logging->outstanding == 0 && waiting->outstanding == 0);
	cr_assert_eq(settling->last_err, ORD_ERR_UNKNOWN);
	cr_assert_eq(logging->last_err, ORD_ERR_UNKNOWN);
	cr_assert_eq(waiting->last_err, ORD_ERR_NOT_LEADER);
	node_cluster_close(&c);
}

Test(engine, a_command_that_was_passed_on_to_a_lost_node_is_unknown_and_a_read_is_asked_again)
{
	struct node_cluster c;
	calls_start(&c, 7);
	struct call *call = call_transfer(0, 2, 1);
	unsigned place = call_follower(&c, call);
	call_send(&c, call, place, ORD_WAIT_SETTLED);
	char name[16];
	uint32_t partition = ord_route_account(account_name(name, 2), PARTITIONS);
	unsigned leader = (unsigned)node_cluster_leader(&c, partition);
	struct look look;
	look_begin(&c, &look, (leader + 1) % NODE_CLUSTER_NODES, 2);
	node_cluster_reconnect(&c, place, (unsigned)node_cluster_leader(&c, call_home(call)));
	node_cluster_reconnect(&c, leader, (leader + 1) % NODE_CLUSTER_NODES);
	cr_assert_eq(call->answers_count, 1);
	cr_assert_eq(call->last_err, ORD_ERR_UNKNOWN);
	cr_assert_not(look.answered);
	look_wait(&c, &look);
	cr_assert_eq(look.err, ORD_OK);
	node_cluster_close(&c);
}

/* The answer to a call of an earlier connection must not be taken for the answer to a later call that was given the same number. */
Test(engine, answers_do_not_outlive_the_connection_that_their_calls_came_on)
{
	struct node_cluster c;
	calls_start(&c, 8);
	for (unsigned round = 0; round < 20; round++) {
		struct call *call = call_transfer(0, 2, 1);
		unsigned place = call_follower(&c, call);
		unsigned leader = (unsigned)node_cluster_leader(&c, call_home(call));
		call_send(&c, call, place, ORD_WAIT_SETTLED);
		node_cluster_steps(&c, 4); /* logged by now, not yet settled */
		node_cluster_crash(&c, place);
		node_cluster_restart(&c, place);
		node_cluster_wait_ready(&c);
		for (unsigned i = 0; i < 200 && node_cluster_leader(&c, call_home(call)) == (int)leader; i++)
			node_cluster_step(&c);
		calls_wait(&c);
		struct call *claim = call_claim(round, 1);
		call_send(&c, claim, place, ORD_WAIT_SETTLED);
		calls_wait(&c);
		cr_assert(claim->last_err != ORD_OK || claim->last.status == ORD_STATUS_SETTLED);
	}
	node_cluster_close(&c);
}

/* A node dies, and what it had sent is read after the loss was noticed: its next process must not be given those answers. */
Test(engine, answers_to_what_was_read_late_do_not_outlive_its_connection)
{
	struct node_cluster c;
	calls_start(&c, 9);
	struct call *call = call_transfer(0, 2, 1);
	unsigned leader = (unsigned)node_cluster_leader(&c, call_home(call));
	unsigned place = call_follower(&c, call);
	struct ord_engine *e = c.nodes[leader].engine;
	uint32_t node = c.nodes[place].id;
	struct ord_bytes command, part;
	ord_bytes_init(&command, ORD_COMMAND_BYTES_MAX);
	ord_bytes_init(&part, ORD_COMMAND_BYTES_MAX * 2);
	ord_command_encode(&call->command, &command);
	struct ord_part_call late = {.forward = 5,
				     .partition = call_home(call),
				     .wait = ORD_WAIT_SETTLED,
				     .timeout_ms = 1000,
				     .body = ord_bytes_slice(&command)};
	ord_wire_put_call(&late, &part);
	ord_engine_peer(e, node, false);
	cr_assert_eq(ord_engine_receive(e, node, ORD_PART_SUBMIT, ord_bytes_slice(&part)), ORD_OK);
	ord_engine_peer_ended(e, node);
	ord_engine_peer(e, node, true);
	uint64_t before = c.sent_bytes[ORD_PART_ANSWER];
	node_cluster_steps(&c, 2000);
	cr_assert_eq(c.sent_bytes[ORD_PART_ANSWER], before, "an answer went out on another connection");
	ord_bytes_close(&command);
	ord_bytes_close(&part);
	node_cluster_close(&c);
}

Test(engine, a_call_without_a_way_is_given_up_at_its_deadline)
{
	struct node_cluster c;
	calls_start(&c, 9);
	node_cluster_crash(&c, 0);
	node_cluster_crash(&c, 1);
	node_cluster_steps(&c, 2000); /* nobody leads */
	uint64_t begin_ms = c.now_ms;
	struct call *call = call_transfer(0, 2, 1);
	struct look look;
	call_send_for(&c, call, 2, ORD_WAIT_SETTLED, 300); /* less than an election takes */
	look_begin(&c, &look, 2, 2);
	while (call->outstanding > 0)
		node_cluster_step(&c);
	cr_assert_eq(call->last_err, ORD_ERR_NOT_LEADER);
	cr_assert_geq(c.now_ms, begin_ms + 300);
	cr_assert_leq(c.now_ms, begin_ms + 500);
	while (!look.answered)
		node_cluster_step(&c);
	cr_assert_eq(look.err, ORD_ERR_NOT_LEADER);
	cr_assert_leq(c.now_ms, begin_ms + WAIT_MS + 200);
	node_cluster_close(&c);
}

/* A leader without its followers still leads for a while: who waits there for a place in the log does not wait longer than was said. */
Test(engine, a_leader_that_gets_no_answer_gives_up_at_the_deadline)
{
	struct node_cluster c;
	calls_start(&c, 13);
	char name[16];
	uint32_t partition = ord_route_account(account_name(name, 2), PARTITIONS);
	unsigned leader = (unsigned)node_cluster_leader(&c, partition);
	node_cluster_steps(&c, 1000);
	node_cluster_cut_off(&c, leader, true);
	struct call *logging = call_transfer(0, 2, 1);
	while (call_home(logging) != partition)
		logging = call_transfer(0, 2, 1);
	struct call *waiting = call_transfer(0, 2, 1);
	while (call_home(waiting) != partition)
		waiting = call_transfer(0, 2, 1);
	struct look with_entry, waits;
	uint64_t begin_ms = c.now_ms;
	call_send_for(&c, logging, leader, ORD_WAIT_LOGGED, 120);
	look_begin_for(&c, &with_entry, leader, 2, 120);
	node_cluster_steps(&c, 2);
	call_send_for(&c, waiting, leader, ORD_WAIT_LOGGED, 118);
	look_begin_for(&c, &waits, leader, 2, 118);
	while (c.now_ms < begin_ms + 240)
		node_cluster_step(&c);
	cr_assert_eq(node_cluster_leader(&c, partition), (int)leader, "the test wants it to lead still");
	cr_assert(logging->outstanding == 0 && waiting->outstanding == 0 && with_entry.answered && waits.answered);
	cr_assert_eq(logging->last_err, ORD_ERR_UNKNOWN);
	cr_assert_eq(waiting->last_err, ORD_ERR_UNKNOWN); /* it may still be proposed */
	cr_assert(with_entry.err == ORD_ERR_NOT_LEADER && waits.err == ORD_ERR_NOT_LEADER);
	node_cluster_close(&c);
}

/* A node that is asked while it does not lead (any more, or yet) says so: whoever passed the call on looks for the leader until the deadline. */
Test(engine, a_call_that_was_passed_on_to_no_leader_finds_the_next_one)
{
	struct node_cluster c;
	calls_start(&c, 14);
	for (unsigned round = 0; round < 10; round++) {
		struct call *call = call_transfer(0, 2, 1);
		unsigned place = call_follower(&c, call);
		unsigned leader = (unsigned)node_cluster_leader(&c, call_home(call));
		c.lost_kind = round % 2 == 0 ? 0 : ORD_PART_READY; /* nobody says when to try again */
		node_cluster_crash(&c, leader);
		node_cluster_restart(&c, leader); /* the others have not noticed */
		call_send(&c, call, place, ORD_WAIT_SETTLED);
		calls_wait(&c);
		cr_assert_eq(call->last_err, ORD_OK, "%s", ord_err_text(call->last_err));
		node_cluster_wait_ready(&c);
	}
	node_cluster_close(&c);
}

/* And when nothing happens that would say when to try again, it is tried again all the same. */
Test(engine, a_call_that_was_passed_on_to_no_leader_is_soon_asked_again)
{
	struct node_cluster c;
	calls_start(&c, 19);
	node_cluster_steps(&c, 6000);
	struct call *call = call_transfer(0, 2, 1);
	unsigned place = call_follower(&c, call);
	uint32_t leader = c.nodes[node_cluster_leader(&c, call_home(call))].id;
	call_send(&c, call, place, ORD_WAIT_LOGGED);
	struct ord_bytes part;
	ord_bytes_init(&part, 1024);
	for (uint32_t number = 0; number < 100; number++) {
		struct ord_answer a = {.err = ORD_ERR_NOT_LEADER};
		ord_wire_put_answer((uint64_t)c.nodes[place].engine->run << 32 | number, &a, &part);
		cr_assert_eq(ord_engine_receive(c.nodes[place].engine, leader, ORD_PART_ANSWER, ord_bytes_slice(&part)),
			     ORD_OK);
		ord_bytes_clear(&part);
	}
	ord_bytes_close(&part);
	node_cluster_steps(&c, 200);
	cr_assert_eq(call->outstanding, 0);
	cr_assert_eq(call->last_err, ORD_OK);
	cr_assert(call->last.replayed, "both times it was logged as the same request");
	node_cluster_close(&c);
}

/* Every partition is led by another node. */
static bool others_lead(const struct node_cluster *c, int old)
{
	for (uint32_t i = 0; i < PARTITIONS; i++)
		if (node_cluster_leader(c, i) < 0 || node_cluster_leader(c, i) == old)
			return false;
	return true;
}

/* A new leader of the destination says that it takes messages: what was under way to the old one comes at once and not after a time-out. */
Test(engine, delivery_goes_on_as_soon_as_the_destination_has_a_leader)
{
	struct node_cluster c;
	calls_start(&c, 15);
	for (unsigned round = 0; round < 8; round++) {
		struct call *call = call_transfer(0, 2, 1);
		uint32_t payers = ord_route_account(call->command.transfer.payer, PARTITIONS);
		int old = node_cluster_leader(&c, payers);
		while (node_cluster_leader(&c, call_home(call)) == old)
			call = call_transfer(0, 2, 1);
		node_cluster_cut_off(&c, (unsigned)old, true);
		call_send_for(&c, call, (unsigned)node_cluster_leader(&c, call_home(call)), ORD_WAIT_SETTLED, 60000);
		while (!others_lead(&c, old))
			node_cluster_step(&c);
		node_cluster_steps(&c, 150);
		cr_assert_eq(call->last.status, ORD_STATUS_SETTLED, "round %u", round);
		node_cluster_cut_off(&c, (unsigned)old, false);
		node_cluster_steps(&c, 6000); /* leaders come back to their nodes */
	}
	node_cluster_close(&c);
}

/* A transfer between partitions that are led by two nodes, logged already, whose next message was sent and was, or will be, lost. */
static struct call *lose_a_message(struct node_cluster *c, uint32_t *ret_payers)
{
	struct call *call = call_transfer(0, 2, 1);
	*ret_payers = ord_route_account(call->command.transfer.payer, PARTITIONS);
	while (node_cluster_leader(c, call_home(call)) == node_cluster_leader(c, *ret_payers))
		call = call_transfer(0, 2, 1);
	uint64_t sent_bytes = c->sent_bytes[ORD_PART_DELIVER];
	c->lost_kind = ORD_PART_DELIVER;
	call_send_for(c, call, (unsigned)node_cluster_leader(c, call_home(call)), ORD_WAIT_SETTLED, 60000);
	while (c->sent_bytes[ORD_PART_DELIVER] == sent_bytes)
		node_cluster_step(c);
	return call;
}

Test(engine, what_a_connection_lost_is_sent_again_when_it_is_made_anew)
{
	struct node_cluster c;
	calls_start(&c, 20);
	for (unsigned round = 0; round < 8; round++) {
		uint32_t payers;
		struct call *call = lose_a_message(&c, &payers);
		c.lost_kind = 0;
		node_cluster_reconnect(&c, (unsigned)node_cluster_leader(&c, call_home(call)),
				       (unsigned)node_cluster_leader(&c, payers));
		node_cluster_steps(&c, 150);
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED, "round %u", round);
	}
	node_cluster_close(&c);
}

/* That a leader which is reached through a third node still leads is said each second: no news. */
Test(engine, messages_are_not_sent_again_for_each_word_of_a_leader_that_is_known)
{
	struct node_cluster c;
	uint32_t payers;
	calls_start(&c, 20);
	node_cluster_steps(&c, 6000);
	struct call *call = lose_a_message(&c, &payers);
	struct node_cluster_node *from = &c.nodes[node_cluster_leader(&c, call_home(call))];
	struct node_cluster_node *to = &c.nodes[node_cluster_leader(&c, payers)];
	ord_engine_peer_relayed(from->engine, to->id, true);
	ord_engine_peer_relayed(to->engine, from->id, true);
	uint64_t once_bytes = c.sent_bytes[ORD_PART_DELIVER];
	node_cluster_steps(&c, 10);
	once_bytes = c.sent_bytes[ORD_PART_DELIVER] - once_bytes;
	cr_assert_gt(once_bytes, 0, "the way is another one");
	node_cluster_steps(&c, 4000);
	uint64_t sent_bytes = c.sent_bytes[ORD_PART_DELIVER];
	uint64_t said_bytes = c.sent_bytes[ORD_PART_READY];
	node_cluster_steps(&c, 20000);
	cr_assert_gt(c.sent_bytes[ORD_PART_READY], said_bytes);
	cr_assert_leq(c.sent_bytes[ORD_PART_DELIVER] - sent_bytes, 8 * once_bytes);
	c.lost_kind = 0;
	node_cluster_steps(&c, 4500);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	node_cluster_close(&c);
}

/* A destination that does not answer is not pressed, and found again in a few seconds when nothing says that it answers now. */
Test(engine, messages_are_sent_again_less_and_less_often)
{
	struct node_cluster c;
	uint32_t payers;
	calls_start(&c, 21);
	node_cluster_steps(&c, 6000);
	struct call *call = lose_a_message(&c, &payers);
	uint64_t once_bytes = c.sent_bytes[ORD_PART_DELIVER];
	node_cluster_steps(&c, 1000);
	once_bytes = c.sent_bytes[ORD_PART_DELIVER] - once_bytes;
	cr_assert_gt(once_bytes, 0, "soon for the first time");
	uint64_t sent_bytes = c.sent_bytes[ORD_PART_DELIVER];
	node_cluster_steps(&c, 20000);
	cr_assert_leq(c.sent_bytes[ORD_PART_DELIVER] - sent_bytes, 8 * once_bytes);
	c.lost_kind = 0;
	node_cluster_steps(&c, 4500);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	node_cluster_close(&c);
}

/* A new leader of the destination that could not be heard when it said so is found when Raft has made it known. */
Test(engine, delivery_goes_on_soon_after_a_long_silence_when_a_leader_is_known)
{
	unsigned seen = 0;
	for (uint64_t seed = 22; seed < 30; seed++) {
		struct node_cluster c;
		uint32_t payers;
		calls_start(&c, seed);
		node_cluster_steps(&c, 6000);
		struct call *call = lose_a_message(&c, &payers);
		int old = node_cluster_leader(&c, payers);
		node_cluster_steps(&c, 4000); /* by now it is sent every few seconds, next in three */
		c.lost_kind = ORD_PART_READY;
		node_cluster_cut_off(&c, (unsigned)old, true);
		while (!others_lead(&c, old))
			node_cluster_step(&c);
		if (node_cluster_leader(&c, payers) != node_cluster_leader(&c, call_home(call))) {
			seen++;
			node_cluster_steps(&c, 700);
			cr_assert_eq(call->last.status, ORD_STATUS_SETTLED);
		}
		node_cluster_close(&c);
	}
	cr_assert_gt(seen, 0);
}

/* A run that was lost is sent again when the next one shows the gap, not after a time-out. */
Test(engine, a_gap_is_filled_when_it_is_seen)
{
	struct node_cluster c;
	calls_start(&c, 18);
	for (unsigned round = 0; round < 8; round++) {
		uint32_t payers;
		struct call *lost = lose_a_message(&c, &payers);
		struct call *next = call_transfer(0, 2, 1);
		while (call_home(next) != call_home(lost))
			next = call_transfer(0, 2, 1);
		c.lost_kind = 0;
		call_send(&c, next, (unsigned)node_cluster_leader(&c, call_home(lost)), ORD_WAIT_SETTLED);
		node_cluster_steps(&c, 150);
		cr_assert_eq(lost->decided, ORD_STATUS_SETTLED, "round %u", round);
		cr_assert_eq(next->decided, ORD_STATUS_SETTLED);
	}
	node_cluster_close(&c);
}

Test(engine, a_wait_for_an_outcome_ends_at_its_deadline_with_what_is_known)
{
	struct node_cluster c;
	calls_start(&c, 10);
	c.lost_kind = ORD_PART_DELIVER;
	unsigned seen = 0;
	for (unsigned i = 0; i < 20; i++) {
		struct call *call = call_transfer(0, 2, 1);
		uint64_t begin_ms = c.now_ms;
		call_send_for(&c, call, i % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED, 400);
		while (call->outstanding > 0)
			node_cluster_step(&c);
		cr_assert_eq(call->last_err, ORD_OK);
		if (call->last.status != ORD_STATUS_ACCEPTED)
			continue;
		seen++;
		cr_assert_geq(c.now_ms, begin_ms + 400);
		cr_assert_leq(c.now_ms, begin_ms + 600);
	}
	cr_assert_gt(seen, 5);
	c.lost_kind = 0;
	node_cluster_steps(&c, 4500);
	for (size_t i = 0; i < calls_count; i++)
		call_send(&c, &calls[i], 0, ORD_WAIT_SETTLED);
	calls_wait(&c);
	for (size_t i = 0; i < calls_count; i++)
		cr_assert_eq(calls[i].decided, ORD_STATUS_SETTLED);
	node_cluster_close(&c);
}

Test(engine, a_call_after_stop_is_answered_before_the_end)
{
	struct node_cluster c;
	calls_start(&c, 11);
	struct call *before = call_transfer(0, 2, 1);
	struct call *after = call_transfer(0, 2, 1);
	call_send(&c, before, 0, ORD_WAIT_SETTLED);
	ord_engine_stop(c.nodes[0].engine);
	cr_assert_eq(before->outstanding, 0);
	call_send(&c, after, 0, ORD_WAIT_SETTLED);
	struct look look;
	look_begin(&c, &look, 0, 2);
	node_cluster_crash(&c, 0);
	cr_assert_eq(after->outstanding, 0);
	cr_assert_eq(after->last_err, ORD_ERR_NOT_LEADER);
	cr_assert(look.answered);
	cr_assert_eq(look.err, ORD_ERR_NOT_LEADER);
	node_cluster_close(&c);
}

/* --- The limit of what is accepted and not settled. --- */

static struct {
	struct ord_waiter waiter; /* first */
	uint64_t accepted_count;
	uint64_t busy_count;
	uint64_t others_count;
} many;

static void many_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	(void)w;
	(void)item;
	if (a->err == ORD_OK && a->result.status == ORD_STATUS_ACCEPTED)
		many.accepted_count++;
	else if (a->err == ORD_ERR_BUSY && a->retry_after_ms > 0)
		many.busy_count++;
	else
		many.others_count++;
}

Test(engine, reads_are_limited_and_stop_answers_all)
{
	struct node_cluster c;
	calls_start(&c, 16);
	many.waiter.answer = many_answer;
	char name[16];
	struct ord_query q = {.kind = ORD_QUERY_ACCOUNT, .account = account_name(name, 2)};
	uint32_t partition = ord_route_account(q.account, PARTITIONS);
	struct ord_engine *leader = c.nodes[node_cluster_leader(&c, partition)].engine;
	struct ord_bytes query;
	ord_bytes_init(&query, 256);
	ord_query_encode(&q, &query);
	for (unsigned i = 0; i <= ORD_READS_MAX; i++)
		ord_engine_read(leader, partition, ord_bytes_slice(&query), c.now_ms + 1000, &many.waiter, 0);
	ord_bytes_close(&query);
	cr_assert_eq(many.busy_count + many.others_count, 0);
	ord_engine_stop(leader);
	cr_assert_eq(many.busy_count, 1);
	cr_assert_eq(many.others_count, ORD_READS_MAX);
	node_cluster_close(&c);
}

/* Gives the command an id of its own that lives in that partition. */
static void renumber(struct ord_command *command, uint32_t home)
{
	static uint64_t number = CALLS_MAX;
	do {
		number++;
		memcpy(&command->request_id.bytes[8], &number, sizeof number);
	} while (ord_route_command(command, PARTITIONS) != home);
}

Test(engine, transfers_without_outcome_are_limited, .timeout = 120)
{
	struct node_cluster c;
	calls_start(&c, 12);
	c.lost_kind = ORD_PART_DELIVER;
	many.waiter.answer = many_answer;
	struct ord_command command = call_transfer(0, 2, 1)->command;
	uint32_t payers = ord_route_account(command.transfer.payer, PARTITIONS);
	uint32_t home = 0;
	while (node_cluster_leader(&c, home) == node_cluster_leader(&c, payers))
		home++; /* between partitions that are led by one node nothing is lost */
	struct ord_engine *leader = c.nodes[node_cluster_leader(&c, home)].engine;
	uint64_t sent = 0;
	while (many.busy_count == 0) {
		cr_assert_lt(sent, 2 * ORD_UNSETTLED_MAX);
		for (unsigned i = 0; i < 5000; i++, sent++) {
			renumber(&command, home);
			ord_engine_submit(leader, &command, ORD_WAIT_LOGGED, c.now_ms + 60000, &many.waiter, 0);
		}
		node_cluster_steps(&c, 15);
	}
	node_cluster_steps(&c, 100);
	cr_assert_eq(many.others_count, 0);
	cr_assert_eq(many.accepted_count + many.busy_count, sent);
	cr_assert_geq(many.accepted_count, ORD_UNSETTLED_MAX);
	cr_assert_leq(many.accepted_count, ORD_UNSETTLED_MAX + ORD_UNSETTLED_MAX / 10);
	uint64_t sent_bytes = c.sent_bytes[ORD_PART_DELIVER];
	node_cluster_steps(&c, 1000);
	sent_bytes = c.sent_bytes[ORD_PART_DELIVER] - sent_bytes;
	cr_assert_gt(sent_bytes, 0, "it is tried again");
	cr_assert_lt(sent_bytes, 4ull * ORD_DELIVER_WINDOW_MESSAGES * 128, "and within the window");
	struct call *claim = call_claim(0, 1);
	while (call_home(claim) != home)
		claim = call_claim((unsigned)calls_count, 1);
	call_send(&c, claim, 0, ORD_WAIT_SETTLED);
	calls_wait(&c);
	cr_assert_eq(claim->last.status, ORD_STATUS_SETTLED, "what leaves nothing unsettled is not refused");
	node_cluster_close(&c);
}
