/* SPDX-License-Identifier: Apache-2.0 - listening for clients. */
#include "node/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/bind.h"
#include "node/client_conn.h"
#include "node/clients.h"
#include "node/config.h"
#include "node/log.h"

#define LISTEN_BACKLOG 1024

struct ord_listener {
	uv_tcp_t tcp;
	struct ord_clients clients;
	char address[ORD_ADDRESS_TEXT_SIZE];
	bool (*take)(void *ctx, uv_stream_t *server);
	void *take_ctx;
	bool ended;
	bool tcp_open;
	bool clients_open;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void listener_connection_cb(uv_stream_t *server, int status)
{
	struct ord_listener *l = server->data;
	if (status == 0 && l->take != NULL && l->take(l->take_ctx, server))
		return;
	if (status == 0) {
		ord_client_conn_accept(&l->clients, server);
		return;
	}
	uint64_t held_back;
	if (ord_log_allow(&l->clients.log_limit, uv_now(server->loop), &held_back))
		ord_log(ORD_LOG_WARN, "a client could not be accepted: %s", uv_strerror(status));
}

static void listener_check_closed(struct ord_listener *l)
{
	if (l->closed == NULL || l->tcp_open || l->clients_open)
		return;
	void (*closed)(void *ctx) = l->closed;
	void *ctx = l->closed_ctx;
	free(l);
	closed(ctx);
}

static void listener_close_cb(uv_handle_t *handle)
{
	struct ord_listener *l = handle->data;
	l->tcp_open = false;
	listener_check_closed(l);
}

static void listener_clients_closed(void *ctx)
{
	struct ord_listener *l = ctx;
	l->clients_open = false;
	listener_check_closed(l);
}

static const struct ord_address *listener_place(const struct ord_config *config, struct ord_address *room)
{
	*room = ord_config_find(config, config->node)->client;
	if (config->listen_host[0] != '\0')
		memcpy(room->host, config->listen_host, sizeof room->host);
	return room;
}

static void listener_give_up_cb(uv_handle_t *handle)
{
	free(handle->data);
}

/* From a bound socket to a listening handle. On error *l is freed by the loop's next turn. */
static int listener_listen(struct ord_listener *l, uv_loop_t *loop, int fd)
{
	int err = uv_tcp_init(loop, &l->tcp);
	ORD_ASSERT(err == 0);
	l->tcp.data = l;
	err = uv_tcp_open(&l->tcp, fd);
	if (err != 0)
		close(fd);
	else
		err = uv_listen((uv_stream_t *)&l->tcp, LISTEN_BACKLOG, listener_connection_cb);
	if (err != 0)
		uv_close((uv_handle_t *)&l->tcp, listener_give_up_cb);
	return err;
}

int ord_listener_start(uv_loop_t *loop, const struct ord_config *config, struct ord_shard *shard,
		       struct ord_listener **ret, char *why, size_t why_size)
{
	struct ord_address room;
	const struct ord_address *place = listener_place(config, &room);
	int fd;
	int err = ord_bind(place->host, place->port, &fd, why, why_size);
	if (err != ORD_OK)
		return err;
	struct ord_listener *l = calloc(1, sizeof *l);
	if (l == NULL) {
		close(fd);
		snprintf(why, why_size, "out of memory");
		return ORD_ERR_NOMEM;
	}
	ord_address_format(place->host, place->port, l->address);
	err = listener_listen(l, loop, fd);
	if (err != 0) {
		snprintf(why, why_size, "cannot listen on %s:%u: %s", place->host, (unsigned)place->port,
			 uv_strerror(err));
		return err == UV_EADDRINUSE ? ORD_ERR_IN_USE : ORD_ERR_IO;
	}
	ord_clients_init(&l->clients, loop, config, shard);
	l->tcp_open = true;
	l->clients_open = true;
	*ret = l;
	return ORD_OK;
}

void ord_listener_offer(struct ord_listener *l, bool (*take)(void *ctx, uv_stream_t *server), void *ctx)
{
	l->take = take;
	l->take_ctx = ctx;
}

struct ord_clients *ord_listener_clients(struct ord_listener *l)
{
	return &l->clients;
}

const char *ord_listener_address(const struct ord_listener *l)
{
	return l->address;
}

void ord_listener_end(struct ord_listener *l)
{
	ORD_ASSERT(!l->ended);
	l->ended = true;
	uv_close((uv_handle_t *)&l->tcp, listener_close_cb);
	ord_clients_end(&l->clients);
}

void ord_listener_close(struct ord_listener *l, void (*closed)(void *ctx), void *ctx)
{
	ORD_ASSERT(l->ended);
	l->closed = closed;
	l->closed_ctx = ctx;
	ord_clients_close(&l->clients, listener_clients_closed, l);
}
