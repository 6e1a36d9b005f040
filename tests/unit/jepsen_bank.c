/* SPDX-License-Identifier: Apache-2.0 - the rules of money: for each a history that breaks just that. */
#include "jepsen/checkers/bank.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

/* The mint has a floor of -1000; a and b begin with 100 and 0. */
#define BEGIN                                                          \
	"0 invoke open {:account :mint :floor -1000}\n0 ok open nil\n" \
	"0 invoke open {:account :a}\n0 ok open nil\n"                 \
	"0 invoke open {:account :b :ceiling 85}\n0 ok open nil\n"     \
	"0 invoke transfer {:id 1 :from :mint :to :a :amount 100}\n"   \
	"0 ok transfer {:id 1 :outcome :settled :replayed false}\n"

#define ASK "3 invoke transfer {:id 2 :from :a :to :b :amount 30}\n"
#define SETTLED "3 ok transfer {:id 2 :outcome :settled :replayed false}\n"
#define REFUSED(why) "3 ok transfer {:id 2 :outcome :refused :reason " why " :replayed false}\n"
#define SEVEN "5 invoke transfer {:id 3 :from :a :to :b :amount 7}\n"
#define SEVEN_SETTLED "5 ok transfer {:outcome :settled}\n"
#define READ(what) "4 invoke read nil\n4 ok read " what "\n"
#define FINAL(mint, a, b) "0 invoke final-read nil\n0 ok final-read {:mint " mint " :a " a " :b " b "}\n"

static void expect_at(int line, const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	fprintf(stderr, "line %d\n", line);
	story_of(text, &h);
	cr_assert_eq(ord_check_bank(&h, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

#define VALID(text) expect_at(__LINE__, BEGIN text, ORD_VALID, NULL)
#define INVALID(rule, text) expect_at(__LINE__, BEGIN text, ORD_INVALID, rule)
#define UNKNOWN(rule, text) expect_at(__LINE__, BEGIN text, ORD_UNKNOWN, rule)

Test(jepsen_bank, a_history_is_good)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(BEGIN ASK READ("{:a 100}") READ("{:a 70 :b 0}")
			 SETTLED READ("{:a 70 :b 30}") "3 invoke transfer {:id 3 :from :a :to :b :amount 80}\n"
						       "3 ok transfer {:id 3 :outcome :refused :reason :below_floor "
						       ":replayed false}\n"
						       "5 invoke transfer {:id 4 :from :a :to :b :amount 1}\n5 fail "
						       "transfer nil\n" FINAL("-100", "70", "30"),
		 &h);
	cr_assert_eq(ord_check_bank(&h, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "accounts"), 3);
	cr_assert_eq(story_figure(&v, "settled"), 2);
	cr_assert_eq(story_figure(&v, "refused"), 1);
	cr_assert_eq(story_figure(&v, "none"), 1);
	cr_assert_eq(story_figure(&v, "undecided"), 0);
	cr_assert_eq(story_figure(&v, "moved"), 130);
	cr_assert_eq(story_figure(&v, "reads"), 3);
	story_expect(&v, ORD_VALID, NULL);
	ord_jepsen_close(&h);
}

Test(jepsen_bank, all_balances_sum_to_nothing)
{
	/* The wrong balance is named first. */
	INVALID("balance", ASK SETTLED FINAL("-100", "70", "31"));
	INVALID("balance", ASK SETTLED FINAL("-99", "70", "30"));
	/* With an undecided request there is room for each balance by itself, but not for the sum. */
	INVALID("total", ASK "3 info transfer nil\n" FINAL("-100", "70", "0"));
	UNKNOWN("undecided", ASK "3 info transfer nil\n" FINAL("-100", "70", "30"));
}

Test(jepsen_bank, a_settled_request_counts_once)
{
	INVALID("balance", ASK SETTLED FINAL("-100", "40", "60"));
	INVALID("balance", ASK SETTLED FINAL("-100", "100", "0"));
}

Test(jepsen_bank, a_refused_request_moves_nothing)
{
	VALID("3 invoke transfer {:id 2 :from :a :to :b :amount 300}\n" REFUSED(":below_floor")
		      FINAL("-100", "100", "0"));
	INVALID("balance", "3 invoke transfer {:id 2 :from :a :to :b :amount 300}\n" REFUSED(":below_floor")
				   FINAL("-100", "70", "30"));
	VALID("3 invoke transfer {:id 2 :from :a :to :b :amount 90}\n" READ("{:a 10}") REFUSED(":above_ceiling")
		      FINAL("-100", "100", "0"));
	INVALID("read", "3 invoke transfer {:id 2 :from :a :to :b :amount 90}\n" REFUSED(":above_ceiling")
				READ("{:a 10}") FINAL("-100", "100", "0"));
}

Test(jepsen_bank, nobody_falls_below_the_floor)
{
	INVALID("floor", ASK SETTLED READ("{:a -5}") FINAL("-100", "70", "30"));
	INVALID("ceiling", ASK SETTLED READ("{:b 86}") FINAL("-100", "70", "30"));
}

#define PAY(process, id, amount)                                                                                     \
	process " invoke transfer {:id " id " :from :a :to :b :amount " amount "}\n" process " ok transfer {:id " id \
		" :outcome :settled :replayed false}\n"
#define ASTRAY "5 invoke transfer {:id 3 :from :b :to :nobody :amount 30}\n"
#define END "0 invoke final-read nil\n0 ok final-read {:mint -100 :a 0 :b 100 :nobody 0}\n"
#define REFUNDED "5 ok transfer {:id 3 :outcome :refused :reason :unknown_payee :replayed false}\n"

/* Between debit and refund another credit fills the account: docs/adr/0006. */
Test(jepsen_bank, a_refund_goes_above_the_ceiling_and_nothing_else)
{
	VALID(PAY("3", "2", "80") ASTRAY PAY("6", "4", "20") REFUNDED READ("{:b 100}") END);
	VALID(PAY("3", "2", "80") READ("{:b 80}") ASTRAY PAY("6", "4", "20") REFUNDED READ("{:b 100}") END);
	INVALID("ceiling", PAY("3", "2", "80") PAY("6", "4", "20") READ("{:b 100}") END);
	/* What was refunded before the account was seen below has nothing to do with it. */
	INVALID("ceiling",
		PAY("3", "2", "80") ASTRAY REFUNDED READ("{:b 80}") PAY("6", "4", "20") READ("{:b 100}") END);
	/* Nor is a refund of 30 one of more. */
	INVALID("ceiling", PAY("3", "2", "60") ASTRAY PAY("6", "4", "20") PAY("6", "5", "20") READ("{:b 70}")
				   REFUNDED READ("{:b 100}") "4 invoke read nil\n4 ok read {:b 116}\n" END);
}

Test(jepsen_bank, what_was_told_is_seen_by_reads_that_begin_then)
{
	INVALID("read", ASK SETTLED READ("{:a 100}") FINAL("-100", "70", "30"));
	INVALID("read", ASK SETTLED READ("{:b 0}") FINAL("-100", "70", "30"));
	VALID("4 invoke read nil\n" ASK SETTLED "4 ok read {:a 100 :b 0}\n" FINAL("-100", "70", "30"));
	VALID("4 invoke read nil\n" ASK SETTLED "4 ok read {:a 70 :b 30}\n" FINAL("-100", "70", "30"));
	/* Between the two there is nothing. */
	INVALID("read", ASK READ("{:a 99}") SETTLED FINAL("-100", "70", "30"));
	INVALID("read", ASK READ("{:b 29}") SETTLED FINAL("-100", "70", "30"));
	VALID(ASK SEVEN READ("{:a 93 :b 30}") SETTLED SEVEN_SETTLED FINAL("-100", "63", "37"));
	INVALID("read", ASK SEVEN READ("{:a 80}") SETTLED SEVEN_SETTLED FINAL("-100", "63", "37"));
	/* What was asked for later, and what was done before, is no choice. */
	INVALID("read", ASK READ("{:a 93}") SETTLED SEVEN SEVEN_SETTLED FINAL("-100", "63", "37"));
	INVALID("read", ASK SEVEN SEVEN_SETTLED READ("{:a 86}") SETTLED FINAL("-100", "63", "37"));
	VALID(ASK SEVEN SEVEN_SETTLED READ("{:a 63}") READ("{:b 7}") SETTLED FINAL("-100", "63", "37"));
	/* And nobody sees what was not asked for yet. */
	INVALID("read", READ("{:a 70}") ASK SETTLED FINAL("-100", "70", "30"));
	INVALID("read", READ("{:b 30}") ASK SETTLED FINAL("-100", "70", "30"));
}

Test(jepsen_bank, an_outcome_does_not_change)
{
	INVALID("two-outcomes", ASK SETTLED "3 invoke transfer {:id 2 :from :a :to :b :amount 30}\n" REFUSED(
					":below_floor") FINAL("-100", "70", "30"));
	INVALID("two-outcomes", "3 invoke transfer {:id 2 :from :a :to :b :amount 300}\n" REFUSED(
					":below_floor") "3 invoke transfer {:id 2 :from :a :to :b :amount "
							"300}\n" REFUSED(":above_ceiling") FINAL("-100", "100", "0"));
	INVALID("forgotten", ASK SETTLED
		"3 invoke request {:id 2}\n3 ok request {:id 2 :outcome :none}\n" FINAL("-100", "70", "30"));
	INVALID("forgotten", ASK SETTLED
		"3 invoke request {:id 2}\n3 ok request {:id 2 :outcome :accepted}\n" FINAL("-100", "70", "30"));
	INVALID("two-payloads",
		ASK SETTLED "3 invoke transfer {:id 2 :from :a :to :b :amount 31}\n" SETTLED FINAL("-100", "70", "30"));
}

Test(jepsen_bank, what_became_of_an_info_is_asked_later)
{
	VALID(ASK "3 info transfer nil\n4 invoke request {:id 2}\n4 ok request {:id 2 :outcome :settled}\n" FINAL(
		"-100", "70", "30"));
	VALID(ASK "3 info transfer nil\n4 invoke request {:id 2}\n4 ok request {:id 2 :outcome :none}\n" FINAL(
		"-100", "100", "0"));
	VALID(ASK "3 info transfer nil\n4 invoke request {:id 2}\n4 ok request {:id 2 :outcome :accepted}\n"
		  "4 invoke request {:id 2}\n4 ok request {:id 2 :outcome :settled}\n" FINAL("-100", "70", "30"));
	INVALID("balance",
		ASK "3 info transfer nil\n4 invoke request {:id 2}\n4 ok request {:id 2 :outcome :none}\n" FINAL(
			"-100", "70", "30"));
	INVALID("balance",
		ASK "3 info transfer nil\n4 invoke request {:id 2}\n4 ok request {:id 2 :outcome :settled}\n" FINAL(
			"-100", "100", "0"));
	VALID("4 invoke request {:id 2}\n" ASK SETTLED
	      "4 ok request {:id 2 :outcome :none}\n" FINAL("-100", "70", "30"));
	/* None is no outcome while it can still be logged. */
	VALID("4 invoke request {:id 2}\n" ASK
	      "4 ok request {:id 2 :outcome :none}\n" SETTLED FINAL("-100", "70", "30"));
}

Test(jepsen_bank, what_failed_was_never_logged)
{
	VALID(ASK "3 fail transfer nil\n" FINAL("-100", "100", "0"));
	INVALID("balance", ASK "3 fail transfer nil\n" FINAL("-100", "70", "30"));
	/* One attempt failed, another one did not, or nobody knows. */
	UNKNOWN("undecided", ASK "3 fail transfer nil\n" ASK "3 info transfer nil\n" FINAL("-100", "100", "0"));
	VALID(ASK "3 fail transfer nil\n" ASK SETTLED FINAL("-100", "70", "30"));
}

Test(jepsen_bank, a_refusal_has_to_be_possible)
{
	INVALID("impossible", ASK REFUSED(":below_floor") FINAL("-100", "100", "0"));
	INVALID("impossible", ASK REFUSED(":unknown_payer") FINAL("-100", "100", "0"));
	INVALID("impossible", ASK REFUSED(":unknown_payee") FINAL("-100", "100", "0"));
	INVALID("impossible", "3 invoke transfer {:id 2 :from :mint :to :a :amount 9}\n" REFUSED(":above_ceiling")
				      FINAL("-100", "100", "0"));
	INVALID("impossible", "3 invoke transfer {:id 2 :from :a :to :b :amount 85}\n" REFUSED(":above_ceiling")
				      FINAL("-100", "100", "0"));
	VALID("3 invoke transfer {:id 2 :from :a :to :b :amount 86}\n" REFUSED(":above_ceiling")
		      FINAL("-100", "100", "0"));
	/* While another transfer may have filled the account, it can be. */
	VALID("4 invoke transfer {:id 3 :from :a :to :b :amount 60}\n" ASK REFUSED(
		":above_ceiling") "4 ok transfer {:id 3 :outcome :settled}\n" FINAL("-100", "40", "60"));
	/* While another transfer may have taken what was there, it can be. */
	VALID("4 invoke transfer {:id 3 :from :a :to :b :amount 80}\n" ASK REFUSED(
		":below_floor") "4 ok transfer {:id 3 :outcome :settled}\n" FINAL("-100", "20", "80"));
	VALID("3 invoke transfer {:id 2 :from :x :to :a :amount 9}\n" REFUSED(
		":unknown_payer") "0 invoke final-read nil\n0 ok final-read {:x 0}\n" FINAL("-100", "100", "0"));
}

Test(jepsen_bank, what_cannot_be_judged_is_not_valid)
{
	UNKNOWN("no-final-read", ASK SETTLED);
	UNKNOWN("no-final-read", ASK SETTLED "0 invoke final-read nil\n0 ok final-read {:mint -100 :a 70}\n");
	UNKNOWN("malformed",
		"3 invoke transfer {:id 2 :from :a :to :b}\n3 ok transfer nil\n" FINAL("-100", "100", "0"));
	UNKNOWN("malformed",
		"3 invoke transfer {:id 2 :from :a :to :b :amount 274877906945}\n" FINAL("-100", "100", "0"));
	UNKNOWN("malformed",
		"3 invoke transfer {:from :a :to :b :amount 5}\n3 ok transfer nil\n" FINAL("-100", "100", "0"));
	UNKNOWN("malformed", ASK "3 ok transfer {:id 2}\n" FINAL("-100", "100", "0"));
	UNKNOWN("malformed", "4 invoke read nil\n4 ok read {:a nil}\n" FINAL("-100", "100", "0"));
	UNKNOWN("malformed", "4 invoke read nil\n4 ok read nil\n" FINAL("-100", "100", "0"));
	UNKNOWN("malformed", "4 invoke read nil\n4 ok read {:c 0}\n" FINAL("-100", "100", "0"));
	UNKNOWN("malformed", "4 invoke read [:a :b]\n4 ok read {:a 100}\n" FINAL("-100", "100", "0"));
	VALID("4 invoke read [:a :b]\n4 ok read {:a 100 :b 0}\n" FINAL("-100", "100", "0"));
	UNKNOWN("reason", ASK REFUSED(":payee_not_open") FINAL("-100", "100", "0"));
	UNKNOWN("reason", ASK REFUSED("nil") FINAL("-100", "100", "0"));
	UNKNOWN("malformed", "0 invoke open {:floor 3}\n0 ok open nil\n" FINAL("-100", "100", "0"));
	expect_at(__LINE__, "", ORD_UNKNOWN, "no-operation");
	expect_at(__LINE__, "3 ok transfer {:id 7 :outcome :settled}\n", ORD_UNKNOWN, "no-operation");
}
