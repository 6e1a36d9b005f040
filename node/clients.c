/* SPDX-License-Identifier: Apache-2.0 - the turns of all client connections. */
#include "node/clients.h"

#include "base/assert.h"
#include "node/client_conn.h"
#include "node/config.h"

#define SWEEP_MS 500

/* Each visit may close the connection, and with it take it out of the list: the next one is noted first. */
static void clients_flush_cb(uv_prepare_t *handle)
{
	struct ord_clients *c = handle->data;
	struct ord_client_conn *next;
	for (struct ord_client_conn *conn = c->awake_first; conn != NULL; conn = next) {
		next = conn->awake_next;
		ord_client_conn_flush(conn);
		if (!ord_client_conn_awake(conn))
			ord_client_conn_sleep(conn);
	}
	if (c->awake_first == NULL && !c->resumed)
		uv_idle_stop(&c->keep_awake);
	c->resumed = false;
}

static void clients_keep_awake_cb(uv_idle_t *handle)
{
	struct ord_clients *c = handle->data;
	struct ord_client_conn *next;
	for (struct ord_client_conn *conn = c->awake_first; conn != NULL; conn = next) {
		next = conn->awake_next;
		c->resumed |= ord_client_conn_resume(conn);
	}
}

void ord_clients_keep_awake(struct ord_clients *c)
{
	uv_idle_start(&c->keep_awake, clients_keep_awake_cb);
}

static void clients_sweep_cb(uv_timer_t *handle)
{
	struct ord_clients *c = handle->data;
	struct ord_client_conn *next;
	for (struct ord_client_conn *conn = c->first; conn != NULL; conn = next) {
		next = conn->next;
		ord_client_conn_sweep(conn, uv_now(c->loop));
	}
}

void ord_clients_init(struct ord_clients *c, uv_loop_t *loop, const struct ord_config *config, struct ord_shard *shard)
{
	*c = (struct ord_clients){.loop = loop, .clients_max = config->clients_max, .handles_open = 3};
	c->total = &c->own_total;
	c->calls = (struct ord_calls){.config = config,
				      .shard = shard,
				      .started_ms = ord_shard_now_ms(shard),
				      .clients_count = c->total,
				      .done = ord_client_conn_answered};
	uv_prepare_init(loop, &c->flush);
	uv_idle_init(loop, &c->keep_awake);
	uv_timer_init(loop, &c->sweep);
	c->flush.data = c;
	c->keep_awake.data = c;
	c->sweep.data = c;
	uv_prepare_start(&c->flush, clients_flush_cb);
	uv_timer_start(&c->sweep, clients_sweep_cb, SWEEP_MS, SWEEP_MS);
}

void ord_clients_share(struct ord_clients *c, atomic_uint *total)
{
	ORD_ASSERT(c->conns_count == 0);
	c->total = total;
	c->calls.clients_count = total;
}

void ord_clients_end(struct ord_clients *c)
{
	struct ord_client_conn *next;
	for (struct ord_client_conn *conn = c->first; conn != NULL; conn = next) {
		next = conn->next;
		ord_client_conn_end(conn);
	}
}

static void clients_check_closed(struct ord_clients *c)
{
	if (!c->closing || c->conns_count > 0 || c->handles_open > 0)
		return;
	ord_calls_close(&c->calls);
	c->closed(c->closed_ctx);
}

static void clients_close_cb(uv_handle_t *handle)
{
	struct ord_clients *c = handle->data;
	c->handles_open--;
	clients_check_closed(c);
}

void ord_clients_come(struct ord_clients *c)
{
	c->conns_count++;
	atomic_fetch_add(c->total, 1);
}

void ord_clients_gone(struct ord_clients *c)
{
	ORD_ASSERT(c->conns_count > 0);
	c->conns_count--;
	atomic_fetch_sub(c->total, 1);
	clients_check_closed(c);
}

void ord_clients_close(struct ord_clients *c, void (*closed)(void *ctx), void *ctx)
{
	ORD_ASSERT(!c->closing);
	c->closing = true;
	c->closed = closed;
	c->closed_ctx = ctx;
	struct ord_client_conn *next;
	for (struct ord_client_conn *conn = c->first; conn != NULL; conn = next) {
		next = conn->next;
		ord_client_conn_flush(conn);
		ord_client_conn_close(conn);
	}
	uv_close((uv_handle_t *)&c->flush, clients_close_cb);
	uv_close((uv_handle_t *)&c->keep_awake, clients_close_cb);
	uv_close((uv_handle_t *)&c->sweep, clients_close_cb);
}
