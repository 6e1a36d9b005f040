/* SPDX-License-Identifier: Apache-2.0 - a block of a partition's history: its header, its place in the chain, the entries in it. block.c has the bytes.
 *
 * A block holds committed entries with commands, in order, and ends with the entry that brings the sum of their bytes to ORD_BLOCK_BYTES. So the cut depends
 * on the entries alone, and all replicas have the same blocks: equal content, though another version of the library may compress it to other bytes. */
#ifndef ORD_PARTITION_BLOCK_H
#define ORD_PARTITION_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/chain.h"

#define ORD_BLOCK_FORMAT 1u
#define ORD_BLOCK_HEADER_BYTES 192u

/* Room for what is said of a block that cannot be used. */
#define ORD_BLOCK_WHY_SIZE 192

struct ord_block_header {
	struct ord_uuid cluster;
	uint32_t partition;
	uint32_t joined; /* how many of the blocks just before it were written and synced together with it */
	uint64_t number; /* 1, 2, 3 ... */
	uint64_t first_index;
	uint64_t last_index;
	uint64_t first_term;
	uint64_t last_term;
	uint64_t first_position;
	uint32_t commands_count;
	uint32_t entries_count;
	uint64_t first_time_us;
	uint64_t last_time_us;
	uint8_t chain_before[ORD_CHAIN_BYTES]; /* the history hash before its first entry */
	uint8_t chain_after[ORD_CHAIN_BYTES];  /* and after its last one */
	uint32_t content_bytes;		       /* before compression */
	uint32_t stored_bytes;		       /* after; they follow the header */
	uint32_t stored_crc;		       /* CRC-32C of those */
};

void ord_block_header_encode(const struct ord_block_header *h, uint8_t out[ORD_BLOCK_HEADER_BYTES]);

/* Reads a header from bytes that nobody vouches for. ORD_ERR_FORMAT: it does not begin like a block. ORD_ERR_CORRUPT: its checksum differs, or its numbers contradict
 * each other. ORD_ERR_MISMATCH: of another format. ORD_ERR_TOO_BIG: longer than a block can be. why (ORD_BLOCK_WHY_SIZE bytes) tells more. */
int ord_block_header_decode(const uint8_t in[ORD_BLOCK_HEADER_BYTES], struct ord_block_header *ret, char *why);

/* Header and what follows it. */
static inline size_t ord_block_bytes(const struct ord_block_header *h)
{
	return ORD_BLOCK_HEADER_BYTES + (size_t)h->stored_bytes;
}

/* Offset of the block's last command. */
static inline uint64_t ord_block_last_position(const struct ord_block_header *h)
{
	return h->first_position + h->commands_count - 1;
}

/* Where a history ends: behind its last block. All zero: there is none yet. */
struct ord_block_end {
	uint64_t number;
	uint64_t last_index;
	uint64_t last_term;
	uint64_t next_position;
	uint64_t last_time_us;
	uint8_t chain[ORD_CHAIN_BYTES];
};
struct ord_block_end ord_block_end_of(const struct ord_block_header *h);

/* Does the block go on where that history ends? ORD_ERR_CORRUPT with why: its number, index, term, position, time or chain says no. */
int ord_block_follows(const struct ord_block_header *h, const struct ord_block_end *end, char *why);

/* What is the same for a block on all replicas, and for no other block. */
struct ord_block_id {
	uint64_t number;
	uint64_t last_position;
	uint8_t chain_after[ORD_CHAIN_BYTES];
};
struct ord_block_id ord_block_id_of(const struct ord_block_header *h);
bool ord_block_id_equal(const struct ord_block_id *a, const struct ord_block_id *b);

/* --- The content: entries, each with its place in the log. --- */

#define ORD_BLOCK_ENTRY_HEAD_BYTES 20

struct ord_block_entry {
	uint64_t index;
	uint64_t term;
	uint64_t position; /* of its first command */
	uint64_t time_us;
	uint32_t commands_count; /* at least one */
	struct ord_slice bytes;	 /* what ord_partition_apply takes */
};

void ord_block_entry_encode(const struct ord_block_entry *e, struct ord_bytes *out);

/* Reads the entries of a content one after the other. */
struct ord_block_cursor {
	struct ord_reader reader;
	uint64_t position;
};
struct ord_block_cursor ord_block_cursor_of(const struct ord_block_header *h, struct ord_slice content);

/* The next entry; its bytes point into the content. ORD_ERR_NOT_FOUND behind the last one. ORD_ERR_TRUNCATED, ORD_ERR_FORMAT, ORD_ERR_MISMATCH: what is there
 * is no entry with commands that this build can read; *ret is then untouched. */
int ord_block_next(struct ord_block_cursor *c, struct ord_block_entry *ret);

#endif
