/* SPDX-License-Identifier: Apache-2.0 - what the write-ahead log says of a group, put together again while it is read. */

/* The log may have lost its beginning, so that what is read first is not what was written first: votes, and entries that were copied, are met when their copies are. So entries
 * are put where they belong, with holes between them, and ord_group_recovered() asks for the whole. Entries up to the base are elsewhere: they are passed over, but void what
 * they voided. When the entry at the base is in the log and of another term, the log is that of a leader who was overruled, and the base came from another
 * node since: nothing in it follows the base.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "raft/group_state.h"
#include "raft/members.h"

__attribute__((format(printf, 3, 4))) static int corrupt(char *why, size_t why_size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, why_size, format, args);
	va_end(args);
	return ORD_ERR_CORRUPT;
}

static int recover_vote(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	if (r->term < g->term)
		return corrupt(why, why_size, "the term of group %" PRIu32 " goes back", g->id);
	g->term = r->term;
	g->vote = r->index;
	g->vote_place = place;
	return ORD_OK;
}

static int check_members(const struct ord_group *g, const struct ord_record *r, char *why, size_t why_size)
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
	return corrupt(why, why_size, "entry %" PRIu64 " of group %" PRIu32 " names members that cannot be", r->index,
		       g->id);
}

static int put_entry(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	struct ord_entry_ref ref = {
		.place = place, .term = r->term, .payload_bytes = (uint32_t)r->payload.len, .kind = (uint32_t)r->kind};
	int err = ord_entries_put(&g->entries, r->index, &ref);
	if (err == ORD_ERR_INVALID)
		return corrupt(why, why_size, "entry %" PRIu64 " of group %" PRIu32 " comes after entry %" PRIu64,
			       r->index, g->id, g->entries.last);
	if (err != ORD_OK)
		snprintf(why, why_size, "out of memory while reading the write-ahead log");
	return err;
}

static bool term_fits(const struct ord_group *g, const struct ord_record *r)
{
	const struct ord_entry_ref *before = ord_entries_get(&g->entries, r->index - 1);
	return (before == NULL || r->term >= before->term) && (g->term == 0 || r->term <= g->term);
}

static int recover_entry(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	uint64_t base = g->entries.base;
	int err = check_members(g, r, why, why_size);
	if (err != ORD_OK)
		return err;
	if (g->lost) {
		ord_group_lost_expect(g, r->index);
		base = g->entries.base;
	}
	if (!term_fits(g, r))
		return corrupt(why, why_size, "entry %" PRIu64 " of group %" PRIu32 " has term %" PRIu64, r->index,
			       g->id, r->term);
	ord_entries_truncate(&g->entries, r->index > base ? r->index : base + 1);
	if (r->index > base)
		return put_entry(g, r, place, why, why_size);
	g->recovered_term = r->index == base ? r->term : 0;
	return ORD_OK;
}

static int recover_copy(struct ord_group *g, const struct ord_record *copy, uint64_t place, char *why, size_t why_size)
{
	struct ord_record r = ord_record_of_copy(copy);
	const struct ord_entry_ref *known = ord_entries_get(&g->entries, r.index);
	int err = check_members(g, &r, why, why_size);
	if (err != ORD_OK)
		return err;
	place += ORD_RECORD_HEADER_BYTES;
	if (g->lost && g->entries.last == 0)
		ord_group_lost_expect(g, r.index);
	if (r.index == g->entries.base)
		g->recovered_term = r.term;
	if (r.index <= g->entries.base)
		return ORD_OK;
	if (known == NULL)
		return put_entry(g, &r, place, why, why_size);
	if (known->term != r.term || known->payload_bytes != r.payload.len)
		return corrupt(why, why_size, "the copy of entry %" PRIu64 " of group %" PRIu32 " is of another one",
			       r.index, g->id);
	ord_entries_move(&g->entries, r.index, place);
	return ORD_OK;
}

static int recover_base(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	uint64_t base = g->entries.base;
	if (g->lost)
		ord_entries_begin(&g->entries, base = r->index, r->term);
	g->base_place = place;
	if (r->index > base)
		return corrupt(why, why_size,
			       "group %" PRIu32 " goes on after entry %" PRIu64
			       ", and its state is that of entry %" PRIu64,
			       g->id, r->index, base);
	ord_entries_truncate(&g->entries, base + 1);
	g->recovered_term = r->index == base ? r->term : 0;
	return ORD_OK;
}

int ord_group_recover(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size)
{
	switch (r->type) {
	case ORD_RECORD_VOTE:
		return recover_vote(g, r, place, why, why_size);
	case ORD_RECORD_COPY:
		return recover_copy(g, r, place, why, why_size);
	case ORD_RECORD_BASE:
		return recover_base(g, r, place, why, why_size);
	default:
		return recover_entry(g, r, place, why, why_size);
	}
}

/* Counts in the log what of it is needed. */
static void hold_all(struct ord_group *g)
{
	struct ord_wal *wal = g->env->wal;
	for (uint64_t i = g->entries.base + 1; i <= g->entries.last; i++) {
		const struct ord_entry_ref *ref = ord_entries_get(&g->entries, i);
		ord_wal_hold(wal, ref->place, ord_entry_record_bytes(ref), ORD_WAL_USE_ENTRY);
	}
	if (g->vote_place != 0)
		ord_wal_hold(wal, g->vote_place, ORD_RECORD_HEADER_BYTES, ORD_WAL_USE_VOTE);
}

/* Says in the log that what is in it does not follow the base. */
static int overrule(struct ord_group *g)
{
	ord_entries_begin(&g->entries, g->entries.base, g->entries.base_term);
	int err = ord_group_write_base(g, g->entries.base, g->entries.base_term);
	ord_wal_keep_until_durable(g->env->wal); /* the entry that tells so must not go before */
	return err;
}

static int check_terms(const struct ord_group *g, char *why, size_t why_size)
{
	uint64_t term = g->entries.base_term;
	for (uint64_t i = g->entries.base + 1; i <= g->entries.last; i++) {
		uint64_t own = ord_entries_term(&g->entries, i);
		if (own < term || own > g->term)
			return corrupt(why, why_size,
				       "partition %" PRIu32 ": entry %" PRIu64
				       " of the write-ahead log has term %" PRIu64 " after %" PRIu64
				       ", in term %" PRIu64,
				       g->id, i, own, term, g->term);
		term = own;
	}
	return ORD_OK;
}

static int recovered_lost(struct ord_group *g, char *why, size_t why_size)
{
	int err = ord_group_lost_recovered(g, why, why_size);
	if (err != ORD_OK)
		return err;
	hold_all(g);
	return check_terms(g, why, why_size);
}

int ord_group_recovered(struct ord_group *g, char *why, size_t why_size)
{
	uint64_t base = g->entries.base;
	uint64_t begins = ord_wal_first(g->env->wal);
	if (g->entries.last > g->entries.base)
		g->base_place = 0;
	if (g->base_place != 0)
		ord_wal_hold(g->env->wal, g->base_place, ORD_RECORD_HEADER_BYTES, ORD_WAL_USE_VOTE);
	if (g->lost)
		return recovered_lost(g, why, why_size);
	if (g->recovered_term != 0 && g->recovered_term != g->entries.base_term && overrule(g) != ORD_OK) {
		snprintf(why, why_size, "out of memory");
		return ORD_ERR_NOMEM;
	}
	uint64_t gap = ord_entries_gap(&g->entries);
	bool joins = g->env->member != 0 && g->env->member != g->env->node;
	bool is_late = gap <= g->entries.last || (begins > 1 && g->entries.last == 0 && !joins);
	if (is_late && base == 0)
		return corrupt(why, why_size,
			       "partition %" PRIu32 ": the write-ahead log begins with segment %" PRIu64
			       " and lacks entry %" PRIu64 ", and there is no checkpoint with what came before",
			       g->id, begins, gap);
	if (is_late)
		return corrupt(why, why_size,
			       "partition %" PRIu32 ": the state on disk is that of entry %" PRIu64
			       ", and entry %" PRIu64
			       " is missing in the write-ahead log, which begins with segment %" PRIu64,
			       g->id, base, gap, begins);
	if (base > 0 && g->term == 0 && !joins)
		return corrupt(why, why_size,
			       "partition %" PRIu32 ": there is state of entry %" PRIu64
			       " on disk, and the write-ahead log has no vote of this partition",
			       g->id, base);
	hold_all(g);
	if (g->term < g->base_current_term && ord_group_write_vote(g, g->base_current_term, 0) != ORD_OK) {
		snprintf(why, why_size, "out of memory");
		return ORD_ERR_NOMEM;
	}
	return check_terms(g, why, why_size);
}
