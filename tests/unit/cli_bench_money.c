/* SPDX-License-Identifier: Apache-2.0 - what balances have to be by what a bench was told, and that a wrong one is found. */
#include "cli/bench_money.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define ACCOUNTS 4

static struct ord_bench_money money;
static char why[256];

static void setup(void)
{
	cr_assert_eq(ord_bench_money_open(&money, ACCOUNTS), ORD_OK);
	strcpy(why, "untouched");
}

static void teardown(void)
{
	ord_bench_money_close(&money);
	ord_bench_money_close(&money); /* tolerated */
}

TestSuite(cli_bench_money, .init = setup, .fini = teardown);

static void settled(uint32_t payer, uint32_t payee, uint32_t amount)
{
	struct ord_bench_move move = {.payer = payer, .payee = payee, .amount = amount};
	ord_bench_money_settled(&money, &move);
}

static void unknown(uint32_t payer, uint32_t payee, uint32_t amount)
{
	struct ord_bench_move move = {.payer = payer, .payee = payee, .amount = amount};
	ord_bench_money_unknown(&money, &move);
}

static bool right(const int64_t *balances, uint32_t count)
{
	struct ord_bench_money_sum sum = {0};
	for (uint32_t i = 0; i < count; i++)
		ord_bench_money_found(&money, &sum, i, balances[i]);
	return ord_bench_money_right(&money, &sum, why, sizeof why);
}

#define RIGHT(...) right((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

Test(cli_bench_money, nothing_moved_yet)
{
	cr_assert(RIGHT(0, 0, 0, 0));
	cr_assert_str_eq(why, "untouched");
	cr_assert_not(RIGHT(0, 1, -1, 0));
}

Test(cli_bench_money, balances_are_what_was_settled)
{
	settled(0, 1, 10);
	settled(1, 2, 3);
	cr_assert(RIGHT(-10, 7, 3, 0));
	cr_assert_not(RIGHT(-10, 8, 2, 0));
	cr_assert_str_eq(
		why, "2 of 4 accounts do not have what was settled; account 1 of the run has 8 and should have 7 to 7");
}

Test(cli_bench_money, what_is_missing_is_found)
{
	settled(0, 1, 10);
	cr_assert_not(RIGHT(0, 0, 0, 0), "settled, and nothing came of it");
	cr_assert_not(RIGHT(-10, 0, 0, 0), "no credit");
	cr_assert_not(RIGHT(-20, 20, 0, 0), "twice");
}

Test(cli_bench_money, what_is_unknown_may_have_happened)
{
	settled(0, 1, 10);
	unknown(1, 2, 4);
	cr_assert(RIGHT(-10, 10, 0, 0));
	cr_assert(RIGHT(-10, 6, 4, 0));
	cr_assert_not(RIGHT(-10, 6, 0, 0));
	cr_assert_str_eq(why, "the sum of all balances is -4 and not 0");
	cr_assert_not(RIGHT(-10, 5, 5, 0));
	cr_assert_not(RIGHT(-10, 14, -4, 0), "the other way round");
}

Test(cli_bench_money, a_part_of_the_accounts_has_no_sum)
{
	settled(0, 1, 10);
	cr_assert(RIGHT(-10, 10, 0));
	cr_assert(RIGHT(-10));
	cr_assert_not(RIGHT(-9));
}
