/* SPDX-License-Identifier: Apache-2.0 - collects the committed entries of a partition into blocks of its history. Says when a block is full; whoever has the disk encodes it. */
#ifndef ORD_PARTITION_BLOCK_BUILDER_H
#define ORD_PARTITION_BLOCK_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "partition/block.h"
#include "partition/chain.h"

/* A block that is not encoded yet. The header lacks what encoding finds out: joined, stored_bytes, stored_crc. */
struct ord_block_raw {
	struct ord_block_header header;
	struct ord_bytes content; /* owned */
};

/* Frees the content. Tolerates a zeroed block, and one that was closed. */
void ord_block_raw_close(struct ord_block_raw *raw);

struct ord_block_builder {
	struct ord_block_header header; /* of the block under way; what it begins with stands from the first entry on */
	struct ord_bytes content;	/* owned */
	struct ord_block_end end;	/* behind the last entry; number counts the blocks taken */
	struct ord_chain chain;		/* for entries that come without their hash */
	uint64_t entries_bytes;		/* of the block under way */
	uint32_t block_bytes;		/* at which it is full */
};

/* Begins behind `end`, or with block 1 when it is zero. block_bytes: where blocks are cut, the same on all replicas and for ever: ORD_BLOCK_BYTES, or less in a simulation, which has to see many.
 * ORD_ERR_NOMEM. Asserts 0 < block_bytes <= ORD_BLOCK_BYTES. */
int ord_block_builder_open(struct ord_block_builder *b, const struct ord_uuid *cluster, uint32_t partition,
			   const struct ord_block_end *end, uint32_t block_bytes);

/* Tolerates a zeroed builder. */
void ord_block_builder_close(struct ord_block_builder *b);

/* Adds the next entry with commands: index, term, position and bytes of e are read, time and number of commands stand in the bytes. chain_after is the
 * history hash after it, as the partition that applied it has it; NULL has it computed here, for entries that no partition applies. Copies the bytes.
 * Asserts that the block is not full. Nothing is changed by an error: ORD_ERR_INVALID (index or time go back, terms too, or the position is not the next one),
 * ORD_ERR_TRUNCATED, ORD_ERR_FORMAT, ORD_ERR_MISMATCH (no entry with commands that this build can read), ORD_ERR_NOMEM. */
int ord_block_builder_add(struct ord_block_builder *b, const struct ord_block_entry *e, const uint8_t *chain_after);

/* The block under way has reached block_bytes: take it before the next entry. */
bool ord_block_builder_is_full(const struct ord_block_builder *b);

/* Moves the full block out, buffer and all; the next one begins. The caller owns the content of *ret. Asserts that the block is full. */
void ord_block_builder_take(struct ord_block_builder *b, struct ord_block_raw *ret);

/* The same with a block that is not full: what a backup ends with. It is no part of a node's history, which cuts there otherwise. Asserts that it has an entry. */
void ord_block_builder_cut(struct ord_block_builder *b, struct ord_block_raw *ret);

#endif
