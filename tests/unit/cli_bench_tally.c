/* SPDX-License-Identifier: Apache-2.0 - what came of calls: counted by answer and by name; calls that did not begin count as late. */
#include "cli/bench_tally.h"

#include <criterion/criterion.h>

static struct ord_bench_tally t;

static void setup(void)
{
	ord_bench_tally_init(&t);
}

TestSuite(cli_bench_tally, .init = setup);

Test(cli_bench_tally, problems_are_counted_by_kind_and_name)
{
	ord_bench_tally_problem(&t, ORDAIN_FAILED, "busy", "a queue is full");
	ord_bench_tally_problem(&t, ORDAIN_FAILED, "busy", "a queue is full");
	ord_bench_tally_problem(&t, ORDAIN_UNKNOWN, "timeout", "no answer");
	ord_bench_tally_problem(&t, ORDAIN_REFUSED, "below_floor", "no");
	ord_bench_tally_problem(&t, ORDAIN_OK, "", "");
	cr_assert_eq(t.failed, 2);
	cr_assert_eq(t.unknown, 1);
	cr_assert_eq(t.refused, 1);
	cr_assert_eq(t.reasons.count, 3);
	cr_assert_str_eq(t.reasons.list[0].name, "busy");
	cr_assert_eq(t.reasons.list[0].count, 2);
	cr_assert_str_eq(t.problem, "busy: a queue is full");
}

Test(cli_bench_tally, a_call_is_in_the_latency_of_its_kind)
{
	ord_bench_tally_call(&t, ORD_BENCH_CLAIM, 50);
	ord_bench_tally_call(&t, ORD_BENCH_READ, 10);
	cr_assert_eq(t.latency.count, 2);
	cr_assert_eq(t.latencies[ORD_BENCH_CLAIM].max, 50);
	cr_assert_eq(t.latencies[ORD_BENCH_READ].max, 10);
	cr_assert_eq(t.latencies[ORD_BENCH_TRANSFER].count, 0);
}

Test(cli_bench_tally, a_call_that_did_not_begin_is_late)
{
	ord_bench_tally_call(&t, ORD_BENCH_TRANSFER, 50);
	ord_bench_tally_missed(&t, 7000);
	cr_assert_eq(t.not_begun, 1);
	cr_assert_eq(t.latency.count, 2);
	cr_assert_eq(t.latency.max, 7000);
}
