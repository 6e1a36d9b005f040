/* SPDX-License-Identifier: Apache-2.0 - an alarm goes off once, at its time or a little after; what is set last counts; one that was stopped keeps no loop running. */
#include "cli/alarm.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/err.h"

#define MS 1000000ull

static uv_loop_t loop;
static struct ord_alarm alarm_clock = {.fd = -1};
static int times;
static uint64_t gone_off_ns;

static void alarm_cb(void *arg)
{
	cr_assert_eq(arg, &times);
	times++;
	gone_off_ns = uv_hrtime();
	ord_alarm_stop(&alarm_clock);
}

static void setup(void)
{
	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(ord_alarm_open(&alarm_clock, &loop, alarm_cb, &times), ORD_OK);
}

static void teardown(void)
{
	ord_alarm_close(&alarm_clock);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
	ord_alarm_close(&alarm_clock); /* tolerated */
}

TestSuite(cli_alarm, .init = setup, .fini = teardown, .timeout = 60);

Test(cli_alarm, goes_off_at_its_time)
{
	uint64_t at_ns = uv_hrtime() + 30 * MS;
	ord_alarm_set(&alarm_clock, at_ns);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(times, 1);
	cr_assert_geq(gone_off_ns, at_ns);
}

Test(cli_alarm, a_time_that_has_passed_is_now)
{
	ord_alarm_set(&alarm_clock, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(times, 1);
	ord_alarm_set(&alarm_clock, uv_hrtime() - MS);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(times, 2);
}

Test(cli_alarm, the_last_time_that_was_set_counts)
{
	uint64_t at_ns = uv_hrtime() + 20 * MS;
	ord_alarm_set(&alarm_clock, at_ns + 3600000 * MS);
	ord_alarm_set(&alarm_clock, at_ns);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(times, 1);
	cr_assert_geq(gone_off_ns, at_ns);
}

Test(cli_alarm, stopped_it_does_not_go_off)
{
	ord_alarm_set(&alarm_clock, uv_hrtime() + 5 * MS);
	ord_alarm_stop(&alarm_clock);
	uv_run(&loop, UV_RUN_DEFAULT); /* returns at once: nothing is waited for */
	cr_assert_eq(times, 0);
}
