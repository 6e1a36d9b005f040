/* SPDX-License-Identifier: Apache-2.0 - faults on purpose in a local cluster: what can be in force, and the interface of a back end, which makes it so.
 *
 * A back end keeps nothing between two runs of this program: what is in force is read back from the nodes or the system. Nodes are numbered by their place in ord_layout.nodes;
 * a mask has bit i for place i. A link has a direction: [a][b] is what the node at place a sends to the one at place b. [a][a] is never used. */
#ifndef ORD_CLI_FAULT_H
#define ORD_CLI_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cluster.h"

#define ORD_FAULT_PPM_ALL 1000000u
#define ORD_FAULT_PROBLEM_SIZE 200

/* The rule of a link; all zero: none. */
struct ord_fault_link {
	bool cut; /* nothing that is sent arrives */
	uint32_t delay_ms;
	uint32_t jitter_ms; /* more or less than delay_ms, evenly spread; at most delay_ms */
	uint32_t loss_ppm;  /* of packets, 0 .. ORD_FAULT_PPM_ALL; likewise below */
	uint32_t duplicate_ppm;
	uint32_t reorder_ppm;
	uint64_t rate_bytes_s; /* 0: as fast as it goes */
};

/* What a rule has done to a link since it came into force. In packets or in messages, as the back end counts. */
struct ord_fault_link_counts {
	uint64_t dropped; /* by the cut, or lost */
	uint64_t delayed; /* by delay or rate */
	uint64_t duplicated;
	uint64_t reordered;
	uint64_t bytes; /* that came through */
};

struct ord_fault_links {
	struct ord_fault_link rules[ORD_NODES_MAX][ORD_NODES_MAX];
};

/* The rule of a node's disk; all zero: none. */
struct ord_fault_disk {
	uint32_t slow_ms; /* that each sync takes longer */
	bool error;	  /* writes and syncs fail: EIO */
	bool full;	  /* no room is left */
};

struct ord_fault_disk_counts {
	uint64_t slowed;     /* syncs */
	uint64_t failed;     /* writes and syncs, with EIO */
	uint64_t refused;    /* writes, with ENOSPC */
	uint64_t free_bytes; /* that the node sees */
};

/* The rule of a node's wall clock; all zero: none. The monotonic clock is never touched. */
struct ord_fault_clock {
	int64_t offset_us; /* ahead of the system's clock (below 0: behind), at the moment of setting or looking */
	int32_t drift_ppm; /* from that moment on: so much faster (below 0: slower) */
};

/* Is this rule none? */
bool ord_fault_link_is_none(const struct ord_fault_link *r);
bool ord_fault_disk_is_none(const struct ord_fault_disk *r);
bool ord_fault_clock_is_none(const struct ord_fault_clock *r);

/* What is in force. */
struct ord_fault_look {
	struct ord_fault_node_seen {
		bool known;			      /* what follows could be read */
		char problem[ORD_FAULT_PROBLEM_SIZE]; /* why not; "" too when it does not run */
		struct ord_fault_disk disk;
		struct ord_fault_disk_counts disk_counts;
		struct ord_fault_clock clock;
		char disk_by[12]; /* whose doing: "hooks", or a word of the back end's ("netns", "loop", ...) */
		char clock_by[16];
	} nodes[ORD_NODES_MAX];
	struct ord_fault_link_seen {
		bool known; /* one of its ends could say */
		struct ord_fault_link rule;
		struct ord_fault_link_counts counts;
		char by[12]; /* whose doing the rule is: "hooks", "netns", "netns+hooks"; "" without a rule */
	} links[ORD_NODES_MAX][ORD_NODES_MAX];
};

/* A back end. All functions give ORD_OK or an error with why (ORD_CLUSTER_WHY_SIZE bytes), which names the node and the remedy: ORD_ERR_INVALID when it can be known that nothing was done, ORD_ERR_MISMATCH when
 * the cluster was not started for it, ORD_ERR_TIMEOUT, ORD_ERR_IO. What was set before an error stays; setting again is always allowed and changes nothing when it is so already. A node that does not run has no
 * faults of its own; it is left alone, and what its peers' ends of a link can do is done. One that is paused is ORD_ERR_TIMEOUT where it would have to do something itself. */
struct ord_fault_back {
	const char *name; /* "hooks", "netns" */

	/* For this cluster, which outlives it; c->processes are those of now. timeout_ms bounds each function as a whole. The caller owns *ret. */
	int (*open)(const struct ord_cluster *c, int64_t timeout_ms, void **ret, char *why);
	/* NULL is fine. */
	void (*close)(void *back);

	/* From now on these rules, and no others, are those of all links. Counters of a link whose rule stays go on; of others they begin at 0. */
	int (*set_links)(void *back, const struct ord_fault_links *links, char *why);

	/* From now on that is the rule of the node's disk; clock. */
	int (*set_disk)(void *back, uint32_t place, const struct ord_fault_disk *rule, char *why);
	int (*set_clock)(void *back, uint32_t place, const struct ord_fault_clock *rule, char *why);

	/* Fills all of *ret. An error only when nothing at all can be said: a node that does not answer is told in its own problem. */
	int (*look)(void *back, struct ord_fault_look *ret, char *why);

	/* No rule is in force any more, also none of a node that does not run now, nor one that an earlier back end run left half made. Called when all nodes that run do so unpaused. */
	int (*heal)(void *back, char *why);
};

/* By hooks in the nodes (node/faults.h), for nodes that were started with --enable-faults. */
extern const struct ord_fault_back ord_fault_hooks;

/* The one for a cluster: what it was started with decides. */
const struct ord_fault_back *ord_fault_back_of(const struct ord_layout *l);

/* Real ones, for clusters that were started with --netns: packets in the switch, the nodes' file systems, the clock that their processes see. What the kernel cannot do is left to the hooks, and the look says so: delay,
 * jitter and reorder where it has no netem, a slow disk. A disk in error loses what was not synced, and its node comes to its end by that; to heal it the node is ended if it still runs. */
extern const struct ord_fault_back ord_fault_netns;

#endif
