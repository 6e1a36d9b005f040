/* SPDX-License-Identifier: Apache-2.0 - never oversold: for each rule a history that breaks just that. */
#include "jepsen/checkers/stock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

#define BEGIN(stock)                                                    \
	"0 invoke open {:account :mint :floor -1000}\n0 ok open nil\n"  \
	"0 invoke open {:account :i :stock " stock "}\n0 ok open nil\n" \
	"0 invoke open {:account :b}\n0 ok open nil\n"                  \
	"0 invoke transfer {:id 1 :from :mint :to :i :amount 3}\n0 ok transfer {:id 1 :outcome :settled}\n"
#define BUY(id, amount) "3 invoke transfer {:id " id " :from :i :to :b :amount " amount "}\n"
#define SETTLED "3 ok transfer {:outcome :settled}\n"
#define REFUSED "3 ok transfer {:outcome :refused :reason :below_floor}\n"
#define FINAL(i, b) "0 invoke final-read nil\n0 ok final-read {:mint -3 :i " i " :b " b "}\n"

static void expect_at(int line, const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	fprintf(stderr, "line %d\n", line);
	story_of(text, &h);
	cr_assert_eq(ord_check_stock(&h, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

Test(jepsen_stock, what_is_there_is_sold_and_no_more)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(BEGIN("3") BUY("2", "2") SETTLED BUY("3", "2") REFUSED BUY("4", "1") SETTLED BUY("5", "1")
			 REFUSED FINAL("0", "3"),
		 &h);
	cr_assert_eq(ord_check_stock(&h, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "items"), 1);
	cr_assert_eq(story_figure(&v, "stock"), 3);
	cr_assert_eq(story_figure(&v, "sold"), 3);
	cr_assert_eq(story_figure(&v, "left"), 0);
	cr_assert_eq(story_figure(&v, "sold-out"), 1);
	cr_assert_eq(story_figure(&v, "purchases-refused"), 2);
	story_expect(&v, ORD_VALID, NULL);
	ord_jepsen_close(&h);
}

Test(jepsen_stock, more_than_there_was_is_oversold)
{
	expect_at(__LINE__, BEGIN("3") BUY("2", "2") SETTLED BUY("3", "2") SETTLED FINAL("0", "3"), ORD_INVALID,
		  "oversold");
	expect_at(__LINE__, BEGIN("3") BUY("2", "2") SETTLED BUY("3", "2") SETTLED FINAL("-1", "4"), ORD_INVALID,
		  "oversold");
	expect_at(__LINE__, BEGIN("2") BUY("2", "2") SETTLED BUY("3", "1") SETTLED FINAL("0", "3"), ORD_INVALID,
		  "oversold");
}

Test(jepsen_stock, what_is_left_is_what_was_not_sold)
{
	expect_at(__LINE__, BEGIN("3") BUY("2", "2") SETTLED FINAL("0", "3"), ORD_INVALID, "balance");
	expect_at(__LINE__, BEGIN("3") BUY("2", "2") SETTLED FINAL("1", "2"), ORD_VALID, NULL);
}

Test(jepsen_stock, nobody_is_refused_while_there_is_enough)
{
	/* What the second one was refused for may have been in the hands of the first: only the end tells. */
	expect_at(__LINE__,
		  BEGIN("3") "4 invoke transfer {:id 9 :from :i :to :b :amount 3}\n" BUY("2", "2") REFUSED
		  "4 ok transfer {:outcome :refused :reason :payee_not_open}\n" FINAL("3", "0"),
		  ORD_INVALID, "refused-with-stock");
	expect_at(__LINE__,
		  BEGIN("3") "4 invoke transfer {:id 9 :from :i :to :b :amount 3}\n" BUY("2", "2") REFUSED
		  "4 ok transfer {:outcome :settled}\n" FINAL("0", "3"),
		  ORD_VALID, NULL);
}

Test(jepsen_stock, what_is_given_back_may_be_left)
{
	expect_at(__LINE__,
		  BEGIN("3") BUY("2", "3") SETTLED BUY("3", "1") REFUSED
		  "3 invoke transfer {:id 4 :from :b :to :i :amount 2}\n" SETTLED FINAL("2", "1"),
		  ORD_VALID, NULL);
}

Test(jepsen_stock, without_items_nothing_is_said)
{
	expect_at(__LINE__, BEGIN("nil") FINAL("3", "0"), ORD_UNKNOWN, "no-item");
	expect_at(__LINE__, BEGIN("3") BUY("2", "2") "3 info transfer nil\n" FINAL("1", "2"), ORD_UNKNOWN, "undecided");
}
