/* SPDX-License-Identifier: Apache-2.0 - small text files of "key = value" lines, such as identity and peers. */
#ifndef ORD_NODE_LINES_H
#define ORD_NODE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/uuid.h"

/* The value of the first "key = value" line in text, up to the end of the line, with a NUL. False when there is no such line, or when it has value_size bytes or more. */
bool ord_lines_value(const char *text, const char *key, char *ret_value, size_t value_size);

/* The same, of a value that is one UUID and nothing else. */
bool ord_lines_uuid(const char *text, const char *key, struct ord_uuid *ret);

/* Ends a text of at most text_size - ORD_LINES_SEAL_SIZE bytes with a line "check = " and the CRC-32C of all before it, 8 hexadecimal digits. */
#define ORD_LINES_SEAL_SIZE 18
void ord_lines_seal(char *text, size_t text_size);

/* True when text ends with that line, and it is right. */
bool ord_lines_is_sealed(const char *text);

#endif
