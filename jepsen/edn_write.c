/* SPDX-License-Identifier: Apache-2.0 - values as text: EDN, and JSON (RFC 8259). */
#include <inttypes.h>
#include <stdlib.h>

#include "base/quoted.h"
#include "jepsen/edn.h"

bool ord_edn_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(".*+!-_?$%&=<>/#", c) != NULL);
}

static void write_quoted(FILE *out, struct ord_slice s)
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

static void write_keyword(FILE *out, struct ord_edn v)
{
	bool good = v.len > 0;
	for (uint32_t i = 0; i < v.len; i++)
		good = good && ord_edn_word_byte(v.text[i]);
	if (good)
		fprintf(out, ":%.*s", (int)v.len, v.text);
	else
		write_quoted(out, ord_edn_text(v));
}

static void write_scalar(FILE *out, struct ord_edn v)
{
	if (v.kind == ORD_EDN_BOOL)
		fputs(v.truth ? "true" : "false", out);
	else if (v.kind == ORD_EDN_INT)
		fprintf(out, "%" PRId64, v.integer);
	else if (v.kind == ORD_EDN_STRING)
		write_quoted(out, ord_edn_text(v));
}

void ord_edn_write(FILE *out, struct ord_edn v)
{
	switch (v.kind) {
	case ORD_EDN_NIL:
		fputs("nil", out);
		return;
	case ORD_EDN_KEYWORD:
		write_keyword(out, v);
		return;
	case ORD_EDN_VECTOR:
	case ORD_EDN_MAP:
		fputc(v.kind == ORD_EDN_MAP ? '{' : '[', out);
		for (uint32_t i = 0; i < v.len; i++) {
			if (i > 0)
				fputs(v.kind == ORD_EDN_MAP && i % 2 == 0 ? ", " : " ", out);
			ord_edn_write(out, v.items[i]);
		}
		fputc(v.kind == ORD_EDN_MAP ? '}' : ']', out);
		return;
	case ORD_EDN_BOOL:
	case ORD_EDN_INT:
	case ORD_EDN_STRING:
		write_scalar(out, v);
		return;
	}
}

const char *ord_edn_show(struct ord_edn v, char *text, size_t bytes)
{
	char *whole = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&whole, &len);
	if (memory != NULL) {
		ord_edn_write(memory, v);
		fclose(memory);
	}
	bool fits = len < bytes;
	snprintf(text, bytes, "%.*s%s", (int)(fits ? len : bytes - sizeof "..."), whole != NULL ? whole : "",
		 fits ? "" : "...");
	free(whole);
	return text;
}

static void write_json_key(FILE *out, struct ord_edn key)
{
	char *text = NULL;
	size_t len = 0;
	if (key.kind == ORD_EDN_STRING || key.kind == ORD_EDN_KEYWORD) {
		write_quoted(out, ord_edn_text(key));
		return;
	}
	FILE *memory = open_memstream(&text, &len);
	if (memory != NULL) {
		ord_edn_write(memory, key);
		fclose(memory);
	}
	write_quoted(out, ord_slice_of(text, len));
	free(text);
}

void ord_edn_write_json(FILE *out, struct ord_edn v)
{
	switch (v.kind) {
	case ORD_EDN_NIL:
		fputs("null", out);
		return;
	case ORD_EDN_KEYWORD:
		write_quoted(out, ord_edn_text(v));
		return;
	case ORD_EDN_VECTOR:
		fputc('[', out);
		for (uint32_t i = 0; i < v.len; i++) {
			if (i > 0)
				fputc(',', out);
			ord_edn_write_json(out, v.items[i]);
		}
		fputc(']', out);
		return;
	case ORD_EDN_MAP:
		fputc('{', out);
		for (uint32_t i = 0; i < v.len; i += 2) {
			if (i > 0)
				fputc(',', out);
			write_json_key(out, v.items[i]);
			fputc(':', out);
			ord_edn_write_json(out, v.items[i + 1]);
		}
		fputc('}', out);
		return;
	case ORD_EDN_BOOL:
	case ORD_EDN_INT:
	case ORD_EDN_STRING:
		write_scalar(out, v);
		return;
	}
}
