/* SPDX-License-Identifier: Apache-2.0 - texts in double quotes, with the escapes that JSON (RFC 8259, section 7) and EDN have in common. */
#ifndef ORD_BASE_QUOTED_H
#define ORD_BASE_QUOTED_H

#include <stddef.h>
#include <stdint.h>

#define ORD_QUOTED_SIZE 8 /* of one character, with its NUL */

/* The first character at p, of which left bytes may be read, at least one, as it stands between the quotes: control characters escaped; a byte that is not UTF-8 is U+FFFD. How many bytes of p
 * that was. */
size_t ord_quoted_take(const uint8_t *p, size_t left, char ret[ORD_QUOTED_SIZE]);

#endif
