/* SPDX-License-Identifier: Apache-2.0 - copies of states for other nodes. Who asks names the place in the copy each time, so that a part that was lost is asked for once more, also over another connection. */
#include "node/copy_out.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/trace.h"
#include "node/engine_state.h"
#include "partition/note.h"
#include "partition/stored.h"

/* After so long without a word from who asked. */
#define SILENT_MS 30000u
/* Who has the whole copy still has to put it in its place, and to catch up. */
#define LINGER_MS 10000u

static struct ord_states *states_of(struct ord_engine *e)
{
	return &e->keep.states;
}

static struct ord_copy_out *find(struct ord_engine *e, uint32_t node, uint32_t partition, uint64_t number)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		struct ord_copy_out *c = &e->copies_out.copies[i];
		if (c->phase == ORD_COPY_OUT_OPEN && c->node == node && c->partition == partition &&
		    c->number == number)
			return c;
	}
	return NULL;
}

static void close_copy(struct ord_engine *e, struct ord_copy_out *c)
{
	ORD_ASSERT(c->phase == ORD_COPY_OUT_OPEN);
	ord_trace("copy_out ends", c->partition, c->node);
	states_of(e)->copy_close(states_of(e)->ctx, c->copy);
	c->phase = ORD_COPY_OUT_LINGERING;
	c->reading = false;
	c->heard_ms = e->now_ms;
}

/* A node fills one copy at a time: it has given up the one before. */
static void close_others(struct ord_engine *e, uint32_t node)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		struct ord_copy_out *c = &e->copies_out.copies[i];
		if (c->phase == ORD_COPY_OUT_OPEN && c->node == node)
			close_copy(e, c);
	}
}

static int note_read(const struct ord_store *store, struct ord_slice *ret_bytes, struct ord_note *ret)
{
	struct ord_slice key = ord_slice_text(ORD_STORED_NOTE_KEY), value;
	int err = store->get(store->ctx, ORD_STORE_META, key, &value);
	if (err == ORD_OK)
		err = ord_stored_verify(ORD_STORE_META, key, value, ret_bytes);
	return err == ORD_OK ? ord_note_decode(*ret_bytes, ret) : err;
}

static void send_note(struct ord_engine *e, const struct ord_copy_out *c)
{
	struct ord_part_copy part = {.partition = c->partition, .number = c->number};
	struct ord_note note;
	if (note_read(c->store, &part.body, &note) != ORD_OK)
		return;
	ord_bytes_clear(&e->scratch);
	ord_wire_put_copy(ORD_PART_COPY_NOTE, &part, &e->scratch);
	ord_engine_send(e, c->node, ORD_PART_COPY_NOTE);
}

static struct ord_copy_out *free_place(struct ord_engine *e)
{
	struct ord_copy_out *oldest = NULL;
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		struct ord_copy_out *c = &e->copies_out.copies[i];
		if (c->phase == ORD_COPY_OUT_FREE)
			return c;
		if (c->phase == ORD_COPY_OUT_LINGERING && (oldest == NULL || c->heard_ms < oldest->heard_ms))
			oldest = c;
	}
	return oldest;
}

/* Opens a copy if the last checkpoint will do; otherwise sees to it that there is one soon, for who asks will ask again. */
static struct ord_copy_out *open_copy(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part)
{
	struct ord_states *s = states_of(e);
	struct ord_copy_out *c = free_place(e);
	struct ord_copy_out made = {.phase = ORD_COPY_OUT_OPEN,
				    .node = node,
				    .number = part->number,
				    .partition = part->partition,
				    .heard_ms = e->now_ms};
	struct ord_slice bytes;
	struct ord_note note;
	if (c == NULL || s->copy_open(s->ctx, part->partition, &made.copy, &made.store) != ORD_OK)
		return NULL;
	int err = note_read(made.store, &bytes, &note);
	/* One after whose base all entries are in every log, from the first one on, is of use to who has them, and has gone astray or lost its state. */
	if (err != ORD_OK || note.index == 0 || note.base_index < part->index) {
		s->copy_close(s->ctx, made.copy);
		ord_keep_want(&e->keep, part->partition);
		return NULL;
	}
	made.index = note.index;
	made.base_index = note.base_index;
	*c = made;
	ord_trace("copy_out begins", c->partition, c->node);
	return c;
}

void ord_copy_out_ask(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part)
{
	if (!e->keep.enabled || !ord_replica_is_whole(&e->replicas[part->partition]))
		return;
	struct ord_copy_out *c = find(e, node, part->partition, part->number);
	if (c == NULL) {
		close_others(e, node);
		c = open_copy(e, node, part);
	}
	if (c != NULL)
		send_note(e, c);
}

void ord_copy_out_next(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part)
{
	struct ord_copy_out *c = find(e, node, part->partition, part->number);
	/* An ASK that was sent twice may open another copy under the same number, of a later checkpoint, when the first one had to end: two halves are no state. */
	if (c == NULL || c->index != part->index)
		return;
	c->heard_ms = e->now_ms;
	if (c->reading)
		return;
	c->reading = true;
	c->after = part->after;
	states_of(e)->copy_read(states_of(e)->ctx, c->copy, &c->after, e->bounds.copy_bytes);
}

void ord_copy_out_end(struct ord_engine *e, uint32_t node, const struct ord_part_copy *part)
{
	struct ord_copy_out *c = find(e, node, part->partition, part->number);
	if (c != NULL)
		close_copy(e, c);
}

void ord_copy_out_read(struct ord_engine *e, unsigned copy, int status, const struct ord_changes *pairs, bool is_last)
{
	struct ord_copy_out *c = e->copies_out.copies;
	while (c->phase != ORD_COPY_OUT_OPEN || c->copy != copy)
		ORD_ASSERT(++c < e->copies_out.copies + ORD_STATES_COPIES_MAX);
	c->reading = false;
	if (status !=
	    ORD_OK) { /* who asked will ask another node; this one meets the damage when it needs the record itself */
		close_copy(e, c);
		return;
	}
	struct ord_part_copy part = {.partition = c->partition,
				     .number = c->number,
				     .after = c->after,
				     .is_last = is_last,
				     .body = ord_bytes_slice(&pairs->bytes)};
	ord_bytes_clear(&e->scratch);
	ord_wire_put_copy(ORD_PART_COPY_PAIRS, &part, &e->scratch);
	ord_engine_send(e, c->node, ORD_PART_COPY_PAIRS);
	c->sent_bytes += part.body.len;
	e->copies_out.sent_bytes += part.body.len;
}

void ord_copy_out_tick(struct ord_engine *e)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		struct ord_copy_out *c = &e->copies_out.copies[i];
		if (c->phase == ORD_COPY_OUT_OPEN && !c->reading && e->now_ms - c->heard_ms >= SILENT_MS)
			close_copy(e, c);
		else if (c->phase == ORD_COPY_OUT_LINGERING && e->now_ms - c->heard_ms >= LINGER_MS)
			c->phase = ORD_COPY_OUT_FREE;
	}
}

void ord_copy_out_drop(struct ord_engine *e, uint32_t partition)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		struct ord_copy_out *c = &e->copies_out.copies[i];
		if (c->phase == ORD_COPY_OUT_OPEN && c->partition == partition)
			close_copy(e, c);
	}
}

uint64_t ord_copy_out_held(const struct ord_engine *e, uint32_t partition)
{
	uint64_t index = UINT64_MAX;
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		const struct ord_copy_out *c = &e->copies_out.copies[i];
		if (c->phase != ORD_COPY_OUT_FREE && c->partition == partition && c->base_index < index)
			index = c->base_index;
	}
	return index;
}

uint32_t ord_copy_out_count(const struct ord_engine *e)
{
	uint32_t count = 0;
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		count += e->copies_out.copies[i].phase == ORD_COPY_OUT_OPEN;
	return count;
}
