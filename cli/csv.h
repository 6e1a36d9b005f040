/* SPDX-License-Identifier: Apache-2.0 - reads comma-separated values (RFC 4180) from a stream, one line after the other, in bounded memory. */
#ifndef ORD_CLI_CSV_H
#define ORD_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"

#define ORD_CSV_LINE_BYTES_MAX \
	16384 /* the longest fields of a payment or claim, all quoted, and room for other columns */
#define ORD_CSV_FIELDS_MAX 64

struct ord_csv;

/* A record is one line: fields with a comma between; a field in double quotes may hold commas, and a doubled quote for a quote, but no line
 * break, so that a quote which is never closed spoils one line only. A byte order mark at the beginning, a CR before the line's end and empty
 * lines are skipped. */
struct ord_csv_record {
	uint64_t line; /* from 1 */
	size_t fields_count;
	struct ord_slice fields[ORD_CSV_FIELDS_MAX]; /* valid until the next call */
};

/* in is borrowed. ORD_ERR_NOMEM. */
int ord_csv_open(FILE *in, struct ord_csv **ret);
void ord_csv_close(struct ord_csv *c);

/* The next record; *ret_have is false at the end. ORD_ERR_FORMAT: this line cannot be read, ret->line is its number, ret->fields[0] what could
 * be read of its first field, why says what is wrong; reading can go on. ORD_ERR_IO. */
int ord_csv_next(struct ord_csv *c, struct ord_csv_record *ret, bool *ret_have, const char **why);

/* Writes one field, in quotes when it needs them. */
void ord_csv_put(FILE *out, struct ord_slice field);

#endif
