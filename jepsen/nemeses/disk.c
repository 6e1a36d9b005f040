/* SPDX-License-Identifier: Apache-2.0 - nemeses: disks that are slow, full, fail, or lose what they had. What is lost or damaged is one node's, the same for the whole run. */
#include <inttypes.h>

#include "jepsen/nemeses/nemeses.h"

static void begin(struct ord_nemesis_plan *ret, const char *f, const char *verb)
{
	ret->f = f;
	ord_nemesis_add(ret, "fault");
	ord_nemesis_add(ret, "%s", verb);
}

static void slow_disk_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {.one = 40, .minority = 20, .majority = 10, .leader = 30};
	begin(ret, "slow-disk", "disk");
	ord_nemesis_add(ret, "slow");
	ord_nemesis_add(ret, "%" PRIu64, 10 + ord_random_skewed(r, 200));
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_slow_disk = {
	.name = "slow-disk", .summary = "each sync takes 10 to 210 ms longer", .hooks = true, .plan = slow_disk_plan};

static void full_disk_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {.one = 40, .minority = 20, .majority = 10, .leader = 30};
	begin(ret, "full-disk", "disk");
	ord_nemesis_add(ret, "full");
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_full_disk = {
	.name = "full-disk", .summary = "no room is left on the disk", .hooks = true, .plan = full_disk_plan};

static void error_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {.one = 60, .leader = 40};
	begin(ret, "disk-error", "disk");
	ord_nemesis_add(ret, "error");
	ord_nemesis_add_target(ret, r, shape, &weights);
}

static void power_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	static const struct ord_nemesis_weights weights = {.one = 15, .minority = 15, .majority = 20, .all = 50};
	begin(ret, "disk-error", "disk");
	ord_nemesis_add(ret, "error");
	ord_nemesis_add_target(ret, r, shape, &weights);
}

const struct ord_nemesis ord_nemesis_power = {.name = "power",
					      .summary = "the disks of some or all nodes end at once; with --netns "
							 "what was not synced is lost, as when power fails",
					      .hooks = true,
					      .plan = power_plan};

static void corrupt_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	/* A young history has no file yet, a young cluster no state. */
	static const char *const kinds[] = {"wal", "wal", "wal", "state", "history"};
	begin(ret, "corrupt", "disk");
	ret->harms_data = true;
	ord_nemesis_add(ret, "corrupt");
	ord_nemesis_add(ret, "%s", kinds[ord_random_below(r, sizeof kinds / sizeof(kinds[0]))]);
	ord_nemesis_add(ret, "%" PRIu32, shape->victim);
	ord_nemesis_add(ret, "--seed");
	ord_nemesis_add(ret, "%" PRIu64, ord_random_below(r, 1000000));
}

const struct ord_nemesis ord_nemesis_corrupt = {
	.name = "corrupt",
	.summary = "one bit of the log, the history or a state on one node's disk is flipped",
	.hooks = true,
	.plan = corrupt_plan};

static void wipe_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	(void)r;
	begin(ret, "wipe", "wipe");
	ret->harms_data = true;
	ord_nemesis_add(ret, "%" PRIu32, shape->victim);
}

const struct ord_nemesis ord_nemesis_wipe = {
	.name = "wipe", .summary = "one node is killed and loses all its data", .plan = wipe_plan};

static void disk_plan(struct ord_random *r, const struct ord_nemesis_shape *shape, struct ord_nemesis_plan *ret)
{
	uint64_t drawn = ord_random_below(r, 100);
	if (drawn < 30)
		slow_disk_plan(r, shape, ret);
	else if (drawn < 50)
		full_disk_plan(r, shape, ret);
	else if (drawn < 70)
		error_plan(r, shape, ret);
	else if (drawn < 88)
		corrupt_plan(r, shape, ret);
	else
		wipe_plan(r, shape, ret);
}

const struct ord_nemesis ord_nemesis_disk = {
	.name = "disk", .summary = "disks are slow, full, fail, are damaged or lost", .hooks = true, .plan = disk_plan};
