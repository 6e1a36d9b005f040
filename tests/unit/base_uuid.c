/* SPDX-License-Identifier: Apache-2.0 - tests of base/uuid.h. */
#include "base/uuid.h"

#include <criterion/criterion.h>
#include <ctype.h>

#include "base/err.h"

/* RFC 9562 appendix A.6: unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F. */
#define RFC_TEXT "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
#define RFC_UNIX_MS 0x017f22e279b0ull

Test(base_uuid, v7_is_the_example_of_the_rfc)
{
	/* Version and variant bits are set by the function: the bits given in their places must not matter. */
	static const uint8_t random[10] = {0xfc, 0xc3, 0xd8, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
	struct ord_uuid id = ord_uuid_v7(RFC_UNIX_MS, random);
	char text[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(&id, text);
	cr_assert_str_eq(text, RFC_TEXT);
}

Test(base_uuid, v7_sorts_by_time)
{
	static const uint8_t ones[10] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t zeros[10] = {0};
	struct ord_uuid earlier = ord_uuid_v7(RFC_UNIX_MS, ones);
	struct ord_uuid later = ord_uuid_v7(RFC_UNIX_MS + 1, zeros);
	cr_assert_lt(memcmp(earlier.bytes, later.bytes, sizeof earlier.bytes), 0);
}

Test(base_uuid, text_and_bytes_are_the_same_in_every_form)
{
	static const char *const forms[] = {RFC_TEXT, "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
					    "017f22e279b07cc398c4dc0c0c07398f", "017F22e279b07Cc398c4dc0c0C07398f"};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct ord_uuid id;
		char text[ORD_UUID_TEXT_SIZE];
		cr_assert_eq(ord_uuid_parse(ord_slice_text(forms[i]), &id), ORD_OK, "%s", forms[i]);
		ord_uuid_format(&id, text);
		cr_assert_str_eq(text, RFC_TEXT);
	}
}

Test(base_uuid, every_byte_has_its_place)
{
	for (int i = 0; i < 256; i++) {
		struct ord_uuid id;
		struct ord_uuid back;
		char text[ORD_UUID_TEXT_SIZE];
		for (int k = 0; k < 16; k++)
			id.bytes[k] = (uint8_t)(i + 17 * k);
		ord_uuid_format(&id, text);
		cr_assert_eq(strlen(text), 36);
		cr_assert_eq(ord_uuid_parse(ord_slice_text(text), &back), ORD_OK);
		cr_assert(ord_uuid_equal(&id, &back));
	}
}

Test(base_uuid, anything_else_is_refused_and_changes_nothing)
{
	static const char *const wrong[] = {
		"",
		"0",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",	 /* 35 characters */
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398ff", /* 37 */
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g",	 /* no digit */
		"017f22e2079b0-7cc3-98c4-dc0c0c07398f",	 /* a digit in a dash's place */
		"017f22e-279b0-7cc3-98c4-dc0c0c07398f",	 /* a dash in a digit's place */
		"{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
		"017f22e279b07cc398c4dc0c0c07398",   /* 31 digits */
		"017f22e279b07cc398c4dc0c0c07398ff", /* 33 */
		"017f22e279b07cc398c4dc0c0c07398-",
		" 17f22e279b07cc398c4dc0c0c07398f",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct ord_uuid id;
		memset(id.bytes, 0xa5, sizeof id.bytes);
		cr_assert_eq(ord_uuid_parse(ord_slice_text(wrong[i]), &id), ORD_ERR_INVALID, "%s", wrong[i]);
		for (size_t k = 0; k < sizeof id.bytes; k++)
			cr_assert_eq(id.bytes[k], 0xa5, "%s", wrong[i]);
	}
}

/* Every byte value in one digit's place: the 22 hexadecimal digits and nothing else. */
Test(base_uuid, only_hexadecimal_digits_are_digits)
{
	char text[ORD_UUID_TEXT_SIZE] = RFC_TEXT;
	for (int c = 1; c < 256; c++) {
		struct ord_uuid id;
		text[9] = (char)c;
		int want = c < 128 && isxdigit(c) ? ORD_OK : ORD_ERR_INVALID;
		cr_assert_eq(ord_uuid_parse(ord_slice_of(text, 36), &id), want, "byte %d", c);
	}
}
