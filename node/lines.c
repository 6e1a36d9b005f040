/* SPDX-License-Identifier: Apache-2.0 - small text files of "key = value" lines. */
#include "node/lines.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"

#define SEAL_BEGIN "check = "
#define SEAL_LEN (ORD_LINES_SEAL_SIZE - 1)

bool ord_lines_value(const char *text, const char *key, char *ret_value, size_t value_size)
{
	size_t key_len = strlen(key);
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, key, key_len) != 0 || strncmp(line + key_len, " = ", 3) != 0)
			continue;
		const char *value = line + key_len + 3;
		size_t len = strcspn(value, "\n");
		if (len >= value_size)
			return false;
		memcpy(ret_value, value, len);
		ret_value[len] = '\0';
		return true;
	}
	return false;
}

bool ord_lines_uuid(const char *text, const char *key, struct ord_uuid *ret)
{
	char value[ORD_UUID_TEXT_SIZE];
	return ord_lines_value(text, key, value, sizeof value) && ord_uuid_parse(ord_slice_text(value), ret) == ORD_OK;
}

static void seal_format(const char *text, size_t len, char seal[ORD_LINES_SEAL_SIZE])
{
	snprintf(seal, ORD_LINES_SEAL_SIZE, SEAL_BEGIN "%08x\n", ord_crc32c(0, text, len));
}

void ord_lines_seal(char *text, size_t text_size)
{
	size_t len = strlen(text);
	ORD_ASSERT(len + ORD_LINES_SEAL_SIZE <= text_size);
	seal_format(text, len, text + len);
}

bool ord_lines_is_sealed(const char *text)
{
	char seal[ORD_LINES_SEAL_SIZE];
	size_t len = strlen(text);
	if (len < SEAL_LEN)
		return false;
	seal_format(text, len - SEAL_LEN, seal);
	return strcmp(text + len - SEAL_LEN, seal) == 0;
}
