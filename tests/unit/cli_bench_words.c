/* SPDX-License-Identifier: Apache-2.0 - the flags of 'ordain bench' together: defaults, mixtures, skews, and what does not go together. */
#include "cli/bench_words.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static struct ord_bench_words words;
static struct ord_bench_options options;
static char why[256];

static void setup(void)
{
	ord_bench_words_init(&words);
	memset(&options, 0x5a, sizeof options);
	why[0] = '\0';
}

TestSuite(cli_bench_words, .init = setup);

static int parse(void)
{
	return ord_bench_words_options(&words, &options, why, sizeof why);
}

static void refuses(const char *text)
{
	struct ord_bench_options before = options;
	cr_assert_eq(parse(), ORD_ERR_INVALID);
	cr_assert_not_null(strstr(why, text), "'%s' does not say '%s'", why, text);
	cr_assert_arr_eq(&options, &before, sizeof options, "untouched");
}

Test(cli_bench_words, defaults)
{
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.clients, 4);
	cr_assert_eq(options.batch, 1000);
	cr_assert_eq(options.rate, 0);
	cr_assert_eq(options.warm_up_ms, 1000);
	cr_assert_eq(options.work.shares[ORD_BENCH_TRANSFER], 1);
	cr_assert_eq(options.work.shares[ORD_BENCH_CLAIM] + options.work.shares[ORD_BENCH_READ], 0);
	cr_assert_eq(options.work.exponent, 0);
}

Test(cli_bench_words, an_open_loop_has_its_own)
{
	words.rate = 5000;
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.clients, 1000);
	cr_assert_eq(options.batch, 1);
	words.batch = 10000;
	words.batch_given = true;
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.clients, 100, "as many as may be under way");
	words.clients = 3;
	words.clients_given = true;
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.clients, 3);
}

Test(cli_bench_words, a_count_has_no_warm_up)
{
	words.count = 17;
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.count, 17);
	cr_assert_eq(options.warm_up_ms, 0);
}

Test(cli_bench_words, mixtures)
{
	static const char *const wrong[] = {
		"",	  "1",	    "1:2",	   "1:2:3:4", "0:0:0", "a:b:c",
		"1: 2:3", "-1:2:3", "1000001:0:0", "1:2:",    "::",    "99999999999999999999:1:1"};
	words.workload = "mixed";
	words.mix = "1:20:300";
	words.mix_given = true;
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.work.shares[ORD_BENCH_TRANSFER], 1);
	cr_assert_eq(options.work.shares[ORD_BENCH_CLAIM], 20);
	cr_assert_eq(options.work.shares[ORD_BENCH_READ], 300);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		words.mix = wrong[i];
		refuses("--mix: '");
	}
	words.workload = "claims";
	refuses("--mix is for --workload mixed");
}

Test(cli_bench_words, skews)
{
	static const char *const wrong[] = {"",	      "zipf:",	    "zipf:0",	"zipf:0.001", "zipf:11",
					    "zipf:x", "zipf:1.2.3", "zipf:nan", "zipf:1e1",   "even"};
	words.skew = "zipf";
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.work.exponent, 0.99);
	words.skew = "zipf:1.25";
	cr_assert_eq(parse(), ORD_OK);
	cr_assert_eq(options.work.exponent, 1.25);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		words.skew = wrong[i];
		refuses("--skew: '");
	}
}

Test(cli_bench_words, what_does_not_go_together)
{
	words.clients = 1001;
	words.clients_given = true;
	refuses("--clients times --batch is 1001000");
	words.clients = 2;
	words.connections = 3;
	refuses("--connections: 3 is more than the 2");
	words.connections = 1;
	words.hot_share = 5;
	words.workload = "reads";
	refuses("--hot-share is for transfers");
}
