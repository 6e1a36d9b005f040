/* SPDX-License-Identifier: Apache-2.0 - when a backup takes something for damage, whom it asks, how often, and when it gives up. */
#include "cli/mend.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct ord_mend m;
static unsigned asked_count;
static bool checks;
static char asked_damage[128];

static void begin(void)
{
	m = (struct ord_mend){.damage = ""};
	asked_count = 0;
	checks = true;
}

TestSuite(cli_mend, .init = begin);

static bool ask(void *ctx, const char *damage)
{
	(void)ctx;
	asked_count++;
	snprintf(asked_damage, sizeof asked_damage, "%s", damage);
	return checks;
}

static void go_on(int64_t now_ms)
{
	ord_mend_go_on(&m, ask, NULL, now_ms);
}

Test(cli_mend, a_sound_log_asks_nobody)
{
	ord_mend_see(&m, "", "", 1000);
	go_on(1000);
	cr_expect_eq(asked_count, 0);
	cr_expect_not(ord_mend_is_hopeless(&m, 1000000));
}

Test(cli_mend, damage_is_asked_about_at_once_and_then_now_and_then)
{
	ord_mend_see(&m, "wal, offset 5: bad", "", 1000);
	go_on(1000);
	cr_expect_eq(asked_count, 1);
	cr_expect_str_eq(asked_damage, "wal, offset 5: bad");
	go_on(2000);
	cr_expect_eq(asked_count, 1);
	go_on(3000);
	cr_expect_eq(asked_count, 2);
}

/* A batch that is being written is none a moment later; one that stays is damaged. */
Test(cli_mend, an_end_that_stays_is_damage)
{
	ord_mend_see(&m, "", "offset 9", 1000);
	go_on(1000);
	cr_expect_str_eq(m.damage, "");
	ord_mend_see(&m, "", "offset 12", 3000);
	cr_expect_str_eq(m.damage, "");
	ord_mend_see(&m, "", "offset 12", 4000);
	cr_expect_str_eq(m.damage, "");
	ord_mend_see(&m, "", "offset 12", 5000);
	cr_expect_str_eq(m.damage, "offset 12");
	go_on(5000);
	cr_expect_eq(asked_count, 1);
	ord_mend_see(&m, "", "", 6000);
	cr_expect_str_eq(m.damage, "");
}

Test(cli_mend, it_is_hopeless_a_while_after_the_check)
{
	ord_mend_see(&m, "bad", "", 1000);
	for (int64_t now_ms = 1000; now_ms < 500000; now_ms += 2000) {
		go_on(now_ms);
		cr_assert_not(ord_mend_is_hopeless(&m, now_ms), "it checks");
	}
	checks = false;
	go_on(501000);
	cr_expect_not(ord_mend_is_hopeless(&m, 501000));
	go_on(590000);
	cr_expect_not(ord_mend_is_hopeless(&m, 590000));
	go_on(592000);
	cr_expect(ord_mend_is_hopeless(&m, 592000));
	ord_mend_see(&m, "", "", 592000);
	cr_expect_not(ord_mend_is_hopeless(&m, 592000), "nothing is damaged any more");
}

Test(cli_mend, with_nobody_to_ask_there_is_hope_as_long_as_there_is_time)
{
	ord_mend_see(&m, "bad", "", 1000);
	ord_mend_go_on(&m, NULL, NULL, 1000);
	cr_expect_not(ord_mend_is_hopeless(&m, 1000000));
}
