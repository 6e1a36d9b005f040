/* SPDX-License-Identifier: Apache-2.0 - programs that are run: output, status, and an end in time. */
#include "jepsen/program.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static struct ord_program_end end;
static char why[256];

static int shell(const char *script, int64_t timeout_ms)
{
	struct ord_program_words words = {0};
	ord_program_add(&words, "sh");
	ord_program_add(&words, "-c");
	ord_program_add(&words, script);
	return ord_program_run(&words, timeout_ms, &end, why, sizeof why);
}

Test(jepsen_program, output_and_status_come_back)
{
	cr_assert_eq(shell("echo out; echo err >&2; exit 3", 10000), ORD_OK);
	cr_expect_str_eq((const char *)end.out.base, "out\n");
	cr_expect_str_eq((const char *)end.err.base, "err\n");
	cr_expect_eq(end.status, 3);
	cr_expect_not(end.late);
	ord_program_close(&end);
}

Test(jepsen_program, silence_is_an_empty_text)
{
	cr_assert_eq(shell("exit 0", 10000), ORD_OK);
	cr_expect_str_eq((const char *)end.out.base, "");
	cr_expect_eq(end.out.len, 0);
	ord_program_close(&end);
}

Test(jepsen_program, a_lot_of_output_does_not_block)
{
	cr_assert_eq(shell("head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2", 30000),
		     ORD_OK);
	cr_expect_eq(end.out.len, 3000000);
	cr_expect_eq(end.err.len, 3000000);
	ord_program_close(&end);
}

Test(jepsen_program, of_more_than_may_be_kept_nothing_is)
{
	char script[64];
	snprintf(script, sizeof script, "head -c %u /dev/zero", ORD_PROGRAM_OUTPUT_BYTES_MAX + 1);
	cr_assert_eq(shell(script, 60000), ORD_OK);
	cr_expect(end.cut);
	cr_expect_eq(end.out.len, 0);
	ord_program_close(&end);
	cr_assert_eq(shell("echo out", 10000), ORD_OK);
	cr_expect_not(end.cut);
	ord_program_close(&end);
}

Test(jepsen_program, who_takes_too_long_is_killed)
{
	cr_assert_eq(shell("exec sleep 60", 200), ORD_OK);
	cr_expect(end.late);
	cr_expect_eq(end.status, 128 + 9);
	ord_program_close(&end);
}

Test(jepsen_program, who_closes_its_output_and_stays_is_killed_too)
{
	cr_assert_eq(shell("exec >/dev/null 2>&1 sleep 60", 200), ORD_OK);
	cr_expect(end.late);
	ord_program_close(&end);
}

Test(jepsen_program, what_is_not_there_is_told)
{
	struct ord_program_words words = {.words = {"/nowhere/program"}, .count = 1};
	cr_assert_eq(ord_program_run(&words, 1000, &end, why, sizeof why), ORD_ERR_IO);
	cr_expect_not_null(strstr(why, "/nowhere/program"));
}

Test(jepsen_program, words_are_words)
{
	struct ord_program_words words = {.words = {"printf", "%s|", "a b", "$HOME", "';"}, .count = 5};
	cr_assert_eq(ord_program_run(&words, 10000, &end, why, sizeof why), ORD_OK);
	cr_expect_str_eq((const char *)end.out.base, "a b|$HOME|';|");
	ord_program_close(&end);
}
