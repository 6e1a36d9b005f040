/* SPDX-License-Identifier: Apache-2.0 - the record: one thing a node must not forget; the same bytes on disk and between nodes. */
#ifndef ORD_RAFT_RECORD_H
#define ORD_RAFT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"

/* Numbers stand on disk: never reused. */
enum ord_record_type { ORD_RECORD_ENTRY = 1, ORD_RECORD_VOTE = 2, ORD_RECORD_COPY = 3, ORD_RECORD_BASE = 4 };
enum ord_entry_kind { ORD_ENTRY_COMMAND = 1, ORD_ENTRY_BARRIER = 2, ORD_ENTRY_CHANGE = 3 };

/* Format, 32 bytes and the payload, little-endian:
 *
 *  offset  bytes  content
 *       0      4  CRC-32C of all that follows, payload included
 *       4      4  length of the payload, 0 .. ORD_ENTRY_BYTES_MAX
 *       8      4  group
 *      12      1  type: 1 entry, 2 vote, 3 copy, 4 base
 *      13      1  kind: of an entry 1 command, 2 barrier, 3 change of members; otherwise 0
 *      14      2  zero
 *      16      8  term: of the entry, also in a copy and of the base; of a vote the group's current term
 *      24      8  index of the entry, also in a copy and of the base; of a vote the member voted for in that term, 0 for none
 *      32      -  payload: in a copy the whole record of the entry, as it was written first, so that the payload may be 32 bytes longer
 *                 than the longest one; none in a vote and a base
 *
 * A copy and a base stand in a write-ahead log only: no peer sends or takes them.
 */
#define ORD_RECORD_HEADER_BYTES 32u
#define ORD_RECORD_BYTES_MAX (ORD_RECORD_HEADER_BYTES + ORD_ENTRY_BYTES_MAX) /* of an entry */

/* Terms and indexes above this are not believed: they leave room for additions that cannot overflow. */
#define ORD_RAFT_NUMBER_MAX (UINT64_C(1) << 56)

struct ord_record {
	enum ord_record_type type;
	enum ord_entry_kind kind; /* of entries; 0 otherwise */
	uint32_t group;
	uint64_t term;
	uint64_t index;		  /* of a vote: the member voted for */
	struct ord_slice payload; /* borrowed */
};

/* Bytes that the record takes. */
static inline size_t ord_record_bytes(const struct ord_record *r)
{
	return ORD_RECORD_HEADER_BYTES + r->payload.len;
}

/* The payload of an encoded record that is whole. */
static inline struct ord_slice ord_record_payload(struct ord_slice encoded)
{
	return ord_slice_of((const uint8_t *)encoded.base + ORD_RECORD_HEADER_BYTES,
			    encoded.len - ORD_RECORD_HEADER_BYTES);
}

/* The checksum that stands first in an encoded record. */
static inline uint32_t ord_record_check(const uint8_t *encoded)
{
	uint32_t crc;
	memcpy(&crc, encoded, sizeof crc);
	return crc;
}

/* Writes ord_record_bytes() bytes to out. Asserts a payload within its limit. */
void ord_record_encode(const struct ord_record *r, uint8_t *out);

/* The entry inside a copy; what it borrows from is the same. */
struct ord_record ord_record_of_copy(const struct ord_record *copy);

/* Reads the record at the beginning of in; the payload borrows from in. A copy is read only when the entry in it is whole and the one that it names. ORD_ERR_TRUNCATED when in ends before the record does,
 * ORD_ERR_CORRUPT when the checksum differs, ORD_ERR_FORMAT when a field has no meaning. ret is then untouched. */
int ord_record_decode(struct ord_slice in, struct ord_record *ret);

#endif
