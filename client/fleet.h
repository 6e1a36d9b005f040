/* SPDX-License-Identifier: Apache-2.0 - all nodes of the cluster as a client sees them: which there are, who leads what, whom to send to. */
#ifndef ORD_CLIENT_FLEET_H
#define ORD_CLIENT_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "client/ordain.h"
#include "client/remote.h"

struct ord_fleet;

struct ord_fleet_options {
	uv_loop_t *loop;		    /* borrowed */
	uint64_t seed;			    /* differs between clients */
	const char *addresses;		    /* as in ordain_options */
	const struct ordain_id *cluster_id; /* NULL: whichever the first node names */
	void (*changed)(void *ctx);	    /* from the loop: something that waited for a node may get on now */
	void (*closed)(void *ctx);	    /* from the loop: after ord_fleet_stop, when no connection is left */
	void *ctx;			    /* borrowed */
};

/* Makes a set of the nodes at these addresses; the first tick begins to connect. ORDAIN_ERR_ARGUMENT, ORDAIN_ERR_MEMORY. */
int ord_fleet_open(const struct ord_fleet_options *options, struct ord_fleet **ret);

/* Ends all connections; false when there are none, and closed is not called. */
bool ord_fleet_stop(struct ord_fleet *s);

/* Frees all; asserts that no connection is left. NULL is fine. */
void ord_fleet_close(struct ord_fleet *s);

/* Keeps connections and the table of leaders as they should be; call every 10 ms or so while anything is under way. */
void ord_fleet_tick(struct ord_fleet *s, uint64_t now_ms);

/* Hands all output to the kernel. */
void ord_fleet_flush(struct ord_fleet *s);

/* 0 while no node has told. */
uint32_t ord_fleet_partitions_count(const struct ord_fleet *s);

/* The remote to send to for a partition, with room; NULL when it is better to wait. *ret_proxy: it does not lead the partition as far as is known, but
 * the leader has been out of reach for some time, and any node passes requests on. */
struct ord_remote *ord_fleet_find_leader(struct ord_fleet *s, uint32_t partition, uint64_t now_ms, bool *ret_proxy);

/* Any remote with room, another one each time; NULL when there is none. */
struct ord_remote *ord_fleet_find_any(struct ord_fleet *s);

/* The remote of one node, in whatever state; NULL when there is none. */
struct ord_remote *ord_fleet_find_node(struct ord_fleet *s, uint32_t node);

/* What an error tells of who leads the partition: that node, or (0) that it is not who the table says, unless the node was just busy. Asserts that the
 * partitions are known. */
void ord_fleet_learn(struct ord_fleet *s, uint32_t partition, int code, uint32_t leader);

/* The table of leaders looks wrong: ask soon. */
void ord_fleet_doubt(struct ord_fleet *s);

/* True when every address belongs to another cluster: waiting cannot help. */
bool ord_fleet_are_wrong(const struct ord_fleet *s);

/* True while one is connected or connecting. */
bool ord_fleet_are_connecting(const struct ord_fleet *s);

/* Why no node can be reached, in words that name an address, and as enum ordain_error; 0 and "" when one is ready. */
int ord_fleet_trouble(const struct ord_fleet *s, const char **ret_why);

#endif
