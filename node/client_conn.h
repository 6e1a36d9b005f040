/* SPDX-License-Identifier: Apache-2.0 - one client connection: bytes into requests, calls under way, answers out, all bounded. */
#ifndef ORD_NODE_CLIENT_CONN_H
#define ORD_NODE_CLIENT_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "client/rpc.h"
#include "node/call.h"
#include "node/clients.h"

/* OPEN: requests are taken (unless a bound is reached, then reading pauses until answers have left).
 * ENDING: no more requests; what is under way is answered first. Because the client has closed its side, sent what cannot be understood, was one
 *   too many, or the node stops.
 * LINGERING: all is written and our side is closed; what the client still sends is read and thrown away for a while, because closing with unread
 *   bytes would make its system throw away our last answer.
 * CLOSED: the handle is being closed; then the struct is freed. */
enum ord_client_conn_state {
	ORD_CLIENT_CONN_OPEN = 1,
	ORD_CLIENT_CONN_ENDING = 2,
	ORD_CLIENT_CONN_LINGERING = 3,
	ORD_CLIENT_CONN_CLOSED = 4
};

struct ord_client_conn {
	uv_tcp_t tcp;
	struct ord_clients *clients; /* borrowed */
	enum ord_client_conn_state state;
	struct ord_client_conn *next; /* all connections */
	struct ord_client_conn **previous;
	struct ord_client_conn *awake_next; /* the awake list */
	struct ord_client_conn **awake_previous;
	struct ord_rpc_stream *stream; /* owned */
	struct ord_call *calls;
	uint32_t calls_count;
	uint32_t items_count; /* of all its calls */
	bool reading;
	bool paused;		  /* OPEN, but not reading because of a bound; whole messages may wait in the stream */
	bool peer_ended;	  /* the client has closed its side */
	struct ord_bytes out;	  /* collected, not given to the system yet */
	struct ord_bytes writing; /* being written */
	size_t writing_offset;	  /* of what the system has not taken at once */
	bool write_in_flight;
	uv_write_t write;
	uv_shutdown_t shutdown;
	uint64_t linger_due_ms;
	size_t stalled_bytes; /* what waited to be written at stalled_since_ms */
	uint64_t stalled_since_ms;
};

/* Accepts a connection that waits at server. One that is over the bound gets a busy error. Errors are logged. */
void ord_client_conn_accept(struct ord_clients *clients, uv_stream_t *server);

/* Takes over a connection that another shard has accepted; fd is owned. Likewise. */
void ord_client_conn_open(struct ord_clients *clients, int fd);

/* The last answer of one of its calls is there. */
void ord_client_conn_answered(struct ord_call *c);

/* Writes what has been collected. */
void ord_client_conn_flush(struct ord_client_conn *conn);

/* Takes requests again when it was paused and may; true when it did. */
bool ord_client_conn_resume(struct ord_client_conn *conn);

/* True when it has a reason to stay in the awake list. */
bool ord_client_conn_awake(const struct ord_client_conn *conn);

/* Takes it out of the awake list, when it is in. */
void ord_client_conn_sleep(struct ord_client_conn *conn);

/* Takes no more requests. */
void ord_client_conn_end(struct ord_client_conn *conn);

/* Closes what lingers too long or takes no answers. */
void ord_client_conn_sweep(struct ord_client_conn *conn, uint64_t now_ms);

/* Closes at once; calls under way lose their owner. */
void ord_client_conn_close(struct ord_client_conn *conn);

#endif
