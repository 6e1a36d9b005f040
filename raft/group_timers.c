/* SPDX-License-Identifier: Apache-2.0 - when a group times out, and how long its timeouts are. */
#include "raft/group_state.h"

#define FRUITLESS_MAX 4 /* doublings */

static bool is_reluctant(const struct ord_group_env *env)
{
	return env->peers[ord_group_env_peer(env, env->node)].reluctant;
}

/* libraft draws each election timeout between one and two times the length that it is given. With T from the configuration:
 *
 *   leader, follower                             T
 *   candidate in a real vote                     T, and twice as long after each that brought nothing, up to 16 T: votes wait for disks, and what comes after
 *                                                the next round has begun is not counted
 *   before the first leader is seen              T/4 at the preferred node (unless it is reluctant), 3T/2 elsewhere: first elections go to the preferred nodes
 *   candidate in a pre-vote                      T/4: a follower that still believes in the dead leader refuses, and so a pre-vote only
 *                                                succeeds when a majority of timers have run out; asking again soon costs a message, no term
 *
 * After a leader's death the last of a majority of timers runs out after at most 2T, and the next pre-vote comes within T/2.
 */
static uint32_t timeout_for(struct ord_group *g)
{
	uint32_t t = g->env->election_timeout_ms;
	if (raft_state(&g->raft) == RAFT_CANDIDATE)
		return g->pre_voting ? t / 4 : t << g->fruitless;
	if (raft_state(&g->raft) == RAFT_FOLLOWER && !g->leader_seen)
		return ord_group_preferred(g) == g->env->node && !is_reluctant(g->env) ? t / 4 : t + t / 2;
	return t;
}

void ord_group_timers_tune(struct ord_group *g)
{
	uint32_t timeout_ms = timeout_for(g);
	if (timeout_ms == g->timeout_ms)
		return;
	g->timeout_ms = timeout_ms;
	raft_set_election_timeout(&g->raft, timeout_ms);
}

/* A candidate asks for votes when its own is durable. On a slow disk that may take longer than its timeout, and libraft would then raise the term again
 * for votes that nobody was asked for, without a pre-vote, and so depose whoever was elected meanwhile: the time begins when the votes are asked for. */
void ord_group_timers_votes_asked(struct ord_group *g)
{
	if (raft_state(&g->raft) == RAFT_CANDIDATE)
		g->raft.election_timer_start = g->env->now_ms;
}

/* Dissertation section 9.6 lets each round of an election begin with a pre-vote; libraft begins only the first one so. */
static void begin_with_pre_vote(struct ord_group *g)
{
	if (raft_state(&g->raft) != RAFT_CANDIDATE)
		return;
	if (!g->pre_voting && g->fruitless < FRUITLESS_MAX)
		g->fruitless++;
	g->raft.candidate_state.in_pre_vote = true;
	g->raft.candidate_state.disrupt_leader = false;
}

/* libraft must never be told that time is up before it is: a leader would take every follower that has not answered yet for unreachable. For the same
 * reason a leader is told at most once in a heartbeat. */
static bool is_due(struct ord_group *g)
{
	uint64_t now_ms = g->env->now_ms;
	if (now_ms < raft_timeout(&g->raft))
		return false;
	if (raft_state(&g->raft) == RAFT_CANDIDATE)
		return !ord_group_holds_back(g);
	if (raft_state(&g->raft) == RAFT_FOLLOWER)
		return true;
	return now_ms - g->fired_ms >= g->env->heartbeat_ms;
}

void ord_group_tick(struct ord_group *g)
{
	if (g->life != GROUP_STARTED)
		return;
	if (is_due(g)) {
		struct raft_event event = {.type = RAFT_TIMEOUT};
		g->fired_ms = g->env->now_ms;
		begin_with_pre_vote(g);
		int rv = ord_group_step(g, &event, GROUP_SOURCE_NONE, NULL);
		if (rv != 0)
			ord_group_failed(g, "a timeout", rv);
	}
	if (g->env->dead || raft_state(&g->raft) != RAFT_LEADER)
		return;
	ord_group_handover_go_on(g);
	ord_group_streams_ask_for_life(g);
}
