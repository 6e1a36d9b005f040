/* SPDX-License-Identifier: Apache-2.0 - names and how often each came: all are counted, in bounded memory. */
#include "cli/reasons.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct ord_reasons r;

static void setup(void)
{
	r = (struct ord_reasons){0};
}

TestSuite(cli_reasons, .init = setup);

Test(cli_reasons, stand_in_the_order_of_their_first)
{
	ord_reasons_add(&r, "busy");
	ord_reasons_add(&r, "timeout");
	ord_reasons_add(&r, "busy");
	cr_assert_eq(r.count, 2);
	cr_assert_str_eq(r.list[0].name, "busy");
	cr_assert_eq(r.list[0].count, 2);
	cr_assert_eq(r.list[1].count, 1);
}

Test(cli_reasons, more_names_than_places_share_the_last)
{
	for (int i = 0; i < ORD_REASONS_MAX + 10; i++) {
		char name[16];
		snprintf(name, sizeof name, "name-%d", i);
		ord_reasons_add(&r, name);
	}
	cr_assert_eq(r.count, ORD_REASONS_MAX);
	cr_assert_str_eq(r.list[ORD_REASONS_MAX - 1].name, "others");
	cr_assert_eq(r.list[ORD_REASONS_MAX - 1].count, 11);
}

Test(cli_reasons, a_long_name_is_cut_and_found_again)
{
	char name[200];
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ord_reasons_add(&r, name);
	ord_reasons_add(&r, name);
	cr_assert_eq(r.count, 1);
	cr_assert_eq(r.list[0].count, 2);
	cr_assert_eq(strlen(r.list[0].name), sizeof r.list[0].name - 1);
}
