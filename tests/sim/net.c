/* SPDX-License-Identifier: Apache-2.0 - TCP as programs see it: bytes in order or an error, a kernel that takes only so much, and an end that may never hear of the other's end.
 *
 * A connection has two ends and two pipes. What an end writes stands in its pipe as segments, each with the time of its arrival; arrived bytes wait there until
 * the other end reads them. A segment that cannot arrive (cut, no power) is tried again after a time that doubles, as TCP does; when that has gone on for
 * the user timeout, the sender is told. Acknowledgements travel the other way: where that is cut, the sender does not know of what arrived.
 */
#include "tests/sim/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/sim/coverage.h"
#include "tests/sim/net_state.h"
#include "tests/sim/promise.h"
#include "tests/sim/world.h"

#define RETRY_FIRST_US (200u * SIM_MS)
#define RETRY_MAX_US (2u * SIM_SECOND)
#define USER_TIMEOUT_US (60u * SIM_SECOND)
#define WATCH_US SIM_SECOND
#define KEEPALIVE_PROBES_US (10u * SIM_SECOND)
#define BYTES_PER_US 200u /* of a network card */

#define CONNS_HASHED 256

static struct {
	struct sim_conn *conns[CONNS_HASHED]; /* owned; by number */
	uint32_t conns_count;
	uint64_t numbers_ever;
	bool watching;
} net;

static void watch_event(void *ctx, uint64_t arg);

void sim_net_open(void)
{
	memset(&net, 0, sizeof net);
	sim_paths_open();
	sim_connect_open();
	sim_at(sim_now_us() + WATCH_US, watch_event, NULL, 0);
}

/* --- Connections. --- */

uint64_t sim_conn_number(void)
{
	return ++net.numbers_ever;
}

struct sim_conn *sim_conn_of(const struct sim_socket *s)
{
	for (unsigned i = 0; i < CONNS_HASHED; i++)
		for (struct sim_conn *c = net.conns[i]; c != NULL; c = c->next)
			if (c->ends[0].socket == s)
				return c;
	return NULL;
}

struct sim_conn *sim_conn_find(uint64_t number)
{
	struct sim_conn *c = net.conns[number % CONNS_HASHED];
	while (c != NULL && c->number != number)
		c = c->next;
	return c;
}

static struct sim_end *end_other(struct sim_end *e)
{
	return &e->conn->ends[e == &e->conn->ends[0]];
}

struct sim_conn *sim_conn_new(uint32_t from, uint32_t to, uint16_t port)
{
	struct sim_conn *c = calloc(1, sizeof *c);
	SIM_ASSERT(c != NULL);
	c->number = sim_conn_number();
	c->next = net.conns[c->number % CONNS_HASHED];
	net.conns[c->number % CONNS_HASHED] = c;
	net.conns_count++;
	for (unsigned i = 0; i < 2; i++) {
		c->ends[i].conn = c;
		c->ends[i].address = i == 0 ? from : to;
		c->ends[i].user_timeout_us = USER_TIMEOUT_US;
		c->ends[i].out.retry_us = RETRY_FIRST_US;
	}
	c->ends[0].out.framed = port >= SIM_PEER_PORT;
	return c;
}

static void conn_free(struct sim_conn *c)
{
	struct sim_conn **at = &net.conns[c->number % CONNS_HASHED];
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	net.conns_count--;
	for (unsigned i = 0; i < 2; i++)
		sim_pipe_free(&c->ends[i].out);
	free(c);
}

/* Frees it when nobody has an end of it any more. */
static bool conn_release(struct sim_conn *c)
{
	if (!c->ends[0].gone || !c->ends[1].gone)
		return false;
	conn_free(c);
	return true;
}

/* The program is told, when it looks. */
static void end_tell(struct sim_end *e)
{
	if (e->socket == NULL)
		return;
	sim_socket_readable(e->socket);
	sim_socket_writable(e->socket);
}

static void end_fail(struct sim_end *e, int err)
{
	if (e->gone || e->err != 0)
		return;
	e->err = err;
	sim_pipe_drop(&e->out);
	end_tell(e);
}

static void reset_event(void *ctx, uint64_t arg)
{
	(void)ctx;
	struct sim_conn *c = sim_conn_find(arg >> 1);
	if (c != NULL)
		end_fail(&c->ends[arg & 1], UV_ECONNRESET);
}

/* "I do not know this connection" travels to the end, if it can. */
static void reset_send(struct sim_end *to)
{
	struct sim_end *from = end_other(to);
	if (to->gone || to->err != 0 || !sim_path_is_open(from->address, to->address) || sim_net_is_off(from->address))
		return;
	sim_at(sim_now_us() + sim_path_latency_us(from->address, to->address), reset_event, NULL,
	       to->conn->number << 1 | (to == &to->conn->ends[1]));
}

/* --- Arrivals. --- */

static void arrive_event(void *ctx, uint64_t arg);

static void pipe_plan(struct sim_end *from)
{
	struct sim_pipe *p = &from->out;
	uint64_t due_us;
	if (p->planned || !sim_pipe_due(p, &due_us))
		return;
	p->planned = true;
	uint64_t now_us = sim_now_us();
	sim_at(due_us > now_us ? due_us : now_us, arrive_event, NULL,
	       from->conn->number << 1 | (from == &from->conn->ends[1]));
}

/* What should have arrived, or been acknowledged, did not. */
static void pipe_retry(struct sim_end *from)
{
	struct sim_pipe *p = &from->out;
	uint64_t now_us = sim_now_us();
	if (p->unacked_since_us == 0)
		p->unacked_since_us = now_us;
	if (now_us - p->unacked_since_us >= from->user_timeout_us) {
		sim_cover(SIM_COVER_TCP_TIMED_OUT);
		end_fail(from, UV_ETIMEDOUT);
		sim_pipe_drop(p); /* also when nobody is there to be told */
		return;
	}
	sim_pipe_delay(p, now_us + p->retry_us);
	p->retry_us = p->retry_us * 2 > RETRY_MAX_US ? RETRY_MAX_US : p->retry_us * 2;
	pipe_plan(from);
}

static void arrive_event(void *ctx, uint64_t arg)
{
	(void)ctx;
	struct sim_conn *c = sim_conn_find(arg >> 1);
	if (c == NULL)
		return;
	struct sim_end *from = &c->ends[arg & 1];
	struct sim_end *to = end_other(from);
	struct sim_pipe *p = &from->out;
	uint64_t due_us;
	p->planned = false;
	if (!sim_pipe_due(p, &due_us))
		return;
	if (due_us > sim_now_us()) {
		pipe_plan(from);
		return;
	}
	if (!sim_path_is_open(from->address, to->address)) {
		pipe_retry(from);
		return;
	}
	if (to->gone && sim_path_is_open(to->address, from->address)) {
		reset_send(from);
		sim_pipe_drop(p);
		return;
	}
	if (to->gone) {
		pipe_retry(from); /* the answer to it is lost, too */
		return;
	}
	bool came = sim_pipe_arrive(p);
	if (sim_path_is_open(to->address, from->address)) {
		p->unacked_since_us = 0;
		p->retry_us = RETRY_FIRST_US;
		p->ack_missing = false;
	} else {
		p->ack_missing = true; /* it keeps being due until its acknowledgement gets through */
		pipe_retry(from);
	}
	if (came && to->socket != NULL)
		sim_socket_readable(to->socket);
	pipe_plan(from);
}

/* A window that stays closed is probed: whoever does not know the connection says so, and the user timeout counts here, too. */
static void end_probe(struct sim_end *e, bool reached)
{
	uint64_t full_since_us = e->out.full_since_us;
	if (full_since_us == 0)
		return;
	if (reached && end_other(e)->gone)
		end_fail(e, UV_ECONNRESET);
	else if (sim_now_us() - full_since_us >= e->user_timeout_us)
		end_fail(e, UV_ETIMEDOUT);
}

/* Once a second: what no segment brings to light. */
static void end_watch(struct sim_end *e)
{
	struct sim_end *other = end_other(e);
	uint64_t now_us = sim_now_us();
	if (e->gone || e->err != 0)
		return;
	bool reached = sim_path_is_open(e->address, other->address) && sim_path_is_open(other->address, e->address);
	end_probe(e, reached);
	if (e->keepalive_us == 0 || (reached && !other->gone)) {
		e->deaf_since_us = 0;
		return;
	}
	if (e->deaf_since_us == 0)
		e->deaf_since_us = now_us;
	uint64_t deaf_us = now_us - e->deaf_since_us;
	if (reached && deaf_us >= e->keepalive_us && !sim_end_is_readable(e)) {
		end_fail(e, UV_ECONNRESET);
	} else if (deaf_us >= e->keepalive_us + KEEPALIVE_PROBES_US) {
		sim_cover(SIM_COVER_TCP_KEEPALIVE);
		end_fail(e, UV_ETIMEDOUT);
	}
}

static void watch_event(void *ctx, uint64_t arg)
{
	for (unsigned i = 0; i < CONNS_HASHED; i++)
		for (struct sim_conn *c = net.conns[i]; c != NULL; c = c->next) {
			end_watch(&c->ends[0]);
			end_watch(&c->ends[1]);
		}
	sim_at(sim_now_us() + WATCH_US, watch_event, ctx, arg);
}

/* --- What programs do with their end. --- */

void sim_end_attach(struct sim_end *e, struct sim_socket *s)
{
	e->socket = s;
	e->waits_at = NULL;
}

uint32_t sim_end_peer_address(const struct sim_end *e)
{
	return e->conn->ends[e == &e->conn->ends[0]].address;
}

void sim_end_keepalive(struct sim_end *e, uint32_t delay_s)
{
	e->keepalive_us = (uint64_t)delay_s * SIM_SECOND;
}

void sim_end_user_timeout(struct sim_end *e, uint32_t timeout_ms)
{
	e->user_timeout_us = (uint64_t)timeout_ms * SIM_MS;
}

/* One segment, or a whole frame, sets out. */
static void segment_send(struct sim_end *e, const uint8_t *bytes, size_t len)
{
	struct sim_pipe *p = &e->out;
	uint32_t to = sim_end_peer_address(e);
	uint64_t due_us = sim_now_us() + sim_path_latency_us(e->address, to) + len / BYTES_PER_US;
	if (sim_once_in(SIM_NETWORK, sim_net_habits()->lose_once_in))
		due_us += RETRY_FIRST_US;
	size_t first = len;
	if (len > 1 && sim_once_in(SIM_NETWORK, sim_net_habits()->split_once_in))
		first = 1 + (size_t)sim_below(SIM_NETWORK, len - 1);
	sim_pipe_put(p, bytes, first, due_us);
	if (first < len)
		sim_pipe_put(p, bytes + first, len - first, due_us + sim_path_latency_us(e->address, to));
	pipe_plan(e);
}

static void frame_send(void *ctx, uint8_t *frame, size_t len, bool is_parts)
{
	struct sim_end *e = ctx;
	const struct sim_net_habits *h = sim_net_habits();
	struct sim_pipe *p = &e->out;
	if (is_parts)
		sim_promise_frame(e->address, sim_end_peer_address(e), frame, len);
	if (is_parts && sim_once_in(SIM_NETWORK, h->frame_lose_once_in)) {
		sim_cover(SIM_COVER_FRAME_LOST);
		return;
	}
	if (is_parts && !sim_pipe_is_holding(p) && sim_once_in(SIM_NETWORK, h->frame_swap_once_in)) {
		sim_cover(SIM_COVER_FRAME_SWAPPED);
		sim_pipe_hold(p, frame, len);
		return;
	}
	if (is_parts && sim_once_in(SIM_NETWORK, h->frame_garble_once_in)) {
		sim_cover(SIM_COVER_FRAME_GARBLED);
		frame[sim_below(SIM_NETWORK, len)] ^= (uint8_t)(1u << sim_below(SIM_NETWORK, 8));
	}
	segment_send(e, frame, len);
	if (is_parts && sim_once_in(SIM_NETWORK, h->frame_repeat_once_in)) {
		sim_cover(SIM_COVER_FRAME_REPEATED);
		segment_send(e, frame, len);
	}
	size_t held_len;
	uint8_t *held = sim_pipe_release(p, &held_len);
	if (held != NULL)
		segment_send(e, held, held_len);
	free(held);
}

int64_t sim_end_write(struct sim_end *e, const void *bytes, size_t len)
{
	struct sim_pipe *p = &e->out;
	if (e->err != 0)
		return e->err;
	size_t held = sim_pipe_bytes(p);
	size_t room = held < sim_net_habits()->buffer_bytes ? sim_net_habits()->buffer_bytes - held : 0;
	if (len > room && !(p->framed && room > 0)) /* frames set out whole */
		len = room;
	if (len == 0) {
		if (p->full_since_us == 0)
			p->full_since_us = sim_now_us();
		return 0;
	}
	p->full_since_us = 0;
	if (p->framed)
		sim_pipe_frames(p, bytes, len, frame_send, e);
	else
		segment_send(e, bytes, len);
	return (int64_t)len;
}

int64_t sim_end_read(struct sim_end *e, void *base, size_t len, bool *ret_ended)
{
	struct sim_end *other = end_other(e);
	*ret_ended = false;
	size_t got = sim_pipe_take(&other->out, base, len);
	if (got > 0) {
		if (other->socket != NULL && !other->gone)
			sim_socket_writable(other->socket);
		return (int64_t)got;
	}
	if (e->err != 0)
		return e->err;
	*ret_ended = sim_pipe_is_ended(&other->out);
	return 0;
}

bool sim_end_is_readable(const struct sim_end *e)
{
	const struct sim_pipe *in = &e->conn->ends[e == &e->conn->ends[0]].out;
	return e->err != 0 || sim_pipe_has_arrived(in) || sim_pipe_is_ended(in);
}

void sim_end_finish(struct sim_end *e)
{
	if (e->err != 0 || e->gone)
		return;
	sim_pipe_finish(&e->out, sim_now_us() + sim_path_latency_us(e->address, sim_end_peer_address(e)));
	pipe_plan(e);
}

/* Bytes that nobody will read any more are answered with a reset, else the other side reads the end. */
void sim_end_close(struct sim_end *e)
{
	struct sim_end *other = end_other(e);
	if (e->gone)
		return;
	bool unread = sim_pipe_has_arrived(&other->out);
	if (!sim_net_is_off(e->address)) {
		sim_end_finish(e);
		if (unread)
			reset_send(other);
	}
	e->gone = true;
	e->socket = NULL;
	e->waits_at = NULL;
	conn_release(e->conn);
}

/* --- Misfortune. --- */

/* Calls fn for each end at that address; fn may free the connection. */
static void ends_each(uint32_t address, void (*fn)(struct sim_end *e))
{
	for (unsigned i = 0; i < CONNS_HASHED; i++) {
		struct sim_conn *next;
		for (struct sim_conn *c = net.conns[i]; c != NULL; c = next) {
			next = c->next;
			struct sim_end *e = c->ends[0].address == address ? &c->ends[0] : &c->ends[1];
			if (e->address == address)
				fn(e);
		}
	}
}

static void end_forget(struct sim_end *e)
{
	if (e->gone)
		return;
	if (e->socket != NULL)
		sim_socket_orphan(e->socket);
	if (sim_net_is_off(e->address) && sim_percent(SIM_NETWORK, 50))
		sim_pipe_drop(&e->out); /* it had not left the machine */
	sim_end_close(e);
}

void sim_net_forget(uint32_t address)
{
	sim_connect_forget(address);
	ends_each(address, end_forget);
}

void sim_net_reset(uint32_t a, uint32_t b)
{
	for (unsigned i = 0; i < CONNS_HASHED; i++)
		for (struct sim_conn *c = net.conns[i]; c != NULL; c = c->next) {
			bool between = (c->ends[0].address == a && c->ends[1].address == b) ||
				       (c->ends[0].address == b && c->ends[1].address == a);
			if (!between)
				continue;
			for (unsigned k = 0; k < 2; k++) {
				sim_pipe_cut(&c->ends[k].out);
				end_fail(&c->ends[k], UV_ECONNRESET);
			}
		}
}

static void end_show(const struct sim_end *e)
{
	const struct sim_pipe *p = &e->out;
	printf("%s%s, %zu flying, %zu arrived and not read%s%s%s", e->gone ? ", gone" : "",
	       e->err == 0		? ""
	       : e->err == UV_ETIMEDOUT ? ", timed out"
					: ", reset",
	       p->flying, p->arrived, p->finished ? ", finished" : "", p->ack_missing ? ", not acknowledged" : "",
	       p->planned ? "" : ", quiet");
}

void sim_net_show(void)
{
	sim_paths_show();
	for (unsigned i = 0; i < CONNS_HASHED; i++)
		for (const struct sim_conn *c = net.conns[i]; c != NULL; c = c->next) {
			printf("connection %llu: %u", (unsigned long long)c->number, c->ends[0].address);
			end_show(&c->ends[0]);
			printf(" -- %u", c->ends[1].address);
			end_show(&c->ends[1]);
			printf("\n");
		}
}

void sim_net_close(void)
{
	for (uint32_t address = 0; address < SIM_ADDRESSES_MAX; address++)
		sim_net_forget(address);
	SIM_ASSERT(net.conns_count == 0);
}
