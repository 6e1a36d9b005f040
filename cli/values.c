/* SPDX-License-Identifier: Apache-2.0 - named values, in two forms. */
#include "cli/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WIDE_SIZE 48 /* 39 digits and a sign */

static void put_text(struct ord_bytes *out, const char *text)
{
	ord_bytes_put(out, text, strlen(text));
}

void ord_values_begin(struct ord_values *f, const char *name)
{
	if (f->json != NULL) {
		ord_json_key(f->json, name);
		return;
	}
	if (f->words->len > 0)
		ord_bytes_put_u8(f->words, ' ');
	put_text(f->words, name);
	ord_bytes_put_u8(f->words, '=');
}

void ord_values_uint(struct ord_values *f, const char *name, uint64_t v)
{
	char text[24];
	ord_values_begin(f, name);
	if (f->json != NULL) {
		ord_json_uint(f->json, v);
		return;
	}
	snprintf(text, sizeof text, "%" PRIu64, v);
	put_text(f->words, text);
}

void ord_values_int(struct ord_values *f, const char *name, int64_t v)
{
	char text[24];
	ord_values_begin(f, name);
	if (f->json != NULL) {
		ord_json_int(f->json, v);
		return;
	}
	snprintf(text, sizeof text, "%" PRId64, v);
	put_text(f->words, text);
}

void ord_values_wide(struct ord_values *f, const char *name, __int128 v)
{
	char text[WIDE_SIZE];
	char *at = text + sizeof text - 1;
	unsigned __int128 left = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
	if (v >= INT64_MIN && v <= INT64_MAX) {
		ord_values_int(f, name, (int64_t)v);
		return;
	}
	*at = '\0';
	for (; left > 0; left /= 10)
		*--at = (char)('0' + (int)(left % 10));
	if (v < 0)
		*--at = '-';
	ord_values_name(f, name, at);
}

void ord_values_name(struct ord_values *f, const char *name, const char *value)
{
	ord_values_begin(f, name);
	if (f->json != NULL)
		ord_json_text(f->json, value);
	else
		put_text(f->words, value);
}

void ord_values_text(struct ord_values *f, const char *name, struct ord_slice text)
{
	const uint8_t *p = text.base;
	ord_values_begin(f, name);
	if (f->json != NULL) {
		ord_json_str(f->json, text);
		return;
	}
	ord_bytes_put_u8(f->words, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (p[i] == '"' || p[i] == '\\')
			ord_bytes_put_u8(f->words, '\\');
		ord_bytes_put_u8(f->words, p[i]);
	}
	ord_bytes_put_u8(f->words, '"');
}

void ord_values_id(struct ord_values *f, const char *name, const struct ord_uuid *id)
{
	char text[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(id, text);
	ord_values_name(f, name, text);
}

void ord_values_hex(struct ord_values *f, const char *name, struct ord_slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes.base;
	char text[2 * 1024 + 1];
	size_t len = bytes.len < sizeof text / 2 ? bytes.len : sizeof text / 2;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	text[2 * len] = '\0';
	ord_values_name(f, name, text);
}
