/* SPDX-License-Identifier: Apache-2.0 - is a text UTF-8? */
#ifndef ORD_PARTITION_UTF8_H
#define ORD_PARTITION_UTF8_H

#include <stdbool.h>

#include "base/bytes.h"

/* True when all of s is well-formed UTF-8 (RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF). */
bool ord_utf8_check(struct ord_slice s);

#endif
