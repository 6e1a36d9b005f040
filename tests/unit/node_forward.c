/* SPDX-License-Identifier: Apache-2.0 - calls that were passed on to a leader which then fell silent. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/engine_state.h"
#include "partition/route.h"
#include "tests/support/node_calls.h"

Test(forward, a_call_at_a_leader_that_fell_silent_goes_to_the_next_one)
{
	struct node_cluster c;
	calls_start(&c, 31);
	for (unsigned round = 0; round < 5; round++) {
		struct call *call = call_transfer(0, 2, 1);
		unsigned place = call_follower(&c, call);
		unsigned old = (unsigned)node_cluster_leader(&c, call_home(call));
		call_send_for(&c, call, place, ORD_WAIT_SETTLED, 20000);
		node_cluster_cut_off(&c, old, true); /* its connections stand, nothing comes */
		node_cluster_steps(&c, 4000);
		cr_assert_eq(call->outstanding, 0, "the call waits for a leader that is none any more");
		cr_assert_eq(call->last_err, ORD_OK, "%s", ord_err_text(call->last_err));
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
		node_cluster_cut_off(&c, old, false);
		node_cluster_steps(&c, 6000);
	}
	node_cluster_close(&c);
}

/* A call begins at a follower of its partition, which nothing reaches any more. */
static struct call *call_cut_off(struct node_cluster *c, uint64_t seed, unsigned *ret_place)
{
	calls_start(c, seed);
	struct call *call = call_transfer(0, 2, 1);
	*ret_place = call_follower(c, call);
	node_cluster_cut_off(c, *ret_place, true);
	return call;
}

/* Who asks can ask another node, and will, once this one says that it cannot help. */
Test(forward, a_node_that_is_cut_off_does_not_keep_calls_until_their_deadline)
{
	struct node_cluster c;
	unsigned place;
	struct call *call = call_cut_off(&c, 32, &place);
	node_cluster_steps(&c, 3000);
	call_send_for(&c, call, place, ORD_WAIT_SETTLED, 60000);
	node_cluster_steps(&c, 2500); /* four election timeouts, and a little */
	cr_assert_eq(call->outstanding, 0, "the call waits where no leader can be reached");
	cr_assert_eq(call->last_err, ORD_ERR_NOT_LEADER, "%s", ord_err_text(call->last_err));
	call_send_for(&c, call, (unsigned)node_cluster_leader(&c, call_home(call)), ORD_WAIT_SETTLED, 20000);
	node_cluster_steps(&c, 2000);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	cr_assert_not(call->last.replayed, "it was said that it was not logged");
	node_cluster_cut_off(&c, place, false);
	node_cluster_steps(&c, 6000);
	node_cluster_close(&c);
}

/* It knows that no leader will be found. */
Test(forward, a_node_that_reaches_no_majority_says_so_sooner)
{
	struct node_cluster c;
	unsigned place;
	struct call *call = call_cut_off(&c, 33, &place);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		if (i != place)
			ord_engine_peer(c.nodes[place].engine, c.nodes[i].id, false);
	node_cluster_steps(&c, 1000);
	call_send_for(&c, call, place, ORD_WAIT_SETTLED, 60000);
	node_cluster_steps(&c, 400);
	cr_expect_eq(call->outstanding, 1, "one of them may come back");
	node_cluster_steps(&c, 300); /* an election timeout, and a little */
	cr_expect_eq(call->outstanding, 0, "the call waits where no majority can be reached");
	cr_expect_eq(call->last_err, ORD_ERR_NOT_LEADER, "%s", ord_err_text(call->last_err));
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		if (i != place)
			ord_engine_peer(c.nodes[place].engine, c.nodes[i].id, true);
	node_cluster_cut_off(&c, place, false);
	node_cluster_steps(&c, 6000);
	node_cluster_close(&c);
}

/* The node says that it was not leading, of every call that the engine may have passed on to it. */
static void deny_all(struct ord_engine *engine, uint32_t from)
{
	struct ord_bytes part;
	ord_bytes_init(&part, 256);
	for (uint32_t number = 0; number < 1000; number++) {
		struct ord_answer a = {.err = ORD_ERR_NOT_LEADER};
		ord_bytes_clear(&part);
		ord_wire_put_answer((uint64_t)engine->run << 32 | number, &a, &part);
		cr_assert_eq(ord_engine_receive(engine, from, ORD_PART_ANSWER, ord_bytes_slice(&part)), ORD_OK);
	}
	ord_bytes_close(&part);
}

/* The first leader falls silent, the third node is elected, denies, and falls silent too. False when the asking node itself was elected. */
static bool two_leaders_fall_silent(uint64_t seed)
{
	struct node_cluster c;
	calls_start(&c, seed);
	struct call *call = call_transfer(0, 2, 1);
	unsigned place = call_follower(&c, call);
	unsigned old = (unsigned)node_cluster_leader(&c, call_home(call));
	unsigned third = 3 - place - old;
	struct ord_replica_status status;
	call_send_for(&c, call, place, ORD_WAIT_SETTLED, 5000);
	node_cluster_cut_off(&c, old, true);
	do {
		node_cluster_step(&c);
		ord_engine_replica_status(c.nodes[place].engine, call_home(call), &status);
	} while (status.group.leader != c.nodes[third].id && call->outstanding > 0);
	bool third_leads = call->outstanding > 0;
	node_cluster_cut_off(&c, third, true);
	deny_all(c.nodes[place].engine, c.nodes[third].id);
	ord_engine_peer(c.nodes[place].engine, c.nodes[third].id, false); /* nobody is left to ask */
	calls_wait(&c);
	if (third_leads)
		cr_assert_eq(call->last_err, ORD_ERR_UNKNOWN, "%s", ord_err_text(call->last_err));
	node_cluster_close(&c);
	return third_leads;
}

Test(forward, what_the_first_leader_may_have_logged_the_second_cannot_deny)
{
	unsigned seen = 0;
	for (uint64_t seed = 32; seed < 40; seed++)
		seen += two_leaders_fall_silent(seed);
	cr_assert_gt(seen, 0);
}

/* A command that comes to a leader from another node, under that number. Returns how many commands were logged in its partition since. */
static uint64_t logged_by_run(struct node_cluster *c, const struct call *call, uint32_t run, uint32_t number)
{
	uint32_t home = call_home(call);
	struct ord_engine *leader = c->nodes[node_cluster_leader(c, home)].engine;
	struct ord_replica_status before, after;
	struct ord_bytes command, body;
	ord_bytes_init(&command, ORD_COMMAND_BYTES_MAX);
	ord_bytes_init(&body, ORD_COMMAND_BYTES_MAX * 2);
	ord_command_encode(&call->command, &command);
	unsigned asks = call_follower(c, call);
	struct ord_part_call part = {.forward = (uint64_t)run << 32 | number,
				     .partition = home,
				     .wait = ORD_WAIT_LOGGED,
				     .timeout_ms = 2000,
				     .body = ord_bytes_slice(&command)};
	ord_wire_put_call(&part, &body);
	ord_engine_replica_status(leader, home, &before);
	cr_assert_eq(ord_engine_receive(leader, c->nodes[asks].id, ORD_PART_SUBMIT, ord_bytes_slice(&body)), ORD_OK);
	node_cluster_steps(c, 300);
	ord_engine_replica_status(leader, home, &after);
	ord_bytes_close(&command);
	ord_bytes_close(&body);
	return after.state.position - before.state.position;
}

static uint64_t logged_by(struct node_cluster *c, const struct call *call, uint32_t number)
{
	return logged_by_run(c, call, c->nodes[call_follower(c, call)].engine->run, number);
}

/* The second could be logged after the first was denied, and whoever asked was told that nothing was. */
Test(forward, a_call_that_comes_twice_is_taken_once)
{
	struct node_cluster c;
	calls_start(&c, 41);
	const struct call *call = call_claim(1, 1);
	const uint32_t numbers[] = {100000,	100001,	    100003,	    100002,	110000, 109999,
				    2000000000, 4000000000, UINT32_MAX - 1, UINT32_MAX, 0,	1};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		cr_expect_eq(logged_by(&c, call, numbers[i]), 1, "call %u comes for the first time", numbers[i]);
		cr_expect_eq(logged_by(&c, call, numbers[i]), 0, "call %u came before", numbers[i]);
	}
	cr_expect_eq(logged_by(&c, call, UINT32_MAX), 0);
	cr_expect_eq(logged_by(&c, call, 10), 1);
	cr_expect_eq(logged_by(&c, call, UINT32_MAX - 10000), 0, "too old to be known");
	node_cluster_close(&c);
}

/* What went round through a third node may come after the process that sent it has ended. */
Test(forward, calls_and_answers_of_a_process_are_not_taken_for_those_of_the_next_one)
{
	struct node_cluster c;
	calls_start(&c, 43);
	struct call *call = call_claim(1, 1);
	cr_expect_eq(logged_by_run(&c, call, 7, 100000), 1);
	cr_expect_eq(logged_by_run(&c, call, 8, 5), 1, "it has started again, and counts from the beginning");
	cr_expect_eq(logged_by_run(&c, call, 7, 100001), 0, "that one is over");
	cr_expect_eq(logged_by_run(&c, call, 8, 5), 0);
	unsigned place = call_follower(&c, call);
	struct ord_engine *e = c.nodes[place].engine;
	call_send(&c, call, place, ORD_WAIT_SETTLED);
	e->run ^= 6; /* as if what it asked had been asked by another one */
	node_cluster_steps(&c, 500);
	cr_expect_eq(call->outstanding, 1, "the answer was another one's");
	e->run ^= 6;
	calls_wait(&c);
	node_cluster_close(&c);
}

/* --- A node whose own group of a partition does not know who leads it, as that of a newcomer which has no state yet. --- */

/* The node starts again, and its group of the partition hears nothing. */
static void start_deaf(struct node_cluster *c, unsigned place, uint32_t partition)
{
	c->lost_node = c->nodes[place].id;
	c->lost_group = partition;
	node_cluster_crash(c, place);
	node_cluster_steps(c, 3000);
	node_cluster_wait_ready(c);
	node_cluster_restart(c, place);
	node_cluster_steps(c, 50);
}

static void hear_again(struct node_cluster *c)
{
	c->lost_node = 0;
	node_cluster_steps(c, 6000);
	node_cluster_check(c);
	node_cluster_close(c);
}

Test(forward, a_node_whose_group_knows_no_leader_passes_calls_on_to_who_says_that_it_leads)
{
	struct node_cluster c;
	calls_start(&c, 34);
	struct call *call = call_transfer(0, 2, 1), *second = call_transfer(0, 3, 1);
	while (call_home(second) != call_home(call))
		second = call_transfer(0, 3, 1);
	unsigned place = call_follower(&c, call);
	start_deaf(&c, place, call_home(call));
	call_send(&c, call, place, ORD_WAIT_SETTLED);
	node_cluster_steps(&c, 1000);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED, "%s", ord_err_text(call->last_err));
	/* It is forgotten with the connection, and said once more when there is another one. */
	unsigned old = (unsigned)node_cluster_leader(&c, call_home(call));
	node_cluster_reconnect(&c, old, place);
	call_send(&c, second, place, ORD_WAIT_SETTLED);
	node_cluster_steps(&c, 1000);
	cr_assert_eq(second->decided, ORD_STATUS_SETTLED, "%s", ord_err_text(second->last_err));
	hear_again(&c);
}

static uint32_t known_leader(const struct node_cluster *c, unsigned place, uint32_t partition)
{
	struct ord_replica_status status;
	ord_engine_replica_status(c->nodes[place].engine, partition, &status);
	return status.leader;
}

Test(forward, who_denies_that_it_leads_or_is_gone_is_not_believed)
{
	struct node_cluster c;
	calls_start(&c, 36);
	struct call *call = call_transfer(0, 2, 1);
	unsigned place = call_follower(&c, call);
	start_deaf(&c, place, call_home(call));
	unsigned leader = (unsigned)node_cluster_leader(&c, call_home(call));
	unsigned other = 3 - place - leader;
	cr_assert_eq(known_leader(&c, place, call_home(call)), c.nodes[leader].id);
	ord_engine_peer(c.nodes[place].engine, c.nodes[leader].id, false);
	cr_assert_eq(known_leader(&c, place, call_home(call)), 0, "its connection has ended");
	struct ord_bytes part;
	ord_bytes_init(&part, 64);
	ord_wire_put_ready(call_home(call), &part); /* late, from before another one was elected */
	cr_assert_eq(
		ord_engine_receive(c.nodes[place].engine, c.nodes[other].id, ORD_PART_READY, ord_bytes_slice(&part)),
		ORD_OK);
	ord_bytes_close(&part);
	cr_assert_eq(known_leader(&c, place, call_home(call)), c.nodes[other].id);
	call_send(&c, call, place, ORD_WAIT_SETTLED);
	node_cluster_steps(&c, 200);
	cr_assert_eq(known_leader(&c, place, call_home(call)), 0, "it has denied");
	node_cluster_reconnect(&c, leader, place);
	node_cluster_steps(&c, 1000);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED, "%s", ord_err_text(call->last_err));
	hear_again(&c);
}

/* Both what it owes that partition and the word that what came from there was applied. */
Test(forward, a_leader_whose_group_of_another_partition_knows_no_leader_delivers_to_it)
{
	struct node_cluster c;
	calls_start(&c, 35);
	struct call *call;
	uint32_t payers;
	do {
		call = call_transfer(0, 2, 1);
		payers = ord_route_account(call->command.transfer.payer, PARTITIONS);
	} while (call_home(call) == payers || call_home(call) % NODE_CLUSTER_NODES == payers % NODE_CLUSTER_NODES);
	unsigned place = payers % NODE_CLUSTER_NODES; /* it is the one that should lead it */
	start_deaf(&c, place, call_home(call));
	for (unsigned i = 0; i < 20000 && node_cluster_leader(&c, payers) != (int)place; i++)
		node_cluster_step(&c);
	cr_assert_eq(node_cluster_leader(&c, payers), (int)place, "the test wants it to lead");
	for (unsigned i = 0; i < 5; i++) {
		call_send(&c, call, (unsigned)node_cluster_leader(&c, call_home(call)), ORD_WAIT_SETTLED);
		node_cluster_steps(&c, 400);
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED, "%s", ord_err_text(call->last_err));
		do
			call = call_transfer(0, 2, 1);
		while (call_home(call) != c.lost_group);
	}
	hear_again(&c);
}

/* What was under way when another way was taken may be lost, each time: it is sent again at once. While there is a way the end of a connection loses no call. */
Test(forward, calls_are_sent_again_whenever_their_way_changes)
{
	struct node_cluster c;
	calls_start(&c, 37);
	struct call *call = call_transfer(0, 2, 1);
	unsigned place = call_follower(&c, call), leader = (unsigned)node_cluster_leader(&c, call_home(call));
	struct ord_engine *e = c.nodes[place].engine;
	c.lost_kind = ORD_PART_SUBMIT;
	call_send_for(&c, call, place, ORD_WAIT_SETTLED, 20000);
	for (unsigned i = 0; i < 3; i++) {
		node_cluster_steps(&c, 300);
		uint64_t sent_bytes = c.sent_bytes[ORD_PART_SUBMIT];
		ord_engine_peer_relayed(e, c.nodes[leader].id, true); /* through this one or that one */
		node_cluster_steps(&c, 5);
		cr_assert_gt(c.sent_bytes[ORD_PART_SUBMIT], sent_bytes);
	}
	ord_engine_peer(e, c.nodes[leader].id, false);
	node_cluster_steps(&c, 300);
	cr_assert_eq(call->outstanding, 1, "%s", ord_err_text(call->last_err));
	c.lost_kind = 0;
	ord_engine_peer_relayed(e, c.nodes[leader].id, true);
	node_cluster_steps(&c, 300);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	c.lost_kind = ORD_PART_SUBMIT;
	do
		call = call_transfer(0, 2, 1);
	while (node_cluster_leader(&c, call_home(call)) != (int)leader);
	call_send_for(&c, call, place, ORD_WAIT_SETTLED, 20000);
	node_cluster_steps(&c, 10);
	ord_engine_peer_relayed(e, c.nodes[leader].id, false);
	node_cluster_steps(&c, 10);
	cr_assert_eq(call->outstanding, 0, "there is no way any more");
	cr_assert_eq(call->last_err, ORD_ERR_UNKNOWN);
	c.lost_kind = 0;
	node_cluster_reconnect(&c, leader, place);
	node_cluster_close(&c);
}
