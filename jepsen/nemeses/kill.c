/* SPDX-License-Identifier: Apache-2.0 - nemeses: processes that are killed, and ended and started one after the other. */
#include "jepsen/nemeses/nemeses.h"

#define TERM_PER_MILLE 150 /* ended by SIGTERM instead */

static void kill_begin(struct ord_nemesis_plan *ret, const char *verb)
{
	ret->f = verb;
	ord_nemesis_add(ret, "fault");
	ord_nemesis_add(ret, "%s", verb);
}

static void kill_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {
		.one = 40, .minority = 20, .majority = 10, .all = 10, .leader = 20};
	kill_begin(ret, ord_random_chance(r, TERM_PER_MILLE) ? "term" : "kill");
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_kill = {
	.name = "kill",
	.summary = "SIGKILL (now and then SIGTERM) of one node, several, all or a leader",
	.plan = kill_plan};

static void kill_leader_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {.leader = 1};
	kill_begin(ret, "kill");
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_kill_leader = {
	.name = "kill-leader", .summary = "SIGKILL of the leader of a partition", .plan = kill_leader_plan};

static void kill_all_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {.all = 1};
	kill_begin(ret, "kill");
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_kill_all = {
	.name = "kill-all", .summary = "SIGKILL of all nodes at once", .plan = kill_all_plan};

static void rolling_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	(void)r;
	(void)shape;
	ret->f = "rolling-restart";
	ret->ends_itself = true;
	ord_nemesis_add(ret, "cluster");
	ord_nemesis_add(ret, "restart");
}

const struct ord_nemesis ord_nemesis_rolling_restart = {
	.name = "rolling-restart",
	.summary = "one node after the other is ended by SIGTERM and started",
	.plan = rolling_plan};
