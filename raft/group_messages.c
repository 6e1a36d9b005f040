/* SPDX-License-Identifier: Apache-2.0 - messages that libraft wants sent: what it leaves out of them, and when they may go. */
#include "base/assert.h"
#include "base/err.h"
#include "raft/group_state.h"

bool ord_group_holds_back(const struct ord_group *g)
{
	return g->vote_sequence > ord_wal_durable(g->env->wal);
}

void ord_group_deliver(struct ord_group *g, uint64_t to, struct ord_slice message)
{
	struct ord_group_env *env = g->env;
	uint32_t node = ORD_MEMBER_NODE(to);
	if (!ord_group_holds_back(g)) {
		env->events.send(env->events.ctx, node, message);
		return;
	}
	if (g->held.len + 2 * sizeof(uint32_t) + message.len > GROUP_HELD_BYTES_MAX)
		return;
	ord_bytes_put_u32(&g->held, node);
	ord_bytes_put_u32(&g->held, (uint32_t)message.len);
	ord_bytes_put(&g->held, message.base, message.len);
}

void ord_group_release_held(struct ord_group *g)
{
	struct ord_group_env *env = g->env;
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&g->held));
	while (!g->held.failed && ord_reader_left(&r) > 0) {
		uint32_t node = ord_reader_u32(&r);
		uint32_t len = ord_reader_u32(&r);
		env->events.send(env->events.ctx, node, ord_reader_take(&r, len));
	}
	ord_bytes_clear(&g->held);
}

/* libraft answers an append of an earlier term without setting the last index. */
static void mend_append_result(const struct ord_group *g, struct ord_message *m)
{
	struct raft_append_entries_result *a = &m->raft.append_entries_result;
	m->applied = g->applied;
	if (!g->answers_stale)
		return;
	a->last_log_index = 0;
	if (a->rejected == 0)
		a->rejected = GROUP_FIRST_INDEX;
}

/* libraft answers a pre-vote of an earlier term with that term, so that a candidate that fell behind by two terms would never learn of them: if it
 * has the longer log and a third node is down, nobody could be elected. */
static void mend_vote_result(const struct ord_group *g, struct ord_message *m)
{
	struct raft_request_vote_result *v = &m->raft.request_vote_result;
	if (v->pre_vote && !v->vote_granted && v->term < raft_current_term(&g->raft))
		v->term = raft_current_term(&g->raft);
}

/* libraft says only which entry is the last one. */
static void mend_install(const struct ord_group *g, struct ord_message *m)
{
	struct raft_install_snapshot *i = &m->raft.install_snapshot;
	ORD_ASSERT(i->last_index == g->entries.base);
	i->term = raft_current_term(&g->raft);
	i->last_term = g->entries.base_term;
	i->conf_index = g->members[0].index;
	m->members = ord_bytes_slice(&g->members[0].payload);
}

static void send_message(struct ord_group *g, const struct raft_message *raft)
{
	struct ord_group_env *env = g->env;
	struct ord_message m = {.group = g->id, .from = env->member, .to = raft->server_id, .raft = *raft};
	if (raft->type == RAFT_APPEND_ENTRIES_RESULT) {
		if (g->mutes_refusals && raft->append_entries_result.rejected > 0)
			return;
		mend_append_result(g, &m);
	} else if (raft->type == RAFT_INSTALL_SNAPSHOT)
		mend_install(g, &m);
	else if (raft->type == RAFT_REQUEST_VOTE_RESULT)
		mend_vote_result(g, &m);
	else if (raft->type == RAFT_REQUEST_VOTE)
		g->pre_voting = raft->request_vote.pre_vote;
	ord_bytes_clear(&env->output);
	if (ord_codec_encode(&m, &env->output) != ORD_OK) {
		ord_group_env_fatal(env, ORD_ERR_FORMAT, "libraft wants to send a message of unknown type %d",
				    (int)raft->type);
		return;
	}
	if (!env->output.failed)
		ord_group_deliver(g, m.to, ord_bytes_slice(&env->output));
}

void ord_group_send_install(struct ord_group *g, uint64_t to)
{
	struct raft_message m = {.type = RAFT_INSTALL_SNAPSHOT, .server_id = to};
	m.install_snapshot.last_index = g->entries.base;
	send_message(g, &m);
}

void ord_group_send_messages(struct ord_group *g, const struct raft_update *u)
{
	for (unsigned i = 0; i < u->messages.n && !g->env->dead; i++) {
		if (u->messages.batch[i].type == RAFT_APPEND_ENTRIES)
			ord_group_stream_ask(g, &u->messages.batch[i]);
		else
			send_message(g, &u->messages.batch[i]);
	}
}
