/* SPDX-License-Identifier: Apache-2.0 - where the log of a group begins: the base that it starts with, and what leaves the log behind it. */

/* 1 .. base: not in the log; base + 1 .. released: elsewhere too, kept for followers that lag (trailing); released + 1 .. last: in the log alone.
 *
 * libraft's snapshot is always at the base, and it keeps nothing before it. So a follower that needs an entry up to the base is told to install a snapshot, and the base can
 * be moved up to released at any time. It must never pass what is durable: libraft is still to be told of that.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "raft/group_state.h"
#include "raft/members.h"

#define TRAILING_ENTRIES_MAX 65536 /* 24 bytes of memory each */

static bool base_makes_sense(const struct ord_group *g, const struct ord_base *base)
{
	const struct ord_group_env *env = g->env;
	return base->index <= ORD_RAFT_NUMBER_MAX && base->term >= GROUP_FIRST_TERM &&
	       base->term <= base->current_term && base->current_term <= ORD_RAFT_NUMBER_MAX &&
	       base->members_index >= 1 && base->members_index <= base->index &&
	       ord_members_valid(base->members, env->nodes, env->nodes_count);
}

int ord_group_check_base(const struct ord_group *g, const struct ord_base *base, char *why, size_t why_size)
{
	bool is_first = base->members_index == GROUP_FIRST_INDEX;
	if (is_first && !ord_slice_equal(base->members, ord_bytes_slice(&g->env->members))) {
		snprintf(
			why, why_size,
			"the state of partition %" PRIu32
			" is that of a cluster of other nodes than the configuration names; put the list of nodes back",
			g->id);
		return ORD_ERR_MISMATCH;
	}
	if (!base_makes_sense(g, base)) {
		snprintf(why, why_size,
			 "partition %" PRIu32 ": its state names a position in the log that cannot be: index %" PRIu64
			 ", term %" PRIu64 ", members of index %" PRIu64
			 "; restore the data directory from a backup of this node",
			 g->id, base->index, base->term, base->members_index);
		return ORD_ERR_CORRUPT;
	}
	return ORD_OK;
}

int ord_group_set_base(struct ord_group *g, const struct ord_base *base, char *why, size_t why_size)
{
	g->lost = base->lost;
	if (base->index == 0 || base->lost)
		return ORD_OK;
	int err = ord_group_check_base(g, base, why, why_size);
	if (err != ORD_OK)
		return err;
	g->base_current_term = base->current_term;
	ord_entries_begin(&g->entries, base->index, base->term);
	if (ord_group_keep_members(g, base->members_index, base->members) == ORD_OK)
		return ORD_OK;
	snprintf(why, why_size, "out of memory");
	return ORD_ERR_NOMEM;
}

void ord_group_base(const struct ord_group *g, uint64_t index, struct ord_base *ret)
{
	ORD_ASSERT(index >= g->entries.base);
	ORD_ASSERT(index <= g->applied);
	*ret = (struct ord_base){0};
	if (index == 0)
		return;
	const struct group_members *m = ord_group_members_at(g, index);
	*ret = (struct ord_base){.index = index,
				 .term = ord_entries_term(&g->entries, index),
				 .current_term = g->term,
				 .members_index = m->index,
				 .members = ord_bytes_slice(&m->payload)};
}

void ord_group_let_go(struct ord_group *g, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++) {
		const struct ord_entry_ref *ref = ord_entries_get(&g->entries, i);
		enum ord_wal_use use = i <= g->released ? ORD_WAL_USE_TRAILING : ORD_WAL_USE_ENTRY;
		ord_wal_let_go(g->env->wal, ref->place, ord_entry_record_bytes(ref), use);
	}
}

/* Tells libraft. It wants the members that are committed now, so that none may have been committed after the new base. */
static int take_snapshot(struct ord_group *g, uint64_t index)
{
	struct raft_event event = {.type = RAFT_SNAPSHOT, .snapshot = {.trailing = 0}};
	struct raft_snapshot_metadata *m = &event.snapshot.metadata;
	m->index = index;
	m->term = ord_entries_term(&g->entries, index);
	if (ord_group_members_decode(&g->members[g->members_count - 1], m) != ORD_OK)
		return RAFT_NOMEM;
	return ord_group_step(g, &event, GROUP_SOURCE_NONE, NULL);
}

void ord_group_trim(struct ord_group *g, uint64_t index)
{
	ORD_ASSERT(index <= g->released);
	if (index <= g->entries.base || g->members[g->members_count - 1].index > index)
		return;
	int rv = take_snapshot(g, index);
	if (rv != 0) {
		ord_group_failed(g, "forgetting what is safe elsewhere", rv);
		return;
	}
	if (index == g->entries.last &&
	    ord_group_write_base(g, index, ord_entries_term(&g->entries, index)) != ORD_OK) {
		ord_group_env_fatal(g->env, ORD_ERR_NOMEM, "out of memory in the write-ahead log");
		return;
	}
	ord_trace("group trims", g->id, index);
	ord_group_streams_trim(g, index);
	for (uint64_t i = g->entries.base + 1; i <= index; i++)
		g->trailing_bytes -= ord_entry_record_bytes(ord_entries_get(&g->entries, i));
	ord_group_let_go(g, g->entries.base + 1, index);
	ord_entries_drop(&g->entries, index);
	ord_group_members_trim(g);
}

int ord_group_write_base(struct ord_group *g, uint64_t index, uint64_t term)
{
	struct ord_record r = {.type = ORD_RECORD_BASE, .group = g->id, .term = term, .index = index};
	uint64_t place;
	int err = ord_wal_append(g->env->wal, &r, &place);
	if (err != ORD_OK)
		return err;
	ord_wal_hold(g->env->wal, place, ord_record_bytes(&r), ORD_WAL_USE_VOTE);
	ord_group_base_followed(g);
	g->base_place = place;
	return ORD_OK;
}

void ord_group_base_followed(struct ord_group *g)
{
	if (g->base_place != 0)
		ord_wal_let_go(g->env->wal, g->base_place, ORD_RECORD_HEADER_BYTES, ORD_WAL_USE_VOTE);
	g->base_place = 0;
}

int ord_group_take_base(struct ord_group *g, const struct ord_base *base)
{
	int err = ord_group_keep_members(g, base->members_index, base->members);
	if (err == ORD_OK && base->current_term > g->term)
		err = ord_group_write_vote(g, base->current_term, 0);
	if (err == ORD_OK)
		err = ord_wal_reserve(g->env->wal, 0);
	if (err != ORD_OK)
		ord_group_env_fatal(g->env, err, "out of memory in the write-ahead log");
	return err;
}

/* Drops the log: it goes on after the base, and the group takes part again when that is durable. What was in it may have been acknowledged, but up to the base it
 * is in the state, and what came after contradicts what was committed. So libraft needs to know nothing but what a start would tell it, and a start with that
 * base is what it gets (ord_group_synced): no more states than there are already, and none in which it must not be spoken to. */
static int begin_again(struct ord_group *g, const struct ord_base *base)
{
	size_t before = g->members_count;
	int err = ord_group_take_base(g, base);
	if (err != ORD_OK)
		return err;
	ord_trace("group installs", g->id, base->index);
	ord_group_let_go(g, g->entries.base + 1, g->entries.last);
	ord_entries_begin(&g->entries, base->index, base->term);
	err = ord_group_write_base(g, base->index, base->term);
	ORD_ASSERT(err == ORD_OK);
	for (size_t i = 0; i < before; i++)
		ord_bytes_close(&g->members[i].payload);
	g->members[0] = g->members[before];
	g->members_count = 1;
	g->trailing_bytes = 0;
	g->released = base->index;
	g->applied = base->index;
	g->durable = base->index;
	g->marks_count = 0;
	g->vote_sequence = ord_wal_sequence(g->env->wal);
	g->life = GROUP_WRITING;
	return ORD_OK;
}

int ord_group_install(struct ord_group *g, const struct ord_base *base)
{
	char why[256];
	const struct ord_entry_ref *own = ord_entries_get(&g->entries, base->index);
	if (g->life == GROUP_LOST)
		return ord_group_lost_install(g, base);
	if (g->life != GROUP_STARTED || raft_state(&g->raft) == RAFT_LEADER)
		return ORD_ERR_BUSY;
	if (base->index <= g->applied || (own != NULL && own->term == base->term))
		return ORD_ERR_INVALID;
	int err = ord_group_check_base(g, base, why, sizeof why);
	return err == ORD_OK ? begin_again(g, base) : err;
}

static void mark_released(struct ord_group *g, uint64_t index)
{
	for (uint64_t i = g->released + 1; i <= index; i++) {
		const struct ord_entry_ref *ref = ord_entries_get(&g->entries, i);
		size_t bytes = ord_entry_record_bytes(ref);
		ord_wal_hold(g->env->wal, ref->place, bytes, ORD_WAL_USE_TRAILING);
		ord_wal_let_go(g->env->wal, ref->place, bytes, ORD_WAL_USE_ENTRY);
		g->trailing_bytes += bytes;
	}
	g->released = index;
}

void ord_group_release(struct ord_group *g, uint64_t index)
{
	ORD_ASSERT(index <= g->applied);
	if (g->life != GROUP_STARTED)
		return;
	if (index > g->durable)
		index = g->durable;
	if (index <= g->released)
		return;
	mark_released(g, index);
	uint64_t base = g->entries.base;
	uint64_t bytes = g->trailing_bytes;
	while (base < index && (bytes > g->env->trailing_bytes || index - base > TRAILING_ENTRIES_MAX))
		bytes -= ord_entry_record_bytes(ord_entries_get(&g->entries, ++base));
	ord_group_trim(g, base);
}
