/* SPDX-License-Identifier: Apache-2.0 - flags: values into variables, and a word for everything that is wrong. */
#include "jepsen/flags.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/err.h"

static const char *text;
static const char *word;
static int64_t number;
static bool on;
static bool help;
static char why[256];

static int parse(int argc, const char *const *argv)
{
	char *copy[8];
	const struct ord_flags_one list[] = {
		{.name = "text", .value = "T", .text = &text, .help = "a text"},
		{.name = "number", .value = "N", .number = &number, .min = 1, .max = 9, .help = "a number"},
		{.name = "on", .on = &on, .help = "a switch"},
	};
	const struct ord_flags flags = {
		.command = "test", .list = list, .count = 3, .word = &word, .word_name = "FILE"};
	for (int i = 0; i < argc; i++)
		copy[i] = (char *)argv[i];
	text = word = NULL;
	number = 5;
	on = false;
	return ord_flags_parse(&flags, argc, copy, &help, why, sizeof why);
}

#define PARSE(...) \
	parse((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)), (const char *const[]){__VA_ARGS__})

Test(jepsen_flags, values_come_behind_a_space_or_a_sign)
{
	cr_assert_eq(PARSE("--text", "a", "--number=7", "--on", "file"), ORD_OK);
	cr_expect_str_eq(text, "a");
	cr_expect_eq(number, 7);
	cr_expect(on);
	cr_expect_str_eq(word, "file");
}

Test(jepsen_flags, what_is_not_given_keeps_its_default)
{
	cr_assert_eq(PARSE("file"), ORD_OK);
	cr_expect_null(text);
	cr_expect_eq(number, 5);
	cr_expect_not(on);
}

static void told(int err, const char *what)
{
	cr_expect_eq(err, ORD_ERR_INVALID);
	cr_expect_not_null(strstr(why, what), "'%s' does not say '%s'", why, what);
}

Test(jepsen_flags, what_is_wrong_is_named)
{
	told(PARSE("file", "--nubmer", "3"), "no flag --nubmer");
	told(PARSE("file", "--number", "10"), "'10' is not an integer from 1 to 9");
	told(PARSE("file", "--number", "3x"), "'3x' is not an integer");
	told(PARSE("file", "--number"), "--number needs a value");
	told(PARSE("file", "--on=yes"), "--on is a switch");
	told(PARSE("file", "other"), "'other' is one word too many");
	told(PARSE("--on"), "FILE is missing");
}

Test(jepsen_flags, help_ends_all_checking)
{
	cr_assert_eq(PARSE("--nonsense", "--help"), ORD_OK);
	cr_expect(help);
}
