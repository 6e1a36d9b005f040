/* SPDX-License-Identifier: Apache-2.0 - one node as a client sees it: its connection, made again when it is lost, and the calls under way on it. */
#ifndef ORD_CLIENT_REMOTE_H
#define ORD_CLIENT_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "client/rpc.h"
#include "client/topology.h"

typedef struct uv_loop_s uv_loop_t;

enum ord_remote_end {
	ORD_REMOTE_ANSWERED = 1, /* message is the answer */
	ORD_REMOTE_LOST = 2,	 /* the connection ended; the node may have seen the call */
	ORD_REMOTE_UNSENT = 3	 /* the connection ended; the node has certainly not seen it */
};

/* Embedded by whoever calls; must live until ended was called. */
struct ord_remote_call {
	/* Exactly once, from the loop. message is NULL unless ANSWERED, why (for a person) is NULL when ANSWERED. Must not begin another call. */
	void (*ended)(struct ord_remote_call *call, enum ord_remote_end end, const struct ord_rpc_message *message,
		      const char *why);
	uint32_t items_count; /* set by the caller: what it counts for in the remote's window */
	uint32_t id;
	uint64_t begin_bytes; /* of its bytes in all that the connection has been given */
};

struct ord_remote;

/* What a remote tells its owner, from the loop. */
struct ord_remote_events {
	void *ctx; /* borrowed; first argument of all */
	/* The result of `cluster`: the first makes the remote ready when it is taken. False refuses it: the owner has called ord_remote_fail. */
	bool (*told)(void *ctx, struct ord_remote *remote, const msgpack_object *result);
	/* It became ready, got room, or was lost. */
	void (*changed)(void *ctx, struct ord_remote *remote);
	/* Its connection is freed; after ord_remote_stop the remote may be closed. */
	void (*gone)(void *ctx, struct ord_remote *remote);
};

/* Makes a remote without connection. seed, by which it chooses its pauses, differs between clients. ORD_ERR_NOMEM. */
int ord_remote_open(uv_loop_t *loop, uint64_t seed, const struct ord_remote_events *events, struct ord_remote **ret);

/* Ends the connection for good; gone is called later, unless there is none: false. */
bool ord_remote_stop(struct ord_remote *remote);

/* Frees it; asserts that it has no connection. NULL is fine. */
void ord_remote_close(struct ord_remote *remote);

/* Addresses to be tried in turn: what the user gave, and what nodes say. NULL leaves one as it is. */
void ord_remote_set_endpoints(struct ord_remote *remote, const struct ord_endpoint *given,
			      const struct ord_endpoint *learnt);
bool ord_remote_has_endpoint(const struct ord_remote *remote, const struct ord_endpoint *endpoint);

/* The node's id, 0 while it is not known. */
uint32_t ord_remote_node(const struct ord_remote *remote);
void ord_remote_set_node(struct ord_remote *remote, uint32_t node);

/* Another remote has the same node: this one stays without connection for good. */
void ord_remote_retire(struct ord_remote *remote);
bool ord_remote_is_retired(const struct ord_remote *remote);

/* Connects when it is time to, gives up on what takes too long, asks whether a silent node lives. cluster_id is sent along (NULL: none). */
void ord_remote_tick(struct ord_remote *remote, uint64_t now_ms, const struct ordain_id *cluster_id);

/* Asks for `cluster` on a ready remote; false when it is not ready, has no room or is being asked already. */
bool ord_remote_ask(struct ord_remote *remote, uint64_t now_ms, const struct ordain_id *cluster_id);

void ord_remote_flush(struct ord_remote *remote);

/* Cuts the connection; code and why are kept as the remote's trouble. It is made again after a while. */
void ord_remote_fail(struct ord_remote *remote, int code, const char *why);

bool ord_remote_is_ready(const struct ord_remote *remote);

/* True when its last attempt to connect failed, or its connection was lost, and no new attempt is under way. */
bool ord_remote_is_down(const struct ord_remote *remote);

/* True when it has a connection, ready or not. */
bool ord_remote_is_connected(const struct ord_remote *remote);

/* Ready, and neither its calls nor its items nor its output are at their limits. */
bool ord_remote_has_room(const struct ord_remote *remote);

/* The last trouble: enum ordain_error and words that name the address; 0 and "" when there was none since it became ready. */
int ord_remote_trouble(const struct ord_remote *remote, const char **ret_why);

/* Begins a call: the caller appends one request with call->id to the returned buffer and then calls end. Asserts has_room. */
struct ord_bytes *ord_remote_begin(struct ord_remote *remote, struct ord_remote_call *call);
void ord_remote_end(struct ord_remote *remote);

#endif
