/* SPDX-License-Identifier: Apache-2.0 - plays the blocks of a golden script on a lab and narrates what happens. */
#ifndef ORD_TESTS_GOLDEN_PLAY_H
#define ORD_TESTS_GOLDEN_PLAY_H

#include <stdbool.h>
#include <stdio.h>

#include "tests/golden/script.h"
#include "tests/support/lab.h"

#define PLAY_NOTED_MAX 64
#define PLAY_ENTRY_COMMANDS_MAX 16

/* An account or name that a line has spoken of, and how it was before the entry at work. */
struct play_noted {
	char space[256]; /* empty for an account */
	char name[256];
	uint32_t partition;
	bool exists;
	enum ord_account_state state;
	uint64_t postings_count;
	uint64_t position; /* a name's */
};

struct play {
	struct lab lab; /* open when partitions_count is above zero */
	FILE *out;
	uint64_t time_us;
	struct play_noted noted[PLAY_NOTED_MAX];
	unsigned noted_count;
	uint64_t told[LAB_PARTITIONS_MAX][LAB_PARTITIONS_MAX]; /* messages already narrated */

	/* The entry that waits for further "+" lines. */
	struct script_line lines[PLAY_ENTRY_COMMANDS_MAX];
	struct ord_command commands[PLAY_ENTRY_COMMANDS_MAX];
	unsigned commands_count;
	uint32_t partition;
};

/* The narration goes to out. */
void play_open(struct play *p, FILE *out);
void play_close(struct play *p);

/* Plays one line, narrates; a line that says nothing known is narrated as "error: ...". */
void play_line(struct play *p, const char *text, size_t len);

/* The block is over: what still waits is logged. */
void play_flush(struct play *p);

#endif
