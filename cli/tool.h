/* SPDX-License-Identifier: Apache-2.0 - programs of the system (ip, tc, nft, mount): run one, by argv and never through a shell, and take what it says. */
#ifndef ORD_CLI_TOOL_H
#define ORD_CLI_TOOL_H

#include <stddef.h>

#include "base/bytes.h"

struct ord_tool {
	const char *const
		*argv; /* argv[0] is a name, looked for in PATH and then where programs of root are; ends with NULL */
	const char *input;	  /* its standard input; NULL: empty */
	const char *netns;	  /* the network namespace that it runs in; NULL: ours */
	struct ord_bytes *output; /* its standard output is appended here; NULL: left aside */
};

/* Runs it and waits for its end, a minute at most; it ends when this program is killed. why says which program, with which words, and what it said.
 * ORD_ERR_NOT_FOUND: it is not installed; ORD_ERR_IO: it could not be run, or said no; ORD_ERR_TIMEOUT; ORD_ERR_TOO_BIG: more output than fits. */
int ord_tool_run(const struct ord_tool *tool, char *why, size_t why_size);

/* The same for a few words, which end with NULL, without input and output. */
int ord_tool_say(char *why, size_t why_size, const char *const *argv);

/* ORD_ERR_NOT_FOUND with why (the program, and the Debian package that has it) when it is not installed. */
int ord_tool_check(const char *program, const char *package, char *why, size_t why_size);

/* Puts the calling process into the network namespace of that name (`ip netns`). ORD_ERR_IO with errno. */
int ord_tool_enter(const char *netns);

#endif
