/* SPDX-License-Identifier: Apache-2.0 - connections that other nodes make: a greeting, then frames of parts, and which member the node is when it did not know that at first.
 *
 *   stranger --HELLO of a known node--> welcomed --closed, or the same node connects anew--> closed
 *       |  any other bytes, or none for ORD_PEERS_GREETING_MS --> closed
 *       +--HELLO from a directory that is met for the first time, or that tells of one--> waiting --it is remembered, durably--> as if the HELLO came now, the oldest first
 *                                                              ended, or not remembered after ORD_PEERS_GREETING_MS --> closed
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/clock.h"
#include "node/peers_state.h"
#include "node/wire.h"

#define LISTEN_BACKLOG 64
#define READ_BYTES (256u << 10)

struct ord_peers_in {
	struct ord_peers *peers;   /* borrowed */
	struct ord_peer *peer;	   /* NULL: a stranger */
	struct ord_peers_in *next; /* among strangers */
	uv_tcp_t tcp;
	struct ord_bytes input;
	struct ord_bytes output; /* the answer to the greeting */
	uv_write_t write;
	uint64_t since_ms;
	bool waiting; /* for its node to be remembered; its greeting stands in input */
	bool resumed; /* it was waiting, and has its turn soon */
	bool refused;
	bool closing;
};

static void in_closed_cb(uv_handle_t *handle)
{
	struct ord_peers_in *in = handle->data;
	struct ord_peers *p = in->peers;
	ord_bytes_close(&in->input);
	ord_bytes_close(&in->output);
	free(in);
	ord_peers_handle_closed(p);
}

static void stranger_remove(struct ord_peers_in *in)
{
	struct ord_peers_in **at = &in->peers->strangers;
	while (*at != NULL && *at != in)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = in->next;
	in->peers->strangers_count--;
}

void ord_peers_in_close(struct ord_peers_in *in)
{
	if (in->closing)
		return;
	in->closing = true;
	stranger_remove(in);
	struct ord_peer *peer = in->peer;
	in->peer = NULL;
	uv_close((uv_handle_t *)&in->tcp, in_closed_cb);
	if (peer != NULL && peer->in == in) {
		peer->in = NULL;
		if (!peer->peers->stopping)
			peer->peers->events.ended(peer->peers->events.ctx, peer->config->id);
		ord_peers_update(peer);
	}
}

__attribute__((format(printf, 2, 3))) static void stranger_log(struct ord_peers *p, const char *format, ...)
{
	uint64_t held_back;
	if (!ord_log_allow(&p->stranger_log, ord_clock_monotonic_ms(), &held_back))
		return;
	char text[ORD_PEERS_WHY_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ord_log(ORD_LOG_WARN, "peer port: %s", text);
}

static void refused_written_cb(uv_write_t *write, int status)
{
	(void)status;
	ord_peers_in_close(write->data);
}

static void welcomed_written_cb(uv_write_t *write, int status)
{
	if (status != 0)
		ord_peers_in_close(write->data);
}

static void in_answer(struct ord_peers_in *in, uv_write_cb written)
{
	uv_buf_t buf = uv_buf_init((char *)in->output.base, (unsigned)in->output.len);
	in->write.data = in;
	if (uv_write(&in->write, (uv_stream_t *)&in->tcp, &buf, 1, written) != 0)
		ord_peers_in_close(in);
}

static void in_refuse(struct ord_peers_in *in, const char *why)
{
	in->refused = true;
	stranger_log(in->peers, "a connection was refused: %s", why);
	uv_read_stop((uv_stream_t *)&in->tcp);
	size_t begun = ord_frame_begin(&in->output);
	ord_bytes_put(&in->output, why, strlen(why));
	ord_frame_end(&in->output, begun, ORD_FRAME_REFUSED);
	in_answer(in, refused_written_cb);
}

static bool in_is_ignored(const struct ord_peers_in *in, uint32_t node)
{
	struct ord_peer *peer = ord_peers_find(in->peers, node);
	return peer != NULL && peer->link != NULL && ord_peers_link_ignores(peer);
}

static void in_greet(struct ord_peers_in *in, const struct ord_frame *frame)
{
	struct ord_greeting g;
	struct ord_peer *peer;
	char why[ORD_PEERS_WHY_SIZE] = "a greeting was expected: only ordaind may connect to the peer port";
	int err = frame->kind == ORD_FRAME_HELLO ? ord_frame_get_greeting(frame->body, &g) : ORD_ERR_FORMAT;
	if (err == ORD_OK && in_is_ignored(in, g.node)) {
		in->waiting = true; /* until it is expired */
		return;
	}
	if (err == ORD_OK)
		err = ord_peers_check(in->peers, &g, 0, &peer, why);
	if (err == ORD_ERR_BUSY) {
		in->waiting = true;
		return;
	}
	if (err != ORD_OK) {
		in_refuse(in, why);
		return;
	}
	stranger_remove(in);
	if (peer->in != NULL)
		ord_peers_in_close(peer->in);
	in->peer = peer;
	in->input.bytes_max = ORD_FRAME_BYTES_MAX + READ_BYTES;
	peer->in = in;
	ord_peers_relay_welcomed(peer);
	struct ord_greeting ours = ord_peers_greeting(in->peers, g.node);
	size_t begun = ord_frame_begin(&in->output);
	ord_frame_put_greeting(&in->output, &ours);
	ord_frame_end(&in->output, begun, ORD_FRAME_WELCOME);
	in_answer(in, welcomed_written_cb);
	if (in->closing)
		return;
	if (g.member != 0)
		ord_peers_take_member(peer, g.member);
	ord_peers_update(peer);
	if (peer->link != NULL)
		ord_peers_link_welcomed(peer);
}

static int in_parts(struct ord_peers_in *in, struct ord_slice body)
{
	struct ord_peers *p = in->peers;
	struct ord_reader parts = ord_reader_of(body);
	uint8_t kind;
	struct ord_slice part;
	int err = ORD_OK;
	while (err == ORD_OK && !in->closing && ord_frame_next_part(&parts, &kind, &part))
		err = kind == ORD_PART_REACH || kind == ORD_PART_RELAY
			      ? ord_peers_relay_receive(in->peer, kind, part)
			      : p->events.receive(p->events.ctx, in->peer->config->id, kind, part);
	return err != ORD_OK ? err : parts.failed ? ORD_ERR_FORMAT : ORD_OK;
}

/* A frame of a node that was welcomed. */
static int in_frame(struct ord_peers_in *in, const struct ord_frame *frame)
{
	uint64_t member;
	ord_peers_relay_heard(in->peer);
	if (frame->kind == ORD_FRAME_PARTS)
		return in_parts(in, frame->body);
	if (frame->kind != ORD_FRAME_MEMBER || ord_frame_get_member(frame->body, &member) != ORD_OK)
		return ORD_ERR_FORMAT;
	return ord_peers_take_member(in->peer, member);
}

/* Takes whole frames from the front of the input. */
static void in_frames(struct ord_peers_in *in)
{
	size_t taken = 0;
	for (;;) {
		struct ord_frame frame;
		bool have;
		size_t bytes_max = in->peer == NULL ? ORD_FRAME_GREETING_BYTES_MAX : ORD_FRAME_BYTES_MAX;
		struct ord_slice rest = ord_slice_of(in->input.base + taken, in->input.len - taken);
		int err = ord_frame_decode(rest, bytes_max, &frame, &have);
		if (err == ORD_OK && have && in->peer != NULL)
			err = in_frame(in, &frame);
		else if (err == ORD_OK && have)
			in_greet(in, &frame);
		if (err != ORD_OK && in->peer == NULL && !in->closing)
			stranger_log(in->peers,
				     "bytes that no ordaind sends were answered by closing (%s): clients belong on the "
				     "client port",
				     ord_err_text(err));
		else if (err != ORD_OK && !in->closing)
			ord_log(ORD_LOG_ERROR,
				"node %u sent a frame that cannot be used (%s): its connection is closed",
				in->peer->config->id, ord_err_text(err));
		if (err != ORD_OK)
			ord_peers_in_close(in);
		if (in->closing || in->refused || in->waiting)
			return;
		if (!have)
			break;
		taken += frame.frame_bytes;
	}
	ord_bytes_consume(&in->input, taken);
}

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct ord_peers_in *in = handle->data;
	(void)suggested;
	size_t room = in->peer == NULL ? ORD_FRAME_GREETING_BYTES_MAX - in->input.len : READ_BYTES;
	uint8_t *at = ord_bytes_extend(&in->input, room);
	if (at != NULL)
		in->input.len -= room;
	*buf = uv_buf_init((char *)at, at == NULL ? 0 : (unsigned)room);
}

static void read_cb(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct ord_peers_in *in = stream->data;
	(void)buf;
	if (len == 0 || in->closing || in->refused)
		return;
	if (len < 0) {
		ord_peers_in_close(in);
		return;
	}
	in->input.len += (size_t)len;
	if (!in->waiting)
		in_frames(in);
}

void ord_peers_in_hold(struct ord_peers_in *in, bool holds)
{
	if (in->closing)
		return;
	if (holds)
		uv_read_stop((uv_stream_t *)&in->tcp);
	else if (uv_read_start((uv_stream_t *)&in->tcp, alloc_cb, read_cb) != 0)
		ord_peers_in_close(in);
}

void ord_peers_in_resume(struct ord_peers *p)
{
	for (struct ord_peers_in *in = p->strangers; in != NULL; in = in->next) {
		in->resumed = in->waiting;
		in->waiting = false;
	}
	for (;;) {
		struct ord_peers_in *oldest = NULL;
		for (struct ord_peers_in *in = p->strangers; in != NULL; in = in->next)
			if (in->resumed)
				oldest = in;
		if (oldest == NULL)
			return;
		oldest->resumed = false;
		in_frames(oldest);
	}
}

void ord_peers_in_expire(struct ord_peers *p)
{
	uint64_t now_ms = ord_clock_monotonic_ms();
	struct ord_peers_in *in = p->strangers;
	while (in != NULL) {
		struct ord_peers_in *next = in->next;
		if (now_ms - in->since_ms >= ORD_PEERS_GREETING_MS)
			ord_peers_in_close(in);
		in = next;
	}
}

/* The stranger that has waited longest goes: a node greets at once. */
static void strangers_make_room(struct ord_peers *p)
{
	if (p->strangers_count < ORD_PEERS_STRANGERS_MAX)
		return;
	struct ord_peers_in *oldest = p->strangers;
	while (oldest->next != NULL)
		oldest = oldest->next;
	ord_peers_in_close(oldest);
}

static void connection_cb(uv_stream_t *listener, int status)
{
	struct ord_peers *p = listener->data;
	if (status != 0)
		return;
	strangers_make_room(p);
	struct ord_peers_in *in = calloc(1, sizeof *in);
	ORD_ASSERT(in != NULL);
	in->peers = p;
	in->since_ms = ord_clock_monotonic_ms();
	ord_bytes_init(&in->input, ORD_FRAME_GREETING_BYTES_MAX);
	ord_bytes_init(&in->output, ORD_FRAME_GREETING_BYTES_MAX);
	ORD_ASSERT(uv_tcp_init(p->loop, &in->tcp) == 0);
	ord_peers_handle_opened(p);
	in->tcp.data = in;
	in->next = p->strangers;
	p->strangers = in;
	p->strangers_count++;
	if (uv_accept(listener, (uv_stream_t *)&in->tcp) != 0 || uv_tcp_nodelay(&in->tcp, 1) != 0 ||
	    uv_tcp_keepalive(&in->tcp, 1, 5) != 0 || uv_read_start((uv_stream_t *)&in->tcp, alloc_cb, read_cb) != 0)
		ord_peers_in_close(in);
}

int ord_peers_in_listen(struct ord_peers *p, char *why, size_t why_size)
{
	const struct ord_config_node *self = ord_config_find(p->config, p->config->node);
	const char *host = p->config->listen_host[0] != '\0' ? p->config->listen_host : self->peer.host;
	char address[ORD_ADDRESS_TEXT_SIZE], port[8];
	ord_address_format(host, self->peer.port, address);
	snprintf(port, sizeof port, "%u", self->peer.port);
	ORD_ASSERT(uv_tcp_init(p->loop, &p->listener) == 0);
	ord_peers_handle_opened(p);
	p->listener.data = p;
	uv_getaddrinfo_t resolve;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	int status = uv_getaddrinfo(p->loop, &resolve, NULL, host, port, &hints);
	if (status == 0) {
		status = uv_tcp_bind(&p->listener, resolve.addrinfo->ai_addr, 0);
		uv_freeaddrinfo(resolve.addrinfo);
	}
	if (status == 0)
		status = uv_listen((uv_stream_t *)&p->listener, LISTEN_BACKLOG, connection_cb);
	if (status == 0)
		return ORD_OK;
	snprintf(why, why_size,
		 "cannot listen for peers on %s: %s; check nodes and listen_host, and that no other process uses the "
		 "port",
		 address, uv_strerror(status));
	return ORD_ERR_IO;
}

static void listener_closed_cb(uv_handle_t *handle)
{
	ord_peers_handle_closed(handle->data);
}

void ord_peers_in_stop(struct ord_peers *p)
{
	while (p->strangers != NULL)
		ord_peers_in_close(p->strangers);
	for (uint32_t i = 0; i < p->peers_count; i++)
		if (p->peers[i].in != NULL)
			ord_peers_in_close(p->peers[i].in);
	uv_close((uv_handle_t *)&p->listener, listener_closed_cb);
}
