/* SPDX-License-Identifier: Apache-2.0 - is a text UTF-8? */
#include "partition/utf8.h"

#include <stdint.h>

/* What may follow a first byte: how many bytes, and the range of the second one; all others are 0x80 .. 0xbf. */
struct utf8_form {
	uint8_t first_low;
	uint8_t first_high;
	uint8_t second_low;
	uint8_t second_high;
	uint8_t following_count;
};

/* RFC 3629 section 4, UTF8-2 to UTF8-4. */
static const struct utf8_form forms[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2}, {0xe1, 0xec, 0x80, 0xbf, 2},
	{0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2}, {0xf0, 0xf0, 0x90, 0xbf, 3},
	{0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3},
};

static const struct utf8_form *form_of(uint8_t first)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (first >= forms[i].first_low && first <= forms[i].first_high)
			return &forms[i];
	return NULL;
}

/* Bytes of the character at the beginning of s, 0 when it is none. */
static size_t character_bytes(const uint8_t *at, size_t left)
{
	if (at[0] < 0x80)
		return 1;
	const struct utf8_form *form = form_of(at[0]);
	if (form == NULL || left <= form->following_count)
		return 0;
	if (at[1] < form->second_low || at[1] > form->second_high)
		return 0;
	for (size_t i = 2; i <= form->following_count; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return 1u + form->following_count;
}

bool ord_utf8_check(struct ord_slice s)
{
	const uint8_t *at = s.base;
	size_t left = s.len;
	while (left > 0) {
		size_t step = character_bytes(at, left);
		if (step == 0)
			return false;
		at += step;
		left -= step;
	}
	return true;
}
