/* SPDX-License-Identifier: Apache-2.0 - the end of a log: whole lines, from a given beginning, as many as there is room for. */
#include "cli/log_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/ordain-log-XXXXXX";

static void make_file(void)
{
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	close(fd);
}

static void remove_file(void)
{
	unlink(path);
}

TestSuite(cli_log_file, .init = make_file, .fini = remove_file);

static void file_put(const char *text)
{
	FILE *out = fopen(path, "a");
	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
}

Test(cli_log_file, no_file_has_no_lines)
{
	char text[16] = "before";
	cr_assert_eq(ord_log_file_end_bytes("/nowhere/log"), 0);
	ord_log_file_tail("/nowhere/log", 0, text, sizeof text);
	cr_assert_str_eq(text, "");
}

Test(cli_log_file, lines_of_an_earlier_run_are_left_out)
{
	char text[64];
	file_put("earlier\n");
	long begin = ord_log_file_end_bytes(path);
	cr_assert_eq(begin, 8);
	ord_log_file_tail(path, begin, text, sizeof text);
	cr_assert_str_eq(text, "");
	file_put("now\nand now\n");
	ord_log_file_tail(path, begin, text, sizeof text);
	cr_assert_str_eq(text, "now\nand now");
}

Test(cli_log_file, only_whole_lines_that_fit)
{
	char text[12];
	file_put("first\nsecond\nthird\n");
	ord_log_file_tail(path, 0, text, sizeof text);
	cr_assert_str_eq(text, "third", "of 'cond' the beginning is missing");
}
