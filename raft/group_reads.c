/* SPDX-License-Identifier: Apache-2.0 - reads of a group without an entry: the read index (Ongaro's dissertation, section 6.4). */

/* A read that came before round n was asked may be answered from the state when
 *
 *   - this node still leads in the term in which it came,
 *   - all is applied that was committed here when it came. A leader is announced when it has applied all that earlier terms left, so that this is all that
 *     was committed anywhere,
 *   - a majority has said after round n was asked that it follows this leadership: so nobody had been elected in a later term when the read came, and nobody else could have committed
 *     anything before.
 *
 * A peer answers for a group in which it is a follower and knows this node as the leader of its current term: the term in memory, which is never behind the one of a vote that it has given. While that is not
 * on its disk yet it says nothing, as it acknowledges nothing. Rounds count up through the life of a host, and an answer names its round and its term: what comes late, twice, or from before a restart confirms nothing that it should
 * not. That holds through a hand-over of the leadership, too: there is no time in it that somebody could have slept through.
 */
#include "base/err.h"
#include "raft/group_state.h"

int ord_group_read_begin(struct ord_group *g, uint64_t round, struct ord_read_point *ret)
{
	if (g->told_role != ORD_ROLE_LEADER)
		return ORD_ERR_NOT_LEADER;
	g->reads_term = g->told_term; /* what was confirmed in another one is of lower rounds */
	g->reads_round = round;
	ord_group_enqueue(g, ORD_GROUP_QUEUE_READ);
	*ret = (struct ord_read_point){.term = g->told_term, .index = raft_commit_index(&g->raft), .round = round};
	return ORD_OK;
}

/* A majority has confirmed that round or a later one. */
static bool is_confirmed(const struct ord_group *g, uint64_t round)
{
	uint64_t members[ORD_NODES_MAX + 1];
	uint32_t count = 0;
	members[count++] = g->env->member;
	for (uint32_t i = 0; i < g->env->nodes_count; i++)
		if (g->confirmed[i].round >= round)
			members[count++] = g->confirmed[i].member;
	return ord_group_is_majority(g, members, count);
}

static bool leads_in(const struct ord_group *g, uint64_t term)
{
	return g->told_role == ORD_ROLE_LEADER && g->told_term == term;
}

bool ord_group_may_read(const struct ord_group *g, const struct ord_read_point *point)
{
	return leads_in(g, point->term) && g->reads_term == point->term && g->applied >= point->index &&
	       is_confirmed(g, point->round);
}

void ord_group_read_wait(struct ord_group *g)
{
	if (leads_in(g, g->reads_term) && !is_confirmed(g, g->reads_round))
		ord_group_enqueue(g, ORD_GROUP_QUEUE_READ);
}

bool ord_group_read_ask(struct ord_group *g, uint32_t peer, uint64_t round, uint64_t *member, uint64_t *ret_term)
{
	struct group_confirmed *c = &g->confirmed[peer];
	uint64_t now_ms = g->env->now_ms;
	uint64_t voter = ord_group_voter_of(g, g->env->nodes[peer]);
	if (voter == 0 || (*member != 0 && *member != voter))
		return false;
	if (c->member != voter)
		*c = (struct group_confirmed){.member = voter};
	bool was_asked = c->asked >= g->reads_round && now_ms - c->asked_ms < g->env->heartbeat_ms;
	if (c->round >= g->reads_round || was_asked)
		return false;
	c->asked = round;
	c->asked_ms = now_ms;
	*member = voter;
	*ret_term = g->reads_term;
	return true;
}

bool ord_group_follows(struct ord_group *g, uint64_t leader, uint64_t term)
{
	return g->life == GROUP_STARTED && raft_state(&g->raft) == RAFT_FOLLOWER &&
	       raft_current_term(&g->raft) == term && g->leader_term == term && g->leader == leader &&
	       !ord_group_holds_back(g);
}

void ord_group_confirmed(struct ord_group *g, uint32_t peer, uint64_t member, uint64_t term, uint64_t round)
{
	struct group_confirmed *c = &g->confirmed[peer];
	if (leads_in(g, term) && g->reads_term == term && c->member == member && round > c->round)
		c->round = round;
}
