/* SPDX-License-Identifier: Apache-2.0 - blocks of history between nodes.
 *
 *   idle --a gap of the lowest partition, a peer is connected--> asking --all handed over and durable--> idle
 *    ^                                                             |  ^
 *    |                                                             |  | the gap is looked at anew, another peer is asked
 *    +------ no peer has it: that partition waits a while ---------+--+ a block is wrong, or not there; nothing is heard for a while (draining)
 *
 * One gap at a time, one peer at a time. Blocks are asked for ahead by a window and taken in order; what comes out of order was asked for before something went wrong, and is passed
 * over. What is not handed over yet is never kept, so that memory is the window.
 */
#include "node/fill.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/engine_state.h"

/* Without a block for so long, another peer is asked. */
#define FILL_PATIENCE_MS 2000
/* How often it is looked for gaps while there is none, and how long a partition waits whose gap no peer could fill. */
#define FILL_LOOK_MS 500
#define FILL_RETRY_MS 5000
/* Of one peer at a time: its window, and what it asks to compare. */
#define FILL_ASKS_MAX (2 * ORD_FILL_WINDOW)
/* Credit for so long collects at most. */
#define FILL_CREDIT_MS 200
#define TOKEN_WHOLE (UINT64_C(1) << 32)

void ord_fill_init(struct ord_fill *f, struct ord_engine *e, uint64_t repair_bytes)
{
	*f = (struct ord_fill){.engine = e, .repair_bytes = repair_bytes, .credit_ms = e->now_ms};
}

void ord_fill_close(struct ord_fill *f)
{
	free(f->retry_ms);
	f->retry_ms = NULL;
}

/* The next connected peer behind that place that is not among those left out; nodes_count when there is none. */
static uint32_t peer_next(const struct ord_fill *f, uint32_t place, uint32_t left_out)
{
	const struct ord_engine *e = f->engine;
	for (uint32_t i = 1; i <= e->nodes_count; i++) {
		uint32_t at = (place + i) % e->nodes_count;
		if (e->nodes[at] != e->node && e->connected[at] && (left_out & UINT32_C(1) << at) == 0)
			return at;
	}
	return e->nodes_count;
}

/* --- Fetching. --- */

static void fill_end(struct ord_fill *f)
{
	f->active = false;
	f->draining = false;
	f->look_ms = f->engine->now_ms;
}

/* The partition's gap has to wait. */
static void fill_wait(struct ord_fill *f, uint64_t wait_ms)
{
	struct ord_engine *e = f->engine;
	if (f->retry_ms == NULL)
		f->retry_ms = calloc(e->partitions_count, sizeof *f->retry_ms);
	if (f->retry_ms != NULL)
		f->retry_ms[f->partition] = e->now_ms + wait_ms;
	fill_end(f);
	if (f->retry_ms == NULL)
		f->look_ms = e->now_ms + wait_ms;
}

/* All others have dropped the block by retention: the first one that any of them still keeps; 0: they have not. */
static uint64_t first_kept(const struct ord_fill *f, uint64_t number)
{
	const struct ord_engine *e = f->engine;
	uint64_t first = UINT64_MAX;
	for (uint32_t i = 0; i < e->nodes_count; i++) {
		if (e->nodes[i] == e->node)
			continue;
		if ((f->failed & UINT32_C(1) << i) == 0 || f->firsts[i] <= number)
			return 0;
		first = f->firsts[i] < first ? f->firsts[i] : first;
	}
	return first == UINT64_MAX ? 0 : first;
}

/* From the beginning of the gap as it is now. */
static void gap_begin(struct ord_fill *f)
{
	struct ord_engine *e = f->engine;
	struct ord_history_gap gap;
	f->draining = false;
	if (!e->archive.gap(e->archive.ctx, f->partition, &gap)) {
		fill_end(f);
		return;
	}
	if ((f->failed & UINT32_C(1) << f->place) != 0 || f->place >= e->nodes_count || !e->connected[f->place])
		f->place = peer_next(f, f->place, f->failed);
	if (f->place == e->nodes_count) {
		uint64_t first = first_kept(f, gap.first);
		if (first != 0)
			e->archive.forget(e->archive.ctx, f->partition, first); /* no memory: the next time */
		fill_wait(f, FILL_RETRY_MS);
		return;
	}
	f->next = gap.first;
	f->asked = gap.first - 1;
	f->last = gap.last;
	f->heard_ms = e->now_ms;
}

/* Goes on with another peer when what was handed over is told of; failed: this one does not have what is wanted, and keeps blocks from `first` on; 0:
 * nothing is said of that. */
static void fill_again(struct ord_fill *f, bool failed, uint64_t first)
{
	if (failed) {
		f->failed |= UINT32_C(1) << f->place;
		f->firsts[f->place] = first;
	}
	f->draining = true;
	if (f->handed_count == 0)
		gap_begin(f);
}

static void ask_more(struct ord_fill *f)
{
	struct ord_engine *e = f->engine;
	while (f->active && !f->draining && f->asked < f->last && f->credit_bytes > 0 &&
	       f->asked + 1 - f->next + f->handed_count < ORD_FILL_WINDOW && !e->archive.is_full(e->archive.ctx)) {
		struct ord_part_want_block part = {.partition = f->partition, .number = ++f->asked};
		if (part.number == f->next)
			f->heard_ms = e->now_ms; /* nothing was asked for: patience begins */
		ord_bytes_clear(&e->scratch);
		ord_wire_put_want_block(&part, &e->scratch);
		ord_engine_send(e, e->nodes[f->place], ORD_PART_WANT_BLOCK);
	}
}

/* The lowest partition with a gap that need not wait. */
static void fill_look(struct ord_fill *f)
{
	struct ord_engine *e = f->engine;
	struct ord_history_gap gap;
	f->look_ms = e->now_ms + FILL_LOOK_MS;
	f->failed = 0;
	if (peer_next(f, f->place, 0) == e->nodes_count)
		return;
	for (uint32_t i = e->shard; i < e->partitions_count; i += e->shards_count) {
		bool waits = f->retry_ms != NULL && f->retry_ms[i] > e->now_ms;
		if (waits || !e->archive.gap(e->archive.ctx, i, &gap))
			continue;
		f->active = true;
		f->partition = i;
		gap_begin(f);
		return;
	}
}

static void credit_earn(struct ord_fill *f)
{
	uint64_t passed_ms = f->engine->now_ms - f->credit_ms;
	int64_t most = (int64_t)(f->repair_bytes * FILL_CREDIT_MS / 1000);
	f->credit_ms = f->engine->now_ms;
	f->credit_bytes += (int64_t)(f->repair_bytes * (passed_ms < 1000 ? passed_ms : 1000) / 1000);
	if (f->credit_bytes > most)
		f->credit_bytes = most;
}

static void compare_ask(struct ord_fill *f);

void ord_fill_tick(struct ord_fill *f)
{
	struct ord_engine *e = f->engine;
	if (!e->has_archive)
		return;
	if (f->compare_asked && e->now_ms - f->compare_ms >= FILL_PATIENCE_MS) {
		f->compare_asked = false; /* the next one instead: it comes by again */
		f->compares_count--;
		memmove(f->compares, f->compares + 1, f->compares_count * sizeof *f->compares);
	}
	compare_ask(f);
	if (f->repair_bytes == 0)
		return;
	credit_earn(f);
	if (!f->active && f->handed_count == 0 && e->now_ms >= f->look_ms && ord_engine_has_room(e))
		fill_look(f);
	if (!f->active || f->draining)
		return;
	if (f->asked >= f->next && e->now_ms - f->heard_ms >= FILL_PATIENCE_MS)
		fill_again(f, true, 0);
	if (ord_engine_has_room(e))
		ask_more(f);
}

int ord_fill_receive_block(struct ord_fill *f, uint32_t place, struct ord_slice body)
{
	struct ord_engine *e = f->engine;
	struct ord_part_block part;
	if (ord_wire_get_block(body, &part) != ORD_OK || !ord_engine_owns(e, part.partition))
		return ORD_ERR_FORMAT;
	if (!f->active || f->draining || place != f->place || part.partition != f->partition ||
	    part.number != f->next || part.number > f->asked)
		return ORD_OK; /* asked for before something went wrong */
	f->heard_ms = e->now_ms;
	f->credit_bytes -= (int64_t)part.bytes.len;
	if (part.status != ORD_PART_BLOCK_HERE ||
	    e->archive.fill(e->archive.ctx, part.partition, part.number, part.bytes) != ORD_OK) {
		fill_again(f, true, part.status == ORD_PART_BLOCK_NOT_FOUND ? part.first : 0);
		return ORD_OK;
	}
	f->next++;
	f->handed_count++;
	return ORD_OK;
}

void ord_fill_filled(struct ord_fill *f, uint32_t partition, uint64_t number, int status)
{
	ORD_ASSERT(f->handed_count > 0);
	f->handed_count--;
	if (!f->active)
		return;
	ORD_ASSERT(partition == f->partition);
	if (status == ORD_ERR_NO_SPACE) {
		fill_wait(f, FILL_RETRY_MS);
		return;
	}
	if (status != ORD_OK && !f->draining)
		fill_again(f, status == ORD_ERR_CORRUPT, 0);
	else if (f->draining && f->handed_count == 0)
		gap_begin(f);
	else if (!f->draining && number == f->last)
		fill_end(f);
	ask_more(f);
}

void ord_fill_peer_lost(struct ord_fill *f, uint32_t place)
{
	f->asks_count[place] = 0;
	if (f->active && place == f->place)
		fill_again(f, false, 0);
}

/* --- Giving. --- */

int ord_fill_receive_want(struct ord_fill *f, uint32_t place, bool whole, struct ord_slice body)
{
	struct ord_engine *e = f->engine;
	struct ord_part_want_block part;
	if (ord_wire_get_want_block(body, &part) != ORD_OK || !ord_engine_owns(e, part.partition))
		return ORD_ERR_FORMAT;
	if (!e->has_archive || f->asks_count[place] >= FILL_ASKS_MAX)
		return ORD_OK; /* more than a peer asks for at a time: it asks again */
	uint64_t token = e->nodes[place] | (whole ? TOKEN_WHOLE : 0);
	f->asks_count[place]++;
	int err = e->archive.ask(e->archive.ctx, part.partition, part.number, whole, token);
	if (err != ORD_OK) {
		struct ord_archive_answer none = {
			.token = token, .partition = part.partition, .number = part.number, .status = err};
		ord_fill_answered(f, &none);
	}
	return ORD_OK;
}

static enum ord_part_block_status status_of(int err)
{
	if (err == ORD_OK)
		return ORD_PART_BLOCK_HERE;
	return err == ORD_ERR_NOT_FOUND ? ORD_PART_BLOCK_NOT_FOUND : ORD_PART_BLOCK_NOT_NOW;
}

void ord_fill_answered(struct ord_fill *f, const struct ord_archive_answer *a)
{
	struct ord_engine *e = f->engine;
	uint32_t node = (uint32_t)a->token, place = ord_engine_place(e, node);
	if (place < e->nodes_count && f->asks_count[place] > 0)
		f->asks_count[place]--;
	ord_bytes_clear(&e->scratch);
	if ((a->token & TOKEN_WHOLE) != 0) {
		struct ord_part_block part = {.partition = a->partition,
					      .number = a->number,
					      .status = status_of(a->status),
					      .first = a->first,
					      .bytes = a->bytes};
		ord_wire_put_block(&part, &e->scratch);
		ord_engine_send(e, node, ORD_PART_BLOCK);
		return;
	}
	struct ord_part_block_id part = {.partition = a->partition, .status = status_of(a->status), .id = a->id};
	part.id.number = a->number;
	ord_wire_put_block_id(&part, &e->scratch);
	ord_engine_send(e, node, ORD_PART_BLOCK_ID);
}

/* --- Comparing. --- */

static void compare_ask(struct ord_fill *f)
{
	struct ord_engine *e = f->engine;
	uint32_t place = peer_next(f, f->compare_place, 0);
	if (f->compare_asked || f->compares_count == 0 || place == e->nodes_count)
		return;
	struct ord_part_want_block part = {.partition = f->compares[0].partition, .number = f->compares[0].id.number};
	f->compare_place = place; /* another one each time */
	f->compare_asked = true;
	f->compare_ms = e->now_ms;
	ord_bytes_clear(&e->scratch);
	ord_wire_put_want_block(&part, &e->scratch);
	ord_engine_send(e, e->nodes[place], ORD_PART_WANT_BLOCK_ID);
}

void ord_fill_checked(struct ord_fill *f, uint32_t partition, const struct ord_block_id *id)
{
	if (f->engine->nodes_count == 1 || f->compares_count == ORD_FILL_COMPARES)
		return;
	f->compares[f->compares_count++] = (struct ord_fill_compare){.partition = partition, .id = *id};
	compare_ask(f);
}

int ord_fill_receive_id(struct ord_fill *f, uint32_t place, struct ord_slice body)
{
	struct ord_engine *e = f->engine;
	struct ord_part_block_id part;
	if (ord_wire_get_block_id(body, &part) != ORD_OK || !ord_engine_owns(e, part.partition))
		return ORD_ERR_FORMAT;
	const struct ord_fill_compare *first = &f->compares[0];
	if (!f->compare_asked || place != f->compare_place || part.partition != first->partition ||
	    part.id.number != first->id.number)
		return ORD_OK;
	if (part.status == ORD_PART_BLOCK_HERE)
		e->archive.compared(e->archive.ctx, part.partition, part.id.number, e->nodes[place],
				    ord_block_id_equal(&part.id, &first->id));
	f->compare_asked = false;
	f->compares_count--;
	memmove(f->compares, f->compares + 1, f->compares_count * sizeof *f->compares);
	compare_ask(f);
	return ORD_OK;
}
