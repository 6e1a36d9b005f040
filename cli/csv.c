/* SPDX-License-Identifier: Apache-2.0 - reads comma-separated values (RFC 4180) from a stream, one line after the other, in bounded memory. */
#include "cli/csv.h"

#include <stdlib.h>

#include "base/err.h"

struct ord_csv {
	FILE *in; /* borrowed */
	uint64_t line;
	char text[ORD_CSV_LINE_BYTES_MAX]; /* the line; fields are unquoted in place */
};

int ord_csv_open(FILE *in, struct ord_csv **ret)
{
	struct ord_csv *c = calloc(1, sizeof *c);
	if (c == NULL)
		return ORD_ERR_NOMEM;
	c->in = in;
	*ret = c;
	return ORD_OK;
}

void ord_csv_close(struct ord_csv *c)
{
	free(c);
}

/* Reads one line without its end into c->text. *ret_have is false at the end of the stream; *ret_fits when the line was cut. */
static int line_read(struct ord_csv *c, size_t *ret_len, bool *ret_have, bool *ret_fits)
{
	size_t len = 0;
	int byte = getc_unlocked(c->in);
	*ret_have = byte != EOF;
	*ret_fits = true;
	for (; byte != EOF && byte != '\n'; byte = getc_unlocked(c->in)) {
		if (len < sizeof c->text)
			c->text[len++] = (char)byte;
		else
			*ret_fits = false;
	}
	if (ferror(c->in))
		return ORD_ERR_IO;
	if (len > 0 && *ret_fits && c->text[len - 1] == '\r')
		len--;
	c->line++;
	*ret_len = len;
	return ORD_OK;
}

/* Reads the quoted field that begins after the quote at text[0]; *ret_len is its length without quotes, the return value how many bytes of
 * text it took with them, 0 when its quote is never closed. */
static size_t quoted_take(char *text, size_t len, size_t *ret_len)
{
	size_t to = 0;
	for (size_t from = 1; from < len; from++) {
		if (text[from] == '"') {
			if (from + 1 == len || text[from + 1] != '"') {
				*ret_len = to;
				return from + 1;
			}
			from++;
		}
		text[to++] = text[from];
	}
	return 0;
}

static const char *fields_split(char *text, size_t len, struct ord_csv_record *ret)
{
	size_t at = 0;
	for (;;) {
		size_t field_len, taken;
		if (ret->fields_count == ORD_CSV_FIELDS_MAX)
			return "more than 64 fields";
		if (at < len && text[at] == '"') {
			taken = quoted_take(text + at, len - at, &field_len);
			if (taken == 0)
				return "a double quote is opened and not closed on this line";
			if (at + taken < len && text[at + taken] != ',')
				return "text after a closing double quote; write a quote inside quotes twice";
		} else {
			char *comma = memchr(text + at, ',', len - at);
			field_len = comma != NULL ? (size_t)(comma - text) - at : len - at;
			if (memchr(text + at, '"', field_len) != NULL)
				return "a double quote inside a field that does not begin with one";
			taken = field_len;
		}
		ret->fields[ret->fields_count++] = ord_slice_of(text + at, field_len);
		at += taken;
		if (at == len)
			return NULL;
		at++;
	}
}

int ord_csv_next(struct ord_csv *c, struct ord_csv_record *ret, bool *ret_have, const char **why)
{
	char *text = c->text;
	size_t len = 0;
	bool fits;
	do {
		int err = line_read(c, &len, ret_have, &fits);
		if (err != ORD_OK || !*ret_have)
			return err;
		if (c->line == 1 && len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
			text += 3;
			len -= 3;
		}
	} while (len == 0);
	ret->line = c->line;
	ret->fields_count = 0;
	ret->fields[0] = ord_slice_of(NULL, 0);
	*why = fits ? fields_split(text, len, ret) : "longer than 16384 bytes";
	return *why == NULL ? ORD_OK : ORD_ERR_FORMAT;
}

void ord_csv_put(FILE *out, struct ord_slice field)
{
	const char *p = field.base;
	bool plain = true;
	for (size_t i = 0; i < field.len; i++)
		plain = plain && p[i] != ',' && p[i] != '"' && p[i] != '\n' && p[i] != '\r';
	if (plain && field.len > 0) {
		fwrite(p, 1, field.len, out);
		return;
	}
	if (plain)
		return;
	fputc('"', out);
	for (size_t i = 0; i < field.len; i++) {
		if (p[i] == '"')
			fputc('"', out);
		fputc(p[i], out);
	}
	fputc('"', out);
}
