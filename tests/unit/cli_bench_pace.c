/* SPDX-License-Identifier: Apache-2.0 - the schedule of an open loop: no rounding adds up, and who stands still makes all late that were due. */
#include "cli/bench_pace.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/histogram.h"

#define SECOND 1000000000ull

Test(cli_bench_pace, calls_are_due_at_the_rate)
{
	struct ord_bench_pace p;
	uint64_t due_ns;
	ord_bench_pace_init(&p, 5 * SECOND, 1000, 10); /* 100 calls a second */
	cr_assert_eq(ord_bench_pace_due_ns(&p), 5 * SECOND);
	cr_assert_not(ord_bench_pace_take(&p, 5 * SECOND - 1, &due_ns));
	cr_assert(ord_bench_pace_take(&p, 5 * SECOND, &due_ns));
	cr_assert_eq(due_ns, 5 * SECOND);
	cr_assert_not(ord_bench_pace_take(&p, 5 * SECOND + SECOND / 100 - 1, &due_ns));
	cr_assert(ord_bench_pace_take(&p, 5 * SECOND + SECOND / 100, &due_ns));
	cr_assert_eq(due_ns, 5 * SECOND + SECOND / 100);
}

Test(cli_bench_pace, no_rounding_adds_up)
{
	static const uint64_t rates[] = {1, 3, 7, 999, 60001, 9999991};
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct ord_bench_pace p;
		uint64_t due_ns, last_ns = 0;
		ord_bench_pace_init(&p, 0, rates[i], 1);
		for (uint64_t n = 0; n < rates[i]; n++) {
			cr_assert(ord_bench_pace_take(&p, UINT64_MAX, &due_ns));
			cr_assert_geq(due_ns, last_ns);
			last_ns = due_ns;
		}
		cr_assert_eq(ord_bench_pace_due_ns(&p), SECOND, "rate %d", (int)rates[i]);
	}
}

Test(cli_bench_pace, goes_on_for_a_year_at_the_highest_rate)
{
	struct ord_bench_pace p;
	ord_bench_pace_init(&p, 0, 10000000, 1);
	p.taken = 10000000ull * 86400 * 366;
	cr_assert_eq(ord_bench_pace_due_ns(&p), 86400ull * 366 * SECOND);
}

/* A server takes 1 ms for each call, one at a time, and stands still for a second in the middle of ten. With 100 calls due a second a tenth of all is late, by up to a second; whoever asked only when the one
 * before was answered would have seen one late call of 901. */
Test(cli_bench_pace, a_stop_is_seen_by_all_calls_that_were_due_in_it)
{
	static struct ord_histogram h;
	struct ord_bench_pace p;
	uint64_t now_ns = 0, due_ns, late = 0;
	ord_histogram_init(&h);
	ord_bench_pace_init(&p, 0, 100, 1);
	while (now_ns < 10 * SECOND) {
		if (!ord_bench_pace_take(&p, now_ns, &due_ns)) {
			now_ns = ord_bench_pace_due_ns(&p);
			continue;
		}
		now_ns += SECOND / 1000;
		if (now_ns > 5 * SECOND && now_ns < 6 * SECOND)
			now_ns = 6 * SECOND;
		ord_histogram_add(&h, (now_ns - due_ns) / 1000);
		late += now_ns - due_ns > SECOND / 100;
	}
	cr_assert_eq(p.taken, 1000);
	cr_assert_geq(late, 100);
	cr_assert_leq(late, 112);
	cr_assert_geq(ord_histogram_quantile(&h, 990), 890000);
	cr_assert_leq(ord_histogram_quantile(&h, 500), 1100);
}
