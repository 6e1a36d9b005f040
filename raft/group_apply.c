/* SPDX-License-Identifier: Apache-2.0 - committed entries to the owner, and committed members to libraft. */
#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "raft/group_state.h"

/* Of one group at a time, so that others get their turn. */
#define APPLY_ENTRIES 64
#define APPLY_BYTES (256u << 10)

/* Also the members are changed once, although an entry may be applied again, after ord_group_rewind(). */
static void apply_change(struct ord_group *g, uint64_t index, struct ord_slice payload)
{
	if (g->members_count > 0 && index <= g->members[g->members_count - 1].index)
		return;
	if (ord_group_keep_members(g, index, payload) == ORD_OK)
		ord_group_members_committed(g, index, payload);
	else
		ord_group_failed(g, "a change of members", RAFT_NOMEM);
}

/* Applies the next entry. Returns what it weighs. */
static size_t apply_next(struct ord_group *g)
{
	struct ord_group_env *env = g->env;
	uint64_t index = g->applied + 1;
	const struct ord_entry_ref ref = *ord_entries_get(&g->entries, index);
	struct ord_slice record = {0};
	if (ref.kind != ORD_ENTRY_BARRIER && ord_group_read(g, env->apply_reader, index, &record) != ORD_OK)
		return 0;
	g->applied = index;
	if (ref.kind == ORD_ENTRY_BARRIER)
		return ORD_RECORD_HEADER_BYTES;
	struct ord_slice payload = ord_record_payload(record);
	if (ref.kind == ORD_ENTRY_CHANGE)
		apply_change(g, index, payload);
	else
		env->events.apply(env->events.ctx, g->id, index, ref.term, payload);
	return record.len;
}

void ord_group_apply(struct ord_group *g)
{
	struct ord_group_env *env = g->env;
	uint32_t count = 0;
	size_t bytes = 0;
	while (!env->dead && !g->apply_held && g->applied < raft_commit_index(&g->raft) &&
	       g->applied < g->entries.last) {
		if (count == APPLY_ENTRIES || bytes >= APPLY_BYTES) {
			ord_group_enqueue(g, ORD_GROUP_QUEUE_APPLY);
			break;
		}
		bytes += apply_next(g);
		count++;
	}
	env->applied_count += count;
	env->applied_bytes += bytes;
	if (!env->dead)
		ord_group_tell_role(g);
}

void ord_group_hold(struct ord_group *g, bool held)
{
	g->apply_held = held;
	if (!held && g->life == GROUP_STARTED)
		ord_group_enqueue(g, ORD_GROUP_QUEUE_APPLY);
}

/* Entries after index are nowhere else any more. */
static void take_back(struct ord_group *g, uint64_t index)
{
	for (uint64_t i = index + 1; i <= g->released; i++) {
		const struct ord_entry_ref *ref = ord_entries_get(&g->entries, i);
		size_t bytes = ord_entry_record_bytes(ref);
		ord_wal_hold(g->env->wal, ref->place, bytes, ORD_WAL_USE_ENTRY);
		ord_wal_let_go(g->env->wal, ref->place, bytes, ORD_WAL_USE_TRAILING);
		g->trailing_bytes -= bytes;
	}
	if (g->released > index)
		g->released = index;
}

/* What is passed over may change the members. */
static int pass_over(struct ord_group *g, uint64_t index)
{
	while (g->applied < index) {
		struct ord_slice record;
		uint64_t i = g->applied + 1;
		if (ord_entries_get(&g->entries, i)->kind == ORD_ENTRY_CHANGE) {
			int err = ord_group_read(g, g->env->apply_reader, i, &record);
			if (err != ORD_OK)
				return err;
			apply_change(g, i, ord_record_payload(record));
			if (g->env->dead)
				return ORD_ERR_NOMEM;
		}
		g->applied = i;
	}
	return ORD_OK;
}

int ord_group_rewind(struct ord_group *g, uint64_t index)
{
	if (g->life != GROUP_STARTED)
		return ORD_ERR_BUSY;
	if (index < g->entries.base)
		return ORD_ERR_NOT_FOUND;
	if (index > g->applied && (index > raft_commit_index(&g->raft) || index > g->entries.last))
		return ORD_ERR_INVALID;
	ord_trace("group rewinds", g->id, index);
	take_back(g, index);
	if (index > g->applied)
		return pass_over(g, index);
	g->applied = index;
	ord_group_enqueue(g, ORD_GROUP_QUEUE_APPLY);
	return ORD_OK;
}
