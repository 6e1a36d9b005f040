/* SPDX-License-Identifier: Apache-2.0 - commands, messages and results as lines that people read: what transcripts and failing tests print. */
#ifndef ORD_TESTS_SUPPORT_TEXT_H
#define ORD_TESTS_SUPPORT_TEXT_H

#include <stdio.h>

#include "base/uuid.h"
#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"

/* A request id whose 16 bytes are name and then zeros. Asserts 1 to 16 bytes. */
struct ord_uuid text_id_of(const char *name);

/* The name that text_id_of got, or the 36-character form when the bytes are no such name. */
void text_id(FILE *out, const struct ord_uuid *id);

void text_slice(FILE *out, struct ord_slice s);

/* A command as the golden scripts write it, without a newline: "transfer 100 EUR from alice to bob as t1". */
void text_command(FILE *out, const struct ord_command *c);

/* "debit 100 EUR from alice to bob of t1, home 2". */
void text_message(FILE *out, const struct ord_message *m);

/* "settled", "rejected id_reused (amount), replayed"; the position is not in it. */
void text_result(FILE *out, const struct ord_result *r);

/* "alice EUR open balance 100 floor 0 ceiling none". */
void text_account(FILE *out, const struct ord_account_view *a);

#endif
