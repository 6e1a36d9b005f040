/* SPDX-License-Identifier: Apache-2.0 - the state of a partition in a node's data directory, read through LMDB as of its last checkpoint. The node may run; nothing of the state is written. */
#ifndef ORD_CLI_STATE_FILE_H
#define ORD_CLI_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "partition/store.h"

struct ord_state_file;

/* DIR/state, where one directory for each partition stands. */
void ord_state_file_directory(const char *data_dir, char *path, size_t path_size);

/* True when no process uses the data directory: its lock is free, or there is none. */
bool ord_state_file_is_unused(const char *data_dir);

/* Opens DIR/state/N/data.mdb. What is read is one checkpoint, whatever the node writes meanwhile; beside a running node that is noted in LMDB's table of readers (lock.mdb), and keeps the node from using old
 * pages again until close. ORD_ERR_NOT_FOUND: there is no state of that partition; ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_MISMATCH (another version of LMDB), ORD_ERR_NOMEM; with why. */
int ord_state_file_open(const char *data_dir, uint32_t partition, struct ord_state_file **ret, char *why,
			size_t why_size);

/* What is to be said when its pages are so damaged that the process which looked at them was ended. */
void ord_state_file_died(const char *data_dir, uint32_t partition, char *why, size_t why_size);

/* NULL is fine. */
void ord_state_file_close(struct ord_state_file *f);

/* Valid until close. */
const struct ord_store *ord_state_file_store(const struct ord_state_file *f);
const char *ord_state_file_path(const struct ord_state_file *f); /* of data.mdb */

/* How many pairs a table has, by LMDB's own count. */
uint64_t ord_state_file_pairs(const struct ord_state_file *f, enum ord_store_table table);

/* False: no node used the directory at open, and one has been started and has written since. What was read then may be of no one state, and what is wrong with it says nothing. */
bool ord_state_file_holds(const struct ord_state_file *f);

#endif
