/* SPDX-License-Identifier: Apache-2.0 - a node: all its shards, the port for clients that they share, their start and their end. No globals. */
#ifndef ORD_NODE_NODE_H
#define ORD_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct ord_config;
struct ord_node;
struct ord_shard;

struct ord_node_options {
	uv_loop_t *loop;		 /* borrowed; of shard 0, which has the port for clients */
	const struct ord_config *config; /* borrowed */
	bool has_threads; /* each other shard has a loop and a thread of its own; else all are on that one, in tests and in simulation */
	/* A shard cannot go on, and the node must stop: called on that shard's thread, once for each at most. */
	void (*fatal)(void *ctx, int err, const char *why);
	void *ctx; /* borrowed */
};

/* Starts all shards, one after the other, then listens for clients; threads begin when all are there. On error why (why_size bytes) names the thing and the remedy, and what was started has ended again; errors as
 * ord_shard_start and ord_listener_start. The caller owns *ret. */
int ord_node_start(const struct ord_node_options *options, struct ord_node **ret, char *why, size_t why_size);

/* The address that it listens on for clients, for people. */
const char *ord_node_address(const struct ord_node *n);

/* The shard that has a partition; NULL when it has stopped. For tests, on one loop. */
struct ord_shard *ord_node_shard(struct ord_node *n, uint32_t shard);

/* Takes no more requests, answers those under way, stops all shards, ends their threads, then calls stopped from the loop and frees n. On the loop's thread. */
void ord_node_stop(struct ord_node *n, void (*stopped)(void *ctx), void *ctx);

#endif
