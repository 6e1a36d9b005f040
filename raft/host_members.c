/* SPDX-License-Identifier: Apache-2.0 - nodes that came back as other members replace what they were, one group after the other. */

/* At most one group of this host is without a member that it had, or has one that catches up, at a time, but for those where nothing moves. What other leaders began is gone on with
 * in all groups; a new replacement begins when nothing is under way.
 */
#include "raft/host_state.h"

#define PAUSE_MS 50

void ord_host_replace_members(struct ord_host *h)
{
	struct ord_group *next = NULL;
	struct ord_replace out = {0};
	bool is_under_way = false;
	if (h->env.now_ms < h->replace_due_ms)
		return;
	h->replace_due_ms = h->env.now_ms + PAUSE_MS;
	for (uint32_t i = 0; i < h->groups_count && !h->env.dead; i++) {
		struct ord_group *g = h->groups[(h->replace_cursor + i) % h->groups_count];
		struct ord_replace r;
		if (g == NULL)
			continue;
		ord_group_replace_next(g, &r);
		if (r.step == ORD_REPLACE_IN || r.step == ORD_REPLACE_PROMOTE)
			ord_group_replace(g, &r);
		is_under_way = is_under_way || (r.step > ORD_REPLACE_OUT && !r.is_stalled);
		if (r.step == ORD_REPLACE_OUT && next == NULL) {
			next = g;
			out = r;
		}
	}
	if (next == NULL || is_under_way || h->env.dead)
		return;
	if (ord_group_replace(next, &out))
		h->replace_cursor = ord_group_id(next) + 1;
}
