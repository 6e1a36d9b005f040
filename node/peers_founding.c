/* SPDX-License-Identifier: Apache-2.0 - a node with a new data directory finds out what it is: a founder of the cluster, or a newcomer that comes in the place of what the node was before.
 *
 * Each node notes, durably, the first directory that it met of each other node, never changes that, and says it in all its greetings. A directory becomes a founder when every other
 * node has noted it as the first one. So two directories of a node cannot both be founders as long as one node that noted the first one has its notes: it says otherwise. Who has lost
 * its notes is new itself, and takes over those of the node that tells it so before it becomes a newcomer: with the first word that another directory came first.
 */
#include <stdio.h>

#include "node/clock.h"
#include "node/peers_state.h"

/* How often it is said for whom this node waits. */
#define WAITING_TOLD_MS 10000
/* After a write that failed. */
#define DECIDE_AGAIN_MS 1000

static bool is_undecided(const struct ord_peers *p)
{
	return ord_datadir_self(p->datadir)->standing == ORD_STANDING_UNDECIDED;
}

void ord_peers_heard(struct ord_peer *peer, const struct ord_greeting *g)
{
	struct ord_peers *p = peer->peers;
	if (!is_undecided(p))
		return;
	for (uint32_t i = 0; i < g->firsts_count; i++) {
		if (g->firsts[i].node != p->config->node)
			continue;
		bool is_first = ord_uuid_equal(&g->firsts[i].incarnation, &ord_datadir_self(p->datadir)->incarnation);
		peer->says_first = is_first;
		p->is_newcomer = p->is_newcomer || !is_first;
	}
}

void ord_peers_unheard(struct ord_peer *peer)
{
	peer->says_first = false;
}

uint32_t ord_peers_waits_for(const struct ord_peers *p, uint32_t *ret_nodes)
{
	uint32_t count = 0;
	for (uint32_t i = 0; is_undecided(p) && i < p->peers_count; i++)
		if (!p->peers[i].says_first)
			ret_nodes[count++] = p->peers[i].config->id;
	return count;
}

static void waiting_tell(struct ord_peers *p, const uint32_t *nodes, uint32_t count)
{
	uint64_t now_ms = ord_clock_monotonic_ms();
	char text[ORD_NODES_MAX * 8] = "";
	size_t len = 0;
	if (now_ms - p->undecided_told_ms < WAITING_TOLD_MS)
		return;
	p->undecided_told_ms = now_ms;
	for (uint32_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%u", i == 0 ? "" : ", ", nodes[i]);
	ord_log(ORD_LOG_WARN,
		"this node has a new data directory and waits for node %s to say whether it was there before: start "
		"all "
		"nodes of a new cluster",
		text);
}

void ord_peers_decided(struct ord_peers *p, enum ord_standing standing)
{
	ord_datadir_decide_keep(p->datadir, standing);
	if (standing == ORD_STANDING_FOUNDER)
		ord_log(ORD_LOG_INFO, "this node is a founder of the cluster");
	else
		ord_log(ORD_LOG_WARN,
			"the other nodes knew another data directory of this node: it is gone, and this node joins as "
			"a new member");
	for (uint32_t i = 0; i < p->peers_count; i++)
		ord_peers_out_member(&p->peers[i]);
	p->events.decided(p->events.ctx, ord_self_member(ord_datadir_self(p->datadir), p->config->node));
}

void ord_peers_decide(struct ord_peers *p)
{
	uint32_t nodes[ORD_NODES_MAX];
	if (p->stopping || !is_undecided(p))
		return;
	uint32_t count = ord_peers_waits_for(p, nodes);
	if (count > 0 && !p->is_newcomer) {
		waiting_tell(p, nodes, count);
		return;
	}
	uint64_t now_ms = ord_clock_monotonic_ms();
	enum ord_standing standing = p->is_newcomer ? ORD_STANDING_NEWCOMER : ORD_STANDING_FOUNDER;
	if (now_ms >= p->decide_not_before_ms && ord_peers_meet_decide(p, standing))
		p->decide_not_before_ms = now_ms + DECIDE_AGAIN_MS;
}
