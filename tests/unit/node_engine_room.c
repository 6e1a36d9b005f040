/* SPDX-License-Identifier: Apache-2.0 - nodes whose disks are nearly full, in a cluster of three engines. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "node/wire.h"
#include "partition/route.h"
#include "tests/support/node_calls.h"

/* Longer than it takes to hand five partitions over. */
#define HAND_OVER_MS 8000

static struct node_cluster c;

static void make(void)
{
	calls_start(&c, 21);
	node_cluster_steps(&c, 4000);
}

static void clean(void)
{
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		ord_engine_room(c.nodes[i].engine, ORD_ROOM_OK, UINT64_MAX);
	node_cluster_steps(&c, 5000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

TestSuite(engine_room, .init = make, .fini = clean, .timeout = 120);

static void room(unsigned place, enum ord_room_state state)
{
	ord_engine_room(c.nodes[place].engine, state, state == ORD_ROOM_CRITICAL ? 0 : UINT64_MAX);
}

static void room_all(enum ord_room_state state)
{
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		room(i, state);
}

static unsigned led_by(unsigned place)
{
	unsigned count = 0;
	for (uint32_t i = 0; i < PARTITIONS; i++)
		count += node_cluster_leader(&c, i) == (int)place;
	return count;
}

/* A transfer whose request lives in a partition that the node leads. */
static struct call *transfer_led_by(unsigned place)
{
	struct call *call;
	do
		call = call_transfer(0, 2, 1);
	while (node_cluster_leader(&c, call_home(call)) != (int)place);
	return call;
}

static int submit(struct call *call, unsigned place)
{
	call_send(&c, call, place, ORD_WAIT_SETTLED);
	calls_wait(&c);
	return call->last_err;
}

Test(engine_room, a_node_that_is_low_refuses_commands_at_once_whoever_is_asked)
{
	room(0, ORD_ROOM_LOW);
	cr_expect_eq(submit(transfer_led_by(0), 0), ORD_ERR_NO_SPACE);
	cr_expect_eq(submit(transfer_led_by(0), 1), ORD_ERR_NO_SPACE);
}

Test(engine_room, and_still_serves_reads)
{
	room_all(ORD_ROOM_LOW);
	for (unsigned account = 0; account < ACCOUNTS; account++) {
		struct look look;
		look_begin(&c, &look, account % NODE_CLUSTER_NODES, account);
		look_wait(&c, &look);
		cr_expect_eq(look.err, ORD_OK, "%s", ord_err_text(look.err));
	}
}

Test(engine_room, leaderships_go_to_nodes_that_have_room_and_come_back)
{
	cr_assert_gt(led_by(0), 0);
	room(0, ORD_ROOM_LOW);
	node_cluster_steps(&c, HAND_OVER_MS);
	cr_expect_eq(led_by(0), 0);
	for (unsigned i = 0; i < 20; i++)
		cr_expect_eq(submit(call_transfer(0, 2, 1), 0), ORD_OK, "the others have room");
	node_cluster_steps(&c, 20000);
	cr_expect_eq(led_by(0), 0, "nobody brings them back");
	room(0, ORD_ROOM_OK);
	node_cluster_steps(&c, 20000);
	cr_expect_gt(led_by(0), 0);
}

Test(engine_room, when_all_are_low_all_refuse_and_recover_by_themselves)
{
	room_all(ORD_ROOM_LOW);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		cr_expect_eq(submit(call_transfer(0, 2, 1), i), ORD_ERR_NO_SPACE);
	room_all(ORD_ROOM_OK);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		cr_expect_eq(submit(call_transfer(0, 2, 1), i), ORD_OK);
}

Test(engine_room, what_was_accepted_is_brought_to_its_end)
{
	size_t first = calls_count;
	for (unsigned i = 0; i < 30; i++)
		call_send(&c, call_transfer(0, 2 + i % 5, 1), i % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
	node_cluster_steps(&c, 3);
	room_all(ORD_ROOM_LOW);
	calls_wait(&c);
	unsigned settled = 0;
	for (size_t i = first; i < calls_count; i++) {
		cr_expect(calls[i].last_err == ORD_OK || calls[i].last_err == ORD_ERR_NO_SPACE, "%s",
			  ord_err_text(calls[i].last_err));
		settled += calls[i].decided == ORD_STATUS_SETTLED;
	}
	cr_expect_gt(settled, 0);
	node_cluster_steps(&c, 2000); /* outboxes are trimmed, and the check finds all equal */
}

static uint64_t last_index(unsigned place, uint32_t partition)
{
	struct ord_replica_status s;
	ord_engine_replica_status(c.nodes[place].engine, partition, &s);
	return s.group.last_index;
}

Test(engine_room, a_critical_node_takes_no_entries_and_does_not_block_the_others)
{
	room(0, ORD_ROOM_CRITICAL);
	node_cluster_steps(&c, HAND_OVER_MS);
	uint64_t before[PARTITIONS];
	for (uint32_t i = 0; i < PARTITIONS; i++)
		before[i] = last_index(0, i);
	for (unsigned i = 0; i < 20; i++)
		cr_expect_eq(submit(call_transfer(0, 2, 1), i % NODE_CLUSTER_NODES), ORD_OK);
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_expect_eq(last_index(0, i), before[i]);
	room(0, ORD_ROOM_OK);
	node_cluster_steps(&c, 5000);
}

/* Between two looks at the disk. The others are told nothing, and nothing is handed over. */
Test(engine_room, what_may_be_taken_until_the_next_look_is_used_up)
{
	ord_engine_room(c.nodes[0].engine, ORD_ROOM_OK, 0);
	cr_expect_eq(submit(transfer_led_by(0), 0), ORD_ERR_NO_SPACE);
	cr_expect_eq(submit(transfer_led_by(0), 1), ORD_ERR_NO_SPACE, "passed on to it");
	ord_engine_room(c.nodes[0].engine, ORD_ROOM_OK, UINT64_MAX);
	cr_expect_eq(submit(transfer_led_by(0), 0), ORD_OK);
}

Test(engine_room, without_a_majority_that_takes_entries_commands_are_refused_at_once_and_reads_are_served)
{
	room(1, ORD_ROOM_CRITICAL);
	room(2, ORD_ROOM_CRITICAL);
	node_cluster_steps(&c, 1000);
	uint64_t before_ms = c.now_ms;
	cr_expect_eq(submit(transfer_led_by(0), 0), ORD_ERR_NO_SPACE);
	struct look look;
	look_begin(&c, &look, 0, 2);
	look_wait(&c, &look);
	cr_expect_eq(look.err, ORD_OK, "%s", ord_err_text(look.err));
	cr_expect_lt(c.now_ms - before_ms, 100);
	room_all(ORD_ROOM_OK);
	node_cluster_steps(&c, 2000);
	cr_expect_eq(submit(call_transfer(0, 2, 1), 0), ORD_OK);
	node_cluster_steps(&c, 2000);
}

Test(engine_room, what_another_node_says_is_checked)
{
	cr_expect_eq(ord_engine_receive(c.nodes[0].engine, 2, ORD_PART_ROOM, ord_slice_of("\3", 1)), ORD_ERR_FORMAT);
	cr_expect_eq(ord_engine_receive(c.nodes[0].engine, 2, ORD_PART_ROOM, ord_slice_of("", 0)), ORD_ERR_FORMAT);
	cr_expect_eq(ord_engine_receive(c.nodes[0].engine, 2, ORD_PART_ROOM, ord_slice_of("\1", 1)), ORD_OK);
}
