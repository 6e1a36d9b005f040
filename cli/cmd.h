/* SPDX-License-Identifier: Apache-2.0 - the subcommands: their list, their exit status, and how they begin and fail. */
#ifndef ORD_CLI_CMD_H
#define ORD_CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/args.h"

#define ORD_COUNT(array) (sizeof(array) / sizeof *(array))

/* What the process ends with. */
enum ord_exit {
	ORD_EXIT_OK = 0,
	ORD_EXIT_REFUSED = 1, /* refused, not found, not reached: it is certain that nothing was done */
	ORD_EXIT_USAGE = 2,   /* an input cannot be used */
	ORD_EXIT_UNKNOWN = 3, /* it may have been done or not */
};

struct ord_cmd {
	const char *name; /* "account open" */
	const char *summary;
	int (*run)(const struct ord_cmd *self, int argc,
		   char **argv); /* without program and name; gives enum ord_exit */
};

#define X(function, name, summary) int ord_cmd_##function(const struct ord_cmd *self, int argc, char **argv);
#include "cli/commands.def"
#undef X

/* Reads the words that follow the name. False: help was shown or the error told, *ret_exit is what to end with. */
bool ord_cmd_begin(const struct ord_args *args, int argc, char **argv, int *ret_exit);

/* Prints "ordain name: text" to standard error; gives back the status. */
__attribute__((format(printf, 3, 4))) int ord_cmd_fail(const struct ord_cmd *self, enum ord_exit status,
						       const char *format, ...);

#endif
