/* SPDX-License-Identifier: Apache-2.0 - a node's data directory: whose it is, that only one process uses it, and which peers it has met. */
#ifndef ORD_NODE_DATADIR_H
#define ORD_NODE_DATADIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "node/config.h"

/* identity and peers are not longer. */
#define ORD_DATADIR_FILE_BYTES_MAX 4096

struct ord_datadir;

/* Opens the directory of config->data_dir, making it when it does not exist, and locks it until close. A new directory gets a new incarnation: a
 * random id that stands for this very set of files, since a node that lost its files has forgotten its votes and must not pass for the old one.
 * ORD_ERR_IN_USE, ORD_ERR_MISMATCH (another cluster, node, partition count or set of nodes), ORD_ERR_CORRUPT, ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM; why
 * (why_size bytes) names the file and the remedy. The caller owns *ret. */
int ord_datadir_open(const struct ord_config *config, struct ord_datadir **ret, char *why, size_t why_size);

/* Unlocks and frees. NULL is fine. */
void ord_datadir_close(struct ord_datadir *d);

const struct ord_uuid *ord_datadir_incarnation(const struct ord_datadir *d);

/* The directory of the write-ahead log, inside this one. */
const char *ord_datadir_wal(const struct ord_datadir *d);

/* The directory of the partitions' states, inside this one; nobody has made it. */
const char *ord_datadir_state(const struct ord_datadir *d);

/* The directory of the partitions' histories, likewise. */
const char *ord_datadir_history(const struct ord_datadir *d);

/* A peer says that it is node with this incarnation. ORD_OK when that is what it said first, ORD_ERR_MISMATCH when it said something else then, or when there are too many,
 * ORD_ERR_NOT_FOUND when it was never met: then it must be remembered, durably, before anything else is done with it. */
int ord_datadir_knows(const struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation);

/* What is to be written to remember a peer. */
struct ord_datadir_meeting {
	uint32_t node;
	struct ord_uuid incarnation;
	char text[ORD_DATADIR_FILE_BYTES_MAX];
};

/* Remembering takes three steps, since the second waits for the disk and may be made on any thread: prepare, write, and once that gave ORD_OK, keep. One
 * at a time. The write gives ORD_ERR_IO or ORD_ERR_NO_SPACE, with errno. */
void ord_datadir_meeting(const struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation,
			 struct ord_datadir_meeting *ret);
int ord_datadir_meeting_write(const struct ord_datadir *d, const struct ord_datadir_meeting *m);
void ord_datadir_met(struct ord_datadir *d, const struct ord_datadir_meeting *m);

#endif
