/* SPDX-License-Identifier: Apache-2.0 - nodes' engines in one process: virtual time, disks and a network that a seed makes unreliable. */
#ifndef ORD_TESTS_SUPPORT_NODE_CLUSTER_H
#define ORD_TESTS_SUPPORT_NODE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/engine.h"
#include "tests/support/random.h"

#define NODE_CLUSTER_NODES 3
#define NODE_CLUSTER_MARK_ENTRIES 20
#define NODE_CLUSTER_REQUEST_WINDOW_MS 60000

struct node_disk;
struct node_letter;
struct node_states;

struct node_cluster;

struct node_cluster_node {
	struct node_cluster *cluster;
	uint32_t id;
	struct ord_engine *engine;  /* NULL while it is down */
	struct node_disk *disk;	    /* owned; stays when the node goes down */
	struct node_states *states; /* borrowed; likewise; NULL: there are none */
	unsigned starts_count;
	uint64_t paused_until_ms; /* the process gets no turn until then; what is sent to it waits at its door */
	unsigned sync_ms_max;	  /* longest write */
	bool is_held;		  /* what is sent to it comes, and it gets no turn but those that the test makes */
};

struct node_cluster {
	struct random random;
	uint32_t partitions_count;
	uint64_t now_ms;
	struct node_cluster_node nodes[NODE_CLUSTER_NODES];
	bool cut[NODE_CLUSTER_NODES][NODE_CLUSTER_NODES]; /* [from][to]: letters are lost */
	struct node_letter *letters;			  /* owned, by the time of their arrival */
	unsigned loss_percent;				  /* of parts that may be lost */
	enum ord_part_kind lost_kind;			  /* parts of this kind never arrive; 0: none */
	uint32_t lost_node; /* to and from this node nothing that Raft says of lost_group arrives; 0: none */
	uint32_t lost_group;
	uint64_t sent_bytes[UINT8_MAX + 1];	   /* by kind of part, lost ones too */
	unsigned notices_count[ORD_LOG_ERROR + 1]; /* by level */
	char notice[1024];			   /* the last one */
};

/* Starts all nodes. */
void node_cluster_open(struct node_cluster *c, uint32_t partitions_count, uint64_t seed);
void node_cluster_close(struct node_cluster *c);

/* The same with states, one for each node, open and borrowed. There is a checkpoint when it is asked for, and after a minute; what it has leaves the log at once. */
void node_cluster_open_stored(struct node_cluster *c, uint32_t partitions_count, uint64_t seed,
			      struct node_states *states);

/* Passes one millisecond: what arrives arrives, writes end, every engine has its turn. */
void node_cluster_step(struct node_cluster *c);

void node_cluster_steps(struct node_cluster *c, unsigned steps);

/* Cuts a node off from all others, or ends that. */
void node_cluster_cut_off(struct node_cluster *c, unsigned place, bool cut);

/* Until every partition has a ready leader; fails the test after 20 virtual seconds. */
void node_cluster_wait_ready(struct node_cluster *c);

/* Ends a node at once: what was written and not synced is lost, in whole or behind some byte. */
void node_cluster_crash(struct node_cluster *c, unsigned place);
void node_cluster_restart(struct node_cluster *c, unsigned place);

/* The connections between two nodes break and are made anew: what was under way between them is lost. */
void node_cluster_reconnect(struct node_cluster *c, unsigned a, unsigned b);

/* The place of the node where the partition is ready, -1 when there is none. */
int node_cluster_leader(const struct node_cluster *c, uint32_t partition);

/* Checks, when nothing is under way any more: replicas of each partition equal in position, digest and history; invariants over all; times that never
 * go back in any log; that no replica was taken for another than the others. */
void node_cluster_check(struct node_cluster *c);

#endif
