/* SPDX-License-Identifier: Apache-2.0 - all nodes of the cluster as a client sees them: which there are, who leads what, whom to send to. */
#ifndef ORD_CLIENT_PEERS_H
#define ORD_CLIENT_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/ordain.h"
#include "client/peer.h"

struct ord_peers;

struct ord_peers_options {
	uv_loop_t *loop;		    /* borrowed */
	const char *addresses;		    /* as in ordain_options */
	const struct ordain_id *cluster_id; /* NULL: whichever the first node names */
	void (*changed)(void *ctx);	    /* from the loop: something that waited for a node may get on now */
	void (*closed)(void *ctx);	    /* from the loop: after ord_peers_stop, when no connection is left */
	void *ctx;			    /* borrowed */
};

/* Begins to connect to all addresses. ORDAIN_ERR_ARGUMENT, ORDAIN_ERR_MEMORY. */
int ord_peers_open(const struct ord_peers_options *options, uint64_t now_ms, struct ord_peers **ret);

/* Ends all connections; false when there are none, and closed is not called. */
bool ord_peers_stop(struct ord_peers *s);

/* Frees all; asserts that no connection is left. NULL is fine. */
void ord_peers_close(struct ord_peers *s);

/* Keeps connections and the table of leaders as they should be; call every 10 ms or so while anything is under way. */
void ord_peers_tick(struct ord_peers *s, uint64_t now_ms);

/* Hands all output to the kernel. */
void ord_peers_flush(struct ord_peers *s);

/* 0 while no node has told. */
uint32_t ord_peers_partitions_count(const struct ord_peers *s);

/* The peer to send to for a partition, with room; NULL when it is better to wait. *ret_proxy: it does not lead the partition as far as is known, but
 * the leader has been out of reach for some time, and any node passes requests on. */
struct ord_peer *ord_peers_find_leader(struct ord_peers *s, uint32_t partition, uint64_t now_ms, bool *ret_proxy);

/* Any peer with room, another one each time; NULL when there is none. */
struct ord_peer *ord_peers_find_any(struct ord_peers *s);

/* The peer of one node, in whatever state; NULL when there is none. */
struct ord_peer *ord_peers_find_node(struct ord_peers *s, uint32_t node);

/* A node said who leads a partition now. */
void ord_peers_set_leader(struct ord_peers *s, uint32_t partition, uint32_t node);

/* The table of leaders looks wrong: ask soon. */
void ord_peers_doubt(struct ord_peers *s);

/* True when every address belongs to another cluster: waiting cannot help. */
bool ord_peers_are_wrong(const struct ord_peers *s);

/* True while one is connected or connecting. */
bool ord_peers_are_connecting(const struct ord_peers *s);

/* Why no node can be reached, in words that name an address, and as enum ordain_error; 0 and "" when one is ready. */
int ord_peers_trouble(const struct ord_peers *s, const char **ret_why);

#endif
