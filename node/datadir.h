/* SPDX-License-Identifier: Apache-2.0 - a node's data directory: whose it is, that only one process uses it, and which peers it has met. */
#ifndef ORD_NODE_DATADIR_H
#define ORD_NODE_DATADIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "node/config.h"

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

/* A peer says that it is node with this incarnation. The first one is remembered, durably; ORD_ERR_MISMATCH when another one was. ORD_ERR_IO. */
int ord_datadir_meet(struct ord_datadir *d, uint32_t node, const struct ord_uuid *incarnation);

#endif
