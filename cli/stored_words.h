/* SPDX-License-Identifier: Apache-2.0 - what a record of a stored state says, as words and as JSON. */
#ifndef ORD_CLI_STORED_WORDS_H
#define ORD_CLI_STORED_WORDS_H

#include "base/bytes.h"
#include "cli/values.h"
#include "partition/store.h"

/* "accounts", "names" ...; "unknown". */
const char *ord_stored_table_name(enum ord_store_table table);

/* The table with that name; 0 when there is none. */
enum ord_store_table ord_stored_table_of(const char *name);

/* Puts the fields of the record, those of its key first. ORD_ERR_CORRUPT: its checksum differs, or it makes no sense; ORD_ERR_FORMAT: written by a version that this build does not know. Nothing is put then; *ret_why says which. */
int ord_stored_words_put(enum ord_store_table table, struct ord_slice key, struct ord_slice value, struct ord_values *f,
			 const char **ret_why);

/* Writes the fields of a key alone, whatever bytes it has, and a NUL: `account="alice"`. What does not fit text_size is cut off. */
#define ORD_STORED_KEY_SIZE (4 * ORD_STORE_KEY_BYTES_MAX)
void ord_stored_words_key(enum ord_store_table table, struct ord_slice key, char *text, size_t text_size);

#endif
