/* SPDX-License-Identifier: Apache-2.0 - a cluster of hosts in one process: virtual time, a bad network, disks that lose what was not synced. */
#ifndef ORD_TESTS_SUPPORT_RAFT_CLUSTER_H
#define ORD_TESTS_SUPPORT_RAFT_CLUSTER_H

#include "raft/host.h"
#include "tests/support/raft_disk.h"
#include "tests/support/random.h"

#define RAFT_CLUSTER_NODES_MAX 5
#define RAFT_CLUSTER_GROUPS_MAX 16

struct raft_cluster;

/* What stands at an index of a group, as the first node that applied it says; everybody else must say the same. */
struct raft_cluster_fact {
	bool known;
	bool is_command;
	uint64_t term;
	uint64_t hash;
};

struct raft_cluster_group {
	struct raft_cluster_fact *facts; /* owned; by index */
	size_t facts_capacity;
	uint64_t last;	   /* highest index applied by anybody */
	uint64_t commands; /* applied by anybody */
};

/* The state of one partition on a node's disk: where the log may begin, and what its owner was last asked for. */
struct raft_cluster_state {
	struct ord_base base;
	bool lost; /* it is damaged, and the log goes on after it */
	uint8_t members[256];
	uint32_t wanted_from; /* 0: nothing is wanted */
	uint64_t wanted_index;
	uint64_t wanted_member; /* who it was that it is wanted from */
	uint64_t wanted_due_ms;
};

struct raft_cluster_node {
	struct raft_cluster *cluster;
	uint32_t id;
	uint64_t member;
	uint32_t incarnations; /* lives of its disk before this one */
	bool is_undecided;     /* it is opened without being told who it is */
	struct ord_host *host; /* NULL while it is down */
	struct raft_disk disk;
	uint64_t sync_due_ms;
	uint64_t remove_due_ms;
	struct raft_cluster_state states[RAFT_CLUSTER_GROUPS_MAX]; /* survive a crash */
	uint64_t applied[RAFT_CLUSTER_GROUPS_MAX];		   /* in this life */
	enum ord_role role[RAFT_CLUSTER_GROUPS_MAX];
	uint64_t term[RAFT_CLUSTER_GROUPS_MAX];
	uint32_t leader[RAFT_CLUSTER_GROUPS_MAX];
	uint64_t led_ms[RAFT_CLUSTER_GROUPS_MAX]; /* since when it is leader */
	int fatal;
	char why[512];
	uint64_t sent_bytes;
	uint64_t lag_ms;	 /* how much later messages to it come */
	uint64_t stuck_until_ms; /* its disk does nothing until then */
};

struct raft_cluster_message;

struct raft_cluster_options {
	uint32_t nodes_count;
	uint32_t groups_count;
	uint64_t seed;
	uint64_t segment_bytes;
	uint64_t cache_bytes;
	uint64_t trailing_bytes;
	uint32_t segments_max;
	unsigned
		release_percent; /* in a millisecond: some node makes a checkpoint of some group and lets its log go up to it */
	uint32_t election_timeout_ms;
	unsigned drop_percent;
	unsigned repeat_percent;
	uint32_t delay_ms_max; /* messages take 0 .. this, so that they overtake each other */
	bool in_order;	       /* they do not, as on one connection */
	uint32_t sync_ms_max;  /* a sync takes 0 .. this */
	unsigned stall_percent;
	uint32_t stall_ms; /* and sometimes this much more */
};

struct raft_cluster {
	struct raft_cluster_options options;
	struct random random;
	uint64_t now_ms;
	struct raft_cluster_node nodes[RAFT_CLUSTER_NODES_MAX];
	struct raft_cluster_group groups[RAFT_CLUSTER_GROUPS_MAX];
	bool cut[RAFT_CLUSTER_NODES_MAX][RAFT_CLUSTER_NODES_MAX]; /* from, to */
	struct raft_cluster_message *messages;			  /* owned; in order of due_ms */
	uint64_t arrived_ms[RAFT_CLUSTER_NODES_MAX][RAFT_CLUSTER_NODES_MAX];
	struct {
		uint64_t term;
		uint32_t node;
	} leaders[RAFT_CLUSTER_GROUPS_MAX][4096]; /* by term mod 4096: who was announced */
	struct {
		uint64_t term;
		uint64_t candidate;
	} votes[RAFT_CLUSTER_GROUPS_MAX][RAFT_CLUSTER_NODES_MAX]
	       [4096]; /* by term mod 4096: what a node's messages said */
	uint64_t proposed;
	uint64_t installs;
	uint64_t refused_messages;
	uint64_t confirms;	    /* questions and answers of reads that were sent */
	struct raft_entry *entries; /* owned; one message while it is looked at */

	/* Called for each message before it is sent; false drops it. May be NULL. */
	bool (*filter)(struct raft_cluster *c, uint32_t from, uint32_t to, struct ord_slice message);
	void *filter_arg;

	/* As ord_host_events.recall, of node 1. May be NULL: nothing is in memory. */
	bool (*recall)(struct raft_cluster *c, uint32_t group, uint64_t index, uint64_t term, struct ord_slice *ret);

	/* Called after each millisecond. May be NULL. */
	void (*watch)(struct raft_cluster *c, void *arg);
	void *watch_arg;
};

/* Makes a cluster with all nodes up. Asserts that it can. */
void raft_cluster_open(struct raft_cluster *c, const struct raft_cluster_options *options);
void raft_cluster_close(struct raft_cluster *c);

/* Lets ms milliseconds pass. */
void raft_cluster_run(struct raft_cluster *c, uint64_t ms);

/* Until done(c) or for ms at most. True when done. */
bool raft_cluster_run_until(struct raft_cluster *c, bool (*done)(struct raft_cluster *c), uint64_t ms);

/* Stops a node as kill -9 and a loss of power do; starts it again from its disk. Nodes are 0 .. */
void raft_cluster_kill(struct raft_cluster *c, uint32_t node);
void raft_cluster_start(struct raft_cluster *c, uint32_t node);

/* Opens a node whose opening may fail. */
int raft_cluster_try_start(struct raft_cluster *c, uint32_t node, char *why, size_t why_size);

/* Puts the state of a group at index on the node's disk, and lets its log go up to there. */
void raft_cluster_release(struct raft_cluster *c, uint32_t node, uint32_t group, uint64_t index);

/* Stops a node if it is up, and empties its disk; with keeps_states what its log goes on after is kept. It comes back as another member. */
void raft_cluster_wipe(struct raft_cluster *c, uint32_t node, bool keeps_states);

/* Stops a node if it is up, and damages the states that its log goes on after. */
void raft_cluster_damage(struct raft_cluster *c, uint32_t node);

/* The nodes that are up tell each other who they are; a start does so for the node that starts. */
void raft_cluster_meet(struct raft_cluster *c, uint32_t node);

/* How the newest members in the log of the group's leader name a node: its role there, -1 when it is absent or the leader is not known, -2 when there is another member of it. */
int raft_cluster_role_of(const struct raft_cluster *c, uint32_t group, uint32_t node);

/* True when every group is led and has all nodes as they are now as voters. */
bool raft_cluster_all_voters(struct raft_cluster *c);

/* Cuts or heals all that goes from one node to another. */
void raft_cluster_cut(struct raft_cluster *c, uint32_t from, uint32_t to, bool is_cut);
void raft_cluster_isolate(struct raft_cluster *c, uint32_t node, bool is_cut);

/* The node that is the announced leader of the latest term, or nodes_count. */
uint32_t raft_cluster_leader(const struct raft_cluster *c, uint32_t group);

/* True when every group has a leader that is up and every other node that is up knows it. */
bool raft_cluster_all_led(struct raft_cluster *c);

/* True when all nodes that are up have applied everything that anybody has, and everything that is in the leader's log. */
bool raft_cluster_all_equal(struct raft_cluster *c);

/* Proposes a random entry of 8 .. len_max bytes at the leader of a group. True when it was taken. */
bool raft_cluster_propose(struct raft_cluster *c, uint32_t group, size_t len_max);

/* Proposes at every group with a leader with that chance in each millisecond, for ms. */
void raft_cluster_load(struct raft_cluster *c, unsigned percent, size_t len_max, uint64_t ms);

#endif
