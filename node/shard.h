/* SPDX-License-Identifier: Apache-2.0 - a shard: the partitions of one loop, from a client's command to its answer. No globals; uses one thread. */
#ifndef ORD_NODE_SHARD_H
#define ORD_NODE_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "partition/command.h"
#include "partition/effects.h"
#include "partition/partition.h"
#include "raft/host.h"

struct ord_shard;
struct ord_engine;
struct ord_config;
typedef struct uv_loop_s uv_loop_t;

/* Until when a command's submitter waits: until it is logged and applied where its request lives, or until its outcome. Same for claims and accounts. */
enum ord_wait { ORD_WAIT_LOGGED = 1, ORD_WAIT_SETTLED = 2 };

/* What came of one submitted item. */
struct ord_answer {
	/* ORD_OK: result (commands) or body (reads) is known; a wait for the outcome that ran out gives ORD_OK with status ACCEPTED.
	 * ORD_ERR_NOT_FOUND: a read found nothing. ORD_ERR_INVALID: a read that the partition cannot make sense of.
	 * ORD_ERR_BUSY: nothing was logged, a queue is full; try again after retry_after_ms. ORD_ERR_NOT_LEADER: nothing was logged, the partition has
	 * no leader that can be reached in the time allowed. ORD_ERR_NO_SPACE: nothing was logged, the leader's disk is nearly full. ORD_ERR_UNKNOWN: it may have been logged or not; ask again with the same id. */
	int err;
	uint32_t partition;
	struct ord_result result;
	struct ord_slice body; /* what ord_query_run wrote, valid during the call */
	uint32_t retry_after_ms;
};

/* Embedded by whoever submits. answer is called exactly once for each submitted item, never from inside submit or read, at the latest a little
 * after its deadline; the waiter must live until then. */
struct ord_waiter {
	void (*answer)(struct ord_waiter *w, uint32_t item, const struct ord_answer *a);
};

/* Hands a checked client command to its partition's leader, here or on another node. deadline_ms is by ord_shard_now_ms. The command is copied. */
void ord_shard_submit(struct ord_shard *s, const struct ord_command *c, enum ord_wait wait, uint64_t deadline_ms,
		      struct ord_waiter *w, uint32_t item);

/* Runs a query (node/query.h) at the partition's leader after everything that was acknowledged before this call: linearizable. One that says that it may be stale runs here, where this node's replica
 * can be read, and else at the leader. */
void ord_shard_read(struct ord_shard *s, uint32_t partition, struct ord_slice query, uint64_t deadline_ms,
		    struct ord_waiter *w, uint32_t item);

/* Monotonic milliseconds of this turn of the loop. */
uint64_t ord_shard_now_ms(const struct ord_shard *s);

uint32_t ord_shard_partitions_count(const struct ord_shard *s);

/* The node that leads a partition, of any shard, as far as is known here; 0: none known. */
uint32_t ord_shard_leader(const struct ord_shard *s, uint32_t partition);

/* Is a replica as the others are, by the marks in its log (node/fence.h)? DIFFERS: some are not, and nobody can tell who is right. FENCED: most others are not as it is. */
enum ord_fence_state { ORD_FENCE_EQUAL = 0, ORD_FENCE_DIFFERS, ORD_FENCE_FENCED };

/* This node's view of one partition. */
struct ord_replica_status {
	struct ord_group_status group;
	struct ord_partition_status state;
	uint64_t admit_count; /* commands that wait to be proposed */
	uint64_t admit_bytes;
	uint64_t waiters_count; /* answers owed */
	bool ready;		/* leads and takes commands */
	uint32_t
		leader; /* a node, 0: none known. The group's, or while that does not know of any, the one that said so itself */
	enum ord_fence_state fence;
};
/* Of the partitions that are this shard's. */
void ord_shard_replica_status(const struct ord_shard *s, uint32_t partition, struct ord_replica_status *ret);

/* As ord_host_voters(). */
void ord_shard_voters(const struct ord_shard *s, uint32_t partition, uint32_t *ret, uint32_t *ret_count);

struct ord_peer_status {
	uint32_t node;
	bool connected; /* both ways */
	uint64_t output_bytes;
	uint64_t dropped_count; /* Raft messages dropped since the start */
	bool relayed;		/* what is for it goes through a third node, likewise the counts below: */
	uint64_t relayed_count; /* parts that this node sent so */
	uint64_t passed_count;	/* parts of others that this node passed on as the third */
	uint64_t refused_count; /* parts of others that it did not pass on */
};
/* Peers are numbered 0 .. count - 1 without this node. */
uint32_t ord_shard_peers_count(const struct ord_shard *s);
void ord_shard_peer_status(const struct ord_shard *s, uint32_t peer, struct ord_peer_status *ret);
void ord_shard_host_status(const struct ord_shard *s, struct ord_host_status *ret);

/* As what this node takes part (node/self.h). */
struct ord_member_self {
	uint64_t member; /* of the groups; 0: not known yet */
	const char *standing;
	uint32_t waits_for[ORD_NODES_MAX]; /* nodes that must say something before that is known */
	uint32_t waits_for_count;
};
void ord_shard_member_status(const struct ord_shard *s, struct ord_member_self *ret);

/* The states of the partitions, in memory and on disk. */
struct ord_state_status {
	uint64_t memory_bytes;	/* of records */
	uint64_t changed_bytes; /* of them not on disk but in the log */
	uint64_t disk_bytes;
	uint64_t checkpoints_count; /* since the start */
	uint64_t checkpoint_ms;	    /* how long the last one took */
};
void ord_shard_state_status(const struct ord_shard *s, struct ord_state_status *ret);

/* The histories of the partitions on disk: gaps, and what the scrub has found (node/history.h). */
struct ord_history_status;
void ord_shard_history_status(const struct ord_shard *s, struct ord_history_status *ret);

/* What checking states and log has found (node/scrub.h). */
struct ord_scrub_status;
void ord_shard_scrub_status(const struct ord_shard *s, struct ord_scrub_status *ret);

/* Has the histories, the states and the log read and checked, at full rate. */
void ord_shard_scrub(struct ord_shard *s);

/* Has the state of every partition that changed written to disk soon, one after the other. */
void ord_shard_checkpoint(struct ord_shard *s);

/* The file system of the data directory. */
struct ord_room;
const struct ord_room *ord_shard_room(const struct ord_shard *s);

/* How long the turns of the loop take in which the engine applies, proposes and answers: what anything waits at most that comes meanwhile. */
struct ord_turn_status {
	uint64_t count;
	uint64_t p50_us;
	uint64_t p99_us;
	uint64_t p999_us;
	uint64_t max_us;
	uint64_t worked_p999_us; /* without what the thread waited for a processor */
	uint64_t worked_max_us;
	uint64_t checkpoint_p999_us; /* of that what checkpoints add to a turn */
	uint64_t checkpoint_max_us;
};
void ord_shard_turn_status(const struct ord_shard *s, struct ord_turn_status *ret);

/* Makes a fault on purpose (ord_partition_spoil). ORD_ERR_NOT_FOUND. */
int ord_shard_spoil(struct ord_shard *s, struct ord_slice account, int64_t delta);

/* Makes faults on purpose, and tells of those that are in force (node/faults.h); only with enable_faults. ORD_ERR_NOT_FOUND with *ret_node: there is no such other node, and nothing was done. */
struct ord_faults_order;
struct ord_faults_status;
int ord_shard_fault(struct ord_shard *s, const struct ord_faults_order *order, uint32_t *ret_node);
void ord_shard_faults(struct ord_shard *s, struct ord_faults_status *ret);

/* What decides for it (node/engine.h), for checkers; borrowed. */
const struct ord_engine *ord_shard_engine(const struct ord_shard *s);

/* Opens the data directory, recovers (from a lost or damaged write-ahead log, where the cluster has other nodes, by becoming a new member without one), listens for peers and begins to take part. loop and config are borrowed until stopped.
 * On error why (why_size bytes) names the thing and the remedy. fatal is called later, at most once, when the node must stop. */
int ord_shard_start(uv_loop_t *loop, const struct ord_config *config,
		    void (*fatal)(void *ctx, int err, const char *why), void *ctx, struct ord_shard **ret, char *why,
		    size_t why_size);

/* The other shards of the node. */
struct ord_shard_siblings {
	void *ctx; /* borrowed; first argument of both */
	/* Hands one part (node/wire.h) to another shard, whose ord_shard_take takes it, in order and once. May wait for send. False: there is no room, nothing was handed. */
	bool (*hand)(void *ctx, uint32_t shard, uint8_t kind, struct ord_slice body);
	/* The turn has ended: what was handed is to be sent. */
	void (*send)(void *ctx);
};

/* Says how to reach the others; to be called once, when all of them have started, if the node has more than one: before that the shard does nothing. */
void ord_shard_join(struct ord_shard *s, const struct ord_shard_siblings *siblings);

/* Takes a part that another shard of the node handed. */
void ord_shard_take(struct ord_shard *s, uint32_t from, uint8_t kind, struct ord_slice body);

/* Stops taking commands, answers what waits with ORD_ERR_UNKNOWN or ORD_ERR_NOT_LEADER, waits for the write in flight, closes all handles,
 * then calls stopped; the shard is freed then. */
void ord_shard_stop(struct ord_shard *s, void (*stopped)(void *ctx), void *ctx);

#endif
