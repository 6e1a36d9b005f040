/* SPDX-License-Identifier: Apache-2.0 - one node.
 *
 *   IDLE --remote_connect--> CONNECTING --link_up--> GREETING --ask_ended--> READY
 *    ^                         |                      |                      |
 *    +-- link_gone -- ENDING <-+------ remote_end ------+----------------------+
 *
 * A connection is greeted with `cluster`: the answer proves that a node of the right cluster is there, and says which. */
#include "client/remote.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "client/decode.h"
#include "client/encode.h"
#include "client/link.h"

/* Calls have slots; an id is a slot's number and a count that tells a late answer from the slot's next call. A few slots fewer than a node reads calls
 * at a time are for commands and reads, so that `cluster` always gets through. */
#define REMOTE_SLOT_BITS 10
#define REMOTE_SLOTS (1u << REMOTE_SLOT_BITS)
#define REMOTE_NO_CALL 0 /* the id of an error that concerns the connection */
#define REMOTE_CALLS_MAX (REMOTE_SLOTS - 16)

/* Items under way on one node: some tenths of a second of its work. More would wait there instead of here. */
#define REMOTE_ITEMS_MAX 20000
#define REMOTE_OUTPUT_BYTES_MAX (8u << 20)

#define REMOTE_CONNECT_MS 3000	 /* to connect and greet */
#define REMOTE_SILENT_MS 500	 /* without a word while calls are under way: ask */
#define REMOTE_DEAF_MS 2000	 /* and if that brings nothing either: cut */
#define REMOTE_BACKOFF_MIN_MS 50 /* before the second attempt to connect, doubled each time */
#define REMOTE_BACKOFF_MAX_MS 1000

_Static_assert(REMOTE_ITEMS_MAX + ORD_BATCH_ITEMS_MAX <= ORD_CONNECTION_ITEMS_MAX, "a node goes on reading");
_Static_assert(REMOTE_SLOTS <= ORD_CONNECTION_CALLS_MAX, "a node reads as many calls as a remote can have under way");

enum remote_state { REMOTE_IDLE, REMOTE_CONNECTING, REMOTE_GREETING, REMOTE_READY, REMOTE_ENDING };

struct ord_remote {
	uv_loop_t *loop; /* borrowed */
	uint64_t seed;
	struct ord_remote_events events;
	uint32_t node;
	bool retired;
	enum remote_state state;
	struct ord_endpoint endpoints[2]; /* given, learnt; host "" for none */
	unsigned endpoint;		  /* the one in use */
	struct ord_link *link;		  /* owned until gone; NULL when IDLE */
	unsigned fails;			  /* in a row */
	uint64_t due_ms;		  /* IDLE: of the next attempt */
	uint64_t began_ms;		  /* of this attempt */
	uint64_t heard_ms;
	struct ord_remote_call ask;
	bool asking;
	uint64_t asked_ms;
	int trouble;
	char why[ORD_HOST_BYTES_MAX + 256];
	uint32_t calls_count;
	uint32_t items_count;
	uint32_t calls_ever;
	struct ord_remote_call *calls[REMOTE_SLOTS];
	uint16_t slots_free[REMOTE_SLOTS]; /* a stack of REMOTE_SLOTS - calls_count */
};

int ord_remote_open(uv_loop_t *loop, uint64_t seed, const struct ord_remote_events *events, struct ord_remote **ret)
{
	struct ord_remote *remote = calloc(1, sizeof *remote);
	if (remote == NULL)
		return ORD_ERR_NOMEM;
	remote->loop = loop;
	remote->seed = seed;
	remote->events = *events;
	for (unsigned i = 0; i < REMOTE_SLOTS; i++)
		remote->slots_free[i] = (uint16_t)i;
	*ret = remote;
	return ORD_OK;
}

void ord_remote_close(struct ord_remote *remote)
{
	if (remote == NULL)
		return;
	ORD_ASSERT(remote->state == REMOTE_IDLE);
	ORD_ASSERT(remote->calls_count == 0);
	free(remote);
}

void ord_remote_set_endpoints(struct ord_remote *remote, const struct ord_endpoint *given,
			      const struct ord_endpoint *learnt)
{
	if (given != NULL)
		remote->endpoints[0] = *given;
	if (learnt != NULL)
		remote->endpoints[1] = *learnt;
}

bool ord_remote_has_endpoint(const struct ord_remote *remote, const struct ord_endpoint *endpoint)
{
	return ord_endpoint_equal(&remote->endpoints[0], endpoint) ||
	       ord_endpoint_equal(&remote->endpoints[1], endpoint);
}

uint32_t ord_remote_node(const struct ord_remote *remote)
{
	return remote->node;
}

void ord_remote_set_node(struct ord_remote *remote, uint32_t node)
{
	remote->node = node;
}

bool ord_remote_is_ready(const struct ord_remote *remote)
{
	return remote->state == REMOTE_READY;
}

bool ord_remote_is_down(const struct ord_remote *remote)
{
	return remote->state == REMOTE_IDLE && remote->fails > 0;
}

bool ord_remote_is_connected(const struct ord_remote *remote)
{
	return remote->link != NULL;
}

bool ord_remote_is_retired(const struct ord_remote *remote)
{
	return remote->retired;
}

int ord_remote_trouble(const struct ord_remote *remote, const char **ret_why)
{
	*ret_why = remote->why;
	return remote->trouble;
}

bool ord_remote_has_room(const struct ord_remote *remote)
{
	return remote->state == REMOTE_READY && remote->calls_count < REMOTE_CALLS_MAX &&
	       remote->items_count < REMOTE_ITEMS_MAX && ord_link_output(remote->link)->len < REMOTE_OUTPUT_BYTES_MAX;
}

static void trouble_set(struct ord_remote *remote, int code, const char *why)
{
	const struct ord_endpoint *at = &remote->endpoints[remote->endpoint];
	bool v6 = strchr(at->host, ':') != NULL;
	remote->trouble = code;
	snprintf(remote->why, sizeof remote->why, "%s%s%s:%u: %s", v6 ? "[" : "", at->host, v6 ? "]" : "",
		 (unsigned)at->port, why);
}

/* Leads every state with a connection to its end. */
static void remote_end(struct ord_remote *remote)
{
	if (remote->link == NULL || remote->state == REMOTE_ENDING)
		return;
	remote->state = REMOTE_ENDING;
	ord_link_close(remote->link);
}

void ord_remote_fail(struct ord_remote *remote, int code, const char *why)
{
	trouble_set(remote, code, why);
	remote_end(remote);
}

bool ord_remote_stop(struct ord_remote *remote)
{
	remote->retired = true;
	remote_end(remote);
	return remote->link != NULL;
}

void ord_remote_retire(struct ord_remote *remote)
{
	ord_remote_stop(remote);
}

/* A pause that doubles, and of which up to a half is chance: many clients must not come back at the same moment. */
static uint64_t backoff_ms(const struct ord_remote *remote)
{
	uint64_t most = REMOTE_BACKOFF_MAX_MS;
	if (remote->fails <= 5)
		most = (uint64_t)REMOTE_BACKOFF_MIN_MS << (remote->fails - 1);
	uint64_t mixed = ord_hash64_seed(&remote->began_ms, sizeof remote->began_ms, remote->seed);
	return most / 2 + mixed % (most / 2);
}

static struct ord_remote_call *call_take(struct ord_remote *remote, uint32_t slot)
{
	struct ord_remote_call *call = remote->calls[slot];
	remote->calls[slot] = NULL;
	remote->calls_count--;
	remote->items_count -= call->items_count;
	remote->slots_free[REMOTE_SLOTS - 1 - remote->calls_count] = (uint16_t)slot;
	return call;
}

static void link_gone(void *ctx, const char *why)
{
	struct ord_remote *remote = ctx;
	if (why != NULL)
		trouble_set(remote, ORDAIN_ERR_UNAVAILABLE, why);
	for (uint32_t slot = 0; slot < REMOTE_SLOTS && remote->calls_count > 0; slot++) {
		if (remote->calls[slot] == NULL)
			continue;
		struct ord_remote_call *call = call_take(remote, slot);
		bool sent = call->begin_bytes < ord_link_sent_bytes(remote->link);
		call->ended(call, sent ? ORD_REMOTE_LOST : ORD_REMOTE_UNSENT, NULL, remote->why);
	}
	remote->link = NULL;
	remote->state = REMOTE_IDLE;
	remote->due_ms = remote->heard_ms = 0;
	remote->fails++;
	remote->endpoint = 1 - remote->endpoint;
	remote->events.changed(remote->events.ctx, remote);
	remote->events.gone(remote->events.ctx, remote);
}

/* An error about no call: why the node is about to close the connection. */
static void connection_fault(struct ord_remote *remote, const msgpack_object *error)
{
	struct ord_decoded_fault fault;
	char text[256];
	if (!ord_decode_fault(error, &fault))
		return;
	snprintf(text, sizeof text, "%.*s", (int)fault.message.len, fault.message.base);
	ord_remote_fail(remote, fault.code, text);
}

static void link_message(void *ctx, const struct ord_rpc_message *m)
{
	struct ord_remote *remote = ctx;
	if (m->type != ORD_RPC_RESPONSE || remote->state == REMOTE_ENDING)
		return;
	if (m->id == REMOTE_NO_CALL)
		connection_fault(remote, m->error);
	bool had_room = ord_remote_has_room(remote);
	uint32_t slot = m->id % REMOTE_SLOTS;
	remote->heard_ms = 0; /* tick writes the time */
	if (remote->calls[slot] == NULL || remote->calls[slot]->id != m->id)
		return; /* of a call that nobody made, or twice */
	struct ord_remote_call *call = call_take(remote, slot);
	call->ended(call, ORD_REMOTE_ANSWERED, m, NULL);
	if (!had_room && ord_remote_has_room(remote))
		remote->events.changed(remote->events.ctx, remote);
}

struct ord_bytes *ord_remote_begin(struct ord_remote *remote, struct ord_remote_call *call)
{
	ORD_ASSERT(remote->calls_count < REMOTE_SLOTS);
	uint32_t slot = remote->slots_free[REMOTE_SLOTS - 1 - remote->calls_count];
	ORD_ASSERT(remote->calls[slot] == NULL);
	remote->calls[slot] = call;
	remote->calls_count++;
	remote->items_count += call->items_count;
	do
		call->id = remote->calls_ever++ << REMOTE_SLOT_BITS | slot;
	while (call->id == REMOTE_NO_CALL);
	call->begin_bytes = ord_link_appended_bytes(remote->link);
	return ord_link_output(remote->link);
}

void ord_remote_end(struct ord_remote *remote)
{
	if (ord_link_output(remote->link)->failed)
		ord_remote_fail(remote, ORDAIN_ERR_MEMORY, "no memory for what is to be sent");
}

/* The answer to `cluster`. */
static void ask_ended(struct ord_remote_call *call, enum ord_remote_end end, const struct ord_rpc_message *m,
		      const char *why)
{
	(void)why;
	struct ord_remote *remote = (struct ord_remote *)((char *)call - offsetof(struct ord_remote, ask));
	remote->asking = false;
	if (end != ORD_REMOTE_ANSWERED)
		return;
	struct ord_decoded_fault fault;
	if (m->error->type != MSGPACK_OBJECT_NIL) {
		bool decoded = ord_decode_fault(m->error, &fault);
		char text[256] = "it does not answer like a node: is this the client port of a node?";
		if (decoded)
			snprintf(text, sizeof text, "%.*s", (int)fault.message.len, fault.message.base);
		ord_remote_fail(remote, decoded ? fault.code : ORDAIN_ERR_PROTOCOL, text);
		return;
	}
	if (!remote->events.told(remote->events.ctx, remote, m->result) || remote->state != REMOTE_GREETING)
		return;
	remote->state = REMOTE_READY;
	remote->fails = 0;
	remote->trouble = 0;
	remote->why[0] = '\0';
	remote->events.changed(remote->events.ctx, remote);
}

static void ask(struct ord_remote *remote, uint64_t now_ms, const struct ordain_id *cluster_id)
{
	ORD_ASSERT(!remote->asking);
	remote->asking = true;
	remote->asked_ms = now_ms;
	remote->ask.ended = ask_ended;
	remote->ask.items_count = 0;
	msgpack_packer p;
	ord_rpc_packer(ord_remote_begin(remote, &remote->ask), &p);
	ord_rpc_put_request(&p, remote->ask.id, "cluster");
	msgpack_pack_map(&p, cluster_id != NULL);
	if (cluster_id != NULL) {
		ord_rpc_put_text(&p, "cluster_id");
		msgpack_pack_bin(&p, sizeof cluster_id->bytes);
		msgpack_pack_bin_body(&p, cluster_id->bytes, sizeof cluster_id->bytes);
	}
	ord_remote_end(remote);
}

bool ord_remote_ask(struct ord_remote *remote, uint64_t now_ms, const struct ordain_id *cluster_id)
{
	if (remote->state != REMOTE_READY || remote->asking)
		return false;
	ask(remote, now_ms, cluster_id);
	return true;
}

static void link_up(void *ctx)
{
	struct ord_remote *remote = ctx;
	if (remote->state == REMOTE_CONNECTING)
		remote->state = REMOTE_GREETING; /* tick greets */
	remote->events.changed(remote->events.ctx, remote);
}

static void remote_connect(struct ord_remote *remote, uint64_t now_ms)
{
	if (remote->endpoints[remote->endpoint].host[0] == '\0')
		remote->endpoint = 1 - remote->endpoint;
	if (remote->endpoints[remote->endpoint].host[0] == '\0')
		return;
	struct ord_link_events events = {.ctx = remote, .up = link_up, .message = link_message, .gone = link_gone};
	remote->began_ms = now_ms;
	int err = ord_link_open(remote->loop, &remote->endpoints[remote->endpoint], &events, &remote->link);
	if (err == ORD_OK) {
		remote->state = REMOTE_CONNECTING;
		return;
	}
	remote->fails++;
	trouble_set(remote, ORDAIN_ERR_SYSTEM, ord_err_text(err));
	remote->due_ms = now_ms + backoff_ms(remote);
}

void ord_remote_tick(struct ord_remote *remote, uint64_t now_ms, const struct ordain_id *cluster_id)
{
	if (remote->retired)
		return;
	if (remote->heard_ms == 0)
		remote->heard_ms = now_ms;
	switch (remote->state) {
	case REMOTE_IDLE:
		if (remote->due_ms == 0 && remote->fails > 0)
			remote->due_ms = now_ms + backoff_ms(remote);
		if (now_ms >= remote->due_ms)
			remote_connect(remote, now_ms);
		break;
	case REMOTE_GREETING:
		if (!remote->asking)
			ask(remote, now_ms, cluster_id);
		/* fall through */
	case REMOTE_CONNECTING:
		if (now_ms - remote->began_ms > REMOTE_CONNECT_MS)
			ord_remote_fail(remote, ORDAIN_ERR_UNAVAILABLE,
					remote->state == REMOTE_CONNECTING ? "no connection in time"
									   : "no answer to the greeting in time");
		break;
	case REMOTE_READY:
		if (remote->asking && now_ms - remote->heard_ms > REMOTE_DEAF_MS &&
		    now_ms - remote->asked_ms > REMOTE_DEAF_MS)
			ord_remote_fail(remote, ORDAIN_ERR_UNAVAILABLE, "it does not answer any more");
		else if (!remote->asking && remote->calls_count > 0 && now_ms - remote->heard_ms > REMOTE_SILENT_MS)
			ask(remote, now_ms, cluster_id);
		break;
	case REMOTE_ENDING:
		break;
	}
}

void ord_remote_flush(struct ord_remote *remote)
{
	if (remote->link != NULL)
		ord_link_flush(remote->link);
}
