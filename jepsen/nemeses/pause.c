/* SPDX-License-Identifier: Apache-2.0 - nemeses: processes that stand still, alive. */
#include "jepsen/nemeses/nemeses.h"

static void begin(struct ord_nemesis_plan *ret)
{
	ret->f = "pause";
	ord_nemesis_add(ret, "fault");
	ord_nemesis_add(ret, "pause");
}

static void pause_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {
		.one = 40, .minority = 25, .majority = 10, .all = 5, .leader = 20};
	begin(ret);
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_pause = {
	.name = "pause", .summary = "SIGSTOP of one node, several, all or a leader", .plan = pause_plan};

static void pause_leader_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {.leader = 1};
	begin(ret);
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_pause_leader = {
	.name = "pause-leader", .summary = "SIGSTOP of the leader of a partition", .plan = pause_leader_plan};
