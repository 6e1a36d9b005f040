/* SPDX-License-Identifier: Apache-2.0 - client connections. */
#include "node/client_conn.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/trace.h"

#define KEEPALIVE_SECONDS 60
#define LINGER_MS 2000
/* A client that takes nothing of what it asked for in this time is cut off. */
#define STALL_MS 60000
#define BUSY_RETRY_MS 1000
/* Buffers of a connection that were larger than this are given back when they are empty. */
#define KEEP_BYTES (256u << 10)
/* Clients over clients_max that are told so at one time; more are just closed. */
#define TURNED_AWAY_MAX 100

static void conn_enter(struct ord_client_conn *conn, enum ord_client_conn_state state)
{
	ORD_ASSERT(state > conn->state);
	ord_trace("client connection enters state", (uint64_t)state, conn->calls_count);
	conn->state = state;
}

static void conn_wake(struct ord_client_conn *conn)
{
	struct ord_clients *all = conn->clients;
	if (conn->state == ORD_CLIENT_CONN_CLOSED || conn->awake_previous != NULL)
		return;
	conn->awake_next = all->awake_first;
	conn->awake_previous = &all->awake_first;
	if (conn->awake_next != NULL)
		conn->awake_next->awake_previous = &conn->awake_next;
	all->awake_first = conn;
	ord_clients_keep_awake(all);
}

void ord_client_conn_sleep(struct ord_client_conn *conn)
{
	if (conn->awake_previous == NULL)
		return;
	*conn->awake_previous = conn->awake_next;
	if (conn->awake_next != NULL)
		conn->awake_next->awake_previous = conn->awake_previous;
	conn->awake_next = NULL;
	conn->awake_previous = NULL;
}

static size_t conn_unsent_bytes(const struct ord_client_conn *conn)
{
	return conn->out.len + conn->writing.len - conn->writing_offset;
}

/* True while no bound of the connection is reached. */
static bool conn_may_take(const struct ord_client_conn *conn)
{
	return conn->state == ORD_CLIENT_CONN_OPEN && conn->calls_count < ORD_CONNECTION_CALLS_MAX &&
	       conn->items_count < ORD_CONNECTION_ITEMS_MAX &&
	       conn_unsent_bytes(conn) < ORD_CONNECTION_OUTPUT_PAUSE_BYTES;
}

bool ord_client_conn_awake(const struct ord_client_conn *conn)
{
	return (conn->out.len > 0 && !conn->write_in_flight) || (conn->paused && conn_may_take(conn));
}

/* One line of the log about a client, unless there was one a moment ago. */
static void conn_log(struct ord_client_conn *conn, const char *what)
{
	struct ord_clients *all = conn->clients;
	uint64_t held_back;
	if (!ord_log_allow(&all->log_limit, uv_now(all->loop), &held_back))
		return;
	struct sockaddr_storage address;
	int address_len = sizeof address;
	char host[INET6_ADDRSTRLEN] = "unknown address";
	if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &address_len) == 0)
		uv_ip_name((struct sockaddr *)&address, host, sizeof host);
	ord_log(ORD_LOG_WARN, "client at %s: %s (%" PRIu64 " such lines held back)", host, what, held_back);
}

/* --- closing ------------------------------------------------------------------------------------------------------------ */

static void conn_close_cb(uv_handle_t *handle)
{
	struct ord_client_conn *conn = handle->data;
	struct ord_clients *all = conn->clients;
	ord_rpc_stream_close(conn->stream);
	ord_bytes_close(&conn->out);
	ord_bytes_close(&conn->writing);
	free(conn);
	ord_clients_gone(all);
}

void ord_client_conn_close(struct ord_client_conn *conn)
{
	if (conn->state == ORD_CLIENT_CONN_CLOSED)
		return;
	for (struct ord_call *c = conn->calls; c != NULL; c = c->next)
		c->owner = NULL;
	conn->calls = NULL;
	conn_enter(conn, ORD_CLIENT_CONN_CLOSED);
	ord_client_conn_sleep(conn);
	*conn->previous = conn->next;
	if (conn->next != NULL)
		conn->next->previous = conn->previous;
	uv_close((uv_handle_t *)&conn->tcp, conn_close_cb);
}

static void conn_alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct ord_client_conn *conn = handle->data;
	size_t len = sizeof conn->clients->scratch;
	void *base = conn->clients->scratch;
	if (conn->state == ORD_CLIENT_CONN_OPEN)
		base = ord_rpc_stream_space(conn->stream, &len);
	*buf = uv_buf_init(base, base == NULL ? 0 : (unsigned)len);
}

static void conn_read_cb(uv_stream_t *handle, ssize_t len, const uv_buf_t *buf);

static void conn_read_start(struct ord_client_conn *conn)
{
	if (!conn->reading && uv_read_start((uv_stream_t *)&conn->tcp, conn_alloc_cb, conn_read_cb) == 0)
		conn->reading = true;
}

static void conn_read_stop(struct ord_client_conn *conn)
{
	if (conn->reading)
		uv_read_stop((uv_stream_t *)&conn->tcp);
	conn->reading = false;
}

static void conn_shutdown_cb(uv_shutdown_t *req, int status)
{
	struct ord_client_conn *conn = req->data;
	if (conn->state == ORD_CLIENT_CONN_CLOSED)
		return;
	if (status < 0 || conn->peer_ended)
		ord_client_conn_close(conn);
}

/* ENDING -> LINGERING when all is answered and written. */
static void conn_try_finish(struct ord_client_conn *conn)
{
	if (conn->state != ORD_CLIENT_CONN_ENDING || conn->calls_count > 0 || conn_unsent_bytes(conn) > 0 ||
	    conn->write_in_flight)
		return;
	conn_enter(conn, ORD_CLIENT_CONN_LINGERING);
	conn->linger_due_ms = uv_now(conn->clients->loop) + LINGER_MS;
	conn->shutdown.data = conn;
	if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, conn_shutdown_cb) != 0) {
		ord_client_conn_close(conn);
		return;
	}
	if (!conn->peer_ended)
		conn_read_start(conn);
}

void ord_client_conn_end(struct ord_client_conn *conn)
{
	if (conn->state != ORD_CLIENT_CONN_OPEN)
		return;
	conn_enter(conn, ORD_CLIENT_CONN_ENDING);
	conn_read_stop(conn);
	conn->paused = false;
	conn_try_finish(conn);
}

/* The last words to a client that cannot be served: an error with id 0. */
static void conn_refuse(struct ord_client_conn *conn, const struct ord_rpc_fault *fault)
{
	msgpack_packer p;
	ord_rpc_packer(&conn->out, &p);
	ord_rpc_put_error(&p, 0, fault);
	conn_wake(conn);
	ord_client_conn_end(conn);
}

/* --- writing ------------------------------------------------------------------------------------------------------------ */

static void bytes_rest(struct ord_bytes *b)
{
	if (b->capacity > KEEP_BYTES)
		ord_bytes_close(b);
	else
		ord_bytes_clear(b);
}

static void conn_write_cb(uv_write_t *req, int status)
{
	struct ord_client_conn *conn = req->data;
	conn->write_in_flight = false;
	if (conn->state == ORD_CLIENT_CONN_CLOSED)
		return;
	if (status < 0) {
		ord_client_conn_close(conn);
		return;
	}
	conn->writing_offset = 0;
	bytes_rest(&conn->writing);
	if (ord_client_conn_awake(conn))
		conn_wake(conn);
	conn_try_finish(conn);
}

/* Tries to hand `out` to the system; what it does not take at once is left to a write request. */
static int conn_write(struct ord_client_conn *conn)
{
	uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
	uv_buf_t buf = uv_buf_init((char *)conn->out.base, (unsigned)conn->out.len);
	int taken = uv_try_write(stream, &buf, 1);
	if (taken < 0 && taken != UV_EAGAIN)
		return taken;
	if (taken < 0)
		taken = 0;
	if ((size_t)taken == conn->out.len) {
		bytes_rest(&conn->out);
		return 0;
	}
	struct ord_bytes empty = conn->writing;
	conn->writing = conn->out;
	conn->out = empty;
	conn->writing_offset = (size_t)taken;
	buf = uv_buf_init((char *)conn->writing.base + taken, (unsigned)(conn->writing.len - (size_t)taken));
	conn->stalled_bytes = buf.len;
	conn->stalled_since_ms = uv_now(conn->clients->loop);
	conn->write.data = conn;
	int err = uv_write(&conn->write, stream, &buf, 1, conn_write_cb);
	conn->write_in_flight = err == 0;
	return err;
}

void ord_client_conn_flush(struct ord_client_conn *conn)
{
	if (conn->state == ORD_CLIENT_CONN_CLOSED || conn->write_in_flight || conn->out.len == 0)
		return;
	if (conn->out.failed || conn_write(conn) != 0) {
		ord_client_conn_close(conn);
		return;
	}
	conn_try_finish(conn);
}

void ord_client_conn_answered(struct ord_call *c)
{
	struct ord_client_conn *conn = c->owner;
	if (conn == NULL) {
		ord_call_free(c);
		return;
	}
	*c->previous = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
	conn->calls_count--;
	conn->items_count -= c->items_count;
	ord_call_reply(c, &conn->out);
	ord_call_free(c);
	if (conn->out.failed || conn_unsent_bytes(conn) > ORD_CONNECTION_OUTPUT_BYTES_MAX) {
		conn_log(conn, "cut off: it does not read its answers");
		ord_client_conn_close(conn);
		return;
	}
	conn_wake(conn);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static void conn_take(struct ord_client_conn *conn, const struct ord_rpc_message *m)
{
	struct ord_call *c = ord_call_take(&conn->clients->calls, m, conn, &conn->out);
	if (conn->out.len > 0)
		conn_wake(conn);
	if (c == NULL)
		return;
	c->next = conn->calls;
	c->previous = &conn->calls;
	if (c->next != NULL)
		c->next->previous = &c->next;
	conn->calls = c;
	conn->calls_count++;
	conn->items_count += c->items_count;
}

static void conn_take_garbage(struct ord_client_conn *conn, int err)
{
	struct ord_rpc_fault fault = {.code = ORD_RPC_ERROR_INVALID_REQUEST,
				      .message = "this port takes MessagePack-RPC requests [0, id, method, params] and "
						 "nothing else: docs/protocol.md"};
	if (err == ORD_ERR_TOO_BIG)
		fault = (struct ord_rpc_fault){.code = ORD_RPC_ERROR_TOO_LARGE,
					       .message = "a request has at most 4 MiB: split the batch"};
	if (err == ORD_ERR_NOMEM)
		fault = (struct ord_rpc_fault){.code = ORD_RPC_ERROR_BUSY,
					       .message = "the node is short of memory",
					       .retry_after_ms = BUSY_RETRY_MS};
	conn_log(conn, err == ORD_ERR_TOO_BIG ? "sent a request over the limit, closed"
		       : err == ORD_ERR_NOMEM ? "no memory for its request, closed"
					      : "sent what is no MessagePack-RPC request, closed");
	conn_refuse(conn, &fault);
}

/* Takes the whole messages that have come, until a bound is reached. */
static void conn_pump(struct ord_client_conn *conn)
{
	while (conn_may_take(conn)) {
		struct ord_rpc_message m;
		bool have = false;
		int err = ord_rpc_stream_next(conn->stream, &m, &have);
		if (err == ORD_OK && have && m.type != ORD_RPC_REQUEST)
			err = ORD_ERR_FORMAT;
		if (err != ORD_OK) {
			conn_take_garbage(conn, err);
			return;
		}
		if (!have)
			break;
		conn_take(conn, &m);
	}
	if (conn->state != ORD_CLIENT_CONN_OPEN)
		return;
	conn->paused = !conn_may_take(conn);
	if (conn->paused)
		conn_read_stop(conn);
	else
		conn_read_start(conn);
}

bool ord_client_conn_resume(struct ord_client_conn *conn)
{
	if (!conn->paused || !conn_may_take(conn))
		return false;
	conn_pump(conn);
	return true;
}

static void conn_read_cb(uv_stream_t *handle, ssize_t len, const uv_buf_t *buf)
{
	(void)buf;
	struct ord_client_conn *conn = handle->data;
	if (len == 0)
		return;
	if (len == UV_ENOBUFS) {
		conn_take_garbage(conn, ORD_ERR_NOMEM);
		return;
	}
	if (len < 0 && (len != UV_EOF || conn->state == ORD_CLIENT_CONN_LINGERING)) {
		ord_client_conn_close(conn);
		return;
	}
	if (len < 0) {
		conn->peer_ended = true;
		ord_client_conn_end(conn);
		return;
	}
	if (conn->state != ORD_CLIENT_CONN_OPEN)
		return;
	ord_rpc_stream_filled(conn->stream, (size_t)len);
	conn_pump(conn);
}

/* --- beginning ---------------------------------------------------------------------------------------------------------- */

static struct ord_client_conn *conn_new(struct ord_clients *clients)
{
	struct ord_client_conn *conn = calloc(1, sizeof *conn);
	if (conn == NULL)
		return NULL;
	if (ord_rpc_stream_open(ORD_RPC_BYTES_MAX, &conn->stream) != ORD_OK) {
		free(conn);
		return NULL;
	}
	int err = uv_tcp_init(clients->loop, &conn->tcp);
	ORD_ASSERT(err == 0);
	conn->tcp.data = conn;
	conn->clients = clients;
	conn->state = ORD_CLIENT_CONN_OPEN;
	ord_bytes_init(&conn->out, ORD_CONNECTION_OUTPUT_BYTES_MAX);
	ord_bytes_init(&conn->writing, ORD_CONNECTION_OUTPUT_BYTES_MAX);
	conn->next = clients->first;
	conn->previous = &clients->first;
	if (conn->next != NULL)
		conn->next->previous = &conn->next;
	clients->first = conn;
	ord_clients_come(clients);
	return conn;
}

/* It is connected. */
static void conn_begin(struct ord_client_conn *conn)
{
	struct ord_clients *clients = conn->clients;
	uint32_t total = atomic_load(clients->total);
	uv_tcp_nodelay(&conn->tcp, 1);
	uv_tcp_keepalive(&conn->tcp, 1, KEEPALIVE_SECONDS);
	if (total > clients->clients_max + TURNED_AWAY_MAX) {
		ord_client_conn_close(conn);
	} else if (total > clients->clients_max) {
		conn_log(conn, "turned away: as many clients as clients_max allows");
		conn_refuse(conn,
			    &(struct ord_rpc_fault){.code = ORD_RPC_ERROR_BUSY,
						    .message = "as many clients as this node takes: try another node",
						    .retry_after_ms = BUSY_RETRY_MS});
	} else {
		conn_read_start(conn);
	}
}

void ord_client_conn_accept(struct ord_clients *clients, uv_stream_t *server)
{
	struct ord_client_conn *conn = conn_new(clients);
	if (conn == NULL) {
		ord_log(ORD_LOG_WARN, "no memory for another client");
		return;
	}
	int err = uv_accept(server, (uv_stream_t *)&conn->tcp);
	if (err == 0) {
		conn_begin(conn);
		return;
	}
	conn_log(conn, uv_strerror(err));
	ord_client_conn_close(conn);
}

void ord_client_conn_open(struct ord_clients *clients, int fd)
{
	struct ord_client_conn *conn = conn_new(clients);
	int err = conn == NULL ? UV_ENOMEM : uv_tcp_open(&conn->tcp, fd);
	if (err == 0) {
		conn_begin(conn);
		return;
	}
	close(fd);
	ord_log(ORD_LOG_WARN, "a client could not be taken over: %s", uv_strerror(err));
	if (conn != NULL)
		ord_client_conn_close(conn);
}

void ord_client_conn_sweep(struct ord_client_conn *conn, uint64_t now_ms)
{
	if (conn->state == ORD_CLIENT_CONN_LINGERING && now_ms >= conn->linger_due_ms) {
		ord_client_conn_close(conn);
		return;
	}
	if (!conn->write_in_flight)
		return;
	size_t waiting = uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp);
	if (waiting != conn->stalled_bytes) {
		conn->stalled_bytes = waiting;
		conn->stalled_since_ms = now_ms;
	} else if (now_ms - conn->stalled_since_ms >= STALL_MS) {
		conn_log(conn, "cut off: it has not taken its answers for a minute");
		ord_client_conn_close(conn);
	}
}
