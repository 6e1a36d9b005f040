/* SPDX-License-Identifier: Apache-2.0 - words into MessagePack. */
#include "tests/support/node_words.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 70000

struct words {
	const char *at;
	msgpack_packer packer;
};

static void skip(struct words *w)
{
	while (*w->at != '\0' && strchr(" \n\t,:", *w->at) != NULL)
		w->at++;
}

static unsigned hex_byte(const char *at)
{
	char text[3] = {at[0], at[1], '\0'};
	return (unsigned)strtoul(text, NULL, 16);
}

static void pack_quoted(struct words *w)
{
	char *text = malloc(TEXT_MAX);
	size_t len = 0;
	w->at++;
	for (; *w->at != '\''; w->at++) {
		cr_assert(*w->at != '\0' && len < TEXT_MAX, "a text without end");
		text[len++] = *w->at;
		if (w->at[0] == '\\' && w->at[1] == 'x') {
			text[len - 1] = (char)hex_byte(w->at + 2);
			w->at += 3;
		}
	}
	w->at++;
	msgpack_pack_str(&w->packer, len);
	msgpack_pack_str_body(&w->packer, text, len);
	free(text);
}

static void pack_word(struct words *w)
{
	const char *begin = w->at;
	while (isalnum((unsigned char)*w->at) || *w->at == '_' || *w->at == '-' || *w->at == '.')
		w->at++;
	size_t len = (size_t)(w->at - begin);
	cr_assert(len > 0, "no word at \"%.20s\"", begin);
	char *end;
	if (len == 4 && memcmp(begin, "true", 4) == 0) {
		msgpack_pack_true(&w->packer);
	} else if (len == 5 && memcmp(begin, "false", 5) == 0) {
		msgpack_pack_false(&w->packer);
	} else if (len == 3 && memcmp(begin, "nil", 3) == 0) {
		msgpack_pack_nil(&w->packer);
	} else if (isdigit((unsigned char)begin[0]) && memchr(begin, '-', len) == NULL) {
		if (memchr(begin, '.', len) != NULL)
			msgpack_pack_double(&w->packer, strtod(begin, &end));
		else
			msgpack_pack_uint64(&w->packer, strtoull(begin, &end, 10));
		cr_assert_eq(end, w->at);
	} else if (begin[0] == '-') {
		msgpack_pack_int64(&w->packer, strtoll(begin, &end, 10));
		cr_assert_eq(end, w->at);
	} else if (begin[0] == 'x' && len > 1 && len % 2 == 1 && strspn(begin + 1, "0123456789abcdef") >= len - 1) {
		msgpack_pack_bin(&w->packer, len / 2);
		for (size_t i = 1; i < len; i += 2) {
			char byte = (char)hex_byte(begin + i);
			msgpack_pack_bin_body(&w->packer, &byte, 1);
		}
	} else {
		msgpack_pack_str(&w->packer, len);
		msgpack_pack_str_body(&w->packer, begin, len);
	}
}

/* Counts what stands in a bracket by packing it aside first. */
static void pack_value(struct words *w)
{
	skip(w);
	if (*w->at == '\'') {
		pack_quoted(w);
		return;
	}
	if (*w->at != '{' && *w->at != '[') {
		pack_word(w);
		return;
	}
	char close = *w->at == '{' ? '}' : ']';
	struct words inner = {.at = w->at + 1};
	msgpack_sbuffer aside;
	msgpack_sbuffer_init(&aside);
	msgpack_packer_init(&inner.packer, &aside, msgpack_sbuffer_write);
	size_t count = 0;
	for (skip(&inner); *inner.at != close; skip(&inner)) {
		cr_assert(*inner.at != '\0', "a bracket without end");
		pack_value(&inner);
		count++;
	}
	w->at = inner.at + 1;
	if (close == '}')
		msgpack_pack_map(&w->packer, count / 2);
	else
		msgpack_pack_array(&w->packer, count);
	w->packer.callback(w->packer.data, aside.data, aside.size);
	msgpack_sbuffer_destroy(&aside);
}

void words_pack(const char *words, msgpack_sbuffer *out)
{
	struct words w = {.at = words};
	msgpack_packer_init(&w.packer, out, msgpack_sbuffer_write);
	for (skip(&w); *w.at != '\0'; skip(&w))
		pack_value(&w);
}

void words_unpack(const char *words, msgpack_unpacked *ret)
{
	msgpack_sbuffer bytes;
	msgpack_sbuffer_init(&bytes);
	words_pack(words, &bytes);
	msgpack_unpacked_init(ret);
	/* Texts of the result point into the bytes: they must live as long as the zone does. */
	size_t offset = 0;
	msgpack_zone *zone = msgpack_zone_new(1024);
	char *kept = msgpack_zone_malloc(zone, bytes.size);
	memcpy(kept, bytes.data, bytes.size);
	cr_assert_eq(msgpack_unpack(kept, bytes.size, &offset, zone, &ret->data), MSGPACK_UNPACK_SUCCESS);
	ret->zone = zone;
	msgpack_sbuffer_destroy(&bytes);
}

void words_show(const msgpack_object *o, char *text, size_t text_size)
{
	int len = msgpack_object_print_buffer(text, text_size - 1, *o);
	cr_assert(len >= 0 && (size_t)len < text_size);
	text[len] = '\0';
}
