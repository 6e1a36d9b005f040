/* SPDX-License-Identifier: Apache-2.0 - handing the leadership of a group to another node. */

/* NONE --ord_group_transfer--> WAITING --the peer has all entries--> SENT --this node leads no more--> NONE
 * and back to NONE from WAITING after an election timeout, from SENT when libraft gives up, which is an election timeout after that.
 *
 * While it is not NONE nothing is proposed. libraft compares what the peer has with what it acknowledged, not with the whole log, so that under
 * load it would tell the peer to take over too early, be ignored, and refuse proposals for an election timeout: the log has to stand still before.
 */
#include "base/err.h"
#include "base/trace.h"
#include "raft/group_state.h"

/* Entries that a peer may lack, or not have applied, when a hand-over begins: they must not take long. */
#define HANDOVER_LAG_MAX 256

static void give_up(struct ord_group *g)
{
	ord_trace("group hand-over given up", g->id, g->handover_to);
	g->handover = HANDOVER_NONE;
}

static void transfer(struct ord_group *g)
{
	struct raft_event event = {.type = RAFT_TRANSFER, .transfer = {.server_id = g->handover_to}};
	g->handover = HANDOVER_SENT;
	int rv = ord_group_step(g, &event, GROUP_SOURCE_NONE, NULL);
	if (rv != 0)
		give_up(g);
}

void ord_group_handover_go_on(struct ord_group *g)
{
	raft_index match;
	if (g->handover == HANDOVER_WAITING) {
		if (raft_match_index(&g->raft, g->handover_to, &match) == 0 && match == raft_last_index(&g->raft))
			transfer(g);
		else if (g->env->now_ms >= g->handover_until_ms)
			give_up(g);
	} else if (g->handover == HANDOVER_SENT && raft_transferee(&g->raft) == 0) {
		give_up(g);
	}
}

int ord_group_transfer(struct ord_group *g, uint32_t node)
{
	struct ord_group_env *env = g->env;
	const struct raft_server *member = ord_group_member_of(g, node);
	if (node == env->node || ord_group_env_peer(env, node) == env->nodes_count)
		return ORD_ERR_INVALID;
	if (g->told_role != ORD_ROLE_LEADER)
		return ORD_ERR_NOT_LEADER;
	if (g->handover != HANDOVER_NONE)
		return ORD_ERR_BUSY;
	if (member == NULL || member->role != RAFT_VOTER)
		return ORD_ERR_INVALID;
	g->handover = HANDOVER_WAITING;
	g->handover_to = member->id;
	g->handover_until_ms = env->now_ms + env->election_timeout_ms;
	ord_trace("group hand-over begins", g->id, node);
	ord_group_handover_go_on(g);
	return ORD_OK;
}

bool ord_group_can_hand_over(const struct ord_group *g, uint32_t node)
{
	uint32_t peer = ord_group_env_peer(g->env, node);
	const struct raft_server *member = ord_group_member_of(g, node);
	raft_index match;
	if (g->told_role != ORD_ROLE_LEADER || g->handover != HANDOVER_NONE || peer == g->env->nodes_count)
		return false;
	if (member == NULL || member->role != RAFT_VOTER || raft_match_index(&g->raft, member->id, &match) != 0)
		return false;
	return match + HANDOVER_LAG_MAX >= g->entries.last &&
	       g->streams[peer].applied + HANDOVER_LAG_MAX >= raft_commit_index(&g->raft);
}
