/* SPDX-License-Identifier: Apache-2.0 - what was added stays: for each rule a history that breaks just that. */
#include "jepsen/checkers/set.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

#define ADD(e) "0 invoke add " e "\n0 ok add " e "\n"
#define READ(elements) "1 invoke read nil\n1 ok read " elements "\n"
#define RANGE(from, to, found) "1 invoke read nil\n1 ok read {:from " from " :to " to " :found " found "}\n"

static void expect_at(int line, const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	fprintf(stderr, "line %d\n", line);
	story_of(text, &h);
	cr_assert_eq(ord_check_set(&h, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

#define VALID(text) expect_at(__LINE__, text, ORD_VALID, NULL)
#define INVALID(rule, text) expect_at(__LINE__, text, ORD_INVALID, rule)
#define UNKNOWN(rule, text) expect_at(__LINE__, text, ORD_UNKNOWN, rule)

Test(jepsen_set, a_history_is_good)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(ADD("1") READ("[1]") "2 invoke add 2\n" READ(
			 "[1]") "2 ok add 2\n"
				"3 invoke add 3\n3 info add 3\n4 invoke add 4\n4 fail add 4\n" RANGE(
					"2", "4",
					"[2]") "5 invoke add 5\n5 info add 5\n" RANGE("5", "9",
										      "[5]") "1 invoke final-read "
											     "nil\n1 ok final-read [5 "
											     "2 1]\n",
		 &h);
	cr_assert_eq(ord_check_set(&h, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "attempts"), 5);
	cr_assert_eq(story_figure(&v, "acknowledged"), 2);
	cr_assert_eq(story_figure(&v, "stable"), 3);
	cr_assert_eq(story_figure(&v, "recovered"), 1);
	cr_assert_eq(story_figure(&v, "reads"), 5);
	cr_assert_eq(story_figure(&v, "lost") + story_figure(&v, "stale") + story_figure(&v, "never-read"), 0);
	story_expect(&v, ORD_VALID, NULL);
	ord_jepsen_close(&h);
}

Test(jepsen_set, what_was_acknowledged_is_there_at_the_end)
{
	INVALID("lost", ADD("1") READ("[]"));
	INVALID("lost", ADD("1") READ("[1]") READ("[]"));
	INVALID("lost", ADD("1") RANGE("1", "1", "[1]") RANGE("0", "5", "[]"));
	VALID(ADD("1") RANGE("1", "1", "[1]") RANGE("2", "5", "[]"));
}

Test(jepsen_set, what_was_acknowledged_is_there_from_then_on)
{
	INVALID("stale", ADD("1") READ("[]") READ("[1]"));
	INVALID("stale", ADD("1") RANGE("1", "3", "[]") READ("[1]"));
	/* A read that was under way need not have it. */
	VALID("1 invoke read nil\n" ADD("1") "1 ok read []\n" READ("[1]"));
}

Test(jepsen_set, what_was_read_once_is_read_from_then_on)
{
	INVALID("lost", "0 invoke add 1\n" READ("[1]") READ("[]") "0 info add 1\n");
	INVALID("stale", "0 invoke add 1\n" READ("[1]") READ("[]") READ("[1]") "0 ok add 1\n");
	VALID("0 invoke add 1\n" READ("[]") READ("[1]") "0 info add 1\n" READ("[1]"));
}

Test(jepsen_set, an_element_is_there_once)
{
	INVALID("duplicated", ADD("1") READ("[1 1]"));
}

Test(jepsen_set, nothing_is_there_that_nobody_added)
{
	INVALID("never-added", ADD("1") READ("[1 2]"));
	INVALID("never-added", READ("[1]") ADD("1") READ("[1]"));
	INVALID("failed-but-there", "0 invoke add 1\n0 fail add 1\n" READ("[1]"));
	VALID("0 invoke add 1\n0 fail add 1\n0 invoke add 1\n0 ok add 1\n" READ("[1]"));
}

Test(jepsen_set, what_nobody_looked_for_is_not_valid)
{
	UNKNOWN("never-read", READ("[]") ADD("1"));
	UNKNOWN("never-read", ADD("1") ADD("2") RANGE("1", "1", "[1]"));
	UNKNOWN("no-read", "0 invoke add 1\n0 info add 1\n");
}

Test(jepsen_set, an_info_may_be_seen_at_the_end_alone)
{
	VALID("0 invoke add 1\n0 info add 1\n" READ("[1]"));
	VALID("0 invoke add 1\n0 info add 1\n" READ("[]"));
}

Test(jepsen_set, what_cannot_be_understood_is_not_valid)
{
	UNKNOWN("malformed", ADD(":x") READ("[]"));
	UNKNOWN("malformed", "0 invoke add 1\n0 ok add 2\n" READ("[]"));
	UNKNOWN("malformed", ADD("1") READ("[1]") READ("nil"));
	UNKNOWN("malformed", ADD("1") READ("[1]") READ("[:x]"));
	UNKNOWN("malformed", ADD("1") READ("[1]") RANGE("2", "3", "[1]"));
	UNKNOWN("malformed", ADD("1") READ("[1]") RANGE("0", "2000000", "[1]"));
	UNKNOWN("malformed", ADD("1") READ("[1]") "0 invoke read nil\n0 ok read {:found [1]}\n");
}

Test(jepsen_set, tells_how_long_an_element_was_not_seen)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(ADD("1") "at 100\n" READ("[]") "at 200\n" READ("[1]"), &h);
	cr_assert_eq(ord_check_set(&h, &v), ORD_OK);
	/* Known at 1 ms, missing in a read that began at 100 ms. */
	cr_assert_eq(ord_edn_get(ord_edn_get(v.figures, "stable-latency-us"), "max").integer, 99000);
	story_expect(&v, ORD_INVALID, "stale");
	ord_jepsen_close(&h);
}

/* What a range costs is what was asked for, not how wide it is. */
Test(jepsen_set, wide_ranges_are_looked_at_in_time, .timeout = 20)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	struct ord_edn_pool pool;
	ord_edn_pool_init(&pool, 1 << 20);
	struct ord_edn range = ord_edn_map(&pool, 3);
	ord_edn_put_word(&range, "from", ord_edn_int(1));
	ord_edn_put_word(&range, "to", ord_edn_int(1 << 20));
	ord_edn_put_word(&range, "found", ord_edn_vector(&pool, 0));
	cr_assert_eq(ord_jepsen_open(1, &h), ORD_OK);
	ord_jepsen_invoke(&h, 0, 1, "add", ord_edn_int(5), NULL);
	ord_jepsen_complete(&h, 0, 1, ORD_JEPSEN_OK, ord_edn_nil(), ord_edn_nil());
	for (int i = 0; i < 10000; i++) {
		ord_jepsen_invoke(&h, 0, 1, "read", ord_edn_nil(), NULL);
		ord_jepsen_complete(&h, 0, 1, ORD_JEPSEN_OK, range, ord_edn_nil());
	}
	cr_assert_eq(ord_check_set(&h, &v), ORD_OK);
	story_expect(&v, ORD_INVALID, "lost");
	ord_edn_pool_close(&pool);
	ord_jepsen_close(&h);
}
