/* SPDX-License-Identifier: Apache-2.0 - what nemeses plan: by seed, with words that `ordain fault` takes, and never more than a minority's data. */
#include "jepsen/nemesis.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PLANS 300

static const struct ord_nemesis_shape shape = {.nodes_count = 5, .partitions_count = 8, .victim = 4};

static struct ord_nemesis_plan plan_of(const struct ord_nemesis *n, struct ord_random *r)
{
	struct ord_nemesis_plan plan = {0};
	n->plan(r, &shape, &plan);
	return plan;
}

Test(jepsen_nemesis, each_is_found_by_its_name)
{
	for (const struct ord_nemesis *const *n = ord_nemeses; *n != NULL; n++)
		cr_expect_eq(ord_nemesis_find((*n)->name), *n, "%s", (*n)->name);
	cr_expect_null(ord_nemesis_find("nobody"));
}

Test(jepsen_nemesis, a_seed_plans_the_same_again)
{
	for (const struct ord_nemesis *const *n = ord_nemeses; *n != NULL; n++) {
		struct ord_random a, b;
		ord_random_init(&a, 5, 1);
		ord_random_init(&b, 5, 1);
		for (int i = 0; (*n)->plan != NULL && i < PLANS; i++) {
			struct ord_nemesis_plan x = plan_of(*n, &a), y = plan_of(*n, &b);
			cr_assert_eq(memcmp(x.words, y.words, sizeof x.words), 0, "%s", (*n)->name);
		}
	}
}

/* "2", "1,3", "leader:7". */
static bool is_target(const char *word)
{
	if (strncmp(word, "leader:", 7) == 0)
		return atoi(word + 7) >= 0 && atoi(word + 7) < 8;
	for (; *word != '\0'; word++) {
		if (*word != ',' && (*word < '1' || *word > '5'))
			return false;
	}
	return true;
}

/* "1,2|3,4,5", "1>2": each node once. */
static bool is_spec(const char *word)
{
	uint32_t seen = 0;
	for (; *word != '\0'; word++) {
		if (strchr(",|>", *word) != NULL)
			continue;
		if (*word < '1' || *word > '5' || (seen >> (*word - '0') & 1) != 0)
			return false;
		seen |= 1u << (*word - '0');
	}
	return seen == 0x3E;
}

Test(jepsen_nemesis, processes_and_groups_are_named_well)
{
	static const char *const names[] = {"kill", "pause", "kill-leader", "kill-all", "pause-leader"};
	struct ord_random r;
	ord_random_init(&r, 1, 1);
	for (int i = 0; i < PLANS; i++) {
		struct ord_nemesis_plan p = plan_of(ord_nemesis_find(names[i % 5]), &r);
		cr_assert_eq(p.words_count, 3);
		cr_assert(is_target(p.words[2]), "%s", p.words[2]);
		p = plan_of(ord_nemesis_find("partition"), &r);
		cr_assert(p.words[2][0] == '-' || is_spec(p.words[2]), "%s", p.words[2]);
	}
}

Test(jepsen_nemesis, data_is_harmed_on_one_node_alone)
{
	struct ord_random r;
	uint32_t harmed = 0;
	ord_random_init(&r, 1, 1);
	for (int i = 0; i < 10 * PLANS; i++) {
		struct ord_nemesis_plan p = plan_of(ord_nemesis_find(i % 2 == 0 ? "disk" : "all"), &r);
		bool wipes = strcmp(p.words[1], "wipe") == 0;
		bool corrupts = p.words_count > 2 && strcmp(p.words[2], "corrupt") == 0;
		cr_assert_eq(p.harms_data, wipes || corrupts);
		if (p.harms_data)
			cr_assert_str_eq(p.words[wipes ? 2 : 4], "4");
		harmed += p.harms_data;
	}
	cr_expect_gt(harmed, 0);
}

Test(jepsen_nemesis, combinations_hold_all_kinds)
{
	static const char *const wanted[] = {"kill",	"pause",     "partition", "isolate-leader", "ring",
					     "one-way", "clock",     "delay",	  "loss",	    "slow-disk",
					     "wipe",	"corrupt",   "full-disk", "term",	    "duplicate",
					     "reorder", "disk-error"};
	struct ord_random r;
	bool seen[sizeof wanted / sizeof *wanted] = {0};
	ord_random_init(&r, 1, 1);
	for (int i = 0; i < 10 * PLANS; i++) {
		struct ord_nemesis_plan p = plan_of(ord_nemesis_find("all"), &r);
		for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
			seen[k] = seen[k] || strcmp(p.f, wanted[k]) == 0;
	}
	for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
		cr_expect(seen[k], "%s never comes", wanted[k]);
}
