/* SPDX-License-Identifier: Apache-2.0 - what a group does so that the oldest segment of the write-ahead log can go (raft/host_tidy.c). */
#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "raft/group_state.h"
#include "raft/segment.h"

#define LOOKED_AT_MAX 8192 /* entries in one call: 24 bytes each are looked at */

static bool is_in(const struct ord_entry_ref *ref, uint64_t segment)
{
	return ord_place_segment(ref->place) == segment;
}

void ord_group_trim_segment(struct ord_group *g, uint64_t segment)
{
	if (g->life != GROUP_STARTED)
		return;
	uint64_t index = g->released;
	while (index > g->entries.base && !is_in(ord_entries_get(&g->entries, index), segment))
		index--;
	ord_group_trim(g, index);
}

/* What waits for the vote to be durable does not wait for its copy. The base record is all that tells how far the log went as long as no entry follows it. */
void ord_group_copy_vote(struct ord_group *g, uint64_t segment)
{
	uint64_t sequence = g->vote_sequence;
	int err = ORD_OK;
	if (g->vote_place != 0 && (segment == 0 || ord_place_segment(g->vote_place) == segment))
		err = ord_group_write_vote(g, g->term, g->vote);
	if (err == ORD_OK && g->base_place != 0 && ord_place_segment(g->base_place) == segment)
		err = ord_group_write_base(g, g->entries.base, g->entries.base_term);
	if (err != ORD_OK)
		ord_group_env_fatal(g->env, ORD_ERR_NOMEM, "out of memory in the write-ahead log");
	g->vote_sequence = sequence;
}

static const struct group_members *members_of_entry(const struct ord_group *g, uint64_t index)
{
	for (size_t i = 0; i < g->members_count; i++)
		if (g->members[i].index == index)
			return &g->members[i];
	return NULL;
}

/* The payload of an entry that cannot be read any more: the owner has what was applied not long ago; a barrier is zeros. False: it is not to be had. */
static bool recall_payload(const struct ord_group *g, const struct ord_entry_ref *ref, uint64_t index,
			   struct ord_slice *ret)
{
	static const uint8_t barrier[8];
	const struct ord_host_events *events = &g->env->events;
	const struct group_members *members;
	switch (ref->kind) {
	case ORD_ENTRY_BARRIER:
		*ret = ord_slice_of(barrier, sizeof barrier);
		break;
	case ORD_ENTRY_CHANGE:
		members = members_of_entry(g, index);
		*ret = members != NULL ? ord_bytes_slice(&members->payload) : ord_slice_of(NULL, 0);
		break;
	default:
		if (events->recall == NULL || !events->recall(events->ctx, g->id, index, ref->term, ret))
			return false;
	}
	return ret->len == ref->payload_bytes;
}

/* The record of such an entry, as it was; made in room. */
static bool recall(const struct ord_group *g, uint64_t index, struct ord_bytes *room, struct ord_slice *ret)
{
	const struct ord_entry_ref *ref = ord_entries_get(&g->entries, index);
	struct ord_record r = {
		.type = ORD_RECORD_ENTRY, .kind = ref->kind, .group = g->id, .term = ref->term, .index = index};
	if (!recall_payload(g, ref, index, &r.payload))
		return false;
	uint8_t *at = ord_bytes_extend(room, ord_record_bytes(&r));
	if (at == NULL)
		return false;
	ord_record_encode(&r, at);
	*ret = ord_bytes_slice(room);
	ord_trace("log entry recalled", g->id, index);
	return true;
}

/* Writes the encoded entry again, as it was written first: what points to it points into the copy from now on. */
static size_t write_copy(struct ord_group *g, uint64_t index, struct ord_slice encoded)
{
	struct ord_wal *wal = g->env->wal;
	const struct ord_entry_ref ref = *ord_entries_get(&g->entries, index);
	size_t bytes = ord_entry_record_bytes(&ref);
	struct ord_record r = {
		.type = ORD_RECORD_COPY, .group = g->id, .term = ref.term, .index = index, .payload = encoded};
	uint64_t place = 0;
	int err = ord_wal_reserve(wal, bytes); /* what was read stays where it is */
	if (err == ORD_OK)
		err = ord_wal_append(wal, &r, &place);
	if (err != ORD_OK) {
		ord_group_env_fatal(g->env, err, "out of memory in the write-ahead log");
		return 0;
	}
	place += ORD_RECORD_HEADER_BYTES;
	ord_wal_hold(wal, place, bytes, ORD_WAL_USE_ENTRY);
	ord_wal_let_go(wal, ref.place, bytes, ORD_WAL_USE_ENTRY);
	ord_entries_move(&g->entries, index, place);
	return bytes;
}

static size_t copy_entry(struct ord_group *g, uint64_t index)
{
	struct ord_bytes room;
	struct ord_slice encoded;
	size_t bytes = 0; /* told, or it stays where it is: damage is noted */
	ord_bytes_init(&room, ORD_RECORD_BYTES_MAX);
	int err = ord_group_read(g, g->env->send_reader, index, &encoded);
	if (err == ORD_OK || (err == ORD_ERR_CORRUPT && !g->env->dead && recall(g, index, &room, &encoded)))
		bytes = write_copy(g, index, encoded);
	ord_bytes_close(&room);
	return bytes;
}

bool ord_group_copy_entries(struct ord_group *g, uint64_t segment, uint64_t *at, uint64_t *budget)
{
	uint64_t index = *at > g->released ? *at : g->released + 1;
	uint64_t end = index + LOOKED_AT_MAX;
	for (; index <= g->entries.last; index++) {
		if (index == end || *budget == 0 || g->env->dead) {
			*at = index;
			return false;
		}
		if (!is_in(ord_entries_get(&g->entries, index), segment))
			continue;
		size_t bytes = copy_entry(g, index);
		*budget = *budget > bytes ? *budget - bytes : 0;
	}
	*at = 0;
	return true;
}
