/* SPDX-License-Identifier: Apache-2.0 - one group: a member that is lost goes, the one that its node is now comes. */

/* Everything is decided from the newest members in the log and from what the nodes say that they are, so that another leader goes on where this one stops:
 *
 *   the node is another member than the one in the group    OUT: the group without that one, if it can do without
 *   the group has none of the node                           IN: as a standby, which gets entries and has no vote. libraft replicates to it as to a voter; it needs no CATCH_UP, and is no
 *                                                            SPARE, which it would stop to send to and then count as late
 *   it has it as a standby                                   CATCH_UP: until it lacks little
 *   it lacks little, and is there                            PROMOTE: a voter
 *
 * Each step is one change of the members by one voter at most, proposed when the one before is committed and applied: so the majorities before and after have a node in
 * common. The number of members changes whenever an id does: libraft keeps its account of each by its place in the list otherwise.
 */
#include "base/trace.h"
#include "raft/group_state.h"

#define CATCH_UP_ENTRIES 1024 /* that a standby may lack when it gets its vote: those of an election timeout or so */
#define STALLED_MS 10000

static bool is_heard(const struct ord_group *g, uint32_t peer, uint64_t member)
{
	const struct group_stream *s = &g->streams[peer];
	return s->member == member && s->heard_ms != 0 && g->env->now_ms - s->heard_ms <= g->env->election_timeout_ms;
}

/* True when a majority of the voters that remain without a member has answered lately: otherwise nothing would be committed until they do. */
static bool can_do_without(const struct ord_group *g, uint64_t member)
{
	const struct ord_group_env *env = g->env;
	uint32_t voters = 0;
	uint32_t heard = 0;
	for (uint32_t peer = 0; peer < env->nodes_count; peer++) {
		const struct raft_server *s = ord_group_member_of(g, env->nodes[peer]);
		if (s == NULL || s->id == member || s->role != RAFT_VOTER)
			continue;
		voters++;
		heard += s->id == env->member || is_heard(g, peer, s->id);
	}
	return 2 * heard > voters;
}

/* True when it has not got further for a while. */
static bool is_stalled(struct ord_group *g, uint64_t member, uint64_t match)
{
	uint64_t now_ms = g->env->now_ms;
	if (g->newcomer != member || g->newcomer_match != match) {
		g->newcomer = member;
		g->newcomer_match = match;
		g->newcomer_moved_ms = now_ms;
	}
	return now_ms - g->newcomer_moved_ms >= STALLED_MS;
}

/* What one node needs. */
static struct ord_replace next_of(struct ord_group *g, uint32_t peer)
{
	const struct ord_group_env *env = g->env;
	const struct raft_server *s = ord_group_member_of(g, env->nodes[peer]);
	uint64_t says = env->peers[peer].member;
	struct ord_replace ret = {.peer = peer};
	raft_index match;
	if (says == 0 || env->nodes[peer] == env->node)
		return ret;
	if (s == NULL) {
		ret.step = ORD_REPLACE_IN;
	} else if (s->id != says) {
		bool may_go = s->role != RAFT_VOTER || can_do_without(g, s->id);
		ret.step = may_go && !is_heard(g, peer, s->id) ? ORD_REPLACE_OUT : ORD_REPLACE_NOTHING;
	} else if (s->role != RAFT_VOTER && raft_match_index(&g->raft, s->id, &match) == 0) {
		bool is_close = match + CATCH_UP_ENTRIES >= g->entries.last && is_heard(g, peer, s->id);
		ret.step = match > 0 && is_close ? ORD_REPLACE_PROMOTE : ORD_REPLACE_CATCH_UP;
		ret.is_stalled = is_stalled(g, s->id, match);
	}
	return ret;
}

void ord_group_replace_next(struct ord_group *g, struct ord_replace *ret)
{
	*ret = (struct ord_replace){0};
	if (g->told_role != ORD_ROLE_LEADER)
		return;
	for (uint32_t peer = 0; peer < g->env->nodes_count && ret->step <= ORD_REPLACE_OUT; peer++) {
		struct ord_replace r = next_of(g, peer);
		if (r.step > ret->step)
			*ret = r;
	}
}

bool ord_group_replace(struct ord_group *g, const struct ord_replace *replace)
{
	struct ord_member_status members[ORD_NODES_MAX + 1];
	uint32_t count;
	uint32_t kept = 0;
	uint32_t node = g->env->nodes[replace->peer];
	ord_group_members(g, members, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (members[i].node == node && replace->step == ORD_REPLACE_PROMOTE)
			members[i].role = ORD_MEMBER_VOTER;
		if (members[i].node != node || replace->step != ORD_REPLACE_OUT)
			members[kept++] = members[i];
	}
	if (replace->step == ORD_REPLACE_IN)
		members[kept++] = (struct ord_member_status){
			.id = g->env->peers[replace->peer].member, .node = node, .role = ORD_MEMBER_STANDBY};
	if (!ord_group_propose_members(g, members, kept))
		return false;
	ord_trace("group replaces a member", g->id, (uint64_t)replace->step << 32 | node);
	return true;
}
