/* SPDX-License-Identifier: Apache-2.0 - connections between nodes. Each node connects to each other one and sends on that connection only. */
#ifndef ORD_NODE_PEERS_H
#define ORD_NODE_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "node/config.h"
#include "node/datadir.h"
#include "node/faults_link.h"
#include "node/shard.h"

struct ord_peers;

struct ord_peers_events {
	void *ctx; /* borrowed; first argument of all */
	/* A part came. An error closes the connection it came on. */
	int (*receive)(void *ctx, uint32_t node, uint8_t kind, struct ord_slice body);
	/* The connection that a node made has ended, whether the other one stands or not: nothing more comes on it, and nothing that came on it is owed an answer. */
	void (*ended)(void *ctx, uint32_t node);
	/* A node says which member of the groups it is, at each connection, and once more when it has found out. */
	void (*member)(void *ctx, uint32_t node, uint64_t member);
	/* This node was undecided and knows now which member it is: that is on disk, and told to the others. */
	void (*decided)(void *ctx, uint64_t member);
	/* Both connections with a node stand, or not any more. */
	void (*connected)(void *ctx, uint32_t node, bool connected);
	/* Parts for a node that is not connected, or from which nothing has come for long, go through a third one from now on, or through another third one than before, or not any more: what was under way to it may be lost. */
	void (*relayed)(void *ctx, uint32_t node, bool relayed);
};

/* Listens for the other nodes of config and connects to them, again and again. config and datadir are borrowed until stopped.
 * ORD_ERR_IO or ORD_ERR_NOMEM with why (why_size bytes), for example when the port is in use. The caller owns *ret. */
int ord_peers_start(uv_loop_t *loop, const struct ord_config *config, struct ord_datadir *datadir,
		    const struct ord_peers_events *events, struct ord_peers **ret, char *why, size_t why_size);

/* Puts a part into the next frame to a node, or to a third one when the node cannot be reached and the part may take that way (node/peers_relay.c). Dropped when the node is not
 * connected or has ORD_PEER_OUTPUT_BYTES_MAX to read. */
void ord_peers_send(struct ord_peers *p, uint32_t node, uint8_t kind, struct ord_slice body);

/* Ends the turn: sends what was put since the last time. */
void ord_peers_flush(struct ord_peers *p);

uint32_t ord_peers_count(const struct ord_peers *p);
void ord_peers_status(const struct ord_peers *p, uint32_t peer, struct ord_peer_status *ret);

/* Makes the network to a node bad on purpose (node/faults_link.h); False: there is no such other node. What it is like now; NULL: there is none. Only with enable_faults. */
bool ord_peers_link_set(struct ord_peers *p, uint32_t node, const struct ord_faults_link_rule *rule);
const struct ord_faults_link *ord_peers_link(struct ord_peers *p, uint32_t node);

/* The nodes whose word is still missed to decide what this node is; none when that is decided. Returns how many; nodes has room for ORD_NODES_MAX. */
uint32_t ord_peers_waits_for(const struct ord_peers *p, uint32_t *ret_nodes);

/* Closes everything, then calls stopped from the loop and frees p. */
void ord_peers_stop(struct ord_peers *p, void (*stopped)(void *ctx), void *ctx);

#endif
