/* SPDX-License-Identifier: Apache-2.0 - segment files of the write-ahead log: their header, and the header of a batch. raft/wal.c describes the whole. */
#ifndef ORD_RAFT_SEGMENT_H
#define ORD_RAFT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"

#define ORD_SEGMENT_HEADER_BYTES 64u
#define ORD_BATCH_HEADER_BYTES 32u

/* Format 1 knew no copies and bases, and a log that begins with segment 1; format 2 no votes for members that are no founders; format 3 nothing but zeros behind the last batch. They are
 * read, and no longer written. */
#define ORD_SEGMENT_FORMAT 4u
#define ORD_SEGMENT_FORMAT_OLDEST 1u

/* From this format on zeros in the place of a batch's header are the end of a segment, whatever stands behind them. */
#define ORD_SEGMENT_FORMAT_ENDED 4u

/* Where something lies: a segment's number and an offset in it, comparable as one number. */
#define ORD_PLACE_OFFSET_BITS 32
static inline uint64_t ord_place(uint64_t segment, uint64_t offset)
{
	return segment << ORD_PLACE_OFFSET_BITS | offset;
}
static inline uint64_t ord_place_segment(uint64_t place)
{
	return place >> ORD_PLACE_OFFSET_BITS;
}
static inline uint64_t ord_place_offset(uint64_t place)
{
	return place & UINT32_MAX;
}

struct ord_segment {
	uint32_t format;
	struct ord_uuid cluster;
	uint32_t node;
	uint32_t groups_count;
	uint64_t number;   /* 1 .. */
	uint64_t sequence; /* of its first batch */
};

/* Writes the header of a segment; returns its checksum, the salt of the batches in it. */
uint32_t ord_segment_encode(const struct ord_segment *s, uint8_t out[ORD_SEGMENT_HEADER_BYTES]);

/* Reads the header of a segment. ORD_ERR_CORRUPT when its checksum differs, ORD_ERR_FORMAT when it is not a segment,
 * ORD_ERR_MISMATCH when it is of a format that is not known. */
int ord_segment_decode(const uint8_t in[ORD_SEGMENT_HEADER_BYTES], struct ord_segment *ret, uint32_t *ret_salt);

struct ord_batch_header {
	uint64_t sequence;
	uint32_t length;  /* bytes of the records that follow */
	uint32_t records; /* how many */
	uint32_t check;	  /* CRC-32C of the records' own checksums, one after the other */
};

void ord_batch_encode(const struct ord_batch_header *h, uint32_t salt, uint8_t out[ORD_BATCH_HEADER_BYTES]);

/* True when a batch of the segment with that salt begins here. */
bool ord_batch_decode(const uint8_t in[ORD_BATCH_HEADER_BYTES], uint32_t salt, struct ord_batch_header *ret);

/* True when these are the zeros behind the last batch of a segment. */
bool ord_batch_is_end(const uint8_t in[ORD_BATCH_HEADER_BYTES]);

/* True when the records after the header are what the header says: all whole, their checksums right. in.len must be h->length. */
bool ord_batch_holds(const struct ord_batch_header *h, struct ord_slice in);

/* Adds one more record's checksum to a batch's check. */
uint32_t ord_batch_check(uint32_t check, uint32_t record_crc);

#endif
