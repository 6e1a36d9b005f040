/* SPDX-License-Identifier: Apache-2.0 - the values of a history: a small part of EDN (github.com/edn-format/edn), made, compared, written and read. */
#ifndef ORD_JEPSEN_EDN_H
#define ORD_JEPSEN_EDN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"

#define ORD_EDN_DEPTH_MAX 16		  /* nested vectors and maps */
#define ORD_EDN_ITEMS_MAX (1u << 20)	  /* of one vector; keys and values of one map */
#define ORD_EDN_TEXT_BYTES_MAX (1u << 20) /* of one string or keyword */
#define ORD_EDN_WORDS_KEPT 32
#define ORD_EDN_POOL_BYTES_MAX ((size_t)4 << 30) /* a bound for who has no better one */

enum ord_edn_kind {
	ORD_EDN_NIL = 0,
	ORD_EDN_BOOL = 1,
	ORD_EDN_INT = 2,
	ORD_EDN_STRING = 3,
	ORD_EDN_KEYWORD = 4,
	ORD_EDN_VECTOR = 5,
	ORD_EDN_MAP = 6
};

/* A value: 16 bytes, passed by value. What it points to belongs to a pool, or to whoever has made it of a literal, and never changes once it is in a history. */
struct ord_edn {
	enum ord_edn_kind kind;
	uint32_t len; /* bytes of the text; items of the vector; of a map keys and values together */
	union {
		bool truth;
		int64_t integer;
		const char *text;      /* string; keyword, without its colon. Not NUL-terminated */
		struct ord_edn *items; /* vector; map: key, value, key, value ... in the order they were put */
	};
};

/* Memory of values: taken piece by piece, freed all at once. Past bytes_max, or without memory, failed is set: values that are made then are nil,
 * and the owner checks failed once at the end. */
struct ord_edn_block;
struct ord_edn_pool {
	struct ord_edn_block *blocks; /* owned */
	size_t bytes;
	size_t bytes_max;
	bool failed;
	struct ord_slice
		words[ORD_EDN_WORDS_KEPT]; /* keywords that were made last, by hash: most are made again and again */
};

void ord_edn_pool_init(struct ord_edn_pool *pool, size_t bytes_max);

/* Frees all values that were made in it. The pool is as after init. */
void ord_edn_pool_close(struct ord_edn_pool *pool);

/* bytes of memory that the pool owns, aligned for any value; NULL when failed. */
void *ord_edn_take(struct ord_edn_pool *pool, size_t bytes);

/* --- Making values --- */

static inline struct ord_edn ord_edn_nil(void)
{
	return (struct ord_edn){.kind = ORD_EDN_NIL};
}

static inline struct ord_edn ord_edn_bool(bool v)
{
	return (struct ord_edn){.kind = ORD_EDN_BOOL, .truth = v};
}

static inline struct ord_edn ord_edn_int(int64_t v)
{
	return (struct ord_edn){.kind = ORD_EDN_INT, .integer = v};
}

/* A keyword (without colon) or a string over a text that outlives the value: a literal. Copies nothing. */
struct ord_edn ord_edn_word(const char *literal);
struct ord_edn ord_edn_literal(const char *literal);

/* The same with a copy in the pool. Longer than ORD_EDN_TEXT_BYTES_MAX sets the pool's failed. */
struct ord_edn ord_edn_keyword(struct ord_edn_pool *pool, struct ord_slice text);
struct ord_edn ord_edn_string(struct ord_edn_pool *pool, struct ord_slice text);

/* count items, all nil: the caller fills .items[0 .. count - 1]. When the pool failed .len is 0 and .items must not be used. */
struct ord_edn ord_edn_vector(struct ord_edn_pool *pool, size_t count);

/* A vector of two: how a history names a key and what is asked of it. */
struct ord_edn ord_edn_pair(struct ord_edn_pool *pool, struct ord_edn first, struct ord_edn second);

/* An empty map with room for pairs_count pairs; put asserts that there is room, and does nothing when the pool failed. The caller sees to it that no key comes twice. */
struct ord_edn ord_edn_map(struct ord_edn_pool *pool, size_t pairs_count);
void ord_edn_put(struct ord_edn *map, struct ord_edn key, struct ord_edn value);
void ord_edn_put_word(struct ord_edn *map, const char *literal_key, struct ord_edn value);

/* A copy in the pool of all that v points to; nil when the pool failed. */
struct ord_edn ord_edn_copy(struct ord_edn_pool *pool, struct ord_edn v);

/* --- Looking at values --- */

static inline struct ord_slice ord_edn_text(struct ord_edn v)
{
	return v.kind == ORD_EDN_STRING || v.kind == ORD_EDN_KEYWORD ? ord_slice_of(v.text, v.len)
								     : ord_slice_of(NULL, 0);
}

static inline bool ord_edn_is_nil(struct ord_edn v)
{
	return v.kind == ORD_EDN_NIL;
}

/* True when v is the keyword. */
bool ord_edn_is_word(struct ord_edn v, const char *word);

/* Equal in kind and content; maps regardless of the order of their keys. */
bool ord_edn_equal(struct ord_edn a, struct ord_edn b);

/* Equal values have equal hashes. */
uint64_t ord_edn_hash(struct ord_edn v);

/* What stands under the key (for _word: a keyword) in a map; nil when it is not there or map is no map. */
struct ord_edn ord_edn_find(struct ord_edn map, struct ord_edn key);
struct ord_edn ord_edn_get(struct ord_edn map, const char *word);

/* --- Text --- */

/* True for the bytes that a keyword may have. */
bool ord_edn_word_byte(char c);

/* Writes v on one line, without a newline. Bytes of strings that are not UTF-8 become U+FFFD, one for each; a keyword that has bytes which EDN does not allow there is written as a string. */
void ord_edn_write(FILE *out, struct ord_edn v);

/* The same in text, cut with "..." where bytes (20 or more) are not enough. Returns text. */
const char *ord_edn_show(struct ord_edn v, char *text, size_t bytes);

/* The same value as JSON (RFC 8259): keywords as strings, keys that are no text as the text of their EDN. */
void ord_edn_write_json(FILE *out, struct ord_edn v);

/* What is wrong with a text, for people. */
struct ord_edn_problem {
	uint64_t line;	 /* from 1; set by who knows it: ord_edn_read leaves it */
	uint32_t column; /* in bytes, from 1 */
	const char *why; /* static */
};

/* Reads the one value that text is, spaces and commas around it allowed. Strict: what this part of EDN does not have (floats, sets, lists, symbols, tags,
 * comments, characters), numbers beyond 64 bits, a key twice, bytes after the value, anything past the limits above are ORD_ERR_FORMAT, with column and why filled;
 * ORD_ERR_NOMEM when the pool failed. */
int ord_edn_read(struct ord_edn_pool *pool, struct ord_slice text, struct ord_edn *ret,
		 struct ord_edn_problem *problem);

#endif
