/* SPDX-License-Identifier: Apache-2.0 - texts in double quotes, with the escapes that JSON (RFC 8259, section 7) and EDN have in common. */
#include "base/quoted.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

size_t ord_quoted_take(const uint8_t *p, size_t left, char ret[ORD_QUOTED_SIZE])
{
	size_t len = ord_utf8_len(p, left);
	if (len == 0)
		snprintf(ret, ORD_QUOTED_SIZE, "\\ufffd");
	else if (*p == '"' || *p == '\\')
		snprintf(ret, ORD_QUOTED_SIZE, "\\%c", *p);
	else if (*p == '\n')
		snprintf(ret, ORD_QUOTED_SIZE, "\\n");
	else if (*p == '\t')
		snprintf(ret, ORD_QUOTED_SIZE, "\\t");
	else if (*p < 0x20 || *p == 0x7F)
		snprintf(ret, ORD_QUOTED_SIZE, "\\u%04x", *p);
	else
		snprintf(ret, ORD_QUOTED_SIZE, "%.*s", (int)len, (const char *)p);
	return len == 0 ? 1 : len;
}
