/* SPDX-License-Identifier: Apache-2.0 - one host whose peers are the test: it writes their messages and looks at what comes back. */
#ifndef ORD_TESTS_SUPPORT_RAFT_LONE_H
#define ORD_TESTS_SUPPORT_RAFT_LONE_H

#include "raft/codec.h"
#include "raft/confirm.h"
#include "raft/host.h"
#include "tests/support/raft_disk.h"

#define RAFT_LONE_SENT_MAX 4096
#define RAFT_LONE_CONFIRMS_MAX 64

/* What an entry of a test is. */
struct raft_lone_entry {
	uint64_t term;
	enum ord_entry_kind kind;
	struct ord_slice payload;
};

/* A question or an answer of reads that it sent. */
struct raft_lone_confirm {
	struct ord_confirm message; /* its groups: */
	uint32_t groups[2];
	uint64_t terms[2];
};

/* Node 1 of 1, 2, 3, with 2 groups: of group 0 it is the preferred node. */
struct raft_lone {
	struct ord_host *host;
	struct raft_disk disk;
	uint64_t now_ms;
	struct ord_message sent[RAFT_LONE_SENT_MAX]; /* without entries */
	size_t sent_bytes[RAFT_LONE_SENT_MAX];
	uint32_t sent_count;
	struct raft_lone_confirm confirms[RAFT_LONE_CONFIRMS_MAX];
	uint32_t confirms_count;
	enum ord_role role[2];
	uint64_t term[2];
	uint32_t leader[2];
	uint64_t applied[2];
	uint64_t applied_count;
	uint32_t wanted_count; /* times that an install was asked for; the last one: */
	uint32_t wanted_from;
	uint32_t wanted_group;
	uint64_t wanted_index;
	uint64_t wanted_term;
	int fatal;
	uint32_t fatals_count;
	char why[512];
	struct raft_entry *entries; /* owned */
	struct ord_bytes message;
	/* As whom it and its peers (by node) send. */
	uint32_t incarnation;
	uint32_t peer_incarnations[4];
	/* Options; set before opening. */
	uint32_t groups_first; /* of two, likewise below */
	uint32_t groups_step;
	bool is_undecided;
	bool log_begun;
	uint64_t cache_bytes;
	uint64_t segment_bytes;
	uint64_t trailing_bytes;
	uint32_t segments_max;
	struct ord_base bases[2];
};

/* One that raft_lone_free frees, after raft_lone_init. */
struct raft_lone *raft_lone_make(void);
void raft_lone_free(struct raft_lone *l);

/* A command; text is borrowed. */
struct raft_lone_entry raft_lone_command(uint64_t term, const char *text);

/* An empty disk; opens nothing. */
void raft_lone_init(struct raft_lone *l);
void raft_lone_close(struct raft_lone *l);

/* Opens the host; why is in l->why. */
int raft_lone_open(struct raft_lone *l);

/* Opens it, makes the first configuration durable, and forgets what was sent. */
void raft_lone_start(struct raft_lone *l);

/* Power off, and the write in flight is lost. */
void raft_lone_crash(struct raft_lone *l);

/* A turn; completes the write and the removal under way, if any, and all that follow. */
void raft_lone_turn(struct raft_lone *l);
void raft_lone_sync(struct raft_lone *l);
void raft_lone_pass(struct raft_lone *l, uint64_t ms);

/* Messages from a peer for a group. They give what ord_host_receive gives. */
int raft_lone_give(struct raft_lone *l, uint32_t from, struct ord_message m);
int raft_lone_append(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t before,
		     uint64_t before_term, uint64_t commit, const struct raft_lone_entry *entries, uint32_t count);
int raft_lone_result(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t rejected,
		     uint64_t last);
int raft_lone_ask_vote(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t last,
		       uint64_t last_term, bool is_pre_vote);
int raft_lone_vote(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, bool is_pre_vote);

/* A question whether it follows, or an answer that the peer does: of one group. */
int raft_lone_question(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t round);
int raft_lone_answer(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t round);

/* Tells that the leader's log begins after an entry, of that term, with the first members. */
int raft_lone_tell_install(struct raft_lone *l, uint32_t from, uint32_t group, uint64_t term, uint64_t index,
			   uint64_t index_term);

/* A base with the members that every group begins with. */
struct ord_base raft_lone_base(uint64_t index, uint64_t term, uint64_t current_term);

/* The last message of a type that was sent, NULL when there was none since the last raft_lone_forget. */
const struct ord_message *raft_lone_last(const struct raft_lone *l, enum raft_message_type type);
uint32_t raft_lone_count(const struct raft_lone *l, enum raft_message_type type);
void raft_lone_forget(struct raft_lone *l);

/* Makes it leader of group 0, with the votes of node 2. */
void raft_lone_lead(struct raft_lone *l);

#endif
