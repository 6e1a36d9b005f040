/* SPDX-License-Identifier: Apache-2.0 - the inside of the write-ahead log, for raft/wal*.c alone. */
#ifndef ORD_RAFT_WAL_STATE_H
#define ORD_RAFT_WAL_STATE_H

#include "raft/segment.h"
#include "raft/wal.h"

/* A piece of one segment in memory. Batches are built in blocks, written from them, and read back from them until they are trimmed. */
struct wal_block {
	uint64_t place; /* of its first byte */
	size_t len;
	size_t capacity;
	uint8_t base[];
};

/* One write. The last batch of the queue may still be open. */
struct wal_batch {
	struct wal_batch *next;
	struct wal_block *block; /* borrowed */
	size_t offset;		 /* in the block, of the batch's header */
	size_t prefix_bytes;	 /* the segment's header before it, 0 if there is none */
	size_t len;		 /* from offset, header included */
	struct ord_batch_header header;
	uint32_t salt;
	uint32_t *groups; /* owned; that have records in it, each once; room for all groups */
	uint32_t groups_count;
};

/* One segment, and what is needed in it. */
struct wal_kept {
	uint64_t disk_bytes;
	uint64_t used_bytes[ORD_WAL_USES];
	uint64_t cleared_by; /* batch with what replaced the last thing that was let go */
};

struct ord_wal {
	struct ord_wal_options options;
	bool was_empty;

	/* Where the next batch goes. */
	uint64_t segment;
	uint64_t offset;
	uint32_t salt;	 /* of the segment; meaningless while offset is 0 */
	uint32_t format; /* of the segment that was read last */
	uint64_t sequence;

	/* Batches, oldest first. open is the last one or NULL; in_flight is the first one or NULL. */
	struct wal_batch *first;
	struct wal_batch *last;
	struct wal_batch *open;
	struct wal_batch *in_flight;
	struct wal_batch *told;	 /* the last one synced, whose groups the caller may be looking at */
	struct wal_batch *spare; /* emptied ones */
	uint64_t *touched;	 /* owned; for each group the last batch it has a record in */

	/* Blocks by place. */
	struct wal_block **blocks; /* owned */
	size_t blocks_count;
	size_t blocks_capacity;
	size_t block_bytes;
	struct wal_block *spare_block; /* owned, may be NULL */

	/* Segments from first_segment on. */
	struct wal_kept *kept; /* owned */
	size_t kept_count;
	size_t kept_capacity;
	uint64_t first_segment;
	uint64_t used_bytes[ORD_WAL_USES]; /* in all of them */
	uint64_t kept_until;		   /* batch that is on disk before any segment goes */
	uint64_t removed_bytes;		   /* of the one whose removal is under way */
	bool removing;

	uint64_t durable_sequence;
	uint64_t durable_segment; /* where the last batch that is on disk stands */
	uint64_t durable_place;	  /* the end of what is on disk */
	uint64_t disk_bytes;
	uint64_t waiting_bytes;
	uint64_t appended_bytes;
	uint64_t memory_bytes;
	uint64_t syncs_count;
};

/* Makes sure that all segments up to number are known. ORD_ERR_NOMEM. */
int ord_wal_keep_up(struct ord_wal *w, uint64_t number);

/* So many bytes of a segment are on disk in addition. */
void ord_wal_keep_bytes(struct ord_wal *w, uint64_t number, uint64_t bytes);

/* Reads all segments: hands the records to each, and sets where the next batch goes. As ord_wal_open. */
int ord_wal_scan(struct ord_wal *w, ord_wal_each each, void *arg, char *why, size_t why_size);

/* The len bytes at place when they are in memory, NULL otherwise. */
const uint8_t *ord_wal_peek(const struct ord_wal *w, uint64_t place, size_t len);

#endif
