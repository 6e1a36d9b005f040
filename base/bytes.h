/* SPDX-License-Identifier: Apache-2.0 - slices, growable byte buffers with a maximum, and little-endian writing and reading. */
#ifndef ORD_BASE_BYTES_H
#define ORD_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. base may be NULL when len is 0. */
struct ord_slice {
	const void *base;
	size_t len;
};

static inline struct ord_slice ord_slice_of(const void *base, size_t len)
{
	return (struct ord_slice){.base = base, .len = len};
}

/* A slice over a NUL-terminated text, without the NUL. */
static inline struct ord_slice ord_slice_text(const char *text)
{
	return (struct ord_slice){.base = text, .len = strlen(text)};
}

static inline bool ord_slice_equal(struct ord_slice a, struct ord_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.base, b.base, a.len) == 0);
}

/* A growable buffer. Growing past bytes_max, or running out of memory, sets failed: all later puts do nothing,
 * and the owner checks failed once at the end. Every put appends; numbers are little-endian. */
struct ord_bytes {
	uint8_t *base; /* owned */
	size_t len;
	size_t capacity;
	size_t bytes_max;
	bool failed;
};

/* Makes an empty buffer that may hold up to bytes_max bytes. Allocates nothing yet. */
void ord_bytes_init(struct ord_bytes *b, size_t bytes_max);

/* Frees the memory; the buffer is as after init. */
void ord_bytes_close(struct ord_bytes *b);

/* Empties the buffer and clears failed; keeps the memory. */
void ord_bytes_clear(struct ord_bytes *b);

/* As ord_bytes_extend, which it is the rest of: where there is no room yet. */
uint8_t *ord_bytes_extend_more(struct ord_bytes *b, size_t len);

/* Makes room for len more bytes and counts them in; returns where they begin (the caller fills them), NULL on failure. */
static inline uint8_t *ord_bytes_extend(struct ord_bytes *b, size_t len)
{
	if (b->failed || len > b->capacity - b->len)
		return ord_bytes_extend_more(b, len);
	uint8_t *at = b->base + b->len;
	b->len += len;
	return at;
}

static inline void ord_bytes_put(struct ord_bytes *b, const void *base, size_t len)
{
	uint8_t *at = len > 0 ? ord_bytes_extend(b, len) : NULL;
	if (at != NULL)
		memcpy(at, base, len);
}

static inline void ord_bytes_put_u8(struct ord_bytes *b, uint8_t v)
{
	ord_bytes_put(b, &v, sizeof v);
}

static inline void ord_bytes_put_u16(struct ord_bytes *b, uint16_t v)
{
	ord_bytes_put(b, &v, sizeof v);
}

static inline void ord_bytes_put_u32(struct ord_bytes *b, uint32_t v)
{
	ord_bytes_put(b, &v, sizeof v);
}

static inline void ord_bytes_put_u64(struct ord_bytes *b, uint64_t v)
{
	ord_bytes_put(b, &v, sizeof v);
}

/* One byte of length, then the bytes. Asserts s.len <= 255. */
void ord_bytes_put_text8(struct ord_bytes *b, struct ord_slice s);

/* Overwrites four bytes at offset; asserts that they exist. For counts that are known only at the end. */
void ord_bytes_set_u32(struct ord_bytes *b, size_t offset, uint32_t v);

/* Removes the first len bytes (moves the rest down). Asserts len <= b->len. */
void ord_bytes_consume(struct ord_bytes *b, size_t len);

static inline struct ord_slice ord_bytes_slice(const struct ord_bytes *b)
{
	return (struct ord_slice){.base = b->base, .len = b->len};
}

/* Reads what the puts above wrote. Reading past the end sets failed and gives 0; the owner checks once at the end. */
struct ord_reader {
	const uint8_t *base;
	size_t len;
	size_t offset;
	bool failed;
};

static inline struct ord_reader ord_reader_of(struct ord_slice s)
{
	return (struct ord_reader){.base = s.base, .len = s.len};
}

/* The next len bytes, borrowed from the input; an empty slice and failed when there are fewer. */
static inline struct ord_slice ord_reader_take(struct ord_reader *r, size_t len)
{
	if (r->failed || len > r->len - r->offset) {
		r->failed = true;
		return (struct ord_slice){0};
	}
	struct ord_slice s = {.base = r->base + r->offset, .len = len};
	r->offset += len;
	return s;
}

static inline uint8_t ord_reader_u8(struct ord_reader *r)
{
	struct ord_slice s = ord_reader_take(r, sizeof(uint8_t));
	uint8_t v = 0;
	if (s.len != 0)
		memcpy(&v, s.base, sizeof v);
	return v;
}

static inline uint16_t ord_reader_u16(struct ord_reader *r)
{
	struct ord_slice s = ord_reader_take(r, sizeof(uint16_t));
	uint16_t v = 0;
	if (s.len != 0)
		memcpy(&v, s.base, sizeof v);
	return v;
}

static inline uint32_t ord_reader_u32(struct ord_reader *r)
{
	struct ord_slice s = ord_reader_take(r, sizeof(uint32_t));
	uint32_t v = 0;
	if (s.len != 0)
		memcpy(&v, s.base, sizeof v);
	return v;
}

static inline uint64_t ord_reader_u64(struct ord_reader *r)
{
	struct ord_slice s = ord_reader_take(r, sizeof(uint64_t));
	uint64_t v = 0;
	if (s.len != 0)
		memcpy(&v, s.base, sizeof v);
	return v;
}

static inline struct ord_slice ord_reader_text8(struct ord_reader *r)
{
	return ord_reader_take(r, ord_reader_u8(r));
}

static inline size_t ord_reader_left(const struct ord_reader *r)
{
	return r->len - r->offset;
}

#endif
