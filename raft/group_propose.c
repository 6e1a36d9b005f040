/* SPDX-License-Identifier: Apache-2.0 - entries that a leader proposes. */
#include "base/assert.h"
#include "base/err.h"
#include "raft/group_state.h"

#define WAITING_BYTES_MAX (64u << 20) /* not yet written by the log; then proposals are refused */

int ord_group_propose(struct ord_group *g, struct ord_slice entry, uint64_t *ret_index, uint64_t *ret_term)
{
	struct ord_group_env *env = g->env;
	struct ord_wal_status wal;
	if (g->told_role != ORD_ROLE_LEADER)
		return ORD_ERR_NOT_LEADER;
	if (g->handover != HANDOVER_NONE)
		return ORD_ERR_BUSY;
	ord_wal_status(env->wal, &wal);
	if (wal.waiting_bytes > WAITING_BYTES_MAX)
		return ORD_ERR_BUSY;
	if (ord_wal_reserve(env->wal, entry.len) != ORD_OK || ord_entries_reserve(&g->entries) != ORD_OK)
		return ORD_ERR_NOMEM;
	struct raft_entry e = {.term = raft_current_term(&g->raft),
			       .type = RAFT_COMMAND,
			       .buf = {.base = (void *)(uintptr_t)entry.base, .len = entry.len},
			       .batch = g};
	struct raft_event event = {.type = RAFT_SUBMIT, .submit = {.entries = &e, .n = 1}};
	int rv = ord_group_step(g, &event, GROUP_SOURCE_PROPOSAL, NULL);
	if (rv == RAFT_NOMEM)
		return ORD_ERR_NOMEM;
	if (rv == RAFT_NOTLEADER)
		return ORD_ERR_BUSY;
	if (rv != 0)
		ord_group_failed(g, "a proposal", rv);
	if (env->dead)
		return ORD_ERR_NOT_LEADER;
	*ret_index = g->entries.last;
	*ret_term = e.term;
	return ORD_OK;
}
