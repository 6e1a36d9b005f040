/* SPDX-License-Identifier: Apache-2.0 - a text in double quotes, with the escapes that JSON (RFC 8259, section 7) and EDN have in common. */
#ifndef ORD_BASE_QUOTED_H
#define ORD_BASE_QUOTED_H

#include <stdio.h>

#include "base/bytes.h"

/* With the quotes. Control characters are escaped; bytes that are not UTF-8 become U+FFFD, one for each. */
void ord_quoted_write(FILE *out, struct ord_slice s);

#endif
