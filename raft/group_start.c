/* SPDX-License-Identifier: Apache-2.0 - how a group begins: from what the log says, or with its first configuration. */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "raft/group_state.h"
#include "raft/members.h"

static int recover_vote(struct ord_group *g, const struct ord_record *r, char *why, size_t why_size)
{
	if (r->term < g->term) {
		snprintf(why, why_size, "the term of group %" PRIu32 " goes back", g->id);
		return ORD_ERR_CORRUPT;
	}
	g->term = r->term;
	g->vote = r->index;
	return ORD_OK;
}

static int recover_members(const struct ord_group *g, const struct ord_record *r, char *why, size_t why_size)
{
	const struct ord_group_env *env = g->env;
	if (r->index == GROUP_FIRST_INDEX) {
		if (r->kind == ORD_ENTRY_CHANGE && ord_slice_equal(r->payload, ord_bytes_slice(&env->members)))
			return ORD_OK;
		snprintf(why, why_size,
			 "the write-ahead log was made for a cluster of other nodes than the configuration names; "
			 "put the list of nodes back");
		return ORD_ERR_MISMATCH;
	}
	if (r->kind != ORD_ENTRY_CHANGE || ord_members_valid(r->payload, env->nodes, env->nodes_count))
		return ORD_OK;
	snprintf(why, why_size, "entry %" PRIu64 " of group %" PRIu32 " names members that cannot be", r->index, g->id);
	return ORD_ERR_CORRUPT;
}

static int recover_entry(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	struct ord_entry_ref ref = {
		.place = place, .term = r->term, .payload_bytes = (uint32_t)r->payload.len, .kind = (uint32_t)r->kind};
	if (r->index > g->entries.last + 1) {
		snprintf(why, why_size, "entry %" PRIu64 " of group %" PRIu32 " comes after entry %" PRIu64, r->index,
			 g->id, g->entries.last);
		return ORD_ERR_CORRUPT;
	}
	if (r->term < ord_entries_term(&g->entries, r->index - 1) || r->term > g->term) {
		snprintf(why, why_size, "entry %" PRIu64 " of group %" PRIu32 " has term %" PRIu64, r->index, g->id,
			 r->term);
		return ORD_ERR_CORRUPT;
	}
	int err = recover_members(g, r, why, why_size);
	if (err != ORD_OK)
		return err;
	ord_entries_truncate(&g->entries, r->index);
	err = ord_entries_append(&g->entries, &ref);
	if (err != ORD_OK)
		snprintf(why, why_size, "out of memory while reading the write-ahead log");
	return err;
}

int ord_group_recover(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	return r->type == ORD_RECORD_VOTE ? recover_vote(g, r, why, why_size)
					  : recover_entry(g, r, place, why, why_size);
}

bool ord_group_is_blank(const struct ord_group *g)
{
	return g->entries.last == 0;
}

int ord_group_bootstrap(struct ord_group *g)
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
	g->vote_sequence = ord_wal_sequence(g->env->wal);
	return err;
}

/* Copies the payloads of all changes of members into one buffer: libraft decodes them at the start. */
static int load_changes(struct ord_group *g, struct raft_entry *entries, struct ord_bytes *payloads)
{
	for (uint64_t i = 1; i <= g->entries.last; i++) {
		struct ord_slice record;
		if (entries[i - 1].type != RAFT_CHANGE)
			continue;
		if (ord_group_read(g, g->env->apply_reader, i, &record) != ORD_OK)
			return ORD_ERR_IO;
		entries[i - 1].buf.len = record.len - ORD_RECORD_HEADER_BYTES;
		ord_bytes_put(payloads, (const uint8_t *)record.base + ORD_RECORD_HEADER_BYTES, entries[i - 1].buf.len);
	}
	if (payloads->failed)
		return ORD_ERR_NOMEM;
	size_t offset = 0;
	for (uint64_t i = 0; i < g->entries.last; i++) {
		if (entries[i].type != RAFT_CHANGE)
			continue;
		entries[i].buf.base = payloads->base + offset;
		offset += entries[i].buf.len;
	}
	return ORD_OK;
}

/* Makes the RAFT_START step. raft frees entries and their batch when it fails, and only then. */
static int start_with(struct ord_group *g, struct raft_entry *entries, void *batch)
{
	struct raft_event event = {.type = RAFT_START,
				   .start = {.term = g->term,
					     .voted_for = g->vote,
					     .start_index = GROUP_FIRST_INDEX,
					     .entries = entries,
					     .n_entries = (unsigned)g->entries.last}};
	g->durable = g->entries.last;
	g->started = true;
	int rv = ord_group_step(g, &event, GROUP_SOURCE_NONE, NULL);
	if (rv != 0)
		return rv == RAFT_NOMEM ? ORD_ERR_NOMEM : ORD_ERR_CORRUPT;
	raft_free(entries);
	raft_free(batch);
	return ORD_OK;
}

int ord_group_start(struct ord_group *g, char *why, size_t why_size)
{
	struct ord_bytes payloads;
	size_t count = (size_t)g->entries.last;
	int err = ORD_ERR_NOMEM;
	ORD_ASSERT(!g->started);
	ORD_ASSERT(count >= 1);
	ord_bytes_init(&payloads, SIZE_MAX / 2);
	struct raft_entry *entries = raft_malloc(count * sizeof *entries);
	void *batch = raft_malloc(1);
	if (entries == NULL || batch == NULL)
		goto fail;
	for (size_t i = 0; i < count; i++) {
		const struct ord_entry_ref *ref = ord_entries_get(&g->entries, i + 1);
		entries[i] =
			(struct raft_entry){.term = ref->term, .type = (enum raft_entry_type)ref->kind, .batch = batch};
	}
	err = load_changes(g, entries, &payloads);
	if (err != ORD_OK)
		goto fail;
	ord_group_timers_tune(g);
	err = start_with(g, entries, batch);
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
