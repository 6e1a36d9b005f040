/* SPDX-License-Identifier: Apache-2.0 - calls of clients. */
#include "tests/support/node_calls.h"

#include <criterion/criterion.h>
#include <msgpack.h>
#include <stdio.h>

#include "base/err.h"
#include "node/query.h"
#include "partition/route.h"

struct call calls[CALLS_MAX];
size_t calls_count;
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
	call->maybe_logged |= a->err != ORD_ERR_NOT_LEADER && a->err != ORD_ERR_BUSY && a->err != ORD_ERR_NO_SPACE;
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

struct ord_slice account_name(char text[16], unsigned number)
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

struct call *call_transfer(unsigned payer, unsigned payee, int64_t amount)
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

struct call *call_claim(unsigned name, unsigned owner)
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
void call_send_for(struct node_cluster *c, struct call *call, unsigned place, enum ord_wait wait, uint64_t patience_ms)
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

void call_send(struct node_cluster *c, struct call *call, unsigned place, enum ord_wait wait)
{
	call_send_for(c, call, place, wait, WAIT_MS);
}

void calls_wait(struct node_cluster *c)
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
	calls_wait(c);
	for (size_t i = 0; i < calls_count; i++)
		cr_assert_eq(calls[i].decided, ORD_STATUS_SETTLED, "%s", ord_err_text(calls[i].last_err));
}

uint32_t call_home(const struct call *call)
{
	return ord_route_command(&call->command, PARTITIONS);
}

void calls_start_stored(struct node_cluster *c, uint64_t seed, struct node_states *states)
{
	calls_count = 0;
	memset(known, 0, sizeof known);
	node_cluster_open_stored(c, PARTITIONS, seed, states);
	node_cluster_wait_ready(c);
	open_accounts(c);
}

void calls_start(struct node_cluster *c, uint64_t seed)
{
	calls_start_stored(c, seed, NULL);
}

/* A follower of the call's partition. */
unsigned call_follower(const struct node_cluster *c, const struct call *call)
{
	return (unsigned)(node_cluster_leader(c, call_home(call)) + 1) % NODE_CLUSTER_NODES;
}

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
	look->postings = postings;
}

/* Asks for the account at the node, whatever the answer must show. */
static void look_send(struct node_cluster *c, struct look *look, unsigned place, bool may_be_stale,
		      uint64_t patience_ms)
{
	char name[16];
	struct ord_engine *e = c->nodes[place].engine;
	struct ord_query q = {
		.kind = ORD_QUERY_ACCOUNT, .account = account_name(name, look->account), .may_be_stale = may_be_stale};
	struct ord_bytes query;
	ord_bytes_init(&query, 256);
	ord_query_encode(&q, &query);
	inside = true;
	ord_engine_read(e, ord_route_account(q.account, PARTITIONS), ord_bytes_slice(&query),
			ord_engine_now_ms(e) + patience_ms, &look->waiter, 0);
	inside = false;
	ord_bytes_close(&query);
}

/* Begins to read the account at the node. */
void look_begin_for(struct node_cluster *c, struct look *look, unsigned place, unsigned account, uint64_t patience_ms)
{
	*look = (struct look){.waiter = {.answer = look_answer}, .account = account};
	look->postings_least = known[account].postings_told > known[account].postings_read
				       ? known[account].postings_told
				       : known[account].postings_read;
	look_send(c, look, place, false, patience_ms);
}

void look_begin_stale(struct node_cluster *c, struct look *look, unsigned place, unsigned account)
{
	*look = (struct look){.waiter = {.answer = look_answer}, .account = account};
	look_send(c, look, place, true, WAIT_MS);
}

void look_begin(struct node_cluster *c, struct look *look, unsigned place, unsigned account)
{
	look_begin_for(c, look, place, account, WAIT_MS);
}

void look_wait(struct node_cluster *c, const struct look *look)
{
	for (unsigned step = 0; step < 2 * WAIT_MS && !look->answered; step++)
		node_cluster_step(c);
	cr_assert(look->answered);
}
