/* SPDX-License-Identifier: Apache-2.0 - whether a history is one: for each rule a history that breaks just that. */
#include "jepsen/checkers/shape.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

static void expect(const char *text, enum ord_validity validity, const char *rule)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of(text, &h);
	cr_assert_eq(ord_check_shape(&h, &v), ORD_OK);
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

Test(jepsen_shape, a_history_is_good)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	story_of("0 invoke read nil\n1 invoke add 3\nnemesis info kill {:node 1}\n0 ok read 7\n1 info add 3\n"
		 "4 invoke add 4\n0 invoke read nil\n0 fail read nil\n",
		 &h);
	cr_assert_eq(ord_check_shape(&h, &v), ORD_OK);
	cr_assert_eq(story_figure(&v, "ops"), 4);
	cr_assert_eq(story_figure(&v, "ok"), 1);
	cr_assert_eq(story_figure(&v, "fail"), 1);
	cr_assert_eq(story_figure(&v, "info"), 1);
	cr_assert_eq(story_figure(&v, "open"), 1);
	cr_assert_eq(story_figure(&v, "nemesis"), 1);
	struct ord_edn by_f = ord_edn_get(v.figures, "by-f");
	cr_assert_eq(ord_edn_get(ord_edn_get(by_f, "read"), "ok").integer, 1);
	cr_assert_eq(ord_edn_get(ord_edn_get(by_f, "add"), "info").integer, 1);
	story_expect(&v, ORD_VALID, NULL);
	ord_jepsen_close(&h);
}

Test(jepsen_shape, an_info_retires_its_process)
{
	expect("3 invoke read nil\n3 info read nil\n3 invoke read nil\n", ORD_INVALID, "retired");
}

Test(jepsen_shape, a_process_asks_one_thing_at_a_time)
{
	expect("3 invoke read nil\n3 invoke read nil\n", ORD_INVALID, "two-at-once");
}

Test(jepsen_shape, what_is_completed_was_asked)
{
	expect("3 invoke read nil\n3 ok read nil\n3 ok read nil\n", ORD_INVALID, "no-invocation");
	expect("3 invoke read nil\n3 ok add nil\n", ORD_INVALID, "other-f");
}

Test(jepsen_shape, an_answer_is_to_what_was_asked)
{
	expect("3 invoke add {:id 1 :n 2}\n3 ok add {:id 1 :n 2 :outcome :settled}\n", ORD_VALID, NULL);
	expect("3 invoke add {:id 1 :n 2}\n3 ok add {:outcome :settled}\n", ORD_VALID, NULL);
	expect("3 invoke add {:id 1 :n 2}\n3 ok add {:n 2 :id 3}\n", ORD_INVALID, "other-value");
	expect("3 invoke add {:id 1 :n 2}\n3 ok add {:id 1 :n \"2\"}\n", ORD_INVALID, "other-value");
	expect("3 invoke add {:id 1}\n3 fail add {:id 2}\n", ORD_VALID, NULL);
	expect("3 invoke read [1 nil]\n3 ok read [1 2]\n", ORD_VALID, NULL);
}

Test(jepsen_shape, time_does_not_go_back)
{
	expect("3 invoke read nil\nat 0\n3 ok read nil\n", ORD_VALID, NULL);
	expect("at 9\n3 invoke read nil\nat 8\n3 ok read nil\n", ORD_INVALID, "time");
}

Test(jepsen_shape, the_nemesis_has_infos_only)
{
	expect("3 invoke read nil\n3 ok read nil\nnemesis ok kill nil\n", ORD_INVALID, "nemesis");
}

Test(jepsen_shape, nothing_says_nothing)
{
	expect("", ORD_UNKNOWN, "empty");
	expect("nemesis info kill nil\n", ORD_UNKNOWN, "empty");
}

Test(jepsen_shape, findings_are_counted_and_few_are_kept)
{
	struct ord_jepsen_history h;
	struct ord_verdict v;
	struct ord_edn_pool pool;
	cr_assert_eq(ord_jepsen_open(1, &h), ORD_OK);
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(ord_jepsen_invoke(&h, 0, 1, "read", ord_edn_nil(), NULL), ORD_OK);
		cr_assert_eq(ord_jepsen_complete(&h, 0, 1, ORD_JEPSEN_OK, ord_edn_nil(), ord_edn_nil()), ORD_OK);
		h.ops[h.ops_count - 1].process = 7;
	}
	cr_assert_eq(ord_check_shape(&h, &v), ORD_OK);
	cr_assert_eq(v.findings_kept, ORD_VERDICT_FINDINGS_MAX);
	cr_assert_geq(v.findings_count, 100);
	ord_edn_pool_init(&pool, 1 << 20);
	struct ord_edn told = ord_verdict_edn(&v, &pool);
	cr_assert_eq(ord_edn_get(told, "findings").len, ORD_VERDICT_FINDINGS_MAX);
	cr_assert_eq(ord_edn_get(told, "valid?").truth, false);
	cr_assert_eq(ord_edn_get(told, "ops").integer, 100);
	ord_edn_pool_close(&pool);
	ord_verdict_close(&v);
	ord_jepsen_close(&h);
}
