/* SPDX-License-Identifier: Apache-2.0 - how long each kind of operation was not to be had. */
#include "jepsen/checkers/availability.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/support/jepsen_story.h"

static struct ord_jepsen_history h;
static struct ord_verdict v;

static void check(const char *text, uint64_t outage_us_max)
{
	struct ord_availability_options options = {.outage_us_max = outage_us_max};
	story_of(text, &h);
	cr_assert_eq(ord_check_availability(&h, &options, &v), ORD_OK);
}

/* In ms. */
static int64_t figure_of(const char *f, const char *name)
{
	struct ord_edn kind = ord_edn_get(ord_edn_get(v.figures, "by-f"), f);
	cr_assert_eq(ord_edn_get(kind, name).kind, ORD_EDN_INT, "%s of %s", name, f);
	return ord_edn_get(kind, name).integer / 1000;
}

#define ASKED(at, p, f) "at " at "\n" p " invoke " f " nil\n"
#define OK(at, p, f) "at " at "\n" p " ok " f " nil\n"
#define FAILED(at, p, f) "at " at "\n" p " fail " f " nil\n"
#define READ(from, to) ASKED(from, "0", "read") OK(to, "0", "read")
#define READ_FAILED(from, to) ASKED(from, "0", "read") FAILED(to, "0", "read")
#define FAULT(at, f) "at " at "\nnemesis info " f " nil\n"

static void done(enum ord_validity validity, const char *rule)
{
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

Test(jepsen_availability, an_outage_is_the_time_between_oks_while_somebody_waits)
{
	check(READ("10", "30") READ("100", "150"), 0);
	cr_assert_eq(figure_of("read", "outage-us"), 50);
	cr_assert_eq(figure_of("read", "outage-at-us"), 100);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, others_that_wait_are_counted_from_the_last_ok)
{
	check(ASKED("10", "0", "read") ASKED("20", "1", "read") OK("50", "1", "read") OK("200", "0", "read"), 0);
	cr_assert_eq(figure_of("read", "outage-us"), 150);
	cr_assert_eq(figure_of("read", "outage-at-us"), 50);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, who_fails_and_asks_again_has_waited_all_the_time)
{
	check(READ_FAILED("10", "20") READ_FAILED("500", "510") READ("900", "910"), 0);
	cr_assert_eq(figure_of("read", "outage-us"), 900);
	cr_assert_eq(figure_of("read", "ok-percent"), 0); /* 33 */
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, who_asks_nothing_for_long_does_not_wait)
{
	check(READ_FAILED("10", "20") READ("5000", "5010"), 0);
	cr_assert_eq(figure_of("read", "outage-us"), 10);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, who_waits_at_the_end_waited_until_then)
{
	check(ASKED("10", "0", "read") ASKED("700", "1", "add") OK("710", "1", "add"), 0);
	cr_assert_eq(figure_of("read", "outage-us"), 700);
	cr_assert_eq(figure_of("add", "outage-us"), 10);
	cr_assert_eq(story_figure(&v, "outage-us"), 700000);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, what_a_fault_touches_is_told_apart)
{
	check(READ("0", "40") FAULT("100", "kill") FAULT("110", "kill") READ("120", "220") FAULT("300", "heal")
		      READ("310", "370") FAULT("400", "partition") FAULT("410", "stop-partition"),
	      0);
	cr_assert_eq(figure_of("read", "outage-in-fault-us"), 100);
	cr_assert_eq(figure_of("read", "outage-without-fault-us"), 60);
	cr_assert_eq(story_figure(&v, "faults"), 2);
	cr_assert_eq(story_figure(&v, "faulty-us"), 210000);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, an_outage_that_began_before_the_fault_ended_is_touched)
{
	check(FAULT("0", "kill") ASKED("90", "0", "read") FAULT("100", "heal") OK("300", "0", "read"), 0);
	cr_assert_eq(figure_of("read", "outage-in-fault-us"), 210);
	cr_assert_eq(figure_of("read", "outage-without-fault-us"), 0);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, longer_than_allowed_is_invalid)
{
	check(READ("0", "2000"), 2000000);
	done(ORD_VALID, NULL);
	check(READ("0", "2001"), 2000000);
	done(ORD_INVALID, "outage");
}

Test(jepsen_availability, before_and_after_the_run_do_not_count)
{
	check(ASKED("0", "0", "open") OK("900", "0", "open") READ("901", "902") ASKED("1000", "0", "final-read")
		      OK("4000", "0", "final-read") ASKED("4001", "0", "request") OK("9000", "0", "request"),
	      0);
	cr_assert_eq(story_figure(&v, "outage-us"), 1000);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, latencies_are_of_oks)
{
	check(READ("0", "10") READ("20", "50") READ_FAILED("60", "960"), 0);
	struct ord_edn latency = ord_edn_get(ord_edn_get(ord_edn_get(v.figures, "by-f"), "read"), "latency-us");
	cr_assert_eq(ord_edn_get(latency, "max").integer, 30000);
	cr_assert_leq(ord_edn_get(latency, "p50").integer, 10200);
	cr_assert_geq(ord_edn_get(latency, "p50").integer, 10000);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, nothing_asked_is_unknown)
{
	check("nemesis info kill nil\n", 0);
	done(ORD_UNKNOWN, "no-operation");
}
