/* SPDX-License-Identifier: Apache-2.0 - the engine's promises over three nodes: each request once, each answer true, whatever is lost or crashes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "node/query.h"
#include "partition/route.h"
#include "tests/support/node_cluster.h"

#define PARTITIONS 5
#define ACCOUNTS 12
#define CALLS_MAX 4000
#define WAIT_MS 3000

/* One request and everything that was ever told of it. */
struct call {
	struct ord_waiter waiter; /* first */
	struct ord_command command;
	char names[4][16];
	unsigned outstanding;
	unsigned answers_count;
	int last_err;
	struct ord_result last;	 /* of the last ORD_OK answer */
	enum ord_status decided; /* SETTLED or REJECTED once told */
	enum ord_refusal reason;
};

static struct call calls[CALLS_MAX];
static size_t calls_count;

static void call_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct call *call = (struct call *)w;
	cr_assert_eq(item, (uint32_t)(call - calls));
	cr_assert_gt(call->outstanding, 0);
	call->outstanding--;
	call->answers_count++;
	call->last_err = a->err;
	if (a->err != ORD_OK)
		return;
	call->last = a->result;
	if (a->result.status == ORD_STATUS_ACCEPTED || a->result.reason == ORD_REFUSAL_ID_REUSED)
		return;
	if (call->decided != 0) {
		cr_assert_eq(call->decided, a->result.status,
			     "call %u: an outcome that was told has changed: status %d reason %s, now %d %s", item,
			     (int)call->decided, ord_refusal_name(call->reason), (int)a->result.status,
			     ord_refusal_name(a->result.reason));
		cr_assert_eq(call->reason, a->result.reason, "a reason that was told has changed");
	}
	call->decided = a->result.status;
	call->reason = a->result.reason;
}

static struct call *call_new(void)
{
	cr_assert(calls_count < CALLS_MAX);
	struct call *call = &calls[calls_count++];
	*call = (struct call){.waiter = {.answer = call_answer}};
	call->command.request_id.bytes[0] = 1;
	memcpy(&call->command.request_id.bytes[8], &calls_count, sizeof calls_count);
	return call;
}

static struct ord_slice account_name(char text[16], unsigned number)
{
	snprintf(text, 16, "account-%u", number);
	return ord_slice_text(text);
}

static struct call *call_open_account(unsigned number)
{
	struct call *call = call_new();
	call->command.kind = ORD_COMMAND_OPEN_ACCOUNT;
	call->command.open_account = (struct ord_open_account){.account = account_name(call->names[0], number),
							       .asset = ord_slice_text("EUR"),
							       .floor = number == 0 ? -1000000 : 0,
							       .ceiling = number == 1 ? 5000 : INT64_MAX};
	return call;
}

static struct call *call_transfer(unsigned payer, unsigned payee, int64_t amount)
{
	struct call *call = call_new();
	call->command.kind = ORD_COMMAND_TRANSFER;
	call->command.transfer = (struct ord_transfer){.payer = account_name(call->names[0], payer),
						       .payee = account_name(call->names[1], payee),
						       .asset = ord_slice_text("EUR"),
						       .amount = amount};
	return call;
}

static struct call *call_claim(unsigned name, unsigned owner)
{
	struct call *call = call_new();
	snprintf(call->names[0], sizeof call->names[0], "name-%u", name);
	snprintf(call->names[1], sizeof call->names[1], "owner-%u", owner);
	call->command.kind = ORD_COMMAND_CLAIM;
	call->command.naming = (struct ord_naming){.space = ord_slice_text("users"),
						   .name = ord_slice_text(call->names[0]),
						   .owner = ord_slice_text(call->names[1])};
	return call;
}

static void call_send(struct node_cluster *c, struct call *call, unsigned place, enum ord_wait wait)
{
	if (c->nodes[place].engine == NULL)
		return;
	call->outstanding++;
	ord_engine_submit(c->nodes[place].engine, &call->command, wait, c->now_ms + WAIT_MS, &call->waiter,
			  (uint32_t)(call - calls));
}

static void wait_answered(struct node_cluster *c)
{
	for (size_t i = 0; i < calls_count;) {
		if (calls[i].outstanding == 0) {
			i++;
			continue;
		}
		uint64_t deadline_ms = c->now_ms + 2 * WAIT_MS;
		while (calls[i].outstanding > 0) {
			node_cluster_step(c);
			cr_assert(c->now_ms < deadline_ms, "call %zu is not answered long after its deadline", i);
		}
	}
}

static void open_accounts(struct node_cluster *c)
{
	for (unsigned i = 0; i < ACCOUNTS; i++)
		call_send(c, call_open_account(i), i % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
	wait_answered(c);
	for (size_t i = 0; i < calls_count; i++)
		cr_assert_eq(calls[i].decided, ORD_STATUS_SETTLED, "%s", ord_err_text(calls[i].last_err));
}

static void step_many(struct node_cluster *c, unsigned steps)
{
	while (steps-- > 0)
		node_cluster_step(c);
}

Test(engine, a_transfer_settles_through_any_node)
{
	struct node_cluster c;
	node_cluster_open(&c, PARTITIONS, 1);
	node_cluster_wait_ready(&c);
	open_accounts(&c);
	for (unsigned place = 0; place < NODE_CLUSTER_NODES; place++) {
		struct call *call = call_transfer(0, 2, 100);
		call_send(&c, call, place, ORD_WAIT_SETTLED);
		wait_answered(&c);
		cr_assert_eq(call->last_err, ORD_OK, "%s", ord_err_text(call->last_err));
		cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
		cr_assert_not(call->last.replayed);
		call_send(&c, call, (place + 1) % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
		wait_answered(&c);
		cr_assert(call->last.replayed);
	}
	step_many(&c, 2000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

Test(engine, a_logged_wait_is_answered_before_the_outcome)
{
	struct node_cluster c;
	node_cluster_open(&c, PARTITIONS, 2);
	node_cluster_wait_ready(&c);
	open_accounts(&c);
	struct call *call = call_transfer(0, 3, 7);
	call_send(&c, call, 0, ORD_WAIT_LOGGED);
	wait_answered(&c);
	cr_assert_eq(call->last_err, ORD_OK);
	uint32_t home = ord_route_request(&call->command.request_id, PARTITIONS);
	if (ord_route_account(call->command.transfer.payer, PARTITIONS) != home)
		cr_assert_eq(call->last.status, ORD_STATUS_ACCEPTED);
	call_send(&c, call, 1, ORD_WAIT_SETTLED);
	wait_answered(&c);
	cr_assert_eq(call->decided, ORD_STATUS_SETTLED);
	cr_assert(call->last.replayed);
	node_cluster_close(&c);
}

Test(engine, without_a_majority_calls_are_answered_in_time)
{
	struct node_cluster c;
	node_cluster_open(&c, PARTITIONS, 3);
	node_cluster_wait_ready(&c);
	open_accounts(&c);
	node_cluster_crash(&c, 0);
	node_cluster_crash(&c, 1);
	size_t first = calls_count;
	for (unsigned i = 0; i < 20; i++)
		call_send(&c, call_transfer(0, 2, 1), 2, ORD_WAIT_SETTLED);
	wait_answered(&c);
	for (size_t i = first; i < calls_count; i++)
		cr_assert(calls[i].last_err == ORD_ERR_UNKNOWN || calls[i].last_err == ORD_ERR_NOT_LEADER, "%s",
			  ord_err_text(calls[i].last_err));
	node_cluster_restart(&c, 0);
	node_cluster_restart(&c, 1);
	node_cluster_wait_ready(&c);
	for (size_t i = first; i < calls_count; i++)
		call_send(&c, &calls[i], 2, ORD_WAIT_SETTLED);
	wait_answered(&c);
	for (size_t i = first; i < calls_count; i++)
		cr_assert_eq(calls[i].decided, ORD_STATUS_SETTLED, "%s", ord_err_text(calls[i].last_err));
	step_many(&c, 2000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

/* A read under way, and what it gave. */
struct look {
	struct ord_waiter waiter; /* first */
	bool answered;
	int err;
	uint8_t body[512];
	size_t body_bytes;
};

static void look_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct look *look = (struct look *)w;
	(void)item;
	cr_assert_not(look->answered);
	look->answered = true;
	look->err = a->err;
	cr_assert_leq(a->body.len, sizeof look->body);
	look->body_bytes = a->body.len;
	if (a->body.len > 0)
		memcpy(look->body, a->body.base, a->body.len);
}

/* Begins to read the account's balance at the node. */
static void look_begin(struct node_cluster *c, struct look *look, unsigned place, unsigned account)
{
	char name[16];
	struct ord_query q = {.kind = ORD_QUERY_ACCOUNT, .account = account_name(name, account)};
	struct ord_bytes query;
	ord_bytes_init(&query, 256);
	ord_query_encode(&q, &query);
	*look = (struct look){.waiter = {.answer = look_answer}};
	ord_engine_read(c->nodes[place].engine, ord_route_account(q.account, PARTITIONS), ord_bytes_slice(&query),
			c->now_ms + WAIT_MS, &look->waiter, 0);
	ord_bytes_close(&query);
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
	node_cluster_open(&c, PARTITIONS, 4);
	node_cluster_wait_ready(&c);
	open_accounts(&c);
	char name[16];
	uint32_t partition = ord_route_account(account_name(name, 2), PARTITIONS);
	for (unsigned i = 0; i < 6; i++) {
		call_send(&c, call_transfer(0, 2, 10), i % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
		wait_answered(&c);
		struct look look;
		look_begin(&c, &look, (i + 1) % NODE_CLUSTER_NODES, 2);
		for (unsigned step = 0; step < WAIT_MS && !look.answered; step++)
			node_cluster_step(&c);
		cr_assert(look.answered);
		cr_assert_eq(look.err, ORD_OK);
		expect_state_at(&c, &look, (unsigned)node_cluster_leader(&c, partition), 2);
	}
	node_cluster_close(&c);
}

Test(engine, a_leader_that_was_cut_off_answers_no_stale_read)
{
	struct node_cluster c;
	node_cluster_open(&c, PARTITIONS, 5);
	node_cluster_wait_ready(&c);
	open_accounts(&c);
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
	for (unsigned step = 0; step < 2 * WAIT_MS && !look.answered; step++)
		node_cluster_step(&c);
	cr_assert(look.answered);
	if (look.err == ORD_OK)
		expect_state_at(&c, &look, other, 2);
	node_cluster_close(&c);
}

/* Random calls while nodes crash, come back and are cut off. */
static void storm(struct node_cluster *c, unsigned steps)
{
	struct random *r = &c->random;
	for (unsigned step = 0; step < steps; step++) {
		if (calls_count < CALLS_MAX && random_chance(r, 30)) {
			struct call *call =
				random_chance(r, 70)
					? call_transfer((unsigned)random_below(r, ACCOUNTS),
							(unsigned)random_below(r, ACCOUNTS + 2),
							1 + (int64_t)random_below(r, 400))
					: call_claim((unsigned)random_below(r, 200), (unsigned)random_below(r, 9));
			struct ord_fault fault;
			if (ord_command_check(&call->command, &fault) == ORD_OK)
				call_send(c, call, (unsigned)random_below(r, NODE_CLUSTER_NODES), ORD_WAIT_SETTLED);
			else
				calls_count--;
		}
		if (random_chance(r, 5)) {
			struct call *again = &calls[random_below(r, calls_count)];
			if (again->outstanding < 4)
				call_send(c, again, (unsigned)random_below(r, NODE_CLUSTER_NODES),
					  random_chance(r, 50) ? ORD_WAIT_SETTLED : ORD_WAIT_LOGGED);
		}
		if (random_below(r, 1500) == 0) {
			unsigned place = (unsigned)random_below(r, NODE_CLUSTER_NODES);
			if (c->nodes[place].engine != NULL)
				node_cluster_crash(c, place);
		}
		for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
			if (c->nodes[i].engine == NULL && random_below(r, 500) == 0)
				node_cluster_restart(c, i);
		if (random_below(r, 800) == 0)
			c->cut[random_below(r, NODE_CLUSTER_NODES)][random_below(r, NODE_CLUSTER_NODES)] =
				random_chance(r, 40);
		node_cluster_step(c);
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
		wait_answered(c);
		undecided = 0;
		for (size_t i = 0; i < calls_count; i++)
			undecided += calls[i].decided == 0;
	}
}

static void storm_run(uint64_t seed)
{
	struct node_cluster c;
	calls_count = 0;
	node_cluster_open(&c, PARTITIONS, seed);
	node_cluster_wait_ready(&c);
	open_accounts(&c);
	c.loss_percent = 2;
	storm(&c, 12000);
	c.loss_percent = 0;
	memset(c.cut, 0, sizeof c.cut);
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++)
		if (c.nodes[i].engine == NULL)
			node_cluster_restart(&c, i);
	wait_answered(&c);
	node_cluster_wait_ready(&c);
	ask_until_decided(&c, seed);
	step_many(&c, 3000);
	node_cluster_check(&c);
	node_cluster_close(&c);
}

Test(engine, every_request_once_through_crashes_and_losses, .timeout = 120)
{
	for (uint64_t seed = 100; seed < 112; seed++)
		storm_run(seed);
}
