/* SPDX-License-Identifier: Apache-2.0 - one Raft group on this node: one instance of libraft's raft_step() with all that it leaves to its host. */
#ifndef ORD_RAFT_GROUP_H
#define ORD_RAFT_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "raft/codec.h"
#include "raft/host.h"
#include "raft/members.h"
#include "raft/wal.h"

struct ord_group;

/* Groups that have something to do, each at most once, first in first out. */
enum ord_group_queue {
	ORD_GROUP_QUEUE_APPLY = 0,
	ORD_GROUP_QUEUE_SEND = 1,
	ORD_GROUP_QUEUE_READ = 2,
	ORD_GROUP_QUEUES = 3
};
struct ord_group_list {
	struct ord_group *first;
	struct ord_group *last;
};

/* Another node, as its messages show it. */
struct ord_group_peer {
	uint64_t member;	 /* that it says it is; 0: it has not said so */
	uint64_t heard_ms;	 /* when the last message came; 0: none yet */
	uint64_t heard_since_ms; /* when the first one came after a silence of an election timeout */
	bool reluctant;		 /* should lead nothing; also of this node itself */
};

/* Where bytes of the log are not what was written; segment 0: nowhere that is known. All up to that segment is to go. */
struct ord_wal_damage {
	uint64_t segment; /* the last one, if there are some */
	uint64_t offset;
	uint64_t found_ms; /* by the host's time */
	char why[64];
};

/* What all groups of a host share. Filled and owned by the host. */
struct ord_group_env {
	struct ord_wal *wal;
	struct ord_wal_reader *send_reader;
	struct ord_wal_reader *apply_reader;
	struct ord_host_events events;

	uint32_t node;
	uint64_t member;	       /* of this node; 0: not known yet */
	uint32_t nodes[ORD_NODES_MAX]; /* ascending, this one among them */
	uint32_t nodes_count;
	char texts[ORD_NODES_MAX][ORD_MEMBER_TEXT_SIZE]; /* as nodes */
	struct ord_group_peer peers[ORD_NODES_MAX];	 /* as nodes */
	struct ord_bytes members;			 /* payload of entry 1 of every group */

	uint32_t groups_step; /* from one group of the host to the next */
	uint64_t seed;
	uint32_t election_timeout_ms;
	uint32_t heartbeat_ms;
	uint32_t message_bytes;	 /* an append ends with the entry that passes this */
	uint64_t window_bytes;	 /* unanswered entries of one group to one peer */
	uint64_t trailing_bytes; /* of released entries of one group in the log */

	uint64_t now_ms;
	uint64_t cold_bytes;	/* read from disk for peers in this turn */
	uint64_t applied_count; /* entries given to apply in this turn */
	uint64_t applied_bytes;
	struct ord_bytes output;    /* one message while it is made */
	struct raft_entry *entries; /* ORD_MESSAGE_ENTRIES_MAX; one message while it is taken in */
	void *token;		    /* owned; see group_receive.c */
	struct ord_group_list queues[ORD_GROUP_QUEUES];
	struct ord_wal_damage damage;
	bool dead; /* fatal has been told: nothing more is done */
	uint64_t
		room_end_bytes; /* that the log may have been given in all before there is no room for more; UINT64_MAX: no end */
};

/* Tells the owner, once, that the node must stop. */
__attribute__((format(printf, 3, 4))) void ord_group_env_fatal(struct ord_group_env *env, int err, const char *format,
							       ...);

/* Whether there is room for entries. */
bool ord_group_env_has_room(const struct ord_group_env *env);

/* Notes damage in the log. */
void ord_group_env_damaged(struct ord_group_env *env, uint64_t segment, uint64_t offset, const char *why);

/* Frees what the groups shared and nobody else knows. */
void ord_group_env_close(struct ord_group_env *env);

/* Where node stands in env->nodes, nodes_count when it does not. */
uint32_t ord_group_env_peer(const struct ord_group_env *env, uint32_t node);

/* Takes the first group of a queue, NULL when it is empty. */
struct ord_group *ord_group_env_next(struct ord_group_env *env, enum ord_group_queue queue);

/* Makes a group with an empty log that takes no part yet. ORD_ERR_NOMEM. */
int ord_group_open(struct ord_group_env *env, uint32_t id, struct ord_group **ret);

/* Frees all. NULL is fine. */
void ord_group_close(struct ord_group *g);

/* Takes a record of the log while it is read at start-up. ORD_ERR_CORRUPT, ORD_ERR_MISMATCH (made with other members) or ORD_ERR_NOMEM, with why. */
int ord_group_recover(struct ord_group *g, const struct ord_record *r, uint64_t place, char *why, size_t why_size);

/* The log begins after that base; copied. Before anything is recovered. ORD_ERR_MISMATCH, ORD_ERR_CORRUPT (it cannot be) or ORD_ERR_NOMEM, with why. */
int ord_group_set_base(struct ord_group *g, const struct ord_base *base, char *why, size_t why_size);

/* Looks at all that was recovered together. ORD_ERR_CORRUPT, with why. */
int ord_group_recovered(struct ord_group *g, char *why, size_t why_size);

/* Begins to take part, with what was recovered. A group that the log has nothing of is the founder's, and writes the first entry, which names all nodes as
 * voters; or that of another member, which waits to be taken in: at once, or when what it goes on after is on disk. Does nothing while env->member is
 * not known and nothing was recovered. ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_NOMEM, with why. */
int ord_group_begin(struct ord_group *g, char *why, size_t why_size);

/* These are what raft/host.h says of the functions of the same name. After each of them look at env->dead. */
int ord_group_propose(struct ord_group *g, struct ord_slice entry, uint64_t *ret_index, uint64_t *ret_term);
int ord_group_transfer(struct ord_group *g, uint32_t node);
void ord_group_status(const struct ord_group *g, struct ord_group_status *ret);
void ord_group_members(const struct ord_group *g, struct ord_member_status *ret, uint32_t *ret_count);
void ord_group_voters(const struct ord_group *g, uint32_t *ret, uint32_t *ret_count);

/* The node has a vote as that member (0: as whichever) by the newest list in the log. True also when no list is known here. */
bool ord_group_has_vote(const struct ord_group *g, uint32_t node, uint64_t member);

void ord_group_base(const struct ord_group *g, uint64_t index, struct ord_base *ret);
void ord_group_release(struct ord_group *g, uint64_t index);

int ord_group_install(struct ord_group *g, const struct ord_base *base);
int ord_group_rewind(struct ord_group *g, uint64_t index);
void ord_group_hold(struct ord_group *g, bool held);

/* These make room for the removal of a segment: released entries in it leave the log; the vote in it, and entries, are written again. The last one takes *at as the index to
 * begin with and moves it on, up to budget bytes; true when it has come to the end. */
void ord_group_trim_segment(struct ord_group *g, uint64_t segment);
void ord_group_copy_vote(struct ord_group *g, uint64_t segment);
bool ord_group_copy_entries(struct ord_group *g, uint64_t segment, uint64_t *at, uint64_t *budget);

/* Takes a decoded message of this group from one of env->nodes. ORD_ERR_FORMAT when it cannot be from a correct node. */
int ord_group_receive(struct ord_group *g, struct ord_message *m);

/* Acts on the time. */
void ord_group_tick(struct ord_group *g);

/* The batch of the log that a record of this group is in is on disk. */
void ord_group_synced(struct ord_group *g);

/* Gives committed entries to apply, a bounded number. Puts the group back into the queue when there are more. */
void ord_group_apply(struct ord_group *g);

/* Goes on sending entries to peers that lag. Puts the group back into the queue when there are more. */
void ord_group_send(struct ord_group *g);

uint32_t ord_group_id(const struct ord_group *g);

/* The node that should lead the group when all are well. */
uint32_t ord_group_preferred(const struct ord_group *g);

/* What a group that this node leads does next so that its members are those that the nodes say they are: nothing; takes one out; takes one in, without a vote;
 * waits for it; gives it its vote. */
enum ord_replace_step {
	ORD_REPLACE_NOTHING = 0,
	ORD_REPLACE_OUT,
	ORD_REPLACE_IN,
	ORD_REPLACE_CATCH_UP,
	ORD_REPLACE_PROMOTE,
};
struct ord_replace {
	enum ord_replace_step step;
	uint32_t peer;	 /* of which node: where it stands in env->nodes */
	bool is_stalled; /* it waits, and nothing has come of it for a while */
};

/* Looks what that is: the first that is under way, if any. */
void ord_group_replace_next(struct ord_group *g, struct ord_replace *ret);

/* Proposes it. False when that cannot be now. */
bool ord_group_replace(struct ord_group *g, const struct ord_replace *replace);

/* Proposes other members. False when this node does not lead, or another change is under way, or has to wait for an entry of this term to be committed: then one is proposed. */
bool ord_group_propose_members(struct ord_group *g, const struct ord_member_status *members, uint32_t members_count);

/* True when this node leads the group and node is so close behind that it can take over at once. */
bool ord_group_can_hand_over(const struct ord_group *g, uint32_t node);

/* Reads (raft/group_reads.c). The first and the second are ord_host_read_begin and ord_host_may_read; round is the number that the next question will have. */
int ord_group_read_begin(struct ord_group *g, uint64_t round, struct ord_read_point *ret);
bool ord_group_may_read(const struct ord_group *g, const struct ord_read_point *point);

/* Puts the group back into the queue when there are some that are not confirmed yet. */
void ord_group_read_wait(struct ord_group *g);

/* True when a question to that peer, of that round, is to name the group: then it is noted as asked, and *ret_term is what to ask. *member is who the question is for, 0 when that is not known yet: then it is set.
 * A peer is asked again for the same reads after a heartbeat. Asserts that some wait. */
bool ord_group_read_ask(struct ord_group *g, uint32_t peer, uint64_t round, uint64_t *member, uint64_t *ret_term);

/* This node follows that leadership, and has promised nothing to a later one. */
bool ord_group_follows(struct ord_group *g, uint64_t leader, uint64_t term);

/* A peer follows this node's leadership of that term, or did when it answered the question of that round. */
void ord_group_confirmed(struct ord_group *g, uint32_t peer, uint64_t member, uint64_t term, uint64_t round);

/* The group behind this one in a queue that it is in; NULL at the end. */
struct ord_group *ord_group_queue_next(const struct ord_group *g, enum ord_group_queue queue);

#endif
