/* SPDX-License-Identifier: Apache-2.0 - how a group begins to take part: with what was recovered, or with its first configuration. */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "raft/group_state.h"
#include "raft/members.h"

/* Writes the first entry. */
static int bootstrap(struct ord_group *g)
{
	struct ord_record r = {.type = ORD_RECORD_ENTRY,
			       .kind = ORD_ENTRY_CHANGE,
			       .group = g->id,
			       .term = GROUP_FIRST_TERM,
			       .index = GROUP_FIRST_INDEX,
			       .payload = ord_bytes_slice(&g->env->members)};
	struct ord_entry_ref ref = {.term = r.term, .payload_bytes = (uint32_t)r.payload.len, .kind = (uint32_t)r.kind};
	int err = ord_group_write_vote(g, GROUP_FIRST_TERM, 0);
	if (err == ORD_OK)
		err = ord_wal_append(g->env->wal, &r, &ref.place);
	if (err == ORD_OK)
		err = ord_entries_append(&g->entries, &ref);
	if (err == ORD_OK)
		ord_wal_hold(g->env->wal, ref.place, ord_entry_record_bytes(&ref), ORD_WAL_USE_ENTRY);
	g->vote_sequence = ord_wal_sequence(g->env->wal);
	g->life = GROUP_WRITING;
	return err;
}

int ord_group_begin(struct ord_group *g, char *why, size_t why_size)
{
	const struct ord_group_env *env = g->env;
	bool is_blank = g->entries.last == 0;
	ORD_ASSERT(g->life == GROUP_OPENED);
	if (is_blank && env->member == 0)
		return ORD_OK;
	if (g->lost) {
		g->life = GROUP_LOST;
		return ORD_OK;
	}
	if (!is_blank || env->member != env->node)
		return ord_group_start(g, why, why_size);
	snprintf(why, why_size, "out of memory");
	return bootstrap(g);
}

/* The instance of libraft that the group was opened with does not know who it is, and that which it had before it installed a state is of no use any more. */
static int raft_renew(struct ord_group *g)
{
	raft_close(&g->raft, NULL);
	return ord_group_raft_init(g);
}

/* Copies the payloads of all changes of members into one buffer: libraft decodes them at the start. entries are those after the base. */
static int load_changes(struct ord_group *g, struct raft_entry *entries, size_t count, struct ord_bytes *payloads)
{
	for (size_t i = 0; i < count; i++) {
		struct ord_slice record;
		if (entries[i].type != RAFT_CHANGE)
			continue;
		if (ord_group_read(g, g->env->apply_reader, g->entries.base + 1 + i, &record) != ORD_OK)
			return ORD_ERR_IO;
		entries[i].buf.len = record.len - ORD_RECORD_HEADER_BYTES;
		ord_bytes_put(payloads, (const uint8_t *)record.base + ORD_RECORD_HEADER_BYTES, entries[i].buf.len);
	}
	if (payloads->failed)
		return ORD_ERR_NOMEM;
	size_t offset = 0;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].type != RAFT_CHANGE)
			continue;
		entries[i].buf.base = payloads->base + offset;
		offset += entries[i].buf.len;
	}
	return ORD_OK;
}

/* Makes the RAFT_START step. raft frees entries and their batch when it fails, and only then; it keeps the members of the snapshot. */
static int start_with(struct ord_group *g, struct raft_entry *entries, size_t count, void *batch)
{
	struct raft_snapshot_metadata snapshot = {.index = g->entries.base, .term = g->entries.base_term};
	struct raft_event event = {.type = RAFT_START,
				   .start = {.term = g->term,
					     .voted_for = g->vote,
					     .start_index = g->entries.base + 1,
					     .entries = entries,
					     .n_entries = (unsigned)count}};
	if (g->entries.base > 0) {
		if (ord_group_members_decode(&g->members[0], &snapshot) != ORD_OK) {
			raft_free(entries);
			raft_free(batch);
			return ORD_ERR_NOMEM;
		}
		event.start.metadata = &snapshot;
	}
	g->durable = g->entries.last;
	g->applied = g->entries.base;
	g->released = g->entries.base;
	g->life = GROUP_STARTED;
	int rv = ord_group_step(g, &event, GROUP_SOURCE_NONE, NULL);
	if (rv != 0)
		return rv == RAFT_NOMEM ? ORD_ERR_NOMEM : ORD_ERR_CORRUPT;
	raft_free(entries);
	raft_free(batch);
	return ORD_OK;
}

/* Asks for room for one entry at least: there may be none after a base. */
static struct raft_entry *start_entries(const struct ord_group *g, size_t count, void *batch)
{
	struct raft_entry *entries = raft_malloc((count > 0 ? count : 1) * sizeof *entries);
	for (size_t i = 0; entries != NULL && i < count; i++) {
		const struct ord_entry_ref *ref = ord_entries_get(&g->entries, g->entries.base + 1 + i);
		entries[i] =
			(struct raft_entry){.term = ref->term, .type = (enum raft_entry_type)ref->kind, .batch = batch};
	}
	return entries;
}

int ord_group_start(struct ord_group *g, char *why, size_t why_size)
{
	struct ord_bytes payloads;
	size_t count = (size_t)(g->entries.last - g->entries.base);
	int err = ORD_ERR_NOMEM;
	ORD_ASSERT(g->life != GROUP_STARTED);
	ord_bytes_init(&payloads, SIZE_MAX / 2);
	void *batch = raft_malloc(1);
	struct raft_entry *entries = start_entries(g, count, batch);
	if (entries == NULL || batch == NULL)
		goto fail;
	err = raft_renew(g);
	if (err == ORD_OK)
		err = load_changes(g, entries, count, &payloads);
	if (err != ORD_OK)
		goto fail;
	ord_group_timers_tune(g);
	err = start_with(g, entries, count, batch);
	entries = NULL;
	batch = NULL;
	if (err != ORD_OK)
		goto fail;
	ord_bytes_close(&payloads);
	return ORD_OK;
fail:
	snprintf(why, why_size, "partition %" PRIu32 " cannot start from the write-ahead log: %s", g->id,
		 ord_err_text(err));
	ord_bytes_close(&payloads);
	raft_free(entries);
	raft_free(batch);
	return err;
}
