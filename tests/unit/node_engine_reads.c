/* SPDX-License-Identifier: Apache-2.0 - reads in a cluster of three engines: without an entry, and only by who leads. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "node/engine_state.h"
#include "partition/route.h"
#include "tests/support/node_calls.h"

static struct node_cluster c;

static void make(void)
{
	calls_start(&c, 31);
	node_cluster_steps(&c, 3000);
}

static void clean(void)
{
	node_cluster_close(&c);
}

TestSuite(engine_reads, .init = make, .fini = clean, .timeout = 120);

static uint32_t partition_of(unsigned account)
{
	char name[16];
	return ord_route_account(account_name(name, account), PARTITIONS);
}

static struct ord_group_status group_at(unsigned place, uint32_t partition)
{
	struct ord_replica_status s;
	ord_engine_replica_status(c.nodes[place].engine, partition, &s);
	return s.group;
}

static struct look looked(unsigned place, unsigned account)
{
	struct look look;
	look_begin(&c, &look, place, account);
	look_wait(&c, &look);
	return look;
}

Test(engine_reads, they_make_no_entries)
{
	uint64_t before[PARTITIONS];
	for (uint32_t i = 0; i < PARTITIONS; i++)
		before[i] = group_at((unsigned)node_cluster_leader(&c, i), i).last_index;
	for (unsigned i = 0; i < 10 * ACCOUNTS; i++)
		cr_assert_eq(looked(i % NODE_CLUSTER_NODES, i % ACCOUNTS).err, ORD_OK);
	for (uint32_t i = 0; i < PARTITIONS; i++)
		cr_expect_eq(group_at((unsigned)node_cluster_leader(&c, i), i).last_index, before[i]);
}

Test(engine_reads, all_that_wait_at_a_node_share_one_question)
{
	static struct look looks[200];
	uint64_t before = c.sent_bytes[ORD_PART_CONFIRM];
	for (unsigned i = 0; i < 200; i++)
		look_begin(&c, &looks[i], (unsigned)node_cluster_leader(&c, partition_of(i % ACCOUNTS)), i % ACCOUNTS);
	for (unsigned i = 0; i < 200; i++)
		look_wait(&c, &looks[i]);
	/* Three nodes that lead ask two peers each, and are answered: of 32 bytes and 12 for a partition. */
	cr_expect_leq(c.sent_bytes[ORD_PART_CONFIRM] - before, 3 * 2 * 2 * 32 + PARTITIONS * 2 * 2 * 12);
}

/* A turn that answers everything at once would keep heartbeats waiting. */
Test(engine_reads, very_many_are_answered_a_part_in_a_turn)
{
	enum { MANY = 20000 };
	static struct look looks[MANY];
	unsigned leader = (unsigned)node_cluster_leader(&c, partition_of(2)), turns = 0, done = 0;
	struct ord_engine *e = c.nodes[leader].engine;
	for (unsigned i = 0; i < MANY; i++)
		look_begin(&c, &looks[i], leader, 2);
	c.nodes[leader].is_held = true;
	ord_engine_turn(e); /* asks */
	node_cluster_steps(&c, 50);
	for (bool more = true; more; turns++) {
		unsigned before = done;
		more = ord_engine_turn(e);
		for (done = 0; done < MANY && looks[done].answered; done++)
			cr_assert_eq(looks[done].err, ORD_OK);
		cr_assert_leq(done - before, 12000);
	}
	cr_expect(done == MANY && turns >= 2, "%u in %u turns", done, turns);
}

Test(engine_reads, one_of_two_peers_is_enough)
{
	unsigned leader = (unsigned)node_cluster_leader(&c, partition_of(2));
	unsigned other = (leader + 1) % NODE_CLUSTER_NODES;
	c.cut[leader][other] = c.cut[other][leader] = true;
	uint64_t begin_ms = c.now_ms;
	cr_expect_eq(looked(leader, 2).err, ORD_OK);
	cr_expect_leq(c.now_ms, begin_ms + 50);
	c.cut[leader][other] = c.cut[other][leader] = false;
}

Test(engine_reads, questions_that_are_lost_are_repeated)
{
	struct look look;
	unsigned leader = (unsigned)node_cluster_leader(&c, partition_of(2));
	c.lost_kind = ORD_PART_CONFIRM;
	look_begin(&c, &look, leader, 2);
	node_cluster_steps(&c, 350);
	cr_expect_not(look.answered, "nobody has confirmed it");
	c.lost_kind = 0;
	uint64_t begin_ms = c.now_ms;
	look_wait(&c, &look);
	cr_expect_eq(look.err, ORD_OK);
	cr_expect_leq(c.now_ms, begin_ms + 150, "a heartbeat and the way");
}

Test(engine_reads, a_leader_that_slept_does_not_answer_from_its_old_state)
{
	for (unsigned round = 0; round < 10; round++) {
		node_cluster_wait_ready(&c);
		unsigned old = (unsigned)node_cluster_leader(&c, partition_of(2));
		unsigned other = (old + 1) % NODE_CLUSTER_NODES;
		struct look before, after;
		look_begin(&c, &before, old, 2); /* its question is under way, and the answer waits at its door */
		node_cluster_steps(&c, round % 4);
		c.nodes[old].paused_until_ms = c.now_ms + 2500;
		struct call *call = call_transfer(0, 2, 10);
		while (call->decided == 0 && c.now_ms < c.nodes[old].paused_until_ms - 1) {
			if (call->outstanding == 0)
				call_send_for(&c, call, other, ORD_WAIT_SETTLED, 400);
			node_cluster_step(&c);
		}
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
		look_begin(&c, &after, old, 2); /* what it must show is checked by look_answer */
		node_cluster_steps(&c, 4000);
		cr_assert(before.answered && after.answered);
		calls_wait(&c);
	}
}

static struct look looked_stale(unsigned place, unsigned account)
{
	struct look look;
	uint64_t begin_ms = c.now_ms;
	look_begin_stale(&c, &look, place, account);
	look_wait(&c, &look);
	cr_expect_leq(c.now_ms, begin_ms + 5, "nobody else is asked");
	return look;
}

Test(engine_reads, what_may_be_stale_needs_no_leader)
{
	for (unsigned place = 0; place < NODE_CLUSTER_NODES; place++) {
		node_cluster_wait_ready(&c);
		uint64_t before = looked_stale(place, 2).postings;
		node_cluster_cut_off(&c, place, true);
		node_cluster_steps(&c, 5000); /* another one leads */
		struct call *call = call_transfer(0, 2, 10);
		while (call->decided == 0) {
			if (call->outstanding == 0)
				call_send(&c, call, (place + 1) % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
			node_cluster_step(&c);
		}
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
		struct look old = looked_stale(place, 2);
		cr_expect_eq(old.err, ORD_OK);
		cr_expect_eq(old.postings, before, "it is cut off");
		cr_expect_gt(looked((place + 1) % NODE_CLUSTER_NODES, 2).postings, before);
		node_cluster_cut_off(&c, place, false);
		calls_wait(&c);
	}
}

/* Nobody is told that a name is free because a node is behind. */
Test(engine_reads, what_is_not_found_is_looked_for_at_the_leader)
{
	struct look look;
	unsigned follower = ((unsigned)node_cluster_leader(&c, partition_of(ACCOUNTS)) + 1) % NODE_CLUSTER_NODES;
	look_begin_stale(&c, &look, follower, ACCOUNTS); /* the first one that there is not */
	look_wait(&c, &look);
	cr_expect_eq(look.err, ORD_ERR_NOT_FOUND);
	node_cluster_cut_off(&c, follower, true);
	node_cluster_steps(&c, 5000);
	look_begin_stale(&c, &look, follower, ACCOUNTS);
	node_cluster_steps(&c, 100);
	cr_expect_not(look.answered);
	look_wait(&c, &look);
	cr_expect_eq(look.err, ORD_ERR_NOT_LEADER);
	node_cluster_cut_off(&c, follower, false);
}

/* They could be asked for elsewhere. */
Test(engine_reads, what_may_be_stale_does_not_keep_others_waiting)
{
	enum { MANY = 30000 };
	static struct look stale[MANY];
	struct look look;
	unsigned leader = (unsigned)node_cluster_leader(&c, partition_of(2));
	look_begin(&c, &look, leader, 2);
	node_cluster_steps(&c, 1);
	c.nodes[leader].is_held = true;
	for (unsigned i = 0; i < MANY; i++)
		look_begin_stale(&c, &stale[i], leader, 2);
	node_cluster_steps(&c, 50); /* its question is answered meanwhile */
	ord_engine_turn(c.nodes[leader].engine);
	cr_expect(look.answered);
	cr_expect_not(stale[MANY - 1].answered);
	while (ord_engine_turn(c.nodes[leader].engine))
		;
	cr_expect(stale[MANY - 1].answered);
}

/* It must not be answered from a state that is known to be wrong: the leader is asked. */
Test(engine_reads, a_replica_that_is_fenced_passes_on_what_may_be_stale)
{
	uint32_t partition = partition_of(2);
	unsigned follower = ((unsigned)node_cluster_leader(&c, partition) + 1) % NODE_CLUSTER_NODES;
	struct ord_replica *r = &c.nodes[follower].engine->replicas[partition];
	r->fence.state = ORD_FENCE_FENCED;
	struct look look;
	look_begin_stale(&c, &look, follower, 2);
	cr_expect_not(ord_reads_have_stale(&r->reads));
	look_wait(&c, &look);
	cr_expect_eq(look.err, ORD_OK);
}

/* Fenced between question and answer. */
Test(engine_reads, what_waits_at_a_replica_that_is_fenced_is_told_so)
{
	uint32_t partition = partition_of(2);
	unsigned follower = ((unsigned)node_cluster_leader(&c, partition) + 1) % NODE_CLUSTER_NODES;
	struct ord_replica *r = &c.nodes[follower].engine->replicas[partition];
	struct look look;
	look_begin_stale(&c, &look, follower, 2);
	cr_expect(ord_reads_have_stale(&r->reads));
	r->fence.state = ORD_FENCE_FENCED;
	look_wait(&c, &look);
	cr_expect_eq(look.err, ORD_ERR_NOT_LEADER);
}

Test(engine_reads, nonsense_from_a_peer_is_refused)
{
	uint8_t bytes[44] = {1, 1, 1};
	bytes[8] = 2;
	bytes[16] = 1;
	bytes[24] = 1;
	struct ord_engine *e = c.nodes[0].engine;
	cr_expect_eq(ord_engine_receive(e, 2, ORD_PART_CONFIRM, ord_slice_of(bytes, sizeof bytes)), ORD_OK);
	cr_expect_eq(ord_engine_receive(e, 3, ORD_PART_CONFIRM, ord_slice_of(bytes, sizeof bytes)), ORD_ERR_FORMAT);
	cr_expect_eq(ord_engine_receive(e, 2, ORD_PART_CONFIRM, ord_slice_of(bytes, 43)), ORD_ERR_FORMAT);
	bytes[32] = PARTITIONS;
	cr_expect_eq(ord_engine_receive(e, 2, ORD_PART_CONFIRM, ord_slice_of(bytes, sizeof bytes)), ORD_ERR_FORMAT);
}
