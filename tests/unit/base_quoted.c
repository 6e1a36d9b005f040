/* SPDX-License-Identifier: Apache-2.0 - texts in double quotes: what is escaped, and what stays as it is. */
#include "base/quoted.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/bytes.h"

static void writes(struct ord_slice s, const char *expected)
{
	char text[256] = "";
	for (size_t i = 0; i < s.len;)
		i += ord_quoted_take((const uint8_t *)s.base + i, s.len - i, text + strlen(text));
	cr_assert_str_eq(text, expected);
}

Test(base_quoted, escapes_what_both_languages_escape)
{
	writes(ord_slice_text(""), "");
	writes(ord_slice_text("plain caf\xC3\xA9"), "plain caf\xC3\xA9");
	writes(ord_slice_text("a\"b\\c"), "a\\\"b\\\\c");
	writes(ord_slice_text("\n\t\r\x1B\x7F"), "\\n\\t\\u000d\\u001b\\u007f");
	writes(ord_slice_of("\0", 1), "\\u0000");
}

Test(base_quoted, replaces_each_byte_that_is_no_utf8)
{
	writes(ord_slice_text("a\xFF\xC3"), "a\\ufffd\\ufffd");
	writes(ord_slice_text("\xED\xA0\x80"), "\\ufffd\\ufffd\\ufffd");
}
