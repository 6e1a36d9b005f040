/* SPDX-License-Identifier: Apache-2.0 - ordain fault clock: wall clocks that are wrong. */
#include <string.h>

#include "base/err.h"
#include "cli/fault_process.h"

#define PPM_MAX 500000
#define JUMP_MS_MAX (INT64_C(1000) * 3600 * 24 * 366 * 10)

struct wrong {
	const char *what; /* skew or jump */
	int64_t number;
	const char *target;
};

static int clock_change(struct ord_fault_work *w, const struct wrong *c, uint32_t *ret_mask)
{
	const struct ord_fault_pool pool = {.mask = ord_fault_running(w) & ~ord_fault_paused(w), .name = "runs"};
	struct ord_fault_look look;
	int err = ord_fault_resolve(w, c->target, &pool, ret_mask);
	if (err == ORD_OK)
		err = ord_fault_check_run(w, *ret_mask);
	if (err == ORD_OK)
		err = w->back->look(w->ctx, &look, w->why);
	for (uint32_t i = 0; err == ORD_OK && i < w->cluster.layout.nodes_count; i++) {
		struct ord_fault_clock rule = look.nodes[i].clock;
		if ((*ret_mask >> i & 1) == 0)
			continue;
		if (strcmp(c->what, "skew") == 0)
			rule.drift_ppm = (int32_t)c->number;
		else
			rule.offset_us += c->number * 1000;
		err = w->back->set_clock(w->ctx, i, &rule, w->why);
	}
	return err;
}

int ord_cmd_fault_clock(const struct ord_cmd *self, int argc, char **argv)
{
	struct ord_fault_work w;
	struct wrong c = {0};
	struct ord_flag flags[] = {
		{.name = "what",
		 .value = "WHAT",
		 .text = &c.what,
		 .choices = "skew jump",
		 .place = 1,
		 .required = true,
		 .help = "go faster or slower from now on, or jump once"},
		{.name = "by",
		 .value = "N",
		 .number = &c.number,
		 .min = -JUMP_MS_MAX,
		 .max = JUMP_MS_MAX,
		 .place = 2,
		 .required = true,
		 .help = "skew: parts per million, 10000 is 1 % fast, -10000 slow, 0 as it should be; jump: "
			 "milliseconds, below 0 back"},
		{.name = "target",
		 .value = "TARGET",
		 .text = &c.target,
		 .place = 3,
		 .required = true,
		 .help = ORD_FAULT_TARGET_HELP},
	};
	struct ord_args args = ord_fault_args(&w, self, flags, ORD_COUNT(flags));
	uint32_t mask = 0;
	int status;
	args.notes =
		"The wall clock alone: it gives entries their time and tells how old request ids are. Timeouts go by "
		"the\nmonotonic clock, which nothing can set. Several jumps add up.";
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	if (strcmp(c.what, "skew") == 0 && (c.number < -PPM_MAX || c.number > PPM_MAX))
		return ord_cmd_fail(self, ORD_EXIT_USAGE, "N: a skew is from %d to %d parts per million", -PPM_MAX,
				    PPM_MAX);
	int err = ord_fault_open(&w);
	if (err == ORD_OK)
		err = clock_change(&w, &c, &mask);
	struct ord_fault_answer answer = {.fault = "clock",
					  .nodes = mask,
					  .parts = ORD_FAULT_CLOCKS,
					  .has_seed = ord_fault_target_is_chance(c.target)};
	status = err == ORD_OK ? ord_fault_look_and_show(&w, &answer) : ord_fault_fail(&w, err);
	ord_fault_close(&w);
	return status;
}
