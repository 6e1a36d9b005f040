/* SPDX-License-Identifier: Apache-2.0 - reads without an entry: one question to each peer for all groups that wait (raft/group_reads.c says why that is enough). */

/* One question to a peer is under way; it is repeated when nothing comes of it for a heartbeat, under a new number, and the answer to the old one still counts for what it was asked for. Groups in which reads
 * come meanwhile wait for the next one, so that a question carries the more the longer the way is. */
#include "base/assert.h"
#include "base/err.h"
#include "raft/confirm.h"
#include "raft/host_state.h"

int ord_host_read_begin(struct ord_host *h, uint32_t group, struct ord_read_point *ret)
{
	ORD_ASSERT(ord_host_has(h, group));
	return h->env.dead ? ORD_ERR_NOT_LEADER : ord_group_read_begin(h->groups[group], h->round + 1, ret);
}

bool ord_host_may_read(struct ord_host *h, uint32_t group, const struct ord_read_point *point)
{
	ORD_ASSERT(ord_host_has(h, group));
	if (h->env.dead)
		return false;
	if (ord_group_may_read(h->groups[group], point))
		return true;
	ord_group_read_wait(h->groups[group]); /* who confirmed may have lost its vote since: others are asked */
	return false;
}

static void message_send(struct ord_host *h, uint32_t peer, size_t begun)
{
	struct ord_group_env *env = &h->env;
	ord_confirm_end(&env->output, begun);
	if (!env->output.failed)
		env->events.confirm(env->events.ctx, env->nodes[peer], ord_bytes_slice(&env->output));
}

static void peer_ask(struct ord_host *h, uint32_t peer)
{
	struct ord_group_env *env = &h->env;
	struct ord_confirm c = {.from = env->member, .to = env->peers[peer].member, .round = h->round + 1};
	uint64_t term;
	ord_bytes_clear(&env->output);
	size_t begun = ord_confirm_begin(&c, &env->output);
	bool is_asked = false;
	for (struct ord_group *g = env->queues[ORD_GROUP_QUEUE_READ].first; g != NULL;
	     g = ord_group_queue_next(g, ORD_GROUP_QUEUE_READ))
		if (ord_group_read_ask(g, peer, c.round, &c.to, &term)) {
			ord_confirm_put_group(&env->output, ord_group_id(g), term);
			is_asked = true;
		}
	if (!is_asked)
		return;
	ord_confirm_set_to(&env->output, begun, c.to);
	h->round = c.round;
	h->asked[peer] = (struct host_asked){.round = c.round, .ms = env->now_ms};
	message_send(h, peer, begun);
}

/* Leaves those that wait no more out of the queue. */
static void queue_clean(struct ord_group_env *env)
{
	struct ord_group *last = env->queues[ORD_GROUP_QUEUE_READ].last;
	struct ord_group *g = NULL;
	while (g != last) {
		g = ord_group_env_next(env, ORD_GROUP_QUEUE_READ);
		ord_group_read_wait(g);
	}
}

void ord_host_ask(struct ord_host *h)
{
	struct ord_group_env *env = &h->env;
	queue_clean(env);
	for (uint32_t i = 0; i < env->nodes_count && env->queues[ORD_GROUP_QUEUE_READ].first != NULL; i++) {
		bool is_open = h->asked[i].round != 0 && env->now_ms - h->asked[i].ms < env->heartbeat_ms;
		if (env->nodes[i] != env->node && !is_open)
			peer_ask(h, i);
	}
}

void ord_host_ask_anew(struct ord_host *h, uint32_t peer)
{
	h->asked[peer] = (struct host_asked){0};
}

/* Says for which groups this node follows who asks; also when there are none, so that it may ask again. */
static void question_answer(struct ord_host *h, uint32_t peer, const struct ord_confirm *question)
{
	struct ord_group_env *env = &h->env;
	struct ord_confirm c = {.is_answer = true, .from = env->member, .to = question->from, .round = question->round};
	ord_bytes_clear(&env->output);
	size_t begun = ord_confirm_begin(&c, &env->output);
	for (uint32_t i = 0; i < question->groups_count; i++) {
		uint32_t group;
		uint64_t term;
		ord_confirm_group(question, i, &group, &term);
		if (ord_group_follows(h->groups[group], question->from, term))
			ord_confirm_put_group(&env->output, group, term);
	}
	message_send(h, peer, begun);
}

static void answer_take(struct ord_host *h, uint32_t peer, const struct ord_confirm *answer)
{
	if (answer->round > h->round)
		return; /* to a question of this node's life before */
	if (answer->round == h->asked[peer].round)
		ord_host_ask_anew(h, peer);
	for (uint32_t i = 0; i < answer->groups_count; i++) {
		uint32_t group;
		uint64_t term;
		ord_confirm_group(answer, i, &group, &term);
		ord_group_confirmed(h->groups[group], peer, answer->from, term, answer->round);
	}
}

static bool groups_exist(const struct ord_host *h, const struct ord_confirm *c)
{
	for (uint32_t i = 0; i < c->groups_count; i++) {
		uint32_t group;
		uint64_t term;
		ord_confirm_group(c, i, &group, &term);
		if (!ord_host_has(h, group))
			return false;
	}
	return true;
}

int ord_host_receive_confirm(struct ord_host *h, uint32_t from, struct ord_slice message)
{
	struct ord_group_env *env = &h->env;
	struct ord_confirm c;
	if (env->dead)
		return ORD_OK;
	int err = ord_confirm_decode(message, &c);
	if (err != ORD_OK)
		return err;
	uint32_t peer = ord_group_env_peer(env, from);
	if (ORD_MEMBER_NODE(c.from) != from || ORD_MEMBER_NODE(c.to) != env->node || from == env->node ||
	    peer == env->nodes_count || !groups_exist(h, &c))
		return ORD_ERR_FORMAT;
	if (!ord_host_is_between_members(env, peer, c.from, c.to))
		return ORD_OK;
	if (c.is_answer)
		answer_take(h, peer, &c);
	else
		question_answer(h, peer, &c);
	return ORD_OK;
}
