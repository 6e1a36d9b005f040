/* SPDX-License-Identifier: Apache-2.0 - a leader's entries on their way to its peers. */

/* libraft says "send entries a to b to that peer", counts them as sent, and bounds them by number alone. A stream splits that into messages of a bounded
 * size, each with its own previous entry, keeps the bytes that are not answered within a window, and reads what is no longer in memory back from the
 * log, a bounded amount in a turn. What it has not sent yet is sent when answers come. It follows libraft's range: when that goes on where the last
 * one ended, it grows; when it begins elsewhere (after a rejection, or when the peer was silent), the stream begins again there and sends one message
 * at a time until the peer has taken one. libraft takes what waits here for sent and would send no heartbeat for a while: so, when it asks for
 * something and the window lets nothing out, an append without entries goes out if the peer has heard nothing for a heartbeat.
 */
#include "base/assert.h"
#include "base/err.h"
#include "raft/group_state.h"

#define COLD_BYTES_PER_TURN (4u << 20) /* read from disk for peers */

void ord_group_streams_reset(struct ord_group *g)
{
	memset(g->streams, 0, sizeof g->streams);
}

void ord_group_streams_forget(struct ord_group *g)
{
	for (uint32_t peer = 0; peer < g->env->nodes_count; peer++) {
		const struct raft_server *member = ord_group_member_of(g, g->env->nodes[peer]);
		if (member == NULL || member->id != g->streams[peer].member)
			g->streams[peer] = (struct group_stream){0};
	}
}

/* What was still to be sent has left the log. libraft takes it for sent; the next append that it asks for is refused by the peer, and then it knows. */
static void stream_stop(struct group_stream *s)
{
	s->next = 0;
	s->end = 0;
	s->unacked_bytes = 0;
}

static bool is_silent(const struct ord_group_env *env, uint32_t peer)
{
	uint64_t heard_ms = env->peers[peer].heard_ms;
	return heard_ms == 0 || env->now_ms - heard_ms > env->election_timeout_ms;
}

/* Adds entries to the message, from the stream's next one on. Returns how many, and what they weigh. */
static uint32_t put_entries(struct ord_group *g, struct group_stream *s, uint64_t last, uint64_t *ret_bytes)
{
	struct ord_bytes *out = &g->env->output;
	uint32_t count = 0;
	uint64_t bytes = 0;
	while (s->next + count <= last && count < ORD_MESSAGE_ENTRIES_MAX && bytes < g->env->message_bytes) {
		const struct ord_entry_ref *ref = ord_entries_get(&g->entries, s->next + count);
		struct ord_slice record;
		if (count > 0 && ref->kind == ORD_ENTRY_CHANGE)
			break;
		if (ord_group_read(g, g->env->send_reader, s->next + count, &record) != ORD_OK)
			break;
		ord_bytes_put(out, record.base, record.len);
		bytes += record.len;
		count++;
	}
	*ret_bytes = bytes;
	return count;
}

/* Sends one append with the entries from the stream's next one up to last, as many as fit; with none when last is before it.
 * Returns how many entries went. */
static uint32_t stream_send(struct ord_group *g, uint32_t peer, uint64_t last)
{
	struct ord_group_env *env = g->env;
	struct group_stream *s = &g->streams[peer];
	uint64_t bytes = 0;
	uint64_t before = s->next - 1;
	struct ord_message m = {.group = g->id, .from = env->member, .to = s->member};
	m.raft.type = RAFT_APPEND_ENTRIES;
	m.raft.append_entries = (struct raft_append_entries){.term = raft_current_term(&g->raft),
							     .prev_log_index = before,
							     .prev_log_term = ord_entries_term(&g->entries, before),
							     .leader_commit = raft_commit_index(&g->raft)};
	ord_bytes_clear(&env->output);
	size_t begun = ord_codec_append_begin(&m, &env->output);
	uint32_t count = put_entries(g, s, last, &bytes);
	if (env->output.failed || env->dead)
		return 0;
	ord_codec_append_end(&env->output, begun, count);
	s->next += count;
	s->unacked_bytes += bytes;
	s->sent_ms = env->now_ms;
	ord_group_deliver(g, m.to, ord_bytes_slice(&env->output));
	return count;
}

static bool needs_disk(const struct ord_group *g, uint64_t index)
{
	const struct ord_entry_ref *ref = ord_entries_get(&g->entries, index);
	return !ord_wal_in_memory(g->env->wal, ref->place, ord_entry_record_bytes(ref));
}

/* Sends what the window lets out. True when something went. */
static bool stream_pump(struct ord_group *g, uint32_t peer)
{
	struct ord_group_env *env = g->env;
	struct group_stream *s = &g->streams[peer];
	bool any = false;
	if (ord_group_holds_back(g) || is_silent(env, peer))
		return false;
	while (s->next <= s->end && !env->dead) {
		bool is_full = s->probing ? s->unacked_bytes > 0 : s->unacked_bytes >= env->window_bytes;
		if (is_full)
			break;
		if (env->cold_bytes >= COLD_BYTES_PER_TURN && needs_disk(g, s->next)) {
			ord_group_enqueue(g, ORD_GROUP_QUEUE_SEND);
			break;
		}
		if (stream_send(g, peer, s->end) == 0)
			break;
		any = true;
	}
	return any;
}

void ord_group_stream_ask(struct ord_group *g, const struct raft_message *m)
{
	struct ord_group_env *env = g->env;
	const struct raft_append_entries *a = &m->append_entries;
	uint32_t peer = ord_group_env_peer(env, ORD_MEMBER_NODE(m->server_id));
	ORD_ASSERT(peer < env->nodes_count);
	struct group_stream *s = &g->streams[peer];
	/* Of a log that begins after entry 1 libraft thinks that it has entry 1, and would never tell a peer without any that it needs a state. */
	if (a->prev_log_index < g->entries.base) {
		ord_group_send_install(g, m->server_id);
		return;
	}
	if (s->member != m->server_id)
		*s = (struct group_stream){.member = m->server_id};
	uint64_t before = a->prev_log_index;
	bool goes_on = s->next > 0 && (before == s->end || before + 1 == s->next);
	if (!goes_on) {
		s->next = before + 1;
		s->acked = before;
		s->unacked_bytes = 0;
		s->probing = true;
	}
	s->end = before + a->n_entries;
	ORD_ASSERT(s->end <= g->entries.last);
	if (stream_pump(g, peer) || env->dead)
		return;
	/* An empty one: not more than one a tick, for when its own window is full libraft wants one for every proposal. */
	uint64_t pause_ms = a->n_entries == 0 ? 1 : env->heartbeat_ms;
	if (!goes_on || env->now_ms - s->sent_ms >= pause_ms)
		stream_send(g, peer, 0);
}

void ord_group_streams_trim(struct ord_group *g, uint64_t index)
{
	if (raft_state(&g->raft) != RAFT_LEADER)
		return; /* what an earlier leadership left means nothing */
	for (uint32_t peer = 0; peer < g->env->nodes_count; peer++) {
		struct group_stream *s = &g->streams[peer];
		if (s->next == 0 || s->acked >= index)
			continue;
		if (s->next <= index) {
			stream_stop(s);
			continue;
		}
		for (uint64_t i = s->acked + 1; i <= index; i++)
			s->unacked_bytes -= ord_entry_record_bytes(ord_entries_get(&g->entries, i));
		s->acked = index;
	}
}

void ord_group_stream_acked(struct ord_group *g, uint64_t member, uint64_t applied)
{
	uint32_t peer = ord_group_env_peer(g->env, ORD_MEMBER_NODE(member));
	struct group_stream *s = &g->streams[peer];
	raft_index match = 0;
	if (s->member != member)
		return;
	s->applied = applied;
	s->heard_ms = g->env->now_ms;
	if (raft_match_index(&g->raft, member, &match) != 0 || s->next == 0)
		return;
	for (uint64_t i = s->acked + 1; i <= match && i < s->next; i++)
		s->unacked_bytes -= ord_entry_record_bytes(ord_entries_get(&g->entries, i));
	if (match > s->acked) {
		s->acked = match;
		s->probing = false;
	}
	if (match >= s->next) {
		s->next = match + 1;
		s->unacked_bytes = 0;
	}
	if (s->end < match)
		s->end = match;
	stream_pump(g, peer);
}

/* Entries are answered after the peer's sync, and libraft sends no heartbeats while it sends entries: without a question that can be answered at once, a
 * disk that stands still for an election timeout would look like a dead peer, and a majority of those makes a leader step down. */
void ord_group_streams_ask_for_life(struct ord_group *g)
{
	struct ord_group_env *env = g->env;
	for (uint32_t peer = 0; peer < env->nodes_count && !env->dead; peer++) {
		struct group_stream *s = &g->streams[peer];
		uint64_t last_ms = s->heard_ms > s->asked_ms ? s->heard_ms : s->asked_ms;
		if (s->unacked_bytes == 0 || env->now_ms - last_ms < env->heartbeat_ms || is_silent(env, peer))
			continue;
		s->asked_ms = env->now_ms;
		stream_send(g, peer, 0);
	}
}

void ord_group_send(struct ord_group *g)
{
	if (g->life != GROUP_STARTED || raft_state(&g->raft) != RAFT_LEADER)
		return;
	for (uint32_t peer = 0; peer < g->env->nodes_count && !g->env->dead; peer++)
		if (g->streams[peer].next > 0)
			stream_pump(g, peer);
}
