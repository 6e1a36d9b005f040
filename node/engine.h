/* SPDX-License-Identifier: Apache-2.0 - everything that a node decides, without a socket, a file or a clock: partitions on Raft groups, admission, forwarding,
 * delivery between partitions. Node and simulator drive the same engine. */
#ifndef ORD_NODE_ENGINE_H
#define ORD_NODE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/archive.h"
#include "node/bounds.h"
#include "node/log.h"
#include "node/shard.h"
#include "node/states.h"
#include "node/wire.h"
#include "raft/host.h"
#include "raft/io.h"

struct ord_engine;

/* What the engine asks its owner to do. Called on the caller's thread from inside the calls below; the owner must not call back. */
struct ord_engine_events {
	void *ctx; /* borrowed; first argument of all */

	/* Sends one part to another node; body is valid during the call only. May be lost when the node is not connected. */
	void (*send)(void *ctx, uint32_t node, enum ord_part_kind kind, struct ord_slice body);

	/* Hands one part to another shard of this node, likewise, in order and never twice. False: it has too much to read, and nothing was handed. May be NULL with one shard. */
	bool (*hand)(void *ctx, uint32_t shard, enum ord_part_kind kind, struct ord_slice body);

	/* Something that its operator has to know. May be NULL: then nobody is told. */
	void (*notice)(void *ctx, enum ord_log_level level, const char *text);

	/* The node must stop. No further call may be made but ord_engine_stop and close. */
	void (*fatal)(void *ctx, int err, const char *why);
};

struct ord_engine_options {
	struct ord_uuid cluster;
	uint32_t node;
	uint64_t member;       /* of the groups, that this node is; 0: not known yet, see ord_engine_begin */
	bool log_begun;	       /* as of ord_host_options */
	const uint32_t *nodes; /* all voters; copied */
	uint32_t nodes_count;
	uint32_t partitions_count; /* of the cluster */
	uint32_t shard;		   /* the partitions whose number is this one modulo shards_count are this engine's */
	uint32_t shards_count;	   /* 0: 1, which has all; at most partitions_count */
	uint64_t seed;
	uint32_t election_timeout_ms; /* 0: the host's default; likewise below */
	uint32_t heartbeat_ms;
	uint64_t segment_bytes;
	uint64_t cache_bytes;
	uint32_t mark_entries;	    /* so many entries of a partition from one mark to the next; 0: no marks are made */
	uint64_t request_window_ms; /* request ids expire so long after their own time; 0: never */
	struct ord_bounds bounds;
	const struct ord_states
		*states;       /* copied; NULL: states are in memory alone, and made anew from the log at each start */
	uint64_t memory_bytes; /* of records, all partitions together, if there are states; likewise below */
	uint64_t checkpoint_bytes;	   /* changed records that begin a checkpoint */
	const struct ord_archive *archive; /* copied; NULL: no history is kept */
	uint64_t
		scrub_bytes; /* of states and log, that are read in a second to be checked; 0: none are, but when it is asked for */
	uint64_t repair_bytes; /* of blocks fetched from peers in a second, at most; 0: none are fetched */
	struct ord_io io;
	struct ord_engine_events events;
};

/* Times: now_ms is monotonic milliseconds; wall_us is microseconds since 1970 and never goes back within a process. */

/* Recovers from the states on disk and the write-ahead log. Errors and why as ord_host_open, ord_states.open and ord_partition_open, but ORD_ERR_LOG_LOST when it is the log
 * that is damaged or lost (ORD_ERR_CORRUPT of ord_host_open). The caller owns *ret. */
int ord_engine_open(const struct ord_engine_options *options, uint64_t now_ms, uint64_t wall_us,
		    struct ord_engine **ret, char *why, size_t why_size);

/* It is known which member this node is: its partitions begin to take part. To be called once, when the engine was opened with member 0. */
void ord_engine_begin(struct ord_engine *e, uint64_t member);

/* Answers all that wait: ORD_ERR_NOT_LEADER when certainly not logged, else ORD_ERR_UNKNOWN. Nothing is taken afterwards. */
void ord_engine_stop(struct ord_engine *e);

/* Frees all; no write may be in flight, and stop was called. NULL is fine. */
void ord_engine_close(struct ord_engine *e);

/* As ord_shard_submit and ord_shard_read. */
void ord_engine_submit(struct ord_engine *e, const struct ord_command *c, enum ord_wait wait, uint64_t deadline_ms,
		       struct ord_waiter *w, uint32_t item);
void ord_engine_read(struct ord_engine *e, uint32_t partition, struct ord_slice query, uint64_t deadline_ms,
		     struct ord_waiter *w, uint32_t item);

/* Takes a part that another node sent. ORD_ERR_FORMAT names nothing and changes nothing: the connection should be closed. */
int ord_engine_receive(struct ord_engine *e, uint32_t from, enum ord_part_kind kind, struct ord_slice body);

/* Takes a part that another shard of this node handed. What is for a leader on another node is passed on to it. */
void ord_engine_take(struct ord_engine *e, uint32_t shard, enum ord_part_kind kind, struct ord_slice body);

/* The connection to a node was lost or made: calls passed on to a lost one are answered ORD_ERR_UNKNOWN, and which member it is counts no more. */
void ord_engine_peer(struct ord_engine *e, uint32_t node, bool connected);

/* A node says which member of the groups it is: at each connection, before ord_engine_peer, or later when it finds out. */
void ord_engine_peer_member(struct ord_engine *e, uint32_t node, uint64_t member);

/* Parts for a node go through a third one from now on, or through another one, or not any more (node/peers_relay.c). While they do, the loss of its connection loses no calls. */
void ord_engine_peer_relayed(struct ord_engine *e, uint32_t node, bool relayed);

/* The connection that a node made has ended: calls that came on it are not answered any more, unless there is another way. To be called also when the
 * node was not connected: what it had sent may have been read after the other connection was lost. */
void ord_engine_peer_ended(struct ord_engine *e, uint32_t node);

/* A write of the interface in options.io has ended. */
void ord_engine_synced(struct ord_engine *e, int status);

/* A removal of the interface in options.io has ended. */
void ord_engine_removed(struct ord_engine *e, int status);

/* A write of the interface in options.states has ended. */
void ord_engine_saved(struct ord_engine *e, int status);

/* Pairs of a copy that goes out have been gathered, and are valid during the call; or a step of one that comes in has ended (options.states). */
void ord_engine_copy_read(struct ord_engine *e, unsigned copy, int status, const struct ord_changes *pairs,
			  bool is_last);
void ord_engine_copy_filled(struct ord_engine *e, int status);

/* A piece of the interface in options.states has been checked. */
struct ord_pairs_checked;
void ord_engine_scrubbed(struct ord_engine *e, uint32_t partition, int status, const struct ord_pairs_checked *piece);

/* A block that ends with that index of the partition's log is on disk. */
void ord_engine_archived(struct ord_engine *e, uint32_t partition, uint64_t last_index);

/* What the archive tells: a peer's block was put into a gap, or not (as ord_history_options.filled has it); a block that a peer asked for; a block that was found sound and should be
 * compared with what a peer has. */
void ord_engine_filled(struct ord_engine *e, uint32_t partition, uint64_t number, int status);
void ord_engine_answered(struct ord_engine *e, const struct ord_archive_answer *a);
void ord_engine_checked(struct ord_engine *e, uint32_t partition, const struct ord_block_id *id);

/* Moves the clock: every 10 ms or so, and at the start of a turn of the loop. */
void ord_engine_clock(struct ord_engine *e, uint64_t now_ms, uint64_t wall_us);
void ord_engine_tick(struct ord_engine *e);

/* Ends a turn of the loop: applies, proposes, delivers, answers, begins a write. True when there is more to do at once. */
bool ord_engine_turn(struct ord_engine *e);

/* Behind each turn, the share of it that checkpoints have: some rows of the one under way, some that leave memory. True when there is more to do at once. */
bool ord_engine_keep(struct ord_engine *e);

/* How much room the disk has, each time that is measured, and how many bytes of entries may be taken until the next time; OK and UINT64_MAX, as at first: without an end. LOW: commands of
 * clients are answered ORD_ERR_NO_SPACE, and leaderships go to nodes that have room. With no bytes left, as when CRITICAL (bytes is 0): nothing is proposed, and no entry of another leader is
 * taken. */
void ord_engine_room(struct ord_engine *e, enum ord_room_state state, uint64_t bytes);

uint64_t ord_engine_now_ms(const struct ord_engine *e);
uint32_t ord_engine_partitions_count(const struct ord_engine *e);

/* The node that leads a partition, of any shard, as far as is known here; 0: none known. */
uint32_t ord_engine_leader(const struct ord_engine *e, uint32_t partition);

/* Of partitions of this engine alone. */
void ord_engine_replica_status(const struct ord_engine *e, uint32_t partition, struct ord_replica_status *ret);
void ord_engine_voters(const struct ord_engine *e, uint32_t partition, uint32_t *ret, uint32_t *ret_count);
void ord_engine_host_status(const struct ord_engine *e, struct ord_host_status *ret);

struct ord_keep_status;
void ord_engine_keep_status(const struct ord_engine *e, struct ord_keep_status *ret);

struct ord_copy_status {
	uint32_t out_count; /* copies of states that other nodes are being given */
	bool in;	    /* one is being got, of the partition */
	uint32_t in_partition;
	uint64_t in_bytes; /* received since the start, likewise sent */
	uint64_t out_bytes;
	uint64_t installed_count;
};
void ord_engine_copy_status(const struct ord_engine *e, struct ord_copy_status *ret);

/* Has states and log checked at full rate; what that has found (node/scrub.h). */
void ord_engine_scrub(struct ord_engine *e);
struct ord_scrub_status;
void ord_engine_scrub_status(const struct ord_engine *e, struct ord_scrub_status *ret);

/* Has the state of every partition that changed written, one after the other, whatever is due else. */
void ord_engine_checkpoint(struct ord_engine *e);

/* Makes a fault on purpose: see ord_partition_spoil. */
int ord_engine_spoil(struct ord_engine *e, struct ord_slice account, int64_t delta);

/* The state of one partition, for checkers; borrowed. */
struct ord_partition *ord_engine_partition(const struct ord_engine *e, uint32_t partition);

#endif
