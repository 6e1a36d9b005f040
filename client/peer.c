/* SPDX-License-Identifier: Apache-2.0 - one node.
 *
 *   IDLE --peer_connect--> CONNECTING --wire_up--> GREETING --ask_ended--> READY
 *    ^                         |                      |                      |
 *    +-- wire_gone -- ENDING <-+------ peer_end ------+----------------------+
 *
 * A connection is greeted with `cluster`: the answer proves that a node of the right cluster is there, and says which. */
#include "client/peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "client/decode.h"
#include "client/encode.h"
#include "client/wire.h"

/* Calls have slots; an id is a slot's number and a count that tells a late answer from the slot's next call. A few slots fewer than a node reads calls
 * at a time are for commands and reads, so that `cluster` always gets through. */
#define PEER_SLOT_BITS 10
#define PEER_SLOTS (1u << PEER_SLOT_BITS)
#define PEER_CALLS_MAX (PEER_SLOTS - 16)

/* Items under way on one node: some tenths of a second of its work. More would wait there instead of here. */
#define PEER_ITEMS_MAX 20000
#define PEER_OUTPUT_BYTES_MAX (8u << 20)

#define PEER_CONNECT_MS 3000   /* to connect and greet */
#define PEER_SILENT_MS 1000    /* without a word while calls are under way: ask */
#define PEER_DEAF_MS 3000      /* and if that brings nothing either: cut */
#define PEER_BACKOFF_MIN_MS 50 /* before the second attempt to connect, doubled each time */
#define PEER_BACKOFF_MAX_MS 1000

_Static_assert(PEER_SLOTS <= ORD_CONNECTION_CALLS_MAX, "a node reads as many calls as a peer can have under way");

enum peer_state { PEER_IDLE, PEER_CONNECTING, PEER_GREETING, PEER_READY, PEER_ENDING };

struct ord_peer {
	uv_loop_t *loop; /* borrowed */
	struct ord_peer_events events;
	uint32_t node;
	bool retired;
	enum peer_state state;
	struct ord_endpoint endpoints[2]; /* given, learnt; host "" for none */
	unsigned endpoint;		  /* the one in use */
	struct ord_wire *wire;		  /* owned until gone; NULL when IDLE */
	unsigned fails;			  /* in a row */
	uint64_t due_ms;		  /* IDLE: of the next attempt */
	uint64_t began_ms;		  /* of this attempt */
	uint64_t heard_ms;
	struct ord_call ask;
	bool asking;
	uint64_t asked_ms;
	int trouble;
	char why[ORD_HOST_BYTES_MAX + 256];
	uint32_t calls_count;
	uint32_t items_count;
	uint32_t calls_ever;
	struct ord_call *calls[PEER_SLOTS];
	uint16_t slots_free[PEER_SLOTS]; /* a stack of PEER_SLOTS - calls_count */
};

int ord_peer_open(uv_loop_t *loop, const struct ord_peer_events *events, struct ord_peer **ret)
{
	struct ord_peer *peer = calloc(1, sizeof *peer);
	if (peer == NULL)
		return ORD_ERR_NOMEM;
	peer->loop = loop;
	peer->events = *events;
	for (unsigned i = 0; i < PEER_SLOTS; i++)
		peer->slots_free[i] = (uint16_t)i;
	*ret = peer;
	return ORD_OK;
}

void ord_peer_close(struct ord_peer *peer)
{
	if (peer == NULL)
		return;
	ORD_ASSERT(peer->state == PEER_IDLE);
	ORD_ASSERT(peer->calls_count == 0);
	free(peer);
}

void ord_peer_set_endpoints(struct ord_peer *peer, const struct ord_endpoint *given, const struct ord_endpoint *learnt)
{
	if (given != NULL)
		peer->endpoints[0] = *given;
	if (learnt != NULL)
		peer->endpoints[1] = *learnt;
}

bool ord_peer_has_endpoint(const struct ord_peer *peer, const struct ord_endpoint *endpoint)
{
	return ord_endpoint_equal(&peer->endpoints[0], endpoint) || ord_endpoint_equal(&peer->endpoints[1], endpoint);
}

uint32_t ord_peer_node(const struct ord_peer *peer)
{
	return peer->node;
}

void ord_peer_set_node(struct ord_peer *peer, uint32_t node)
{
	peer->node = node;
}

bool ord_peer_is_ready(const struct ord_peer *peer)
{
	return peer->state == PEER_READY;
}

bool ord_peer_is_down(const struct ord_peer *peer)
{
	return peer->state == PEER_IDLE && peer->fails > 0;
}

bool ord_peer_is_connected(const struct ord_peer *peer)
{
	return peer->wire != NULL;
}

bool ord_peer_is_retired(const struct ord_peer *peer)
{
	return peer->retired;
}

int ord_peer_trouble(const struct ord_peer *peer, const char **ret_why)
{
	*ret_why = peer->why;
	return peer->trouble;
}

bool ord_peer_has_room(const struct ord_peer *peer)
{
	return peer->state == PEER_READY && peer->calls_count < PEER_CALLS_MAX && peer->items_count < PEER_ITEMS_MAX &&
	       ord_wire_output(peer->wire)->len < PEER_OUTPUT_BYTES_MAX;
}

static void trouble_set(struct ord_peer *peer, int code, const char *why)
{
	const struct ord_endpoint *at = &peer->endpoints[peer->endpoint];
	bool v6 = strchr(at->host, ':') != NULL;
	peer->trouble = code;
	snprintf(peer->why, sizeof peer->why, "%s%s%s:%u: %s", v6 ? "[" : "", at->host, v6 ? "]" : "",
		 (unsigned)at->port, why);
}

/* Leads every state with a connection to its end. */
static void peer_end(struct ord_peer *peer)
{
	if (peer->wire == NULL || peer->state == PEER_ENDING)
		return;
	peer->state = PEER_ENDING;
	ord_wire_close(peer->wire);
}

void ord_peer_fail(struct ord_peer *peer, int code, const char *why)
{
	trouble_set(peer, code, why);
	peer_end(peer);
}

bool ord_peer_stop(struct ord_peer *peer)
{
	peer->retired = true;
	peer_end(peer);
	return peer->wire != NULL;
}

void ord_peer_retire(struct ord_peer *peer)
{
	ord_peer_stop(peer);
}

/* A pause that doubles, and of which up to a half is chance: many clients must not come back at the same moment. */
static uint64_t backoff_ms(const struct ord_peer *peer)
{
	uint64_t most = PEER_BACKOFF_MAX_MS;
	if (peer->fails <= 5)
		most = (uint64_t)PEER_BACKOFF_MIN_MS << (peer->fails - 1);
	uint64_t mixed = ord_hash64_seed(&peer->began_ms, sizeof peer->began_ms, (uint64_t)(uintptr_t)peer);
	return most / 2 + mixed % (most / 2);
}

static struct ord_call *call_take(struct ord_peer *peer, uint32_t slot)
{
	struct ord_call *call = peer->calls[slot];
	peer->calls[slot] = NULL;
	peer->calls_count--;
	peer->items_count -= call->items_count;
	peer->slots_free[PEER_SLOTS - 1 - peer->calls_count] = (uint16_t)slot;
	return call;
}

static void wire_gone(void *ctx, const char *why)
{
	struct ord_peer *peer = ctx;
	if (why != NULL)
		trouble_set(peer, ORDAIN_ERR_UNAVAILABLE, why);
	for (uint32_t slot = 0; slot < PEER_SLOTS && peer->calls_count > 0; slot++) {
		if (peer->calls[slot] == NULL)
			continue;
		struct ord_call *call = call_take(peer, slot);
		bool sent = call->begin_bytes < ord_wire_sent_bytes(peer->wire);
		call->ended(call, sent ? ORD_CALL_LOST : ORD_CALL_UNSENT, NULL, peer->why);
	}
	peer->wire = NULL;
	peer->state = PEER_IDLE;
	peer->due_ms = peer->heard_ms = 0;
	peer->fails++;
	peer->endpoint = 1 - peer->endpoint;
	peer->events.changed(peer->events.ctx, peer);
	peer->events.gone(peer->events.ctx, peer);
}

static void wire_message(void *ctx, const struct ord_rpc_message *m)
{
	struct ord_peer *peer = ctx;
	if (m->type != ORD_RPC_RESPONSE || peer->state == PEER_ENDING)
		return;
	bool had_room = ord_peer_has_room(peer);
	uint32_t slot = m->id % PEER_SLOTS;
	peer->heard_ms = 0; /* tick writes the time */
	if (peer->calls[slot] == NULL || peer->calls[slot]->id != m->id)
		return; /* of a call that nobody made, or twice */
	struct ord_call *call = call_take(peer, slot);
	call->ended(call, ORD_CALL_ANSWERED, m, NULL);
	if (!had_room && ord_peer_has_room(peer))
		peer->events.changed(peer->events.ctx, peer);
}

struct ord_bytes *ord_peer_begin(struct ord_peer *peer, struct ord_call *call)
{
	ORD_ASSERT(peer->calls_count < PEER_SLOTS);
	uint32_t slot = peer->slots_free[PEER_SLOTS - 1 - peer->calls_count];
	ORD_ASSERT(peer->calls[slot] == NULL);
	peer->calls[slot] = call;
	peer->calls_count++;
	peer->items_count += call->items_count;
	call->id = peer->calls_ever++ << PEER_SLOT_BITS | slot;
	call->begin_bytes = ord_wire_appended_bytes(peer->wire);
	return ord_wire_output(peer->wire);
}

void ord_peer_end(struct ord_peer *peer)
{
	if (ord_wire_output(peer->wire)->failed)
		ord_peer_fail(peer, ORDAIN_ERR_MEMORY, "no memory for what is to be sent");
}

/* The answer to `cluster`. */
static void ask_ended(struct ord_call *call, enum ord_call_end end, const struct ord_rpc_message *m, const char *why)
{
	(void)why;
	struct ord_peer *peer = (struct ord_peer *)((char *)call - offsetof(struct ord_peer, ask));
	peer->asking = false;
	if (end != ORD_CALL_ANSWERED)
		return;
	struct ord_decoded_fault fault;
	if (m->error->type != MSGPACK_OBJECT_NIL) {
		bool decoded = ord_decode_fault(m->error, &fault);
		char text[256] = "it does not answer like a node: is this the client port of a node?";
		if (decoded)
			snprintf(text, sizeof text, "%.*s", (int)fault.message.len, fault.message.base);
		ord_peer_fail(peer, decoded ? fault.code : ORDAIN_ERR_PROTOCOL, text);
		return;
	}
	if (!peer->events.told(peer->events.ctx, peer, m->result) || peer->state != PEER_GREETING)
		return;
	peer->state = PEER_READY;
	peer->fails = 0;
	peer->trouble = 0;
	peer->why[0] = '\0';
	peer->events.changed(peer->events.ctx, peer);
}

static void ask(struct ord_peer *peer, uint64_t now_ms, const struct ordain_id *cluster_id)
{
	ORD_ASSERT(!peer->asking);
	peer->asking = true;
	peer->asked_ms = now_ms;
	peer->ask.ended = ask_ended;
	peer->ask.items_count = 0;
	msgpack_packer p;
	ord_rpc_packer(ord_peer_begin(peer, &peer->ask), &p);
	ord_rpc_put_request(&p, peer->ask.id, "cluster");
	msgpack_pack_map(&p, cluster_id != NULL);
	if (cluster_id != NULL) {
		ord_rpc_put_text(&p, "cluster_id");
		msgpack_pack_bin(&p, sizeof cluster_id->bytes);
		msgpack_pack_bin_body(&p, cluster_id->bytes, sizeof cluster_id->bytes);
	}
	ord_peer_end(peer);
}

bool ord_peer_ask(struct ord_peer *peer, uint64_t now_ms, const struct ordain_id *cluster_id)
{
	if (peer->state != PEER_READY || peer->asking)
		return false;
	ask(peer, now_ms, cluster_id);
	return true;
}

static void wire_up(void *ctx)
{
	struct ord_peer *peer = ctx;
	if (peer->state == PEER_CONNECTING)
		peer->state = PEER_GREETING; /* tick greets */
	peer->events.changed(peer->events.ctx, peer);
}

static void peer_connect(struct ord_peer *peer, uint64_t now_ms)
{
	if (peer->endpoints[peer->endpoint].host[0] == '\0')
		peer->endpoint = 1 - peer->endpoint;
	if (peer->endpoints[peer->endpoint].host[0] == '\0')
		return;
	struct ord_wire_events events = {.ctx = peer, .up = wire_up, .message = wire_message, .gone = wire_gone};
	peer->began_ms = now_ms;
	int err = ord_wire_open(peer->loop, &peer->endpoints[peer->endpoint], &events, &peer->wire);
	if (err == ORD_OK) {
		peer->state = PEER_CONNECTING;
		return;
	}
	peer->fails++;
	trouble_set(peer, ORDAIN_ERR_SYSTEM, ord_err_text(err));
	peer->due_ms = now_ms + backoff_ms(peer);
}

void ord_peer_tick(struct ord_peer *peer, uint64_t now_ms, const struct ordain_id *cluster_id)
{
	if (peer->retired)
		return;
	if (peer->heard_ms == 0)
		peer->heard_ms = now_ms;
	switch (peer->state) {
	case PEER_IDLE:
		if (peer->due_ms == 0 && peer->fails > 0)
			peer->due_ms = now_ms + backoff_ms(peer);
		if (now_ms >= peer->due_ms)
			peer_connect(peer, now_ms);
		break;
	case PEER_GREETING:
		if (!peer->asking)
			ask(peer, now_ms, cluster_id);
		/* fall through */
	case PEER_CONNECTING:
		if (now_ms - peer->began_ms > PEER_CONNECT_MS)
			ord_peer_fail(peer, ORDAIN_ERR_UNAVAILABLE,
				      peer->state == PEER_CONNECTING ? "no connection in time"
								     : "no answer to the greeting in time");
		break;
	case PEER_READY:
		if (peer->asking && now_ms - peer->heard_ms > PEER_DEAF_MS && now_ms - peer->asked_ms > PEER_DEAF_MS)
			ord_peer_fail(peer, ORDAIN_ERR_UNAVAILABLE, "it does not answer any more");
		else if (!peer->asking && peer->calls_count > 0 && now_ms - peer->heard_ms > PEER_SILENT_MS)
			ask(peer, now_ms, cluster_id);
		break;
	case PEER_ENDING:
		break;
	}
}

void ord_peer_flush(struct ord_peer *peer)
{
	if (peer->wire != NULL)
		ord_wire_flush(peer->wire);
}
