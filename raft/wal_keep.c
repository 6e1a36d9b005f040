/* SPDX-License-Identifier: Apache-2.0 - which segments of the write-ahead log are still needed, and removing those that are not. */

/* Each record that somebody needs counts for its segment. A segment goes when nothing in it counts and what replaced the last of it - a later vote, a copy, an entry
 * that voids it - is on disk; so that a crash at any instant finds either the old or the new. Segments go from the front, one after the other, each
 * durably: there is never one missing in between. The last segment with a batch on disk always stays: its header tells where the log goes on.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "raft/wal_state.h"

uint64_t ord_wal_first(const struct ord_wal *w)
{
	return w->first_segment;
}

int ord_wal_keep_up(struct ord_wal *w, uint64_t number)
{
	size_t count = (size_t)(number - w->first_segment) + 1;
	if (count > w->kept_capacity) {
		size_t capacity = count * 2;
		struct wal_kept *kept = realloc(w->kept, capacity * sizeof *kept);
		if (kept == NULL)
			return ORD_ERR_NOMEM;
		w->kept = kept;
		w->kept_capacity = capacity;
	}
	while (w->kept_count < count)
		w->kept[w->kept_count++] = (struct wal_kept){0};
	return ORD_OK;
}

static struct wal_kept *kept_at(const struct ord_wal *w, uint64_t number)
{
	ORD_ASSERT(number >= w->first_segment);
	ORD_ASSERT(number - w->first_segment < w->kept_count);
	return &w->kept[number - w->first_segment];
}

void ord_wal_keep_bytes(struct ord_wal *w, uint64_t number, uint64_t bytes)
{
	kept_at(w, number)->disk_bytes += bytes;
	w->disk_bytes += bytes;
}

void ord_wal_hold(struct ord_wal *w, uint64_t place, size_t bytes, enum ord_wal_use use)
{
	kept_at(w, ord_place_segment(place))->used_bytes[use] += bytes;
	w->used_bytes[use] += bytes;
}

void ord_wal_let_go(struct ord_wal *w, uint64_t place, size_t bytes, enum ord_wal_use use)
{
	struct wal_kept *k = kept_at(w, ord_place_segment(place));
	ORD_ASSERT(k->used_bytes[use] >= bytes);
	k->used_bytes[use] -= bytes;
	w->used_bytes[use] -= bytes;
	k->cleared_by = ord_wal_sequence(w);
}

void ord_wal_keep_until_durable(struct ord_wal *w)
{
	w->kept_until = ord_wal_sequence(w);
}

bool ord_wal_oldest(const struct ord_wal *w, struct ord_wal_oldest *ret)
{
	if (w->removing || w->first_segment >= w->durable_segment)
		return false;
	*ret = (struct ord_wal_oldest){.number = w->first_segment,
				       .segments_count = w->kept_count,
				       .entries_bytes = w->used_bytes[ORD_WAL_USE_ENTRY]};
	memcpy(ret->used_bytes, w->kept[0].used_bytes, sizeof ret->used_bytes);
	return true;
}

void ord_wal_remove(struct ord_wal *w)
{
	const struct wal_kept *k = &w->kept[0];
	ORD_ASSERT(!w->removing);
	ORD_ASSERT(w->first_segment < w->durable_segment);
	for (int i = 0; i < ORD_WAL_USES; i++)
		ORD_ASSERT(k->used_bytes[i] == 0);
	if (k->cleared_by > w->durable_sequence || w->kept_until > w->durable_sequence)
		return;
	uint64_t number = w->first_segment++;
	w->removing = true;
	w->removed_bytes = k->disk_bytes;
	w->kept_count--;
	memmove(w->kept, w->kept + 1, w->kept_count * sizeof *w->kept);
	ord_trace("log segment removed", number, w->kept_count);
	w->options.io.remove(w->options.io.ctx, number);
}

void ord_wal_removed(struct ord_wal *w)
{
	ORD_ASSERT(w->removing);
	w->removing = false;
	w->disk_bytes -= w->removed_bytes;
}
