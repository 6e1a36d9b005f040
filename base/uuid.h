/* SPDX-License-Identifier: Apache-2.0 - 16-byte identifiers: request ids and cluster ids (RFC 9562). */
#ifndef ORD_BASE_UUID_H
#define ORD_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

struct ord_uuid {
	uint8_t bytes[16];
};

/* Room for the text form and its NUL. */
#define ORD_UUID_TEXT_SIZE 37

static inline bool ord_uuid_equal(const struct ord_uuid *a, const struct ord_uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Reads the 36-character form of RFC 9562 section 4 (either case), or 32 hexadecimal digits without dashes.
 * ORD_ERR_INVALID for anything else; ret is then untouched. */
int ord_uuid_parse(struct ord_slice text, struct ord_uuid *ret);

/* Writes the 36-character lower-case form and a NUL. */
void ord_uuid_format(const struct ord_uuid *id, char text[ORD_UUID_TEXT_SIZE]);

/* Makes a UUIDv7 (RFC 9562 section 5.7) from milliseconds since 1970 and 10 random bytes, both given by the caller. */
struct ord_uuid ord_uuid_v7(uint64_t unix_ms, const uint8_t random[10]);

#endif
