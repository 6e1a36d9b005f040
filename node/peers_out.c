/* SPDX-License-Identifier: Apache-2.0 - the connection that this node makes to another one, and sends on.
 *
 *   resolving --address--> connecting --connected--> greeting --WELCOME, when its node is remembered, durably--> up
 *       any of them --error, REFUSED, closed--> waiting --timer--> resolving
 *       connecting and greeting together --ATTEMPT_MS--> waiting
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/clock.h"
#include "node/peers_state.h"

#define RETRY_FIRST_MS 50
#define RETRY_MAX_MS 1000
/* A host that was switched off, or that a network swallows, answers nothing and refuses nothing. */
#define ATTEMPT_MS 3000
/* Larger memory than this, needed for a peer that was slow, is given back. */
#define KEEP_BYTES (8u << 20)

struct ord_peers_out {
	struct ord_peer *peer; /* borrowed; NULL once the connection is given up */
	struct ord_peers *peers;
	uv_tcp_t tcp;
	uv_getaddrinfo_t resolve;
	uv_connect_t connect;
	uv_write_t write;
	uint64_t member; /* that this node said it is */
	struct ord_bytes hello;
	struct ord_bytes input; /* the answer to the greeting */
	bool resolving;
	bool closed;
};

static void out_attempt(struct ord_peer *peer);
static void timer_cb(uv_timer_t *timer);

/* resolve and tcp both hold the struct. */
static void out_free_when_done(struct ord_peers_out *out)
{
	if (out->resolving || !out->closed)
		return;
	struct ord_peers *p = out->peers;
	ord_bytes_close(&out->hello);
	ord_bytes_close(&out->input);
	free(out);
	ord_peers_handle_closed(p);
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_peers_out *out = handle->data;
	out->closed = true;
	out_free_when_done(out);
}

/* Gives the connection up and waits before the next attempt. */
static void out_fail(struct ord_peers_out *out)
{
	struct ord_peer *peer = out->peer;
	if (peer == NULL)
		return;
	out->peer = NULL;
	peer->out = NULL;
	peer->out_up = false;
	peer->writing_bytes = 0;
	ord_bytes_clear(&peer->output);
	if (peer->link != NULL)
		ord_peers_link_ended(peer);
	if (out->resolving)
		uv_cancel((uv_req_t *)&out->resolve); /* fails when it has begun: then its end is waited for */
	uv_close((uv_handle_t *)&out->tcp, closed_cb);
	if (!out->peers->stopping)
		uv_timer_start(&peer->timer, timer_cb, peer->retry_ms, 0);
	peer->retry_ms = peer->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : peer->retry_ms * 2;
	ord_peers_update(peer);
}

static void timer_cb(uv_timer_t *timer)
{
	struct ord_peer *peer = timer->data;
	if (peer->out != NULL)
		out_fail(peer->out);
	else
		out_attempt(peer);
}

static void refused_log(struct ord_peer *peer, const char *text, int len)
{
	uint64_t held_back;
	if (ord_log_allow(&peer->refused_log, ord_clock_monotonic_ms(), &held_back))
		ord_log(ORD_LOG_ERROR, "node %u does not take part with this node: %.*s", peer->config->id, len, text);
}

static void out_welcome(struct ord_peers_out *out, const struct ord_frame *frame)
{
	struct ord_greeting g;
	struct ord_peer *same;
	char why[ORD_PEERS_WHY_SIZE] = "its answer is no greeting of an ordaind: check the address in nodes";
	int err = ord_frame_get_greeting(frame->body, &g);
	if (err == ORD_OK)
		err = ord_peers_check(out->peers, &g, out->peer->config->id, &same, why);
	if (err == ORD_ERR_BUSY)
		return; /* it stays in input */
	if (err != ORD_OK) {
		refused_log(out->peer, why, (int)strlen(why));
		out_fail(out);
		return;
	}
	uv_timer_stop(&out->peer->timer);
	ord_bytes_clear(&out->input);
	out->peer->out_up = true;
	out->peer->retry_ms = RETRY_FIRST_MS;
	struct ord_peer *peer = out->peer;
	if (g.member != 0)
		ord_peers_take_member(peer, g.member);
	ord_peers_update(peer);
	ord_peers_out_member(peer);
}

static void out_input(struct ord_peers_out *out)
{
	struct ord_frame frame;
	bool have;
	int err = ord_frame_decode(ord_bytes_slice(&out->input), ORD_FRAME_GREETING_BYTES_MAX, &frame, &have);
	if (err != ORD_OK || (have && out->peer->out_up)) {
		const char why[] = "what it answers is not from an ordaind: check the peer port in nodes";
		refused_log(out->peer, why, sizeof why - 1);
		out_fail(out);
	} else if (have && frame.kind == ORD_FRAME_WELCOME) {
		out_welcome(out, &frame);
	} else if (have) {
		if (frame.kind == ORD_FRAME_REFUSED)
			refused_log(out->peer, frame.body.base, (int)frame.body.len);
		out_fail(out);
	}
}

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct ord_peers_out *out = handle->data;
	(void)suggested;
	size_t room = ORD_FRAME_GREETING_BYTES_MAX - out->input.len;
	uint8_t *at = ord_bytes_extend(&out->input, room);
	if (at != NULL)
		out->input.len -= room;
	*buf = uv_buf_init((char *)at, at == NULL ? 0 : (unsigned)room);
}

static void read_cb(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct ord_peers_out *out = stream->data;
	(void)buf;
	if (out->peer == NULL || len == 0)
		return;
	if (len < 0) {
		out_fail(out);
		return;
	}
	out->input.len += (size_t)len;
	out_input(out);
}

void ord_peers_out_resume(struct ord_peer *peer)
{
	if (peer->out != NULL && !peer->out_up)
		out_input(peer->out);
}

static void hello_written_cb(uv_write_t *write, int status)
{
	struct ord_peers_out *out = write->data;
	if (status != 0)
		out_fail(out);
}

static void connected_cb(uv_connect_t *connect, int status)
{
	struct ord_peers_out *out = connect->data;
	if (out->peer == NULL)
		return;
	if (status != 0) {
		out_fail(out);
		return;
	}
	uv_tcp_nodelay(&out->tcp, 1);
	int fd;
	unsigned timeout_ms = ORD_PEERS_UNACKNOWLEDGED_MS;
	if (uv_fileno((uv_handle_t *)&out->tcp, &fd) == 0)
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
	struct ord_greeting g = ord_peers_greeting(out->peers, out->peer->config->id);
	out->member = g.member;
	size_t begun = ord_frame_begin(&out->hello);
	ord_frame_put_greeting(&out->hello, &g);
	ord_frame_end(&out->hello, begun, ORD_FRAME_HELLO);
	uv_buf_t buf = uv_buf_init((char *)out->hello.base, (unsigned)out->hello.len);
	out->write.data = out;
	if (uv_read_start((uv_stream_t *)&out->tcp, alloc_cb, read_cb) != 0 ||
	    uv_write(&out->write, (uv_stream_t *)&out->tcp, &buf, 1, hello_written_cb) != 0)
		out_fail(out);
}

/* A name may have addresses that lead nowhere: each attempt takes the next one. */
static const struct sockaddr *address_choose(const struct addrinfo *addresses, uint32_t attempt)
{
	uint32_t count = 1;
	for (const struct addrinfo *a = addresses->ai_next; a != NULL; a = a->ai_next)
		count++;
	for (attempt %= count; attempt > 0; attempt--)
		addresses = addresses->ai_next;
	return addresses->ai_addr;
}

static void resolved_cb(uv_getaddrinfo_t *resolve, int status, struct addrinfo *addresses)
{
	struct ord_peers_out *out = resolve->data;
	out->resolving = false;
	if (out->peer == NULL) {
		uv_freeaddrinfo(addresses);
		out_free_when_done(out);
		return;
	}
	out->connect.data = out;
	uv_timer_start(&out->peer->timer, timer_cb, ATTEMPT_MS, 0);
	if (status != 0 || uv_tcp_connect(&out->connect, &out->tcp,
					  address_choose(addresses, out->peer->attempts_count++), connected_cb) != 0)
		out_fail(out);
	uv_freeaddrinfo(addresses);
}

static void out_resolve(struct ord_peers_out *out)
{
	struct ord_peer *peer = out->peer;
	char port[8];
	snprintf(port, sizeof port, "%u", peer->config->peer.port);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	out->resolving = true;
	if (uv_getaddrinfo(peer->peers->loop, &out->resolve, resolved_cb, peer->config->peer.host, port, &hints) != 0) {
		out->resolving = false;
		out_fail(out);
	}
}

/* An attempt on a link that is bad on purpose: it goes on now, or was answered by nobody. */
static void later_cb(uv_timer_t *timer)
{
	struct ord_peer *peer = timer->data;
	if (ord_peers_link_is_cut(peer))
		out_fail(peer->out);
	else
		out_resolve(peer->out);
}

static void out_attempt(struct ord_peer *peer)
{
	struct ord_peers_out *out = calloc(1, sizeof *out);
	ORD_ASSERT(out != NULL && peer->out == NULL);
	out->peer = peer;
	out->peers = peer->peers;
	ord_bytes_init(&out->hello, ORD_FRAME_GREETING_BYTES_MAX);
	ord_bytes_init(&out->input, ORD_FRAME_GREETING_BYTES_MAX);
	ORD_ASSERT(uv_tcp_init(peer->peers->loop, &out->tcp) == 0);
	ord_peers_handle_opened(peer->peers);
	out->tcp.data = out;
	out->resolve.data = out;
	peer->out = out;
	uint64_t later_ms = peer->link != NULL ? ord_peers_link_attempt_ms(peer) : 0;
	if (later_ms > 0)
		uv_timer_start(&peer->timer, later_cb, later_ms < ATTEMPT_MS ? later_ms : ATTEMPT_MS, 0);
	else
		out_resolve(out);
}

void ord_peers_out_start(struct ord_peer *peer)
{
	peer->retry_ms = RETRY_FIRST_MS;
	ORD_ASSERT(uv_timer_init(peer->peers->loop, &peer->timer) == 0);
	peer->timer.data = peer;
	ord_peers_handle_opened(peer->peers);
	out_attempt(peer);
}

void ord_peers_out_close(struct ord_peer *peer)
{
	if (peer->out != NULL && peer->out_up)
		out_fail(peer->out);
}

void ord_peers_out_retry(struct ord_peer *peer)
{
	if (peer->out != NULL && !peer->out_up)
		out_fail(peer->out);
}

static void timer_closed_cb(uv_handle_t *handle)
{
	struct ord_peer *peer = handle->data;
	ord_peers_handle_closed(peer->peers);
}

void ord_peers_out_stop(struct ord_peer *peer)
{
	if (peer->out != NULL)
		out_fail(peer->out);
	uv_close((uv_handle_t *)&peer->timer, timer_closed_cb);
}

/* --- Sending. --- */

struct out_write {
	uv_write_t request; /* first */
	struct ord_peers_out *out;
	struct ord_bytes frame; /* owned while it is written */
};

static void written_cb(uv_write_t *request, int status)
{
	struct out_write *write = (struct out_write *)request;
	struct ord_peers_out *out = write->out;
	struct ord_peer *peer = out->peer;
	if (peer == NULL) {
		ord_bytes_close(&write->frame);
		free(write);
		return;
	}
	if (write->frame.capacity > KEEP_BYTES)
		ord_bytes_close(&write->frame);
	ord_bytes_close(&peer->spare);
	peer->spare = write->frame;
	ord_bytes_clear(&peer->spare);
	peer->writing_bytes = 0;
	free(write);
	if (status != 0)
		out_fail(out);
	else
		ord_peers_out_flush(peer);
}

struct member_write {
	uv_write_t request; /* first */
	struct ord_peers_out *out;
	struct ord_bytes frame; /* owned */
};

static void member_written_cb(uv_write_t *request, int status)
{
	struct member_write *write = (struct member_write *)request;
	if (status != 0)
		out_fail(write->out);
	ord_bytes_close(&write->frame);
	free(write);
}

void ord_peers_out_member(struct ord_peer *peer)
{
	struct ord_peers *p = peer->peers;
	uint64_t member = ord_self_member(ord_datadir_self(p->datadir), p->config->node);
	if (!peer->out_up || peer->out->member == member)
		return;
	struct member_write *write = malloc(sizeof *write);
	ORD_ASSERT(write != NULL);
	peer->out->member = member;
	write->out = peer->out;
	ord_bytes_init(&write->frame, ORD_FRAME_GREETING_BYTES_MAX);
	size_t begun = ord_frame_begin(&write->frame);
	ord_frame_put_member(&write->frame, member);
	ord_frame_end(&write->frame, begun, ORD_FRAME_MEMBER);
	if (peer->link != NULL && ord_peers_link_put(peer, &write->frame)) {
		free(write);
		return;
	}
	uv_buf_t buf = uv_buf_init((char *)write->frame.base, (unsigned)write->frame.len);
	if (uv_write(&write->request, (uv_stream_t *)&peer->out->tcp, &buf, 1, member_written_cb) != 0) {
		ord_bytes_close(&write->frame);
		free(write);
		out_fail(peer->out);
	}
}

/* Leaves to a write request what the system did not take at once. *frame is taken, and gets the spare memory. */
static void rest_write(struct ord_peer *peer, struct ord_bytes *frame, size_t taken)
{
	struct out_write *write = malloc(sizeof *write);
	ORD_ASSERT(write != NULL);
	write->out = peer->out;
	write->frame = *frame;
	*frame = peer->spare;
	ord_bytes_init(&peer->spare, write->frame.bytes_max);
	peer->writing_bytes = write->frame.len;
	uv_buf_t buf = uv_buf_init((char *)write->frame.base + taken, (unsigned)(write->frame.len - taken));
	if (uv_write(&write->request, (uv_stream_t *)&peer->out->tcp, &buf, 1, written_cb) != 0) {
		ord_bytes_close(&write->frame);
		free(write);
		out_fail(peer->out);
	}
}

static void frame_write(struct ord_peer *peer, struct ord_bytes *frame)
{
	uv_buf_t buf = uv_buf_init((char *)frame->base, (unsigned)frame->len);
	int taken = uv_try_write((uv_stream_t *)&peer->out->tcp, &buf, 1); /* what fails here fails again below */
	if (taken >= 0 && (size_t)taken == frame->len)
		ord_bytes_clear(frame);
	else
		rest_write(peer, frame, taken > 0 ? (size_t)taken : 0);
}

void ord_peers_out_write(struct ord_peer *peer, struct ord_bytes *frame)
{
	ORD_ASSERT(peer->out_up && peer->writing_bytes == 0);
	frame_write(peer, frame);
	ord_bytes_close(frame);
}

void ord_peers_out_flush(struct ord_peer *peer)
{
	if (peer->link != NULL && ord_peers_link_flush(peer))
		return;
	if (!peer->out_up || peer->writing_bytes > 0 || peer->output.len == 0)
		return;
	ord_frame_end(&peer->output, peer->frame_begun, ORD_FRAME_PARTS);
	frame_write(peer, &peer->output);
}
