/* SPDX-License-Identifier: Apache-2.0 - a node: several shards, which share nothing but their mailboxes. */

/* The end, each step of a place by a task from shard 0:
 *
 *   running --END--> ending: no requests are taken, the shard stops
 *     --the shard is gone, and all that was asked from here has come back--> quiet, of which shard 0 is told
 *     --CLOSE, when all are quiet--> closing: clients and mailbox are closed --> closed, of which shard 0 is told; the loop runs out, and with it the thread
 *
 * Until all are quiet each loop goes on: what is asked of a shard that has stopped is told so. Shard 0 closes its own mailbox last, and joins the threads.
 */
#include "node/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/client_conn.h"
#include "node/clients.h"
#include "node/config.h"
#include "node/listener.h"
#include "node/log.h"
#include "node/mailbox.h"
#include "node/node_state.h"
#include "node/shard.h"
#include "node/wire.h"

/* Of a tray, for answers alone: calls and messages leave it free. */
#define TRAY_SPARE_BYTES (ORD_TRAY_BYTES_MAX / 2)

/* --- Letters. --- */

/* What does not fit goes with the next turn. */
static void place_send(void *ctx)
{
	struct ord_place *p = ctx;
	struct ord_node *n = p->node;
	for (uint32_t i = 0; i < n->places_count; i++)
		if (p->trays[i].letters.len > 0)
			ord_mailbox_post(n->places[i].box, &p->trays[i]);
}

static bool place_hand(void *ctx, uint32_t shard, uint8_t kind, struct ord_slice body)
{
	struct ord_place *p = ctx;
	size_t spare_bytes = kind == ORD_PART_ANSWER ? 0 : TRAY_SPARE_BYTES;
	return ord_tray_put(&p->trays[shard], p->number, kind, body, spare_bytes);
}

static void place_receive(void *ctx, uint32_t from, uint8_t kind, struct ord_slice body)
{
	struct ord_place *p = ctx;
	if (p->shard != NULL)
		ord_shard_take(p->shard, from, kind, body);
}

void ord_place_send_task(struct ord_place *from, struct ord_task *task, struct ord_place *to)
{
	if (from == to)
		task->run(task, to);
	else
		ord_mailbox_send(to->box, task);
}

/* --- Clients. --- */

/* Of a connection that waits at the listener: every shard has its turn. False: it is for shard 0. */
static bool clients_take(void *ctx, uv_stream_t *server)
{
	struct ord_place *home = ctx;
	struct ord_node *n = home->node;
	struct ord_place *p = &n->places[n->next_place];
	n->next_place = (n->next_place + 1) % n->places_count;
	if (p == home)
		return false;
	if (p->loop == home->loop) {
		ord_client_conn_accept(p->clients, server);
		return true;
	}
	return ord_place_hand_client(home, p, server);
}

/* --- The end. --- */

static void node_free(struct ord_node *n)
{
	void (*stopped)(void *ctx) = n->stopped;
	void *ctx = n->stopped_ctx;
	for (uint32_t i = 0; i < n->places_count; i++)
		for (uint32_t k = 0; k < n->places_count; k++)
			ord_bytes_close(&n->places[i].trays[k].letters);
	free(n->places);
	free(n);
	if (stopped != NULL)
		stopped(ctx);
}

static void home_box_closed(void *ctx)
{
	node_free(((struct ord_place *)ctx)->node);
}

static void home_close_box(struct ord_node *n)
{
	struct ord_place *home = &n->places[0];
	if (home->clients != NULL || n->closed_count < n->places_count - 1)
		return;
	for (uint32_t i = 1; i < n->places_count; i++)
		ord_place_end_thread(&n->places[i]);
	ord_mailbox_close(home->box, home_box_closed, home);
}

static void closed_run(struct ord_task *task, void *ctx)
{
	struct ord_place *home = ctx;
	(void)task;
	home->node->closed_count++;
	home_close_box(home->node);
}

static void box_closed(void *ctx)
{
	struct ord_place *p = ctx;
	p->box = NULL;
}

static void clients_closed(void *ctx)
{
	struct ord_place *p = ctx;
	struct ord_node *n = p->node;
	if (p->number == 0) {
		n->listener = NULL;
		p->clients = NULL;
		home_close_box(n);
		return;
	}
	free(p->clients);
	p->clients = NULL;
	p->closed = (struct ord_task){.run = closed_run};
	ord_place_send_task(p, &p->closed, &n->places[0]);
	ord_mailbox_close(p->box, box_closed, p);
}

static void close_run(struct ord_task *task, void *ctx)
{
	struct ord_place *p = ctx;
	(void)task;
	p->state = ORD_PLACE_CLOSING;
	if (p->clients == NULL)
		clients_closed(p);
	else if (p->number == 0)
		ord_listener_close(p->node->listener, clients_closed, p);
	else
		ord_clients_close(p->clients, clients_closed, p);
}

static void quiet_run(struct ord_task *task, void *ctx)
{
	struct ord_place *home = ctx;
	struct ord_node *n = home->node;
	(void)task;
	if (++n->quiet_count < n->places_count)
		return;
	for (uint32_t i = n->places_count; i > 0; i--) { /* shard 0 last: it may be the end of n */
		struct ord_place *p = &n->places[i - 1];
		p->close = (struct ord_task){.run = close_run};
		ord_place_send_task(home, &p->close, p);
	}
}

void ord_place_check_quiet(struct ord_place *p)
{
	if (p->state != ORD_PLACE_ENDING || p->shard != NULL || p->asks_count > 0)
		return;
	p->state = ORD_PLACE_QUIET;
	p->quiet = (struct ord_task){.run = quiet_run};
	ord_place_send_task(p, &p->quiet, &p->node->places[0]);
}

static void shard_stopped(void *ctx)
{
	struct ord_place *p = ctx;
	p->shard = NULL;
	ord_place_check_quiet(p);
}

static void end_run(struct ord_task *task, void *ctx)
{
	struct ord_place *p = ctx;
	(void)task;
	p->state = ORD_PLACE_ENDING;
	if (p->number == 0 && p->node->listener != NULL)
		ord_listener_end(p->node->listener);
	else if (p->clients != NULL)
		ord_clients_end(p->clients);
	if (p->shard != NULL)
		ord_shard_stop(p->shard, shard_stopped, p);
	else
		ord_place_check_quiet(p);
}

void ord_node_stop(struct ord_node *n, void (*stopped)(void *ctx), void *ctx)
{
	n->stopped = stopped;
	n->stopped_ctx = ctx;
	for (uint32_t i = n->places_count; i > 0; i--) {
		struct ord_place *p = &n->places[i - 1];
		p->end = (struct ord_task){.run = end_run};
		ord_place_send_task(&n->places[0], &p->end, p);
	}
}

/* --- The start. --- */

static int place_open(struct ord_node *n, uint32_t number, char *why, size_t why_size)
{
	struct ord_place *p = &n->places[number];
	p->node = n;
	p->number = number;
	p->state = ORD_PLACE_RUNNING;
	ord_config_shard(n->options.config, number, &p->config);
	for (uint32_t i = 0; i < n->places_count; i++)
		ord_bytes_init(&p->trays[i].letters, ORD_TRAY_BYTES_MAX);
	int err = ord_place_loop_open(p);
	if (err != ORD_OK) {
		snprintf(why, why_size,
			 "shards: the system has no descriptors for shard %u of %u: raise LimitNOFILE (systemd) or "
			 "ulimit -n, or give less shards in a new cluster",
			 number, n->places_count);
		return err;
	}
	struct ord_mailbox_options box = {
		.loop = p->loop, .bytes_max = ORD_MAILBOX_BYTES_MAX, .receive = place_receive, .ctx = p};
	err = ord_mailbox_open(&box, &p->box);
	if (err != ORD_OK)
		ord_place_end_thread(p);
	return err;
}

/* On error those that were opened stay, and are all that there are. */
static int places_open(struct ord_node *n, char *why, size_t why_size)
{
	for (uint32_t i = 0; i < n->places_count; i++) {
		int err = place_open(n, i, why, why_size);
		if (err != ORD_OK) {
			n->places_count = i;
			return err;
		}
	}
	return ORD_OK;
}

static int place_start(struct ord_place *p, char *why, size_t why_size)
{
	const struct ord_node_options *o = &p->node->options;
	int err = ord_shard_start(p->loop, &p->config, o->fatal, o->ctx, &p->shard, why, why_size);
	if (err != ORD_OK)
		p->shard = NULL;
	return err;
}

/* All shards are there. */
static void place_join(struct ord_place *p)
{
	struct ord_node *n = p->node;
	struct ord_shard_siblings siblings = {.ctx = p, .hand = place_hand, .send = place_send};
	ord_shard_join(p->shard, &siblings);
	ord_clients_share(p->clients, &n->clients_count);
	p->clients->calls.ask = ord_place_ask;
	p->clients->calls.ask_ctx = p;
}

static int clients_start(struct ord_node *n, char *why, size_t why_size)
{
	struct ord_place *home = &n->places[0];
	int err = ord_listener_start(home->loop, &home->config, home->shard, &n->listener, why, why_size);
	if (err != ORD_OK) {
		n->listener = NULL;
		return err;
	}
	home->clients = ord_listener_clients(n->listener);
	for (uint32_t i = 1; i < n->places_count; i++) {
		struct ord_place *p = &n->places[i];
		p->clients = calloc(1, sizeof *p->clients);
		ORD_ASSERT(p->clients != NULL);
		ord_clients_init(p->clients, p->loop, &p->config, p->shard);
	}
	for (uint32_t i = 0; n->places_count > 1 && i < n->places_count; i++)
		place_join(&n->places[i]);
	if (n->places_count > 1)
		ord_listener_offer(n->listener, clients_take, home);
	return ORD_OK;
}

static void undone(void *ctx)
{
	*(bool *)ctx = true;
}

/* What was started ends again; the other loops run here, since no thread has begun. */
static void start_undo(struct ord_node *n)
{
	bool is_undone = false;
	uv_loop_t *loop = n->options.loop;
	bool has_loops = n->places_count > 1 && n->options.has_threads;
	ord_node_stop(n, undone, &is_undone);
	while (!is_undone) {
		for (uint32_t i = 1;
		     n->options.has_threads && i < n->places_count && n->closed_count < n->places_count - 1; i++)
			uv_run(n->places[i].loop, UV_RUN_NOWAIT);
		uv_run(loop, has_loops ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	}
}

int ord_node_start(const struct ord_node_options *options, struct ord_node **ret, char *why, size_t why_size)
{
	uint32_t count = options->config->shards_count > 1 ? options->config->shards_count : 1;
	snprintf(why, why_size, "not enough memory for %u shards", count);
	struct ord_node *n = calloc(1, sizeof *n);
	if (n == NULL)
		return ORD_ERR_NOMEM;
	n->options = *options;
	n->places_count = count;
	n->places = calloc(count, sizeof *n->places);
	int err = n->places == NULL ? ORD_ERR_NOMEM : places_open(n, why, why_size);
	if (n->places == NULL || n->places_count == 0) {
		free(n->places);
		free(n);
		return err;
	}
	for (uint32_t i = 0; err == ORD_OK && i < count; i++)
		err = place_start(&n->places[i], why, why_size);
	if (err == ORD_OK)
		err = clients_start(n, why, why_size);
	if (err != ORD_OK) {
		start_undo(n);
		return err;
	}
	for (uint32_t i = 1; options->has_threads && i < count; i++)
		ord_place_begin_thread(&n->places[i]);
	*ret = n;
	return ORD_OK;
}

const char *ord_node_address(const struct ord_node *n)
{
	return ord_listener_address(n->listener);
}

struct ord_shard *ord_node_shard(struct ord_node *n, uint32_t shard)
{
	ORD_ASSERT(shard < n->places_count);
	return n->places[shard].shard;
}
