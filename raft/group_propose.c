/* SPDX-License-Identifier: Apache-2.0 - entries that a leader proposes. */
#include "base/err.h"
#include "raft/group_state.h"
#include "raft/members.h"

#define WAITING_BYTES_MAX (64u << 20) /* not yet written by the log; then proposals are refused */

static bool log_is_full(const struct ord_group *g)
{
	struct ord_wal_status wal;
	ord_wal_status(g->env->wal, &wal);
	return wal.waiting_bytes > WAITING_BYTES_MAX;
}

/* Submits one entry: a change of members alone, for libraft leaves a hole in the log when one that it refuses comes after another entry. */
static int submit(struct ord_group *g, enum raft_entry_type type, struct ord_slice payload)
{
	if (ord_wal_reserve(g->env->wal, payload.len) != ORD_OK || ord_entries_reserve(&g->entries) != ORD_OK)
		return ORD_ERR_NOMEM;
	struct raft_entry e = {.term = raft_current_term(&g->raft),
			       .type = type,
			       .buf = {.base = (void *)(uintptr_t)payload.base, .len = payload.len},
			       .batch = g};
	struct raft_event event = {.type = RAFT_SUBMIT, .submit = {.entries = &e, .n = 1}};
	int rv = ord_group_step(g, &event, GROUP_SOURCE_PROPOSAL, NULL);
	if (rv == RAFT_NOMEM)
		return ORD_ERR_NOMEM;
	if (rv == RAFT_NOTLEADER || rv == RAFT_CANTCHANGE)
		return ORD_ERR_BUSY;
	if (rv != 0)
		ord_group_failed(g, "a proposal", rv);
	return g->env->dead ? ORD_ERR_NOT_LEADER : ORD_OK;
}

int ord_group_propose(struct ord_group *g, struct ord_slice entry, uint64_t *ret_index, uint64_t *ret_term)
{
	if (g->told_role != ORD_ROLE_LEADER)
		return ORD_ERR_NOT_LEADER;
	if (g->handover != HANDOVER_NONE || log_is_full(g))
		return ORD_ERR_BUSY;
	uint64_t term = raft_current_term(&g->raft);
	int err = submit(g, RAFT_COMMAND, entry);
	if (err != ORD_OK)
		return err;
	*ret_index = g->entries.last;
	*ret_term = term;
	return ORD_OK;
}

/* A leader of an earlier term may have begun a change that this one does not see and that both together would make two majorities of, until an entry of this term is committed (Ongaro,
 * "bug in single-server membership changes", raft-dev 2015). libraft writes such an entry at the beginning of a term only when it thinks it useful. */
static bool has_committed_own(struct ord_group *g)
{
	static const uint8_t barrier[8];
	uint64_t term = raft_current_term(&g->raft);
	uint64_t commit = raft_commit_index(&g->raft);
	if (commit >= g->entries.base && ord_entries_term(&g->entries, commit) == term)
		return true;
	if (ord_entries_term(&g->entries, g->entries.last) != term)
		submit(g, RAFT_BARRIER, ord_slice_of(barrier, sizeof barrier));
	return false;
}

bool ord_group_propose_members(struct ord_group *g, const struct ord_member_status *members, uint32_t members_count)
{
	struct ord_bytes payload;
	if (g->told_role != ORD_ROLE_LEADER || g->handover != HANDOVER_NONE || log_is_full(g))
		return false;
	if (g->raft.configuration_uncommitted_index != 0 || !has_committed_own(g))
		return false;
	ord_bytes_init(&payload, ORD_ENTRY_BYTES_MAX);
	ord_members_encode_list(members, members_count, &payload);
	bool is_proposed = !payload.failed && submit(g, RAFT_CHANGE, ord_bytes_slice(&payload)) == ORD_OK;
	ord_bytes_close(&payload);
	if (is_proposed)
		ord_group_streams_forget(g);
	return is_proposed;
}
