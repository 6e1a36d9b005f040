/* SPDX-License-Identifier: Apache-2.0 - calls passed on to other nodes.
 *
 *   parked --a leader is known and reached--> sent --answered--> gone
 *      ^                                         |
 *      +------- ORD_ERR_NOT_LEADER, a read whose node was lost, or the partition has another leader now (the old one may be paused), or there is another way to it
 *
 *      handed to another shard of this node, which has the partition --answered--> gone
 *
 *      parked for as long as several elections take --> answered: this node may be the one that is cut off, and whoever asks can ask another one. It is when it reaches no majority: then after one
 *
 * A parked call of a partition that becomes led here is admitted here. A command whose node was lost is ORD_ERR_UNKNOWN: it may be logged. One that is
 * passed on again after it was sent and not answered is the same request, carried out once; but it can never again be said not to have been logged.
 */
#include "node/forward.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "node/engine_state.h"

/* What the waiter is told to wait after ORD_ERR_BUSY. */
#define FORWARD_BUSY_MS 100
/* So many election timeouts a call waits for a leader that can be reached: an election takes one to three. */
#define FORWARD_ELECTIONS 4
/* How much longer than the call's deadline an answer from another node is waited for. */
#define FORWARD_GRACE_MS 500

struct ord_forward_call {
	struct ord_table_link link; /* first */
	struct ord_forward_call *previous;
	struct ord_forward_call *next;
	struct ord_waiter *waiter; /* borrowed */
	uint64_t deadline_ms;
	uint64_t parked_ms; /* while it is parked: since when, or since when no leader could be reached */
	uint32_t item;
	uint32_t number; /* of the last attempt; another one each time */
	bool sent;
	uint32_t partition;
	uint32_t sent_to; /* node, 0: parked */
	enum ord_part_kind kind;
	enum ord_wait wait;
	bool maybe_logged; /* a command was sent and not answered NOT_LEADER */
	bool resent;	   /* it was sent to another node before, which has not answered */
	uint32_t body_bytes;
	uint8_t body[];
};

static bool call_has_number(const struct ord_table_link *link, const void *number)
{
	return ((const struct ord_forward_call *)link)->number == *(const uint32_t *)number;
}

static struct ord_forward_call *call_find(const struct ord_forward *f, uint32_t number)
{
	uint64_t hash = ord_hash64(&number, sizeof number);
	return (struct ord_forward_call *)ord_table_find(&f->calls, hash, &number, call_has_number);
}

int ord_forward_open(struct ord_forward *f, struct ord_engine *e)
{
	*f = (struct ord_forward){.engine = e};
	return ord_table_open(&f->calls);
}

void ord_forward_close(struct ord_forward *f)
{
	ORD_ASSERT(f->first == NULL);
	ord_table_close(&f->calls);
}

/* Takes the call out and frees it; nobody is answered. */
static void call_remove(struct ord_forward *f, struct ord_forward_call *call)
{
	ord_table_remove(&f->calls, &call->link);
	if (call->previous == NULL)
		f->first = call->next;
	else
		call->previous->next = call->next;
	if (call->next == NULL)
		f->last = call->previous;
	else
		call->next->previous = call->previous;
	free(call);
}

static void call_end(struct ord_forward *f, struct ord_forward_call *call, const struct ord_answer *a)
{
	struct ord_waiter *w = call->waiter;
	uint32_t item = call->item;
	call_remove(f, call);
	w->answer(w, item, a);
}

static void call_fail(struct ord_forward *f, struct ord_forward_call *call)
{
	struct ord_answer a = {.err = call->maybe_logged ? ORD_ERR_UNKNOWN : ORD_ERR_NOT_LEADER,
			       .partition = call->partition};
	call_end(f, call, &a);
}

/* What may be told of a call: of a command that was passed on again, not that it was not logged. */
static int call_err(const struct ord_forward_call *call, int err)
{
	bool denies = err == ORD_ERR_NOT_LEADER || err == ORD_ERR_BUSY || err == ORD_ERR_NO_SPACE;
	return call->resent && denies ? ORD_ERR_UNKNOWN : err;
}

/* The partition is another shard's, which finds the leader, waits for one and answers in time. */
static bool call_hand(struct ord_forward *f, struct ord_forward_call *call, struct ord_slice body)
{
	struct ord_engine *e = f->engine;
	uint64_t left_ms = call->deadline_ms > e->now_ms ? call->deadline_ms - e->now_ms : 0;
	struct ord_part_call part = {.forward = call->number,
				     .partition = call->partition,
				     .wait = call->wait,
				     .timeout_ms = (uint32_t)left_ms,
				     .body = body};
	ord_bytes_clear(&e->scratch);
	ord_wire_put_call(&part, &e->scratch);
	call->sent_to = ord_engine_shard_of(e, call->partition);
	call->maybe_logged = call->kind != ORD_PART_READ;
	return ord_engine_hand(e, call->sent_to - ORD_ENGINE_SHARDS, call->kind);
}

static bool is_handed(const struct ord_forward_call *call)
{
	return call->sent_to >= ORD_ENGINE_SHARDS;
}

/* The partition has come to be led here: hands the call over; who waits is answered there. */
static void call_admit_here(struct ord_forward *f, struct ord_forward_call *call, struct ord_replica *r)
{
	struct ord_slice body = ord_slice_of(call->body, call->body_bytes);
	int err;
	if (call->kind == ORD_PART_READ) {
		err = ord_replica_read(r, body, call->deadline_ms, call->waiter, call->item);
	} else {
		struct ord_command c;
		struct ord_reader reader = ord_reader_of(body);
		err = ord_command_decode(&reader, &c);
		ORD_ASSERT(err == ORD_OK); /* encoded by ord_engine_submit */
		struct ord_ticket t = {.waiter = call->waiter,
				       .deadline_ms = call->deadline_ms,
				       .request_id = c.request_id,
				       .item = call->item,
				       .wait = call->wait,
				       .resent = call->resent};
		err = ord_replica_submit(r, &c, &t);
	}
	struct ord_answer a = {.err = call_err(call, err),
			       .partition = call->partition,
			       .retry_after_ms = err == ORD_ERR_BUSY ? FORWARD_BUSY_MS : 0};
	if (err == ORD_OK)
		call_remove(f, call);
	else
		call_end(f, call, &a);
}

static void call_route(struct ord_forward *f, struct ord_forward_call *call)
{
	struct ord_engine *e = f->engine;
	struct ord_replica *r = &e->replicas[call->partition];
	if (r->ready) {
		call_admit_here(f, call, r);
		return;
	}
	uint32_t place = r->leader == e->node ? e->nodes_count : ord_engine_place(e, r->leader);
	if (place == e->nodes_count || !ord_engine_reaches(e, place))
		return;
	if (call->sent) { /* who gets it knows the old number, perhaps */
		ord_table_remove(&f->calls, &call->link);
		call->number = f->next_number++;
		ord_table_put(&f->calls, &call->link, ord_hash64(&call->number, sizeof call->number));
	}
	call->sent = true;
	struct ord_part_call part = {.forward = (uint64_t)e->run << 32 | call->number,
				     .partition = call->partition,
				     .wait = call->wait,
				     .timeout_ms = (uint32_t)(call->deadline_ms - e->now_ms),
				     .body = ord_slice_of(call->body, call->body_bytes)};
	ord_bytes_clear(&e->scratch);
	ord_wire_put_call(&part, &e->scratch);
	call->sent_to = r->leader;
	call->maybe_logged = call->kind == ORD_PART_SUBMIT;
	ord_engine_send(e, r->leader, call->kind);
}

int ord_forward_take(struct ord_forward *f, enum ord_part_kind kind, uint32_t partition, enum ord_wait wait,
		     struct ord_slice body, uint64_t deadline_ms, struct ord_waiter *w, uint32_t item)
{
	ORD_ASSERT(kind == ORD_PART_SUBMIT || kind == ORD_PART_READ);
	if (f->calls.count >= f->engine->bounds.forwards_count)
		return ORD_ERR_BUSY;
	bool is_own = ord_engine_owns(f->engine, partition);
	size_t kept_bytes = is_own ? body.len : 0;
	struct ord_forward_call *call = malloc(sizeof *call + kept_bytes);
	ORD_ASSERT(call != NULL);
	*call = (struct ord_forward_call){.previous = f->last,
					  .waiter = w,
					  .deadline_ms = deadline_ms,
					  .parked_ms = f->engine->now_ms,
					  .item = item,
					  .number = f->next_number++,
					  .partition = partition,
					  .kind = kind,
					  .wait = wait,
					  .body_bytes = (uint32_t)kept_bytes};
	if (kept_bytes > 0)
		memcpy(call->body, body.base, kept_bytes);
	if (f->last == NULL)
		f->first = call;
	else
		f->last->next = call;
	f->last = call;
	ord_table_put(&f->calls, &call->link, ord_hash64(&call->number, sizeof call->number));
	if (!is_own && !call_hand(f, call, body)) {
		call_remove(f, call);
		return ORD_ERR_BUSY;
	}
	if (is_own && deadline_ms > f->engine->now_ms)
		call_route(f, call);
	return ORD_OK;
}

static void call_park(struct ord_forward *f, struct ord_forward_call *call)
{
	call->sent_to = 0;
	call->parked_ms = f->engine->now_ms;
}

/* The node that it was sent to does not lead any more and has not answered. */
static void call_unsend(struct ord_forward *f, struct ord_forward_call *call)
{
	call->resent = call->resent || call->kind == ORD_PART_SUBMIT;
	call_park(f, call);
}

void ord_forward_retry(struct ord_forward *f)
{
	f->retry = false;
	struct ord_forward_call *call = f->first;
	while (call != NULL) {
		struct ord_forward_call *next = call->next;
		bool over = call->deadline_ms <= f->engine->now_ms;
		uint32_t leader = f->engine->replicas[call->partition].leader;
		if (!over && call->sent_to != 0 && !is_handed(call) && leader != 0 && leader != call->sent_to)
			call_unsend(f, call);
		if (!over && call->sent_to == 0)
			call_route(f, call);
		call = next;
	}
}

void ord_forward_answer(struct ord_forward *f, uint32_t from, uint32_t number, const struct ord_answer *a)
{
	struct ord_forward_call *call = call_find(f, number);
	if (call == NULL || call->sent_to != from)
		return;
	if (is_handed(call)) {
		call_end(f, call, a);
		return;
	}
	if (a->err == ORD_ERR_NOT_LEADER)
		ord_replica_doubt(&f->engine->replicas[call->partition], from);
	if (a->err == ORD_ERR_NOT_LEADER && call->deadline_ms > f->engine->now_ms) {
		call_park(f, call);
		call->maybe_logged = call->resent;
		return;
	}
	struct ord_answer answer = *a;
	answer.err = call_err(call, a->err);
	if (call->resent && a->err == ORD_OK && a->result.reason == ORD_REFUSAL_REQUEST_ID_EXPIRED)
		answer = (struct ord_answer){.err = ORD_ERR_UNKNOWN, .partition = call->partition};
	call_end(f, call, &answer);
}

void ord_forward_peer_lost(struct ord_forward *f, uint32_t node)
{
	struct ord_forward_call *call = f->first;
	while (call != NULL) {
		struct ord_forward_call *next = call->next;
		if (call->sent_to == node && call->kind == ORD_PART_READ)
			call_park(f, call);
		else if (call->sent_to == node)
			call_fail(f, call);
		call = next;
	}
}

void ord_forward_rerouted(struct ord_forward *f, uint32_t node)
{
	for (struct ord_forward_call *call = f->first; call != NULL; call = call->next)
		if (call->sent_to == node)
			call_unsend(f, call);
	f->retry = true;
}

/* A leader is known, and it is this node or one that can be reached. */
static bool leader_is_there(const struct ord_engine *e, uint32_t partition)
{
	uint32_t leader = e->replicas[partition].leader;
	uint32_t place = ord_engine_place(e, leader);
	return leader == e->node || (place < e->nodes_count && ord_engine_reaches(e, place));
}

/* How long a call may be parked. A node that reaches no majority will not hear of a leader before that changes. */
static uint64_t patience_ms(const struct ord_engine *e)
{
	return ord_engine_reaches_majority(e) ? FORWARD_ELECTIONS * e->election_ms : e->election_ms;
}

void ord_forward_expire(struct ord_forward *f, uint64_t now_ms)
{
	struct ord_forward_call *call = f->first;
	uint64_t most_ms = patience_ms(f->engine);
	while (call != NULL) {
		struct ord_forward_call *next = call->next;
		if (leader_is_there(f->engine, call->partition))
			call->parked_ms = now_ms; /* it is not ready yet, or says so: that passes */
		bool parked_long = call->sent_to == 0 && now_ms - call->parked_ms >= most_ms;
		/* The other node answers at the deadline too: give its answer a moment to come. */
		if (parked_long || call->deadline_ms + (call->sent_to == 0 ? 0 : FORWARD_GRACE_MS) <= now_ms)
			call_fail(f, call);
		call = next;
	}
}

void ord_forward_fail(struct ord_forward *f)
{
	while (f->first != NULL)
		call_fail(f, f->first);
}
