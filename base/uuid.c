/* SPDX-License-Identifier: Apache-2.0 - text form and making of 16-byte identifiers. */
#include "base/uuid.h"

#include "base/err.h"

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool dash_belongs_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

int ord_uuid_parse(struct ord_slice text, struct ord_uuid *ret)
{
	const uint8_t *at = text.base;
	bool dashed = text.len == ORD_UUID_TEXT_SIZE - 1;
	if (!dashed && text.len != 2 * sizeof ret->bytes)
		return ORD_ERR_INVALID;
	struct ord_uuid id;
	size_t digits = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (dashed && dash_belongs_at(i)) {
			if (at[i] != '-')
				return ORD_ERR_INVALID;
			continue;
		}
		int v = hex_value(at[i]);
		if (v < 0)
			return ORD_ERR_INVALID;
		uint8_t *byte = &id.bytes[digits / 2];
		*byte = digits % 2 == 0 ? (uint8_t)(v << 4) : (uint8_t)(*byte | v);
		digits++;
	}
	*ret = id;
	return ORD_OK;
}

void ord_uuid_format(const struct ord_uuid *id, char text[ORD_UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;
	for (size_t i = 0; i < sizeof id->bytes; i++) {
		if (dash_belongs_at(at))
			text[at++] = '-';
		text[at++] = digits[id->bytes[i] >> 4];
		text[at++] = digits[id->bytes[i] & 15];
	}
	text[at] = '\0';
}

struct ord_uuid ord_uuid_v7(uint64_t unix_ms, const uint8_t random[10])
{
	struct ord_uuid id;
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
	memcpy(id.bytes + 6, random, 10);
	id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0f));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return id;
}
