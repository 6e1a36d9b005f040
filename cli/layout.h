/* SPDX-License-Identifier: Apache-2.0 - the directory of a cluster of local processes: which nodes, which ports, which files. */
#ifndef ORD_CLI_LAYOUT_H
#define ORD_CLI_LAYOUT_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/uuid.h"

/* DIR/cluster.conf      cluster id, partitions, ports: written once, the same for the cluster's life
 * DIR/lock              held while processes are started and ended
 * DIR/node-N/ordaind.conf   the node's configuration: written when missing, may be edited
 * DIR/node-N/pid, log, data */
struct ord_layout_node {
	uint32_t id;
	uint16_t peer_port;
	uint16_t client_port;
};

struct ord_layout {
	char dir[PATH_MAX]; /* absolute */
	struct ord_uuid cluster;
	uint32_t partitions_count;
	uint32_t nodes_count;
	struct ord_layout_node nodes[ORD_NODES_MAX];
};

/* Room for "127.0.0.1:port" of every node. */
#define ORD_LAYOUT_ADDRESSES_SIZE (ORD_NODES_MAX * 16 + 1)

/* Reads DIR/cluster.conf. ORD_ERR_NOT_FOUND: there is none; ORD_ERR_FORMAT, ORD_ERR_IO. why names the file, the line and the remedy. */
int ord_layout_load(const char *dir, struct ord_layout *ret, char *why, size_t why_size);

struct ord_layout_shape {
	uint32_t nodes_count;
	uint32_t partitions_count;
};

/* Makes the directory and those above it where they are missing. ORD_ERR_IO with why. */
int ord_layout_directory(const char *dir, char *why, size_t why_size);

/* Waits for DIR/lock and takes it; it is free again when *ret_fd is closed or the process ends. ORD_ERR_IO with why. */
int ord_layout_lock(const char *dir, int *ret_fd, char *why, size_t why_size);

/* Writes DIR/cluster.conf with a new cluster id and free ports; the lock is held. ORD_ERR_IO with why. */
int ord_layout_create(const char *dir, const struct ord_layout_shape *shape, struct ord_layout *ret, char *why,
		      size_t why_size);

/* Makes DIR/node-N and its ordaind.conf where they are missing. ORD_ERR_IO with why. */
int ord_layout_prepare(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

/* "DIR/node-N/name". */
void ord_layout_path(const struct ord_layout *l, const struct ord_layout_node *node, const char *name,
		     char path[PATH_MAX]);

/* The client addresses of all nodes, with commas between. */
void ord_layout_addresses(const struct ord_layout *l, char addresses[ORD_LAYOUT_ADDRESSES_SIZE]);

/* NULL when the cluster has no such node. */
const struct ord_layout_node *ord_layout_find(const struct ord_layout *l, int64_t node);

#endif
