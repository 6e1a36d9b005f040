/* SPDX-License-Identifier: Apache-2.0 - storms: each request once, each answer true, while nodes crash, come back, are cut off and sleep. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/node_calls.h"

#define LOOKS 64

static struct look looks[LOOKS];

static void storm_call(struct node_cluster *c)
{
	struct random *r = &c->random;
	struct ord_fault fault;
	struct call *call =
		random_chance(r, 70)
			? call_transfer((unsigned)random_below(r, ACCOUNTS), (unsigned)random_below(r, ACCOUNTS + 2),
					1 + (int64_t)random_below(r, 400))
			: call_claim((unsigned)random_below(r, 200), (unsigned)random_below(r, 9));
	if (ord_command_check(&call->command, &fault) == ORD_OK)
		call_send_for(c, call, (unsigned)random_below(r, NODE_CLUSTER_NODES), ORD_WAIT_SETTLED,
			      random_chance(r, 80) ? WAIT_MS : 1 + random_below(r, 200));
	else
		calls_count--;
}

static void storm_look(struct node_cluster *c)
{
	struct look *look = &looks[random_below(&c->random, LOOKS)];
	unsigned place = (unsigned)random_below(&c->random, NODE_CLUSTER_NODES);
	if (look->answered && c->nodes[place].engine != NULL)
		look_begin(c, look, place, (unsigned)random_below(&c->random, ACCOUNTS));
}

static void storm_faults(struct node_cluster *c)
{
	struct random *r = &c->random;
	unsigned place = (unsigned)random_below(r, NODE_CLUSTER_NODES);
	unsigned other = (unsigned)random_below(r, NODE_CLUSTER_NODES);
	if (random_below(r, 1500) == 0 && c->nodes[place].engine != NULL)
		node_cluster_crash(c, place);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		if (c->nodes[i].engine == NULL && random_below(r, 500) == 0)
			node_cluster_restart(c, i);
	if (random_below(r, 800) == 0)
		c->cut[place][other] = random_chance(r, 40);
	if (random_below(r, 2000) == 0 && c->nodes[place].engine != NULL)
		c->nodes[place].paused_until_ms = c->now_ms + random_below(r, 1500);
	if (random_below(r, 2000) == 0)
		c->nodes[place].sync_ms_max = 1 + (unsigned)random_below(r, random_chance(r, 30) ? 300 : 5);
	if (random_below(r, 2000) == 0)
		node_cluster_reconnect(c, place, other);
}

/* Random calls while nodes crash, come back, are cut off and sleep. */
static void storm(struct node_cluster *c, unsigned steps)
{
	struct random *r = &c->random;
	for (unsigned step = 0; step < steps; step++) {
		if (calls_count < CALLS_MAX && random_chance(r, 30))
			storm_call(c);
		if (random_chance(r, 10))
			storm_look(c);
		if (random_chance(r, 5)) {
			struct call *again = &calls[random_below(r, calls_count)];
			if (again->outstanding < 4)
				call_send(c, again, (unsigned)random_below(r, NODE_CLUSTER_NODES),
					  random_chance(r, 50) ? ORD_WAIT_SETTLED : ORD_WAIT_LOGGED);
		}
		storm_faults(c);
		node_cluster_step(c);
	}
}

static void storm_end(struct node_cluster *c)
{
	c->loss_percent = 0;
	memset(c->cut, 0, sizeof c->cut);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		c->nodes[i].sync_ms_max = 3;
		c->nodes[i].paused_until_ms = 0;
		if (c->nodes[i].engine == NULL)
			node_cluster_restart(c, i);
	}
	calls_wait(c);
	for (unsigned i = 0; i < LOOKS; i++)
		look_wait(c, &looks[i]);
	node_cluster_wait_ready(c);
}

/* NOT_LEADER and BUSY are a promise: the command is in no log and will be in none. */
static void check_never_logged(struct node_cluster *c)
{
	node_cluster_steps(c, 2000);
	for (size_t i = 0; i < calls_count; i++) {
		struct ord_request_view view;
		struct ord_partition *home = ord_engine_partition(c->nodes[0].engine, call_home(&calls[i]));
		if (calls[i].answers_count > 0 && !calls[i].maybe_logged)
			cr_assert_eq(ord_partition_request(home, &calls[i].command.request_id, &view),
				     ORD_ERR_NOT_FOUND, "call %zu was told that it is not logged, and it is", i);
	}
}

/* Liveness: with faults over, every request gets its outcome, for who asks again when leadership moves. */
static void ask_until_decided(struct node_cluster *c, uint64_t seed)
{
	size_t undecided = 1;
	for (unsigned round = 0; undecided > 0; round++) {
		cr_assert(round < 5, "seed %llu: %zu calls have no outcome", (unsigned long long)seed, undecided);
		for (size_t i = 0; i < calls_count; i++)
			if (round == 0 || calls[i].decided == 0)
				call_send(c, &calls[i], (unsigned)(i % NODE_CLUSTER_NODES), ORD_WAIT_SETTLED);
		calls_wait(c);
		undecided = 0;
		for (size_t i = 0; i < calls_count; i++)
			undecided += calls[i].decided == 0;
	}
}

static void storm_run(uint64_t seed)
{
	struct node_cluster c;
	calls_start(&c, seed);
	for (unsigned i = 0; i < LOOKS; i++)
		looks[i].answered = true;
	c.loss_percent = 2;
	storm(&c, 12000);
	storm_end(&c);
	check_never_logged(&c);
	ask_until_decided(&c, seed);
	node_cluster_steps(&c, 3000);
	node_cluster_check(&c);
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		struct ord_replica_status status;
		ord_engine_replica_status(c.nodes[0].engine, i, &status);
		cr_assert_eq(status.state.outbox_count, 0, "what was applied is not kept for ever");
		cr_assert_eq(status.state.unsettled_count, 0);
	}
	node_cluster_close(&c);
}

/* STORM_SEEDS=first:count in the environment looks for others. */
Test(storm, every_request_once_through_crashes_and_losses, .timeout = 600)
{
	unsigned long long first = 100, count = 12;
	const char *seeds = getenv("STORM_SEEDS");
	if (seeds != NULL)
		cr_assert_eq(sscanf(seeds, "%llu:%llu", &first, &count), 2);
	for (uint64_t seed = first; seed < first + count; seed++)
		storm_run(seed);
}
