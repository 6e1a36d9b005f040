/* SPDX-License-Identifier: Apache-2.0 - a state from another node. */
#include "node/copy_in.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/trace.h"
#include "node/engine_state.h"
#include "partition/checkpoint.h"

/* What has not been answered is asked for again. */
#define ASK_MS 500u
/* A node that brings nothing for so long is given up: it may first have to write a checkpoint. */
#define SILENT_MS 10000u
/* After something went wrong. */
#define PAUSE_MS 1000u
/* Who needs a state says so several times in an election timeout. */
#define WANT_MS 5000u

int ord_copy_in_open(struct ord_copy_in *c, struct ord_engine *e)
{
	*c = (struct ord_copy_in){.engine = e, .wants = calloc(e->partitions_count, sizeof *c->wants)};
	ord_bytes_init(&c->note_bytes, ORD_CHECKPOINT_NOTE_BYTES_MAX);
	ord_changes_init(&c->written);
	ord_changes_init(&c->waiting);
	return c->wants != NULL ? ORD_OK : ORD_ERR_NOMEM;
}

void ord_copy_in_close(struct ord_copy_in *c)
{
	free(c->wants);
	ord_bytes_close(&c->note_bytes);
	ord_changes_close(&c->written);
	ord_changes_close(&c->waiting);
	*c = (struct ord_copy_in){0};
}

static struct ord_states *states_of(const struct ord_copy_in *c)
{
	return &c->engine->keep.states;
}

bool ord_copy_in_has(const struct ord_engine *e, uint32_t partition)
{
	const struct ord_copy_in *c = &e->copy_in;
	return c->phase >= ORD_COPY_IN_REPLACING && c->partition == partition;
}

void ord_copy_in_want(struct ord_engine *e, uint32_t partition, uint32_t node, uint64_t index)
{
	if (!e->keep.enabled)
		return;
	struct ord_copy_want *want = &e->copy_in.wants[partition];
	if (!want->wanted)
		want->node = node;
	want->wanted = true;
	want->index = index;
	want->told_ms = e->now_ms;
}

/* --- Asking. --- */

static uint64_t least_index(const struct ord_copy_in *c)
{
	struct ord_group_status group;
	uint64_t index = c->wants[c->partition].index;
	ord_host_group_status(c->engine->host, c->partition, &group);
	return index > group.base_index ? index : group.base_index;
}

static void send(struct ord_copy_in *c, enum ord_part_kind kind)
{
	struct ord_engine *e = c->engine;
	struct ord_part_copy part = {.partition = c->partition,
				     .number = c->number,
				     .index = kind == ORD_PART_COPY_ASK ? least_index(c) : c->note.index,
				     .after = c->place};
	ord_bytes_clear(&e->scratch);
	ord_wire_put_copy(kind, &part, &e->scratch);
	ord_engine_send(e, c->node, kind);
	c->asked_ms = e->now_ms;
}

/* A piece is asked for as soon as there is room for it, and what copies and blocks of history may take together in a second is not used up. */
static void ask_more(struct ord_copy_in *c)
{
	const struct ord_fill *fill = &c->engine->fill;
	bool may = fill->repair_bytes == 0 || fill->credit_bytes > 0;
	c->asking = !c->all_came && c->waiting.count == 0 && may;
	if (c->asking)
		send(c, ORD_PART_COPY_NEXT);
}

/* The node after the one that was asked last, in a circle, that is connected. 0: none. */
static uint32_t other_node(const struct ord_engine *e, uint32_t after)
{
	uint32_t begin = ord_engine_place(e, after);
	for (uint32_t i = 1; i <= e->nodes_count; i++) {
		uint32_t place = (begin + i) % e->nodes_count;
		if (e->nodes[place] != e->node && e->connected[place])
			return e->nodes[place];
	}
	return 0;
}

static void reset(struct ord_copy_in *c)
{
	c->phase = ORD_COPY_IN_IDLE;
	c->place = (struct ord_pairs_place){0};
	c->asking = false;
	c->all_came = false;
	ord_changes_close(&c->waiting);
}

/* What is being written goes on being written: nothing new begins before it has ended. What was written gives its room back. */
static void give_up(struct ord_copy_in *c)
{
	ord_trace("copy_in gives up", c->partition, c->phase);
	if (c->phase > ORD_COPY_IN_ASKING) {
		send(c, ORD_PART_COPY_END);
		c->dropping = true;
	}
	c->wants[c->partition].node = other_node(c->engine, c->node);
	c->pause_ms = c->engine->now_ms + PAUSE_MS;
	reset(c);
}

static void begin(struct ord_copy_in *c, uint32_t partition)
{
	struct ord_engine *e = c->engine;
	uint32_t node = c->wants[partition].node;
	if (node == 0)
		node = other_node(e, c->node);
	if (node == 0)
		return;
	c->phase = ORD_COPY_IN_ASKING;
	c->partition = partition;
	c->node = node;
	c->number++;
	c->begun_ms = e->now_ms;
	send(c, ORD_PART_COPY_ASK);
}

/* --- What comes. --- */

static bool is_of(const struct ord_copy_in *c, uint32_t node, const struct ord_part_copy *part)
{
	return c->node == node && c->partition == part->partition && c->number == part->number;
}

int ord_copy_in_note(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part)
{
	struct ord_copy_in *c = &e->copy_in;
	struct ord_note note;
	if (part->body.len > ORD_CHECKPOINT_NOTE_BYTES_MAX || ord_note_decode(part->body, &note) != ORD_OK)
		return ORD_ERR_FORMAT;
	if (c->phase != ORD_COPY_IN_ASKING || !is_of(c, node, part))
		return ORD_OK;
	ord_bytes_clear(&c->note_bytes);
	ord_bytes_put(&c->note_bytes, part->body.base, part->body.len);
	ORD_ASSERT(!c->note_bytes.failed && ord_note_decode(ord_bytes_slice(&c->note_bytes), &c->note) == ORD_OK);
	c->phase = ORD_COPY_IN_BEGINNING;
	c->begun_ms = e->now_ms;
	c->writing = true;
	ord_trace("copy_in begins", c->partition, c->note.index);
	states_of(c)->fill_begin(states_of(c)->ctx, c->partition);
	return ORD_OK;
}

static void write_waiting(struct ord_copy_in *c)
{
	struct ord_changes empty = c->written; /* its memory serves the next piece */
	c->written = c->waiting;
	c->waiting = empty;
	c->writing = true;
	states_of(c)->fill_write(states_of(c)->ctx, &c->written);
}

static void go_on(struct ord_copy_in *c)
{
	if (c->writing)
		return;
	if (c->waiting.count > 0) {
		write_waiting(c);
	} else if (c->all_came) {
		c->phase = ORD_COPY_IN_ENDING;
		c->writing = true;
		send(c, ORD_PART_COPY_END);
		states_of(c)->fill_end(states_of(c)->ctx, c->engine->partitions_count);
	}
}

int ord_copy_in_pairs(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part)
{
	struct ord_copy_in *c = &e->copy_in;
	if (c->phase != ORD_COPY_IN_FILLING || !is_of(c, node, part) || !c->asking ||
	    !ord_pairs_place_equal(&part->after, &c->place))
		return ORD_OK;
	if (part->body.len == 0 && !part->is_last)
		return ORD_ERR_FORMAT;
	int err = ord_pairs_take(part->body, &c->place, &c->waiting);
	if (err != ORD_OK) {
		give_up(c);
		return err == ORD_ERR_FORMAT ? err : ORD_OK;
	}
	c->begun_ms = e->now_ms;
	c->received_bytes += part->body.len;
	e->fill.credit_bytes -= (int64_t)part->body.len;
	c->all_came = part->is_last;
	go_on(c);
	ask_more(c);
	return ORD_OK;
}

static void drop(struct ord_copy_in *c)
{
	if (!c->dropping || c->writing || c->engine->stopped)
		return;
	c->dropping = false;
	c->writing = true;
	states_of(c)->fill_drop(states_of(c)->ctx);
}

void ord_copy_in_filled(struct ord_engine *e, int status)
{
	struct ord_copy_in *c = &e->copy_in;
	ORD_ASSERT(c->writing);
	c->writing = false;
	ord_changes_clear(&c->written);
	if (c->phase != ORD_COPY_IN_FILLING)
		ord_changes_close(&c->written);
	drop(c);
	if (e->stopped)
		return;
	if (c->phase != ORD_COPY_IN_IDLE && status != ORD_OK) {
		give_up(c);
	} else if (c->phase == ORD_COPY_IN_BEGINNING) {
		c->phase = ORD_COPY_IN_FILLING;
		c->begun_ms = e->now_ms;
		ask_more(c);
	} else if (c->phase == ORD_COPY_IN_FILLING) {
		go_on(c);
		if (c->phase == ORD_COPY_IN_FILLING && !c->asking)
			ask_more(c);
	} else if (c->phase == ORD_COPY_IN_ENDING) {
		c->phase = ORD_COPY_IN_REPLACING;
	}
}

/* --- One for the other. --- */

/* A replica that has gone astray keeps its log: it must have all that comes after the new state. */
static bool is_needed(const struct ord_copy_in *c)
{
	const struct ord_replica *r = &c->engine->replicas[c->partition];
	struct ord_group_status group;
	ord_host_group_status(c->engine->host, c->partition, &group);
	if (group.role == ORD_ROLE_LEADER)
		return false;
	if (r->fence.state == ORD_FENCE_FENCED && group.base_index <= c->note.base_index)
		return true;
	return r->lost || group.applied_index < c->note.base_index;
}

static void done(struct ord_copy_in *c)
{
	c->wants[c->partition].wanted = false;
	c->dropping = c->phase == ORD_COPY_IN_REPLACING; /* it is not needed any more */
	reset(c);
}

/* The log goes on after the base; or, when it was all there, with the entry after the state. */
static int go_on_from(struct ord_copy_in *c)
{
	struct ord_engine *e = c->engine;
	struct ord_group_status group;
	struct ord_base base;
	ord_host_group_status(e->host, c->partition, &group);
	ord_keep_base(&c->note, &base);
	if (c->was_lost || group.applied_index < c->note.base_index)
		return ord_host_install(e->host, c->partition, &base);
	if (group.applied_index > c->note.index)
		return ord_host_rewind(e->host, c->partition, c->note.index);
	return ORD_OK;
}

static void install(struct ord_copy_in *c)
{
	char why[128];
	struct ord_engine *e = c->engine;
	int err = go_on_from(c);
	if (err == ORD_ERR_BUSY || e->stopped)
		return;
	if (err == ORD_OK)
		c->copies_count++;
	if (err == ORD_OK || err == ORD_ERR_INVALID) {
		done(c);
		return;
	}
	snprintf(why, sizeof why, "partition %u: the state that node %u sent cannot be gone on from (%s)", c->partition,
		 c->node, ord_err_text(err));
	ord_engine_fatal(e, err, why);
}

static void replace(struct ord_copy_in *c)
{
	char why[512];
	struct ord_engine *e = c->engine;
	struct ord_replica *r = &e->replicas[c->partition];
	if (!is_needed(c)) {
		done(c);
		return;
	}
	ord_copy_out_drop(e, c->partition);
	if (ord_keep_is_busy(&e->keep, c->partition) || ord_replica_archives(r))
		return;
	c->was_lost = r->lost;
	int err = ord_replica_replace(r, &c->note, why, sizeof why);
	if (err == ORD_ERR_BUSY)
		return;
	if (err != ORD_OK) {
		ord_engine_fatal(e, err, why);
		return;
	}
	c->phase = ORD_COPY_IN_INSTALLING;
	install(c);
}

/* --- Time. --- */

static void pick(struct ord_copy_in *c)
{
	const struct ord_engine *e = c->engine;
	drop(c);
	if (c->writing || e->now_ms < c->pause_ms || !ord_engine_has_room(e))
		return;
	for (uint32_t i = 0; i < e->partitions_count; i++) {
		uint32_t partition = (c->partition + i) % e->partitions_count;
		struct ord_copy_want *want = &c->wants[partition];
		want->wanted = want->wanted && e->now_ms - want->told_ms < WANT_MS;
		if (want->wanted) {
			begin(c, partition);
			return;
		}
	}
}

static void ask_again(struct ord_copy_in *c)
{
	uint64_t now_ms = c->engine->now_ms;
	if (now_ms - c->begun_ms >= SILENT_MS)
		give_up(c);
	else if (now_ms - c->asked_ms >= ASK_MS)
		send(c, c->phase == ORD_COPY_IN_ASKING ? ORD_PART_COPY_ASK : ORD_PART_COPY_NEXT);
}

void ord_copy_in_tick(struct ord_engine *e)
{
	struct ord_copy_in *c = &e->copy_in;
	bool is_coming = c->phase != ORD_COPY_IN_IDLE && c->phase < ORD_COPY_IN_REPLACING;
	if (is_coming && !ord_engine_has_room(e))
		give_up(c);
	if (c->phase == ORD_COPY_IN_IDLE)
		pick(c);
	else if (c->phase == ORD_COPY_IN_ASKING || (c->phase == ORD_COPY_IN_FILLING && c->asking))
		ask_again(c);
	else if (c->phase == ORD_COPY_IN_FILLING)
		ask_more(c);
	else if (c->phase == ORD_COPY_IN_REPLACING)
		replace(c);
	else if (c->phase == ORD_COPY_IN_INSTALLING)
		install(c);
}
