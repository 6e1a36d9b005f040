/* SPDX-License-Identifier: Apache-2.0 - a file of history: its name, its header, the blocks in it. Reads through a callback, so that node and tools share it. volume.c has the bytes. */
#ifndef ORD_PARTITION_VOLUME_H
#define ORD_PARTITION_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "partition/block.h"
#include "partition/block_codec.h"

#define ORD_VOLUME_FORMAT 1u
#define ORD_VOLUME_HEADER_BYTES 64u
#define ORD_VOLUME_NAME_SIZE 32

/* The name of the file that begins with that block, and the block of a name. False: no name of such a file. */
void ord_volume_name(uint64_t first_block, char name[ORD_VOLUME_NAME_SIZE]);
bool ord_volume_number(const char *name, uint64_t *ret_first_block);

struct ord_volume_header {
	struct ord_uuid cluster;
	uint32_t partition;
	uint64_t first_block;
};
void ord_volume_header_encode(const struct ord_volume_header *h, uint8_t out[ORD_VOLUME_HEADER_BYTES]);

/* The file "first" beside them, when retention has dropped old ones: the first block that is kept. As the header of a file, but for its magic. */
#define ORD_VOLUME_FIRST_NAME "first"
void ord_volume_first_encode(const struct ord_volume_header *h, uint8_t out[ORD_VOLUME_HEADER_BYTES]);
int ord_volume_first_decode(const uint8_t in[ORD_VOLUME_HEADER_BYTES], struct ord_volume_header *ret, char *why);

/* ORD_ERR_FORMAT: no file of history; ORD_ERR_CORRUPT: its checksum differs; ORD_ERR_MISMATCH: of another format. With why (ORD_BLOCK_WHY_SIZE bytes). */
int ord_volume_header_decode(const uint8_t in[ORD_VOLUME_HEADER_BYTES], struct ord_volume_header *ret, char *why);

/* A file to read, and what it should be. */
struct ord_volume {
	struct ord_volume_header header;
	uint64_t bytes; /* its length; nothing behind it is read */
	void *ctx;	/* borrowed; first argument of read */
	/* Reads len bytes at offset, fewer only where the file ends. ORD_OK or ORD_ERR_IO. Blocks. */
	int (*read)(void *ctx, uint64_t offset, void *base, size_t len, size_t *ret_len);
};

/* All functions that read may give ORD_ERR_IO besides what they say, and fill why (ORD_BLOCK_WHY_SIZE bytes) with every error. */

/* Is its header what v->header says? ORD_ERR_TRUNCATED: shorter than a header. ORD_ERR_MISMATCH: of another format, or of another cluster, partition or block. Errors of decoding. */
int ord_volume_check(const struct ord_volume *v, char *why);

/* A file of this cluster, and of a format that this build knows, which says that it is another one: it got there by mistake of a disk or of a person. */
bool ord_volume_is_misplaced(const struct ord_volume *v);

/* The header of the block at offset. ORD_ERR_NOT_FOUND: the file ends here. ORD_ERR_TRUNCATED: it ends before the block does. ORD_ERR_MISMATCH: of another format or cluster. ORD_ERR_CORRUPT:
 * of another partition. Errors of ord_block_header_decode. */
int ord_volume_peek(const struct ord_volume *v, uint64_t offset, struct ord_block_header *ret, char *why);

/* The bytes of the block at offset, whose header was peeked at; bytes is emptied first and must take ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX. ORD_ERR_NOMEM. */
int ord_volume_read(const struct ord_volume *v, uint64_t offset, const struct ord_block_header *h,
		    struct ord_bytes *bytes, char *why);

/* The next place from offset on where a header of this partition's blocks stands, whole or not. ORD_ERR_NOT_FOUND. */
int ord_volume_search(const struct ord_volume *v, uint64_t offset, struct ord_block_header *ret, uint64_t *ret_offset,
		      char *why);

/* Where the whole blocks of the last file of a history end. */
struct ord_volume_end {
	uint64_t offset;	  /* behind the last whole block; 0 when there is none */
	uint64_t run_offset;	  /* where the blocks begin that were synced together with the last one */
	struct ord_block_end end; /* behind that block; zero when there is none */
};

/* Finds it: follows the headers, then checks all that was synced last. What stands behind it is a write that was cut short: nobody was told that it is durable. Any other
 * damage is told: ORD_ERR_CORRUPT, with the offset in *ret_offset. ORD_ERR_MISMATCH, ORD_ERR_NOMEM. bytes as in read. */
int ord_volume_find_end(const struct ord_volume *v, struct ord_block_codec *codec, struct ord_bytes *bytes,
			struct ord_volume_end *ret, uint64_t *ret_offset, char *why);

#endif
