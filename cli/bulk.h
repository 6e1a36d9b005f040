/* SPDX-License-Identifier: Apache-2.0 - the --file form of transfer and claim: flags, run, summary, exit status. */
#ifndef ORD_CLI_BULK_H
#define ORD_CLI_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cmd.h"
#include "cli/once.h"
#include "cli/target.h"
#include "client/ordain.h"

#define ORD_BULK_FLAGS 4

struct ord_bulk {
	const char *file; /* NULL: the form for one command is meant; "-": standard input */
	const char *results;
	int64_t batch;
	int64_t parallel;
};

void ord_bulk_init(struct ord_bulk *b, struct ord_flag flags[ORD_BULK_FLAGS]);

/* The flags of the form for one command, which the other form does not have. With a file none may be given, without it all must be.
 * ORD_EXIT_OK, or the error told and ORD_EXIT_USAGE. */
int ord_bulk_check(const struct ord_cmd *self, const struct ord_bulk *b, const struct ord_once *once,
		   const struct ord_flag *single, size_t single_count);

/* Feeds the file. Gives the exit status. */
int ord_bulk_run(const struct ord_cmd *self, const struct ord_bulk *b, const struct ord_target *t,
		 const struct ord_once *once, enum ordain_command_kind kind);

#endif
