/* SPDX-License-Identifier: Apache-2.0 - unary gRPC calls over one HTTP/2 connection. */
#include "tests/peers/grpc.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#define PREFIX_BYTES 5		 /* of a message: not compressed, length */
#define READ_BYTES (64 * 1024)	 /* taken from the socket at once */
#define WRITE_BYTES (256 * 1024) /* collected for one write; what is more stays in nghttp2 */
#define WINDOW_BYTES (16 << 20)	 /* of answers that the server may send ahead */

/* One call under way; in a list, so that a close finds it. */
struct call {
	struct call *next;
	struct call *previous;
	grpc_cb *cb;
	void *arg;
	struct ord_bytes asked; /* prefix and message */
	size_t asked_offset;
	struct ord_bytes answer; /* prefix and message */
	int status;
	char problem[256];
};

struct grpc {
	nghttp2_session *session;
	int fd;
	const char *path;      /* borrowed */
	char authority[128];   /* host:port */
	struct call *calls;    /* owned; under way */
	struct call *spare;    /* owned; to be used again, with their buffers */
	struct ord_bytes text; /* to be written */
	bool closing;
};

static struct call *call_take(struct grpc *g)
{
	struct call *c = g->spare;
	if (c != NULL) {
		g->spare = c->next;
	} else {
		c = calloc(1, sizeof *c);
		if (c == NULL)
			return NULL;
		ord_bytes_init(&c->asked, PREFIX_BYTES + GRPC_MESSAGE_BYTES_MAX);
		ord_bytes_init(&c->answer, PREFIX_BYTES + GRPC_MESSAGE_BYTES_MAX);
	}
	c->next = g->calls;
	c->previous = NULL;
	if (g->calls != NULL)
		g->calls->previous = c;
	g->calls = c;
	return c;
}

static void call_give_back(struct grpc *g, struct call *c)
{
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		g->calls = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
	c->next = g->spare;
	g->spare = c;
}

static void calls_free(struct call *c)
{
	while (c != NULL) {
		struct call *next = c->next;
		ord_bytes_close(&c->asked);
		ord_bytes_close(&c->answer);
		free(c);
		c = next;
	}
}

/* The message of an answer; false when it is not exactly one that is not compressed. */
static bool answer_message(const struct call *c, struct ord_slice *ret)
{
	const uint8_t *at = c->answer.base;
	if (c->answer.failed || c->answer.len < PREFIX_BYTES || at[0] != 0)
		return false;
	size_t len = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
	if (len != c->answer.len - PREFIX_BYTES)
		return false;
	*ret = ord_slice_of(at + PREFIX_BYTES, len);
	return true;
}

/* --- What nghttp2 asks for and tells ----------------------------------------------------------------------------------- */

static ssize_t body_cb(nghttp2_session *session, int32_t stream, uint8_t *ret, size_t len, uint32_t *ret_flags,
		       nghttp2_data_source *source, void *arg)
{
	struct call *c = source->ptr;
	size_t left = c->asked.len - c->asked_offset;
	(void)session;
	(void)stream;
	(void)arg;
	if (len > left)
		len = left;
	memcpy(ret, c->asked.base + c->asked_offset, len);
	c->asked_offset += len;
	if (c->asked_offset == c->asked.len)
		*ret_flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

static int header_cb(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
	struct call *c = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct ord_slice is = ord_slice_of(name, name_len);
	(void)flags;
	(void)arg;
	if (c == NULL)
		return 0;
	if (ord_slice_equal(is, ord_slice_text("grpc-status")))
		c->status = (int)strtol((const char *)value, NULL, 10); /* nghttp2 ends values with a NUL */
	else if (ord_slice_equal(is, ord_slice_text("grpc-message")))
		snprintf(c->problem, sizeof c->problem, "%.*s", (int)value_len, (const char *)value);
	else if (ord_slice_equal(is, ord_slice_text(":status")) &&
		 !ord_slice_equal(ord_slice_of(value, value_len), ord_slice_text("200")))
		snprintf(c->problem, sizeof c->problem, "HTTP status %.*s", (int)value_len, (const char *)value);
	return 0;
}

static int data_cb(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *base, size_t len, void *arg)
{
	struct call *c = nghttp2_session_get_stream_user_data(session, stream);
	(void)flags;
	(void)arg;
	if (c != NULL)
		ord_bytes_put(&c->answer, base, len);
	return 0;
}

static int stream_close_cb(nghttp2_session *session, int32_t stream, uint32_t code, void *arg)
{
	struct grpc *g = arg;
	struct call *c = nghttp2_session_get_stream_user_data(session, stream);
	struct ord_slice message = {0};
	if (c == NULL || g->closing)
		return 0;
	if (c->status == GRPC_NO_STATUS && c->problem[0] == '\0')
		snprintf(c->problem, sizeof c->problem, "the stream was closed (HTTP/2 error %u)", (unsigned)code);
	if (c->status == 0 && !answer_message(c, &message)) {
		c->status = GRPC_NO_STATUS;
		snprintf(c->problem, sizeof c->problem, "the answer is not one message of at most %d bytes",
			 GRPC_MESSAGE_BYTES_MAX);
	}
	c->cb(c->status, c->status == 0 ? message : ord_slice_text(c->problem), c->arg);
	call_give_back(g, c);
	return 0;
}

/* --- The connection ---------------------------------------------------------------------------------------------------- */

static int connect_to(const char *address, char *why, size_t why_size)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char host[128];
	const char *colon = strrchr(address, ':');
	int on = 1;
	if (colon == NULL || (size_t)(colon - address) >= sizeof host) {
		snprintf(why, why_size, "'%s' is not an address; give HOST:PORT", address);
		return -1;
	}
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	int err = getaddrinfo(host, colon + 1, &wanted, &found);
	if (err != 0) {
		snprintf(why, why_size, "%s: %s", address, gai_strerror(err));
		return -1;
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
			 setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
			 fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
	if (!connected) {
		snprintf(why, why_size, "%s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static int session_make(struct grpc *g)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
					     {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES}};
	int err = nghttp2_session_callbacks_new(&callbacks);
	if (err != 0)
		return err;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, header_cb);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_cb);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_close_cb);
	err = nghttp2_session_client_new(&g->session, callbacks, g);
	nghttp2_session_callbacks_del(callbacks);
	if (err == 0)
		err = nghttp2_submit_settings(g->session, NGHTTP2_FLAG_NONE, settings, 2);
	if (err == 0)
		err = nghttp2_session_set_local_window_size(g->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
	return err;
}

struct grpc *grpc_open(const char *address, const char *path, char *why, size_t why_size)
{
	struct grpc *g = calloc(1, sizeof *g);
	snprintf(why, why_size, "out of memory");
	if (g == NULL)
		return NULL;
	ord_bytes_init(&g->text, 2 * (size_t)WRITE_BYTES);
	g->path = path;
	snprintf(g->authority, sizeof g->authority, "%s", address);
	g->fd = connect_to(address, why, why_size);
	if (g->fd < 0 || session_make(g) != 0) {
		grpc_close(g);
		return NULL;
	}
	return g;
}

void grpc_close(struct grpc *g)
{
	if (g == NULL)
		return;
	g->closing = true;
	nghttp2_session_del(g->session);
	if (g->fd >= 0)
		close(g->fd);
	calls_free(g->calls);
	calls_free(g->spare);
	ord_bytes_close(&g->text);
	free(g);
}

int grpc_fd(const struct grpc *g)
{
	return g->fd;
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)name,
			    .value = (uint8_t *)value,
			    .namelen = strlen(name),
			    .valuelen = strlen(value),
			    .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

bool grpc_call(struct grpc *g, struct ord_slice message, grpc_cb *cb, void *arg)
{
	nghttp2_nv fields[] = {field(":method", "POST"), field(":scheme", "http"),
			       field(":path", g->path),	 field(":authority", g->authority),
			       field("te", "trailers"),	 field("content-type", "application/grpc")};
	if (message.len > GRPC_MESSAGE_BYTES_MAX)
		return false;
	struct call *c = call_take(g);
	if (c == NULL)
		return false;
	uint8_t prefix[PREFIX_BYTES] = {0, (uint8_t)(message.len >> 24), (uint8_t)(message.len >> 16),
					(uint8_t)(message.len >> 8), (uint8_t)message.len};
	ord_bytes_clear(&c->asked);
	ord_bytes_clear(&c->answer);
	ord_bytes_put(&c->asked, prefix, sizeof prefix);
	ord_bytes_put(&c->asked, message.base, message.len);
	c->asked_offset = 0;
	c->cb = cb;
	c->arg = arg;
	c->status = GRPC_NO_STATUS;
	c->problem[0] = '\0';
	nghttp2_data_provider body = {.source.ptr = c, .read_callback = body_cb};
	if (c->asked.failed || nghttp2_submit_request(g->session, NULL, fields, 6, &body, c) < 0) {
		call_give_back(g, c);
		return false;
	}
	return true;
}

/* Ends what is under way when there is no connection any more. */
static bool connection_lost(struct grpc *g)
{
	g->closing = true;
	while (g->calls != NULL) {
		struct call *c = g->calls;
		c->cb(GRPC_NO_STATUS, ord_slice_text("the connection was lost"), c->arg);
		call_give_back(g, c);
	}
	return false;
}

bool grpc_read(struct grpc *g)
{
	static uint8_t text[READ_BYTES];
	ssize_t len;
	do {
		len = recv(g->fd, text, sizeof text, 0);
		if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
			return connection_lost(g);
		if (len > 0 && nghttp2_session_mem_recv(g->session, text, (size_t)len) < 0)
			return connection_lost(g);
	} while (len == READ_BYTES);
	return true;
}

/* Collects what nghttp2 has to say, so that one write takes all of it. */
static bool text_collect(struct grpc *g)
{
	while (g->text.len < WRITE_BYTES) {
		const uint8_t *base;
		ssize_t len = nghttp2_session_mem_send(g->session, &base);
		if (len <= 0)
			return len == 0;
		ord_bytes_put(&g->text, base, (size_t)len);
	}
	return !g->text.failed;
}

bool grpc_write(struct grpc *g, bool *ret_waits)
{
	*ret_waits = false;
	while (text_collect(g) && g->text.len > 0) {
		ssize_t len = send(g->fd, g->text.base, g->text.len, MSG_NOSIGNAL);
		if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
			*ret_waits = true;
			return true;
		}
		if (len < 0)
			return connection_lost(g);
		ord_bytes_consume(&g->text, (size_t)len);
	}
	return true;
}
