/* SPDX-License-Identifier: Apache-2.0 - a text in double quotes, with the escapes that JSON (RFC 8259, section 7) and EDN have in common. */
#include "base/quoted.h"

#include "base/utf8.h"

void ord_quoted_write(FILE *out, struct ord_slice s)
{
	const uint8_t *p = s.base;
	fputc('"', out);
	for (size_t i = 0; i < s.len;) {
		size_t len = ord_utf8_len(p + i, s.len - i);
		if (len == 0)
			fputs("\\ufffd", out);
		else if (p[i] == '"' || p[i] == '\\')
			fprintf(out, "\\%c", p[i]);
		else if (p[i] == '\n')
			fputs("\\n", out);
		else if (p[i] == '\t')
			fputs("\\t", out);
		else if (p[i] < 0x20 || p[i] == 0x7F)
			fprintf(out, "\\u%04x", p[i]);
		else
			fwrite(p + i, 1, len, out);
		i += len == 0 ? 1 : len;
	}
	fputc('"', out);
}
