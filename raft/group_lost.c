/* SPDX-License-Identifier: Apache-2.0 - a group whose log goes on after a state that is lost: it waits for another one. */

/* What the node has acknowledged is in its log, or was in the state. A state from elsewhere stands for the lost one when nothing is missing between it and the log: then all that
 * was acknowledged is in one of them, and the group is what it was before. So the log must tell how far it went: when its last entry leaves it a base record
 * is written (ord_group_trim), and stays until an entry follows. What the log has of entries further back, copies of released ones among them, may have holes: the entries that
 * count are those at the end that have none between them.
 *
 * Until it has a state the group says nothing: no vote, no answer to a leader.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "raft/group_state.h"

#define SPAN_ENTRIES \
	(UINT64_C(1) \
	 << 25) /* copies of entries that far before the first one that is met in the log are not looked at */

void ord_group_lost_expect(struct ord_group *g, uint64_t index)
{
	bool knows_any = g->entries.last > 0;
	uint64_t base = index > SPAN_ENTRIES ? index - SPAN_ENTRIES : 0;
	if (!knows_any || index <= g->entries.base)
		ord_entries_begin(&g->entries, base, base == 0 ? 0 : GROUP_FIRST_TERM);
}

int ord_group_lost_recovered(struct ord_group *g, char *why, size_t why_size)
{
	uint64_t last = g->entries.last;
	uint64_t first = last + 1;
	while (ord_entries_get(&g->entries, first - 1) != NULL)
		first--;
	if ((first > last && g->base_place == 0) || g->term == 0) {
		snprintf(why, why_size,
			 "partition %" PRIu32
			 ": its state is lost, and the write-ahead log has no %s of this partition",
			 g->id, g->term == 0 ? "vote" : "entry");
		return ORD_ERR_CORRUPT;
	}
	if (first - 1 > g->entries.base)
		ord_entries_rebase(&g->entries, first - 1, ord_entries_term(&g->entries, first));
	g->released = g->entries.base;
	g->durable = last;
	return ORD_OK;
}

void ord_group_lost_receive(struct ord_group *g, const struct ord_message *m)
{
	const struct ord_group_env *env = g->env;
	bool is_append = m->raft.type == RAFT_APPEND_ENTRIES && m->raft.append_entries.term >= g->term;
	bool is_install = m->raft.type == RAFT_INSTALL_SNAPSHOT && m->raft.install_snapshot.term >= g->term;
	if ((!is_append && !is_install) || env->events.want_install == NULL)
		return;
	if (g->wanted_ms != 0 && env->now_ms - g->wanted_ms < env->heartbeat_ms)
		return;
	g->wanted_ms = env->now_ms;
	env->events.want_install(env->events.ctx, g->id, ORD_MEMBER_NODE(m->from), 0, 0);
}

/* True when the entries after the base in the log follow it, and false when it is the log of a leader who was overruled, or ends before it. */
static bool log_follows(const struct ord_group *g, const struct ord_base *base)
{
	if (base->index > g->entries.last)
		return false;
	if (base->index == g->entries.base)
		return true; /* it was released: the same entry was committed */
	return ord_entries_term(&g->entries, base->index) == base->term;
}

/* What waits is written: the group starts when it is durable, or at once. */
static int go_on(struct ord_group *g)
{
	char why[256];
	g->lost = false;
	g->life = ord_group_holds_back(g) ? GROUP_WRITING : GROUP_OPENED;
	int err = g->life == GROUP_OPENED ? ord_group_start(g, why, sizeof why) : ORD_OK;
	if (err != ORD_OK)
		ord_group_env_fatal(g->env, err, "%s", why);
	return err;
}

int ord_group_lost_install(struct ord_group *g, const struct ord_base *base)
{
	char why[256];
	if (base->index < g->entries.base)
		return ORD_ERR_INVALID;
	if (base->index == 0)
		return go_on(g); /* the log has all entries there ever were */
	bool follows = log_follows(g, base);
	int err = ord_group_check_base(g, base, why, sizeof why);
	if (err == ORD_OK && follows && base->index < g->entries.last &&
	    ord_entries_term(&g->entries, base->index + 1) < base->term)
		err = ORD_ERR_CORRUPT;
	if (err != ORD_OK)
		return err;
	err = ord_group_take_base(g, base);
	if (err != ORD_OK)
		return err;
	ord_trace("group finds its base", g->id, base->index);
	ord_group_let_go(g, g->entries.base + 1, follows ? base->index : g->entries.last);
	if (follows) {
		ord_entries_rebase(&g->entries, base->index, base->term);
	} else {
		ord_entries_begin(&g->entries, base->index, base->term);
		err = ord_group_write_base(g, base->index, base->term);
		ORD_ASSERT(err == ORD_OK);
		g->vote_sequence = ord_wal_sequence(g->env->wal);
	}
	g->released = base->index;
	return go_on(g);
}
