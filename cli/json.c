/* SPDX-License-Identifier: Apache-2.0 - writes JSON (RFC 8259) to a stream, value after value; commas and escapes are its own business. */
#include "cli/json.h"

#include <inttypes.h>

#include "base/assert.h"

void ord_json_init(struct ord_json *j, FILE *out)
{
	*j = (struct ord_json){.out = out};
}

/* What stands between the value that comes and the one before. */
static void separate(struct ord_json *j)
{
	if (!j->after_key && j->filled[j->depth])
		fputc(',', j->out);
	j->after_key = false;
	j->filled[j->depth] = true;
}

static void begin(struct ord_json *j, char bracket)
{
	separate(j);
	fputc(bracket, j->out);
	ORD_ASSERT(j->depth < ORD_JSON_DEPTH_MAX);
	j->depth++;
	j->filled[j->depth] = false;
}

static void end(struct ord_json *j, char bracket)
{
	ORD_ASSERT(j->depth > 0);
	ORD_ASSERT(!j->after_key);
	j->depth--;
	fputc(bracket, j->out);
	if (j->depth == 0)
		fputc('\n', j->out);
}

void ord_json_begin_object(struct ord_json *j)
{
	begin(j, '{');
}

void ord_json_end_object(struct ord_json *j)
{
	end(j, '}');
}

void ord_json_begin_array(struct ord_json *j)
{
	begin(j, '[');
}

void ord_json_end_array(struct ord_json *j)
{
	end(j, ']');
}

/* Length of the well-formed UTF-8 sequence (RFC 3629 section 4) at p, 0 when there is none. */
static size_t sequence_len(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xBF;
	size_t len;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xC2 && p[0] <= 0xDF)
		len = 2;
	else if ((p[0] & 0xF0) == 0xE0)
		len = 3;
	else if (p[0] >= 0xF0 && p[0] <= 0xF4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xE0)
		low = 0xA0;
	if (p[0] == 0xED)
		high = 0x9F;
	if (p[0] == 0xF0)
		low = 0x90;
	if (p[0] == 0xF4)
		high = 0x8F;
	if (len > left || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

static void put_quoted(FILE *out, struct ord_slice s)
{
	const uint8_t *p = s.base;
	fputc('"', out);
	for (size_t i = 0; i < s.len;) {
		size_t len = sequence_len(p + i, s.len - i);
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

void ord_json_key(struct ord_json *j, const char *key)
{
	ORD_ASSERT(!j->after_key);
	separate(j);
	put_quoted(j->out, ord_slice_text(key));
	fputc(':', j->out);
	j->after_key = true;
}

void ord_json_str(struct ord_json *j, struct ord_slice s)
{
	separate(j);
	put_quoted(j->out, s);
}

void ord_json_text(struct ord_json *j, const char *text)
{
	ord_json_str(j, ord_slice_text(text));
}

void ord_json_int(struct ord_json *j, int64_t v)
{
	separate(j);
	fprintf(j->out, "%" PRId64, v);
}

void ord_json_uint(struct ord_json *j, uint64_t v)
{
	separate(j);
	fprintf(j->out, "%" PRIu64, v);
}

void ord_json_bool(struct ord_json *j, bool v)
{
	separate(j);
	fputs(v ? "true" : "false", j->out);
}

void ord_json_null(struct ord_json *j)
{
	separate(j);
	fputs("null", j->out);
}
