/* SPDX-License-Identifier: Apache-2.0 - what a node has told others, and what it knows when it comes back. */
#include "tests/sim/promise.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "node/engine_state.h"
#include "node/frame.h"
#include "node/wire.h"
#include "tests/sim/coverage.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/node.h"
#include "tests/sim/observe.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"

/* raft/codec.h: types of messages, flags of votes. */
enum { APPEND = 1, APPEND_RESULT = 2, REQUEST_VOTE = 3, REQUEST_VOTE_RESULT = 4 };
enum { FLAG_GRANTED = 1, FLAG_PRE_VOTE = 2 };

struct promise {
	uint64_t term; /* the highest that was told */
	uint64_t voted_term;
	uint64_t voted_for;   /* a member */
	uint64_t stored_term; /* in which it told last how long its log is, and how long */
	uint64_t stored_index;
	uint64_t stored_entry_term; /* of the entry there; 0: not known */
};

/* What leaders say their logs are: the term of the entry at each index, in the latest term in which one was heard. Index 0 is not used. */
struct leader_log {
	uint64_t term;
	uint32_t node;	       /* whose log it is */
	uint64_t *entry_terms; /* owned; 0: not heard of */
	size_t capacity;
};

static struct leader_log leader_logs[SIM_PARTITIONS_MAX];
static struct promise promises[SIM_NODES_MAX + 1][SIM_PARTITIONS_MAX];
static uint64_t promisers[SIM_NODES_MAX + 1][SIM_PARTITIONS_MAX]; /* as which member each node promised */
static uint64_t confirmed
	[SIM_PARTITIONS_MAX]; /* up to which index so many have told that they have it that it may be committed */

void sim_promise_open(void)
{
	sim_promise_close();
	memset(promises, 0, sizeof promises);
	memset(promisers, 0, sizeof promisers);
	memset(confirmed, 0, sizeof confirmed);
}

void sim_promise_close(void)
{
	for (uint32_t i = 0; i < SIM_PARTITIONS_MAX; i++)
		free(leader_logs[i].entry_terms);
	memset(leader_logs, 0, sizeof leader_logs);
}

static void log_put(struct leader_log *l, uint64_t index, uint64_t entry_term)
{
	if (index >= l->capacity) {
		size_t capacity = 2 * (size_t)index + 64;
		l->entry_terms = realloc(l->entry_terms, capacity * sizeof l->entry_terms[0]);
		SIM_ASSERT(l->entry_terms != NULL);
		memset(l->entry_terms + l->capacity, 0, (capacity - l->capacity) * sizeof l->entry_terms[0]);
		l->capacity = capacity;
	}
	l->entry_terms[index] = entry_term;
}

/* An append of the leader of that term. Returns how many entries it has. */
static uint32_t log_append(struct leader_log *l, uint32_t node, uint32_t group, uint64_t term, struct ord_reader *r)
{
	uint64_t before = ord_reader_u64(r);
	uint64_t before_term = ord_reader_u64(r);
	ord_reader_u64(r); /* commit index */
	uint32_t count = ord_reader_u32(r);
	if (term < l->term)
		return count;
	if (term == l->term && node != l->node)
		sim_fail(SIM_SAFETY, "partition %u has two leaders in term %llu: nodes %u and %u", group,
			 (unsigned long long)term, l->node, node);
	if (term > l->term && l->capacity > 0)
		memset(l->entry_terms, 0, l->capacity * sizeof l->entry_terms[0]);
	l->term = term;
	l->node = node;
	log_put(l, before, before_term);
	for (uint32_t i = 0; i < count; i++) {
		ord_reader_u32(r); /* checksum */
		uint32_t len = ord_reader_u32(r);
		ord_reader_u64(r); /* group, type, kind */
		uint64_t entry_term = ord_reader_u64(r);
		uint64_t index = ord_reader_u64(r);
		ord_reader_take(r, len);
		log_put(l, index, entry_term);
	}
	SIM_ASSERT(!r->failed);
	return count;
}

static void vote(uint32_t node, uint32_t group, struct promise *p, uint64_t term, uint64_t candidate)
{
	if (p->voted_term == term && p->voted_for != candidate)
		sim_fail(SIM_SAFETY, "partition %u: node %u votes for members %llu and %llu in term %llu", group, node,
			 (unsigned long long)p->voted_for, (unsigned long long)candidate, (unsigned long long)term);
	p->voted_term = term;
	p->voted_for = candidate;
}

static void stored(struct promise *p, const struct leader_log *l, uint64_t term, uint64_t index)
{
	if (term < p->stored_term)
		return; /* to an earlier leader, held back until the disk had it */
	if (p->stored_term != term)
		p->stored_index = p->stored_entry_term = 0;
	p->stored_term = term;
	if (index <= p->stored_index)
		return;
	p->stored_index = index;
	p->stored_entry_term = l->term == term && index < l->capacity ? l->entry_terms[index] : 0;
}

/* At least so many are a majority of the voters that the leader's list has, or had before its last change: who has lost a disk is out of it for a while, and so may two be. */
static uint32_t majority_least(uint32_t group)
{
	struct ord_member_status members[ORD_NODES_MAX];
	uint32_t count = 0, voters = 0;
	uint32_t leader = leader_logs[group].node;
	const struct ord_engine *e = leader > 0 ? sim_node_engine(leader, group) : NULL;
	if (e != NULL)
		ord_host_members(e->host, group, members, &count);
	for (uint32_t i = 0; i < count; i++)
		voters += members[i].role == ORD_MEMBER_VOTER;
	if (voters == 0)
		voters = sim_nodes_count();
	return (voters - 1) / 2 + 1;
}

/* The leader and those who told in that term, or later, that they have as much. */
static uint32_t holders_count(uint32_t group, uint64_t term, uint64_t index)
{
	uint32_t count = 1;
	for (uint32_t i = 1; i <= sim_nodes_count(); i++) {
		const struct promise *p = &promises[i][group];
		count += p->stored_term >= term && p->stored_index >= index;
	}
	return count;
}

/* An entry is committed when a majority has it, and one of the leader's own term at it or behind it (Raft paper, section 5.4.2). */
static void confirm(uint32_t group, uint64_t term)
{
	for (uint32_t i = 1; i <= sim_nodes_count(); i++) {
		const struct promise *p = &promises[i][group];
		if (p->stored_term == term && p->stored_entry_term == term && p->stored_index > confirmed[group] &&
		    holders_count(group, term, p->stored_index) >= majority_least(group))
			confirmed[group] = p->stored_index;
	}
}

static void message(uint32_t node, struct ord_slice body)
{
	struct ord_reader r = ord_reader_of(body);
	ord_reader_u8(&r); /* format */
	uint8_t type = ord_reader_u8(&r);
	ord_reader_u8(&r); /* version */
	uint8_t flags = ord_reader_u8(&r);
	uint32_t group = ord_reader_u32(&r);
	uint64_t from = ord_reader_u64(&r);
	uint64_t to = ord_reader_u64(&r);
	uint64_t term = ord_reader_u64(&r);
	bool is_vote = type == REQUEST_VOTE || type == REQUEST_VOTE_RESULT;
	SIM_ASSERT(!r.failed && node <= SIM_NODES_MAX && group < SIM_PARTITIONS_MAX);
	promisers[node][group] = from;
	if (is_vote && (flags & FLAG_PRE_VOTE) != 0)
		return; /* binds nobody */
	struct promise *p = &promises[node][group];
	if (term > p->term)
		p->term = term;
	if (type == REQUEST_VOTE)
		vote(node, group, p, term, from);
	if (type == REQUEST_VOTE_RESULT && (flags & FLAG_GRANTED) != 0) {
		vote(node, group, p, term, to);
		sim_nemesis_tempt_voter(node);
	}
	if (type == APPEND && log_append(&leader_logs[group], node, group, term, &r) > 0)
		sim_nemesis_tempt_leader(node);
	if (type != APPEND_RESULT)
		return;
	uint64_t rejected = ord_reader_u64(&r);
	uint64_t last_index = ord_reader_u64(&r);
	if (rejected != 0)
		return;
	stored(p, &leader_logs[group], term, last_index);
	confirm(group, term);
}

void sim_promise_frame(uint32_t node, uint32_t to, const uint8_t *frame, size_t len)
{
	struct ord_reader parts =
		ord_reader_of(ord_slice_of(frame + ORD_FRAME_HEADER_BYTES, len - ORD_FRAME_HEADER_BYTES));
	uint8_t kind;
	struct ord_slice body;
	bool calls = false;
	while (ord_frame_next_part(&parts, &kind, &body)) {
		calls |= kind == ORD_PART_SUBMIT || kind == ORD_PART_READ;
		if (kind == ORD_PART_RAFT)
			message(node, body);
	}
	if (calls)
		sim_nemesis_tempt_caller(node, to);
}

void sim_promise_boot(uint32_t node, uint64_t member, uint32_t partition, const struct ord_engine *e)
{
	uint32_t i = partition;
	const struct promise *p = &promises[node][i];
	if (promisers[node][i] != member)
		memset(&promises[node][i], 0, sizeof promises[node][i]);
	promisers[node][i] = member;
	sim_record_found(node, e->replicas[i].partition, e->replicas[i].applied_index);
	sim_record_found_history(node, i, &e->replicas[i].builder.end);
	if (e->replicas[i].archived.last_index > 0)
		sim_cover(SIM_COVER_START_WITH_HISTORY);
	if (e->replicas[i].applied_index > 0)
		sim_cover(SIM_COVER_START_FROM_CHECKPOINT);
	struct ord_replica_status s;
	ord_engine_replica_status(e, i, &s);
	if (s.group.term < p->term)
		sim_fail(SIM_SAFETY, "partition %u: node %u told others of term %llu and comes back in term %llu", i,
			 node, (unsigned long long)p->term, (unsigned long long)s.group.term);
	if (s.group.term == p->voted_term && s.group.vote != p->voted_for)
		sim_fail(SIM_SAFETY,
			 "partition %u: node %u gave member %llu its vote in term %llu and comes back with "
			 "that of "
			 "member %llu",
			 i, node, (unsigned long long)p->voted_for, (unsigned long long)p->voted_term,
			 (unsigned long long)s.group.vote);
	if (s.group.term == p->stored_term && s.group.last_index < p->stored_index)
		sim_fail(SIM_SAFETY,
			 "partition %u: node %u confirmed entries up to %llu in term %llu and comes back with "
			 "%llu",
			 i, node, (unsigned long long)p->stored_index, (unsigned long long)p->stored_term,
			 (unsigned long long)s.group.last_index);
	/* Terms never go back in a log. */
	if (s.group.term == p->stored_term && s.group.last_term < p->stored_entry_term)
		sim_fail(SIM_SAFETY,
			 "partition %u: node %u confirmed entry %llu of term %llu and comes back with a log "
			 "that "
			 "ends in term %llu",
			 i, node, (unsigned long long)p->stored_index, (unsigned long long)p->stored_entry_term,
			 (unsigned long long)s.group.last_term);
}

/* --- What replicas are given. --- */

void __real_ord_replica_apply(struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice entry);
void __wrap_ord_replica_apply(struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice entry);

void __wrap_ord_replica_apply(struct ord_replica *r, uint64_t index, uint64_t term, struct ord_slice entry)
{
	const struct sim_process *by = sim_current();
	bool was_fenced = r->fence.state == ORD_FENCE_FENCED;
	uint64_t before = r->applied_index;
	sim_record_announce(index, before);
	__real_ord_replica_apply(r, index, term, entry);
	if (by->state != SIM_UP)
		return;
	if (index > confirmed[r->id] && majority_least(r->id) > 1)
		sim_fail(SIM_SAFETY,
			 "node %u, partition %u is given entry %llu as committed, and no majority has told that it has "
			 "more than %llu",
			 by->number, r->id, (unsigned long long)index, (unsigned long long)confirmed[r->id]);
	sim_record_given(by->number, r->id, index, entry);
	if (r->ready && r->fence.state == ORD_FENCE_FENCED)
		sim_fail(SIM_SAFETY, "node %u leads partition %u with a replica that is fenced", by->number, r->id);
	if (was_fenced && r->applied_index != before)
		sim_fail(SIM_SAFETY, "node %u, partition %u: a replica that is fenced applies entry %llu", by->number,
			 r->id, (unsigned long long)index);
}

/* --- A state that came from another node. --- */

int __real_ord_replica_replace(struct ord_replica *r, const struct ord_note *note, char *why, size_t why_size);
int __wrap_ord_replica_replace(struct ord_replica *r, const struct ord_note *note, char *why, size_t why_size);

int __wrap_ord_replica_replace(struct ord_replica *r, const struct ord_note *note, char *why, size_t why_size)
{
	int err = __real_ord_replica_replace(r, note, why, why_size);
	const struct sim_process *by = sim_current();
	if (err == ORD_OK && by->state == SIM_UP) {
		sim_record_replaced(by->number, r->id);
		sim_record_found(by->number, r->partition, r->applied_index);
	}
	return err;
}
