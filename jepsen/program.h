/* SPDX-License-Identifier: Apache-2.0 - runs another program to its end: no shell, bounded output, bounded time. */
#ifndef ORD_JEPSEN_PROGRAM_H
#define ORD_JEPSEN_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define ORD_PROGRAM_OUTPUT_BYTES_MAX (256u << 20) /* what one answer may have: a dump of a long log is the longest */
#define ORD_PROGRAM_WORDS_MAX 40

/* The words of a command. */
struct ord_program_words {
	const char *words[ORD_PROGRAM_WORDS_MAX + 1]; /* borrowed; ends with NULL */
	uint32_t count;
};

/* Appends a word; asserts that there is room. */
void ord_program_add(struct ord_program_words *w, const char *word);

struct ord_program_end {
	int status;	      /* exit status; 128 and the number when a signal ended it */
	bool late;	      /* it took too long and was killed */
	bool cut;	      /* it said more than may be kept: then nothing of that is */
	struct ord_bytes out; /* owned, NUL-terminated (len does not count the NUL), as is err */
	struct ord_bytes err;
};

/* Runs words[0], looked for in PATH when it has no slash, with nothing to read, and waits for its end, at most timeout_ms. Signals from the terminal do not reach it.
 * ORD_OK: it ran, whatever came of it. ORD_ERR_IO: it could not be run, with why; ret has nothing to close then. */
int ord_program_run(const struct ord_program_words *words, int64_t timeout_ms, struct ord_program_end *ret, char *why,
		    size_t why_size);

void ord_program_close(struct ord_program_end *end);

#endif
