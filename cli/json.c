/* SPDX-License-Identifier: Apache-2.0 - writes JSON (RFC 8259) to a stream, value after value; commas and escapes are its own business. */
#include "cli/json.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/utf8.h"

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

static void put_quoted(FILE *out, struct ord_slice s)
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
