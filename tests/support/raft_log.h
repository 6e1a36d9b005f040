/* SPDX-License-Identifier: Apache-2.0 - a write-ahead log of records that tell by their number what they are. */
#ifndef ORD_TESTS_SUPPORT_RAFT_LOG_H
#define ORD_TESTS_SUPPORT_RAFT_LOG_H

#include "raft/wal.h"
#include "tests/support/raft_disk.h"

#define RAFT_LOG_GROUPS 3
#define RAFT_LOG_SEEN_MAX 20000

/* What the log said when it was opened. */
struct raft_log_seen {
	uint64_t count;
	uint64_t index[RAFT_LOG_SEEN_MAX];
	uint64_t place[RAFT_LOG_SEEN_MAX];
	uint32_t len[RAFT_LOG_SEEN_MAX];
};

extern struct raft_log_seen raft_log_seen;
extern char raft_log_why[512];
extern const struct ord_wal_options raft_log_normal; /* segments of 8 KiB */

/* Record number n: an entry of some group, or sometimes a vote. Its length is in its number. payload has room for 256 bytes. */
struct ord_record raft_log_record(uint64_t number, uint8_t *payload);

/* Opens a log; fills in raft_log_seen and raft_log_why. The second one asserts that it can. */
int raft_log_open_with(struct raft_disk *d, struct ord_wal_options options, struct ord_wal **ret);
struct ord_wal *raft_log_open(struct raft_disk *d);

/* Appends a record; returns its place. */
uint64_t raft_log_put(struct ord_wal *w, uint64_t number);

/* Writes and syncs all that waits. */
void raft_log_sync(struct raft_disk *d, struct ord_wal *w);

#endif
