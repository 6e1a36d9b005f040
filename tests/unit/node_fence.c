/* SPDX-License-Identifier: Apache-2.0 - node/fence over three nodes: a replica that went astray is found at the next mark and kept away, whoever it is; where nobody can tell, nobody is. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "node/engine_state.h"
#include "partition/checkpoint.h"
#include "partition/partition.h"
#include "partition/route.h"
#include "tests/support/memory_store.h"
#include "tests/support/node_calls.h"
#include "tests/support/node_states.h"

/* An account that gets a posting from time to time, and its partition. */
#define ACCOUNT 2

static struct node_cluster c;

static uint32_t spoilt_partition(void)
{
	char name[16];

	return ord_route_account(account_name(name, ACCOUNT), PARTITIONS);
}

static void spoil(unsigned place, int64_t delta)
{
	char name[16];

	node_cluster_steps(&c, 500); /* followers are a little behind */
	cr_assert_eq(ord_engine_spoil(c.nodes[place].engine, account_name(name, ACCOUNT), delta), ORD_OK);
}

static struct ord_replica_status status_at(unsigned place)
{
	struct ord_replica_status status;

	ord_engine_replica_status(c.nodes[place].engine, spoilt_partition(), &status);
	return status;
}

/* So many transfers, each an entry of its own, to an account of that partition. */
static void work(unsigned count)
{
	while (count-- > 0) {
		struct call *call = call_transfer(0, ACCOUNT, 1);

		for (unsigned tries = 0; call->decided == 0; tries++) {
			cr_assert_lt(tries, 20, "%s", ord_err_text(call->last_err));
			call_send(&c, call, tries % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
			calls_wait(&c);
		}
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	}
	node_cluster_steps(&c, 1000);
}

static void nobody_send(void *ctx, uint32_t node, enum ord_part_kind kind, struct ord_slice body)
{
	(void)ctx;
	(void)node;
	(void)kind;
	(void)body;
}

static unsigned leader(void)
{
	node_cluster_wait_ready(&c);
	return (unsigned)node_cluster_leader(&c, spoilt_partition());
}

/* All go on, and the one at place is fenced. */
static void check_fenced(unsigned place)
{
	uint64_t position = status_at(place).state.position;

	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		cr_assert_eq(status_at(i).fence, i == place ? ORD_FENCE_FENCED : ORD_FENCE_EQUAL, "node %u", i + 1);
	cr_assert_geq(c.notices_count[ORD_LOG_ERROR], 1);
	work(NODE_CLUSTER_MARK_ENTRIES);
	node_cluster_steps(&c, 20000);
	cr_assert_eq(status_at(place).state.position, position, "its state stays as it was");
	cr_assert_neq(leader(), place);
	cr_assert_not(status_at(place).ready);
	cr_assert_gt(status_at((place + 1) % NODE_CLUSTER_NODES).state.position, position + NODE_CLUSTER_MARK_ENTRIES);
}

Test(fence, replicas_that_agree_are_left_alone)
{
	calls_start(&c, 1);
	work(3 * NODE_CLUSTER_MARK_ENTRIES);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		cr_assert_eq(status_at(i).fence, ORD_FENCE_EQUAL);
		cr_assert_geq(status_at(i).state.marks.equal_count, 2);
		cr_assert_eq(status_at(i).state.marks.behind_count, 0);
	}
	cr_assert_eq(c.sent_bytes[ORD_PART_MARK_RESULT], 0, "nobody asks without a reason");
	node_cluster_check(&c);
	node_cluster_close(&c);
}

Test(fence, a_partition_that_moved_is_marked_after_a_minute_and_no_other)
{
	calls_start(&c, 2);
	work(1);
	uint64_t before = status_at(0).state.marks.equal_count;
	node_cluster_steps(&c, 61000);
	cr_assert_eq(status_at(0).state.marks.equal_count, before + 1);
	node_cluster_steps(&c, 130000);
	cr_assert_eq(status_at(0).state.marks.equal_count, before + 1, "a mark is no reason for a mark");
	node_cluster_close(&c);
}

Test(fence, a_follower_that_went_astray_is_fenced)
{
	calls_start(&c, 3);
	unsigned place = (leader() + 1) % NODE_CLUSTER_NODES;
	spoil(place, 5);
	work(NODE_CLUSTER_MARK_ENTRIES);
	check_fenced(place);
	node_cluster_close(&c);
}

Test(fence, a_leader_that_went_astray_is_fenced_and_hands_over)
{
	for (uint64_t seed = 4; seed < 7; seed++) {
		calls_start(&c, seed);
		unsigned place = leader();
		spoil(place, -1);
		work(NODE_CLUSTER_MARK_ENTRIES);
		check_fenced(place);
		node_cluster_close(&c);
	}
}

Test(fence, a_fenced_replica_fails_who_waits_and_serves_nobody)
{
	calls_start(&c, 7);
	unsigned place = leader();
	spoil(place, 7);
	work(NODE_CLUSTER_MARK_ENTRIES);
	check_fenced(place);
	node_cluster_cut_off(&c, (place + 1) % NODE_CLUSTER_NODES, true);
	struct look look;
	look_begin(&c, &look, place, ACCOUNT);
	look_wait(&c, &look);
	node_cluster_steps(&c, 10000);
	cr_assert_not(status_at(place).ready, "not even when it has to lead");
	node_cluster_cut_off(&c, (place + 1) % NODE_CLUSTER_NODES, false);
	cr_assert_neq(leader(), place);
	node_cluster_close(&c);
}

Test(fence, a_fenced_replica_that_is_made_leader_is_not_ready_and_hands_over)
{
	calls_start(&c, 13);
	unsigned place = (leader() + 1) % NODE_CLUSTER_NODES;
	spoil(place, 7);
	work(NODE_CLUSTER_MARK_ENTRIES);
	check_fenced(place);
	cr_assert_eq(ord_host_transfer(c.nodes[leader()].engine->host, spoilt_partition(), place + 1), ORD_OK);
	bool led = false;
	for (unsigned ms = 0; ms < 3000; ms++) {
		node_cluster_step(&c);
		led |= status_at(place).group.role == ORD_ROLE_LEADER;
		cr_assert_not(status_at(place).ready);
	}
	cr_assert(led);
	cr_assert_neq(status_at(place).group.role, ORD_ROLE_LEADER);
	cr_assert_neq(leader(), place);
	node_cluster_close(&c);
}

Test(fence, a_leadership_is_not_brought_back_to_a_fenced_replica)
{
	calls_start(&c, 14);
	unsigned place = spoilt_partition() % NODE_CLUSTER_NODES; /* where it should be led */
	spoil(place, 7);
	work(NODE_CLUSTER_MARK_ENTRIES);
	check_fenced(place);
	for (unsigned ms = 0; ms < 30000; ms++) {
		node_cluster_step(&c);
		cr_assert_neq(status_at(place).group.role, ORD_ROLE_LEADER);
	}
	node_cluster_close(&c);
}

/* One replica of a cluster of so many nodes, which has just found that a mark differs, and what nodes 2, 3 ... were. */
static enum ord_fence_state decided_among(uint32_t nodes_count, const uint64_t *digests)
{
	static struct ord_engine e;
	static struct ord_replica r;

	e = (struct ord_engine){
		.node = 1, .nodes_count = nodes_count, .partitions_count = 1, .shards_count = 1, .replicas = &r};
	e.events.send = nobody_send;
	r = (struct ord_replica){.engine = &e};
	ord_bytes_init(&e.scratch, 4096);
	for (uint32_t i = 0; i < nodes_count; i++)
		e.nodes[i] = i + 1;
	struct ord_mark_effect mark = {
		.compared = true, .differs = true, .found = {.position = 5, .state_digest = {digests[0]}}};
	ord_fence_compared(&r, &mark);
	for (uint32_t i = 1; i < nodes_count; i++) {
		struct ord_part_mark_result part = {.result = {.position = 5, .state_digest = {digests[i]}}};

		ord_fence_receive(&r, i, &part);
	}
	ord_bytes_close(&e.scratch);
	return r.fence.state;
}

Test(fence, a_majority_is_more_than_half_of_all_nodes)
{
	cr_expect_eq(decided_among(2, (uint64_t[]){1, 2}), ORD_FENCE_DIFFERS, "one against one");
	cr_expect_eq(decided_among(3, (uint64_t[]){1, 2, 2}), ORD_FENCE_FENCED);
	cr_expect_eq(decided_among(3, (uint64_t[]){1, 2, 1}), ORD_FENCE_EQUAL);
	cr_expect_eq(decided_among(3, (uint64_t[]){1, 2, 3}), ORD_FENCE_DIFFERS);
	cr_expect_eq(decided_among(4, (uint64_t[]){1, 1, 2, 2}), ORD_FENCE_DIFFERS, "two against two");
	cr_expect_eq(decided_among(4, (uint64_t[]){1, 2, 2, 2}), ORD_FENCE_FENCED);
	cr_expect_eq(decided_among(5, (uint64_t[]){1, 1, 2, 2, 2}), ORD_FENCE_FENCED);
	cr_expect_eq(decided_among(5, (uint64_t[]){1, 1, 2, 2, 3}), ORD_FENCE_DIFFERS);
	cr_expect_eq(decided_among(1, (uint64_t[]){1}), ORD_FENCE_EQUAL, "alone it is the majority");
}

static void states_write(void *ctx, uint32_t partition, const struct ord_changes *changes)
{
	(void)ctx;
	(void)partition;
	(void)changes;
	cr_assert_fail("a state that is worth nothing is written");
}

Test(fence, no_checkpoint_is_made_of_a_fenced_state)
{
	static struct ord_engine e;
	static struct ord_replica r;
	struct memory_store store;
	struct ord_states states = {.write = states_write};
	struct ord_keep_options keep = {.states = &states, .memory_bytes = 1, .checkpoint_bytes = 1};

	memory_store_open(&store);
	struct ord_partition_options options = {.id = 0, .partitions_count = 1, .store = &store.interface};
	e = (struct ord_engine){.partitions_count = 1, .shards_count = 1, .replicas = &r, .now_ms = 3600000};
	e.bounds.checkpoint_rows = 10;
	r = (struct ord_replica){.engine = &e, .applied_index = 5};
	cr_assert_eq(ord_partition_open(&options, &r.partition), ORD_OK);
	ord_keep_init(&e.keep, &e, &keep);
	ord_checkpoint_begin(r.partition, ord_slice_text("a note"));
	e.keep.phase = ORD_KEEP_ENCODING;
	r.fence.state = ORD_FENCE_FENCED;
	ord_keep_abandon(&e.keep, 0);
	for (unsigned turn = 0; turn < 3; turn++) {
		ord_keep_tick(&e.keep);
		ord_keep_turn(&e.keep);
		cr_assert_eq(e.keep.phase, ORD_KEEP_IDLE);
	}
	ord_keep_close(&e.keep);
	ord_partition_close(r.partition);
	memory_store_close(&store);
}

Test(fence, a_node_that_starts_again_without_the_fault_is_as_the_others)
{
	calls_start(&c, 8);
	unsigned place = (leader() + 1) % NODE_CLUSTER_NODES;
	spoil(place, 5);
	work(NODE_CLUSTER_MARK_ENTRIES);
	check_fenced(place);
	node_cluster_crash(&c, place);
	node_cluster_restart(&c, place);
	work(2 * NODE_CLUSTER_MARK_ENTRIES);
	cr_assert_eq(status_at(place).fence, ORD_FENCE_EQUAL);
	cr_assert_arr_eq(status_at(place).state.state_digest, status_at((place + 1) % 3).state.state_digest,
			 sizeof status_at(place).state.state_digest);
	node_cluster_close(&c);
}

/* Who has one may be away just now, and nobody tells the replica when that has changed. */
Test(fence, a_fenced_replica_asks_for_another_state_until_it_has_one)
{
	static struct node_states states[NODE_CLUSTER_NODES];
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		node_states_open(&states[i], PARTITIONS);
	calls_start_stored(&c, 15, states);
	unsigned place = (leader() + 1) % NODE_CLUSTER_NODES;
	const struct ord_copy_want *want = &c.nodes[place].engine->copy_in.wants[spoilt_partition()];
	spoil(place, 5);
	cr_assert_not(want->wanted);
	work(NODE_CLUSTER_MARK_ENTRIES);
	cr_assert_eq(status_at(place).fence, ORD_FENCE_FENCED);
	for (unsigned seconds = 0; seconds < 20; seconds++) {
		node_cluster_steps(&c, 1000);
		cr_assert(want->wanted);
		cr_assert_leq(c.now_ms - want->told_ms, 1000);
	}
	node_cluster_close(&c);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		node_states_close(&states[i]);
}

Test(fence, answers_that_are_lost_are_asked_for_again)
{
	calls_start(&c, 9);
	unsigned place = (leader() + 1) % NODE_CLUSTER_NODES;
	c.lost_kind = ORD_PART_MARK_RESULT;
	spoil(place, 5);
	work(NODE_CLUSTER_MARK_ENTRIES);
	cr_assert_eq(status_at(place).fence, ORD_FENCE_EQUAL);
	c.lost_kind = 0;
	node_cluster_steps(&c, 2500);
	check_fenced(place);
	node_cluster_close(&c);
}

Test(fence, three_that_are_all_different_go_on_and_say_so)
{
	calls_start(&c, 10);
	spoil(0, 1);
	spoil(1, 2);
	work(NODE_CLUSTER_MARK_ENTRIES);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		cr_assert_eq(status_at(i).fence, ORD_FENCE_DIFFERS, "node %u", i + 1);
	unsigned said = c.notices_count[ORD_LOG_ERROR];
	cr_assert_geq(said, 3);
	work(3 * NODE_CLUSTER_MARK_ENTRIES);
	cr_assert_leq(c.notices_count[ORD_LOG_ERROR], said + 9, "not at every mark");
	node_cluster_close(&c);
}

Test(fence, without_the_third_nobody_can_tell)
{
	calls_start(&c, 11);
	unsigned place = (leader() + 1) % NODE_CLUSTER_NODES, away = (place + 1) % NODE_CLUSTER_NODES;
	away = away == leader() ? (away + 1) % NODE_CLUSTER_NODES : away;
	node_cluster_crash(&c, away);
	spoil(place, 5);
	work(NODE_CLUSTER_MARK_ENTRIES);
	node_cluster_steps(&c, 12000);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		if (i != away)
			cr_assert_eq(status_at(i).fence, ORD_FENCE_DIFFERS, "node %u", i + 1);
	node_cluster_restart(&c, away);
	work(2 * NODE_CLUSTER_MARK_ENTRIES);
	check_fenced(place);
	node_cluster_close(&c);
}

Test(fence, marks_are_not_fooled_by_leaders_that_come_and_go)
{
	calls_start(&c, 12);
	for (unsigned round = 0; round < 6; round++) {
		unsigned place = leader();

		work(7);
		node_cluster_cut_off(&c, place, true);
		work(7);
		node_cluster_cut_off(&c, place, false);
	}
	work(NODE_CLUSTER_MARK_ENTRIES);
	node_cluster_steps(&c, 2000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}
