/* SPDX-License-Identifier: Apache-2.0 - one outcome and one effect for an id: for each rule a history that breaks just that. */
#include "jepsen/checkers/idempotence.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

#define BEGIN                                                          \
	"0 invoke open {:account :mint :floor -1000}\n0 ok open nil\n" \
	"0 invoke open {:account :a}\n0 ok open nil\n"
#define ASK(amount) "3 invoke transfer {:id 2 :from :mint :to :a :amount " amount "}\n"
#define TOLD(replayed, more) "3 ok transfer {:id 2 :outcome :settled :replayed " replayed more "}\n"
#define REUSED "3 ok transfer {:id 2 :outcome :refused :reason :id_reused :replayed true}\n"
#define FINAL(mint, a) "0 invoke final-read nil\n0 ok final-read {:mint " mint " :a " a "}\n"

static void expect_at(int line, const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	fprintf(stderr, "line %d\n", line);
	story_of(text, &h);
	cr_assert_eq(ord_check_idempotence(&h, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

#define VALID(text) expect_at(__LINE__, BEGIN text, ORD_VALID, NULL)
#define INVALID(rule, text) expect_at(__LINE__, BEGIN text, ORD_INVALID, rule)
#define UNKNOWN(rule, text) expect_at(__LINE__, BEGIN text, ORD_UNKNOWN, rule)

Test(jepsen_idempotence, the_same_again_is_answered_the_same)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(BEGIN ASK("5") TOLD("false", " :position [1 7]") ASK("5") TOLD("true", " :position [1 7]") ASK("6")
			 REUSED FINAL("-5", "5"),
		 &h);
	cr_assert_eq(ord_check_idempotence(&h, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "ids"), 1);
	cr_assert_eq(story_figure(&v, "answers"), 3);
	cr_assert_eq(story_figure(&v, "replayed"), 1);
	cr_assert_eq(story_figure(&v, "reused"), 1);
	cr_assert_eq(story_figure(&v, "repeated"), 1);
	story_expect(&v, ORD_VALID, NULL);
	ord_jepsen_close(&h);
}

Test(jepsen_idempotence, the_first_payload_need_not_be_the_one_that_stands)
{
	VALID(ASK("5") "3 info transfer nil\n" ASK("6") TOLD("false", "") ASK("5") REUSED FINAL("-6", "6"));
	VALID(ASK("5") "3 info transfer nil\n" ASK("6") REUSED
	      "4 invoke request {:id 2}\n4 ok request {:id 2 :outcome :settled}\n" FINAL("-5", "5"));
	/* What the cluster says was logged counts. */
	VALID(ASK("5") "3 info transfer nil\n" ASK(
		"6") "3 info transfer nil\n4 invoke request {:id 2}\n"
		     "4 ok request {:id 2 :outcome :settled :from :mint :to :a :amount 6}\n" FINAL("-6", "6"));
	UNKNOWN("undecided", ASK("5") "3 info transfer nil\n" ASK("6") "3 info transfer nil\n" FINAL("-6", "6"));
}

Test(jepsen_idempotence, an_id_has_one_effect)
{
	INVALID("balance", ASK("5") TOLD("false", "") ASK("5") TOLD("true", "") FINAL("-10", "10"));
	INVALID("balance", ASK("5") TOLD("false", "") ASK("6") REUSED FINAL("-11", "11"));
}

Test(jepsen_idempotence, an_id_has_one_outcome)
{
	INVALID("two-outcomes",
		ASK("5") TOLD("false", "")
			ASK("5") "3 ok transfer {:id 2 :outcome :refused :reason :below_floor :replayed true}\n" FINAL(
				"-5", "5"));
	INVALID("two-payloads", ASK("5") TOLD("false", "") ASK("6") TOLD("true", "") FINAL("-5", "5"));
}

Test(jepsen_idempotence, an_id_is_logged_once)
{
	INVALID("two-positions",
		ASK("5") TOLD("false", " :position [1 7]") ASK("5") TOLD("true", " :position [1 8]") FINAL("-5", "5"));
	INVALID("two-firsts", ASK("5") TOLD("false", "") ASK("5") TOLD("false", "") FINAL("-5", "5"));
}

Test(jepsen_idempotence, reused_means_that_there_is_another_payload)
{
	INVALID("reused-by-nobody", ASK("5") REUSED FINAL("0", "0"));
	INVALID("reused-by-itself", ASK("5") TOLD("false", "") ASK("6") REUSED ASK("5") REUSED FINAL("-5", "5"));
}
