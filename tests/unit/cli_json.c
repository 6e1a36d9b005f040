/* SPDX-License-Identifier: Apache-2.0 - JSON: commas, nesting, escapes, integers to the last digit. */
#include "cli/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static char *text;
static size_t text_size;
static struct ord_json j;

static void begin(void)
{
	ord_json_init(&j, open_memstream(&text, &text_size));
}

static void wrote(const char *expected)
{
	fclose(j.out);
	cr_assert_str_eq(text, expected);
	free(text);
}

Test(cli_json, nests_and_separates)
{
	begin();
	ord_json_begin_object(&j);
	ord_json_key(&j, "a");
	ord_json_begin_array(&j);
	ord_json_int(&j, 1);
	ord_json_begin_object(&j);
	ord_json_end_object(&j);
	ord_json_begin_array(&j);
	ord_json_int(&j, 2);
	ord_json_end_array(&j);
	ord_json_begin_array(&j);
	ord_json_int(&j, 3);
	ord_json_int(&j, 4);
	ord_json_end_array(&j);
	ord_json_end_array(&j);
	ord_json_key(&j, "b");
	ord_json_bool(&j, true);
	ord_json_key(&j, "c");
	ord_json_null(&j);
	ord_json_key(&j, "d");
	ord_json_bool(&j, false);
	ord_json_end_object(&j);
	wrote("{\"a\":[1,{},[2],[3,4]],\"b\":true,\"c\":null,\"d\":false}\n");
}

Test(cli_json, integers_are_whole)
{
	begin();
	ord_json_begin_array(&j);
	ord_json_int(&j, INT64_MIN);
	ord_json_int(&j, INT64_MAX);
	ord_json_uint(&j, UINT64_MAX);
	ord_json_end_array(&j);
	wrote("[-9223372036854775808,9223372036854775807,18446744073709551615]\n");
}

Test(cli_json, escapes)
{
	begin();
	ord_json_begin_array(&j);
	ord_json_str(&j, ord_slice_of("a\"b\\c\n\t\r\x01\x7f/\0z", 13));
	ord_json_text(&j, "größe €😀");
	ord_json_str(&j, ord_slice_of(NULL, 0));
	ord_json_end_array(&j);
	wrote("[\"a\\\"b\\\\c\\n\\t\\u000d\\u0001\\u007f/\\u0000z\",\"größe €😀\",\"\"]\n");
}

Test(cli_json, bytes_that_are_not_utf8_are_replaced)
{
	static const char *const bad[] = {"\xff", "\xc3", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf5\x80\x80\x80",
					  "\x80"};
	static const unsigned replaced[] = {1, 1, 2, 2, 3, 4, 1};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		static const char marks[] = "\\ufffd\\ufffd\\ufffd\\ufffd";
		char expected[64], value[16];
		begin();
		ord_json_begin_array(&j);
		snprintf(value, sizeof value, "x%sy", bad[i]);
		ord_json_text(&j, value);
		ord_json_end_array(&j);
		snprintf(expected, sizeof expected, "[\"x%.*sy\"]\n", (int)(6 * replaced[i]), marks);
		wrote(expected);
	}
}
