/* SPDX-License-Identifier: Apache-2.0 - messages from other nodes: what must hold before libraft, whose checks are compiled out, may see them. */
#include "base/assert.h"
#include "base/err.h"
#include "raft/group_state.h"
#include "raft/members.h"

static int step_message(struct ord_group *g, struct raft_message *m, enum group_source source, unsigned *ret_flags)
{
	struct raft_event event = {.type = RAFT_RECEIVE, .receive = {.message = m}};
	int rv = ord_group_step(g, &event, source, ret_flags);
	if (rv != 0)
		ord_group_failed(g, "a message", rv);
	return rv;
}

/* libraft decodes lists of members without looking where they end. */
static bool changes_valid(const struct ord_group *g, const struct raft_append_entries *a)
{
	const struct ord_group_env *env = g->env;
	for (unsigned i = 0; i < a->n_entries; i++) {
		const struct raft_entry *e = &a->entries[i];
		struct ord_slice payload = ord_slice_of(e->buf.base, e->buf.len);
		bool is_first = a->prev_log_index + i == 0;
		bool is_change = e->type == RAFT_CHANGE;
		if (is_first && (!is_change || !ord_slice_equal(payload, ord_bytes_slice(&env->members))))
			return false;
		if (is_change && !ord_members_valid(payload, env->nodes, env->nodes_count))
			return false;
	}
	return true;
}

/* Gives libraft one part of an append. It wants all entries to share one batch, made by raft_malloc, and frees it unless it takes entries. Ours is
 * a token: the payloads stay where they are, and are copied into the write-ahead log when they are taken. */
static int step_append_part(struct ord_group *g, struct raft_message *m)
{
	struct ord_group_env *env = g->env;
	struct raft_append_entries *a = &m->append_entries;
	unsigned flags = 0;
	if (a->n_entries > 0 && env->token == NULL)
		env->token = raft_malloc(1);
	if (a->n_entries > 0 && env->token == NULL) {
		ord_group_failed(g, "a message", RAFT_NOMEM);
		return RAFT_NOMEM;
	}
	for (unsigned i = 0; i < a->n_entries; i++)
		a->entries[i].batch = env->token;
	int rv = step_message(g, m, GROUP_SOURCE_MESSAGE, &flags);
	if (a->n_entries > 0 && (flags & (RAFT_UPDATE_ENTRIES)) == 0)
		env->token = NULL;
	return rv;
}

/* True when the entry before those of the append is here, and so all before it are the leader's. */
static bool has_entry(const struct ord_group *g, const struct raft_append_entries *a)
{
	uint64_t before = a->prev_log_index;
	if (before == g->entries.base)
		return true;
	const struct ord_entry_ref *own = ord_entries_get(&g->entries, before);
	return own != NULL && own->term == a->prev_log_term;
}

/* libraft takes the index of a change of members for that of the first new entry, so that each change must be the first entry of its step. */
static void step_append(struct ord_group *g, struct raft_message *m)
{
	const struct raft_append_entries whole = m->append_entries;
	struct raft_append_entries *part = &m->append_entries;
	unsigned done = 0;
	do {
		unsigned end = done + 1;
		while (end < whole.n_entries && whole.entries[end].type != RAFT_CHANGE)
			end++;
		if (end > whole.n_entries)
			end = whole.n_entries;
		*part = whole;
		part->entries = whole.entries + done;
		part->n_entries = end - done;
		if (done > 0) {
			part->prev_log_index = whole.prev_log_index + done;
			part->prev_log_term = whole.entries[done - 1].term;
		}
		if (part->n_entries > 0 && part->entries[0].type == RAFT_CHANGE && has_entry(g, part))
			ord_group_members_settle(g, part->prev_log_index + 1);
		if (g->env->dead || step_append_part(g, m) != 0 || g->env->dead)
			return;
		done = end;
	} while (done < whole.n_entries && g->entries.last >= whole.prev_log_index + done);
}

/* What an append says of entries up to the base is known: they are committed, so that every later leader has them, and the same. libraft, which has forgotten them, would
 * refuse; it is given what comes after. False when the leader has another entry at the base. */
static bool skip_to_base(const struct ord_group *g, struct raft_append_entries *a)
{
	uint64_t base = g->entries.base;
	if (a->prev_log_index >= base)
		return a->prev_log_index > base || a->prev_log_term == g->entries.base_term;
	uint64_t known = base - a->prev_log_index;
	if (known > a->n_entries)
		known = a->n_entries;
	else if (a->entries[known - 1].term != g->entries.base_term)
		return false;
	a->entries += known;
	a->n_entries -= (unsigned)known;
	a->prev_log_index = base;
	a->prev_log_term = g->entries.base_term;
	return true;
}

static int receive_append(struct ord_group *g, struct ord_message *m)
{
	const struct raft_append_entries *a = &m->raft.append_entries;
	uint64_t term = raft_current_term(&g->raft);
	/* There are no two leaders in one term; libraft would take itself for a follower. */
	if (a->term == term && raft_state(&g->raft) == RAFT_LEADER)
		return ORD_ERR_FORMAT;
	if (a->term == g->leader_term && g->leader != 0 && g->leader != m->from)
		return ORD_ERR_FORMAT;
	if (!changes_valid(g, a))
		return ORD_ERR_FORMAT;
	if (a->term >= term && !skip_to_base(g, &m->raft.append_entries))
		return ORD_ERR_FORMAT;
	if (a->n_entries > 0 && !ord_group_env_has_room(g->env))
		return ORD_OK; /* as if it had been lost on the way; the leader goes on asking for life, with appends that have none */
	g->answers_stale = a->term < term;
	if (!g->answers_stale) {
		g->leader = m->from;
		g->leader_term = a->term;
		g->leader_seen = true;
		g->fruitless = 0;
	}
	step_append(g, &m->raft);
	g->answers_stale = false;
	return ORD_OK;
}

/* The leader's log begins after an entry. When that is in the log here, or before its beginning, an append without entries tells the leader so; otherwise
 * the owner is asked to get it. A refusal would only make the leader send the same at once. */
static int receive_install(struct ord_group *g, struct ord_message *m)
{
	const struct ord_group_env *env = g->env;
	const struct raft_install_snapshot i = m->raft.install_snapshot;
	if (!ord_members_valid(m->members, env->nodes, env->nodes_count))
		return ORD_ERR_FORMAT;
	m->raft.type = RAFT_APPEND_ENTRIES;
	m->raft.append_entries = (struct raft_append_entries){
		.term = i.term, .prev_log_index = i.last_index, .prev_log_term = i.last_term, .entries = env->entries};
	g->mutes_refusals = i.term >= raft_current_term(&g->raft);
	int err = receive_append(g, m);
	g->mutes_refusals = false;
	if (err != ORD_OK || env->dead || i.term != raft_current_term(&g->raft) || i.last_index <= g->entries.base)
		return err;
	const struct ord_entry_ref *own = ord_entries_get(&g->entries, i.last_index);
	if ((own == NULL || own->term != i.last_term) && env->events.want_install != NULL)
		env->events.want_install(env->events.ctx, g->id, ORD_MEMBER_NODE(m->from), i.last_index, i.last_term);
	return ORD_OK;
}

static int receive_append_result(struct ord_group *g, struct ord_message *m)
{
	struct raft_append_entries_result *a = &m->raft.append_entries_result;
	uint64_t term = raft_current_term(&g->raft);
	raft_index match;
	if (raft_state(&g->raft) != RAFT_LEADER)
		return ORD_OK;
	if (raft_match_index(&g->raft, m->from, &match) != 0)
		return ORD_OK;
	if (a->term == term && a->rejected > 0) {
		if (a->rejected <= match)
			return ORD_OK; /* late: the peer has had that entry since; libraft would go back below what it knows */
		if (a->last_log_index < match)
			a->last_log_index = match;
	}
	if (step_message(g, &m->raft, GROUP_SOURCE_NONE, NULL) != 0 || g->env->dead)
		return ORD_OK;
	if (raft_state(&g->raft) != RAFT_LEADER || a->term != raft_current_term(&g->raft))
		return ORD_OK;
	ord_group_stream_acked(g, m->from, m->applied);
	ord_group_handover_go_on(g);
	return ORD_OK;
}

static int receive_vote_result(struct ord_group *g, struct ord_message *m)
{
	const struct raft_request_vote_result *v = &m->raft.request_vote_result;
	if (raft_state(&g->raft) != RAFT_CANDIDATE)
		return ORD_OK; /* libraft would look at fields that only a candidate has */
	if (v->pre_vote && v->vote_granted && v->term > raft_current_term(&g->raft) + 1)
		return ORD_ERR_FORMAT; /* granted for a term that was not asked for */
	if (v->pre_vote && v->vote_granted && v->term <= raft_current_term(&g->raft))
		return ORD_OK; /* for an earlier term; libraft would count it in this one */
	step_message(g, &m->raft, GROUP_SOURCE_NONE, NULL);
	return ORD_OK;
}

int ord_group_receive(struct ord_group *g, struct ord_message *m)
{
	if (g->life == GROUP_LOST)
		ord_group_lost_receive(g, m);
	if (g->life != GROUP_STARTED)
		return ORD_OK;
	m->raft.server_address = g->env->texts[ord_group_env_peer(g->env, ORD_MEMBER_NODE(m->from))];
	switch (m->raft.type) {
	case RAFT_APPEND_ENTRIES:
		return receive_append(g, m);
	case RAFT_APPEND_ENTRIES_RESULT:
		return receive_append_result(g, m);
	case RAFT_INSTALL_SNAPSHOT:
		return receive_install(g, m);
	case RAFT_REQUEST_VOTE_RESULT:
		return receive_vote_result(g, m);
	case RAFT_REQUEST_VOTE:
	case RAFT_TIMEOUT_NOW:
		step_message(g, &m->raft, GROUP_SOURCE_NONE, NULL);
		return ORD_OK;
	default:
		return ORD_ERR_FORMAT;
	}
}
