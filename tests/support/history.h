/* SPDX-License-Identifier: Apache-2.0 - histories that a seed decides: entries as partitions have them, in blocks, in files held in memory. */
#ifndef ORD_TESTS_SUPPORT_HISTORY_H
#define ORD_TESTS_SUPPORT_HISTORY_H

#include <stdint.h>

#include "base/bytes.h"
#include "partition/block.h"
#include "partition/block_builder.h"
#include "partition/block_codec.h"
#include "partition/volume.h"
#include "tests/support/random.h"

extern const struct ord_uuid history_cluster;

struct history {
	struct ord_block_builder builder;
	struct random random;
	uint64_t index;
	uint64_t term;
	uint64_t time_us;
	uint64_t messages_count;
	struct ord_bytes entry; /* the last one made */
	bool dull; /* entries of one command again and again: their blocks compress to a few hundred bytes */
};

void history_open(struct history *h, uint64_t seed, uint32_t partition);
void history_close(struct history *h);

/* The next entry, not yet in the builder; its bytes are valid until the next call. */
struct ord_block_entry history_entry(struct history *h);

/* Entries until a block is full. The caller closes *ret. */
void history_block(struct history *h, struct ord_block_raw *ret);

/* The same, encoded at the end of out. */
struct ord_block_header history_encode(struct history *h, struct ord_block_codec *codec, uint32_t joined,
				       struct ord_bytes *out);

/* A buffer for many blocks. */
void history_buffer(struct ord_bytes *b);

/* A file of history in memory, for partition 0's blocks from first_block on; bytes is borrowed. */
struct ord_volume history_volume(const struct ord_bytes *bytes, uint64_t first_block);
void history_volume_begin(struct ord_bytes *out, uint64_t first_block);

#endif
