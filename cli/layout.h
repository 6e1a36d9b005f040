/* SPDX-License-Identifier: Apache-2.0 - the directory of a cluster of local processes: which nodes, which ports, which files. */
#ifndef ORD_CLI_LAYOUT_H
#define ORD_CLI_LAYOUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/uuid.h"

/* DIR/cluster.conf      cluster id, partitions, addresses: written once, the same for the cluster's life
 * DIR/lock              held while processes are started and ended
 * DIR/node-N/ordaind.conf   the node's configuration: written when missing, may be edited
 * DIR/node-N/pid, log, data
 * DIR/node-N/disk.img, clock   with network namespaces: the file system that is mounted at data; what is added to the node's clock */
struct ord_layout_node {
	uint32_t id;
	uint16_t peer_port; /* of shard 0; those of the others follow */
	uint16_t client_port;
};

/* Nodes that have network namespaces, and file systems of their own (cli/netns.h, cli/node_disk.h). */
struct ord_layout_netns {
	bool on;
	uint32_t network;    /* 10.x.y.0 as a number; node N is 10.x.y.N */
	uint64_t disk_bytes; /* of each node's file system */
};

struct ord_layout {
	char dir[PATH_MAX]; /* absolute */
	struct ord_uuid cluster;
	uint32_t partitions_count;
	uint32_t shards_count; /* of each node */
	uint32_t nodes_count;
	struct ord_layout_netns netns;
	struct ord_layout_node nodes[ORD_NODES_MAX];
};

#define ORD_LAYOUT_HOST_SIZE 16 /* of "127.0.0.1", "10.x.y.z" */

/* Room for "host:port" of every node. */
#define ORD_LAYOUT_ADDRESSES_SIZE (ORD_NODES_MAX * (ORD_LAYOUT_HOST_SIZE + 6) + 1)

/* Reads DIR/cluster.conf. ORD_ERR_NOT_FOUND: there is none; ORD_ERR_FORMAT, ORD_ERR_IO. why names the file, the line and the remedy. */
int ord_layout_load(const char *dir, struct ord_layout *ret, char *why, size_t why_size);

struct ord_layout_shape {
	uint32_t nodes_count;
	uint32_t partitions_count;
	uint32_t shards_count; /* 0: 1 */
	bool netns;
	uint64_t disk_bytes; /* with netns */
};

/* Makes the directory and those above it where they are missing. ORD_ERR_IO with why. */
int ord_layout_directory(const char *dir, char *why, size_t why_size);

/* Takes DIR/lock, and waits for it timeout_ms at most; it is free again when *ret_fd is closed or the process has ended, and with it the programs that it runs. ORD_ERR_IO; ORD_ERR_TIMEOUT: another command has it;
 * with why. */
int ord_layout_lock(const char *dir, int64_t timeout_ms, int *ret_fd, char *why, size_t why_size);

/* Writes DIR/cluster.conf with a new cluster id and free ports, or with free addresses; the lock is held. ORD_ERR_IO with why. */
int ord_layout_create(const char *dir, const struct ord_layout_shape *shape, struct ord_layout *ret, char *why,
		      size_t why_size);

/* Makes DIR/node-N and its ordaind.conf where they are missing. ORD_ERR_IO with why. */
int ord_layout_prepare(const struct ord_layout *l, const struct ord_layout_node *node, char *why, size_t why_size);

/* Writes "enable_faults = yes" into the node's ordaind.conf, unless it is there; *ret_changed tells. ORD_ERR_INVALID: the file says that it is not to be; ORD_ERR_IO; with why. */
int ord_layout_enable_faults(const struct ord_layout *l, const struct ord_layout_node *node, bool *ret_changed,
			     char *why, size_t why_size);

/* "DIR/node-N/name". */
void ord_layout_path(const struct ord_layout *l, const struct ord_layout_node *node, const char *name,
		     char path[PATH_MAX]);

/* The address of a node; of the host on the nodes' network for node 0. */
void ord_layout_host(const struct ord_layout *l, uint32_t node, char host[ORD_LAYOUT_HOST_SIZE]);

/* The client addresses of all nodes, with commas between. */
void ord_layout_addresses(const struct ord_layout *l, char addresses[ORD_LAYOUT_ADDRESSES_SIZE]);

/* NULL when the cluster has no such node. */
const struct ord_layout_node *ord_layout_find(const struct ord_layout *l, int64_t node);

#endif
