/* SPDX-License-Identifier: Apache-2.0 - the arena of texts. */
#include "client/texts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

#define CHUNK_BYTES 2048
#define PRINT_BYTES 512

struct ord_texts_chunk {
	struct ord_texts_chunk *next; /* owned */
	size_t used;
	size_t capacity;
	_Alignas(max_align_t) char bytes[];
};

void ord_texts_init(struct ord_texts *t)
{
	*t = (struct ord_texts){0};
}

void ord_texts_close(struct ord_texts *t)
{
	while (t->chunks != NULL) {
		struct ord_texts_chunk *chunk = t->chunks;
		t->chunks = chunk->next;
		free(chunk);
	}
	ord_texts_init(t);
}

static struct ord_texts_chunk *chunk_with(struct ord_texts *t, size_t len)
{
	if (t->chunks != NULL && t->chunks->capacity - t->chunks->used >= len)
		return t->chunks;
	size_t capacity = len > CHUNK_BYTES ? len : CHUNK_BYTES;
	struct ord_texts_chunk *chunk = malloc(sizeof *chunk + capacity);
	if (chunk == NULL)
		return NULL;
	chunk->used = 0;
	chunk->capacity = capacity;
	chunk->next = t->chunks;
	t->chunks = chunk;
	return chunk;
}

void *ord_texts_room(struct ord_texts *t, size_t len)
{
	size_t aligned = (len + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	struct ord_texts_chunk *chunk = aligned < len ? NULL : chunk_with(t, aligned);
	if (chunk == NULL)
		return NULL;
	void *at = chunk->bytes + chunk->used;
	chunk->used += aligned;
	return at;
}

static bool text_is(const char *kept, struct ord_slice text)
{
	return kept != NULL && strlen(kept) == text.len && memcmp(kept, text.base, text.len) == 0;
}

const char *ord_texts_keep(struct ord_texts *t, struct ord_slice text)
{
	if (text.len == 0)
		return "";
	const char **recent = &t->recent[ord_hash64(text.base, text.len) % ORD_TEXTS_RECENT];
	if (text_is(*recent, text))
		return *recent;
	char *copy = ord_texts_room(t, text.len + 1);
	if (copy == NULL)
		return "";
	memcpy(copy, text.base, text.len);
	copy[text.len] = '\0';
	*recent = copy;
	return copy;
}

const char *ord_texts_print(struct ord_texts *t, const char *format, ...)
{
	char text[PRINT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return ord_texts_keep(t, ord_slice_text(text));
}
