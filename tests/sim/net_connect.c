/* SPDX-License-Identifier: Apache-2.0 - making connections: who listens, who tries, and what comes of it. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/sim/net_state.h"
#include "tests/sim/world.h"

#define CONNECT_RETRY_US SIM_SECOND
#define CONNECT_TIMEOUT_US (20u * SIM_SECOND)
#define LISTENERS_MAX 64

struct sim_listener {
	uint32_t address;
	uint16_t port;
	struct sim_socket *socket;
};

/* An attempt to connect. */
struct attempt {
	struct attempt *next;
	uint64_t number;
	uint32_t from;
	uint32_t to;
	uint16_t port;
	uint64_t began_us;
	struct sim_socket *socket;
};

static struct {
	struct sim_listener listeners[LISTENERS_MAX]; /* socket NULL: free */
	struct attempt *attempts;		      /* owned */
} making;

void sim_connect_open(void)
{
	memset(&making, 0, sizeof making);
}

static struct sim_listener *listener_find(uint32_t address, uint16_t port)
{
	for (unsigned i = 0; i < LISTENERS_MAX; i++)
		if (making.listeners[i].socket != NULL && making.listeners[i].address == address &&
		    making.listeners[i].port == port)
			return &making.listeners[i];
	return NULL;
}

bool sim_net_listen(uint32_t address, uint16_t port, struct sim_socket *s)
{
	if (listener_find(address, port) != NULL)
		return false;
	unsigned place = 0;
	while (making.listeners[place].socket != NULL)
		SIM_ASSERT(++place < LISTENERS_MAX);
	making.listeners[place] = (struct sim_listener){.address = address, .port = port, .socket = s};
	return true;
}

void sim_net_unlisten(const struct sim_socket *s)
{
	for (unsigned i = 0; i < LISTENERS_MAX; i++)
		if (making.listeners[i].socket == s)
			making.listeners[i].socket = NULL;
}

static struct attempt *attempt_take(uint64_t number, const struct sim_socket *s)
{
	struct attempt **at = &making.attempts;
	while (*at != NULL && (s == NULL ? (*at)->number != number : (*at)->socket != s))
		at = &(*at)->next;
	struct attempt *a = *at;
	if (a != NULL)
		*at = a->next;
	return a;
}

static void attempt_put(struct attempt *a)
{
	a->next = making.attempts;
	making.attempts = a;
}

static void refused_event(void *ctx, uint64_t number)
{
	(void)ctx;
	struct attempt *a = attempt_take(number, NULL);
	if (a == NULL)
		return;
	sim_socket_connected(a->socket, NULL, UV_ECONNREFUSED);
	free(a);
}

static void connected_event(void *ctx, uint64_t number)
{
	(void)ctx;
	struct sim_conn *c = sim_conn_find(number);
	if (c == NULL || c->ends[0].socket == NULL)
		return;
	struct sim_socket *s = c->ends[0].socket;
	sim_socket_connected(s, &c->ends[0], 0);
}

static void attempt_event(void *ctx, uint64_t number)
{
	struct attempt *a = attempt_take(number, NULL);
	if (a == NULL)
		return;
	attempt_put(a);
	uint64_t now_us = sim_now_us();
	if (!sim_path_is_open(a->from, a->to) || !sim_path_is_open(a->to, a->from)) {
		if (now_us - a->began_us < CONNECT_TIMEOUT_US) {
			sim_at(now_us + CONNECT_RETRY_US, attempt_event, ctx, number);
			return;
		}
		a = attempt_take(number, NULL);
		sim_socket_connected(a->socket, NULL, UV_ETIMEDOUT);
		free(a);
		return;
	}
	uint64_t back_us = now_us + sim_path_latency_us(a->to, a->from);
	struct sim_listener *l = listener_find(a->to, a->port);
	if (l == NULL) {
		sim_at(back_us, refused_event, NULL, number);
		return;
	}
	a = attempt_take(number, NULL);
	struct sim_conn *c = sim_conn_new(a->from, a->to, a->port);
	c->ends[0].socket = a->socket;
	c->ends[1].waits_at = l;
	sim_socket_incoming(l->socket, &c->ends[1]);
	sim_at(back_us, connected_event, NULL, c->number);
	free(a);
}

void sim_net_connect(uint32_t from, uint32_t to, uint16_t port, struct sim_socket *s)
{
	struct attempt *a = calloc(1, sizeof *a);
	SIM_ASSERT(a != NULL && to < SIM_ADDRESSES_MAX);
	*a = (struct attempt){.number = sim_conn_number(),
			      .from = from,
			      .to = to,
			      .port = port,
			      .began_us = sim_now_us(),
			      .socket = s};
	attempt_put(a);
	sim_at(sim_now_us() + sim_path_latency_us(from, to), attempt_event, NULL, a->number);
}

void sim_net_connect_stop(const struct sim_socket *s)
{
	free(attempt_take(0, s));
	struct sim_conn *c = sim_conn_of(s);
	if (c != NULL)
		sim_end_close(&c->ends[0]);
}

void sim_connect_forget(uint32_t address)
{
	for (unsigned i = 0; i < LISTENERS_MAX; i++)
		if (making.listeners[i].socket != NULL && making.listeners[i].address == address) {
			sim_socket_orphan(making.listeners[i].socket);
			making.listeners[i].socket = NULL;
		}
	for (struct attempt **at = &making.attempts; *at != NULL;) {
		struct attempt *a = *at;
		if (a->from != address) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		sim_socket_orphan(a->socket);
		free(a);
	}
}
