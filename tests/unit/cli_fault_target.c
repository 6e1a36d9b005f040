/* SPDX-License-Identifier: Apache-2.0 - tests of cli/fault_target.h and cli/fault_spec.h. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/fault_spec.h"

static const int leaders[4] = {2, ORD_FAULT_NO_LEADER, 0, 0};

static struct ord_fault_view view_of(uint32_t nodes_count)
{
	struct ord_fault_view v = {.nodes_count = nodes_count,
				   .partitions_count = 4,
				   .leaders = leaders,
				   .pool = (1u << nodes_count) - 1,
				   .pool_name = "runs",
				   .seed = 7};
	for (uint32_t i = 0; i < nodes_count; i++)
		v.ids[i] = i + 1;
	return v;
}

static uint32_t target(const char *text, const struct ord_fault_view *v)
{
	char why[512] = "";
	uint32_t mask = 0;
	cr_assert_eq(ord_fault_target(text, v, &mask, why, sizeof why), ORD_OK, "%s: %s", text, why);
	return mask;
}

static void refuses(const char *text, const struct ord_fault_view *v, int err, const char *says)
{
	char why[512] = "";
	uint32_t mask = 77;
	cr_expect_eq(ord_fault_target(text, v, &mask, why, sizeof why), err, "%s", text);
	cr_expect_eq(mask, 77, "%s: untouched", text);
	cr_expect_not_null(strstr(why, says), "%s: %s", text, why);
}

Test(cli_fault_target, numbers_and_all)
{
	struct ord_fault_view v = view_of(5);
	cr_assert_eq(target("2", &v), 1u << 1);
	cr_assert_eq(target("1,3,5", &v), 0x15);
	cr_assert_eq(target("all", &v), 0x1f);
}

Test(cli_fault_target, roles_are_of_a_partition)
{
	struct ord_fault_view v = view_of(5);
	cr_assert_eq(target("leader:0", &v), 1u << 2);
	uint32_t follower = target("follower:0", &v);
	cr_assert_eq(__builtin_popcount(follower), 1);
	cr_assert_neq(follower, 1u << 2);
	v.pool = 1u << 2 | 1u << 4;
	cr_assert_eq(target("follower:0", &v), 1u << 4, "the only one that runs");
	v.pool = 1u << 2;
	refuses("follower:0", &v, ORD_ERR_NOT_FOUND, "no node but the leader that runs");
	refuses("leader:1", &v, ORD_ERR_NOT_FOUND, "leads partition 1 now");
	refuses("leader:4", &v, ORD_ERR_INVALID, "partitions 0 to 3");
	refuses("leader:", &v, ORD_ERR_INVALID, "partitions 0 to 3");
	v.leaders = NULL;
	refuses("leader:0", &v, ORD_ERR_NOT_FOUND, "leads partition 0 now");
}

Test(cli_fault_target, chance_is_decided_by_the_seed_and_takes_what_is_asked_for)
{
	uint32_t seen = 0;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct ord_fault_view v = view_of(5);
		v.seed = seed;
		cr_assert_eq(__builtin_popcount(target("majority", &v)), 3);
		cr_assert_eq(__builtin_popcount(target("minority", &v)), 2);
		v.pool = 0x16;
		uint32_t one = target("random", &v);
		cr_assert_eq(__builtin_popcount(one), 1);
		cr_assert_eq(one & ~v.pool, 0);
		cr_assert_eq(target("random", &v), one, "the same seed, the same node");
		seen |= one;
	}
	cr_assert_eq(seen, 0x16, "each has its turn");
	struct ord_fault_view v = view_of(2);
	refuses("minority", &v, ORD_ERR_NOT_FOUND, "has none");
	v.pool = 0;
	v.pool_name = "is down";
	refuses("random", &v, ORD_ERR_NOT_FOUND, "no node that is down");
}

Test(cli_fault_target, what_makes_no_sense_is_told)
{
	static const char *const wrong[] = {"", ",", ",1", "x", "node 1", "leader", "RANDOM"};
	static const char *const lists[] = {"1,", "1,,2", "1-3", "123456789", "1.5"};
	struct ord_fault_view v = view_of(3);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refuses(wrong[i], &v, ORD_ERR_INVALID, "is no target");
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		refuses(lists[i], &v, ORD_ERR_INVALID, "is no list of node numbers");
	refuses("4", &v, ORD_ERR_INVALID, "there is no node 4; this cluster has nodes 1 to 3");
	refuses("0", &v, ORD_ERR_INVALID, "there is no node 0");
	refuses("1,2,1", &v, ORD_ERR_INVALID, "node 1 is named twice");
}

/* --- Partitions. --- */

/* "12 13" for the cut links 1>2 and 1>3, in order. */
static const char *shown(const struct ord_fault_cuts *c)
{
	static char text[512];
	size_t len = 0;
	text[0] = '\0';
	for (int i = 0; i < ORD_NODES_MAX; i++)
		for (int k = 0; k < ORD_NODES_MAX; k++)
			if (c->cut[i][k])
				len += (size_t)snprintf(text + len, sizeof text - len, "%s%d%d", len > 0 ? " " : "",
							i + 1, k + 1);
	return text;
}

static const char *spec(const char *text, uint32_t nodes_count)
{
	struct ord_fault_view v = view_of(nodes_count);
	struct ord_fault_cuts cuts;
	char why[512];
	if (ord_fault_spec(text, &v, &cuts, why, sizeof why) == ORD_OK)
		return shown(&cuts);
	static char said[512];
	snprintf(said, sizeof said, "%s", why);
	return said;
}

Test(cli_fault_target, a_partition_is_groups_or_one_direction)
{
	cr_assert_str_eq(spec("1|2,3", 3), "12 13 21 31");
	cr_assert_str_eq(spec("1|2|3", 3), "12 13 21 23 31 32");
	cr_assert_str_eq(spec("1|3", 3), "13 31", "a node in no group reaches all");
	cr_assert_str_eq(spec("1>3", 3), "13");
	cr_assert_str_eq(spec("1,2>3,4", 4), "13 14 23 24");
}

Test(cli_fault_target, a_partition_that_makes_no_sense_is_told)
{
	cr_expect_not_null(strstr(spec("1,2", 3), "cuts nothing"));
	cr_expect_not_null(strstr(spec("", 3), "cuts nothing"));
	cr_expect_not_null(strstr(spec("1|", 3), "is no list of node numbers"));
	cr_expect_not_null(strstr(spec("|1", 3), "is no list of node numbers"));
	cr_expect_not_null(strstr(spec(">1", 3), "is no list of node numbers"));
	cr_expect_not_null(strstr(spec("1>2>3", 3), "is no list of node numbers"));
	cr_expect_not_null(strstr(spec("1>2|3", 3), "is no list of node numbers"));
	cr_expect_not_null(strstr(spec("1|2,1", 3), "on both sides"));
	cr_expect_not_null(strstr(spec("1>1", 3), "on both sides"));
	cr_expect_not_null(strstr(spec("1|4", 3), "there is no node 4"));
}

Test(cli_fault_target, in_a_ring_each_reaches_a_majority_and_no_two_the_same)
{
	for (uint32_t n = 3; n <= ORD_NODES_MAX; n++) {
		for (uint64_t seed = 0; seed < 20; seed++) {
			struct ord_fault_view v = view_of(n);
			struct ord_fault_cuts c;
			char why[512];
			uint32_t reached[ORD_NODES_MAX] = {0};
			v.seed = seed;
			cr_assert_eq(ord_fault_spec_ring(&v, &c, why, sizeof why), ORD_OK);
			for (uint32_t i = 0; i < n; i++) {
				for (uint32_t k = 0; k < n; k++) {
					cr_assert_eq(c.cut[i][k], c.cut[k][i]);
					reached[i] |= (uint32_t)!c.cut[i][k] << k;
				}
				cr_assert((reached[i] >> i & 1) != 0, "itself");
				cr_assert_gt(2 * (uint32_t)__builtin_popcount(reached[i]), n);
				for (uint32_t k = 0; k < i; k++)
					cr_assert_neq(reached[i], reached[k], "%u nodes, seed %lu", n, seed);
			}
		}
	}
	struct ord_fault_view two = view_of(2);
	struct ord_fault_cuts c;
	char why[512];
	cr_assert_eq(ord_fault_spec_ring(&two, &c, why, sizeof why), ORD_ERR_INVALID);
}

Test(cli_fault_target, some_nodes_apart)
{
	struct ord_fault_view v = view_of(3);
	struct ord_fault_cuts c;
	ord_fault_spec_apart(&v, 1u << 1, &c);
	cr_assert_str_eq(shown(&c), "12 21 23 32");
}

Test(cli_fault_target, percentages)
{
	static const struct {
		const char *text;
		uint32_t ppm;
	} right[] = {{"0", 0},		 {"1", 10000},	      {"0.5", 5000},  {"0.0001", 1},  {"100", 1000000},
		     {"100.0", 1000000}, {"99.9999", 999999}, {"007", 70000}, {"3.14", 31400}};
	static const char *const wrong[] = {"",	  ".",	 "1.",	    ".5", "101", "100.0001",
					    "-1", "1e2", "0.00001", "1 ", "5%",	 "99999999999999999999"};
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		uint32_t ppm = 1;
		cr_expect_eq(ord_fault_percent(right[i].text, &ppm), ORD_OK, "%s", right[i].text);
		cr_expect_eq(ppm, right[i].ppm, "%s gives %u", right[i].text, ppm);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		uint32_t ppm;
		cr_expect_eq(ord_fault_percent(wrong[i], &ppm), ORD_ERR_INVALID, "%s", wrong[i]);
	}
}
