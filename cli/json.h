/* SPDX-License-Identifier: Apache-2.0 - writes JSON (RFC 8259) to a stream, value after value; commas and escapes are its own business. */
#ifndef ORD_CLI_JSON_H
#define ORD_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"

#define ORD_JSON_DEPTH_MAX 32

struct ord_json {
	FILE *out; /* borrowed */
	uint32_t depth;
	bool after_key;
	bool filled[ORD_JSON_DEPTH_MAX + 1]; /* something was written at this depth: the next value needs a comma */
};

void ord_json_init(struct ord_json *j, FILE *out);

/* Every begin needs its end; deeper than ORD_JSON_DEPTH_MAX is asserted against. The end of the outermost value writes a newline. */
void ord_json_begin_object(struct ord_json *j);
void ord_json_end_object(struct ord_json *j);
void ord_json_begin_array(struct ord_json *j);
void ord_json_end_array(struct ord_json *j);

/* Inside an object: the name of the value that follows. */
void ord_json_key(struct ord_json *j, const char *key);

/* A string. Bytes that are not UTF-8 become U+FFFD, one for each. */
void ord_json_str(struct ord_json *j, struct ord_slice s);
void ord_json_text(struct ord_json *j, const char *text);
void ord_json_int(struct ord_json *j, int64_t v);
void ord_json_uint(struct ord_json *j, uint64_t v);
void ord_json_bool(struct ord_json *j, bool v);
void ord_json_null(struct ord_json *j);

/* A name and its value. */
void ord_json_pair_text(struct ord_json *j, const char *key, const char *text);
void ord_json_pair_uint(struct ord_json *j, const char *key, uint64_t v);
void ord_json_pair_bool(struct ord_json *j, const char *key, bool v);

#endif
