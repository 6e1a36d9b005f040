/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log: records of all groups in numbered segments, written and synced in batches. */
#ifndef ORD_RAFT_WAL_H
#define ORD_RAFT_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "raft/io.h"
#include "raft/record.h"

struct ord_wal;

struct ord_wal_options {
	struct ord_uuid cluster;
	uint32_t node;
	uint32_t groups_count;
	uint64_t segment_bytes; /* a segment is ended before it grows past this, unless one batch alone does */
	uint64_t cache_bytes;	/* the end of the log that stays in memory when it is durable */
	struct ord_io io;
};

/* Bounds of segment_bytes: a place holds the offset in 32 bits. */
#define ORD_WAL_SEGMENT_BYTES_MIN 4096u
#define ORD_WAL_SEGMENT_BYTES_MAX (1u << 30)

/* Takes one record of the log, in the order in which they were written; what it gives other than ORD_OK ends the opening and is what
 * ord_wal_open gives. It may write a reason to why, which is otherwise about the place alone. */
typedef int (*ord_wal_each)(void *arg, const struct ord_record *r, uint64_t place, char *why, size_t why_size);

/* Reads the whole log, cuts an incomplete tail durably, and stands ready to append. Blocks. segment_bytes must be within its bounds.
 * ORD_ERR_CORRUPT when something before the tail fails its check, ORD_ERR_MISMATCH when the log is of another cluster, node or format,
 * ORD_ERR_IO, ORD_ERR_NOMEM, or what each gave; why then names the segment, the offset and the remedy. */
int ord_wal_open(const struct ord_wal_options *options, ord_wal_each each, void *arg, struct ord_wal **ret, char *why,
		 size_t why_size);

/* Frees all. No write may be in flight. NULL is fine. */
void ord_wal_close(struct ord_wal *w);

/* The first segment that there is. */
uint64_t ord_wal_first(const struct ord_wal *w);

/* True when the log held nothing at all when it was opened. */
bool ord_wal_was_empty(const struct ord_wal *w);

/* Makes the next append of a record with that payload certain to succeed. ORD_ERR_NOMEM. */
int ord_wal_reserve(struct ord_wal *w, size_t payload_bytes);

/* What a record is kept for: an entry that is nowhere else; an entry that is safe elsewhere and stays for followers that lag; the last vote of a group. */
enum ord_wal_use { ORD_WAL_USE_ENTRY = 0, ORD_WAL_USE_TRAILING = 1, ORD_WAL_USE_VOTE = 2, ORD_WAL_USES = 3 };

/* The record of that length at place is needed, or no longer. What replaces it must have been appended before it is let go, or have its room by
 * ord_wal_reserve: the segment is kept until that is on disk. */
void ord_wal_hold(struct ord_wal *w, uint64_t place, size_t bytes, enum ord_wal_use use);
void ord_wal_let_go(struct ord_wal *w, uint64_t place, size_t bytes, enum ord_wal_use use);

/* No segment goes before all that was appended so far is on disk. */
void ord_wal_keep_until_durable(struct ord_wal *w);

struct ord_wal_oldest {
	uint64_t number;
	uint64_t segments_count;	   /* that there are, this one and the one that is written included */
	uint64_t used_bytes[ORD_WAL_USES]; /* of what is needed in it */
	uint64_t entries_bytes;		   /* of entries that are needed, in all segments */
};

/* The first segment. False when it may not go now, whatever is in it: nothing behind it is on disk yet, or a removal is under way. */
bool ord_wal_oldest(const struct ord_wal *w, struct ord_wal_oldest *ret);

/* Begins to remove the first segment, unless what replaces something in it is not on disk yet. Asserts that it may go and that nothing in it is needed. */
void ord_wal_remove(struct ord_wal *w);

/* The removal that is under way is done. Asserts that one was. */
void ord_wal_removed(struct ord_wal *w);

/* Adds a record to the batch that is collected; *ret_place is where it will stand. ORD_ERR_NOMEM. */
int ord_wal_append(struct ord_wal *w, const struct ord_record *r, uint64_t *ret_place);

/* The same for a record that is encoded already and whose checksum the caller has verified. */
int ord_wal_append_encoded(struct ord_wal *w, struct ord_slice record, uint32_t group, uint64_t *ret_place);

/* The batch that the last record appended is in. Batches are numbered without gaps. */
uint64_t ord_wal_sequence(const struct ord_wal *w);

/* The last batch that is on disk. */
uint64_t ord_wal_durable(const struct ord_wal *w);

/* The log goes on in a new segment, with the next record, when this is the one that it is at: true. Not between ord_wal_reserve and ord_wal_append. */
bool ord_wal_leave(struct ord_wal *w, uint64_t segment);

/* Begins to write the oldest batch that waits, unless a write is in flight. */
void ord_wal_write(struct ord_wal *w);

/* The write in flight is on disk. Gives the groups that have records in it, valid until the next call. Asserts that one was. */
const uint32_t *ord_wal_synced(struct ord_wal *w, uint32_t *ret_count);

/* Forgets what is durable and over cache_bytes, oldest first. What was read before may be gone afterwards. */
void ord_wal_trim(struct ord_wal *w);

/* Reads records back, from memory or through windows of its own on the segments. */
struct ord_wal_reader;
int ord_wal_reader_open(struct ord_wal *w, struct ord_wal_reader **ret); /* ORD_ERR_NOMEM */
void ord_wal_reader_close(struct ord_wal_reader *r);			 /* NULL is fine */

struct ord_wal_piece {
	struct ord_slice bytes;
	bool from_disk;	   /* so the checksum has to be verified */
	size_t read_bytes; /* how much the disk was asked for; 0 when a window had it */
};

/* The encoded record of len bytes at place; valid until the next read through the same reader, append or trim.
 * ORD_ERR_IO, ORD_ERR_NOMEM, ORD_ERR_CORRUPT (the segment is shorter than it was). */
int ord_wal_read(struct ord_wal_reader *r, uint64_t place, size_t len, struct ord_wal_piece *ret);

/* True when reading that needs no disk. */
bool ord_wal_in_memory(const struct ord_wal *w, uint64_t place, size_t len);

/* Reads the segments one after the other, and checks all that is in them: of the one that is being written, what is on disk when its turn comes. */
struct ord_wal_scrub;
int ord_wal_scrub_open(struct ord_wal *w, struct ord_wal_scrub **ret); /* ORD_ERR_NOMEM */
void ord_wal_scrub_close(struct ord_wal_scrub *s);		       /* NULL is fine */

struct ord_wal_scrubbed {
	uint64_t bytes;	  /* that were read */
	bool is_last;	  /* all has been checked once; the next step begins again */
	uint64_t segment; /* ORD_ERR_CORRUPT: where, and what is wrong */
	uint64_t offset;
	char why[64];
};

/* One piece more: 256 KiB, or one record that is longer. ORD_ERR_CORRUPT: something does not pass its check; the next step goes on with the segment behind it. */
int ord_wal_scrub_step(struct ord_wal_scrub *s, struct ord_wal_scrubbed *ret);

struct ord_wal_status {
	uint64_t disk_bytes; /* in all segments */
	uint64_t segments_count;
	uint64_t waiting_bytes;	 /* collected and not yet being written */
	uint64_t appended_bytes; /* collected since it was opened, written or not */
	uint64_t memory_bytes;	 /* held in memory */
	uint64_t syncs_count;
	bool in_flight;
};
void ord_wal_status(const struct ord_wal *w, struct ord_wal_status *ret);

#endif
