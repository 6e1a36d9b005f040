/* SPDX-License-Identifier: Apache-2.0 - the flags of a command into variables, checked; and its help text from the same list. */
#ifndef ORD_JEPSEN_FLAGS_H
#define ORD_JEPSEN_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One flag. Exactly one of on, text, number is set. The variable holds the default before, and is written only when the flag is given. */
struct ord_flags_one {
	const char *name;  /* "seed" for --seed */
	const char *value; /* what help calls the value; NULL for a switch */
	const char *help;
	bool *on;
	const char **text; /* borrowed from argv */
	int64_t *number;   /* min .. max */
	int64_t min;
	int64_t max;
};

struct ord_flags {
	const char *command; /* "run" */
	const char *summary;
	const struct ord_flags_one *list;
	size_t count;
	const char **word;     /* the one bare word that it takes; NULL: none */
	const char *word_name; /* what help calls it */
};

/* Reads argv[0 .. argc - 1], without program and command. ORD_OK; ORD_ERR_INVALID: why names the word and the remedy. *ret_help: --help or -h was among
 * them, nothing else was checked. */
int ord_flags_parse(const struct ord_flags *flags, int argc, char **argv, bool *ret_help, char *why, size_t why_size);

void ord_flags_help(const struct ord_flags *flags, FILE *out);

#endif
