/* SPDX-License-Identifier: Apache-2.0 - node/keep and node/copy_out over three nodes: the log drops what a checkpoint has when that is durable, and not what somebody needs who is being given a copy. */
#include "node/keep.h"

#include <criterion/criterion.h>

#include "base/err.h"
#include "node/engine_state.h"
#include "node/wire.h"
#include "partition/route.h"
#include "tests/support/node_calls.h"
#include "tests/support/node_states.h"

/* Longer than a checkpoint of all partitions, and until the log is looked at. */
#define CHECKPOINT_MS 2000
/* As node/copy_out.c has it: a copy that is not asked on; the log after it has ended. */
#define SILENT_MS 30000
#define LINGER_MS 10000
/* Who asks for copies of node 1. */
#define ASKER 3
#define OTHER_ASKER 2

static struct node_cluster c;
static struct node_states states[NODE_CLUSTER_NODES];

static void make(void)
{
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		node_states_open(&states[i], PARTITIONS);
	calls_start_stored(&c, 31, states);
}

static void clean(void)
{
	node_cluster_steps(&c, CHECKPOINT_MS);
	node_cluster_check(&c);
	node_cluster_close(&c);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		node_states_close(&states[i]);
}

TestSuite(keep, .init = make, .fini = clean, .timeout = 120);

/* So many transfers, each of which leaves something in the payer's partition. */
static void work(unsigned count)
{
	while (count-- > 0) {
		struct call *call = call_transfer(0, 2, 1);
		for (unsigned tries = 0; call->decided == 0; tries++) {
			cr_assert_lt(tries, 20, "%s", ord_err_text(call->last_err));
			node_cluster_wait_ready(&c);
			call_send(&c, call, tries % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
			calls_wait(&c);
		}
	}
	node_cluster_steps(&c, 500); /* followers are a little behind */
}

static uint32_t busy_partition(void)
{
	char name[16];
	return ord_route_account(account_name(name, 0), PARTITIONS);
}

static struct ord_group_status status_of(uint32_t partition)
{
	struct ord_replica_status status;
	ord_engine_replica_status(c.nodes[0].engine, partition, &status);
	return status.group;
}

/* After which index the log of node 1 begins. */
static uint64_t base(void)
{
	return status_of(busy_partition()).base_index;
}

static void checkpoint(void)
{
	ord_engine_checkpoint(c.nodes[0].engine);
	node_cluster_steps(&c, CHECKPOINT_MS);
}

static void expect_all_in_the_log(void)
{
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_expect_eq(status_of(i).base_index, 0, "partition %u", i);
}

Test(keep, the_log_drops_what_a_checkpoint_has)
{
	work(10);
	expect_all_in_the_log();
	checkpoint();
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_expect_eq(status_of(i).base_index, status_of(i).applied_index, "partition %u", i);
}

Test(keep, and_nothing_before_it_is_durable)
{
	work(10);
	states[0].holds = true;
	checkpoint();
	cr_assert_not_null(states[0].write);
	expect_all_in_the_log();
	work(10);
	expect_all_in_the_log();
	states[0].holds = false;
	node_cluster_steps(&c, CHECKPOINT_MS);
	cr_expect_gt(base(), 0);
}

Test(keep, nor_when_there_is_no_room_for_it)
{
	work(10);
	states[0].full = true;
	checkpoint();
	expect_all_in_the_log();
	states[0].full = false;
	node_cluster_steps(&c, CHECKPOINT_MS);
	cr_expect_gt(base(), 0, "it is tried again");
}

/* The one before it is what the start finds, and the log has the rest. */
Test(keep, a_node_that_dies_in_a_checkpoint_goes_on_from_the_one_before)
{
	work(10);
	checkpoint();
	const uint64_t first = base();
	work(10);
	for (unsigned round = 0; round < 3; round++) {
		states[0].holds = true;
		checkpoint();
		cr_assert_not_null(states[0].write);
		node_cluster_crash(&c, 0);
		states[0].holds = false;
		node_cluster_restart(&c, 0);
		node_cluster_wait_ready(&c);
		node_cluster_steps(&c, CHECKPOINT_MS);
		cr_expect_eq(base(), first);
	}
	work(1);
}

/* --- Copies that are given. --- */

static void send_of(unsigned from, enum ord_part_kind kind, uint64_t index)
{
	struct ord_part_copy part = {.partition = busy_partition(), .number = 7, .index = index};
	struct ord_bytes body;
	ord_bytes_init(&body, 1024);
	ord_wire_put_copy(kind, &part, &body);
	cr_assert_eq(ord_engine_receive(c.nodes[0].engine, from, kind, ord_bytes_slice(&body)), ORD_OK);
	ord_bytes_close(&body);
}

static void send(unsigned from, enum ord_part_kind kind)
{
	send_of(from, kind, 0);
}

static uint32_t copies_count(void)
{
	struct ord_copy_status status;
	ord_engine_copy_status(c.nodes[0].engine, &status);
	return status.out_count;
}

/* A copy is open, and meanwhile there was another checkpoint. Gives where the log of who has the copy begins. */
static uint64_t begin_copy(void)
{
	work(10);
	checkpoint();
	const uint64_t first = base();
	send(ASKER, ORD_PART_COPY_ASK);
	cr_assert_eq(copies_count(), 1);
	work(10);
	checkpoint();
	cr_assert_gt(status_of(busy_partition()).applied_index, first);
	return first;
}

Test(keep, the_log_keeps_what_comes_after_a_copy_that_is_given)
{
	const uint64_t first = begin_copy();
	cr_expect_eq(base(), first);
	send(ASKER, ORD_PART_COPY_END);
	cr_expect_eq(copies_count(), 0);
	node_cluster_steps(&c, LINGER_MS - 500);
	cr_expect_eq(base(), first, "who has it has to catch up");
	node_cluster_steps(&c, 1000);
	cr_expect_gt(base(), first);
}

Test(keep, but_not_for_ever_when_nobody_asks_for_more)
{
	const uint64_t first = begin_copy();
	node_cluster_steps(&c, SILENT_MS);
	cr_expect_eq(copies_count(), 0);
	cr_expect_eq(base(), first);
	node_cluster_steps(&c, LINGER_MS);
	cr_expect_gt(base(), first);
}

/* Each is of another checkpoint, and the log goes on after the older one. */
Test(keep, the_oldest_of_several_copies_counts)
{
	const uint64_t first = begin_copy();
	send(OTHER_ASKER, ORD_PART_COPY_ASK);
	cr_assert_eq(copies_count(), 2);
	work(10);
	checkpoint();
	cr_expect_eq(base(), first);
}

/* An ASK that comes a second time when the copy had to end opens another one under its number, of a later checkpoint: two halves are no state. */
Test(keep, a_copy_is_not_gone_on_with_from_another_checkpoint)
{
	const uint64_t first = begin_copy(), second = status_of(busy_partition()).applied_index;
	send_of(ASKER, ORD_PART_COPY_NEXT, first);
	cr_expect_eq(states[0].copy_reads_count, 1);
	send(ASKER, ORD_PART_COPY_END);
	send(ASKER, ORD_PART_COPY_ASK);
	cr_assert_eq(copies_count(), 1);
	send_of(ASKER, ORD_PART_COPY_NEXT, first);
	cr_expect_eq(states[0].copy_reads_count, 1);
	send_of(ASKER, ORD_PART_COPY_NEXT, second);
	cr_expect_eq(states[0].copy_reads_count, 2);
}

/* --- Damage. --- */

/* The others have it, and go on: the process stands, and the replica is out of service until it has another state. */
Test(keep_damage, a_record_that_is_damaged_when_an_entry_needs_it_stops_nobody, .init = make, .timeout = 120)
{
	work(10);
	checkpoint();
	node_cluster_crash(&c, 0);
	node_cluster_restart(&c, 0);
	for (uint32_t i = 0; i < PARTITIONS; i++)
		states[0].seen[i].fails = ORD_ERR_CORRUPT;
	work(5);
	cr_expect_eq(c.nodes[0].engine->replicas[busy_partition()].fence.state, ORD_FENCE_FENCED);
	node_cluster_close(&c);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		node_states_close(&states[i]);
}
