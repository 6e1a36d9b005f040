/* SPDX-License-Identifier: Apache-2.0 - JSON as values: what is there comes out, what is none is refused. */
#include "jepsen/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define BYTES_MAX (1u << 20)

static struct ord_edn_pool pool;

static void begin(void)
{
	ord_edn_pool_init(&pool, BYTES_MAX);
}

static void end(void)
{
	ord_edn_pool_close(&pool);
}

TestSuite(jepsen_json, .init = begin, .fini = end);

static void expect(const char *json, const char *edn)
{
	struct ord_edn v;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	cr_assert_eq(ord_json_read(&pool, json, &v), ORD_OK, "%s", json);
	ord_edn_write(out, v);
	fclose(out);
	cr_expect_str_eq(text, edn);
	free(text);
}

static void refuse(const char *json)
{
	struct ord_edn v = ord_edn_int(7);
	cr_expect_eq(ord_json_read(&pool, json, &v), ORD_ERR_FORMAT, "%s", json);
	cr_expect_eq(v.integer, 7, "untouched by %s", json);
}

Test(jepsen_json, reads_all_kinds)
{
	expect("null", "nil");
	expect(" true ", "true");
	expect("[1, -2, []]", "[1 -2 []]");
	expect("{\"a\": {\"b_c\": \"x\"}, \"d\": false}", "{:a {:b_c \"x\"}, :d false}");
	expect("9223372036854775807", "9223372036854775807");
}

Test(jepsen_json, numbers_that_are_no_integers_become_texts)
{
	expect("1.5", "\"1.5\"");
	expect("[1e3]", "[\"1e3\"]");
	expect("9223372036854775808", "\"9223372036854775808\"");
}

Test(jepsen_json, knows_escapes)
{
	expect("\"a\\\"b\\\\c\\n\"", "\"a\\\"b\\\\c\\n\"");
	expect("\"\\u00e4\\u20ac\\ud83d\\ude00\"", "\"\u00e4\u20ac\U0001F600\"");
}

Test(jepsen_json, refuses_what_is_none)
{
	static const char *const wrong[] = {"",		 "{",		"[1",	   "[1,]",	 "{\"a\"}",
					    "{\"a\":}",	 "\"a",		"\"\\x\"", "1 2",	 "tru",
					    "\"\\u12\"", "\"\\u0000\"", "-",	   "\"\\ud83d\""};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refuse(wrong[i]);
}

Test(jepsen_json, refuses_what_is_too_deep)
{
	char deep[2 * ORD_EDN_DEPTH_MAX + 8] = "";
	memset(deep, '[', ORD_EDN_DEPTH_MAX + 1);
	refuse(deep);
}

Test(jepsen_json, says_when_memory_ends)
{
	struct ord_edn v;
	struct ord_edn_pool small;
	ord_edn_pool_init(&small, 16);
	cr_expect_eq(ord_json_read(&small, "[1,2,3,4,5,6,7,8,9]", &v), ORD_ERR_NOMEM);
	ord_edn_pool_close(&small);
}

Test(jepsen_json, members_have_a_value_or_the_other_one)
{
	struct ord_edn v;
	cr_assert_eq(ord_json_read(&pool, "{\"n\": 3, \"b\": true, \"t\": \"x\", \"l\": [1, 2]}", &v), ORD_OK);
	cr_expect_eq(ord_json_int(v, "n", 9), 3);
	cr_expect_eq(ord_json_int(v, "b", 9), 9);
	cr_expect(ord_json_bool(v, "b", false));
	cr_expect_not(ord_json_bool(v, "n", false));
	cr_expect(ord_json_is(v, "t", "x"));
	cr_expect_not(ord_json_is(v, "t", "xy"));
	cr_expect_eq(ord_json_count(ord_edn_get(v, "l")), 2);
	cr_expect_eq(ord_json_count(v), 0);
}
