/* SPDX-License-Identifier: Apache-2.0 - values from text: a strict reader of the part of EDN that edn.h has. Recursion is bounded by ORD_EDN_DEPTH_MAX. */
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/edn.h"

struct reading {
	const char *at;
	const char *end;
	struct ord_edn_pool *pool;
	uint32_t depth;
	const char *why; /* what is wrong at .at; NULL */
};

/* Items that are not counted yet. */
struct items {
	struct ord_edn *base; /* owned */
	size_t count;
	size_t capacity;
};

static bool value_read(struct reading *r, struct ord_edn *ret);

static bool wrong(struct reading *r, const char *why)
{
	r->why = why;
	return false;
}

/* What may follow a number or a word: an end, a space, a bracket, a quote. */
static bool is_end(const struct reading *r, const char *at)
{
	return at == r->end || strchr(" \t\r\n,()[]{}\"", *at) != NULL;
}

static void skip_spaces(struct reading *r)
{
	while (r->at < r->end && *r->at != '\0' && strchr(" \t\r\n,", *r->at) != NULL)
		r->at++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool number_read(struct reading *r, struct ord_edn *ret)
{
	const char *at = r->at;
	bool minus = *at == '-';
	int64_t v = 0;
	if (*at == '-' || *at == '+')
		at++;
	if (at == r->end || !is_digit(*at))
		return wrong(r, "a sign without a number");
	if (*at == '0' && at + 1 < r->end && is_digit(at[1]))
		return wrong(r, "a number with a leading zero");
	for (; at < r->end && is_digit(*at); at++) {
		int64_t digit = *at - '0';
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v))
			return wrong(r, "a number beyond 64 bits");
	}
	if (!is_end(r, at))
		return wrong(r, "not an integer");
	if (!minus && v == INT64_MIN)
		return wrong(r, "a number beyond 64 bits");
	r->at = at;
	*ret = ord_edn_int(minus ? v : -v);
	return true;
}

static bool keyword_read(struct reading *r, struct ord_edn *ret)
{
	const char *begin = r->at + 1;
	const char *at = begin;
	while (at < r->end && ord_edn_word_byte(*at))
		at++;
	if (at == begin || !is_end(r, at))
		return wrong(r, "not a keyword");
	if ((size_t)(at - begin) > ORD_EDN_TEXT_BYTES_MAX)
		return wrong(r, "a keyword of more than 1 MiB");
	r->at = at;
	*ret = ord_edn_keyword(r->pool, ord_slice_of(begin, (size_t)(at - begin)));
	return true;
}

/* nil, true, false. */
static bool name_read(struct reading *r, struct ord_edn *ret)
{
	static const struct {
		const char *text;
		struct ord_edn value;
	} names[] = {{"nil", {.kind = ORD_EDN_NIL}},
		     {"true", {.kind = ORD_EDN_BOOL, .truth = true}},
		     {"false", {.kind = ORD_EDN_BOOL, .truth = false}}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t len = strlen(names[i].text);
		if ((size_t)(r->end - r->at) >= len && memcmp(r->at, names[i].text, len) == 0 &&
		    is_end(r, r->at + len)) {
			r->at += len;
			*ret = names[i].value;
			return true;
		}
	}
	return wrong(r, "neither nil, true, false, an integer, a string, a keyword, a vector nor a map");
}

/* --- Strings --- */

static void put_utf8(char **to, uint32_t code)
{
	if (code < 0x80) {
		*(*to)++ = (char)code;
	} else if (code < 0x800) {
		*(*to)++ = (char)(0xC0 | code >> 6);
		*(*to)++ = (char)(0x80 | (code & 0x3F));
	} else {
		*(*to)++ = (char)(0xE0 | code >> 12);
		*(*to)++ = (char)(0x80 | (code >> 6 & 0x3F));
		*(*to)++ = (char)(0x80 | (code & 0x3F));
	}
}

/* After \u: four hexadecimal digits. Surrogates are no characters. */
static bool unicode_read(struct reading *r, char **to)
{
	uint32_t code = 0;
	if (r->end - r->at < 4)
		return wrong(r, "\\u needs four hexadecimal digits");
	for (int i = 0; i < 4; i++) {
		char c = r->at[i];
		if (is_digit(c))
			code = code << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			code = code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return wrong(r, "\\u needs four hexadecimal digits");
	}
	if (code >= 0xD800 && code <= 0xDFFF)
		return wrong(r, "half of a surrogate pair");
	r->at += 4;
	put_utf8(to, code);
	return true;
}

static bool escape_read(struct reading *r, char **to)
{
	static const char names[] = "nrtbf\\\"";
	static const char bytes[] = "\n\r\t\b\f\\\"";
	const char *name = r->at < r->end && *r->at != '\0' ? strchr(names, *r->at) : NULL;
	if (r->at < r->end && *r->at == 'u') {
		r->at++;
		return unicode_read(r, to);
	}
	if (name == NULL)
		return wrong(r, "an unknown escape in a string");
	*(*to)++ = bytes[name - names];
	r->at++;
	return true;
}

static const char *string_end(const struct reading *r)
{
	for (const char *at = r->at + 1; at < r->end; at++) {
		if (*at == '"')
			return at;
		if (*at == '\\')
			at++;
	}
	return NULL;
}

static bool string_read(struct reading *r, struct ord_edn *ret)
{
	const char *end = string_end(r);
	if (end == NULL)
		return wrong(r, "a string without its end");
	if ((size_t)(end - r->at) > ORD_EDN_TEXT_BYTES_MAX)
		return wrong(r, "a string of more than 1 MiB");
	r->at++;
	char *text = ord_edn_take(r->pool, (size_t)(end - r->at)); /* no escape is shorter than what it stands for */
	if (text == NULL)
		return false;
	char *to = text;
	while (r->at < end) {
		if (*r->at != '\\') {
			*to++ = *r->at++;
			continue;
		}
		r->at++;
		if (!escape_read(r, &to))
			return false;
	}
	r->at = end + 1;
	*ret = (struct ord_edn){.kind = ORD_EDN_STRING, .len = (uint32_t)(to - text), .text = text};
	return true;
}

/* --- Vectors and maps --- */

static bool items_add(struct reading *r, struct items *items, struct ord_edn v)
{
	if (items->count == ORD_EDN_ITEMS_MAX)
		return wrong(r, "a vector or map of more than 1,048,576 values");
	if (items->count == items->capacity) {
		size_t capacity = items->capacity > 0 ? 2 * items->capacity : 8;
		struct ord_edn *grown = realloc(items->base, capacity * sizeof *grown);
		if (grown == NULL) {
			r->pool->failed = true;
			return false;
		}
		items->base = grown;
		items->capacity = capacity;
	}
	items->base[items->count++] = v;
	return true;
}

static bool items_read(struct reading *r, char close, struct items *items)
{
	r->at++;
	for (;;) {
		struct ord_edn v;
		skip_spaces(r);
		if (r->at == r->end)
			return wrong(r, close == ']' ? "a vector without its end" : "a map without its end");
		if (*r->at == close)
			break;
		if (!value_read(r, &v) || !items_add(r, items, v))
			return false;
	}
	r->at++;
	return true;
}

static int hash_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* By their hashes: that two different keys of a map have the same one does not happen. */
static bool has_key_twice(struct reading *r, const struct items *items)
{
	bool twice = false;
	size_t count = items->count / 2;
	uint64_t few[16];
	uint64_t *hashes = count <= sizeof few / sizeof *few ? few : malloc(count * sizeof *hashes);
	if (hashes == NULL) {
		r->pool->failed = true;
		return false;
	}
	for (size_t i = 0; i < count; i++)
		hashes[i] = ord_edn_hash(items->base[2 * i]);
	qsort(hashes, count, sizeof *hashes, hash_compare);
	for (size_t i = 1; i < count; i++)
		twice = twice || hashes[i] == hashes[i - 1];
	if (hashes != few)
		free(hashes);
	return twice;
}

static void items_move(struct reading *r, const struct items *items, bool is_map, struct ord_edn *ret)
{
	struct ord_edn v = is_map ? ord_edn_map(r->pool, items->count / 2) : ord_edn_vector(r->pool, items->count);
	if (v.items != NULL && items->count > 0) {
		memcpy(v.items, items->base, items->count * sizeof *v.items);
		v.len = (uint32_t)items->count;
	}
	*ret = v;
}

static bool list_read(struct reading *r, struct ord_edn *ret)
{
	const char *begin = r->at;
	bool is_map = *begin == '{';
	struct items items = {0};
	if (r->depth == ORD_EDN_DEPTH_MAX)
		return wrong(r, "nested more than 16 deep");
	r->depth++;
	bool good = items_read(r, is_map ? '}' : ']', &items);
	r->depth--;
	if (good && is_map && items.count % 2 != 0) {
		r->at = begin;
		good = wrong(r, "a key without its value");
	}
	if (good && is_map && has_key_twice(r, &items)) {
		r->at = begin;
		good = wrong(r, "the same key twice");
	}
	if (good)
		items_move(r, &items, is_map, ret);
	free(items.base);
	return good;
}

static bool value_read(struct reading *r, struct ord_edn *ret)
{
	char c = *r->at;
	if (c == '[' || c == '{')
		return list_read(r, ret);
	if (c == '"')
		return string_read(r, ret);
	if (c == ':')
		return keyword_read(r, ret);
	if (is_digit(c) || c == '-' || c == '+')
		return number_read(r, ret);
	return name_read(r, ret);
}

int ord_edn_read(struct ord_edn_pool *pool, struct ord_slice text, struct ord_edn *ret, struct ord_edn_problem *problem)
{
	struct reading r = {.at = text.base, .end = (const char *)text.base + text.len, .pool = pool};
	struct ord_edn v = ord_edn_nil();
	bool good = false;
	skip_spaces(&r);
	if (r.at == r.end)
		wrong(&r, "no value");
	else
		good = value_read(&r, &v);
	if (good)
		skip_spaces(&r);
	if (good && r.at < r.end)
		good = wrong(&r, "something after the value");
	if (pool->failed)
		return ORD_ERR_NOMEM;
	if (!good) {
		problem->column = (uint32_t)(r.at - (const char *)text.base) + 1;
		problem->why = r.why;
		return ORD_ERR_FORMAT;
	}
	*ret = v;
	return ORD_OK;
}
