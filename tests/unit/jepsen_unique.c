/* SPDX-License-Identifier: Apache-2.0 - a name has one owner at a time: for each rule a history that breaks just that. */
#include "jepsen/checkers/unique.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

#define WON " {:outcome :settled}\n"
#define NOT(why) " {:outcome :refused :reason " why "}\n"
#define CLAIM(p, id, who, result) p " invoke claim {:id " id " :name :n :owner " who "}\n" p " ok claim" result
#define RELEASE(p, id, who, result) p " invoke release {:id " id " :name :n :owner " who "}\n" p " ok release" result
#define PASS(p, id, from, to, result) \
	p " invoke reassign {:id " id " :name :n :from " from " :to " to "}\n" p " ok reassign" result
#define READ(who) "9 invoke read {:name :n}\n9 ok read {:name :n :owner " who "}\n"

static void expect_at(int line, const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	fprintf(stderr, "line %d\n", line);
	story_of(text, &h);
	cr_assert_eq(ord_check_unique(&h, NULL, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

#define VALID(text) expect_at(__LINE__, text, ORD_VALID, NULL)
#define INVALID(rule, text) expect_at(__LINE__, text, ORD_INVALID, rule)
#define UNKNOWN(rule, text) expect_at(__LINE__, text, ORD_UNKNOWN, rule)

Test(jepsen_unique, a_history_is_good)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(READ("nil") CLAIM("0", "1", ":a", WON) CLAIM("1", "2", ":b", NOT(":name_taken")) READ(":a")
			 PASS("0", "3", ":a", ":c", WON) READ(":c") RELEASE("0", "4", ":a", NOT(":other_owner"))
				 RELEASE("0", "5", ":c", WON) RELEASE("0", "6", ":c", NOT(":name_free")) READ("nil")
					 CLAIM("1", "7", ":b", WON) "9 invoke final-read {:name :n}\n"
								    "9 ok final-read {:name :n :owner :b}\n",
		 &h);
	cr_assert_eq(ord_check_unique(&h, NULL, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "names"), 1);
	cr_assert_eq(story_figure(&v, "won"), 2);
	cr_assert_eq(story_figure(&v, "refused"), 3);
	cr_assert_eq(story_figure(&v, "released"), 1);
	cr_assert_eq(story_figure(&v, "reassigned"), 1);
	cr_assert_eq(story_figure(&v, "reads"), 5);
	story_expect(&v, ORD_VALID, NULL);
	ord_jepsen_close(&h);
}

Test(jepsen_unique, of_two_claims_one_wins)
{
	INVALID("two-owners", CLAIM("0", "1", ":a", WON) CLAIM("1", "2", ":b", WON));
	INVALID("two-owners",
		"0 invoke claim {:id 1 :name :n :owner :a}\n" CLAIM("1", "2", ":b", WON) "0 ok claim" WON);
	VALID(CLAIM("0", "1", ":a", WON) "1 invoke claim {:id 2 :name :m :owner :b}\n1 ok claim" WON);
	/* A release that nobody was told of may have been between. */
	VALID(CLAIM("0", "1", ":a", WON) "2 invoke release {:id 9 :name :n :owner :a}\n2 info release nil\n" CLAIM(
		"1", "2", ":b", WON));
	/* But not one that came later. */
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) CLAIM("1", "2", ":b", WON) RELEASE("0", "3", ":b", WON));
}

Test(jepsen_unique, a_claim_that_won_is_seen)
{
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) READ("nil"));
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) READ(":b"));
	INVALID("two-outcomes", CLAIM("0", "1", ":a", NOT(":x")) CLAIM("0", "1", ":a", NOT(":y")));
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) RELEASE("0", "2", ":a", WON) READ(":a"));
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) PASS("0", "2", ":a", ":b", WON) READ(":a"));
}

Test(jepsen_unique, a_refusal_tells_what_it_saw)
{
	INVALID("not-linearizable", CLAIM("0", "1", ":a", NOT(":name_taken")));
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) RELEASE("0", "2", ":a", NOT(":other_owner")));
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) RELEASE("0", "2", ":a", NOT(":name_free")));
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) PASS("0", "2", ":a", ":b", NOT(":other_owner")));
	/* And did nothing. */
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) CLAIM("1", "2", ":b", NOT(":name_taken")) READ(":b"));
	INVALID("not-linearizable", RELEASE("0", "2", ":a", NOT(":other_owner")));
	INVALID("reason", CLAIM("0", "1", ":a", NOT(":name_free")));
	INVALID("reason", CLAIM("0", "1", ":a", WON) RELEASE("0", "2", ":b", NOT(":name_taken")));
	UNKNOWN("reason", CLAIM("0", "1", ":a", NOT(":something_else")));
	UNKNOWN("reason", CLAIM("0", "1", ":a", NOT("nil")));
}

Test(jepsen_unique, only_the_owner_gives_a_name_away)
{
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) RELEASE("1", "2", ":b", WON));
	INVALID("not-linearizable", CLAIM("0", "1", ":a", WON) PASS("1", "2", ":b", ":b", WON) READ(":b"));
	INVALID("not-linearizable", PASS("1", "2", ":a", ":b", WON));
}

Test(jepsen_unique, an_id_has_one_outcome_and_one_effect)
{
	VALID(CLAIM("0", "1", ":a", WON) CLAIM("0", "1", ":a", WON) READ(":a"));
	INVALID("two-outcomes", CLAIM("0", "1", ":a", WON) CLAIM("0", "1", ":a", NOT(":name_taken")));
	INVALID("not-linearizable",
		CLAIM("0", "1", ":a", WON) RELEASE("0", "2", ":a", WON) CLAIM("0", "1", ":a", WON) READ(":a"));
	UNKNOWN("malformed", CLAIM("0", "1", ":a", WON) CLAIM("0", "1", ":b", WON));
}

Test(jepsen_unique, what_nobody_was_told_may_have_happened)
{
	VALID("0 invoke claim {:id 1 :name :n :owner :a}\n0 info claim nil\n" READ("nil") READ(":a"));
	INVALID("not-linearizable",
		"0 invoke claim {:id 1 :name :n :owner :a}\n0 info claim nil\n" READ(":a") READ("nil"));
	INVALID("not-linearizable", "0 invoke claim {:id 1 :name :n :owner :a}\n0 fail claim nil\n" READ(":a"));
	/* Asked later, it has happened by then. */
	INVALID("not-linearizable", "0 invoke claim {:id 1 :name :n :owner :a}\n0 info claim nil\n"
				    "1 invoke request {:id 1}\n1 ok request {:id 1 :outcome :settled}\n" READ("nil"));
	VALID("0 invoke claim {:id 1 :name :n :owner :a}\n0 info claim nil\n" READ(
		"nil") "1 invoke request {:id 1}\n1 ok request {:id 1 :outcome :settled}\n" READ(":a"));
}

Test(jepsen_unique, what_cannot_be_judged_is_not_valid)
{
	UNKNOWN("no-operation", "");
	UNKNOWN("malformed", "0 invoke claim {:id 1 :name :n}\n0 ok claim" WON CLAIM("1", "2", ":b", WON));
	UNKNOWN("malformed", CLAIM("1", "2", ":b", WON) "9 invoke read {:name :n}\n9 ok read :b\n");
}
