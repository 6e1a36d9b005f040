/* SPDX-License-Identifier: Apache-2.0 - the lines of a golden script, from text to what they ask for. README.md describes the language. */
#ifndef ORD_TESTS_GOLDEN_SCRIPT_H
#define ORD_TESTS_GOLDEN_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "partition/command.h"

#define SCRIPT_WORDS_MAX 16

/* A line's words; they point into a copy of the line that the struct owns by value. */
struct script_line {
	char text[512];
	char *words[SCRIPT_WORDS_MAX];
	unsigned words_count;
	bool joins; /* began with "+": goes into the entry of the line before */
};

/* Cuts a line into words. False when it is too long or has too many. */
bool script_split(const char *line, size_t len, struct script_line *ret);

/* True when the line is a client's command, which is then in *ret (slices point into the line). */
bool script_client_command(const struct script_line *line, struct ord_command *ret);

/* True when words from number first on are as the pattern says, word by word: '=' before a text is that text, 'w' any word,
 * 'n' an unsigned number (put into the next place of numbers). */
bool script_matches(const struct script_line *line, const char *const *pattern, uint64_t *numbers);

#endif
