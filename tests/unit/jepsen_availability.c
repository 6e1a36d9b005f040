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

static void done(enum ord_validity validity, const char *rule)
{
	story_expect(&v, validity, rule);
	ord_jepsen_close(&h);
}

Test(jepsen_availability, an_outage_is_the_time_between_oks_while_somebody_waits)
{
	check("at 10\n0 invoke read nil\nat 30\n0 ok read nil\n"
	      "at 100\n0 invoke read nil\nat 150\n0 ok read nil\n",
	      0);
	cr_assert_eq(figure_of("read", "outage-us"), 50);
	cr_assert_eq(figure_of("read", "outage-at-us"), 100);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, others_that_wait_are_counted_from_the_last_ok)
{
	check("at 10\n0 invoke read nil\nat 20\n1 invoke read nil\nat 50\n1 ok read nil\nat 200\n0 ok read nil\n", 0);
	cr_assert_eq(figure_of("read", "outage-us"), 150);
	cr_assert_eq(figure_of("read", "outage-at-us"), 50);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, who_fails_and_asks_again_has_waited_all_the_time)
{
	check("at 10\n0 invoke read nil\nat 20\n0 fail read nil\nat 500\n0 invoke read nil\nat 510\n0 fail read nil\n"
	      "at 900\n0 invoke read nil\nat 910\n0 ok read nil\n",
	      0);
	cr_assert_eq(figure_of("read", "outage-us"), 900);
	cr_assert_eq(figure_of("read", "ok-percent"), 0); /* 33 */
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, who_asks_nothing_for_long_does_not_wait)
{
	check("at 10\n0 invoke read nil\nat 20\n0 fail read nil\nat 5000\n0 invoke read nil\nat 5010\n0 ok read nil\n",
	      0);
	cr_assert_eq(figure_of("read", "outage-us"), 10);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, who_waits_at_the_end_waited_until_then)
{
	check("at 10\n0 invoke read nil\nat 700\n1 invoke add 1\nat 710\n1 ok add 1\n", 0);
	cr_assert_eq(figure_of("read", "outage-us"), 700);
	cr_assert_eq(figure_of("add", "outage-us"), 10);
	cr_assert_eq(story_figure(&v, "outage-us"), 700000);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, what_a_fault_touches_is_told_apart)
{
	check("at 0\n0 invoke read nil\nat 40\n0 ok read nil\n"
	      "at 100\nnemesis info kill nil\nat 110\nnemesis info kill nil\n"
	      "at 120\n0 invoke read nil\nat 220\n0 ok read nil\n"
	      "at 300\nnemesis info heal nil\n"
	      "at 310\n0 invoke read nil\nat 370\n0 ok read nil\n"
	      "at 400\nnemesis info partition nil\nat 410\nnemesis info stop-partition nil\n",
	      0);
	cr_assert_eq(figure_of("read", "outage-in-fault-us"), 100);
	cr_assert_eq(figure_of("read", "outage-without-fault-us"), 60);
	cr_assert_eq(story_figure(&v, "faults"), 2);
	cr_assert_eq(story_figure(&v, "faulty-us"), 210000);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, an_outage_that_began_before_the_fault_ended_is_touched)
{
	check("at 0\nnemesis info kill nil\nat 90\n0 invoke read nil\nat 100\nnemesis info heal nil\nat 300\n0 ok read "
	      "nil\n",
	      0);
	cr_assert_eq(figure_of("read", "outage-in-fault-us"), 210);
	cr_assert_eq(figure_of("read", "outage-without-fault-us"), 0);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, longer_than_allowed_is_invalid)
{
	check("at 0\n0 invoke read nil\nat 2000\n0 ok read nil\n", 2000000);
	done(ORD_VALID, NULL);
	check("at 0\n0 invoke read nil\nat 2001\n0 ok read nil\n", 2000000);
	done(ORD_INVALID, "outage");
}

Test(jepsen_availability, before_and_after_the_run_do_not_count)
{
	check("at 0\n0 invoke open nil\nat 900\n0 ok open nil\n0 invoke read nil\n0 ok read nil\n"
	      "at 1000\n0 invoke final-read nil\nat 4000\n0 ok final-read nil\n0 invoke request nil\nat 9000\n0 ok "
	      "request nil\n",
	      0);
	cr_assert_eq(story_figure(&v, "outage-us"), 1000);
	done(ORD_VALID, NULL);
}

Test(jepsen_availability, latencies_are_of_oks)
{
	check("at 0\n0 invoke read nil\nat 10\n0 ok read nil\nat 20\n0 invoke read nil\nat 50\n0 ok read nil\n"
	      "at 60\n0 invoke read nil\nat 960\n0 fail read nil\n",
	      0);
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
