/* SPDX-License-Identifier: Apache-2.0 - what calls ask for: shares of kinds, accounts by skew and hot share, names of a run, the same for the same seed. */
#include "cli/bench_work.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS 100000

static struct ord_bench_work work;

static void begin(struct ord_bench_work_options options)
{
	if (options.shares[0] + options.shares[1] + options.shares[2] == 0)
		options.shares[ORD_BENCH_TRANSFER] = 1;
	ord_bench_work_init(&work, &options, 0x0123456789abcdefull);
}

Test(cli_bench_work, names_are_of_the_run)
{
	char name[ORD_BENCH_NAME_SIZE];
	begin((struct ord_bench_work_options){.accounts = 2});
	cr_assert_eq(ord_bench_work_name(&work, 0, name), strlen(name));
	cr_assert_str_eq(name, "bench-0123456789abcdef-0");
	ord_bench_work_name(&work, 1020304, name);
	cr_assert_str_eq(name, "bench-0123456789abcdef-1020304");
	cr_assert_eq(ord_bench_work_name(&work, UINT64_MAX, name), strlen(name));
	cr_assert_str_eq(name, "bench-0123456789abcdef-18446744073709551615");
}

Test(cli_bench_work, kinds_come_in_their_shares)
{
	uint64_t counts[ORD_BENCH_KINDS] = {0};
	begin((struct ord_bench_work_options){.shares = {50, 10, 40}, .accounts = 2});
	for (int i = 0; i < DRAWS; i++)
		counts[ord_bench_work_kind(&work)]++;
	cr_assert_float_eq((double)counts[ORD_BENCH_TRANSFER] / DRAWS, 0.5, 0.01);
	cr_assert_float_eq((double)counts[ORD_BENCH_CLAIM] / DRAWS, 0.1, 0.01);
	cr_assert_float_eq((double)counts[ORD_BENCH_READ] / DRAWS, 0.4, 0.01);
	begin((struct ord_bench_work_options){.shares = {0, 0, 1}, .accounts = 1});
	cr_assert_eq(ord_bench_work_kind(&work), ORD_BENCH_READ);
	cr_assert_not(ord_bench_work_has(&work, ORD_BENCH_TRANSFER));
	cr_assert(ord_bench_work_has_accounts(&work));
	cr_assert_eq(ord_bench_work_account(&work), 0);
}

/* The share of moves that have account 0 on one side, and how often it pays. */
static double hot_share(struct ord_bench_work_options options, double *ret_pays)
{
	uint64_t hot = 0, pays = 0;
	begin(options);
	for (int i = 0; i < DRAWS; i++) {
		struct ord_bench_move m = ord_bench_work_move(&work);
		cr_assert_neq(m.payer, m.payee);
		cr_assert_lt(m.payer, options.accounts);
		cr_assert_lt(m.payee, options.accounts);
		cr_assert(m.amount >= 1 && m.amount <= ORD_BENCH_AMOUNT_MAX);
		hot += m.payer == 0 || m.payee == 0;
		pays += m.payer == 0;
	}
	*ret_pays = hot > 0 ? (double)pays / (double)hot : 0;
	return (double)hot / DRAWS;
}

Test(cli_bench_work, the_hot_account_has_its_share)
{
	double pays;
	cr_assert_float_eq(hot_share((struct ord_bench_work_options){.accounts = 100000}, &pays), 0, 0.001);
	cr_assert_float_eq(hot_share((struct ord_bench_work_options){.accounts = 100000, .hot_percent = 30}, &pays),
			   0.3, 0.01);
	cr_assert_float_eq(pays, 0.5, 0.02);
	cr_assert_eq(hot_share((struct ord_bench_work_options){.accounts = 100000, .hot_percent = 100}, &pays), 1);
	cr_assert_eq(hot_share((struct ord_bench_work_options){.accounts = 2}, &pays), 1);
}

Test(cli_bench_work, skew_makes_the_first_accounts_frequent)
{
	double pays;
	double uniform = hot_share((struct ord_bench_work_options){.accounts = 1000}, &pays);
	double skewed = hot_share((struct ord_bench_work_options){.accounts = 1000, .exponent = 1}, &pays);
	cr_assert_float_eq(uniform, 0.002, 0.001);
	cr_assert_float_eq(skewed, 2 * 0.1336, 0.04); /* 1 / H(1000) for each side, less that both are */
	/* Nearly always the same account: another one is found nevertheless. */
	cr_assert_gt(hot_share((struct ord_bench_work_options){.accounts = 3, .exponent = 10}, &pays), 0.99);
}

Test(cli_bench_work, a_seed_gives_the_same_again)
{
	struct ord_bench_move first[100];
	struct ord_bench_work_options options = {.accounts = 1000, .exponent = 0.99, .hot_percent = 10, .seed = 42};
	begin(options);
	for (int i = 0; i < 100; i++)
		first[i] = ord_bench_work_move(&work);
	begin(options);
	for (int i = 0; i < 100; i++) {
		struct ord_bench_move m = ord_bench_work_move(&work);
		cr_assert(m.payer == first[i].payer && m.payee == first[i].payee && m.amount == first[i].amount);
	}
	options.seed = 43;
	begin(options);
	int same = 0;
	for (int i = 0; i < 100; i++)
		same += ord_bench_work_move(&work).payer == first[i].payer;
	cr_assert_lt(same, 50);
}

Test(cli_bench_work, claims_are_never_the_same)
{
	begin((struct ord_bench_work_options){.shares = {0, 1, 0}});
	cr_assert_eq(ord_bench_work_claims(&work, 10), 0);
	cr_assert_eq(ord_bench_work_claims(&work, 1), 10);
	cr_assert_eq(ord_bench_work_claims(&work, 5), 11);
}
