/* SPDX-License-Identifier: Apache-2.0 - one Raft group: its life, its steps, what it writes. */

/* States and who makes the transitions:
 *
 *   opened --ord_group_recover--> opened --ord_group_begin---------> started
 *   opened (blank, founder) --ord_group_begin--> writing --ord_group_synced--> started
 *   opened (blank, another member) --ord_group_begin---------------> started, without members: it waits to be taken in
 *   opened (base lost) --ord_group_begin--> lost --ord_group_install--> writing, or started when nothing has to be written
 *   started --ord_group_install--> writing --ord_group_synced------> started, with another instance of libraft
 *
 * Once started, libraft's state (follower, candidate, leader) changes in ord_group_step() alone, and the owner is told by ord_group_tell_role():
 * of a leader only when it has applied all that earlier leaders left (ready_index).
 *
 * What libraft leaves to its host and where it is done:
 *   group_start.c     the first configuration, RAFT_START
 *   group_members.c   which members are the newest in the log, and which are committed
 *   group_recover.c   what the log says
 *   group_base.c      where the log begins, RAFT_SNAPSHOT
 *   group_lost.c      where it begins when that is not known
 *   group.c           order of what an update asks for; vote records before messages; durable indexes capped at truncations
 *   group_timers.c    when to time out, and how long the timeouts are
 *   group_receive.c   what a message must satisfy before libraft may see it
 *   group_messages.c  messages: what libraft leaves out of them; those that a vote must precede are held back
 *   group_send.c      which entries of an append go out when, in how many messages
 *   group_propose.c   entries of this node's own, RAFT_SUBMIT
 *   group_apply.c     committed entries to the owner, committed members to libraft
 *   group_handover.c  handing leadership over
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/trace.h"
#include "raft/group_state.h"
#include "raft/members.h"
#include "raft/segment.h"

#define INFLIGHT_ENTRIES_MAX 4096

_Static_assert((int)ORD_ENTRY_COMMAND == (int)RAFT_COMMAND && (int)ORD_ENTRY_BARRIER == (int)RAFT_BARRIER &&
		       (int)ORD_ENTRY_CHANGE == (int)RAFT_CHANGE,
	       "kinds of entries are libraft's types");

/* Differs for every node and group: libraft draws its election timeouts from it. */
static unsigned seed_of(const struct ord_group_env *env, uint32_t id)
{
	uint64_t parts[3] = {env->seed, env->node, id};
	return (unsigned)ord_hash64(parts, sizeof parts);
}

int ord_group_raft_init(struct ord_group *g)
{
	const struct ord_group_env *env = g->env;
	char text[ORD_MEMBER_TEXT_SIZE];
	ord_member_format(env->node, text);
	memset(&g->raft, 0, sizeof g->raft);
	if (raft_init(&g->raft, NULL, NULL, env->member != 0 ? env->member : env->node, text) != 0)
		return ORD_ERR_NOMEM;
	g->raft.tracer = NULL; /* the default one formats a text for every step, even when nobody reads it */
	raft_seed(&g->raft, seed_of(env, g->id));
	raft_set_pre_vote(&g->raft, true);
	raft_set_heartbeat_timeout(&g->raft, env->heartbeat_ms);
	raft_set_max_inflight_entries(&g->raft, INFLIGHT_ENTRIES_MAX);
	raft_set_install_snapshot_timeout(&g->raft,
					  env->election_timeout_ms); /* a word to the peer, no transfer: said again */
	g->timeout_ms = 0;
	return ORD_OK;
}

int ord_group_open(struct ord_group_env *env, uint32_t id, struct ord_group **ret)
{
	struct ord_group *g = calloc(1, sizeof *g);
	if (g == NULL)
		return ORD_ERR_NOMEM;
	g->env = env;
	g->id = id;
	g->told_role = ORD_ROLE_UNAVAILABLE;
	ord_bytes_init(&g->held, GROUP_HELD_BYTES_MAX);
	if (ord_group_raft_init(g) != ORD_OK) {
		free(g);
		return ORD_ERR_NOMEM;
	}
	*ret = g;
	return ORD_OK;
}

void ord_group_close(struct ord_group *g)
{
	if (g == NULL)
		return;
	raft_close(&g->raft, NULL);
	ord_entries_close(&g->entries);
	ord_bytes_close(&g->held);
	for (size_t i = 0; i < g->members_count; i++)
		ord_bytes_close(&g->members[i].payload);
	free(g->members);
	free(g);
}

int ord_group_write_vote(struct ord_group *g, uint64_t term, uint64_t vote)
{
	struct ord_record r = {.type = ORD_RECORD_VOTE, .group = g->id, .term = term, .index = vote};
	uint64_t place;
	int err = ord_wal_append(g->env->wal, &r, &place);
	if (err != ORD_OK)
		return err;
	ord_wal_hold(g->env->wal, place, ord_record_bytes(&r), ORD_WAL_USE_VOTE);
	if (g->vote_place != 0)
		ord_wal_let_go(g->env->wal, g->vote_place, ord_record_bytes(&r), ORD_WAL_USE_VOTE);
	g->vote_place = place;
	g->term = term;
	g->vote = vote;
	g->vote_sequence = ord_wal_sequence(g->env->wal);
	return ORD_OK;
}

int ord_group_load(const struct ord_group *g, struct ord_wal_reader *reader, uint64_t index, struct ord_wal_piece *ret)
{
	const struct ord_entry_ref *ref = ord_entries_get(&g->entries, index);
	struct ord_record r;
	ORD_ASSERT(ref != NULL);
	int err = ord_wal_read(reader, ref->place, ord_entry_record_bytes(ref), ret);
	if (err != ORD_OK || !ret->from_disk)
		return err;
	err = ord_record_decode(ret->bytes, &r);
	bool is_it = err == ORD_OK && r.type == ORD_RECORD_ENTRY && r.group == g->id && r.index == index &&
		     r.term == ref->term;
	return is_it ? ORD_OK : ORD_ERR_CORRUPT;
}

int ord_group_read(struct ord_group *g, struct ord_wal_reader *reader, uint64_t index, struct ord_slice *ret)
{
	struct ord_wal_piece piece;
	int err = ord_group_load(g, reader, index, &piece);
	uint64_t place = ord_entries_get(&g->entries, index)->place;
	if (err == ORD_ERR_CORRUPT && reader == g->env->send_reader && index <= g->applied) {
		ord_group_env_damaged(g->env, ord_place_segment(place), ord_place_offset(place),
				      "an entry cannot be read back");
		return err;
	}
	if (err != ORD_OK) {
		ord_group_env_fatal(g->env, err,
				    "cannot read entry %" PRIu64 " of partition %" PRIu32 " back from segment %" PRIu64
				    " of the write-ahead log at offset %" PRIu64
				    ": %s; check the disk and start the node again: where there are other nodes, it "
				    "sets the log aside and gets what it lacks from them",
				    index, g->id, ord_place_segment(place), ord_place_offset(place), ord_err_text(err));
		return err;
	}
	if (reader == g->env->send_reader)
		g->env->cold_bytes += piece.read_bytes;
	*ret = piece.bytes;
	return ORD_OK;
}

/* Remembers that entries up to the last one are durable when the batch is that the last record went to. When there is no room, the newest mark is
 * put off to the later batch, which is always safe. */
static void mark(struct ord_group *g)
{
	uint64_t sequence = ord_wal_sequence(g->env->wal);
	bool is_newer = g->marks_count == 0 || g->marks[g->marks_count - 1].sequence != sequence;
	if (is_newer && g->marks_count < GROUP_MARKS)
		g->marks_count++;
	g->marks[g->marks_count - 1] = (struct group_mark){.sequence = sequence, .index = g->entries.last};
}

/* Entries from index on are void: what is still to become durable of them must not be counted when it does. */
static void truncate(struct ord_group *g, uint64_t index)
{
	ord_trace("group truncates", g->id, index);
	ORD_ASSERT(index > g->released);
	ord_group_let_go(g, index, g->entries.last);
	ord_entries_truncate(&g->entries, index);
	for (uint32_t i = 0; i < g->marks_count; i++)
		if (g->marks[i].index >= index)
			g->marks[i].index = index - 1;
	if (g->durable >= index)
		g->durable = index - 1;
}

static int write_entry(struct ord_group *g, const struct raft_entry *e, uint64_t index, bool is_encoded)
{
	struct ord_wal *wal = g->env->wal;
	struct ord_entry_ref ref = {.term = e->term, .payload_bytes = (uint32_t)e->buf.len, .kind = (uint32_t)e->type};
	int err;
	if (is_encoded) {
		const uint8_t *record = (const uint8_t *)e->buf.base - ORD_RECORD_HEADER_BYTES;
		err = ord_wal_append_encoded(wal, ord_slice_of(record, ORD_RECORD_HEADER_BYTES + e->buf.len), g->id,
					     &ref.place);
	} else {
		struct ord_record r = {.type = ORD_RECORD_ENTRY,
				       .kind = (enum ord_entry_kind)e->type,
				       .group = g->id,
				       .term = e->term,
				       .index = index,
				       .payload = ord_slice_of(e->buf.base, e->buf.len)};
		err = ord_wal_append(wal, &r, &ref.place);
	}
	if (err == ORD_OK)
		err = ord_entries_append(&g->entries, &ref);
	if (err == ORD_OK)
		ord_wal_hold(wal, ref.place, ord_entry_record_bytes(&ref), ORD_WAL_USE_ENTRY);
	return err;
}

static void write_entries(struct ord_group *g, const struct raft_update *u, enum group_source source)
{
	bool is_barrier = u->entries.batch == &g->raft.barrier;
	uint64_t index = u->entries.index;
	if (index <= g->applied) {
		ord_group_env_fatal(g->env, ORD_ERR_CORRUPT,
				    "entry %" PRIu64 " of partition %" PRIu32
				    " was applied and is now to be replaced: the nodes do not agree; stop the cluster "
				    "and compare the data directories",
				    index, g->id);
		return;
	}
	/* What voids them has its room before they are let go. */
	if (ord_wal_reserve(g->env->wal, u->entries.batch[0].buf.len) != ORD_OK) {
		ord_group_env_fatal(g->env, ORD_ERR_NOMEM, "out of memory in the write-ahead log");
		return;
	}
	if (index <= g->entries.last)
		truncate(g, index);
	ORD_ASSERT(index == g->entries.last + 1);
	for (unsigned i = 0; i < u->entries.n; i++) {
		bool is_encoded = source == GROUP_SOURCE_MESSAGE && !is_barrier;
		if (write_entry(g, &u->entries.batch[i], index + i, is_encoded) != ORD_OK) {
			ord_group_env_fatal(g->env, ORD_ERR_NOMEM, "out of memory in the write-ahead log");
			return;
		}
	}
	ord_group_base_followed(g);
	mark(g);
	if (is_barrier)
		raft_free(u->entries.batch->batch);
}

static void change_state(struct ord_group *g)
{
	g->handover = HANDOVER_NONE;
	ord_trace("group state", g->id, (uint64_t)raft_state(&g->raft));
	if (raft_state(&g->raft) != RAFT_LEADER)
		return;
	g->ready_index = raft_last_index(&g->raft);
	g->leader_seen = true;
	g->fruitless = 0;
	ord_group_streams_reset(g);
}

static void write_vote_if_changed(struct ord_group *g)
{
	uint64_t term = raft_current_term(&g->raft);
	uint64_t vote = raft_voted_for(&g->raft);
	if (term == g->term && vote == g->vote)
		return;
	if (ord_group_write_vote(g, term, vote) != ORD_OK)
		ord_group_env_fatal(g->env, ORD_ERR_NOMEM, "out of memory in the write-ahead log");
}

int ord_group_step(struct ord_group *g, struct raft_event *event, enum group_source source, unsigned *ret_flags)
{
	struct raft_update u = {0};
	event->time = g->env->now_ms;
	event->capacity = 0;
	int rv = raft_step(&g->raft, event, &u);
	if (rv != 0)
		return rv;
	if (ret_flags != NULL)
		*ret_flags = u.flags;
	if ((u.flags & (RAFT_UPDATE_CURRENT_TERM | RAFT_UPDATE_VOTED_FOR)) != 0)
		write_vote_if_changed(g);
	if ((u.flags & (RAFT_UPDATE_ENTRIES)) != 0)
		write_entries(g, &u, source);
	if ((u.flags & (RAFT_UPDATE_SNAPSHOT)) != 0)
		ord_group_env_fatal(g->env, ORD_ERR_FORMAT, "libraft wants to install a snapshot, which nobody sent");
	if (g->env->dead)
		return 0;
	if ((u.flags & (RAFT_UPDATE_STATE)) != 0)
		change_state(g);
	if ((u.flags & (RAFT_UPDATE_MESSAGES)) != 0)
		ord_group_send_messages(g, &u);
	if ((u.flags & (RAFT_UPDATE_COMMIT_INDEX)) != 0)
		ord_group_enqueue(g, ORD_GROUP_QUEUE_APPLY);
	ord_group_timers_tune(g);
	ord_group_tell_role(g);
	return 0;
}

void ord_group_failed(struct ord_group *g, const char *doing, int rv)
{
	int err = rv == RAFT_NOMEM ? ORD_ERR_NOMEM : ORD_ERR_CORRUPT;
	ord_group_env_fatal(g->env, err,
			    "partition %" PRIu32
			    " cannot go on after %s: libraft says \"%s\"; if this comes again after a "
			    "restart, its data on this node contradict the other nodes'",
			    g->id, doing, raft_strerror(rv));
}

static void persisted(struct ord_group *g, uint64_t index)
{
	struct raft_event event = {.type = RAFT_PERSISTED_ENTRIES, .persisted_entries = {.index = index}};
	ORD_ASSERT(index <= g->entries.last);
	ORD_ASSERT(raft_state(&g->raft) != RAFT_CANDIDATE);
	g->durable = index;
	int rv = ord_group_step(g, &event, GROUP_SOURCE_NONE, NULL);
	if (rv != 0)
		ord_group_failed(g, "a write", rv);
}

void ord_group_synced(struct ord_group *g)
{
	uint64_t sequence = ord_wal_durable(g->env->wal);
	uint64_t index = 0;
	uint32_t done = 0;
	if (g->life == GROUP_WRITING) {
		char why[256];
		int err = ord_group_holds_back(g) ? ORD_OK : ord_group_start(g, why, sizeof why);
		if (err != ORD_OK)
			ord_group_env_fatal(g->env, err, "%s", why);
	}
	if (g->life != GROUP_STARTED || g->env->dead)
		return;
	if (!ord_group_holds_back(g)) {
		ord_group_release_held(g);
		ord_group_timers_votes_asked(g);
		ord_group_enqueue(g, ORD_GROUP_QUEUE_SEND);
	}
	while (done < g->marks_count && g->marks[done].sequence <= sequence)
		index = g->marks[done++].index;
	g->marks_count -= done;
	memmove(g->marks, g->marks + done, g->marks_count * sizeof g->marks[0]);
	if (index > g->durable)
		persisted(g, index);
}

void ord_group_tell_role(struct ord_group *g)
{
	struct ord_group_env *env = g->env;
	enum ord_role role = ORD_ROLE_FOLLOWER;
	uint64_t term = raft_current_term(&g->raft);
	uint32_t leader = 0;
	if (raft_state(&g->raft) == RAFT_FOLLOWER)
		leader = g->leader_term == term ? ORD_MEMBER_NODE(g->leader) : 0;
	else
		g->leader = 0;
	if (raft_state(&g->raft) == RAFT_CANDIDATE)
		role = ORD_ROLE_CANDIDATE;
	if (raft_state(&g->raft) == RAFT_LEADER) {
		bool was_told = g->told_role == ORD_ROLE_LEADER && g->told_term == term;
		bool is_ready = was_told || (!g->apply_held && g->applied >= g->ready_index);
		role = is_ready ? ORD_ROLE_LEADER : ORD_ROLE_CANDIDATE;
		leader = is_ready ? env->node : 0;
	}
	if (role == g->told_role && term == g->told_term && leader == g->told_leader)
		return;
	g->told_role = role;
	g->told_term = term;
	g->told_leader = leader;
	env->events.role(env->events.ctx, g->id, role, term, leader);
}

void ord_group_status(const struct ord_group *g, struct ord_group_status *ret)
{
	uint64_t commit = raft_commit_index(&g->raft);
	*ret = (struct ord_group_status){.role = g->told_role,
					 .term = g->term,
					 .vote = g->vote,
					 .leader = g->told_leader,
					 .base_index = g->entries.base,
					 .last_index = g->entries.last,
					 .last_term = ord_entries_term(&g->entries, g->entries.last),
					 .commit_index = commit > g->applied ? commit : g->applied,
					 .applied_index = g->applied,
					 .durable_index = g->durable};
}

uint32_t ord_group_id(const struct ord_group *g)
{
	return g->id;
}

uint32_t ord_group_preferred(const struct ord_group *g)
{
	/* The groups of one host, which work on one thread, are spread over all nodes; so are those of all hosts. */
	uint32_t step = g->env->groups_step;
	return g->env->nodes[(g->id / step + g->id % step) % g->env->nodes_count];
}
