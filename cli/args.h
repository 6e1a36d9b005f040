/* SPDX-License-Identifier: Apache-2.0 - a subcommand's flags and bare words, checked, into variables; and its help text made from the same list. */
#ifndef ORD_CLI_ARGS_H
#define ORD_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/uuid.h"

/* One value that a subcommand takes. Exactly one of the pointers on, text, number, bytes, duration_ms and id is set and says what kind it is;
 * it is written only when the value was given, so it holds the default before. */
struct ord_flag {
	const char *name;  /* "amount" for --amount */
	const char *value; /* what help calls the value: "N" */
	const char *help;
	bool *on;	      /* a switch, takes no value */
	const char **text;    /* borrowed from argv */
	int64_t *number;      /* min .. max */
	int64_t *bytes;	      /* "64M", "1G", "512K", or a bare number of bytes; min .. max bytes */
	int64_t *duration_ms; /* "500ms", "30s", "2m", or a bare number of seconds; min .. max milliseconds */
	struct ord_uuid *id;
	int64_t min;
	int64_t max;
	const char *choices; /* text: the words allowed, with a space between; NULL: any text */
	const char *normal;  /* what help says happens without it; NULL: nothing to say */
	bool *given;	     /* optional: set when the value was given */
	bool required;
	int place; /* n: the n-th bare word (from 1) is this value, if the flag is not used; 0: flag only */
};

struct ord_args {
	const char *command; /* "account open" */
	const char *summary;
	const char *notes; /* end of the help text; may be NULL */
	const struct ord_flag *flags;
	size_t flags_count;
	const struct ord_flag *common; /* flags that several subcommands share; may be NULL */
	size_t common_count;
};

/* Reads argv[0 .. argc - 1] (without program and command). ORD_OK; ORD_ERR_INVALID: why names the word and the remedy. *ret_help is set when
 * --help or -h was among them: then nothing else is checked. */
int ord_args_parse(const struct ord_args *args, int argc, char **argv, bool *ret_help, char *why, size_t why_size);

/* The help text of the subcommand. */
void ord_args_help(const struct ord_args *args, FILE *out);

/* The word of `words` that was probably meant by `word`; NULL when none is near. */
const char *ord_args_nearest(const char *word, const char *const *words, size_t words_count);

/* A whole decimal number and nothing else. ORD_ERR_INVALID otherwise, or outside min .. max. */
int ord_args_number(const char *text, int64_t min, int64_t max, int64_t *ret);

#endif
