/* SPDX-License-Identifier: Apache-2.0 - parts that no sound node sends: they change nothing, and the connection can be closed. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/engine_state.h"
#include "node/wire.h"
#include "partition/route.h"
#include "tests/support/node_calls.h"

static struct ord_bytes part;

static void expect_format_at(struct node_cluster *c, unsigned place, enum ord_part_kind kind)
{
	uint32_t from = place == 0 ? 2 : 1;
	cr_assert_eq(ord_engine_receive(c->nodes[place].engine, from, kind, ord_bytes_slice(&part)), ORD_ERR_FORMAT);
	ord_bytes_clear(&part);
}

static void expect_format(struct node_cluster *c, enum ord_part_kind kind)
{
	expect_format_at(c, 0, kind);
}

static void put_submit(const struct ord_command *command, uint32_t partition, uint32_t timeout_ms)
{
	struct ord_bytes body;
	ord_bytes_init(&body, ORD_COMMAND_BYTES_MAX);
	ord_command_encode(command, &body);
	struct ord_part_call call = {.forward = 1,
				     .partition = partition,
				     .wait = ORD_WAIT_LOGGED,
				     .timeout_ms = timeout_ms,
				     .body = ord_bytes_slice(&body)};
	ord_wire_put_call(&call, &part);
	ord_bytes_close(&body);
}

static void foreign_calls(struct node_cluster *c)
{
	struct ord_command command = call_transfer(0, 2, 1)->command;
	uint32_t home = ord_route_command(&command, PARTITIONS);
	put_submit(&command, PARTITIONS, 100);
	expect_format(c, ORD_PART_SUBMIT);
	put_submit(&command, (home + 1) % PARTITIONS, 100);
	expect_format(c, ORD_PART_SUBMIT);
	put_submit(&command, home, ORD_WAIT_MS_MAX + 1);
	expect_format(c, ORD_PART_SUBMIT);
	command.transfer.amount = -1;
	put_submit(&command, home, 100);
	expect_format(c, ORD_PART_SUBMIT);
	command = (struct ord_command){.kind = ORD_COMMAND_TRIM, .trim = {.destination = 1, .upto = 9}};
	put_submit(&command, home, 100);
	expect_format(c, ORD_PART_SUBMIT);
	ord_bytes_put(&part, "?", 1);
	expect_format(c, ORD_PART_ANSWER);
	ord_bytes_put(&part, "?", 1);
	expect_format(c, (enum ord_part_kind)99);
}

static void put_deliver(uint32_t source, uint32_t destination, uint32_t count, struct ord_slice messages)
{
	struct ord_part_deliver d = {.destination = destination,
				     .run = {.source = source, .first = 1, .count = count, .messages = messages}};
	ord_wire_put_deliver(&d, &part);
}

static void put_cursor(uint32_t source, uint32_t destination, uint64_t cursor, uint64_t expected)
{
	struct ord_part_cursor p = {
		.source = source, .destination = destination, .cursor = cursor, .expected = expected};
	ord_wire_put_cursor(&p, &part);
}

static void foreign_deliveries(struct node_cluster *c)
{
	struct ord_message m = {.kind = ORD_MESSAGE_OUTCOME, .home = 1};
	struct ord_bytes messages;
	ord_bytes_init(&messages, 1024);
	ord_message_encode(&m, &messages);
	put_deliver(PARTITIONS, 0, 1, ord_bytes_slice(&messages));
	expect_format(c, ORD_PART_DELIVER);
	put_deliver(0, PARTITIONS, 1, ord_bytes_slice(&messages));
	expect_format(c, ORD_PART_DELIVER);
	put_deliver(1, 1, 1, ord_bytes_slice(&messages));
	expect_format(c, ORD_PART_DELIVER);
	unsigned leader = (unsigned)node_cluster_leader(c, 1); /* others do not look into it */
	put_deliver(0, 1, 2, ord_bytes_slice(&messages));
	expect_format_at(c, leader, ORD_PART_DELIVER);
	ord_bytes_put_u8(&messages, 1);
	put_deliver(0, 1, 1, ord_bytes_slice(&messages));
	expect_format_at(c, leader, ORD_PART_DELIVER);
	ord_bytes_close(&messages);
	put_cursor(PARTITIONS, 0, 0, 0);
	expect_format(c, ORD_PART_CURSOR);
	put_cursor(0, PARTITIONS, 0, 0);
	expect_format(c, ORD_PART_CURSOR);
	put_cursor(1, 1, 0, 0);
	expect_format(c, ORD_PART_CURSOR);
	ord_wire_put_ready(PARTITIONS, &part);
	expect_format(c, ORD_PART_READY);
}

Test(foreign, parts_that_make_no_sense_change_nothing)
{
	struct node_cluster c;
	calls_start(&c, 17);
	ord_bytes_init(&part, 4096);
	foreign_calls(&c);
	foreign_deliveries(&c);
	cr_assert_eq(ord_engine_receive(c.nodes[0].engine, 9, ORD_PART_READY, ord_bytes_slice(&part)), ORD_ERR_FORMAT);
	cr_assert_eq(ord_engine_receive(c.nodes[0].engine, 1, ORD_PART_READY, ord_bytes_slice(&part)), ORD_ERR_FORMAT);
	/* A cursor that the log does not have yet is not believed: nothing is trimmed by it. */
	for (uint32_t i = 0; i < PARTITIONS * PARTITIONS; i++) {
		if (i / PARTITIONS == i % PARTITIONS)
			continue;
		put_cursor(i / PARTITIONS, i % PARTITIONS, 1000000, 1000001);
		for (unsigned place = 0; place < NODE_CLUSTER_NODES; place++)
			cr_assert_eq(ord_engine_receive(c.nodes[place].engine, place == 0 ? 2 : 1, ORD_PART_CURSOR,
							ord_bytes_slice(&part)),
				     ORD_OK);
		ord_bytes_clear(&part);
	}
	/* An answer of a node that was not asked is none. */
	struct call *call = call_transfer(0, 2, 1);
	unsigned place = call_follower(&c, call);
	unsigned leader = (unsigned)node_cluster_leader(&c, call_home(call));
	call_send(&c, call, place, ORD_WAIT_SETTLED);
	for (uint32_t number = 0; number < 100; number++) {
		struct ord_answer a = {.result = {.status = ORD_STATUS_REJECTED, .reason = ORD_REFUSAL_OTHER_OWNER}};
		ord_wire_put_answer((uint64_t)c.nodes[place].engine->run << 32 | number, &a, &part);
		cr_assert_eq(ord_engine_receive(c.nodes[place].engine, c.nodes[3 - place - leader].id, ORD_PART_ANSWER,
						ord_bytes_slice(&part)),
			     ORD_OK);
		ord_bytes_clear(&part);
	}
	cr_assert_eq(call->outstanding, 1);
	ord_bytes_close(&part);
	for (unsigned i = 0; i < 20; i++)
		call_send(&c, call_transfer(0, 2, 1), i % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
	calls_wait(&c);
	for (size_t i = 0; i < calls_count; i++)
		cr_assert(calls[i].answers_count == 0 || calls[i].decided == ORD_STATUS_SETTLED);
	node_cluster_steps(&c, 1000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}
