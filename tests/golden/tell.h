/* SPDX-License-Identifier: Apache-2.0 - the narration of a golden script: what an entry changed, and what a "show" line asks for. */
#ifndef ORD_TESTS_GOLDEN_TELL_H
#define ORD_TESTS_GOLDEN_TELL_H

#include "tests/golden/play.h"

/* Remembers the accounts and names that the command speaks of, so that changes in them are told. */
void tell_note(struct play *p, const struct ord_command *c);

/* Around the entry that waits: before notes how things are, after tells replies, postings, accounts, names, outcomes and messages. */
void tell_before(struct play *p);
void tell_after(struct play *p);

/* "show ..." lines. False when the line is none. */
bool tell_show(struct play *p, const struct script_line *line);

#endif
