/* SPDX-License-Identifier: Apache-2.0 - flags and bare words of subcommands: what is taken, and what every wrong one is told. */
#include "cli/args.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct words {
	const char *account;
	const char *wait;
	int64_t amount;
	int64_t timeout_ms;
	int64_t size_bytes;
	struct ord_uuid id;
	bool has_id;
	bool json;
};

static char why[512];

/* Parses words separated by spaces into w. */
static int parse(struct words *w, const char *line, bool *ret_help)
{
	static char text[512];
	char *argv[16];
	int argc = 0;
	*w = (struct words){.wait = "settled", .timeout_ms = 10000};
	struct ord_flag flags[] = {
		{.name = "account",
		 .value = "ACCOUNT",
		 .text = &w->account,
		 .help = "the account",
		 .required = true,
		 .place = 1},
		{.name = "amount", .value = "N", .number = &w->amount, .min = 1, .max = INT64_MAX, .help = "how much"},
		{.name = "wait", .value = "WHAT", .text = &w->wait, .choices = "settled logged", .help = "until when"},
		{.name = "id", .value = "UUID", .id = &w->id, .given = &w->has_id, .help = "request id"},
	};
	struct ord_flag common[] = {
		{.name = "timeout", .value = "TIME", .duration_ms = &w->timeout_ms, .min = 1, .max = 60000},
		{.name = "json", .on = &w->json},
		{.name = "size", .value = "BYTES", .bytes = &w->size_bytes, .min = 1 << 20, .max = INT64_C(1) << 44},
	};
	struct ord_args args = {.command = "account test",
				.summary = "Tests.",
				.flags = flags,
				.flags_count = 4,
				.common = common,
				.common_count = 3};
	snprintf(text, sizeof text, "%s", line);
	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
		argv[argc++] = word;
	why[0] = '\0';
	return ord_args_parse(&args, argc, argv, ret_help, why, sizeof why);
}

static void refused(const char *line, const char *expected)
{
	struct words w;
	bool help;
	cr_assert_eq(parse(&w, line, &help), ORD_ERR_INVALID, "%s", line);
	cr_assert_str_eq(why, expected);
}

Test(cli_args, takes_flags_in_both_spellings_and_bare_words)
{
	struct words w;
	bool help;
	cr_assert_eq(parse(&w, "alice --amount 12 --wait=logged --json --timeout 500ms", &help), ORD_OK, "%s", why);
	cr_assert_not(help);
	cr_assert_str_eq(w.account, "alice");
	cr_assert_eq(w.amount, 12);
	cr_assert_str_eq(w.wait, "logged");
	cr_assert(w.json);
	cr_assert_eq(w.timeout_ms, 500);
	cr_assert_not(w.has_id);
}

Test(cli_args, a_placed_value_can_be_a_flag)
{
	struct words w;
	bool help;
	cr_assert_eq(parse(&w, "--account bob", &help), ORD_OK, "%s", why);
	cr_assert_str_eq(w.account, "bob");
	cr_assert_str_eq(w.wait, "settled", "defaults stay");
}

Test(cli_args, after_two_dashes_everything_is_a_word)
{
	struct words w;
	bool help;
	cr_assert_eq(parse(&w, "-- --account", &help), ORD_OK, "%s", why);
	cr_assert_str_eq(w.account, "--account");
}

Test(cli_args, reads_ids)
{
	struct words w;
	bool help;
	cr_assert_eq(parse(&w, "a --id 0190b5f0-7c4e-7a11-8f00-0123456789AB", &help), ORD_OK, "%s", why);
	cr_assert(w.has_id);
	cr_assert_eq(w.id.bytes[0], 0x01);
	cr_assert_eq(w.id.bytes[15], 0xab);
}

Test(cli_args, sizes_have_units)
{
	struct words w;
	bool help;
	static const struct {
		const char *line;
		int64_t bytes;
	} cases[] = {{"a --size 1024K", 1 << 20},
		     {"a --size 64M", 64 << 20},
		     {"a --size 3G", INT64_C(3) << 30},
		     {"a --size 1048577", (1 << 20) + 1},
		     {"a --size 16384G", INT64_C(1) << 44}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_assert_eq(parse(&w, cases[i].line, &help), ORD_OK, "%s", why);
		cr_assert_eq(w.size_bytes, cases[i].bytes);
	}
	for (const char *const *bad = (const char *const[]){"", "M", "1T", "1MB", "1.5G", "-1M", "1023K", "16385G",
							    "1m", "9223372036854775807G", "99999999999999999999", NULL};
	     *bad != NULL; bad++) {
		char line[64];
		snprintf(line, sizeof line, "a --size=%s", *bad);
		cr_assert_eq(parse(&w, line, &help), ORD_ERR_INVALID, "%s", line);
	}
	refused("a --size 1024",
		"--size: '1024' is not a size from 1M to 16384G; write it like 512M or 4G (a bare number is bytes)");
}

Test(cli_args, durations_have_units)
{
	struct words w;
	bool help;
	static const struct {
		const char *line;
		int64_t ms;
	} cases[] = {
		{"a --timeout 7ms", 7}, {"a --timeout 7s", 7000}, {"a --timeout 1m", 60000}, {"a --timeout 3", 3000}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_assert_eq(parse(&w, cases[i].line, &help), ORD_OK, "%s", why);
		cr_assert_eq(w.timeout_ms, cases[i].ms);
	}
	for (const char *const *bad = (const char *const[]){"", "-1s", "1h", "s", "1.5s", "61s", "0ms",
							    "99999999999999999999s", "9223372036854775807m", NULL};
	     *bad != NULL; bad++) {
		char line[64];
		snprintf(line, sizeof line, "a --timeout=%s", *bad);
		cr_assert_eq(parse(&w, line, &help), ORD_ERR_INVALID, "%s", line);
		cr_assert_not_null(strstr(why, "--timeout: '"));
		cr_assert_not_null(strstr(why, "write it like 500ms, 30s or 2m"));
	}
}

Test(cli_args, every_wrong_input_names_itself_and_the_remedy)
{
	refused("a --amuont 1", "there is no flag --amuont; did you mean --amount?");
	refused("a --am 1", "there is no flag --am; did you mean --amount?");
	refused("a --zebra", "there is no flag --zebra; 'ordain account test --help' lists the flags");
	refused("a -json", "there is no flag -json; did you mean --json?");
	refused("a --amount", "--amount needs a value: --amount N");
	refused("a --amount 0", "--amount: '0' is not an integer from 1 to 9223372036854775807");
	refused("a --amount -5", "--amount: '-5' is not an integer from 1 to 9223372036854775807");
	refused("a --amount 9223372036854775808",
		"--amount: '9223372036854775808' is not an integer from 1 to 9223372036854775807");
	refused("a --amount 1e3", "--amount: '1e3' is not an integer from 1 to 9223372036854775807");
	refused("a --amount 1 --amount 2", "--amount is given twice; give it once");
	refused("a --wait never", "--wait: 'never' is not one of: settled logged");
	refused("a --wait settled,logged", "--wait: 'settled,logged' is not one of: settled logged");
	refused("a --wait set", "--wait: 'set' is not one of: settled logged");
	refused("a --json=yes", "--json is a switch and takes no value; write only --json");
	refused("a b", "'b' is one word too many; 'ordain account test --help' shows what it takes");
	refused("a --account b", "--account is given twice; give it once");
	refused("--json", "--account is missing (the account); 'ordain account test --help' shows how it is written");
	refused("a --id 123", "--id: '123' is not a UUID; write it like 0190b5f0-7c4e-7a11-8f00-0123456789ab");
}

Test(cli_args, help_comes_before_every_check)
{
	struct words w;
	bool help;
	cr_assert_eq(parse(&w, "--zebra --help", &help), ORD_OK);
	cr_assert(help);
	cr_assert_eq(parse(&w, "-h", &help), ORD_OK);
	cr_assert(help);
	cr_assert_eq(parse(&w, "-- --help", &help), ORD_OK);
	cr_assert_not(help);
	cr_assert_str_eq(w.account, "--help");
}

Test(cli_args, numbers_are_whole_and_in_range)
{
	int64_t v = 77;
	cr_assert_eq(ord_args_number("-9223372036854775808", INT64_MIN, 0, &v), ORD_OK);
	cr_assert_eq(v, INT64_MIN);
	v = 77;
	for (const char *const *bad =
		     (const char *const[]){"", "-", "+1", " 1", "1 ", "0x1", "1-", "--1", "9223372036854775808", NULL};
	     *bad != NULL; bad++)
		cr_assert_eq(ord_args_number(*bad, INT64_MIN, INT64_MAX, &v), ORD_ERR_INVALID, "%s", *bad);
	cr_assert_eq(ord_args_number("11", 0, 10, &v), ORD_ERR_INVALID);
	cr_assert_eq(v, 77, "untouched on failure");
}

Test(cli_args, nearest_finds_slips_and_beginnings_only)
{
	static const char *const words[] = {"cluster start", "cluster status", "transfer", "bench"};
	cr_assert_str_eq(ord_args_nearest("cluster strat", words, 4), "cluster start");
	cr_assert_str_eq(ord_args_nearest("trasnfer", words, 4), "transfer");
	cr_assert_str_eq(ord_args_nearest("ben", words, 4), "bench");
	cr_assert_null(ord_args_nearest("wombat", words, 4));
	cr_assert_null(ord_args_nearest("", words, 4));
}

Test(cli_args, help_lists_every_flag)
{
	char *text = NULL;
	size_t size = 0;
	const char *account = NULL;
	int64_t limit = 0;
	struct ord_flag flags[] = {
		{.name = "account",
		 .value = "ACCOUNT",
		 .text = &account,
		 .help = "which",
		 .required = true,
		 .place = 1},
		{.name = "limit", .value = "N", .number = &limit, .help = "how many", .normal = "100"}};
	struct ord_args args = {
		.command = "account history", .summary = "Lists.", .notes = "Note.", .flags = flags, .flags_count = 2};
	FILE *out = open_memstream(&text, &size);
	ord_args_help(&args, out);
	fclose(out);
	cr_assert_str_eq(text, "usage: ordain account history ACCOUNT [flags]\n\nLists.\n\n"
			       "  --account ACCOUNT          which\n"
			       "  --limit N                  how many [100]\n\nNote.\n");
	free(text);
}
