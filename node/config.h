/* SPDX-License-Identifier: Apache-2.0 - everything that can be set for a node: flags and a file of "key = value" lines into one struct. */
#ifndef ORD_NODE_CONFIG_H
#define ORD_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/uuid.h"

#define ORD_HOST_TEXT_SIZE 256

struct ord_address {
	char host[ORD_HOST_TEXT_SIZE]; /* a name or an IPv4 or IPv6 address, without brackets */
	uint16_t port;
};

struct ord_config_node {
	uint32_t id;
	struct ord_address peer;   /* where other nodes reach it */
	struct ord_address client; /* where clients reach it */
};

struct ord_config {
	struct ord_uuid cluster;
	uint32_t node;
	struct ord_config_node
		nodes[ORD_NODES_MAX]; /* all nodes of the cluster, this one among them, by ascending id */
	uint32_t nodes_count;
	uint32_t partitions_count;
	char data_dir[4096];
	char listen_host
		[ORD_HOST_TEXT_SIZE]; /* address to bind both listeners to; empty: the hosts given for this node */
	uint32_t election_timeout_ms;
	uint32_t heartbeat_ms;
	uint64_t segment_bytes;
	uint64_t cache_bytes;
	uint32_t clients_max; /* connections */
};

#endif
