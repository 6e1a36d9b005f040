/* SPDX-License-Identifier: Apache-2.0 - parts for a node that cannot be reached go through a third one.
 *
 * The network between two nodes may fail while both reach all others; groups keep their leaders then, since each end sees a majority. What must get from one end to the other all the
 * same is wrapped (RELAY: origin, its data directory, destination, part) and given to a third node that says it reaches the destination, to the same one as long as it does, so that parts keep their
 * order. That one passes it on if it does, and nobody passes it further. It may be lost there, as on any connection: those who send such parts send them again, at once when they are told that another
 * third node is taken.
 *
 *   kind                        goes round  why, or why not
 *   SUBMIT, READ, ANSWER        yes         a client waits
 *   DELIVER, CURSOR             yes         transfers between the two nodes' partitions would stand still
 *   READY                       yes         a group that does not hear its leader knows none
 *   RAFT, CONFIRM               no          a group goes on with any majority, and so do its reads
 *   COPY_*, *BLOCK*             no          long, and any other node has the same
 *   MARK_RESULT, ROOM           no          what a majority says is enough
 *
 * Each node tells all others, in REACH, whom it hears: u32 node, u8 1 when that node hears it, too; again and again to the end. So who is not heard learns of it, also when one direction alone fails,
 * and everybody knows through whom there is a way. A part takes it when nothing has come from its destination for SILENT_MS, when that does not hear this node, or sends by a third node itself, or when there is
 * no connection. That has to last for ASTRAY_MS: until then the others' word of a node that has just ended is old.
 *
 * Only who has met the origin's data directory itself takes what comes round, so that what a directory was replaced for stays true.
 */
#include "base/err.h"
#include "node/clock.h"
#include "node/peers_state.h"
#include "node/wire.h"

#define TELL_MS 500
#define SILENT_MS 2000
#define ASTRAY_MS 300

static bool may_go_round(uint8_t kind)
{
	switch (kind) {
	case ORD_PART_SUBMIT:
	case ORD_PART_READ:
	case ORD_PART_ANSWER:
	case ORD_PART_DELIVER:
	case ORD_PART_CURSOR:
	case ORD_PART_READY:
		return true;
	default:
		return false;
	}
}

/* The bit of a node; 0 when there is no such node. */
static uint32_t bit_of(const struct ord_peers *p, uint32_t node)
{
	for (uint32_t i = 0; i < p->config->nodes_count; i++)
		if (p->config->nodes[i].id == node)
			return UINT32_C(1) << i;
	return 0;
}

static bool hears(const struct ord_peer *peer, uint64_t now_ms)
{
	return peer->connected && now_ms - peer->relay.heard_ms < SILENT_MS;
}

static bool is_heard(const struct ord_peer *peer)
{
	return !peer->relay.has_told || peer->relay.hears_us;
}

void ord_peers_relay_welcomed(struct ord_peer *peer)
{
	peer->relay.has_told = false;
	peer->relay.hears = 0;
	ord_peers_relay_heard(peer);
	peer->peers->told_ms = 0;
}

void ord_peers_relay_heard(struct ord_peer *peer)
{
	peer->relay.heard_ms = ord_clock_monotonic_ms();
	peer->relay.comes_round = false;
}

/* --- Sending. --- */

static bool has_way(const struct ord_peer *third, const struct ord_peer *peer, uint64_t now_ms)
{
	uint32_t bit = bit_of(peer->peers, peer->config->id);
	return third != peer && hears(third, now_ms) && is_heard(third) && (third->relay.hears & bit) != 0;
}

/* The node through which there is a way to the peer: the one of now, if there still is; pairs of nodes begin to look at different ones. NULL: there is none. */
static struct ord_peer *third_find(const struct ord_peer *peer, uint64_t now_ms)
{
	struct ord_peers *p = peer->peers;
	if (peer->relay.third != NULL && has_way(peer->relay.third, peer, now_ms))
		return peer->relay.third;
	for (uint32_t i = 0; i < p->peers_count; i++) {
		struct ord_peer *third = &p->peers[(p->config->node + peer->config->id + i) % p->peers_count];
		if (has_way(third, peer, now_ms))
			return third;
	}
	return NULL;
}

/* What is relayed shares the memory for the third node's own parts, and leaves half of it to them. */
static bool relay_put(struct ord_peer *to, const struct ord_part_relay *part)
{
	struct ord_bytes body;
	if (to->output.len + part->body.len > to->output.bytes_max / 2)
		return false;
	ord_bytes_init(&body, ORD_FRAME_BYTES_MAX);
	ord_wire_put_relay(part, &body);
	bool put = !body.failed && ord_peers_put(to, ORD_PART_RELAY, ord_bytes_slice(&body));
	ord_bytes_close(&body);
	return put;
}

bool ord_peers_relay_send(struct ord_peer *peer, uint8_t kind, struct ord_slice body)
{
	struct ord_peers *p = peer->peers;
	struct ord_peer *third = peer->relay.third;
	if (third == NULL || !may_go_round(kind))
		return false;
	struct ord_part_relay part = {.from = p->config->node,
				      .incarnation = ord_datadir_self(p->datadir)->incarnation,
				      .to = peer->config->id,
				      .kind = kind,
				      .body = body};
	if (third->out_up && relay_put(third, &part))
		peer->relay.sent_count++;
	else
		peer->dropped_count++; /* without a connection the next turn takes another way, and tells so */
	return true;
}

/* --- Receiving. --- */

static int reach_receive(struct ord_peer *from, struct ord_slice body)
{
	struct ord_peers *p = from->peers;
	struct ord_reader r = ord_reader_of(body);
	uint32_t both = 0;
	bool hears_us = false;
	while (!r.failed && ord_reader_left(&r) > 0) {
		uint32_t node = ord_reader_u32(&r);
		bool is_both = ord_reader_u8(&r) != 0;
		hears_us = hears_us || node == p->config->node;
		both |= is_both ? bit_of(p, node) : 0;
	}
	if (r.failed)
		return ORD_ERR_FORMAT;
	from->relay.has_told = true;
	from->relay.hears_us = hears_us;
	from->relay.hears = both;
	return ORD_OK;
}

/* As the third. Whether it has come there the destination's answer tells its origin. */
static void pass_on(struct ord_peer *to, const struct ord_part_relay *part)
{
	if (hears(to, ord_clock_monotonic_ms()) && to->out_up && relay_put(to, part))
		to->relay.passed_count++;
	else
		to->relay.refused_count++;
}

/* As the destination. */
static void take(struct ord_peer *origin, const struct ord_part_relay *part)
{
	struct ord_peers *p = origin->peers;
	if (ord_met_knows(ord_datadir_met(p->datadir), part->from, &part->incarnation) != ORD_OK)
		return;
	origin->relay.comes_round = true;
	if (p->events.receive(p->events.ctx, part->from, part->kind, part->body) != ORD_OK)
		origin->relay.refused_count++; /* the third is not to blame, and its connection stays */
}

int ord_peers_relay_receive(struct ord_peer *from, uint8_t kind, struct ord_slice body)
{
	struct ord_peers *p = from->peers;
	struct ord_part_relay part;
	if (kind == ORD_PART_REACH)
		return reach_receive(from, body);
	if (ord_wire_get_relay(body, &part) != ORD_OK || !may_go_round(part.kind) || part.from == part.to)
		return ORD_ERR_FORMAT;
	bool is_here = part.to == p->config->node, is_first_hop = part.from == from->config->id;
	struct ord_peer *other = ord_peers_find(p, is_here ? part.from : part.to);
	if (other == NULL || is_here == is_first_hop)
		return ORD_ERR_FORMAT;
	if (is_here)
		take(other, &part);
	else
		pass_on(other, &part);
	return ORD_OK;
}

/* --- Turns. --- */

static void reach_tell(struct ord_peers *p, uint64_t now_ms)
{
	uint32_t all = 0, both = 0;
	for (uint32_t i = 0; i < p->peers_count; i++) {
		uint32_t bit = hears(&p->peers[i], now_ms) ? bit_of(p, p->peers[i].config->id) : 0;
		all |= bit;
		both |= is_heard(&p->peers[i]) ? bit : 0;
	}
	if (all == p->told_hears && both == p->told_heard && now_ms - p->told_ms < TELL_MS)
		return;
	p->told_hears = all;
	p->told_heard = both;
	p->told_ms = now_ms;
	struct ord_bytes body;
	ord_bytes_init(&body, ORD_FRAME_GREETING_BYTES_MAX);
	for (uint32_t i = 0; i < p->config->nodes_count; i++)
		if ((all & UINT32_C(1) << i) != 0) {
			ord_bytes_put_u32(&body, p->config->nodes[i].id);
			ord_bytes_put_u8(&body, (both & UINT32_C(1) << i) != 0);
		}
	for (uint32_t i = 0; i < p->peers_count; i++)
		if (p->peers[i].out_up)
			ord_peers_put(&p->peers[i], ORD_PART_REACH, ord_bytes_slice(&body)); /* else once more soon */
	ord_bytes_close(&body);
}

static void way_choose(struct ord_peer *peer, uint64_t now_ms)
{
	struct ord_peers_relay *r = &peer->relay;
	if (hears(peer, now_ms) && is_heard(peer) && !r->comes_round)
		r->astray_ms = 0;
	else if (r->astray_ms == 0)
		r->astray_ms = now_ms;
	bool is_astray = r->astray_ms != 0 && now_ms - r->astray_ms >= ASTRAY_MS;
	struct ord_peer *third = is_astray ? third_find(peer, now_ms) : NULL;
	if (third == r->third)
		return;
	r->third = third;
	if (third != NULL)
		ord_log(ORD_LOG_INFO, "what is for node %u goes through node %u", peer->config->id, third->config->id);
	else
		ord_log(ORD_LOG_INFO, "what is for node %u does not go through other nodes any more", peer->config->id);
	peer->peers->events.relayed(peer->peers->events.ctx, peer->config->id, third != NULL);
}

void ord_peers_relay_turn(struct ord_peers *p)
{
	if (p->peers_count < 2 || p->stopping)
		return; /* there is no third */
	uint64_t now_ms = ord_clock_monotonic_ms();
	reach_tell(p, now_ms);
	for (uint32_t i = 0; i < p->peers_count; i++)
		way_choose(&p->peers[i], now_ms);
}
