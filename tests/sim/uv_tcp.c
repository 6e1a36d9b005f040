/* SPDX-License-Identifier: Apache-2.0 - libuv's TCP handles over the simulated network. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "node/bind.h"
#include "tests/sim/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/world.h"

#define LISTEN_FD_FIRST 200000
#define SOCKET_FD_FIRST 300000

struct queued_write {
	struct queued_write *next;
	uv_write_t *request;
	uv_write_cb cb;
	uv_buf_t buf;
	size_t done;
	int status;
};

struct queued_end {
	struct queued_end *next;
	struct sim_end *end;
};

struct sim_socket {
	struct sim_handle *handle;
	struct sim_end *end; /* NULL: not connected, or no more */
	uint16_t port;	     /* bound to it; 0: none */
	bool listening;
	bool reading;
	bool connecting;
	bool ended;	    /* its end was told */
	bool read_planned;  /* socket_read_ready is to come */
	bool write_planned; /* socket_write_ready is to come */
	bool shut;	    /* nothing more is written */
	uv_connect_t *connect_request;
	int connect_err;
	uv_connection_cb connection_cb;
	struct queued_end *incoming; /* owned: not accepted yet, oldest first */
	uv_alloc_cb alloc_cb;
	uv_read_cb read_cb;
	struct queued_write *writes;  /* owned: not handed to the kernel yet, oldest first */
	struct queued_write *written; /* owned: their callbacks are to come */
	uv_shutdown_t *shutdown_request;
	uv_shutdown_cb shutdown_cb;
};

static struct sim_socket *socket_of(const void *uv)
{
	return sim_handle_of(uv)->socket;
}

static bool socket_is_dead(const struct sim_socket *s)
{
	return sim_is_dead(sim_loop_process(s->handle->loop));
}

static uint32_t socket_address(const struct sim_socket *s)
{
	return sim_loop_process(s->handle->loop)->address;
}

int uv_tcp_init(uv_loop_t *loop, uv_tcp_t *uv)
{
	struct sim_handle *h = sim_handle_open(loop, uv, UV_TCP);
	h->socket = calloc(1, sizeof *h->socket);
	SIM_ASSERT(h->socket != NULL);
	h->socket->handle = h;
	uv->write_queue_size = 0;
	return 0;
}

/* --- Writing. --- */

static void socket_write_ready(void *ctx, uint64_t arg);

static void plan_write(struct sim_socket *s)
{
	if (s->write_planned)
		return;
	s->write_planned = true;
	sim_loop_ready(s->handle->loop, socket_write_ready, s, 0);
}

static void write_end(struct sim_socket *s, int status)
{
	struct queued_write *w = s->writes;
	s->writes = w->next;
	((uv_stream_t *)s->handle->uv)->write_queue_size -= w->buf.len - w->done;
	w->status = status;
	w->next = NULL;
	struct queued_write **at = &s->written;
	while (*at != NULL)
		at = &(*at)->next;
	*at = w;
}

/* Hands the kernel what it takes. */
static void writes_push(struct sim_socket *s)
{
	while (s->writes != NULL) {
		struct queued_write *w = s->writes;
		size_t left = w->buf.len - w->done;
		int64_t took = (int64_t)left;
		if (s->end == NULL)
			took = socket_is_dead(s) ? (int64_t)left : UV_ECANCELED;
		else if (sim_io())
			took = sim_end_write(s->end, w->buf.base + w->done, left);
		if (took < 0) {
			write_end(s, (int)took);
			continue;
		}
		w->done += (size_t)took;
		((uv_stream_t *)s->handle->uv)->write_queue_size -= (size_t)took;
		if (w->done < w->buf.len)
			return;
		write_end(s, 0);
	}
}

static void socket_write_ready(void *ctx, uint64_t arg)
{
	struct sim_socket *s = ctx;
	(void)arg;
	s->write_planned = false;
	if (s->handle->closing)
		return;
	writes_push(s);
	while (s->written != NULL && !s->handle->closing) {
		struct queued_write *w = s->written;
		s->written = w->next;
		uv_write_t *request = w->request;
		uv_write_cb cb = w->cb;
		int status = w->status;
		free(w);
		if (cb != NULL)
			cb(request, status);
	}
	if (s->shutdown_request != NULL && s->writes == NULL && !s->handle->closing) {
		uv_shutdown_t *request = s->shutdown_request;
		s->shutdown_request = NULL;
		if (s->end != NULL && sim_io())
			sim_end_finish(s->end);
		s->shutdown_cb(request, 0);
	}
}

int uv_write(uv_write_t *request, uv_stream_t *uv, const uv_buf_t bufs[], unsigned int count, uv_write_cb cb)
{
	struct sim_socket *s = socket_of(uv);
	SIM_ASSERT(count == 1 && !s->handle->closing);
	if (s->end == NULL && !socket_is_dead(s))
		return UV_EBADF;
	if (s->shut)
		return UV_EPIPE;
	struct queued_write *w = calloc(1, sizeof *w);
	SIM_ASSERT(w != NULL);
	*w = (struct queued_write){.request = request, .cb = cb, .buf = bufs[0]};
	request->handle = uv;
	uv->write_queue_size += w->buf.len;
	struct queued_write **at = &s->writes;
	while (*at != NULL)
		at = &(*at)->next;
	*at = w;
	writes_push(s);
	if (s->written != NULL)
		plan_write(s);
	return 0;
}

int uv_try_write(uv_stream_t *uv, const uv_buf_t bufs[], unsigned int count)
{
	struct sim_socket *s = socket_of(uv);
	SIM_ASSERT(count == 1 && !s->handle->closing);
	if (s->writes != NULL || s->connecting)
		return UV_EAGAIN;
	if (s->shut)
		return UV_EPIPE;
	if (!sim_io())
		return (int)bufs[0].len;
	if (s->end == NULL)
		return UV_EBADF;
	int64_t took = sim_end_write(s->end, bufs[0].base, bufs[0].len);
	return took == 0 && bufs[0].len > 0 ? UV_EAGAIN : (int)took;
}

int uv_shutdown(uv_shutdown_t *request, uv_stream_t *uv, uv_shutdown_cb cb)
{
	struct sim_socket *s = socket_of(uv);
	if (s->end == NULL && !socket_is_dead(s))
		return UV_ENOTCONN;
	s->shut = true;
	s->shutdown_request = request;
	s->shutdown_cb = cb;
	request->handle = uv;
	plan_write(s);
	return 0;
}

size_t uv_stream_get_write_queue_size(const uv_stream_t *uv)
{
	return uv->write_queue_size;
}

void sim_socket_writable(struct sim_socket *s)
{
	if (s->writes != NULL)
		plan_write(s);
}

/* --- Reading. --- */

static void socket_read_ready(void *ctx, uint64_t arg);

static void plan_read(struct sim_socket *s)
{
	if (s->read_planned || !s->reading || s->end == NULL || s->ended || !sim_end_is_readable(s->end))
		return;
	s->read_planned = true;
	sim_loop_ready(s->handle->loop, socket_read_ready, s, 0);
}

void sim_socket_readable(struct sim_socket *s)
{
	plan_read(s);
}

static void socket_read_ready(void *ctx, uint64_t arg)
{
	struct sim_socket *s = ctx;
	(void)arg;
	s->read_planned = false;
	if (!s->reading || s->end == NULL || s->handle->closing || s->ended)
		return;
	uv_stream_t *uv = (uv_stream_t *)s->handle->uv;
	uv_buf_t buf = {0};
	s->alloc_cb((uv_handle_t *)uv, 65536, &buf);
	if (buf.base == NULL || buf.len == 0) {
		s->read_cb(uv, UV_ENOBUFS, &buf);
		return;
	}
	bool ended;
	int64_t got = sim_end_read(s->end, buf.base, buf.len, &ended);
	if (got < 0 || ended)
		s->ended = true;
	if (got == 0 && ended)
		got = UV_EOF;
	s->read_cb(uv, (ssize_t)got, &buf);
	if (!s->handle->closing)
		plan_read(s);
}

int uv_read_start(uv_stream_t *uv, uv_alloc_cb alloc_cb, uv_read_cb read_cb)
{
	struct sim_socket *s = socket_of(uv);
	if (s->handle->closing)
		return UV_EINVAL;
	s->alloc_cb = alloc_cb;
	s->read_cb = read_cb;
	s->reading = true;
	plan_read(s);
	return 0;
}

int uv_read_stop(uv_stream_t *uv)
{
	socket_of(uv)->reading = false;
	return 0;
}

/* --- Connecting. --- */

static void socket_connect_ready(void *ctx, uint64_t arg)
{
	struct sim_socket *s = ctx;
	uv_connect_t *request = s->connect_request;
	(void)arg;
	if (request == NULL || s->handle->closing)
		return;
	s->connect_request = NULL;
	s->connecting = false;
	request->cb(request, s->connect_err);
	if (!s->handle->closing)
		plan_read(s);
}

void sim_socket_connected(struct sim_socket *s, struct sim_end *end, int err)
{
	s->end = end;
	s->connect_err = err;
	sim_loop_ready(s->handle->loop, socket_connect_ready, s, 0);
}

int uv_tcp_connect(uv_connect_t *request, uv_tcp_t *uv, const struct sockaddr *address, uv_connect_cb cb)
{
	struct sim_socket *s = socket_of(uv);
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	SIM_ASSERT(in->sin_family == AF_INET && !s->connecting && s->end == NULL);
	request->cb = cb;
	request->handle = (uv_stream_t *)uv;
	s->connect_request = request;
	s->connecting = true;
	if (sim_io())
		sim_net_connect(socket_address(s), ntohl(in->sin_addr.s_addr) & 0xff, ntohs(in->sin_port), s);
	else
		sim_socket_connected(s, NULL, UV_ECONNREFUSED);
	return 0;
}

/* --- Listening. --- */

/* In the place of node/bind.c, which makes a real socket: the number says which port. */
int ord_bind(const char *host, uint16_t port, int *ret_fd, char *why, size_t why_size)
{
	(void)host;
	(void)why;
	(void)why_size;
	*ret_fd = LISTEN_FD_FIRST + port;
	return ORD_OK;
}

int uv_tcp_open(uv_tcp_t *uv, uv_os_sock_t fd)
{
	SIM_ASSERT(fd >= LISTEN_FD_FIRST);
	socket_of(uv)->port = (uint16_t)(fd - LISTEN_FD_FIRST);
	return 0;
}

int uv_tcp_bind(uv_tcp_t *uv, const struct sockaddr *address, unsigned int flags)
{
	(void)flags;
	socket_of(uv)->port = ntohs(((const struct sockaddr_in *)address)->sin_port);
	return 0;
}

int uv_listen(uv_stream_t *uv, int backlog, uv_connection_cb cb)
{
	struct sim_socket *s = socket_of(uv);
	(void)backlog;
	s->connection_cb = cb;
	s->listening = true;
	return sim_net_listen(socket_address(s), s->port, s) ? 0 : UV_EADDRINUSE;
}

static void socket_accept_ready(void *ctx, uint64_t arg)
{
	struct sim_socket *s = ctx;
	(void)arg;
	if (!s->handle->closing && s->incoming != NULL)
		s->connection_cb((uv_stream_t *)s->handle->uv, 0);
}

void sim_socket_incoming(struct sim_socket *listener, struct sim_end *end)
{
	struct queued_end *q = calloc(1, sizeof *q);
	SIM_ASSERT(q != NULL);
	q->end = end;
	struct queued_end **at = &listener->incoming;
	while (*at != NULL)
		at = &(*at)->next;
	*at = q;
	sim_loop_ready(listener->handle->loop, socket_accept_ready, listener, 0);
}

int uv_accept(uv_stream_t *server, uv_stream_t *client)
{
	struct sim_socket *l = socket_of(server);
	struct sim_socket *s = socket_of(client);
	struct queued_end *q = l->incoming;
	if (q == NULL)
		return UV_EAGAIN;
	l->incoming = q->next;
	s->end = q->end;
	sim_end_attach(q->end, s);
	free(q);
	return 0;
}

/* --- Options. --- */

int uv_tcp_nodelay(uv_tcp_t *uv, int enable)
{
	(void)uv;
	(void)enable;
	return 0;
}

int uv_tcp_keepalive(uv_tcp_t *uv, int enable, unsigned int delay_s)
{
	struct sim_socket *s = socket_of(uv);
	if (s->end != NULL)
		sim_end_keepalive(s->end, enable ? delay_s : 0);
	return 0;
}

int uv_tcp_getpeername(const uv_tcp_t *uv, struct sockaddr *ret, int *len)
{
	struct sim_socket *s = socket_of(uv);
	if (s->end == NULL)
		return UV_ENOTCONN;
	*len = sizeof(struct sockaddr_in);
	return sim_net_address(sim_end_peer_address(s->end), 1, (struct sockaddr_in *)ret);
}

/* A number by which sim_socket_set_timeout() finds the socket again. */
static struct sim_socket *filenos[1024];

int uv_fileno(const uv_handle_t *uv, uv_os_fd_t *ret)
{
	struct sim_socket *s = socket_of(uv);
	unsigned at = 0;
	while (filenos[at] != NULL && filenos[at] != s)
		SIM_ASSERT(++at < sizeof filenos / sizeof *filenos);
	filenos[at] = s;
	*ret = SOCKET_FD_FIRST + (int)at;
	return 0;
}

bool sim_socket_set_timeout(int fd, uint32_t timeout_ms)
{
	if (fd < SOCKET_FD_FIRST || fd >= SOCKET_FD_FIRST + (int)(sizeof filenos / sizeof *filenos))
		return false;
	struct sim_socket *s = filenos[fd - SOCKET_FD_FIRST];
	if (s != NULL && s->end != NULL)
		sim_end_user_timeout(s->end, timeout_ms);
	return true;
}

/* --- The end of a socket. --- */

void sim_socket_orphan(struct sim_socket *s)
{
	s->end = NULL;
	s->reading = false;
	while (s->incoming != NULL) {
		struct queued_end *q = s->incoming;
		s->incoming = q->next;
		free(q);
	}
	if (s->connecting)
		sim_socket_connected(s, NULL, UV_ECONNREFUSED);
	if (s->writes != NULL)
		plan_write(s);
}

void sim_socket_closing(struct sim_socket *s)
{
	s->reading = false;
	if (s->listening)
		sim_net_unlisten(s);
	while (s->incoming != NULL) {
		struct queued_end *q = s->incoming;
		s->incoming = q->next;
		sim_end_close(q->end);
		free(q);
	}
	if (s->connecting)
		sim_net_connect_stop(s);
	else if (s->end != NULL)
		sim_end_close(s->end);
	s->end = NULL;
}

/* What was asked for and not done is cancelled, just before the close callback. */
void sim_socket_free(struct sim_socket *s)
{
	sim_loop_unready(s->handle->loop, s);
	for (size_t i = 0; i < sizeof filenos / sizeof *filenos; i++)
		if (filenos[i] == s)
			filenos[i] = NULL;
	if (s->connect_request != NULL)
		s->connect_request->cb(s->connect_request, UV_ECANCELED);
	while (s->writes != NULL)
		write_end(s, UV_ECANCELED);
	while (s->written != NULL) {
		struct queued_write *w = s->written;
		s->written = w->next;
		if (w->cb != NULL)
			w->cb(w->request, w->status);
		free(w);
	}
	if (s->shutdown_request != NULL)
		s->shutdown_cb(s->shutdown_request, UV_ECANCELED);
	free(s);
}
