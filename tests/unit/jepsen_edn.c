/* SPDX-License-Identifier: Apache-2.0 - EDN: what is written is read back, what is not EDN is refused where it is wrong. */
#include "jepsen/edn.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "base/err.h"

static struct ord_edn_pool pool;

static void begin(void)
{
	ord_edn_pool_init(&pool, (size_t)64 << 20);
}

static void end(void)
{
	ord_edn_pool_close(&pool);
}

TestSuite(jepsen_edn, .init = begin, .fini = end);

static void writes(void (*write)(FILE *out, struct ord_edn v), struct ord_edn v, const char *expected)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	write(out, v);
	fclose(out);
	cr_assert_str_eq(text, expected);
	free(text);
}

static struct ord_edn reads(const char *text)
{
	struct ord_edn v = ord_edn_nil();
	struct ord_edn_problem problem = {0};
	int err = ord_edn_read(&pool, ord_slice_text(text), &v, &problem);
	cr_assert_eq(err, ORD_OK, "%s: column %u: %s", text, problem.column, problem.why);
	return v;
}

static void refuses(const char *text, size_t len, uint32_t column, const char *why)
{
	struct ord_edn v;
	struct ord_edn_problem problem = {0};
	cr_assert_eq(ord_edn_read(&pool, ord_slice_of(text, len), &v, &problem), ORD_ERR_FORMAT, "%.40s", text);
	cr_assert_str_eq(problem.why, why, "%.40s: %s", text, problem.why);
	cr_assert_eq(problem.column, column, "%.40s: column %u", text, problem.column);
}

Test(jepsen_edn, what_is_written_is_read_back)
{
	static const char *const texts[] = {"nil",
					    "true",
					    "false",
					    "0",
					    "-9223372036854775808",
					    "9223372036854775807",
					    "\"\"",
					    "\"a \\\"b\\\\c\\n\\t größe €😀\"",
					    ":final-read",
					    ":valid?",
					    "[]",
					    "{}",
					    "[nil [1 2] :a \"b\"]",
					    "{:index 0, \"k\" [0 nil], 7 {:a 1}}"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		writes(ord_edn_write, reads(texts[i]), texts[i]);
}

Test(jepsen_edn, spaces_and_commas_do_not_matter)
{
	writes(ord_edn_write, reads(" ,[ 1,2\t,{:a\n1}]\r\n"), "[1 2 {:a 1}]");
	writes(ord_edn_write, reads("[:a[1]\"b\"{}+5]"), "[:a [1] \"b\" {} 5]");
}

Test(jepsen_edn, what_is_not_this_part_of_edn_is_refused_with_its_column)
{
	static const struct {
		const char *text;
		uint32_t column;
		const char *why;
	} bad[] = {
		{"", 1, "no value"},
		{" ,", 3, "no value"},
		{"nill", 1, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map"},
		{"#{1}", 1, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map"},
		{"(1)", 1, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map"},
		{"[1 ; 2", 4, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map"},
		{"1.5", 1, "not an integer"},
		{"1N", 1, "not an integer"},
		{"007", 1, "a number with a leading zero"},
		{"[-]", 2, "a sign without a number"},
		{"9223372036854775808", 1, "a number beyond 64 bits"},
		{"-9223372036854775809", 1, "a number beyond 64 bits"},
		{"1 2", 3, "something after the value"},
		{"[1]]", 4, "something after the value"},
		{"[1 [2]", 7, "a vector without its end"},
		{"{:a 1", 6, "a map without its end"},
		{"[1}", 3, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map"},
		{"[{:a}]", 2, "a key without its value"},
		{"{:a 1 :b 2 :a 3}", 1, "the same key twice"},
		{"{[1 2] 1 [1 2] 3}", 1, "the same key twice"},
		{":", 1, "not a keyword"},
		{":a:b", 1, "not a keyword"},
		{"\"abc", 1, "a string without its end"},
		{"\"abc\\\"", 1, "a string without its end"},
		{"\"a\\q\"", 4, "an unknown escape in a string"},
		{"\"\\u12g4\"", 4, "\\u needs four hexadecimal digits"},
		{"\"\\u12\"", 4, "\\u needs four hexadecimal digits"},
		{"\"\\ud800\"", 4, "half of a surrogate pair"},
		{"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", 17, "nested more than 16 deep"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(bad[i].text, strlen(bad[i].text), bad[i].column, bad[i].why);
	refuses("\0", 1, 1, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map");
	refuses("[1 \0]", 5, 4, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map");
}

/* No input makes the reader look beyond it. The copy has nothing behind it: a sanitizer would see more. */
Test(jepsen_edn, every_beginning_of_a_text_is_a_value_or_refused)
{
	static const char text[] = "{:index 0, :value [\"a\\u00e9\\n\" nil true -12 {7 :b}], :f :read}";
	for (size_t len = 0; len < sizeof text - 1; len++) {
		struct ord_edn v;
		struct ord_edn_problem problem = {0};
		char *copy = malloc(len > 0 ? len : 1);
		memcpy(copy, text, len);
		cr_assert_eq(ord_edn_read(&pool, ord_slice_of(copy, len), &v, &problem), ORD_ERR_FORMAT, "%zu", len);
		cr_assert_leq(problem.column, len + 1);
		free(copy);
	}
}

Test(jepsen_edn, a_text_longer_than_its_limit_is_refused)
{
	size_t len = ORD_EDN_TEXT_BYTES_MAX + 10;
	char *text = malloc(len);
	memset(text, 'a', len);
	text[0] = text[len - 1] = '"';
	refuses(text, len, 1, "a string of more than 1 MiB");
	text[0] = ':';
	text[len - 1] = 'a';
	refuses(text, len, 1, "a keyword of more than 1 MiB");
	free(text);
}

Test(jepsen_edn, a_vector_longer_than_its_limit_is_refused)
{
	size_t len = 2 * (size_t)ORD_EDN_ITEMS_MAX + 4;
	char *text = malloc(len);
	for (size_t i = 0; i < len; i++)
		text[i] = i % 2 == 0 ? '1' : ' ';
	text[0] = '[';
	text[len - 1] = ']';
	refuses(text, len, (uint32_t)len, "a vector or map of more than 1,048,576 values");
	free(text);
}

Test(jepsen_edn, many_keys_may_not_repeat_either)
{
	char text[4096] = "{";
	for (int i = 0; i < 200; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%d 0 ", i);
	size_t len = strlen(text);
	snprintf(text + len, sizeof text - len, "}");
	cr_assert_eq(reads(text).len, 400);
	snprintf(text + len, sizeof text - len, "77 1}");
	refuses(text, strlen(text), 1, "the same key twice");
}

Test(jepsen_edn, json_is_the_same_value)
{
	writes(ord_edn_write_json, reads("{:valid? true, \"a\" [nil -1 :b false \"x\\n\\\"\"], 7 {}, [1 :k] []}"),
	       "{\"valid?\":true,\"a\":[null,-1,\"b\",false,\"x\\n\\\"\"],\"7\":{},\"[1 :k]\":[]}");
}

Test(jepsen_edn, bytes_that_are_not_utf8_are_replaced)
{
	writes(ord_edn_write, ord_edn_literal("x\xff\xc3y\x7f"), "\"x\\ufffd\\ufffdy\\u007f\"");
}

Test(jepsen_edn, a_keyword_that_edn_does_not_have_is_written_as_a_string)
{
	writes(ord_edn_write, ord_edn_word("a b"), "\"a b\"");
	writes(ord_edn_write, ord_edn_word(""), "\"\"");
	writes(ord_edn_write, ord_edn_word("a.b/c-d?"), ":a.b/c-d?");
}

Test(jepsen_edn, equal_values_have_equal_hashes_and_maps_no_order)
{
	static const char *const texts[] = {"nil",	   "false",	  "true",    "0",     "1",
					    "\"a\"",	   ":a",	  "[]",	     "{}",    "[1 2]",
					    "[2 1]",	   "[[1] 2]",	  "[1 [2]]", "{1 2}", "{2 1}",
					    "{:a 1 :b 2}", "{:a 2 :b 1}", "{:a 1}",  "[:a 1]"};
	size_t count = sizeof texts / sizeof *texts;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count; k++) {
			struct ord_edn a = reads(texts[i]), b = reads(texts[k]);
			cr_assert_eq(ord_edn_equal(a, b), i == k, "%s %s", texts[i], texts[k]);
			cr_assert_eq(ord_edn_hash(a) == ord_edn_hash(b), i == k, "%s %s", texts[i], texts[k]);
		}
	}
	struct ord_edn a = reads("{:a 1 :b 2 :c {1 2 3 4}}"), b = reads("{:c {3 4 1 2} :a 1 :b 2}");
	cr_assert(ord_edn_equal(a, b));
	cr_assert_eq(ord_edn_hash(a), ord_edn_hash(b));
}

Test(jepsen_edn, a_map_is_asked_by_key)
{
	struct ord_edn map = ord_edn_map(&pool, 2);
	ord_edn_put_word(&map, "id", ord_edn_int(7));
	ord_edn_put(&map, ord_edn_int(1), ord_edn_word("b"));
	cr_assert_eq(ord_edn_get(map, "id").integer, 7);
	cr_assert(ord_edn_is_nil(ord_edn_get(map, "i")));
	cr_assert(ord_edn_is_nil(ord_edn_get(ord_edn_int(3), "id")));
	cr_assert(ord_edn_is_word(ord_edn_find(map, ord_edn_int(1)), "b"));
	cr_assert(!ord_edn_is_word(ord_edn_literal("b"), "b"));
}

Test(jepsen_edn, a_map_has_the_room_that_it_was_made_with, .signal = SIGABRT)
{
	struct ord_edn map = ord_edn_map(&pool, 1);
	ord_edn_put_word(&map, "a", ord_edn_nil());
	ord_edn_put_word(&map, "b", ord_edn_nil());
}

Test(jepsen_edn, a_copy_owns_all_it_points_to)
{
	struct ord_edn_pool other;
	ord_edn_pool_init(&other, 1 << 20);
	char text[] = "{:a [\"x\" 1]}";
	struct ord_edn v, copy;
	struct ord_edn_problem problem;
	cr_assert_eq(ord_edn_read(&other, ord_slice_text(text), &v, &problem), ORD_OK);
	copy = ord_edn_copy(&pool, v);
	memset(text, 'z', sizeof text);
	ord_edn_pool_close(&other);
	writes(ord_edn_write, copy, "{:a [\"x\" 1]}");
}

Test(jepsen_edn, a_keyword_that_comes_again_takes_no_memory)
{
	char text[] = "outcome";
	struct ord_edn first = ord_edn_keyword(&pool, ord_slice_text(text));
	size_t bytes = pool.bytes, used = 0;
	for (int i = 0; i < 100000; i++)
		used += ord_edn_keyword(&pool, ord_slice_text(text)).text != first.text;
	cr_assert_eq(used, 0);
	cr_assert_eq(pool.bytes, bytes);
	for (int i = 0; i < 1000; i++) {
		char other[16];
		snprintf(other, sizeof other, "w%d", i);
		struct ord_edn v = ord_edn_keyword(&pool, ord_slice_text(other));
		cr_assert(ord_edn_is_word(v, other));
	}
	memset(text, 'z', sizeof text - 1);
	cr_assert(ord_edn_is_word(first, "outcome"));
}

Test(jepsen_edn, a_pool_keeps_its_maximum_and_remembers_that_it_failed)
{
	ord_edn_pool_init(&pool, 1000);
	cr_assert_not_null(ord_edn_take(&pool, 600));
	cr_assert_null(ord_edn_take(&pool, 600));
	cr_assert(pool.failed);
	cr_assert_null(ord_edn_take(&pool, 1));
	struct ord_edn map = ord_edn_map(&pool, 3);
	ord_edn_put_word(&map, "a", ord_edn_nil());
	cr_assert_eq(map.len, 0);
	cr_assert_eq(ord_edn_vector(&pool, 2).len, 0);
	cr_assert(ord_edn_is_nil(ord_edn_copy(&pool, ord_edn_literal("a"))));
	struct ord_edn v;
	struct ord_edn_problem problem;
	cr_assert_eq(ord_edn_read(&pool, ord_slice_text("[1]"), &v, &problem), ORD_ERR_NOMEM);
	ord_edn_pool_close(&pool);
	cr_assert(!pool.failed);
	cr_assert_not_null(ord_edn_take(&pool, 600));
}
