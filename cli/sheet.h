/* SPDX-License-Identifier: Apache-2.0 - rows of named values, shown as an aligned table for people, tab-separated lines for pipes, or JSON. */
#ifndef ORD_CLI_SHEET_H
#define ORD_CLI_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "cli/json.h"

enum ord_look { ORD_LOOK_TABLE = 1, ORD_LOOK_LINES = 2, ORD_LOOK_JSON = 3 };

/* JSON when asked for; else a table when out is a terminal and lines when it is not. */
enum ord_look ord_sheet_look(bool json, FILE *out);

#define ORD_SHEET_COLUMNS_MAX 24
#define ORD_SHEET_BYTES_MAX \
	(64u << 20) /* cells and their texts, each; showing one that outgrew this is asserted against */

struct ord_sheet {
	const char *const *columns; /* borrowed; names, also the keys in JSON */
	size_t columns_count;
	struct ord_bytes cells; /* owned; row after row */
	struct ord_bytes texts; /* owned */
};

/* columns must outlive the sheet. Asserts 1 .. ORD_SHEET_COLUMNS_MAX columns. */
void ord_sheet_init(struct ord_sheet *s, const char *const *columns, size_t columns_count);
void ord_sheet_close(struct ord_sheet *s);

/* The next cell, from left to right and from row to row. Numbers stand to the right, null is shown as "-". Texts are copied. */
void ord_sheet_str(struct ord_sheet *s, struct ord_slice text);
void ord_sheet_text(struct ord_sheet *s, const char *text);
__attribute__((format(printf, 2, 3))) void ord_sheet_format(struct ord_sheet *s, const char *format, ...);
void ord_sheet_int(struct ord_sheet *s, int64_t v);
void ord_sheet_uint(struct ord_sheet *s, uint64_t v);
void ord_sheet_bool(struct ord_sheet *s, bool v); /* yes or no; true or false in JSON */
void ord_sheet_time(struct ord_sheet *s,
		    uint64_t time_us); /* since 1970; a date for people, the number in JSON; 0 is null */
void ord_sheet_null(struct ord_sheet *s);

/* All rows. A table has a heading; lines have none, and begin with tag (NULL: no tag) so that several sheets can share a stream.
 * Control bytes in texts are shown as \xNN. */
void ord_sheet_show(const struct ord_sheet *s, enum ord_look look, const char *tag, FILE *out);

/* The only row, a line for each value: name and value. JSON: one object. Asserts exactly one row. */
void ord_sheet_show_record(const struct ord_sheet *s, enum ord_look look, FILE *out);

/* All rows as one array, or the only row as one object, inside other JSON. */
void ord_sheet_json(const struct ord_sheet *s, struct ord_json *j);
void ord_sheet_json_record(const struct ord_sheet *s, struct ord_json *j);

#endif
