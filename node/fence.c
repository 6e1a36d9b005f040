/* SPDX-License-Identifier: Apache-2.0 - replicas that differ. */
#include "node/fence.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "node/engine_state.h"
#include "partition/mark.h"

/* What is not answered is asked again so often, ... */
#define FENCE_ASK_MS 1000
/* ... and no more after so long: a later mark asks anew. */
#define FENCE_GIVE_UP_MS 10000
/* Where nobody can tell who is right it is said again after so long. */
#define FENCE_SAY_MS 60000
/* A node that said that it is fenced is given no leadership for so long; it says so every FENCE_ASK_MS. */
#define FENCE_SHUN_MS 5000

const char *ord_fence_state_name(enum ord_fence_state state)
{
	switch (state) {
	case ORD_FENCE_EQUAL:
		return "equal";
	case ORD_FENCE_DIFFERS:
		return "differs";
	case ORD_FENCE_FENCED:
		return "fenced";
	}
	return "unknown";
}

/* --- Words. --- */

#define MARK_TEXT_SIZE 160

static const char *mark_show(const struct ord_mark *m, char text[MARK_TEXT_SIZE])
{
	int len = snprintf(text, MARK_TEXT_SIZE, "digest %016" PRIx64 "%016" PRIx64 " history ", m->state_digest[0],
			   m->state_digest[1]);
	for (size_t i = 0; i < sizeof m->history_hash; i++)
		len += snprintf(text + len, MARK_TEXT_SIZE - (size_t)len, "%02x", m->history_hash[i]);
	return text;
}

/* --- What this replica was. --- */

static const struct ord_mark *own_result(const struct ord_fence *f, uint64_t position)
{
	for (uint64_t i = 0; i < f->results_count && i < ORD_FENCE_RESULTS; i++)
		if (f->results[i].position == position)
			return &f->results[i];
	return NULL;
}

static uint32_t own_place(const struct ord_replica *r)
{
	return ord_engine_place(r->engine, r->engine->node);
}

/* To all others: each decides for itself who is right, and needs what all have. */
static void tell(struct ord_replica *r, const struct ord_mark *result, bool asks)
{
	struct ord_engine *e = r->engine;
	struct ord_part_mark_result part = {
		.partition = r->id, .asks = asks, .is_fenced = r->fence.state == ORD_FENCE_FENCED, .result = *result};
	for (uint32_t i = 0; i < e->nodes_count; i++) {
		if (i == own_place(r))
			continue;
		ord_bytes_clear(&e->scratch);
		ord_wire_put_mark_result(&part, &e->scratch);
		ord_engine_send(e, e->nodes[i], ORD_PART_MARK_RESULT);
	}
	r->fence.told_ms = e->now_ms;
}

/* --- Fencing. --- */

/* Makes the replica's state anew from another node's. */
static void rebuild(struct ord_replica *r)
{
	ord_copy_in_want(r->engine, r->id, 0, 0);
}

static void keep_away(struct ord_replica *r)
{
	r->fence.state = ORD_FENCE_FENCED;
	ord_keep_abandon(&r->engine->keep, r->id);
	if (r->ready)
		ord_replica_lose(r);
}

void ord_fence_damaged(struct ord_replica *r)
{
	ORD_ASSERT(r->engine->nodes_count > 1);
	if (r->fence.state == ORD_FENCE_FENCED)
		return;
	ord_trace("replica_damaged", r->id, r->applied_index);
	ord_engine_notice(r->engine, ORD_LOG_ERROR,
			  "partition %" PRIu32
			  ": its state on disk is damaged; it serves nothing any more until it is made "
			  "anew from another node, and the damaged one is set aside below state/",
			  r->id);
	keep_away(r);
	rebuild(r);
}

void ord_fence_lift(struct ord_replica *r)
{
	if (r->fence.state == ORD_FENCE_FENCED)
		ord_engine_notice(r->engine, ORD_LOG_INFO,
				  "partition %" PRIu32 ": this node's replica has been made anew from another node",
				  r->id);
	r->fence.state = ORD_FENCE_EQUAL;
	r->fence.results_count = 0;
	r->fence.asked = false;
}

static void fence(struct ord_replica *r, const struct ord_mark *right, const struct ord_mark *own)
{
	char right_text[MARK_TEXT_SIZE], own_text[MARK_TEXT_SIZE];
	ord_trace("replica_fenced", r->id, own->position);
	ord_engine_notice(r->engine, ORD_LOG_ERROR,
			  "partition %" PRIu32 ": this node's replica differs from a majority of the replicas at "
			  "position %" PRIu64
			  ": it has %s, they have %s; it is fenced: it serves nothing any more until "
			  "it is made anew from another node",
			  r->id, own->position, mark_show(own, own_text), mark_show(right, right_text));
	keep_away(r);
	tell(r, own, false);
	rebuild(r);
}

/* A node that has the leadership of a fenced replica's partition gives it away, to one that is not fenced as far as is known. */
static void hand_over(struct ord_replica *r)
{
	struct ord_engine *e = r->engine;
	struct ord_group_status group;
	ord_host_group_status(e->host, r->id, &group);
	uint64_t first = e->now_ms / FENCE_ASK_MS; /* another one when that one does not take it */
	for (uint32_t i = 0; group.role == ORD_ROLE_LEADER && i < e->nodes_count; i++) {
		uint32_t place = (uint32_t)((first + i) % e->nodes_count);
		if (place != own_place(r) && e->connected[place] && ord_fence_may_lead(r, place) &&
		    ord_host_transfer(e->host, r->id, e->nodes[place]) == ORD_OK)
			return;
	}
}

bool ord_fence_may_lead(const struct ord_replica *r, uint32_t place)
{
	ORD_ASSERT(place < ORD_NODES_MAX);
	return r->engine->now_ms >= r->fence.fenced_until_ms[place];
}

/* --- Who is right. --- */

/* The result that most nodes have, and how many those are. */
static uint32_t most_have(const struct ord_replica *r, const struct ord_mark **ret)
{
	const struct ord_fence *f = &r->fence;
	uint32_t nodes_count = r->engine->nodes_count, most = 0;
	for (uint32_t i = 0; i < nodes_count; i++) {
		uint32_t count = 0;
		for (uint32_t k = 0; f->has_answer[i] && k < nodes_count; k++)
			count += f->has_answer[k] && ord_mark_equal(&f->answers[i], &f->answers[k]);
		if (count > most) {
			most = count;
			*ret = &f->answers[i];
		}
	}
	return most;
}

static uint32_t answers_count(const struct ord_replica *r)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < r->engine->nodes_count; i++)
		count += r->fence.has_answer[i];
	return count;
}

static void decided(struct ord_replica *r)
{
	r->fence.asked = false;
	r->fence.decided_position = r->fence.position;
}

/* The operator may look at this node, and not at the one that is wrong. */
static void tell_others(struct ord_replica *r, const struct ord_mark *right)
{
	const struct ord_fence *f = &r->fence;
	char right_text[MARK_TEXT_SIZE], other_text[MARK_TEXT_SIZE];
	for (uint32_t i = 0; i < r->engine->nodes_count; i++)
		if (f->has_answer[i] && !ord_mark_equal(&f->answers[i], right))
			ord_engine_notice(r->engine, ORD_LOG_WARN,
					  "partition %" PRIu32 ": the replica of node %" PRIu32 " differs at position "
					  "%" PRIu64 " from a majority, this one among it: it has %s, they have %s",
					  r->id, r->engine->nodes[i], right->position,
					  mark_show(&f->answers[i], other_text), mark_show(right, right_text));
}

static void nobody_is_right(struct ord_replica *r)
{
	struct ord_fence *f = &r->fence;
	char text[MARK_TEXT_SIZE];
	bool is_said = f->state == ORD_FENCE_DIFFERS && r->engine->now_ms - f->said_ms < FENCE_SAY_MS;
	for (uint32_t i = 0; i < r->engine->nodes_count && !is_said; i++)
		if (f->has_answer[i])
			ord_engine_notice(r->engine, ORD_LOG_ERROR,
					  "partition %" PRIu32 ": replicas differ at position %" PRIu64
					  ", and no majority of nodes is of one kind: node %" PRIu32
					  " has %s; nobody is fenced: find out with `ordain replay` who is right, and "
					  "make the others anew",
					  r->id, f->position, r->engine->nodes[i], mark_show(&f->answers[i], text));
	if (!is_said)
		f->said_ms = r->engine->now_ms;
	f->state = ORD_FENCE_DIFFERS;
	decided(r);
}

static void decide(struct ord_replica *r)
{
	struct ord_fence *f = &r->fence;
	uint32_t nodes_count = r->engine->nodes_count;
	const struct ord_mark *right = NULL;
	const struct ord_mark *own = &f->answers[own_place(r)];
	uint32_t most = most_have(r, &right);
	uint32_t missing = nodes_count - answers_count(r);
	if (!f->asked || !f->has_answer[own_place(r)])
		return;
	if (most * 2 > nodes_count) {
		struct ord_mark majority = *right, mine = *own;
		decided(r);
		if (ord_mark_equal(&majority, &mine)) {
			f->state = ORD_FENCE_EQUAL;
			tell_others(r, &majority);
		} else {
			fence(r, &majority, &mine);
		}
	} else if ((most + missing) * 2 <= nodes_count) {
		nobody_is_right(r);
	}
}

/* --- Asking and answering. --- */

static void ask(struct ord_replica *r, uint64_t position)
{
	struct ord_fence *f = &r->fence;
	f->asked = true;
	f->position = position;
	f->asked_ms = r->engine->now_ms;
	memset(f->has_answer, 0, sizeof f->has_answer);
}

/* What this replica was belongs to the question. */
static void answer_own(struct ord_replica *r)
{
	const struct ord_mark *own = own_result(&r->fence, r->fence.position);
	uint32_t place = own_place(r);
	if (!r->fence.asked || own == NULL || r->fence.has_answer[place])
		return;
	r->fence.answers[place] = *own;
	r->fence.has_answer[place] = true;
}

static void tell_difference(struct ord_replica *r, const struct ord_mark_effect *mark)
{
	char said[MARK_TEXT_SIZE], found[MARK_TEXT_SIZE];
	ord_engine_notice(r->engine, ORD_LOG_WARN,
			  "partition %" PRIu32 ": this node's replica is not as the mark of position %" PRIu64
			  " in its log says: it has %s, the mark has %s; the other nodes are asked who is right",
			  r->id, mark->said.position, mark_show(&mark->found, found), mark_show(&mark->said, said));
}

void ord_fence_compared(struct ord_replica *r, const struct ord_mark_effect *mark)
{
	struct ord_fence *f = &r->fence;
	ORD_ASSERT(mark->compared);
	ORD_ASSERT(f->state != ORD_FENCE_FENCED);
	f->results[f->results_count++ % ORD_FENCE_RESULTS] = mark->found;
	if (mark->differs && f->state != ORD_FENCE_DIFFERS)
		tell_difference(r, mark);
	if (mark->differs && !f->asked)
		ask(r, mark->found.position);
	if (!f->asked || f->position != mark->found.position)
		return;
	answer_own(r);
	tell(r, &mark->found, mark->differs);
	decide(r);
}

void ord_fence_receive(struct ord_replica *r, uint32_t place, const struct ord_part_mark_result *part)
{
	struct ord_fence *f = &r->fence;
	ORD_ASSERT(place < r->engine->nodes_count && place != own_place(r));
	if (part->is_fenced)
		f->fenced_until_ms[place] = r->engine->now_ms + FENCE_SHUN_MS;
	const struct ord_mark *own = own_result(f, part->result.position);
	if (part->asks && own != NULL)
		tell(r, own, false);
	if (f->state == ORD_FENCE_FENCED)
		return;
	if (part->asks && !f->asked && part->result.position > f->decided_position)
		ask(r, part->result.position);
	if (!f->asked || part->result.position != f->position)
		return;
	f->answers[place] = part->result;
	f->has_answer[place] = true;
	answer_own(r);
	decide(r);
}

void ord_fence_tick(struct ord_replica *r)
{
	struct ord_fence *f = &r->fence;
	uint64_t now_ms = r->engine->now_ms;
	bool is_due = now_ms - f->told_ms >= FENCE_ASK_MS;
	if (f->state == ORD_FENCE_FENCED) {
		hand_over(r);
		rebuild(r);
		if (is_due && f->results_count > 0)
			tell(r, &f->results[(f->results_count - 1) % ORD_FENCE_RESULTS], false);
		return;
	}
	if (!f->asked)
		return;
	const struct ord_mark *own = own_result(f, f->position);
	if (now_ms - f->asked_ms >= FENCE_GIVE_UP_MS) {
		if (own != NULL)
			nobody_is_right(r);
		f->asked = false;
	} else if (own != NULL && is_due) {
		tell(r, own, true);
	}
}
