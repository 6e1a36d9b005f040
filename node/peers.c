/* SPDX-License-Identifier: Apache-2.0 - connections between nodes: what both directions share. */
#include "node/peers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/clock.h"
#include "node/peers_state.h"

/* A frame is acted on when it is whole, so a heartbeat should not travel in one that takes long. A longer part gets a frame of its own. */
#define FRAME_BYTES_USUAL (1u << 20)
_Static_assert(ORD_PEER_OUTPUT_BYTES_MAX / 2 <= ORD_FRAME_BYTES_MAX, "what fits the output fits one frame");

struct ord_greeting ord_peers_greeting(const struct ord_peers *p, uint32_t to)
{
	const struct ord_self *self = ord_datadir_self(p->datadir);
	const struct ord_met *met = ord_datadir_met(p->datadir);
	struct ord_greeting g = {.protocol = ORD_FRAME_PROTOCOL,
				 .cluster = p->config->cluster,
				 .node = p->config->node,
				 .incarnation = self->incarnation,
				 .partitions_count = p->config->partitions_count,
				 .shard = (uint16_t)p->config->shard,
				 .shards_count = (uint16_t)p->config->shards_count,
				 .to = to,
				 .member = ord_self_member(self, p->config->node)};
	for (uint32_t i = 0; i < met->nodes_count; i++)
		if (met->nodes[i].has_first)
			g.firsts[g.firsts_count++] = (struct ord_greeting_first){.node = met->nodes[i].node,
										 .incarnation = met->nodes[i].first};
	return g;
}

struct ord_peer *ord_peers_find(struct ord_peers *p, uint32_t node)
{
	for (uint32_t i = 0; i < p->peers_count; i++)
		if (p->peers[i].config->id == node)
			return &p->peers[i];
	return NULL;
}

/* What can be told without knowing the peer. */
static int greeting_compare(const struct ord_peers *p, const struct ord_greeting *g, uint32_t from,
			    char why[ORD_PEERS_WHY_SIZE])
{
	char theirs[ORD_UUID_TEXT_SIZE], ours[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(&g->cluster, theirs);
	ord_uuid_format(&p->config->cluster, ours);
	if (g->protocol != ORD_FRAME_PROTOCOL)
		snprintf(why, ORD_PEERS_WHY_SIZE,
			 "it speaks peer protocol %u, node %u speaks %u: run the same version on all nodes",
			 g->protocol, p->config->node, ORD_FRAME_PROTOCOL);
	else if (!ord_uuid_equal(&g->cluster, &p->config->cluster))
		snprintf(why, ORD_PEERS_WHY_SIZE,
			 "node %u belongs to cluster %s, node %u to cluster %s: check cluster_id and nodes", g->node,
			 theirs, p->config->node, ours);
	else if (g->to != 0 && g->to != p->config->node)
		snprintf(why, ORD_PEERS_WHY_SIZE, "node %u looks for node %u here, but this is node %u: check nodes",
			 g->node, g->to, p->config->node);
	else if (from != 0 && g->node != from)
		snprintf(why, ORD_PEERS_WHY_SIZE, "node %u was expected there, but it is node %u: check nodes", from,
			 g->node);
	else if (g->partitions_count != p->config->partitions_count)
		snprintf(why, ORD_PEERS_WHY_SIZE,
			 "node %u has %u partitions, node %u has %u: the number is fixed for a cluster's life", g->node,
			 g->partitions_count, p->config->node, p->config->partitions_count);
	else if (g->shards_count != p->config->shards_count)
		snprintf(why, ORD_PEERS_WHY_SIZE,
			 "node %u has %u shards, node %u has %u: give all nodes the same number, which is fixed for a "
			 "cluster's life",
			 g->node, g->shards_count, p->config->node, p->config->shards_count);
	else if (g->shard != p->config->shard)
		snprintf(why, ORD_PEERS_WHY_SIZE,
			 "shard %u of node %u met shard %u of node %u: give all nodes the same peer ports of all nodes",
			 g->shard, g->node, p->config->shard, p->config->node);
	else
		return ORD_OK;
	return ORD_ERR_MISMATCH;
}

/* A founder is whose directory everybody met first; a newcomer has the number that its directory gives. */
static int member_check(const struct ord_peers *p, uint32_t node, const struct ord_uuid *incarnation, uint64_t member,
			char why[ORD_PEERS_WHY_SIZE])
{
	const struct ord_met_node *met = ord_met_find(ord_datadir_met(p->datadir), node);
	bool other_first = met->has_first && !ord_uuid_equal(&met->first, incarnation);
	if (!ord_self_may_be(node, incarnation, member))
		snprintf(why, ORD_PEERS_WHY_SIZE,
			 "node %u says that it is member %" PRIx64
			 ", which its data directory cannot be: start it from an empty one",
			 node, member);
	else if (member == node && other_first)
		snprintf(
			why, ORD_PEERS_WHY_SIZE,
			"node %u says that it has been in the cluster from its beginning, but node %u met another data "
			"directory of it first: start it from that one, or from an empty one",
			node, p->config->node);
	else
		return ORD_OK;
	return ORD_ERR_MISMATCH;
}

int ord_peers_check(struct ord_peers *p, const struct ord_greeting *g, uint32_t from, struct ord_peer **ret_peer,
		    char why[ORD_PEERS_WHY_SIZE])
{
	int err = greeting_compare(p, g, from, why);
	if (err != ORD_OK)
		return err;
	struct ord_peer *peer = ord_peers_find(p, g->node);
	if (peer == NULL) {
		snprintf(why, ORD_PEERS_WHY_SIZE, "node %u is not one of the nodes that node %u knows: check nodes",
			 g->node, p->config->node);
		return ORD_ERR_MISMATCH;
	}
	err = member_check(p, g->node, &g->incarnation, g->member, why);
	if (err != ORD_OK)
		return err;
	err = ord_peers_meet(p, g);
	if (err == ORD_ERR_MISMATCH)
		snprintf(why, ORD_PEERS_WHY_SIZE,
			 "node %u was started from a data directory that another one has replaced since: remove that "
			 "old directory, and start the node from its newer one, or from an empty one",
			 g->node);
	else if (err == ORD_OK)
		*ret_peer = peer;
	else if (err != ORD_ERR_BUSY)
		snprintf(why, ORD_PEERS_WHY_SIZE, "node %u cannot write its data directory", p->config->node);
	if (err == ORD_OK)
		ord_peers_heard(peer, g);
	return err;
}

int ord_peers_take_member(struct ord_peer *peer, uint64_t member)
{
	struct ord_peers *p = peer->peers;
	const struct ord_met_node *met = ord_met_find(ord_datadir_met(p->datadir), peer->config->id);
	char why[ORD_PEERS_WHY_SIZE];
	if (member == 0 || member_check(p, peer->config->id, &met->current, member, why) != ORD_OK)
		return ORD_ERR_FORMAT;
	p->events.member(p->events.ctx, peer->config->id, member);
	return ORD_OK;
}

void ord_peers_update(struct ord_peer *peer)
{
	bool connected = peer->out_up && peer->in != NULL;
	if (connected == peer->connected)
		return;
	peer->connected = connected;
	if (!peer->peers->stopping) {
		ord_log(connected ? ORD_LOG_INFO : ORD_LOG_WARN, "node %u is %s", peer->config->id,
			connected ? "connected" : "not connected any more");
		peer->peers->events.connected(peer->peers->events.ctx, peer->config->id, connected);
	}
}

void ord_peers_handle_opened(struct ord_peers *p)
{
	p->handles_count++;
}

void ord_peers_handle_closed(struct ord_peers *p)
{
	ORD_ASSERT(p->handles_count > 0);
	p->handles_count--;
	if (!p->stopping || p->handles_count > 0)
		return;
	void (*stopped)(void *ctx) = p->stopped;
	void *ctx = p->stopped_ctx;
	for (uint32_t i = 0; i < p->peers_count; i++) {
		ord_bytes_close(&p->peers[i].output);
		ord_bytes_close(&p->peers[i].spare);
	}
	free(p);
	stopped(ctx);
}

static void no_owner(void *ctx)
{
	(void)ctx;
}

int ord_peers_start(uv_loop_t *loop, const struct ord_config *config, struct ord_datadir *datadir,
		    const struct ord_peers_events *events, struct ord_peers **ret, char *why, size_t why_size)
{
	struct ord_peers *p = calloc(1, sizeof *p);
	if (p == NULL) {
		snprintf(why, why_size, "not enough memory");
		return ORD_ERR_NOMEM;
	}
	p->loop = loop;
	p->config = config;
	p->datadir = datadir;
	p->events = *events;
	p->undecided_told_ms = ord_clock_monotonic_ms();
	ord_peers_meet_start(p);
	int err = ord_peers_in_listen(p, why, why_size);
	if (err != ORD_OK) {
		ord_peers_stop(p, no_owner, NULL);
		return err;
	}
	struct ord_bounds bounds = config->bounds;
	ord_bounds_fill(&bounds);
	size_t output_bytes = bounds.peer_output_bytes / 2; /* half collects while half is written */
	for (uint32_t i = 0; i < config->nodes_count; i++) {
		if (config->nodes[i].id == config->node)
			continue;
		struct ord_peer *peer = &p->peers[p->peers_count++];
		peer->peers = p;
		peer->config = &config->nodes[i];
		ord_bytes_init(&peer->output, output_bytes);
		ord_bytes_init(&peer->spare, output_bytes);
		if (config->enable_faults)
			ord_peers_link_start(peer);
		ord_peers_out_start(peer);
	}
	*ret = p;
	return ORD_OK;
}

void ord_peers_send(struct ord_peers *p, uint32_t node, uint8_t kind, struct ord_slice body)
{
	struct ord_peer *peer = ord_peers_find(p, node);
	if (peer == NULL || ord_peers_relay_send(peer, kind, body))
		return;
	if (peer->link != NULL)
		ord_peers_link_message(peer);
	if (peer->out_up && !ord_peers_put(peer, kind, body))
		peer->dropped_count++;
}

bool ord_peers_put(struct ord_peer *peer, uint8_t kind, struct ord_slice body)
{
	ORD_ASSERT(peer->out_up);
	struct ord_bytes *out = &peer->output;
	size_t part_bytes = sizeof(uint8_t) + sizeof(uint32_t) + body.len;
	bool full = out->len > 0 && out->len - peer->frame_begun + part_bytes > FRAME_BYTES_USUAL;
	bool begins = out->len == 0 || full;
	if (part_bytes + (begins ? ORD_FRAME_HEADER_BYTES : 0) > out->bytes_max - out->len)
		return false;
	if (full)
		ord_frame_end(out, peer->frame_begun, ORD_FRAME_PARTS);
	if (begins)
		peer->frame_begun = ord_frame_begin(out);
	ord_frame_put_part(out, kind, body);
	ORD_ASSERT(!out->failed);
	return true;
}

void ord_peers_flush(struct ord_peers *p)
{
	ord_peers_relay_turn(p);
	for (uint32_t i = 0; i < p->peers_count; i++)
		ord_peers_out_flush(&p->peers[i]);
	if (p->strangers != NULL)
		ord_peers_in_expire(p);
	ord_peers_decide(p);
}

uint32_t ord_peers_count(const struct ord_peers *p)
{
	return p->peers_count;
}

void ord_peers_status(const struct ord_peers *p, uint32_t peer, struct ord_peer_status *ret)
{
	ORD_ASSERT(peer < p->peers_count);
	const struct ord_peer *at = &p->peers[peer];
	*ret = (struct ord_peer_status){.node = at->config->id,
					.connected = at->connected,
					.output_bytes = at->output.len + at->writing_bytes,
					.dropped_count = at->dropped_count,
					.relayed = at->relay.third != NULL,
					.relayed_count = at->relay.sent_count,
					.passed_count = at->relay.passed_count,
					.refused_count = at->relay.refused_count};
}

void ord_peers_stop(struct ord_peers *p, void (*stopped)(void *ctx), void *ctx)
{
	p->stopping = true;
	p->stopped = stopped;
	p->stopped_ctx = ctx;
	ord_peers_handle_opened(p); /* keeps p until all below have been told */
	for (uint32_t i = 0; i < p->peers_count; i++) {
		ord_peers_out_stop(&p->peers[i]);
		if (p->peers[i].link != NULL)
			ord_peers_link_stop(&p->peers[i]);
	}
	ord_peers_in_stop(p);
	ord_peers_meet_stop(p);
	ord_peers_handle_closed(p);
}
