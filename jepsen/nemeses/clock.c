/* SPDX-License-Identifier: Apache-2.0 - nemesis: wall clocks that jump and run wrong. */
#include <inttypes.h>

#include "jepsen/nemeses/nemeses.h"

#define PPM_MAX 200000 /* a fifth too fast or too slow */

static void clock_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {
		.one = 30, .minority = 25, .majority = 20, .all = 5, .leader = 20};
	bool jump = ord_random_chance(r, 700), back = ord_random_chance(r, 500);
	/* From some milliseconds to an hour: each power of two as likely as the next. */
	uint64_t amount =
		jump ? (1 + ord_random_below(r, 2)) << ord_random_below(r, 22) : 1 + ord_random_below(r, PPM_MAX);
	ret->f = "clock";
	ord_nemesis_add(ret, "fault");
	ord_nemesis_add(ret, "clock");
	ord_nemesis_add(ret, jump ? "jump" : "skew");
	ord_nemesis_add(ret, "%s%" PRIu64, back ? "-" : "", amount);
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_clock = {
	.name = "clock",
	.summary = "wall clocks jump by milliseconds to an hour, or run up to a fifth wrong",
	.hooks = true,
	.plan = clock_plan};
