/* SPDX-License-Identifier: Apache-2.0 - how subcommands begin and fail. */
#include "cli/cmd.h"

#include <stdarg.h>

#include "base/err.h"

bool ord_cmd_begin(const struct ord_args *args, int argc, char **argv, int *ret_exit)
{
	char why[512];
	bool help;
	int err = ord_args_parse(args, argc, argv, &help, why, sizeof why);
	if (err == ORD_OK && !help)
		return true;
	*ret_exit = help ? ORD_EXIT_OK : ORD_EXIT_USAGE;
	if (help)
		ord_args_help(args, stdout);
	else
		fprintf(stderr, "ordain %s: %s\n", args->command, why);
	return false;
}

int ord_cmd_fail(const struct ord_cmd *self, enum ord_exit status, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "ordain %s: ", self->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}
