/* SPDX-License-Identifier: Apache-2.0 - what a command of a log says: its fields as words and as JSON, whichever kind it is. */
#ifndef ORD_CLI_COMMAND_WORDS_H
#define ORD_CLI_COMMAND_WORDS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "cli/json.h"
#include "partition/command.h"

/* Is the command a client's, with a request id? */
bool ord_command_words_has_id(const struct ord_command *c);

/* Appends `name=value name=value ...`: texts in quotes (\" and \\ inside), numbers bare, the messages of a delivery in brackets, with "; " between. */
void ord_command_words_put(const struct ord_command *c, struct ord_bytes *out);

/* The same as an object. */
void ord_command_words_json(const struct ord_command *c, struct ord_json *j);

/* The same of one message between partitions. */
void ord_command_words_message_put(const struct ord_message *m, struct ord_bytes *out);
void ord_command_words_message_json(const struct ord_message *m, struct ord_json *j);

#endif
