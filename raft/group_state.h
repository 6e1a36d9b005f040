/* SPDX-License-Identifier: Apache-2.0 - the inside of a group, for raft/group*.c alone. */
#ifndef ORD_RAFT_GROUP_STATE_H
#define ORD_RAFT_GROUP_STATE_H

#include <raft.h>

#include "raft/entries.h"
#include "raft/group.h"

#if !defined(RAFT_VERSION_NUMBER) || RAFT_VERSION_NUMBER < 2200
#error "libraft 0.22 or later is needed: older ones commit entries of earlier terms by counting replicas (see raft/README.md)"
#endif

#define GROUP_MARKS 4
#define GROUP_HELD_BYTES_MAX \
	(1u << 20) /* messages that wait for a vote to be durable; more are lost, as by a network */

/* Of the entry that every group begins with, the same on all nodes. */
#define GROUP_FIRST_INDEX 1
#define GROUP_FIRST_TERM 1

/* "Entries up to index are durable when that batch is." */
struct group_mark {
	uint64_t sequence;
	uint64_t index;
};

/* What a group does with messages and time. Transitions: raft/group.c. */
enum group_life {
	GROUP_OPENED = 0, /* nothing: who this node is in it is not known, or its log is still being read */
	GROUP_LOST,	  /* nothing: it waits for the state that its log goes on after */
	GROUP_WRITING,	  /* nothing: it starts when what it has written is durable */
	GROUP_STARTED,	  /* takes part, as libraft does it */
};

/* A change of members that is applied. */
struct group_members {
	uint64_t index;
	struct ord_bytes payload;
};

/* A leader's way of sending entries to one peer: libraft says which, this says when (raft/group_send.c). */
struct group_stream {
	uint64_t member;	/* of that peer; another one's stream begins afresh */
	uint64_t next;		/* first index that has not been sent */
	uint64_t end;		/* last index that libraft wants sent */
	uint64_t acked;		/* last index that the peer has on disk */
	uint64_t unacked_bytes; /* of the entries between them that were sent */
	uint64_t applied;	/* as the peer says */
	uint64_t sent_ms;	/* when the last append went out */
	uint64_t heard_ms;	/* when the peer last answered one */
	uint64_t asked_ms;	/* when it was last asked for a sign of life */
	bool probing;		/* one message at a time, until the peer has taken one */
};

/* What a peer has said of this leadership (raft/group_reads.c). */
struct group_confirmed {
	uint64_t member;   /* that peer's; what another one said does not count */
	uint64_t asked;	   /* the last question that named the group; 0: none */
	uint64_t asked_ms; /* when */
	uint64_t round;	   /* the last one that it confirmed; 0: none */
};

enum group_handover { HANDOVER_NONE = 0, HANDOVER_WAITING, HANDOVER_SENT };

struct ord_group {
	struct ord_group_env *env; /* borrowed */
	uint32_t id;
	enum group_life life;
	struct raft raft;
	struct ord_entries entries;
	uint64_t applied;
	bool apply_held; /* nothing is given to apply */

	/* The beginning of the log (raft/group_base.c). Entries up to entries.base are in it no more. */
	bool lost;		       /* the log begins after a base that is not known (raft/group_lost.c) */
	uint64_t wanted_ms;	       /* when the owner was last asked for it */
	uint64_t released;	       /* entries up to here are elsewhere */
	uint64_t base_current_term;    /* as the base that the log began with says */
	uint64_t trailing_bytes;       /* of those between the base and that */
	uint64_t recovered_term;       /* while the log is read: of the entry at the base in it; 0: not seen */
	struct group_members *members; /* owned; the one in force at the base, and those applied since */
	size_t members_count;

	/* What the log says, or will say when it is written. */
	uint64_t term;
	uint64_t vote;
	uint64_t base_place;	/* of the last base record, as long as no entry comes after it; 0: none */
	uint64_t vote_place;	/* of the last vote record; 0: none */
	uint64_t vote_sequence; /* batch of the last vote record: what is sent later waits for it */
	struct ord_bytes held;	/* messages that wait: 4 bytes node, 4 bytes length, the message */

	uint64_t durable; /* last index on disk that libraft has been told of */
	struct group_mark marks[GROUP_MARKS];
	uint32_t marks_count;

	/* Role, as the owner was told it. */
	enum ord_role told_role;
	uint64_t told_term;
	uint32_t told_leader;
	uint64_t ready_index; /* the leader is announced when this is applied */
	uint64_t leader;      /* the member whose append was accepted ... */
	uint64_t leader_term; /* ... in this term */

	/* Timers. */
	bool leader_seen;    /* since the start */
	bool pre_voting;     /* what the last vote request was */
	uint32_t fruitless;  /* rounds of votes since there was a leader */
	bool mutes_refusals; /* the message being taken in is answered only when it fits */
	bool answers_stale;  /* the message being taken in is of an earlier term */
	uint32_t timeout_ms;
	uint64_t fired_ms; /* last RAFT_TIMEOUT as leader */

	uint64_t streams_term; /* term of this leadership */
	struct group_stream streams[ORD_NODES_MAX];

	/* A member that is catching up (raft/group_replace.c). */
	uint64_t newcomer;
	uint64_t newcomer_match;
	uint64_t newcomer_moved_ms; /* when that changed last */

	uint64_t reads_term;  /* of the leadership that what follows is of */
	uint64_t reads_round; /* that a majority must confirm before all reads may be answered */
	struct group_confirmed confirmed[ORD_NODES_MAX]; /* as env->nodes */

	enum group_handover handover;
	uint64_t handover_to; /* a member */
	uint64_t handover_until_ms;

	struct ord_group *next[ORD_GROUP_QUEUES];
	bool queued[ORD_GROUP_QUEUES];
};

/* What libraft has been given entries from, so that their records can be written when it accepts them. */
enum group_source { GROUP_SOURCE_NONE = 0, GROUP_SOURCE_MESSAGE, GROUP_SOURCE_PROPOSAL };

/* Makes one raft_step() and does all that it asks for. Gives the RAFT_* error of the step; then nothing has been done. *ret_flags, which may be
 * NULL, are those of the update. */
int ord_group_step(struct ord_group *g, struct raft_event *event, enum group_source source, unsigned *ret_flags);

/* Writes a vote record; what is sent later waits for it. ORD_ERR_NOMEM. */
int ord_group_write_vote(struct ord_group *g, uint64_t term, uint64_t vote);

/* Says that the node must stop because raft_step() failed. */
void ord_group_failed(struct ord_group *g, const char *doing, int rv);

void ord_group_enqueue(struct ord_group *g, enum ord_group_queue queue);

/* Hands a finished message for a member to the owner, or holds it back until the vote is durable. */
void ord_group_deliver(struct ord_group *g, uint64_t to, struct ord_slice message);
bool ord_group_holds_back(const struct ord_group *g);

/* What was held back goes out. */
void ord_group_release_held(struct ord_group *g);

/* Tells a member that it needs a state: the log begins after the base. */
void ord_group_send_install(struct ord_group *g, uint64_t to);

/* Sends what a step asks for; appends go through the streams. */
void ord_group_send_messages(struct ord_group *g, const struct raft_update *u);

/* Tells the owner the role when it has changed. */
void ord_group_tell_role(struct ord_group *g);

/* Starts libraft with what was recovered or written. ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_NOMEM, with why. */
int ord_group_start(struct ord_group *g, char *why, size_t why_size);

/* Gives the group a new instance of libraft, not started. ORD_ERR_NOMEM. */
int ord_group_raft_init(struct ord_group *g);

/* Keeps the payload of a change of members that is applied. ORD_ERR_NOMEM. */
int ord_group_keep_members(struct ord_group *g, uint64_t index, struct ord_slice payload);

/* The members in force at index. Asserts that they are known. */
const struct group_members *ord_group_members_at(const struct ord_group *g, uint64_t index);

/* Forgets the members that were replaced at or before the base. */
void ord_group_members_trim(struct ord_group *g);

/* The newest member of a node in the log; NULL when there is none. Valid until the next step. */
const struct raft_server *ord_group_member_of(const struct ord_group *g, uint32_t node);

/* The member of a node that has a vote by the newest list in the log, or by the last one that is committed; 0: none. */
uint64_t ord_group_voter_of(const struct ord_group *g, uint32_t node);

/* Those members are a majority of the voters by the newest list in the log, and, while that is not committed, by the one before as well. */
bool ord_group_is_majority(const struct ord_group *g, const uint64_t *members, uint32_t members_count);

/* Before an entry that changes the members is taken from a leader: the change before it in the log, if any, is committed. Errors are told by fatal. */
void ord_group_members_settle(struct ord_group *g, uint64_t index);

/* Tells libraft that the change of members at index, whose payload it is, is committed. It does nothing when it knows. Fatal is told when it fails. */
void ord_group_members_committed(struct ord_group *g, uint64_t index, struct ord_slice payload);

/* Fills in the members of a snapshot; the caller owns them. ORD_ERR_NOMEM. */
int ord_group_members_decode(const struct group_members *members, struct raft_snapshot_metadata *ret);

/* Says in the log that the group goes on after that entry, of that term, and nothing that is in the log so far does. ORD_ERR_NOMEM. */
int ord_group_write_base(struct ord_group *g, uint64_t index, uint64_t term);

/* An entry stands after the base record: that is not needed any more. */
void ord_group_base_followed(struct ord_group *g);

/* Checks a base that the owner gives. ORD_ERR_MISMATCH, ORD_ERR_CORRUPT, with why. */
int ord_group_check_base(const struct ord_group *g, const struct ord_base *base, char *why, size_t why_size);

/* The group is to begin at that base: keeps its members, votes for nobody in its term when that is a later one, and has room in the log for the record. Any error has ended the host. */
int ord_group_take_base(struct ord_group *g, const struct ord_base *base);

/* Of a group whose base is lost: makes room for an entry of that index that is read from the log; looks at all that was read, ORD_ERR_CORRUPT with why; takes
 * a message; is given its base, errors as ord_host_install. */
void ord_group_lost_expect(struct ord_group *g, uint64_t index);
int ord_group_lost_recovered(struct ord_group *g, char *why, size_t why_size);
void ord_group_lost_receive(struct ord_group *g, const struct ord_message *m);
int ord_group_lost_install(struct ord_group *g, const struct ord_base *base);

/* Lets go of the entries first .. last in the log. */
void ord_group_let_go(struct ord_group *g, uint64_t first, uint64_t last);

/* Forgets what is in the log up to index, which is released. */
void ord_group_trim(struct ord_group *g, uint64_t index);

/* Entries up to the base have left the log: what was to be sent of them is not. */
void ord_group_streams_trim(struct ord_group *g, uint64_t index);

/* The encoded record of entry index, verified when it comes from disk. ORD_ERR_IO, ORD_ERR_CORRUPT, ORD_ERR_NOMEM. */
int ord_group_load(const struct ord_group *g, struct ord_wal_reader *reader, uint64_t index, struct ord_wal_piece *ret);

/* The same; when it fails fatal is told, or, of an entry that is applied and read for others (through send_reader), damage noted. */
int ord_group_read(struct ord_group *g, struct ord_wal_reader *reader, uint64_t index, struct ord_slice *ret);

/* Sets the length of libraft's election timeout to what fits the state. */
void ord_group_timers_tune(struct ord_group *g);

/* What was held back went out: a candidate's time for its votes begins. */
void ord_group_timers_votes_asked(struct ord_group *g);

/* Streams. */
void ord_group_streams_reset(struct ord_group *g);
void ord_group_streams_forget(struct ord_group *g); /* of what is no member any more */
void ord_group_stream_ask(struct ord_group *g, const struct raft_message *m);
void ord_group_stream_acked(struct ord_group *g, uint64_t member, uint64_t applied);
void ord_group_streams_ask_for_life(struct ord_group *g);

/* Hand-over of leadership. */
void ord_group_handover_go_on(struct ord_group *g);

#endif
