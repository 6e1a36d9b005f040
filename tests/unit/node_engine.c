/* SPDX-License-Identifier: Apache-2.0 - the engine's promises over three nodes: each request once, each answer true, whatever is lost or crashes. */
#include <criterion/criterion.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
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
	unsigned accounts[2]; /* of a transfer: payer and payee */
	unsigned outstanding;
	unsigned answers_count;
	bool maybe_logged; /* some answer was neither NOT_LEADER nor BUSY */
	int last_err;
	struct ord_result last;	 /* of the last ORD_OK answer */
	enum ord_status decided; /* SETTLED or REJECTED once told */
	enum ord_refusal reason;
};

static struct call calls[CALLS_MAX];
static size_t calls_count;
static bool inside; /* a submit or read */

/* What everybody may know of an account: a read that begins later must not show less. */
static struct {
	uint64_t postings_told; /* by transfers that were told to be settled */
	uint64_t postings_read;
} known[ACCOUNTS + 2];

static void call_decide(struct call *call, const struct ord_result *result)
{
	call->decided = result->status;
	call->reason = result->reason;
	if (call->command.kind != ORD_COMMAND_TRANSFER || result->status != ORD_STATUS_SETTLED)
		return;
	known[call->accounts[0]].postings_told++;
	known[call->accounts[1]].postings_told++;
}

static void call_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct call *call = (struct call *)w;
	cr_assert_eq(item, (uint32_t)(call - calls));
	cr_assert_not(inside, "answered from inside submit");
	cr_assert_gt(call->outstanding, 0);
	call->outstanding--;
	call->answers_count++;
	call->last_err = a->err;
	call->maybe_logged |= a->err != ORD_ERR_NOT_LEADER && a->err != ORD_ERR_BUSY;
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
		return;
	}
	call_decide(call, &a->result);
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
	call->accounts[0] = payer;
	call->accounts[1] = payee;
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

/* Deadlines are by the node's own clock, which stands still while it is paused. */
static void call_send_for(struct node_cluster *c, struct call *call, unsigned place, enum ord_wait wait,
			  uint64_t patience_ms)
{
	struct ord_engine *e = c->nodes[place].engine;
	if (e == NULL)
		return;
	call->outstanding++;
	inside = true;
	ord_engine_submit(e, &call->command, wait, ord_engine_now_ms(e) + patience_ms, &call->waiter,
			  (uint32_t)(call - calls));
	inside = false;
}

static void call_send(struct node_cluster *c, struct call *call, unsigned place, enum ord_wait wait)
{
	call_send_for(c, call, place, wait, WAIT_MS);
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

/* A read of an account under way, and what it gave. */
struct look {
	struct ord_waiter waiter; /* first */
	unsigned account;
	uint64_t postings_least; /* that it must show */
	bool answered;
	int err;
	uint8_t body[512];
	size_t body_bytes;
};

static uint64_t postings_in(struct ord_slice body)
{
	msgpack_unpacked unpacked;
	uint64_t count = UINT64_MAX;
	msgpack_unpacked_init(&unpacked);
	cr_assert_eq(msgpack_unpack_next(&unpacked, body.base, body.len, NULL), MSGPACK_UNPACK_SUCCESS);
	cr_assert_eq(unpacked.data.type, MSGPACK_OBJECT_MAP);
	const msgpack_object_map *map = &unpacked.data.via.map;
	for (uint32_t i = 0; i < map->size; i++) {
		const msgpack_object_str *key = &map->ptr[i].key.via.str;
		if (ord_slice_equal(ord_slice_of(key->ptr, key->size), ord_slice_text("postings")))
			count = map->ptr[i].val.via.u64;
	}
	cr_assert_neq(count, UINT64_MAX);
	msgpack_unpacked_destroy(&unpacked);
	return count;
}

static void look_answer(struct ord_waiter *w, uint32_t item, const struct ord_answer *a)
{
	struct look *look = (struct look *)w;
	(void)item;
	cr_assert_not(inside, "answered from inside read");
	cr_assert_not(look->answered);
	look->answered = true;
	look->err = a->err;
	cr_assert_leq(a->body.len, sizeof look->body);
	look->body_bytes = a->body.len;
	if (a->body.len == 0)
		return;
	memcpy(look->body, a->body.base, a->body.len);
	uint64_t postings = postings_in(a->body);
	cr_assert_geq(postings, look->postings_least,
		      "a read of account %u shows %llu postings: %llu were known before it began", look->account,
		      (unsigned long long)postings, (unsigned long long)look->postings_least);
	if (postings > known[look->account].postings_read)
		known[look->account].postings_read = postings;
}

/* Begins to read the account at the node. */
static void look_begin_for(struct node_cluster *c, struct look *look, unsigned place, unsigned account,
			   uint64_t patience_ms)
{
	char name[16];
	struct ord_engine *e = c->nodes[place].engine;
	struct ord_query q = {.kind = ORD_QUERY_ACCOUNT, .account = account_name(name, account)};
	struct ord_bytes query;
	ord_bytes_init(&query, 256);
	ord_query_encode(&q, &query);
	*look = (struct look){.waiter = {.answer = look_answer}, .account = account};
	look->postings_least = known[account].postings_told > known[account].postings_read
				       ? known[account].postings_told
				       : known[account].postings_read;
	inside = true;
	ord_engine_read(e, ord_route_account(q.account, PARTITIONS), ord_bytes_slice(&query),
			ord_engine_now_ms(e) + patience_ms, &look->waiter, 0);
	inside = false;
	ord_bytes_close(&query);
}

static void look_begin(struct node_cluster *c, struct look *look, unsigned place, unsigned account)
{
	look_begin_for(c, look, place, account, WAIT_MS);
}

static void look_wait(struct node_cluster *c, const struct look *look)
{
	for (unsigned step = 0; step < 2 * WAIT_MS && !look->answered; step++)
		node_cluster_step(c);
	cr_assert(look->answered);
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
		look_wait(&c, &look);
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
	look_wait(&c, &look);
	if (look.err == ORD_OK)
		expect_state_at(&c, &look, other, 2);
	node_cluster_close(&c);
}

/* --- Promises about single calls. --- */

static uint32_t home_of(const struct call *call)
{
	return ord_route_command(&call->command, PARTITIONS);
}

static void cut_off(struct node_cluster *c, unsigned place, bool cut)
{
	for (unsigned i = 0; i < NODE_CLUSTER_NODES; i++) {
		c->cut[place][i] = cut;
		c->cut[i][place] = cut;
	}
}

static void start(struct node_cluster *c, uint64_t seed)
{
	calls_count = 0;
	memset(known, 0, sizeof known);
	node_cluster_open(c, PARTITIONS, seed);
	node_cluster_wait_ready(c);
	open_accounts(c);
}

/* Whoever waits is told when leadership is lost, long before the deadline: for a place in the log, an outcome, or a read. */
Test(engine, who_waits_is_told_at_once_when_leadership_is_lost)
{
	struct node_cluster c;
	start(&c, 6);
	c.lost_kind = ORD_PART_DELIVER; /* no outcome comes */
	struct call *settling = call_transfer(0, 2, 1);
	while (ord_route_account(settling->command.transfer.payer, PARTITIONS) == home_of(settling))
		settling = call_transfer(0, 2, 1);
	unsigned old = (unsigned)node_cluster_leader(&c, home_of(settling));
	call_send_for(&c, settling, old, ORD_WAIT_SETTLED, 60000);
	step_many(&c, 50);
	cr_assert_eq(settling->outstanding, 1);
	cut_off(&c, old, true);
	struct call *logging = call_transfer(0, 2, 1);
	while (home_of(logging) != home_of(settling))
		logging = call_transfer(0, 2, 1);
	call_send_for(&c, logging, old, ORD_WAIT_SETTLED, 60000);
	struct call *waiting = call_transfer(0, 2, 1);
	while (home_of(waiting) != home_of(settling))
		waiting = call_transfer(0, 2, 1);
	step_many(&c, 5); /* the first is proposed, the second one waits behind it */
	call_send_for(&c, waiting, old, ORD_WAIT_SETTLED, 60000);
	step_many(&c, 3000);
	cr_assert(settling->outstanding == 0 && logging->outstanding == 0 && waiting->outstanding == 0);
	cr_assert_eq(settling->last_err, ORD_ERR_UNKNOWN);
	cr_assert_eq(logging->last_err, ORD_ERR_UNKNOWN);
	cr_assert_eq(waiting->last_err, ORD_ERR_NOT_LEADER);
	node_cluster_close(&c);
}

/* A follower of the call's partition. */
static unsigned follower_of(const struct node_cluster *c, const struct call *call)
{
	return (unsigned)(node_cluster_leader(c, home_of(call)) + 1) % NODE_CLUSTER_NODES;
}

Test(engine, a_command_that_was_passed_on_to_a_lost_node_is_unknown_and_a_read_is_asked_again)
{
	struct node_cluster c;
	start(&c, 7);
	struct call *call = call_transfer(0, 2, 1);
	unsigned place = follower_of(&c, call);
	call_send(&c, call, place, ORD_WAIT_SETTLED);
	char name[16];
	uint32_t partition = ord_route_account(account_name(name, 2), PARTITIONS);
	unsigned leader = (unsigned)node_cluster_leader(&c, partition);
	struct look look;
	look_begin(&c, &look, (leader + 1) % NODE_CLUSTER_NODES, 2);
	node_cluster_reconnect(&c, place, (unsigned)node_cluster_leader(&c, home_of(call)));
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
	start(&c, 8);
	for (unsigned round = 0; round < 20; round++) {
		struct call *call = call_transfer(0, 2, 1);
		unsigned place = follower_of(&c, call);
		unsigned leader = (unsigned)node_cluster_leader(&c, home_of(call));
		call_send(&c, call, place, ORD_WAIT_SETTLED);
		step_many(&c, 4); /* logged by now, not yet settled */
		node_cluster_crash(&c, place);
		node_cluster_restart(&c, place);
		node_cluster_wait_ready(&c);
		for (unsigned i = 0; i < 200 && node_cluster_leader(&c, home_of(call)) == (int)leader; i++)
			node_cluster_step(&c);
		wait_answered(&c);
		struct call *claim = call_claim(round, 1);
		call_send(&c, claim, place, ORD_WAIT_SETTLED);
		wait_answered(&c);
		cr_assert(claim->last_err != ORD_OK || claim->last.status == ORD_STATUS_SETTLED);
	}
	node_cluster_close(&c);
}

Test(engine, a_call_without_a_way_is_given_up_at_its_deadline)
{
	struct node_cluster c;
	start(&c, 9);
	node_cluster_crash(&c, 0);
	node_cluster_crash(&c, 1);
	step_many(&c, 2000); /* nobody leads */
	uint64_t begin_ms = c.now_ms;
	struct call *call = call_transfer(0, 2, 1);
	struct look look;
	call_send_for(&c, call, 2, ORD_WAIT_SETTLED, 700);
	look_begin(&c, &look, 2, 2);
	while (call->outstanding > 0)
		node_cluster_step(&c);
	cr_assert_eq(call->last_err, ORD_ERR_NOT_LEADER);
	cr_assert_geq(c.now_ms, begin_ms + 700);
	cr_assert_leq(c.now_ms, begin_ms + 900);
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
	start(&c, 13);
	char name[16];
	uint32_t partition = ord_route_account(account_name(name, 2), PARTITIONS);
	unsigned leader = (unsigned)node_cluster_leader(&c, partition);
	step_many(&c, 1000);
	cut_off(&c, leader, true);
	struct call *logging = call_transfer(0, 2, 1);
	while (home_of(logging) != partition)
		logging = call_transfer(0, 2, 1);
	struct call *waiting = call_transfer(0, 2, 1);
	while (home_of(waiting) != partition)
		waiting = call_transfer(0, 2, 1);
	struct look with_entry, waits;
	uint64_t begin_ms = c.now_ms;
	call_send_for(&c, logging, leader, ORD_WAIT_LOGGED, 120);
	look_begin_for(&c, &with_entry, leader, 2, 120);
	step_many(&c, 2);
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
	start(&c, 14);
	for (unsigned round = 0; round < 5; round++) {
		struct call *call = call_transfer(0, 2, 1);
		unsigned place = follower_of(&c, call);
		unsigned leader = (unsigned)node_cluster_leader(&c, home_of(call));
		node_cluster_crash(&c, leader);
		node_cluster_restart(&c, leader); /* the others have not noticed */
		call_send(&c, call, place, ORD_WAIT_SETTLED);
		wait_answered(&c);
		cr_assert_eq(call->last_err, ORD_OK, "%s", ord_err_text(call->last_err));
		node_cluster_wait_ready(&c);
	}
	node_cluster_close(&c);
}

/* A new leader of the destination says that it takes messages: what was under way to the old one comes at once and not after a time-out. */
Test(engine, delivery_goes_on_as_soon_as_the_destination_has_a_leader)
{
	struct node_cluster c;
	start(&c, 15);
	for (unsigned round = 0; round < 8; round++) {
		struct call *call = call_transfer(0, 2, 1);
		uint32_t payers = ord_route_account(call->command.transfer.payer, PARTITIONS);
		int old = node_cluster_leader(&c, payers);
		while (node_cluster_leader(&c, home_of(call)) == old)
			call = call_transfer(0, 2, 1);
		cut_off(&c, (unsigned)old, true);
		call_send_for(&c, call, (unsigned)node_cluster_leader(&c, home_of(call)), ORD_WAIT_SETTLED, 60000);
		while (node_cluster_leader(&c, payers) == old || node_cluster_leader(&c, payers) < 0)
			node_cluster_step(&c);
		/* The old one may not know yet that it is none: look for one that the others elected. */
		step_many(&c, 250);
		cr_assert_eq(call->last.status, ORD_STATUS_SETTLED, "round %u", round);
		cut_off(&c, (unsigned)old, false);
		step_many(&c, 1000);
		node_cluster_wait_ready(&c);
	}
	node_cluster_close(&c);
}

Test(engine, a_wait_for_an_outcome_ends_at_its_deadline_with_what_is_known)
{
	struct node_cluster c;
	start(&c, 10);
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
	for (size_t i = 0; i < calls_count; i++)
		call_send(&c, &calls[i], 0, ORD_WAIT_SETTLED);
	wait_answered(&c);
	for (size_t i = 0; i < calls_count; i++)
		cr_assert_eq(calls[i].decided, ORD_STATUS_SETTLED);
	node_cluster_close(&c);
}

Test(engine, a_call_after_stop_is_answered_before_the_end)
{
	struct node_cluster c;
	start(&c, 11);
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

/* --- Parts that no sound node sends. --- */

static struct ord_bytes part;

static void expect_format(struct node_cluster *c, enum ord_part_kind kind)
{
	cr_assert_eq(ord_engine_receive(c->nodes[0].engine, 2, kind, ord_bytes_slice(&part)), ORD_ERR_FORMAT);
	ord_bytes_clear(&part);
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
	put_deliver(0, 1, 2, ord_bytes_slice(&messages));
	expect_format(c, ORD_PART_DELIVER);
	ord_bytes_put_u8(&messages, 1);
	put_deliver(0, 1, 1, ord_bytes_slice(&messages));
	expect_format(c, ORD_PART_DELIVER);
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

Test(engine, parts_that_make_no_sense_change_nothing)
{
	struct node_cluster c;
	start(&c, 17);
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
	ord_bytes_close(&part);
	for (unsigned i = 0; i < 20; i++)
		call_send(&c, call_transfer(0, 2, 1), i % NODE_CLUSTER_NODES, ORD_WAIT_SETTLED);
	wait_answered(&c);
	for (size_t i = 0; i < calls_count; i++)
		cr_assert(calls[i].answers_count == 0 || calls[i].decided == ORD_STATUS_SETTLED);
	step_many(&c, 1000);
	node_cluster_check(&c);
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
	start(&c, 16);
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
	start(&c, 12);
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
		step_many(&c, 15);
	}
	step_many(&c, 100);
	cr_assert_eq(many.others_count, 0);
	cr_assert_eq(many.accepted_count + many.busy_count, sent);
	cr_assert_geq(many.accepted_count, ORD_UNSETTLED_MAX);
	cr_assert_leq(many.accepted_count, ORD_UNSETTLED_MAX + ORD_UNSETTLED_MAX / 10);
	uint64_t sent_bytes = c.sent_bytes[ORD_PART_DELIVER];
	step_many(&c, 1000);
	sent_bytes = c.sent_bytes[ORD_PART_DELIVER] - sent_bytes;
	cr_assert_gt(sent_bytes, 0, "it is tried again");
	cr_assert_lt(sent_bytes, 4ull * ORD_DELIVER_WINDOW_MESSAGES * 128, "and within the window");
	struct call *claim = call_claim(0, 1);
	while (home_of(claim) != home)
		claim = call_claim((unsigned)calls_count, 1);
	call_send(&c, claim, 0, ORD_WAIT_SETTLED);
	wait_answered(&c);
	cr_assert_eq(claim->last.status, ORD_STATUS_SETTLED, "what leaves nothing unsettled is not refused");
	node_cluster_close(&c);
}

/* --- Storms. --- */

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
	wait_answered(c);
	for (unsigned i = 0; i < LOOKS; i++)
		look_wait(c, &looks[i]);
	node_cluster_wait_ready(c);
}

/* NOT_LEADER and BUSY are a promise: the command is in no log and will be in none. */
static void check_never_logged(struct node_cluster *c)
{
	step_many(c, 2000);
	for (size_t i = 0; i < calls_count; i++) {
		struct ord_request_view view;
		const struct ord_partition *home = ord_engine_partition(c->nodes[0].engine, home_of(&calls[i]));
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
		wait_answered(c);
		undecided = 0;
		for (size_t i = 0; i < calls_count; i++)
			undecided += calls[i].decided == 0;
	}
}

static void storm_run(uint64_t seed)
{
	struct node_cluster c;
	start(&c, seed);
	for (unsigned i = 0; i < LOOKS; i++)
		looks[i].answered = true;
	c.loss_percent = 2;
	storm(&c, 12000);
	storm_end(&c);
	check_never_logged(&c);
	ask_until_decided(&c, seed);
	step_many(&c, 3000);
	node_cluster_check(&c);
	for (uint32_t i = 0; i < PARTITIONS; i++) {
		struct ord_replica_status status;
		ord_engine_replica_status(c.nodes[0].engine, i, &status);
		cr_assert_eq(status.state.outbox_count, 0, "what was applied is not kept for ever");
		cr_assert_eq(status.state.unsettled_count, 0);
	}
	node_cluster_close(&c);
}

Test(engine, every_request_once_through_crashes_and_losses, .timeout = 120)
{
	for (uint64_t seed = 100; seed < 112; seed++)
		storm_run(seed);
}
