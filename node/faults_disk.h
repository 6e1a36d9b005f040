/* SPDX-License-Identifier: Apache-2.0 - a bad disk: what becomes of writes and syncs. Shared by all threads that write below data_dir. */
#ifndef ORD_NODE_FAULTS_DISK_H
#define ORD_NODE_FAULTS_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define ORD_FAULTS_SLOW_MS_MAX 60000u

/* All zero: a good disk. */
struct ord_faults_disk_rule {
	uint32_t slow_ms; /* that each sync takes longer */
	bool error;	  /* writes and syncs fail with EIO */
	bool full;	  /* writes that need room fail with ENOSPC, and no room is free */
};

struct ord_faults_disk_counts {
	uint64_t slowed;  /* syncs */
	uint64_t failed;  /* writes and syncs */
	uint64_t refused; /* writes */
};

struct ord_faults_disk;

/* A good disk. The caller owns *ret. ORD_ERR_NOMEM. */
int ord_faults_disk_open(struct ord_faults_disk **ret);
/* Nobody may use it any more. NULL is fine. */
void ord_faults_disk_close(struct ord_faults_disk *f);

/* From now on; who waits in a sync goes on. Counters begin at 0 unless the rule is the one that is in force. */
void ord_faults_disk_set(struct ord_faults_disk *f, const struct ord_faults_disk_rule *rule);
void ord_faults_disk_get(struct ord_faults_disk *f, struct ord_faults_disk_rule *ret_rule,
			 struct ord_faults_disk_counts *ret_counts);

/* --- On any thread; f may be NULL: true at once. --- */

/* Before a write. False with errno, EIO or ENOSPC: the write has failed and is not to be made. needs_room: it makes its file longer, or a new one. */
bool ord_faults_disk_write(struct ord_faults_disk *f, bool needs_room);

/* Before a sync, which waits here as long as the disk is slow. False with errno EIO: it has failed. */
bool ord_faults_disk_sync(struct ord_faults_disk *f);

/* With f NULL: false. */
bool ord_faults_disk_is_full(struct ord_faults_disk *f);

#endif
