/* SPDX-License-Identifier: Apache-2.0 - what commands answer (JSON, RFC 8259) as values of a history. */
#include "jepsen/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct parse {
	struct ord_edn_pool *pool;
	const char *at;
};

/* What was read of a vector or a map so far. */
struct many {
	struct ord_edn *items; /* owned */
	size_t count;
	size_t capacity;
};

static bool value(struct parse *p, int depth, struct ord_edn *ret);

static void space(struct parse *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

static bool taken(struct parse *p, const char *what)
{
	size_t len = strlen(what);
	if (strncmp(p->at, what, len) != 0)
		return false;
	p->at += len;
	return true;
}

/* UTF-8, RFC 3629 section 3. */
static char *utf8_put(char *to, unsigned long code)
{
	int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
	*to++ = (char)(first[more] | code >> 6 * more);
	while (more-- > 0)
		*to++ = (char)(0x80 | (code >> 6 * more & 0x3F));
	return to;
}

/* Four hexadecimal digits; -1 when there are none, or a NUL is meant: no text here has one. */
static long hex4(const char **at)
{
	char digits[5] = {0};
	memcpy(digits, *at, strnlen(*at, 4));
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return -1;
	*at += 4;
	long code = strtol(digits, NULL, 16);
	return code == 0 ? -1 : code;
}

/* What stands behind a backslash. NULL: nothing that may. */
static char *escape(const char **from, char *to)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char letter = *(*from)++;
	const char *found = letter == '\0' ? NULL : strchr(letters, letter);
	if (found != NULL) {
		*to++ = meant[found - letters];
		return to;
	}
	long code = letter == 'u' ? hex4(from) : -1;
	if (code >= 0xD800 && code < 0xDC00 && (*from)[0] == '\\' && (*from)[1] == 'u') {
		*from += 2;
		long low = hex4(from);
		code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
	}
	bool alone = code >= 0xD800 && code < 0xE000; /* half of a pair */
	return code < 0 || alone ? NULL : utf8_put(to, (unsigned long)code);
}

/* Where the closing quote stands of the string that begins at `at`; NULL: nowhere. */
static const char *string_end(const char *at)
{
	while (*at != '"') {
		if (*at == '\\')
			at++;
		if (*at == '\0')
			return NULL;
		at++;
	}
	return at;
}

/* A string as a keyword or a string of EDN. */
static bool string(struct parse *p, bool keyword, struct ord_edn *ret)
{
	const char *end = *p->at == '"' ? string_end(p->at + 1) : NULL;
	if (end == NULL)
		return false;
	char *text = malloc((size_t)(end - p->at)); /* no escape is shorter than what it means */
	char *to = text;
	const char *from = p->at + 1;
	while (to != NULL && from < end) {
		if (*from == '\\') {
			from++;
			to = escape(&from, to);
		} else {
			*to++ = *from++;
		}
	}
	if (to != NULL) {
		struct ord_slice s = ord_slice_of(text, (size_t)(to - text));
		*ret = keyword ? ord_edn_keyword(p->pool, s) : ord_edn_string(p->pool, s);
	}
	free(text);
	p->at = end + 1;
	return to != NULL;
}

static bool number(struct parse *p, struct ord_edn *ret)
{
	size_t len = strspn(p->at, "-+.0123456789eE");
	char *end;
	errno = 0;
	long long v = strtoll(p->at, &end, 10);
	if (len > 0 && errno == 0 && end == p->at + len) {
		*ret = ord_edn_int(v);
	} else {
		strtod(p->at, &end);
		if (len == 0 || end != p->at + len)
			return false;
		*ret = ord_edn_string(p->pool, ord_slice_of(p->at, len));
	}
	p->at += len;
	return true;
}

static bool many_add(struct many *m, struct ord_edn v)
{
	if (m->count == m->capacity) {
		size_t capacity = m->capacity == 0 ? 16 : m->capacity * 2;
		struct ord_edn *items =
			capacity <= 2 * ORD_EDN_ITEMS_MAX ? realloc(m->items, capacity * sizeof *items) : NULL;
		if (items == NULL)
			return false;
		m->items = items;
		m->capacity = capacity;
	}
	m->items[m->count++] = v;
	return true;
}

/* One item of a vector, or one name and its value. */
static bool member(struct parse *p, bool map, int depth, struct many *m)
{
	struct ord_edn v;
	space(p);
	if (map) {
		if (!string(p, true, &v) || !many_add(m, v))
			return false;
		space(p);
		if (!taken(p, ":"))
			return false;
	}
	return value(p, depth + 1, &v) && many_add(m, v);
}

static bool members(struct parse *p, bool map, int depth, struct many *m)
{
	const char *close = map ? "}" : "]";
	space(p);
	if (depth >= ORD_EDN_DEPTH_MAX)
		return false;
	if (taken(p, close))
		return true;
	do {
		if (!member(p, map, depth, m))
			return false;
		space(p);
	} while (taken(p, ","));
	return taken(p, close);
}

/* What stands between brackets, the first of which was taken. */
static bool many(struct parse *p, bool map, int depth, struct ord_edn *ret)
{
	struct many m = {0};
	bool good = members(p, map, depth, &m);
	if (good && map) {
		*ret = ord_edn_map(p->pool, m.count / 2);
		for (size_t i = 0; i < m.count; i += 2)
			ord_edn_put(ret, m.items[i], m.items[i + 1]);
	} else if (good) {
		*ret = ord_edn_vector(p->pool, m.count);
		for (size_t i = 0; m.items != NULL && i < ret->len; i++)
			ret->items[i] = m.items[i];
	}
	free(m.items);
	return good;
}

static bool value(struct parse *p, int depth, struct ord_edn *ret)
{
	space(p);
	if (taken(p, "{"))
		return many(p, true, depth, ret);
	if (taken(p, "["))
		return many(p, false, depth, ret);
	if (*p->at == '"')
		return string(p, false, ret);
	bool truth = taken(p, "true");
	if (truth || taken(p, "false")) {
		*ret = ord_edn_bool(truth);
		return true;
	}
	if (!taken(p, "null"))
		return number(p, ret);
	*ret = ord_edn_nil();
	return true;
}

int ord_json_read(struct ord_edn_pool *pool, const char *text, struct ord_edn *ret)
{
	struct parse p = {.pool = pool, .at = text};
	struct ord_edn v;
	if (!value(&p, 0, &v))
		return pool->failed ? ORD_ERR_NOMEM : ORD_ERR_FORMAT;
	space(&p);
	if (pool->failed)
		return ORD_ERR_NOMEM;
	if (*p.at != '\0')
		return ORD_ERR_FORMAT;
	*ret = v;
	return ORD_OK;
}

int64_t ord_json_int(struct ord_edn map, const char *name, int64_t otherwise)
{
	struct ord_edn v = ord_edn_get(map, name);
	return v.kind == ORD_EDN_INT ? v.integer : otherwise;
}

bool ord_json_bool(struct ord_edn map, const char *name, bool otherwise)
{
	struct ord_edn v = ord_edn_get(map, name);
	return v.kind == ORD_EDN_BOOL ? v.truth : otherwise;
}

bool ord_json_is(struct ord_edn map, const char *name, const char *text)
{
	struct ord_edn v = ord_edn_get(map, name);
	return v.kind == ORD_EDN_STRING && ord_slice_equal(ord_edn_text(v), ord_slice_text(text));
}
