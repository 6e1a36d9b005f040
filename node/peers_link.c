/* SPDX-License-Identifier: Apache-2.0 - a network that is bad on purpose, between this node and one other: the sockets and the clock of node/faults_link.h.
 *
 * A cut looks to the node as a network that swallows packets: what it sends waits, and when it has waited for ORD_PEERS_UNACKNOWLEDGED_MS the connection is given up; attempts to connect are answered by nobody; on the connection
 * that the other side made nothing comes any more, and after UNANSWERED_MS it is given up. Where one direction alone is cut, a connection that stands goes on in the other one for as long as it stands (over a real
 * network it would end, since its acknowledgements are lost); none can be made, since that takes both. */
#include <stdlib.h>

#include "base/assert.h"
#include "node/clock.h"
#include "node/peers_state.h"

/* As TCP's keepalive of the connections that come in: 5 s, then 10 tries of 1 s. */
#define UNANSWERED_MS 15000

struct ord_peers_link {
	struct ord_faults_link model;
	struct ord_peer *peer; /* borrowed */
	uv_timer_t timer;
	uint64_t held_ms;   /* since when a cut keeps bytes from leaving; 0: it keeps none */
	uint64_t cut_in_ms; /* when it was cut; 0: it is not */
};

static void timer_cb(uv_timer_t *timer);

/* Writes what is due. */
static void pump(struct ord_peers_link *l)
{
	struct ord_peer *peer = l->peer;
	struct ord_bytes frame;
	while (peer->out_up && peer->writing_bytes == 0 &&
	       ord_faults_link_take(&l->model, ord_clock_monotonic_us(), &frame))
		ord_peers_out_write(peer, &frame);
}

/* Milliseconds from now until then, rounded up; at most `soonest_ms`. */
static uint64_t sooner_ms(uint64_t soonest_ms, uint64_t at_ms, uint64_t now_ms)
{
	uint64_t ms = at_ms > now_ms ? at_ms - now_ms : 0;
	return ms < soonest_ms ? ms : soonest_ms;
}

/* Sets the timer to what comes next. */
static void timer_set(struct ord_peers_link *l)
{
	uint64_t now_ms = ord_clock_monotonic_ms(), ms = UINT64_MAX;
	uint64_t due_us = ord_faults_link_due_us(&l->model);
	bool writes = l->peer->out_up && l->peer->writing_bytes == 0; /* else the end of the write goes on */
	if (due_us != UINT64_MAX && writes)
		ms = sooner_ms(ms, (due_us + 999) / 1000, now_ms);
	if (l->held_ms != 0)
		ms = sooner_ms(ms, l->held_ms + ORD_PEERS_UNACKNOWLEDGED_MS, now_ms);
	if (l->cut_in_ms != 0 && l->peer->in != NULL)
		ms = sooner_ms(ms, l->cut_in_ms + UNANSWERED_MS, now_ms);
	if (ms == UINT64_MAX || l->peer->peers->stopping)
		uv_timer_stop(&l->timer);
	else
		uv_timer_start(&l->timer, timer_cb, ms > 0 ? ms : 1, 0);
}

static void timer_cb(uv_timer_t *timer)
{
	struct ord_peers_link *l = timer->data;
	struct ord_peer *peer = l->peer;
	uint64_t now_ms = ord_clock_monotonic_ms();
	if (l->held_ms != 0 && now_ms - l->held_ms >= ORD_PEERS_UNACKNOWLEDGED_MS)
		ord_peers_out_close(peer);
	if (l->cut_in_ms != 0 && now_ms - l->cut_in_ms >= UNANSWERED_MS && peer->in != NULL)
		ord_peers_in_close(peer->in);
	pump(l);
	timer_set(l);
}

void ord_peers_link_start(struct ord_peer *peer)
{
	struct ord_peers_link *l = calloc(1, sizeof *l);
	ORD_ASSERT(l != NULL && uv_timer_init(peer->peers->loop, &l->timer) == 0);
	ord_faults_link_init(&l->model, ((uint64_t)peer->peers->config->node << 32) + peer->config->id);
	l->peer = peer;
	l->timer.data = l;
	peer->link = l;
	ord_peers_handle_opened(peer->peers);
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_peers_link *l = handle->data;
	struct ord_peers *p = l->peer->peers;
	ord_faults_link_close(&l->model);
	l->peer->link = NULL;
	free(l);
	ord_peers_handle_closed(p);
}

void ord_peers_link_stop(struct ord_peer *peer)
{
	uv_close((uv_handle_t *)&peer->link->timer, closed_cb);
}

/* Notes since when something waits that a cut keeps from leaving. */
static void held_note(struct ord_peers_link *l)
{
	bool holds = l->peer->out_up && ord_faults_link_is_cut_out(&l->model) &&
		     (l->peer->output.len > 0 || l->model.waiting_bytes > 0);
	if (!holds)
		l->held_ms = 0;
	else if (l->held_ms == 0)
		l->held_ms = ord_clock_monotonic_ms();
}

bool ord_peers_link_flush(struct ord_peer *peer)
{
	struct ord_peers_link *l = peer->link;
	if (ord_faults_link_is_idle(&l->model))
		return false;
	held_note(l);
	bool moves = peer->out_up && peer->output.len > 0 && !ord_faults_link_is_cut_out(&l->model) &&
		     ord_faults_link_has_room(&l->model);
	if (moves) {
		ord_frame_end(&peer->output, peer->frame_begun, ORD_FRAME_PARTS);
		ord_faults_link_put(&l->model, &peer->output, ord_clock_monotonic_us());
	}
	pump(l);
	timer_set(l);
	return true;
}

bool ord_peers_link_put(struct ord_peer *peer, struct ord_bytes *frame)
{
	struct ord_peers_link *l = peer->link;
	if (ord_faults_link_is_idle(&l->model))
		return false;
	frame->bytes_max = peer->output.bytes_max; /* its memory may be used for what collects later */
	ord_faults_link_put(&l->model, frame, ord_clock_monotonic_us());
	timer_set(l);
	return true;
}

void ord_peers_link_message(struct ord_peer *peer)
{
	peer->link->model.counts.stopped += ord_faults_link_is_cut_out(&peer->link->model);
}

uint64_t ord_peers_link_attempt_ms(struct ord_peer *peer)
{
	struct ord_faults_link *m = &peer->link->model;
	if (!ord_faults_link_is_cut(m))
		return m->rule.delay_ms;
	m->counts.attempts++;
	return UINT64_MAX;
}

bool ord_peers_link_is_cut(const struct ord_peer *peer)
{
	return ord_faults_link_is_cut(&peer->link->model);
}

bool ord_peers_link_ignores(struct ord_peer *peer)
{
	bool cut = ord_faults_link_is_cut(&peer->link->model);
	peer->link->model.counts.unanswered += cut;
	return cut;
}

void ord_peers_link_welcomed(struct ord_peer *peer)
{
	timer_set(peer->link);
}

void ord_peers_link_ended(struct ord_peer *peer)
{
	ord_faults_link_drop(&peer->link->model);
	peer->link->held_ms = 0;
}

bool ord_peers_link_set(struct ord_peers *p, uint32_t node, const struct ord_faults_link_rule *rule)
{
	struct ord_peer *peer = ord_peers_find(p, node);
	if (peer == NULL)
		return false;
	struct ord_peers_link *l = peer->link;
	ord_faults_link_set(&l->model, rule);
	held_note(l);
	if (rule->cut_in != (l->cut_in_ms != 0)) {
		l->cut_in_ms = rule->cut_in ? ord_clock_monotonic_ms() : 0;
		if (peer->in != NULL)
			ord_peers_in_hold(peer->in, rule->cut_in);
	}
	if (ord_faults_link_is_cut(&l->model))
		ord_peers_out_retry(peer);
	pump(l);
	timer_set(l);
	return true;
}

const struct ord_faults_link *ord_peers_link(struct ord_peers *p, uint32_t node)
{
	struct ord_peer *peer = ord_peers_find(p, node);
	return peer != NULL ? &peer->link->model : NULL;
}
