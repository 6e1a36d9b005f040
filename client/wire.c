/* SPDX-License-Identifier: Apache-2.0 - the connection.
 *
 *   RESOLVING --resolve_cb--> CONNECTING --connect_cb--> UP
 *       |                     |  ^  |                     |
 *       |       connect_next  +--+  |                     |
 *       +---------------------------+---------------------+--> CLOSING --wire_release--> (freed)
 *                        ord_wire_close, ord_wire_fail
 *
 * A name may have several addresses: each is tried in turn with a handle of its own. */
#include "client/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"

#define WIRE_ADDRESSES_MAX 8
#define WIRE_WHY_BYTES 192

/* An output buffer larger than this is freed when it is empty. */
#define WIRE_KEEP_BYTES (1u << 20)

enum wire_state { WIRE_RESOLVING, WIRE_CONNECTING, WIRE_UP, WIRE_CLOSING };

struct ord_wire {
	uv_tcp_t tcp;
	uv_getaddrinfo_t resolve;
	uv_connect_t connect;
	uv_write_t write;
	uv_loop_t *loop; /* borrowed */
	struct ord_wire_events events;
	enum wire_state state;
	bool handle_open; /* tcp was initialised and its close callback has not come */
	bool resolving;	  /* resolve is with the loop */
	bool writing;	  /* write is with the loop */
	struct sockaddr_storage addresses[WIRE_ADDRESSES_MAX];
	unsigned addresses_count;
	unsigned addresses_tried;
	struct ord_rpc_stream *stream; /* owned */
	struct ord_bytes filling;      /* what is appended */
	struct ord_bytes flying;       /* what a write is at */
	uint64_t sent_bytes;
	bool failed;
	char why[WIRE_WHY_BYTES];
};

static void connect_next(struct ord_wire *w);

/* Frees the wire when the loop holds nothing of it any more. */
static void wire_release(struct ord_wire *w)
{
	ORD_ASSERT(w->state == WIRE_CLOSING);
	if (w->handle_open || w->resolving)
		return;
	w->events.gone(w->events.ctx, w->failed ? w->why : NULL);
	ord_rpc_stream_close(w->stream);
	ord_bytes_close(&w->filling);
	ord_bytes_close(&w->flying);
	free(w);
}

static void close_cb(uv_handle_t *handle)
{
	struct ord_wire *w = handle->data;
	w->handle_open = false;
	if (w->state == WIRE_CLOSING)
		wire_release(w);
	else
		connect_next(w);
}

static void handle_close(struct ord_wire *w)
{
	if (w->handle_open && !uv_is_closing((uv_handle_t *)&w->tcp))
		uv_close((uv_handle_t *)&w->tcp, close_cb);
}

void ord_wire_close(struct ord_wire *w)
{
	if (w->state == WIRE_CLOSING)
		return;
	w->state = WIRE_CLOSING;
	if (w->resolving)
		uv_cancel((uv_req_t *)&w->resolve);
	handle_close(w);
}

void ord_wire_fail(struct ord_wire *w, const char *why)
{
	if (w->state == WIRE_CLOSING)
		return;
	w->failed = true;
	snprintf(w->why, sizeof w->why, "%s", why);
	ord_wire_close(w);
}

static const char *stream_why(int err)
{
	if (err == ORD_ERR_NOMEM)
		return "out of memory";
	if (err == ORD_ERR_TOO_BIG)
		return "it sent a message over the limit";
	return "it does not speak MessagePack-RPC: is this the client port of a node?";
}

static void messages_take(struct ord_wire *w)
{
	while (w->state == WIRE_UP) {
		struct ord_rpc_message m;
		bool have;
		int err = ord_rpc_stream_next(w->stream, &m, &have);
		if (err != ORD_OK) {
			ord_wire_fail(w, stream_why(err));
			return;
		}
		if (!have)
			return;
		w->events.message(w->events.ctx, &m);
	}
}

static void read_room_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct ord_wire *w = handle->data;
	size_t len = 0;
	void *base = ord_rpc_stream_space(w->stream, &len);
	*buf = uv_buf_init(base, base == NULL ? 0 : (unsigned)len);
}

static void read_cb(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	(void)buf;
	struct ord_wire *w = stream->data;
	if (got > 0) {
		ord_rpc_stream_filled(w->stream, (size_t)got);
		messages_take(w);
	} else if (got == UV_EOF) {
		ord_wire_fail(w, "it closed the connection");
	} else if (got < 0) {
		ord_wire_fail(w, uv_strerror((int)got));
	}
}

static void connect_cb(uv_connect_t *request, int status)
{
	struct ord_wire *w = request->data;
	if (w->state == WIRE_CLOSING)
		return;
	if (status == 0)
		status = uv_read_start((uv_stream_t *)&w->tcp, read_room_cb, read_cb);
	if (status == 0) {
		uv_tcp_nodelay(&w->tcp, 1);
		w->state = WIRE_UP;
		w->events.up(w->events.ctx);
	} else if (w->addresses_tried < w->addresses_count) {
		handle_close(w); /* close_cb goes on with the next address */
	} else {
		ord_wire_fail(w, uv_strerror(status));
	}
}

static void connect_next(struct ord_wire *w)
{
	const struct sockaddr *to = (const struct sockaddr *)&w->addresses[w->addresses_tried++];
	int err = uv_tcp_init(w->loop, &w->tcp);
	if (err == 0) {
		w->tcp.data = w;
		w->handle_open = true;
		uv_unref((uv_handle_t *)&w->tcp);
		w->connect.data = w;
		err = uv_tcp_connect(&w->connect, &w->tcp, to, connect_cb);
	}
	if (err == 0)
		return;
	ord_wire_fail(w, uv_strerror(err));
	if (!w->handle_open)
		wire_release(w);
}

static void resolve_cb(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct ord_wire *w = request->data;
	w->resolving = false;
	for (struct addrinfo *a = list; a != NULL && w->addresses_count < WIRE_ADDRESSES_MAX; a = a->ai_next)
		memcpy(&w->addresses[w->addresses_count++], a->ai_addr, a->ai_addrlen);
	uv_freeaddrinfo(list);
	if (w->state != WIRE_CLOSING && (status != 0 || w->addresses_count == 0))
		ord_wire_fail(w, status != 0 ? uv_strerror(status) : "the name has no address");
	if (w->state == WIRE_CLOSING) {
		wire_release(w);
		return;
	}
	w->state = WIRE_CONNECTING;
	connect_next(w);
}

/* A name goes to the resolver's thread. */
static int resolve_begin(struct ord_wire *w, const struct ord_endpoint *to)
{
	char port[8];
	snprintf(port, sizeof port, "%u", (unsigned)to->port);
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	w->resolve.data = w;
	w->state = WIRE_RESOLVING;
	if (uv_getaddrinfo(w->loop, &w->resolve, resolve_cb, to->host, port, &hints) != 0)
		return ORD_ERR_IO;
	w->resolving = true;
	return ORD_OK;
}

/* An address needs no resolver. */
static int connect_begin(struct ord_wire *w)
{
	w->addresses_count = 1;
	w->state = WIRE_CONNECTING;
	int err = uv_tcp_init(w->loop, &w->tcp);
	if (err != 0)
		return ORD_ERR_IO;
	w->tcp.data = w;
	w->handle_open = true;
	uv_unref((uv_handle_t *)&w->tcp);
	w->addresses_tried = 1;
	w->connect.data = w;
	err = uv_tcp_connect(&w->connect, &w->tcp, (const struct sockaddr *)&w->addresses[0], connect_cb);
	if (err != 0)
		ord_wire_fail(w, uv_strerror(err)); /* told by gone */
	return ORD_OK;
}

static bool address_is_numeric(struct ord_wire *w, const struct ord_endpoint *to)
{
	return uv_ip4_addr(to->host, to->port, (struct sockaddr_in *)&w->addresses[0]) == 0 ||
	       uv_ip6_addr(to->host, to->port, (struct sockaddr_in6 *)&w->addresses[0]) == 0;
}

int ord_wire_open(uv_loop_t *loop, const struct ord_endpoint *to, const struct ord_wire_events *events,
		  struct ord_wire **ret)
{
	struct ord_wire *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ORD_ERR_NOMEM;
	w->loop = loop;
	w->events = *events;
	ord_bytes_init(&w->filling, ORD_CONNECTION_OUTPUT_BYTES_MAX);
	ord_bytes_init(&w->flying, ORD_CONNECTION_OUTPUT_BYTES_MAX);
	int err = ord_rpc_stream_open(ORD_RPC_BYTES_MAX, &w->stream);
	if (err == ORD_OK)
		err = address_is_numeric(w, to) ? connect_begin(w) : resolve_begin(w, to);
	if (err != ORD_OK) {
		ord_rpc_stream_close(w->stream);
		free(w);
		return err;
	}
	*ret = w;
	return ORD_OK;
}

struct ord_bytes *ord_wire_output(struct ord_wire *w)
{
	return &w->filling;
}

static void output_empty(struct ord_bytes *out)
{
	if (out->capacity > WIRE_KEEP_BYTES)
		ord_bytes_close(out);
	else
		ord_bytes_clear(out);
}

static void write_cb(uv_write_t *request, int status)
{
	struct ord_wire *w = request->data;
	w->writing = false;
	output_empty(&w->flying);
	if (status != 0)
		ord_wire_fail(w, uv_strerror(status));
	else
		ord_wire_flush(w);
}

void ord_wire_flush(struct ord_wire *w)
{
	if (w->state != WIRE_UP || w->writing || w->filling.len == 0)
		return;
	size_t len = w->filling.len;
	w->sent_bytes += len;
	struct ord_bytes out = w->filling;
	w->filling = w->flying;
	w->flying = out;
	uv_buf_t buf = uv_buf_init((char *)out.base, (unsigned)len);
	int wrote = uv_try_write((uv_stream_t *)&w->tcp, &buf, 1);
	if (wrote >= 0 && (size_t)wrote == len) {
		output_empty(&w->flying);
		return;
	}
	size_t begin = wrote > 0 ? (size_t)wrote : 0;
	buf = uv_buf_init((char *)out.base + begin, (unsigned)(len - begin));
	w->write.data = w;
	w->writing = true;
	int err = uv_write(&w->write, (uv_stream_t *)&w->tcp, &buf, 1, write_cb);
	if (err != 0) {
		w->writing = false;
		ord_wire_fail(w, uv_strerror(err));
	}
}

uint64_t ord_wire_appended_bytes(const struct ord_wire *w)
{
	return w->sent_bytes + w->filling.len;
}

uint64_t ord_wire_sent_bytes(const struct ord_wire *w)
{
	return w->sent_bytes;
}
