/* SPDX-License-Identifier: Apache-2.0 - lines of a CSV file as commands: finds the columns by the heading, checks every field. */
#ifndef ORD_CLI_LINES_H
#define ORD_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/csv.h"
#include "client/ordain.h"

/* The columns of transfers: request_id, payer, payee, amount, asset; of claims: request_id, namespace, name, owner. */
#define ORD_LINES_COLUMNS_MAX 5

struct ord_lines {
	enum ordain_command_kind kind; /* ORDAIN_TRANSFER or ORDAIN_CLAIM */
	size_t columns_count;
	size_t places[ORD_LINES_COLUMNS_MAX]; /* where in a record the k-th column stands */
	size_t fields_count;		      /* of the heading, and so of every line */
};

/* Reads the heading: all columns must be there, in any order; others are left aside. ORD_ERR_FORMAT with why. */
int ord_lines_init(struct ord_lines *l, enum ordain_command_kind kind, const struct ord_csv_record *heading, char *why,
		   size_t why_size);

/* Makes a command of a record; its texts point into the record. ORD_ERR_FORMAT: why is "column: what is wrong". */
int ord_lines_read(const struct ord_lines *l, const struct ord_csv_record *record, struct ordain_command *ret,
		   char *why, size_t why_size);

/* What stands in the request_id column, also when the line cannot be used; empty when there is no such field. */
struct ord_slice ord_lines_request_id(const struct ord_lines *l, const struct ord_csv_record *record);

#endif
