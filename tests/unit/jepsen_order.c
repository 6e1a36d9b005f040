/* SPDX-License-Identifier: Apache-2.0 - one order for all commands of a partition: for each rule a history that breaks just that. */
#include "jepsen/checkers/order.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

#define DO(p, id, position) p " invoke claim {:id " id "}\n" p " ok claim {:position " position "}\n"
#define LOG(node, partition, from, rest) \
	"9 invoke log nil\n9 ok log {:node " node " :partition " partition " :from " from " :commands " rest "}\n"

static void expect_at(int line, const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	fprintf(stderr, "line %d\n", line);
	story_of(text, &h);
	cr_assert_eq(ord_check_order(&h, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

#define VALID(text) expect_at(__LINE__, text, ORD_VALID, NULL)
#define INVALID(rule, text) expect_at(__LINE__, text, ORD_INVALID, rule)
#define UNKNOWN(rule, text) expect_at(__LINE__, text, ORD_UNKNOWN, rule)

Test(jepsen_order, a_history_is_good)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(DO("0", "1", "[0 1]") DO("0", "2", "[0 2]") DO("0", "3", "[1 1]")
			 LOG("1", "0", "0", "[\"x\" \"y\" \"z\"] :ids [nil 1 2]")
				 LOG("2", "0", "0", "[\"x\" \"y\"] :ids [nil 1]") LOG("2", "0", "2", "[\"z\"]")
					 LOG("1", "1", "0", "[\"v\" \"w\"]") LOG("2", "1", "0", "[\"v\" \"w\"]"),
		 &h);
	cr_assert_eq(ord_check_order(&h, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "acknowledged"), 3);
	cr_assert_eq(story_figure(&v, "partitions"), 2);
	cr_assert_eq(story_figure(&v, "replicas"), 4);
	cr_assert_eq(story_figure(&v, "compared"), 5);
	cr_assert_eq(story_figure(&v, "found-in-logs"), 3);
	story_expect(&v, ORD_VALID, NULL);
	ord_jepsen_close(&h);
}

Test(jepsen_order, a_position_is_of_one_command)
{
	INVALID("shared-position", DO("0", "1", "[0 1]") DO("0", "2", "[0 1]"));
	VALID(DO("0", "1", "[0 1]") DO("0", "2", "[1 1]"));
	/* Also when one of them was asked for last of all before. */
	INVALID("shared-position", DO("0", "5", "[0 0]") DO("0", "1", "[0 1]") DO("0", "2", "[0 1]"));
}

Test(jepsen_order, a_command_stays_where_it_is)
{
	INVALID("moved", DO("0", "1", "[0 1]") DO("0", "1", "[0 2]"));
	INVALID("moved", DO("0", "1", "[0 1]") DO("0", "1", "[1 1]"));
	INVALID("moved", DO("0", "1", "[0 1]") "1 invoke request {:id 1}\n1 ok request {:id 1 :position [0 3]}\n");
	VALID(DO("0", "1", "[0 1]") DO("0", "1", "[0 1]"));
	VALID(DO("0", "1", "[0 1]") "1 invoke claim {:id 1}\n1 ok claim {:reason :id_reused :position [0 7]}\n");
}

Test(jepsen_order, the_order_agrees_with_real_time)
{
	INVALID("real-time", DO("0", "1", "[0 2]") DO("0", "2", "[0 1]"));
	INVALID("real-time", DO("0", "1", "[0 5]") DO("0", "2", "[0 2]") DO("0", "3", "[0 4]"));
	INVALID("real-time", DO("0", "1", "[0 0]") DO("0", "2", "[0 2]") DO("0", "3", "[0 1]"));
	/* The one that was asked last of those before it counts, not the nearest. */
	INVALID("real-time", "1 invoke claim {:id 2}\n" DO("0", "3", "[0 3]")
				     DO("0", "1", "[0 1]") "1 ok claim {:position [0 2]}\n");
	VALID(DO("0", "1", "[0 2]") DO("0", "2", "[1 1]"));
	/* What was under way at one time may be in any order. */
	VALID("1 invoke claim {:id 2}\n" DO("0", "1", "[0 2]") "1 ok claim {:position [0 1]}\n");
	/* What is asked for again was asked for before. */
	VALID("1 invoke claim {:id 2}\n1 info claim nil\n" DO("0", "1", "[0 2]") DO("2", "2", "[0 1]"));
}

Test(jepsen_order, replicas_have_the_same)
{
	INVALID("replicas-differ",
		DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\" \"y\"]") LOG("2", "0", "0", "[\"x\" \"z\"]"));
	INVALID("replicas-differ", DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\"]") LOG("1", "0", "0", "[\"z\"]"));
	VALID(DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\" \"y\"]") LOG("1", "1", "0", "[\"x\" \"z\"]"));
	VALID(DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\" \"y\"]") LOG("2", "0", "1", "[\"y\" \"z\"]"));
}

Test(jepsen_order, a_log_has_no_hole)
{
	INVALID("hole", DO("0", "1", "[0 9]") LOG("1", "0", "0", "[\"x\" nil \"y\"]"));
	INVALID("hole", DO("0", "1", "[0 9]") LOG("1", "0", "0", "[\"x\"]") LOG("1", "0", "2", "[\"y\"]"));
	VALID(DO("0", "1", "[0 0]") LOG("1", "0", "0", "[\"x\" nil]"));
}

Test(jepsen_order, what_was_acknowledged_is_in_the_log)
{
	INVALID("not-in-log", DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\" \"y\"] :ids [1 nil]"));
	INVALID("not-in-log", DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\" \"y\"] :ids [nil 2]"));
	VALID(DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\" \"y\"] :ids [nil 1]"));
	/* The log may be read before the answer comes. */
	VALID("0 invoke claim {:id 1}\n" LOG("1", "0", "0",
					     "[\"x\" \"y\"] :ids [nil 1]") "0 ok claim {:position [0 1]}\n");
}

Test(jepsen_order, a_log_that_is_read_last_has_all_that_was_acknowledged)
{
	INVALID("short-log", DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\"] :ids [nil]"));
	INVALID("short-log", DO("0", "1", "[0 1]") LOG("1", "0", "2", "[\"z\"]"));
	INVALID("short-log", DO("0", "1", "[0 0]") LOG("1", "0", "0", "[]"));
	/* Also when another node has it. */
	INVALID("short-log", DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\" \"y\"]") LOG("2", "0", "0", "[\"x\"]"));
	/* All pieces of a log together. */
	VALID(DO("0", "1", "[0 2]") LOG("1", "0", "2", "[\"z\"]") LOG("1", "0", "0", "[\"x\" \"y\"]"));
	VALID(DO("0", "1", "[0 0]") LOG("1", "0", "0", "[\"x\"]") LOG("1", "0", "0", "[]"));
	VALID(DO("0", "1", "[0 0]") LOG("1", "0", "7", "[]") LOG("1", "0", "0", "[\"x\"]"));
	/* What is acknowledged later need not be there yet. */
	VALID(DO("0", "1", "[0 0]") LOG("1", "0", "0", "[\"x\"]") DO("0", "2", "[0 1]"));
}

Test(jepsen_order, a_log_that_nobody_read_is_not_equal)
{
	UNKNOWN("missing-log", DO("0", "1", "[1 0]") LOG("1", "0", "0", "[\"x\"]"));
	UNKNOWN("missing-log", DO("0", "1", "[0 0]") LOG("1", "0", "0", "[\"x\"]") LOG("2", "0", "0", "[\"x\"]")
				       LOG("2", "1", "0", "[]"));
	VALID(DO("0", "1", "[0 0]") LOG("1", "0", "0", "[\"x\"]") LOG("2", "0", "0", "[\"x\"]") LOG("2", "1", "0", "[]")
		      LOG("1", "1", "0", "[]"));
}

Test(jepsen_order, what_certainly_was_not_logged_is_in_no_log)
{
#define FAILED(id) "1 invoke claim {:id " id "}\n1 fail claim nil error :busy\n"
#define BOTH LOG("1", "0", "0", "[\"x\" \"y\"] :ids [1 2]")
	INVALID("failed-but-logged", DO("0", "1", "[0 0]") FAILED("2") BOTH);
	INVALID("failed-but-logged", DO("0", "1", "[0 0]") FAILED("2") FAILED("2") BOTH);
	VALID(DO("0", "1", "[0 0]") FAILED("3") BOTH);
	/* Of two operations one may have been logged. */
	VALID(DO("0", "1", "[0 0]") FAILED("2") "1 invoke claim {:id 2}\n1 info claim nil\n" BOTH);
	VALID(DO("0", "1", "[0 0]") "1 invoke claim {:id 2}\n" FAILED("1") BOTH);
	/* That it could not be asked about says nothing. */
	VALID(DO("0", "1", "[0 0]") "1 invoke claim {:id 2}\n1 info claim nil\n"
				    "2 invoke request {:id 2}\n2 fail request nil error :timeout\n" BOTH);
}

Test(jepsen_order, what_cannot_be_judged_is_not_valid)
{
	UNKNOWN("no-positions", "");
	UNKNOWN("no-positions", "0 invoke claim {:id 1}\n0 ok claim {:id 1}\n");
	UNKNOWN("malformed", DO("0", "1", "[0 1]") DO("0", "2", "7"));
	UNKNOWN("malformed", DO("0", "1", "[0 1]") DO("0", "2", "[-1 3]"));
	UNKNOWN("malformed", DO("0", "1", "[0 1]") LOG("1", "0", "0", "7"));
	UNKNOWN("malformed", DO("0", "1", "[0 1]") LOG("1", "0", "0", "[\"x\"] :ids []"));
	UNKNOWN("malformed", DO("0", "1", "[0 1]") LOG("1", "0", "nil", "[]"));
}
