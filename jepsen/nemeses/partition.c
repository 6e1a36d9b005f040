/* SPDX-License-Identifier: Apache-2.0 - nemeses: nodes that do not hear each other. */
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "jepsen/nemeses/nemeses.h"

static void begin(struct ord_nemesis_plan *ret, const char *f)
{
	ret->f = f;
	ord_nemesis_add(ret, "fault");
	ord_nemesis_add(ret, "partition");
}

/* Two groups, of which the first has `first` nodes, with the sign between. */
static void groups_add(struct ord_nemesis_plan *ret, struct ord_random *r, uint32_t nodes_count, uint32_t first,
		       const char *sign)
{
	uint32_t nodes[ORD_NODES_MAX];
	char text[ORD_NEMESIS_WORD_BYTES] = "";
	ord_nemesis_shuffle(r, nodes_count, nodes);
	ord_nemesis_list(nodes, first, text);
	strncat(text, sign, sizeof text - strlen(text) - 1);
	ord_nemesis_list(nodes + first, nodes_count - first, text);
	ord_nemesis_add(ret, "%s", text);
}

static void leader_add(struct ord_nemesis_plan *ret, struct ord_random *r, const struct ord_nemesis_shape *shape)
{
	ord_nemesis_add(ret, "--leader");
	ord_nemesis_add(ret, "%" PRIu64, ord_random_below(r, shape->partitions_count));
}

static void isolate_leader_plan(struct ord_random *r, const struct ord_nemesis_shape *shape,
				struct ord_nemesis_plan *ret)
{
	begin(ret, "isolate-leader");
	leader_add(ret, r, shape);
}

const struct ord_nemesis ord_nemesis_isolate_leader = {.name = "isolate-leader",
						       .summary = "the leader of a partition alone on one side",
						       .hooks = true,
						       .plan = isolate_leader_plan};

static void ring_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	(void)shape;
	begin(ret, "ring");
	ord_nemesis_add(ret, "--ring");
	ord_nemesis_add(ret, "--seed");
	ord_nemesis_add(ret, "%" PRIu64, ord_random_below(r, 1000000));
}

const struct ord_nemesis ord_nemesis_ring = {
	.name = "ring", .summary = "each node sees a majority, no two the same", .hooks = true, .plan = ring_plan};

static void one_way_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	begin(ret, "one-way");
	groups_add(ret, r, shape->nodes_count, 1 + (uint32_t)ord_random_below(r, shape->nodes_count - 1), ">");
}

const struct ord_nemesis ord_nemesis_one_way = {
	.name = "one-way",
	.summary = "what some nodes send to the others is lost, not what they hear",
	.hooks = true,
	.plan = one_way_plan};

static void partition_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	uint64_t drawn = ord_random_below(r, 100);
	if (drawn < 15) {
		one_way_plan(r, shape, ret);
	} else if (drawn < 30 && shape->nodes_count > 3) {
		ring_plan(r, shape, ret);
	} else if (drawn < 50) {
		isolate_leader_plan(r, shape, ret);
	} else {
		begin(ret, "partition");
		groups_add(ret, r, shape->nodes_count, drawn < 70 ? 1 : shape->nodes_count / 2, "|");
	}
}

const struct ord_nemesis ord_nemesis_partition = {
	.name = "partition",
	.summary = "majority and minority, one node alone, a leader alone, a ring, one way",
	.hooks = true,
	.plan = partition_plan};
