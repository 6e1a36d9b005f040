/* SPDX-License-Identifier: Apache-2.0 - a disk in memory that loses what was not synced, in any way a disk may. */
#ifndef ORD_TESTS_SUPPORT_RAFT_DISK_H
#define ORD_TESTS_SUPPORT_RAFT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "raft/io.h"
#include "tests/support/random.h"

#define RAFT_DISK_SEGMENTS_MAX 4096
#define RAFT_DISK_SECTOR 512

struct raft_disk_segment {
	uint8_t *base; /* owned */
	size_t len;
	size_t capacity;
	bool exists;
};

struct raft_disk {
	struct raft_disk_segment segments[RAFT_DISK_SEGMENTS_MAX]; /* by number */
	bool in_flight;
	uint64_t write_segment;
	uint64_t write_offset;
	struct ord_slice write_bytes;
	uint64_t remove_segment; /* whose removal is under way; 0: none */
	bool reuses;		 /* the file of a segment that was removed is that of a later one, with its bytes */
	struct raft_disk_segment spare;
	uint64_t reused_count;
	uint64_t removes_count;
	uint64_t writes_count;
	uint64_t reads_count;
	uint64_t syncs_count; /* by truncating */
	uint64_t rewrites_count;
	uint64_t rewrite_offset; /* of the last one */
	uint64_t rewrite_bytes;
	uint64_t write_bytes_max;
	int read_err; /* given by read when it is not ORD_OK */
};

void raft_disk_open(struct raft_disk *d);
void raft_disk_close(struct raft_disk *d);

/* The interface to give to a write-ahead log. */
struct ord_io raft_disk_io(struct raft_disk *d);

/* The write in flight is durable now, with the zeros behind it. The caller then tells the log. */
void raft_disk_complete(struct raft_disk *d);

/* The removal under way is durable now. The caller then tells the log. */
void raft_disk_complete_remove(struct raft_disk *d);

/* Power is lost: a removal under way has happened, or not; of the write in flight nothing, not even its segment's name,
 * a beginning, all, or any set of sectors is there, with or without the zeros behind it. */
void raft_disk_crash(struct raft_disk *d, struct random *r);

/* Of the write in flight the first len bytes are there, and the segment reaches len_zero bytes further at least; new ones are zero. */
void raft_disk_tear(struct raft_disk *d, size_t len, size_t len_zero);

/* A copy of the disk without its write in flight and with the segment whose removal is under way. */
void raft_disk_copy(const struct raft_disk *from, struct raft_disk *to);

/* The number of the first segment, and of the last one. */
uint64_t raft_disk_first(const struct raft_disk *d);
uint64_t raft_disk_last(const struct raft_disk *d);

#endif
