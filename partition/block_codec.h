/* SPDX-License-Identifier: Apache-2.0 - blocks of history to bytes and back: compression, checksums, and that a block holds what its header says. For worker threads and tools:
 * a block takes milliseconds. */
#ifndef ORD_PARTITION_BLOCK_CODEC_H
#define ORD_PARTITION_BLOCK_CODEC_H

#include <stdbool.h>

#include "base/bytes.h"
#include "partition/block.h"
#include "partition/block_builder.h"

/* What compressing, decompressing and hashing need; one for each thread. */
struct ord_block_codec;

/* ORD_ERR_NOMEM. The caller owns *ret. */
int ord_block_codec_open(struct ord_block_codec **ret);

/* NULL is fine. */
void ord_block_codec_close(struct ord_block_codec *c);

/* Appends the whole block to out. joined is for its header. Before that the chain is computed over the content: what would be stored must be what was applied.
 * ORD_ERR_CORRUPT: it is not; ORD_ERR_NOMEM, or ORD_ERR_TOO_BIG when out has no room. out may then hold a part of it. */
int ord_block_encode(struct ord_block_codec *c, const struct ord_block_raw *raw, uint32_t joined,
		     struct ord_bytes *out);

/* A block that was read. All of it points into what it was decoded from and into the codec, until that decodes the next one. */
struct ord_block {
	struct ord_block_header header;
	struct ord_slice bytes;	  /* header and stored content: what another replica can be sent */
	struct ord_slice content; /* for ord_block_cursor_of */
};

/* Are these bytes, a header and what follows, as they were written? bytes has the length that the header says. */
bool ord_block_is_whole(const struct ord_block_header *h, struct ord_slice bytes);

/* Reads the block that bytes begin with, trusting none of it: lengths are checked before memory is asked for, then the checksum, that it decompresses to the length it
 * should have, that it holds entries and commands, their indexes, terms, positions and times in order and as the header says, and the chain from before to after. So what is
 * given with ORD_OK can be applied after whatever precedes it. Errors, with why (ORD_BLOCK_WHY_SIZE bytes): those of ord_block_header_decode; ORD_ERR_TRUNCATED: bytes
 * end before the block; ORD_ERR_CORRUPT; ORD_ERR_MISMATCH: an entry of a later logic version; ORD_ERR_NOMEM. */
int ord_block_decode(struct ord_block_codec *c, struct ord_slice bytes, struct ord_block *ret, char *why);

#endif
