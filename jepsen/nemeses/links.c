/* SPDX-License-Identifier: Apache-2.0 - nemeses: a bad network between all nodes. */
#include <inttypes.h>

#include "jepsen/nemeses/nemeses.h"

static void begin(struct ord_nemesis_plan *ret, const char *f)
{
	ret->f = f;
	ord_nemesis_add(ret, "fault");
	ord_nemesis_add(ret, "%s", f);
}

static void delay_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	uint64_t delay_ms = 5 + ord_random_skewed(r, 100);
	(void)shape;
	begin(ret, "delay");
	ord_nemesis_add(ret, "%" PRIu64, delay_ms);
	ord_nemesis_add(ret, "--jitter");
	ord_nemesis_add(ret, "%" PRIu64, ord_random_below(r, delay_ms + 1));
}

const struct ord_nemesis ord_nemesis_delay = {
	.name = "delay", .summary = "messages take 5 to 105 ms longer, unevenly", .hooks = true, .plan = delay_plan};

static void loss_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const char *const kinds[] = {"loss", "duplicate", "reorder"};
	(void)shape;
	begin(ret, kinds[ord_random_skewed(r, 3)]);
	ord_nemesis_add(ret, "%" PRIu64, 1 + ord_random_below(r, 20));
}

const struct ord_nemesis ord_nemesis_loss = {
	.name = "loss",
	.summary = "1 to 20 % of the messages are lost, come twice or in another order",
	.hooks = true,
	.plan = loss_plan};
