/* SPDX-License-Identifier: Apache-2.0 - leaderships back to the nodes that should have them, one at a time. */
#include "base/err.h"
#include "raft/host_state.h"

#define STEADY_MS 3000 /* a node is well when it has answered for so long */
#define PAUSE_MS 250   /* between two hand-overs: clients of one partition at a time notice */
#define RETRY_MS 10000 /* of the same group: the node may be well and still too slow to take over */

static bool is_steady(const struct ord_host *h, uint32_t node)
{
	const struct ord_group_env *env = &h->env;
	const struct ord_group_peer *peer = &env->peers[ord_group_env_peer(env, node)];
	return peer->heard_ms != 0 && env->now_ms - peer->heard_ms <= env->election_timeout_ms &&
	       env->now_ms - peer->heard_since_ms >= STEADY_MS;
}

static bool may_lead(const struct ord_host *h, uint32_t group, uint32_t node)
{
	const struct ord_host_events *events = &h->env.events;
	return events->may_lead == NULL || events->may_lead(events->ctx, group, node);
}

static bool is_reluctant(const struct ord_host *h, uint32_t node)
{
	return h->env.peers[ord_group_env_peer(&h->env, node)].reluctant;
}

/* It has a vote in every group, as the member that it says it is. Before that it is still getting states, and more to do would make that longer. */
static bool is_whole(const struct ord_host *h, uint32_t node)
{
	uint64_t says = h->env.peers[ord_group_env_peer(&h->env, node)].member;
	uint32_t i = h->groups_first;
	while (i < h->groups_count && ord_group_has_vote(h->groups[i], node, says))
		i += h->groups_step;
	return i >= h->groups_count;
}

/* Whom the group should go to: where it belongs, or, when this node or that one is reluctant, any that is not. 0: it stays. */
static uint32_t successor(const struct ord_host *h, uint32_t id)
{
	const struct ord_group *g = h->groups[id];
	const struct ord_group_env *env = &h->env;
	uint32_t node = ord_group_preferred(g);
	if (node != env->node && !is_reluctant(h, node) && ord_group_can_hand_over(g, node) && is_steady(h, node) &&
	    may_lead(h, id, node) && is_whole(h, node))
		return node;
	for (uint32_t i = 0; is_reluctant(h, env->node) && i < env->nodes_count; i++) {
		node = env->nodes[(i + h->balance_cursor) % env->nodes_count];
		if (node != env->node && !is_reluctant(h, node) && ord_group_can_hand_over(g, node) &&
		    is_steady(h, node) && may_lead(h, id, node))
			return node;
	}
	return 0;
}

void ord_host_balance(struct ord_host *h)
{
	uint64_t now_ms = h->env.now_ms;
	if (now_ms < h->balance_due_ms)
		return;
	h->balance_due_ms = now_ms + PAUSE_MS;
	for (uint32_t i = 0; i < h->groups_count; i++) {
		uint32_t id = (h->balance_cursor + i) % h->groups_count;
		struct ord_group *g = h->groups[id];
		if (g == NULL || now_ms < h->balance_not_before_ms[id])
			continue;
		uint32_t node = successor(h, id);
		if (node == 0)
			continue;
		h->balance_not_before_ms[id] = now_ms + RETRY_MS;
		h->balance_cursor = id + 1;
		if (ord_group_transfer(g, node) == ORD_OK)
			return;
	}
}
