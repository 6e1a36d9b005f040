/* SPDX-License-Identifier: Apache-2.0 - many Raft groups on one node: one write-ahead log, one wire, all through libraft's raft_step(). */
#ifndef ORD_RAFT_HOST_H
#define ORD_RAFT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "raft/io.h"

struct ord_host;

#define ORD_ELECTION_TIMEOUT_MS 500 /* the default */

enum ord_role { ORD_ROLE_FOLLOWER = 1, ORD_ROLE_CANDIDATE = 2, ORD_ROLE_LEADER = 3, ORD_ROLE_UNAVAILABLE = 4 };

/* "follower", "candidate", "leader", "unavailable". */
const char *ord_role_name(enum ord_role role);

/* What the host asks its owner to do. Called from inside open, propose, receive, tick, synced and turn, on the caller's thread.
 * The owner must not call back into the host from send, confirm, role, want_install or fatal; from apply it may propose. */
struct ord_host_events {
	void *ctx; /* borrowed; first argument of all */

	/* Sends one message to another node; bytes are valid during the call only. May be lost, repeated or reordered. */
	void (*send)(void *ctx, uint32_t node, struct ord_slice message);

	/* Sends what ord_host_receive_confirm takes at another node, likewise. */
	void (*confirm)(void *ctx, uint32_t node, struct ord_slice message);

	/* A committed command entry, each exactly once per open, in index order; indexes of barriers and configuration changes are skipped. */
	void (*apply)(void *ctx, uint32_t group, uint64_t index, uint64_t term, struct ord_slice entry);

	/* Role, term or known leader (a node; 0: none) of a group changed. A new leader is announced only when all entries of earlier terms have been
	 * given to apply, so that its state is complete. A lost leadership is announced at once: what was proposed and not yet given to apply may
	 * still be committed, or not. */
	void (*role)(void *ctx, uint32_t group, enum ord_role role, uint64_t term, uint32_t leader);

	/* The leader (from) has no longer what this node lacks: its log begins after index, an entry of that term. The owner gets a whole state at
	 * that index or a later one, puts it on its disk, and calls ord_host_install. Comes again until that is done, some times in an
	 * election timeout. index and term are 0 when this node's own base is lost. May be NULL: then it is not told. */
	void (*want_install)(void *ctx, uint32_t group, uint32_t from, uint64_t index, uint64_t term);

	/* False: that node must not be given the leadership of the group when it is well again. May be NULL: all may. */
	bool (*may_lead)(void *ctx, uint32_t group, uint32_t node);

	/* Gives the payload of a command entry that was applied and cannot be read back from the log; valid until the next call to the owner. False: it is not in memory any more. May be NULL: it never is. */
	bool (*recall)(void *ctx, uint32_t group, uint64_t index, uint64_t term, struct ord_slice *ret);

	/* The node must stop: err and a text that names the thing and the remedy. No further call may be made but close. */
	void (*fatal)(void *ctx, int err, const char *why);
};

/* A member of the groups, libraft's id of a server: a node, and which life of that node's disk. The member whose incarnation is 0 is the founder: it has the number of its node.
 * A node whose disk is lost or spoilt comes back under another one, for what the old one promised is forgotten. A group has one member of a node at a time. */
#define ORD_MEMBER_NODE(member) ((uint32_t)(member))
static inline uint64_t ord_member_of(uint32_t node, uint32_t incarnation)
{
	return node | (uint64_t)incarnation << 32;
}

/* Where the log of a group begins: all up to and with that entry is elsewhere, durably, and it was committed. index 0: the log is whole. */
struct ord_base {
	uint64_t index;
	uint64_t term; /* of the entry there */
	uint64_t
		current_term; /* of the group when the base was made: a leader of an earlier term may not have that entry */
	uint64_t members_index;	  /* of the entry that set the members in force there; 1 .. index */
	struct ord_slice members; /* its payload; borrowed */

	/* The log begins after a base that is lost: the checkpoint is damaged. The rest is not looked at. The group reads its log and takes no part until
	 * ord_host_install gives it a base; what want_install says it wants is then index 0, term 0. */
	bool lost;
};

struct ord_host_options {
	struct ord_uuid cluster; /* stands in every segment's header; another one is ORD_ERR_MISMATCH */
	uint32_t node;		 /* 1 .. */
	uint64_t
		member; /* this node's id in the groups; 0: not known yet, see ord_host_begin. With a log that has records 0 is the founder */
	bool log_begun;	       /* the log has had records that are on disk: when it is empty, it was lost */
	const uint32_t *nodes; /* ids of all voters, this node among them; copied */
	uint32_t nodes_count;
	uint32_t groups_count; /* of all hosts of the node */
	uint32_t
		groups_first; /* this one's are groups_first, groups_first + groups_step and so on; others may not be named to it */
	uint32_t groups_step;	      /* 0: 1 */
	uint64_t seed;		      /* for election timeouts; differs from node to node */
	uint32_t election_timeout_ms; /* 0: 500 */
	uint32_t heartbeat_ms;	      /* 0: 100 */
	uint64_t segment_bytes;	      /* 0: 64 MiB */
	uint64_t
		cache_bytes; /* 0: 64 MiB; committed entries kept in memory for followers, all groups together; older ones are read from the log */
	uint32_t message_bytes;	      /* 0: 512 KiB; an append ends with the entry that passes this */
	uint64_t window_bytes;	      /* 0: by the number of groups; unanswered entries of one group to one peer */
	uint32_t turn_entries;	      /* 0: 512; applied in one turn, all groups together */
	const struct ord_base *bases; /* one for each group, copied; NULL: no group has one */

	/* 0: 64 MiB shared out among the groups; released entries of one group that stay in the log for followers that lag. */
	uint64_t trailing_bytes;
	/* 0: 8; when the log has more, released entries no longer keep its oldest segment, and what else is left in it is copied. */
	uint32_t segments_max;
	struct ord_io io;
	struct ord_host_events events;
};

/* Reads the write-ahead log, cuts an incomplete tail, and starts all groups at what it says; groups that are not in it begin as ord_host_begin tells,
 * at once when the member is given. now_ms is monotonic. ORD_ERR_CORRUPT when a record before the tail fails its check,
 * when the log has begun and is empty, or when the log of a group begins after its base, has no vote, was told to go on after a later base, or has nothing when its base is lost. A member that is no
 * founder may have a base and nothing in the log: it has promised nothing yet.
 * ORD_ERR_MISMATCH (libraft older than 0.22, or a log of another cluster, node, number of groups or list of nodes), ORD_ERR_INVALID (options that cannot be),
 * ORD_ERR_IO, ORD_ERR_NOMEM; why (why_size bytes) then names
 * the thing; the remedy, too, where it does not depend on whether other nodes have what is missing. */
int ord_host_open(const struct ord_host_options *options, uint64_t now_ms, struct ord_host **ret, char *why,
		  size_t why_size);

/* Frees all. No write may be in flight. NULL is fine. */
void ord_host_close(struct ord_host *h);

/* Says who this node is in the groups, when it was opened with member 0; until then its groups take no part and all messages are dropped. The founder's
 * groups begin with the entry that names all nodes as voters. Those of any other member wait, without a vote, for a leader that has taken them in.
 * ORD_ERR_INVALID: no member of this node, or it is another one already; nothing has changed. ORD_ERR_NOMEM, also told by fatal. */
int ord_host_begin(struct ord_host *h, uint64_t member);

/* The node at the other end of a connection says that it is this member; each time that it connects. What another member of that node sent
 * is dropped from now on, and the groups that this node leads replace that one (raft/host_members.c). member 0: no connection is left, so that it is not known
 * what the node is now; nothing is replaced on its account until it says so again. A member of another node is not believed. */
void ord_host_peer(struct ord_host *h, uint32_t node, uint64_t member);

/* Proposes one command entry; bytes are copied. ORD_ERR_NOT_LEADER (also while the leader is not announced yet), ORD_ERR_BUSY (leadership is being
 * handed over, or 64 MiB wait to be written: try again), ORD_ERR_NOMEM. On ORD_OK apply will see it as (index, term), unless leadership is lost. Asserts 0 < entry.len <= ORD_ENTRY_BYTES_MAX. */
int ord_host_propose(struct ord_host *h, uint32_t group, struct ord_slice entry, uint64_t *ret_index,
		     uint64_t *ret_term);

/* Takes a message that another node's send gave. Malformed bytes, and what that node cannot have sent, give ORD_ERR_FORMAT and change nothing; ORD_ERR_MISMATCH: from a
 * node of an earlier version, whose messages name no members. What is for an earlier member of this node, or from another one of that node than it
 * says to be (ord_host_peer), is late: it is dropped. */
int ord_host_receive(struct ord_host *h, uint32_t from, struct ord_slice message);

/* Reads of what is applied, without an entry: the read index of Ongaro's dissertation, section 6.4 (raft/group_reads.c). */
struct ord_read_point {
	uint64_t term;
	uint64_t index; /* that must be applied */
	uint64_t round; /* that a majority must confirm */
};

/* Begins to make sure that this node leads the group: reads that came before the call may be answered from what is applied when ord_host_may_read says so of *ret. That does not come without
 * turns and answers of peers, nor after the leadership is lost; asking for it again sees to it that peers are asked again where that is needed. What was begun before is still to be asked for. ORD_ERR_NOT_LEADER, also while the leader is not announced yet. */
int ord_host_read_begin(struct ord_host *h, uint32_t group, struct ord_read_point *ret);
bool ord_host_may_read(struct ord_host *h, uint32_t group, const struct ord_read_point *point);

/* Takes what another node's confirm gave. Malformed bytes, and what that node cannot have sent, give ORD_ERR_FORMAT and change nothing. What is for an earlier member of this node, or from
 * another one of that node than it says to be, is dropped. */
int ord_host_receive_confirm(struct ord_host *h, uint32_t from, struct ord_slice message);

/* Moves the clock; call every 10 ms or so. now_ms never goes back. */
void ord_host_tick(struct ord_host *h, uint64_t now_ms);

/* The write in flight is on disk (ORD_OK), or failed: then fatal is called. */
void ord_host_synced(struct ord_host *h, int status);

/* The removal that the interface was asked for is done (ORD_OK), or failed: then fatal is called. */
void ord_host_removed(struct ord_host *h, int status);

/* The base that a start would need if entries up to index were elsewhere. members is valid until the next call on the host. Asserts that the entry is
 * applied and not before the base of now. */
void ord_host_base(const struct ord_host *h, uint32_t group, uint64_t index, struct ord_base *ret);

/* What was applied up to index is elsewhere, durably, so that a start would be given that base or a later one: the entries may leave the log.
 * They do so a little later (trailing_bytes). Those that are not on this node's disk yet wait for the next call. Lower indexes than before
 * change nothing. Asserts that the entry is applied. Not to be called from inside events. */
void ord_host_release(struct ord_host *h, uint32_t group, uint64_t index);

/* The owner has a whole state at base durably on its disk, and a start would be given that base: the group drops its log and goes on after the
 * base, and apply with the entry after it. It takes part in nothing until that is on disk, too. The base is copied. ORD_ERR_INVALID when there
 * is no need: the base is not ahead of what was applied, or the log has the entry and will come there by itself; the owner goes on with the
 * state that it had. Of a group whose base is lost the entries after the base stay, as at a start with it, and ORD_ERR_INVALID is a base
 * before the beginning of the log: what it lacks may have been acknowledged, so that a later one must be got. ORD_ERR_BUSY: the group leads, or is about to start. ORD_ERR_CORRUPT or ORD_ERR_MISMATCH: a base that cannot be.
 * ORD_ERR_NOMEM, also told by fatal. After an error nothing has changed. Not to be called from inside events. */
int ord_host_install(struct ord_host *h, uint32_t group, const struct ord_base *base);

/* The owner has replaced the state of a group by one as of index: apply goes on with the entry after it, which may be one that was given before. What was released
 * after index is not any more. Members that changed are not changed again, a leader stays one. ORD_ERR_NOT_FOUND: the log begins after index. ORD_ERR_INVALID: it is not committed, as far as is known
 * here. ORD_ERR_BUSY: the group has not started. ORD_ERR_NOMEM and errors of reading the log, also told by fatal. After an error nothing has changed.
 * Not to be called from inside events. */
int ord_host_rewind(struct ord_host *h, uint32_t group, uint64_t index);

/* While held, nothing is given to apply: what is committed waits in the log. */
void ord_host_hold(struct ord_host *h, bool held);

/* The same for one group, which then is not announced as leader either; one that is stays so. */
void ord_host_hold_group(struct ord_host *h, uint32_t group, bool held);

/* How a node stands, this one or another, as far as its disk is concerned: a reluctant one is given no leadership, and hands over those that it has to nodes that are not.
 * Nobody is until told. A node that is not in the list is passed over. */
void ord_host_reluctant(struct ord_host *h, uint32_t node, bool reluctant);

/* From now on the log may be given so many bytes more, UINT64_MAX, as at first: without an end. When it has been, or at once when bytes is 0, this node takes no new entries from leaders, and
 * acknowledges none, until the next call; it still votes, and hears that leaders are alive. The append that passes the bound is taken whole. Proposals of this node count, and are for the caller
 * to stop. */
void ord_host_room(struct ord_host *h, uint64_t bytes);

/* Whether entries are taken now, as far as that is concerned. */
bool ord_host_has_room(const struct ord_host *h);

/* Ends a turn of the loop: begins a write when records wait and none is in flight, and applies what is committed, a bounded amount.
 * True when more can be applied at once: call again soon. */
bool ord_host_turn(struct ord_host *h);

/* Begins to hand the group over to another node; proposals give ORD_ERR_BUSY until it is done or given up (two election timeouts at most).
 * The host does this by itself, one group at a time, to bring a group back to nodes[group mod nodes_count] when that node is well again.
 * ORD_ERR_NOT_LEADER, ORD_ERR_INVALID (unknown node, this one, or one without a vote), ORD_ERR_BUSY (one is under way). */
int ord_host_transfer(struct ord_host *h, uint32_t group, uint32_t node);

struct ord_group_status {
	enum ord_role role;
	uint64_t term;
	uint64_t vote;	     /* the member that this one voted for in that term; 0: nobody */
	uint32_t leader;     /* a node; 0: none known */
	uint64_t base_index; /* the log begins after it */
	uint64_t last_index;
	uint64_t last_term; /* of the entry there */
	uint64_t commit_index;
	uint64_t applied_index;
	uint64_t durable_index; /* on this node's disk */
};
void ord_host_group_status(const struct ord_host *h, uint32_t group, struct ord_group_status *ret);

enum ord_member_role { ORD_MEMBER_STANDBY = 0, ORD_MEMBER_VOTER = 1, ORD_MEMBER_SPARE = 2 };

struct ord_member_status {
	uint64_t id;
	uint32_t node;
	enum ord_member_role role;
};

/* The newest members in the log of the group, committed or not: at most ORD_NODES_MAX. None when this node knows of no members yet, or does not take part. */
void ord_host_members(const struct ord_host *h, uint32_t group, struct ord_member_status *ret, uint32_t *ret_count);

/* The nodes that have a vote by those members: at most ORD_NODES_MAX. None while the list is not on this node's disk. A node whose own disk does not say that it has a vote
 * gives none (libraft), so a node is one of a majority when all nodes name it. */
void ord_host_voters(const struct ord_host *h, uint32_t group, uint32_t *ret, uint32_t *ret_count);

struct ord_host_status {
	uint64_t wal_bytes;	     /* on disk */
	uint64_t wal_segments;	     /* files */
	uint64_t wal_waiting_bytes;  /* written by nobody yet */
	uint64_t wal_appended_bytes; /* since it was opened, written or not */
	uint64_t syncs_count;
	uint64_t cached_bytes;	      /* entries in memory */
	uint64_t wal_damaged_segment; /* the last one in which damage is known that has not gone yet; 0: none */
	uint64_t wal_damaged_offset;
	const char *wal_damaged_why; /* valid until the next call */
	bool sync_in_flight;
};
void ord_host_status(const struct ord_host *h, struct ord_host_status *ret);

/* What came of checking a piece of the log. */
struct ord_host_scrubbed {
	uint64_t bytes; /* that were read */
	bool is_last;	/* all has been checked once: the next call begins again */
};

/* Checks a piece of the log, 256 KiB or one record that is longer, in all segments; of the one that is being written, what is on disk. Blocks as long as that takes to read. ORD_ERR_CORRUPT: there is damage, which ord_host_status shows. Then, and when it is met while
 * an entry that was applied is read for a peer, everything up to that segment is to leave the log: what is released goes at once, and what is not after a while is copied, as far as it can be read or recalled. The owner releases what
 * it can. ORD_ERR_NOMEM. */
int ord_host_scrub(struct ord_host *h, struct ord_host_scrubbed *ret);

/* Checks the libraft that is linked. ORD_OK, or ORD_ERR_MISMATCH with why. */
int ord_host_check_library(char *why, size_t why_size);

#endif
