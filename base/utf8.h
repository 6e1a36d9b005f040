/* SPDX-License-Identifier: Apache-2.0 - UTF-8 (RFC 3629). */
#ifndef ORD_BASE_UTF8_H
#define ORD_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the well-formed sequence (section 4) at p, of which left bytes may be read, at least one; 0: there is none. */
size_t ord_utf8_len(const uint8_t *p, size_t left);

#endif
