/* SPDX-License-Identifier: Apache-2.0 - one node as a client sees it: its connection, made again when it is lost, and the calls under way on it. */
#ifndef ORD_CLIENT_PEER_H
#define ORD_CLIENT_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "client/rpc.h"
#include "client/topology.h"

typedef struct uv_loop_s uv_loop_t;

enum ord_call_end {
	ORD_CALL_ANSWERED = 1, /* message is the answer */
	ORD_CALL_LOST = 2,     /* the connection ended; the node may have seen the call */
	ORD_CALL_UNSENT = 3    /* the connection ended; the node has certainly not seen it */
};

/* Embedded by whoever calls; must live until ended was called. */
struct ord_call {
	/* Exactly once, from the loop. message is NULL unless ANSWERED, why (for a person) is NULL when ANSWERED. Must not begin another call. */
	void (*ended)(struct ord_call *call, enum ord_call_end end, const struct ord_rpc_message *message,
		      const char *why);
	uint32_t items_count; /* set by the caller: what it counts for in the peer's window */
	uint32_t id;
	uint64_t begin_bytes; /* of its bytes in all that the connection has been given */
};

struct ord_peer;

/* What a peer tells its owner, from the loop. */
struct ord_peer_events {
	void *ctx; /* borrowed; first argument of all */
	/* The result of `cluster`: the first makes the peer ready when it is taken. False refuses it: the owner has called ord_peer_fail. */
	bool (*told)(void *ctx, struct ord_peer *peer, const msgpack_object *result);
	/* It became ready, got room, or was lost. */
	void (*changed)(void *ctx, struct ord_peer *peer);
	/* Its connection is freed; after ord_peer_stop the peer may be closed. */
	void (*gone)(void *ctx, struct ord_peer *peer);
};

/* Makes a peer without connection. ORD_ERR_NOMEM. */
int ord_peer_open(uv_loop_t *loop, const struct ord_peer_events *events, struct ord_peer **ret);

/* Ends the connection for good; gone is called later, unless there is none: false. */
bool ord_peer_stop(struct ord_peer *peer);

/* Frees it; asserts that it has no connection. NULL is fine. */
void ord_peer_close(struct ord_peer *peer);

/* Addresses to be tried in turn: what the user gave, and what nodes say. NULL leaves one as it is. */
void ord_peer_set_endpoints(struct ord_peer *peer, const struct ord_endpoint *given, const struct ord_endpoint *learnt);
bool ord_peer_has_endpoint(const struct ord_peer *peer, const struct ord_endpoint *endpoint);

/* The node's id, 0 while it is not known. */
uint32_t ord_peer_node(const struct ord_peer *peer);
void ord_peer_set_node(struct ord_peer *peer, uint32_t node);

/* Another peer has the same node: this one stays without connection for good. */
void ord_peer_retire(struct ord_peer *peer);
bool ord_peer_is_retired(const struct ord_peer *peer);

/* Connects when it is time to, gives up on what takes too long, asks whether a silent node lives. cluster_id is sent along (NULL: none). */
void ord_peer_tick(struct ord_peer *peer, uint64_t now_ms, const struct ordain_id *cluster_id);

/* Asks for `cluster` on a ready peer; false when it is not ready, has no room or is being asked already. */
bool ord_peer_ask(struct ord_peer *peer, uint64_t now_ms, const struct ordain_id *cluster_id);

void ord_peer_flush(struct ord_peer *peer);

/* Cuts the connection; code and why are kept as the peer's trouble. It is made again after a while. */
void ord_peer_fail(struct ord_peer *peer, int code, const char *why);

bool ord_peer_is_ready(const struct ord_peer *peer);

/* True when its last attempt to connect failed, or its connection was lost, and no new attempt is under way. */
bool ord_peer_is_down(const struct ord_peer *peer);

/* True when it has a connection, ready or not. */
bool ord_peer_is_connected(const struct ord_peer *peer);

/* Ready, and neither its calls nor its items nor its output are at their limits. */
bool ord_peer_has_room(const struct ord_peer *peer);

/* The last trouble: enum ordain_error and words that name the address; 0 and "" when there was none since it became ready. */
int ord_peer_trouble(const struct ord_peer *peer, const char **ret_why);

/* Begins a call: the caller appends one request with call->id to the returned buffer and then calls end. Asserts has_room. */
struct ord_bytes *ord_peer_begin(struct ord_peer *peer, struct ord_call *call);
void ord_peer_end(struct ord_peer *peer);

#endif
