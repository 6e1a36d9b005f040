/* SPDX-License-Identifier: Apache-2.0 - named values, one after the other: as words (`name=value name="text"`), or into an object of JSON. */
#ifndef ORD_CLI_VALUES_H
#define ORD_CLI_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "cli/json.h"

/* Exactly one of them is set. */
struct ord_values {
	struct ord_bytes *words; /* borrowed; appended to */
	struct ord_json *json;	 /* borrowed; an object is open */
};

void ord_values_uint(struct ord_values *f, const char *name, uint64_t v);
void ord_values_int(struct ord_values *f, const char *name, int64_t v);
void ord_values_wide(struct ord_values *f, const char *name,
		     __int128 v); /* JSON: a text when it is outside of 64 bits */
void ord_values_name(struct ord_values *f, const char *name, const char *value);     /* a word of ours */
void ord_values_text(struct ord_values *f, const char *name, struct ord_slice text); /* in quotes, with \" and \\ */
void ord_values_id(struct ord_values *f, const char *name, const struct ord_uuid *id);
void ord_values_hex(struct ord_values *f, const char *name, struct ord_slice bytes);

/* Before a value that another function puts: the name and what stands before a value. */
void ord_values_begin(struct ord_values *f, const char *name);

#endif
