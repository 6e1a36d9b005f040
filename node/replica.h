/* SPDX-License-Identifier: Apache-2.0 - one partition on this node: its state, its part in the group, and while it leads, who waits for it. Inside node/ only. */
#ifndef ORD_NODE_REPLICA_H
#define ORD_NODE_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "node/admit.h"
#include "node/dispatch.h"
#include "node/fence.h"
#include "node/reads.h"
#include "node/settling.h"
#include "partition/block_builder.h"
#include "partition/note.h"
#include "partition/partition.h"
#include "raft/host.h"

struct ord_engine;

/* Entries proposed and not yet applied, per partition: while one is under way the next one collects. */
#define ORD_REPLICA_INFLIGHT_MAX 1

/* Of a partition of another shard there is an empty one, of which `id`, `engine` and `leader` alone mean something: that shard's word.
 *
 * follower --announced as leader, all earlier entries applied--> ready --leadership lost, or fenced--> follower (replica_lose answers who waits) */
struct ord_replica {
	uint32_t id;
	struct ord_engine *engine;	 /* borrowed */
	struct ord_partition *partition; /* owned */
	bool ready;			 /* leads and takes commands */
	uint32_t leader;		 /* node, 0: none known */
	uint32_t told_leader;		 /* the other shards have been told that it leads (ord_dispatch_leader) */
	bool renewed; /* they are to be told, though it may be the same one: what is on its way there may be lost */
	uint32_t group_leader;	/* as the group knows it; 0: it knows none, and then `leader` is who says so */
	uint32_t heard;		/* who said so since the group knew one; 0: nobody, or it is in doubt */
	uint64_t time_us;	/* of the newest entry begun here or applied */
	uint64_t applied_index; /* of the last entry that the state has in it; its term; the time of the newest one */
	uint64_t applied_term;
	uint64_t entry_us;
	uint64_t stored_index;		  /* the same of the last checkpoint */
	bool lost;			  /* the state on disk could not be read: it comes from another node */
	uint64_t base_index;		  /* after which a start with that checkpoint needs the log */
	uint64_t checkpoint_ms;		  /* when it began */
	bool checkpoint_wanted;		  /* as soon as can be */
	struct ord_block_builder builder; /* of the history's next block */
	struct ord_block_end archived;	  /* up to which the history is on disk */
	struct ord_block_end *ends;	  /* owned; of the blocks that are being written, in order */
	size_t ends_count;
	size_t ends_capacity;
	uint64_t unsettled_count; /* after the last apply */
	struct ord_admit admit;
	struct ord_reads reads;
	struct ord_batch *inflight; /* owned, oldest first */
	uint32_t inflight_count;
	struct ord_settling settling;
	struct ord_dispatch dispatch;
	struct ord_fence fence;
	uint64_t entries_count; /* with commands, applied in all; at the last mark */
	uint64_t marked_count;
	uint64_t aged_ms;   /* the last watermark of request ids that was proposed here */
	uint64_t marked_ms; /* when that was */
};

/* Opens the state that is on disk, if the engine keeps any. ORD_ERR_NOMEM, and of the store ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_FORMAT, ORD_ERR_MISMATCH, ORD_ERR_NO_SPACE; why names the thing and the remedy. */
int ord_replica_open(struct ord_replica *r, struct ord_engine *e, uint32_t id, const struct ord_uuid *cluster,
		     char *why, size_t why_size);
void ord_replica_close(struct ord_replica *r);

/* Asserts ready. ORD_ERR_BUSY; ORD_ERR_NO_SPACE when the disk has no room for more: of this node, or of so many that no majority is left. */
int ord_replica_submit(struct ord_replica *r, const struct ord_command *c, const struct ord_ticket *ticket);

/* Asserts ready. ORD_ERR_BUSY. It is answered by ord_replica_serve. */
int ord_replica_read(struct ord_replica *r, struct ord_slice query, uint64_t deadline_ms, struct ord_waiter *w,
		     uint32_t item);

/* A read that may be stale, whoever leads. Asserts ord_replica_is_whole. As ord_replica_read. */
int ord_replica_read_stale(struct ord_replica *r, struct ord_slice query, uint64_t deadline_ms, struct ord_waiter *w,
			   uint32_t item);

/* Answers the reads that may be answered now, and has it made sure for the others that this node still leads: once in a turn of the loop, when what is committed has been applied. A bounded amount: true
 * when more can be answered at once. */
bool ord_replica_serve(struct ord_replica *r);

/* The state is as its log says, and not about to be replaced: others may have a copy of it. */
bool ord_replica_is_whole(const struct ord_replica *r);

/* Blocks of its history are being written. */
bool ord_replica_archives(const struct ord_replica *r);

/* The bytes of an applied entry that is to become part of the next block of history; valid until the next entry is applied. False: it is no such entry. */
bool ord_replica_recall(const struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice *ret);

/* A block that ends with that index is on disk. */
void ord_replica_archived(struct ord_replica *r, uint64_t last_index);

/* Another node's state, of which note is the note, takes the place of the replica's own, and the history goes on where it ended when that checkpoint was made. Who waits is answered as after a lost leadership. Asserts that no checkpoint and no
 * block is being written. ORD_ERR_BUSY: nothing has changed, try again. Other errors, with why: the node must stop. */
int ord_replica_replace(struct ord_replica *r, const struct ord_note *note, char *why, size_t why_size);

/* Events of the host. What the state and the history have in them already is passed over. A fenced replica stays as it is, and only its history goes on. */
void ord_replica_apply(struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice entry);
void ord_replica_role(struct ord_replica *r, enum ord_role role, uint32_t leader);

/* A node says that it leads the partition. It is believed while the group here knows no leader: that of a newcomer takes no part before it has a whole state, and one whose leader cannot be
 * reached hears nothing of it; what is for that partition has to go somewhere. */
void ord_replica_hear(struct ord_replica *r, uint32_t node);

/* That node is not connected any more, or does not lead the partition: it is not believed any longer. */
void ord_replica_doubt(struct ord_replica *r, uint32_t node);

/* Proposes what waits, and a mark when one is due, if the partition is led here and nothing stands in the way. */
void ord_replica_propose(struct ord_replica *r);

/* Answers who has waited too long. */
void ord_replica_expire(struct ord_replica *r, uint64_t now_ms);

/* Proposes that request ids expire whose time is over, now and then. */
void ord_replica_age(struct ord_replica *r);

/* Answers everybody: what was not proposed with ORD_ERR_NOT_LEADER, the rest with ORD_ERR_UNKNOWN. */
void ord_replica_lose(struct ord_replica *r);

/* Time for an entry: the wall clock, never less than the entry before. */
uint64_t ord_replica_time_us(struct ord_replica *r);

uint64_t ord_replica_waiters_count(const struct ord_replica *r);

#endif
