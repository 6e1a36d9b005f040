/* SPDX-License-Identifier: Apache-2.0 - the connection.
 *
 *   RESOLVING --resolve_cb--> CONNECTING --connect_cb--> UP
 *       |                     |  ^  |                     |
 *       |       connect_next  +--+  |                     |
 *       +---------------------------+---------------------+--> CLOSING --link_release--> (freed)
 *                        ord_link_close, ord_link_fail
 *
 * A name may have several addresses: each is tried in turn with a handle of its own. */
#include "client/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"

#define LINK_ADDRESSES_MAX 8
#define LINK_WHY_BYTES 192

/* An output buffer larger than this is freed when it is empty. */
#define LINK_KEEP_BYTES (1u << 20)

enum link_state { LINK_RESOLVING, LINK_CONNECTING, LINK_UP, LINK_CLOSING };

struct ord_link {
	uv_tcp_t tcp;
	uv_getaddrinfo_t resolve;
	uv_connect_t connect;
	uv_write_t write;
	uv_loop_t *loop; /* borrowed */
	struct ord_link_events events;
	enum link_state state;
	bool handle_open; /* tcp was initialised and its close callback has not come */
	bool resolving;	  /* resolve is with the loop */
	bool writing;	  /* write is with the loop */
	struct sockaddr_storage addresses[LINK_ADDRESSES_MAX];
	unsigned addresses_count;
	unsigned addresses_tried;
	struct ord_rpc_stream *stream; /* owned */
	struct ord_bytes filling;      /* what is appended */
	struct ord_bytes flying;       /* what a write is at */
	uint64_t sent_bytes;
	bool failed;
	char why[LINK_WHY_BYTES];
};

static void connect_next(struct ord_link *l);

/* Frees the link when the loop holds nothing of it any more. */
static void link_release(struct ord_link *l)
{
	ORD_ASSERT(l->state == LINK_CLOSING);
	if (l->handle_open || l->resolving)
		return;
	l->events.gone(l->events.ctx, l->failed ? l->why : NULL);
	ord_rpc_stream_close(l->stream);
	ord_bytes_close(&l->filling);
	ord_bytes_close(&l->flying);
	free(l);
}

static void close_cb(uv_handle_t *handle)
{
	struct ord_link *l = handle->data;
	l->handle_open = false;
	if (l->state == LINK_CLOSING)
		link_release(l);
	else
		connect_next(l);
}

static void handle_close(struct ord_link *l)
{
	if (l->handle_open && !uv_is_closing((uv_handle_t *)&l->tcp))
		uv_close((uv_handle_t *)&l->tcp, close_cb);
}

void ord_link_close(struct ord_link *l)
{
	if (l->state == LINK_CLOSING)
		return;
	l->state = LINK_CLOSING;
	if (l->resolving)
		uv_cancel((uv_req_t *)&l->resolve);
	handle_close(l);
}

void ord_link_fail(struct ord_link *l, const char *why)
{
	if (l->state == LINK_CLOSING)
		return;
	l->failed = true;
	snprintf(l->why, sizeof l->why, "%s", why);
	ord_link_close(l);
}

static const char *stream_why(int err)
{
	if (err == ORD_ERR_NOMEM)
		return "out of memory";
	if (err == ORD_ERR_TOO_BIG)
		return "it sent a message over the limit";
	return "it does not speak MessagePack-RPC: is this the client port of a node?";
}

static void messages_take(struct ord_link *l)
{
	while (l->state == LINK_UP) {
		struct ord_rpc_message m;
		bool have;
		int err = ord_rpc_stream_next(l->stream, &m, &have);
		if (err != ORD_OK) {
			ord_link_fail(l, stream_why(err));
			return;
		}
		if (!have)
			return;
		l->events.message(l->events.ctx, &m);
	}
}

static void read_room_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct ord_link *l = handle->data;
	size_t len = 0;
	void *base = ord_rpc_stream_space(l->stream, &len);
	*buf = uv_buf_init(base, base == NULL ? 0 : (unsigned)len);
}

static void read_cb(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	(void)buf;
	struct ord_link *l = stream->data;
	if (got > 0) {
		ord_rpc_stream_filled(l->stream, (size_t)got);
		messages_take(l);
	} else if (got == UV_EOF) {
		ord_link_fail(l, "it closed the connection");
	} else if (got < 0) {
		ord_link_fail(l, uv_strerror((int)got));
	}
}

static void connect_cb(uv_connect_t *request, int status)
{
	struct ord_link *l = request->data;
	if (l->state == LINK_CLOSING)
		return;
	if (status == 0)
		status = uv_read_start((uv_stream_t *)&l->tcp, read_room_cb, read_cb);
	if (status == 0) {
		uv_tcp_nodelay(&l->tcp, 1);
		l->state = LINK_UP;
		l->events.up(l->events.ctx);
	} else if (l->addresses_tried < l->addresses_count) {
		handle_close(l); /* close_cb goes on with the next address */
	} else {
		ord_link_fail(l, uv_strerror(status));
	}
}

static void connect_next(struct ord_link *l)
{
	const struct sockaddr *to = (const struct sockaddr *)&l->addresses[l->addresses_tried++];
	int err = uv_tcp_init(l->loop, &l->tcp);
	if (err == 0) {
		l->tcp.data = l;
		l->handle_open = true;
		uv_unref((uv_handle_t *)&l->tcp);
		l->connect.data = l;
		err = uv_tcp_connect(&l->connect, &l->tcp, to, connect_cb);
	}
	if (err == 0)
		return;
	ord_link_fail(l, uv_strerror(err));
	if (!l->handle_open)
		link_release(l);
}

static void resolve_cb(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct ord_link *l = request->data;
	l->resolving = false;
	for (struct addrinfo *a = status == 0 ? list : NULL; a != NULL && l->addresses_count < LINK_ADDRESSES_MAX;
	     a = a->ai_next)
		memcpy(&l->addresses[l->addresses_count++], a->ai_addr, a->ai_addrlen);
	uv_freeaddrinfo(list);
	if (l->state != LINK_CLOSING && (status != 0 || l->addresses_count == 0))
		ord_link_fail(l, status != 0 ? uv_strerror(status) : "the name has no address");
	if (l->state == LINK_CLOSING) {
		link_release(l);
		return;
	}
	l->state = LINK_CONNECTING;
	connect_next(l);
}

/* A name goes to the resolver's thread. */
static int resolve_begin(struct ord_link *l, const struct ord_endpoint *to)
{
	char port[8];
	snprintf(port, sizeof port, "%u", (unsigned)to->port);
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	l->resolve.data = l;
	l->state = LINK_RESOLVING;
	if (uv_getaddrinfo(l->loop, &l->resolve, resolve_cb, to->host, port, &hints) != 0)
		return ORD_ERR_IO;
	l->resolving = true;
	return ORD_OK;
}

/* An address needs no resolver. */
static int connect_begin(struct ord_link *l)
{
	l->addresses_count = 1;
	l->state = LINK_CONNECTING;
	int err = uv_tcp_init(l->loop, &l->tcp);
	if (err != 0)
		return ORD_ERR_IO;
	l->tcp.data = l;
	l->handle_open = true;
	uv_unref((uv_handle_t *)&l->tcp);
	l->addresses_tried = 1;
	l->connect.data = l;
	err = uv_tcp_connect(&l->connect, &l->tcp, (const struct sockaddr *)&l->addresses[0], connect_cb);
	if (err != 0)
		ord_link_fail(l, uv_strerror(err)); /* told by gone */
	return ORD_OK;
}

static bool address_is_numeric(struct ord_link *l, const struct ord_endpoint *to)
{
	return uv_ip4_addr(to->host, to->port, (struct sockaddr_in *)&l->addresses[0]) == 0 ||
	       uv_ip6_addr(to->host, to->port, (struct sockaddr_in6 *)&l->addresses[0]) == 0;
}

int ord_link_open(uv_loop_t *loop, const struct ord_endpoint *to, const struct ord_link_events *events,
		  struct ord_link **ret)
{
	struct ord_link *l = calloc(1, sizeof *l);
	if (l == NULL)
		return ORD_ERR_NOMEM;
	l->loop = loop;
	l->events = *events;
	ord_bytes_init(&l->filling, ORD_CONNECTION_OUTPUT_BYTES_MAX);
	ord_bytes_init(&l->flying, ORD_CONNECTION_OUTPUT_BYTES_MAX);
	int err = ord_rpc_stream_open(ORD_RPC_BYTES_MAX, &l->stream);
	if (err == ORD_OK)
		err = address_is_numeric(l, to) ? connect_begin(l) : resolve_begin(l, to);
	if (err != ORD_OK) {
		ord_rpc_stream_close(l->stream);
		free(l);
		return err;
	}
	*ret = l;
	return ORD_OK;
}

struct ord_bytes *ord_link_output(struct ord_link *l)
{
	return &l->filling;
}

static void output_empty(struct ord_bytes *out)
{
	if (out->capacity > LINK_KEEP_BYTES)
		ord_bytes_close(out);
	else
		ord_bytes_clear(out);
}

static void write_cb(uv_write_t *request, int status)
{
	struct ord_link *l = request->data;
	l->writing = false;
	output_empty(&l->flying);
	if (status != 0)
		ord_link_fail(l, uv_strerror(status));
	else
		ord_link_flush(l);
}

void ord_link_flush(struct ord_link *l)
{
	if (l->state != LINK_UP || l->writing || l->filling.len == 0)
		return;
	size_t len = l->filling.len;
	l->sent_bytes += len;
	struct ord_bytes out = l->filling;
	l->filling = l->flying;
	l->flying = out;
	uv_buf_t buf = uv_buf_init((char *)out.base, (unsigned)len);
	int wrote = uv_try_write((uv_stream_t *)&l->tcp, &buf, 1);
	if (wrote >= 0 && (size_t)wrote == len) {
		output_empty(&l->flying);
		return;
	}
	size_t begin = wrote > 0 ? (size_t)wrote : 0;
	buf = uv_buf_init((char *)out.base + begin, (unsigned)(len - begin));
	l->write.data = l;
	l->writing = true;
	int err = uv_write(&l->write, (uv_stream_t *)&l->tcp, &buf, 1, write_cb);
	if (err != 0) {
		l->writing = false;
		ord_link_fail(l, uv_strerror(err));
	}
}

uint64_t ord_link_appended_bytes(const struct ord_link *l)
{
	return l->sent_bytes + l->filling.len;
}

uint64_t ord_link_sent_bytes(const struct ord_link *l)
{
	return l->sent_bytes;
}
