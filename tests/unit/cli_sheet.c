/* SPDX-License-Identifier: Apache-2.0 - sheets: one set of rows as table, as lines, as JSON. */
#include "cli/sheet.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char *const columns[] = {"name", "amount", "open", "since_us"};
static struct ord_sheet sheet;

static void fill(void)
{
	ord_sheet_init(&sheet, columns, 4);
	ord_sheet_text(&sheet, "größe");
	ord_sheet_int(&sheet, -5);
	ord_sheet_bool(&sheet, true);
	ord_sheet_time(&sheet, 1700000000123456);
	ord_sheet_format(&sheet, "%d:%s", 3, "tab\there");
	ord_sheet_uint(&sheet, UINT64_MAX);
	ord_sheet_bool(&sheet, false);
	ord_sheet_time(&sheet, 0);
}

static void shows(enum ord_look look, const char *tag, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	ord_sheet_show(&sheet, look, tag, out);
	fclose(out);
	cr_assert_str_eq(text, expected);
	free(text);
	ord_sheet_close(&sheet);
}

Test(cli_sheet, table_aligns_characters)
{
	fill();
	shows(ORD_LOOK_TABLE, NULL,
	      "name                         amount  open  since_us\n"
	      "größe                            -5  yes   2023-11-14T22:13:20.123456Z\n"
	      "3:tab\\x09here  18446744073709551615  no    -\n");
}

Test(cli_sheet, lines_have_tabs_and_a_tag)
{
	fill();
	shows(ORD_LOOK_LINES, "row",
	      "row\tgröße\t-5\tyes\t2023-11-14T22:13:20.123456Z\n"
	      "row\t3:tab\\x09here\t18446744073709551615\tno\t-\n");
}

Test(cli_sheet, json_has_keys_and_numbers)
{
	fill();
	shows(ORD_LOOK_JSON, NULL,
	      "[{\"name\":\"größe\",\"amount\":-5,\"open\":true,\"since_us\":1700000000123456},"
	      "{\"name\":\"3:tab\\there\",\"amount\":18446744073709551615,\"open\":false,\"since_us\":null}]\n");
}

Test(cli_sheet, of_no_rows)
{
	ord_sheet_init(&sheet, columns, 4);
	shows(ORD_LOOK_TABLE, NULL, "name  amount  open  since_us\n");
	ord_sheet_init(&sheet, columns, 4);
	shows(ORD_LOOK_LINES, NULL, "");
	ord_sheet_init(&sheet, columns, 4);
	shows(ORD_LOOK_JSON, NULL, "[]\n");
}

static void record_shows(enum ord_look look, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	ord_sheet_init(&sheet, columns, 2);
	ord_sheet_text(&sheet, "a");
	ord_sheet_null(&sheet);
	ord_sheet_show_record(&sheet, look, out);
	fclose(out);
	cr_assert_str_eq(text, expected);
	free(text);
	ord_sheet_close(&sheet);
}

Test(cli_sheet, one_row_as_a_record)
{
	record_shows(ORD_LOOK_TABLE, "name    a\namount  -\n");
	record_shows(ORD_LOOK_LINES, "name\ta\namount\t-\n");
	record_shows(ORD_LOOK_JSON, "{\"name\":\"a\",\"amount\":null}\n");
}

Test(cli_sheet, control_characters_do_not_reach_the_terminal)
{
	ord_sheet_init(&sheet, columns, 1);
	ord_sheet_text(&sheet, "\x1b[2J\x7f\xc2\x9b\xc2\xa9");
	shows(ORD_LOOK_LINES, NULL, "\\x1b[2J\\x7f\\xc2\\x9b\xc2\xa9\n");
}
