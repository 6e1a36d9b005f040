/* SPDX-License-Identifier: Apache-2.0 - MessagePack from words that people read, for tests of the client's port. */
#ifndef ORD_TESTS_SUPPORT_NODE_WORDS_H
#define ORD_TESTS_SUPPORT_NODE_WORDS_H

#include <msgpack.h>
#include <stddef.h>

/* Appends the objects that words describe: {key: value, ...}, [a, b], 'text', word (a text too), 12, -3, 1.5, true, false, nil, x0a0b (bytes).
 * A text may have \xNN in it. Fails the test on anything else. */
void words_pack(const char *words, msgpack_sbuffer *out);

/* The object that words describe, as msgpack-c decodes it. Owned by *ret: destroy it. */
void words_unpack(const char *words, msgpack_unpacked *ret);

/* The object as a text: {"key"=>value}. */
void words_show(const msgpack_object *o, char *text, size_t text_size);

#endif
