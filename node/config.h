/* SPDX-License-Identifier: Apache-2.0 - everything that can be set for a node: flags and a file of "key = value" lines into one struct. */
#ifndef ORD_NODE_CONFIG_H
#define ORD_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/uuid.h"
#include "node/bounds.h"

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
	uint32_t shards_count;
	uint32_t shard; /* no option: whose configuration this is (ord_config_shard) */
	char data_dir[4096];
	char listen_host
		[ORD_HOST_TEXT_SIZE]; /* address to bind both listeners to; empty: the hosts given for this node */
	uint32_t election_timeout_ms;
	uint32_t heartbeat_ms;
	uint64_t segment_bytes;
	uint64_t cache_bytes;
	uint64_t memory_bytes;
	uint64_t checkpoint_bytes;
	uint64_t history_bytes; /* of each partition, that are kept; 0: all; likewise below */
	uint32_t history_days;
	uint64_t repair_bytes; /* a second; likewise below */
	uint64_t scrub_bytes;
	uint64_t reserve_bytes; /* 0: by the size of the file system */
	uint32_t clients_max;	/* connections */
	uint32_t mark_entries;
	uint32_t request_days;
	bool enable_faults;
	struct ord_bounds bounds; /* no option: all 0 but in a simulation */
};

/* Texts about what is wrong: the place, the thing and the remedy. */
#define ORD_CONFIG_WHY_SIZE 1024

/* What a command line asks for. */
enum ord_config_action {
	ORD_CONFIG_RUN = 1,
	ORD_CONFIG_PRINT = 2,	/* --print-config */
	ORD_CONFIG_VERSION = 3, /* --version */
	ORD_CONFIG_HELP = 4	/* --help */
};

/* Defaults for all that has one; the rest is zero. */
void ord_config_init(struct ord_config *c);

/* Reads "key = value" lines. name stands for the file in error texts. ORD_ERR_INVALID with why: "name:line: key: what and remedy". */
int ord_config_read(struct ord_config *c, FILE *in, const char *name, char why[ORD_CONFIG_WHY_SIZE]);

/* Reads a command line: the file that --config names first, then the flags, which override it. *ret_action is RUN unless another one was asked for;
 * with VERSION and HELP the rest is not looked at. ORD_ERR_INVALID with why. Does not check what belongs together: ord_config_check does. */
int ord_config_command_line(struct ord_config *c, int argc, char **argv, enum ord_config_action *ret_action,
			    char why[ORD_CONFIG_WHY_SIZE]);

/* Checks that nothing is missing and that the values fit each other; sorts the nodes by id. ORD_ERR_INVALID with why. */
int ord_config_check(struct ord_config *c, char why[ORD_CONFIG_WHY_SIZE]);

/* The configuration of one of the shards of a node: with one shard, the node's; with several, a directory of its own below data_dir, the peer ports that many further on, and its part of what a
 * node may use of memory and disk. Asserts that the configuration was checked. */
void ord_config_shard(const struct ord_config *c, uint32_t shard, struct ord_config *ret);

/* Writes the whole configuration in the format of the file. */
void ord_config_print(const struct ord_config *c, FILE *out);

/* The text of --help. */
void ord_config_help(FILE *out);

/* The entry of the node with that id, NULL when there is none. */
const struct ord_config_node *ord_config_find(const struct ord_config *c, uint32_t node);

/* "host:port", with brackets around an IPv6 host. */
#define ORD_ADDRESS_TEXT_SIZE (ORD_HOST_TEXT_SIZE + 9)
void ord_address_format(const char *host, uint16_t port, char text[ORD_ADDRESS_TEXT_SIZE]);

#endif
