/* SPDX-License-Identifier: Apache-2.0 - nemesis: all of the others together. */
#include <stddef.h>

#include "jepsen/nemeses/nemeses.h"

static void all_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis *const parts[] = {
		&ord_nemesis_kill, &ord_nemesis_pause, &ord_nemesis_partition, &ord_nemesis_clock,
		&ord_nemesis_disk, &ord_nemesis_delay, &ord_nemesis_loss,
	};
	parts[ord_random_below(r, sizeof parts / sizeof(parts[0]))]->plan(r, shape, ret);
}

const struct ord_nemesis ord_nemesis_all = {.name = "all",
					    .summary = "kill, pause, partition, clock, disk, delay and loss together",
					    .hooks = true,
					    .plan = all_plan};
