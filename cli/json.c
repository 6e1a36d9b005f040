/* SPDX-License-Identifier: Apache-2.0 - writes JSON (RFC 8259) to a stream, value after value; commas and escapes are its own business. */
#include "cli/json.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/quoted.h"

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
	char text[ORD_QUOTED_SIZE];
	fputc('"', out);
	for (size_t i = 0; i < s.len;) {
		i += ord_quoted_take(p + i, s.len - i, text);
		fputs(text, out);
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

void ord_json_pair_text(struct ord_json *j, const char *key, const char *text)
{
	ord_json_key(j, key);
	ord_json_text(j, text);
}

void ord_json_pair_uint(struct ord_json *j, const char *key, uint64_t v)
{
	ord_json_key(j, key);
	ord_json_uint(j, v);
}

void ord_json_pair_bool(struct ord_json *j, const char *key, bool v)
{
	ord_json_key(j, key);
	ord_json_bool(j, v);
}
