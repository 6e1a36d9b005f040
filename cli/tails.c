/* SPDX-License-Identifier: Apache-2.0 - the ends of the partitions' logs.
 *
 * That an entry is in a node's write-ahead log does not mean that it is committed: a later leader may overrule it. What a checkpoint has in it is committed. So the tail ends with the newest
 * checkpoint, and what was taken from the log counts when its hash chain leads from the last block to the history hash of that checkpoint.
 */
#include "cli/tails.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/apart.h"
#include "cli/segments.h"
#include "cli/state_file.h"
#include "partition/chain.h"
#include "partition/command.h"
#include "partition/stored.h"

#define WHY_SIZE (PATH_MAX + 256)

int ord_tails_open(struct ord_tails *t, uint32_t partitions_count)
{
	*t = (struct ord_tails){.count = partitions_count, .tails = calloc(partitions_count, sizeof *t->tails)};
	if (t->tails == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < partitions_count; i++)
		ord_bytes_init(&t->tails[i].content, ORD_TAIL_BYTES_MAX);
	return ORD_OK;
}

void ord_tails_close(struct ord_tails *t)
{
	for (uint32_t i = 0; t->tails != NULL && i < t->count; i++)
		ord_bytes_close(&t->tails[i].content);
	free(t->tails);
	*t = (struct ord_tails){.count = 0};
}

/* --- Checkpoints, in a process of its own. --- */

struct checkpoint {
	bool is_there;
	struct ord_note note;
	uint64_t position;
	uint8_t history_hash[ORD_CHAIN_BYTES];
};

struct checkpoints {
	struct ord_home home;
	uint32_t count;
	uint32_t looked_count;
	int err;
	char why[WHY_SIZE];
	struct checkpoint found[];
};

static int body_get(const struct ord_store *store, const char *key, struct ord_slice *ret)
{
	struct ord_slice value;
	int err = store->get(store->ctx, ORD_STORE_META, ord_slice_text(key), &value);
	return err == ORD_OK ? ord_stored_verify(ORD_STORE_META, ord_slice_text(key), value, ret) : err;
}

static int checkpoint_read(const struct ord_store *store, struct checkpoint *c)
{
	struct ord_slice body;
	struct ord_stored_numbers numbers;
	int err = body_get(store, ORD_STORED_NUMBERS_KEY, &body);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK; /* nothing was written yet */
	if (err == ORD_OK)
		err = ord_stored_numbers(body, &numbers);
	if (err == ORD_OK)
		err = body_get(store, ORD_STORED_NOTE_KEY, &body);
	if (err == ORD_OK)
		err = ord_note_decode(body, &c->note);
	if (err != ORD_OK)
		return err == ORD_ERR_NOT_FOUND ? ORD_ERR_CORRUPT : err;
	c->note.members = ord_slice_of(NULL, 0);
	c->position = numbers.numbers[ORD_STORED_position];
	memcpy(c->history_hash, numbers.history_hash, sizeof c->history_hash);
	c->is_there = true;
	return ORD_OK;
}

static int checkpoint_look(struct checkpoints *all, uint32_t partition)
{
	struct ord_state_file *file = NULL;
	char directory[ORD_HOME_PATH_SIZE];
	ord_home_of(&all->home, partition, directory);
	int err = ord_state_file_open(directory, partition, &file, all->why, sizeof all->why);
	if (err == ORD_ERR_NOT_FOUND)
		return ORD_OK;
	if (err != ORD_OK)
		return err;
	err = checkpoint_read(ord_state_file_store(file), &all->found[partition]);
	if (err != ORD_OK)
		snprintf(all->why, sizeof all->why, "%s: the checkpoint cannot be read: %s", ord_state_file_path(file),
			 ord_err_text(err));
	ord_state_file_close(file);
	return err;
}

static void checkpoints_look(void *ctx)
{
	struct checkpoints *all = ctx;
	all->err = ORD_OK;
	for (; all->err == ORD_OK && all->looked_count < all->count; all->looked_count++)
		all->err = checkpoint_look(all, all->looked_count);
}

static bool checkpoint_take(struct ord_tail *t, const struct checkpoint *c)
{
	bool changed = c->is_there != t->has_checkpoint || c->note.index != t->note.index ||
		       c->note.end.number != t->note.end.number;
	t->has_checkpoint = c->is_there;
	t->note = c->note;
	t->position = c->position;
	memcpy(t->history_hash, c->history_hash, sizeof t->history_hash);
	return changed;
}

int ord_tails_look(struct ord_tails *t, const struct ord_home *home, bool *ret_changed, char *why, size_t why_size)
{
	size_t bytes = sizeof(struct checkpoints) + t->count * sizeof(struct checkpoint);
	struct checkpoints *all = calloc(1, bytes);
	snprintf(why, why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	if (all == NULL)
		return ORD_ERR_NOMEM;
	*all = (struct checkpoints){.home = *home, .count = t->count};
	int err = ord_apart_run(checkpoints_look, all, bytes);
	if (err == ORD_ERR_CORRUPT) {
		char directory[ORD_HOME_PATH_SIZE];
		ord_home_of(home, all->looked_count, directory);
		ord_state_file_died(directory, all->looked_count, why, why_size);
	} else if (err == ORD_OK && (err = all->err) != ORD_OK) {
		snprintf(why, why_size, "%s", all->why);
	}
	*ret_changed = false;
	for (uint32_t i = 0; err == ORD_OK && i < t->count; i++)
		*ret_changed |= checkpoint_take(&t->tails[i], &all->found[i]);
	free(all);
	return err;
}

/* --- The log. --- */

/* A command entry that was met. */
struct item {
	uint64_t index;
	uint64_t term;
	size_t offset; /* in the bytes of its partition */
	size_t len;
};

struct gathered {
	struct ord_bytes bytes; /* owned; payloads */
	struct item *items;	/* owned; in the order they were met */
	size_t count;
	size_t capacity;
	uint64_t greatest; /* index, of all items */
};

struct gather {
	struct ord_tails *tails;   /* borrowed */
	struct gathered *gathered; /* owned; by partition */
};

/* What is written as entry index takes the place of all that was there from index on. */
static void items_void(struct gathered *g, uint64_t index)
{
	size_t kept = 0;
	if (index > g->greatest)
		return;
	g->greatest = 0;
	for (size_t i = 0; i < g->count; i++) {
		if (g->items[i].index >= index)
			continue;
		g->items[kept++] = g->items[i];
		if (g->items[i].index > g->greatest)
			g->greatest = g->items[i].index;
	}
	g->count = kept;
}

static bool items_have(const struct gathered *g, uint64_t index)
{
	for (size_t i = 0; index <= g->greatest && i < g->count; i++)
		if (g->items[i].index == index)
			return true;
	return false;
}

/* What does not fit is left out: then the tail is not whole. */
static void item_add(struct gathered *g, const struct ord_record *r, bool has_payload)
{
	if (g->count == g->capacity) {
		size_t capacity = g->capacity == 0 ? 64 : g->capacity * 2;
		struct item *items = realloc(g->items, capacity * sizeof *items);
		if (items == NULL)
			return;
		g->items = items;
		g->capacity = capacity;
	}
	struct item item = {.index = r->index, .term = r->term, .offset = g->bytes.len, .len = r->payload.len};
	if (has_payload)
		ord_bytes_put(&g->bytes, r->payload.base, r->payload.len);
	if (g->bytes.failed)
		return;
	g->items[g->count++] = item;
	if (r->index > g->greatest)
		g->greatest = r->index;
}

static void entry_take(const struct ord_tail *t, struct gathered *g, const struct ord_record *r)
{
	bool is_of_tail = t->has_checkpoint && r->index > t->note.end.last_index && r->index <= t->note.index;
	bool is_due = r->index > t->note.index && r->index <= t->wanted_index;
	if (r->kind == ORD_ENTRY_COMMAND && (is_of_tail || is_due))
		item_add(g, r, is_of_tail);
}

static void end_take(struct ord_tail *t, const struct ord_record *r)
{
	t->log_index = r->index;
	t->log_term = r->term;
}

static bool record_take(void *ctx, const struct ord_segments_place *place, const struct ord_record *r)
{
	struct gather *all = ctx;
	(void)place;
	if (r->group >= all->tails->count || r->type == ORD_RECORD_VOTE)
		return true;
	struct ord_tail *t = &all->tails->tails[r->group];
	struct gathered *g = &all->gathered[r->group];
	if (r->type == ORD_RECORD_COPY) {
		struct ord_record entry = ord_record_of_copy(r);
		if (entry.index > t->log_index)
			end_take(t, &entry);
		if (!items_have(g, entry.index))
			entry_take(t, g, &entry);
		return true;
	}
	end_take(t, r);
	if (r->type == ORD_RECORD_BASE)
		t->base_index = r->index;
	items_void(g, r->type == ORD_RECORD_BASE ? 0 : r->index);
	if (r->type == ORD_RECORD_ENTRY)
		entry_take(t, g, r);
	return true;
}

static void place_tell(char text[ORD_FOLDER_WHY_SIZE], const struct ord_segments_place *place, const char *what)
{
	if (text[0] == '\0')
		snprintf(text, ORD_FOLDER_WHY_SIZE, "%s, offset %" PRIu64 ": %s", place->path, place->offset, what);
}

static void damage_take(void *ctx, const struct ord_segments_place *place, uint64_t bytes, const char *why)
{
	struct gather *all = ctx;
	(void)bytes;
	place_tell(all->tails->damage, place, why);
}

static void unfinished_take(void *ctx, const struct ord_segments_place *place, uint64_t bytes)
{
	struct gather *all = ctx;
	(void)bytes;
	place_tell(all->tails->unfinished, place, "no whole batch begins here");
}

/* --- Is it whole? --- */

static int items_compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Adds one entry to the content; entries without commands are no part of a history. */
static void content_add(struct ord_tail *t, const struct gathered *g, const struct item *item, struct ord_chain *chain,
			uint64_t *position)
{
	struct ord_slice bytes = ord_slice_of(g->bytes.base + item->offset, item->len);
	struct ord_reader r = ord_reader_of(bytes);
	struct ord_entry_header header;
	if (ord_entry_decode(&r, &header) != ORD_OK || header.commands_count == 0)
		return;
	struct ord_block_entry e = {.index = item->index, .term = item->term, .position = *position, .bytes = bytes};
	ord_block_entry_encode(&e, &t->content);
	ord_chain_add(chain, bytes);
	*position += header.commands_count;
}

static int tail_make(struct ord_tail *t, struct gathered *g)
{
	struct ord_chain chain;
	uint64_t position = t->note.end.next_position;
	ord_bytes_clear(&t->content);
	t->is_whole = false;
	t->due_index = g->greatest > t->note.index ? g->greatest : 0;
	if (!t->has_checkpoint)
		return ORD_OK;
	if (ord_chain_open(&chain) != ORD_OK)
		return ORD_ERR_NOMEM;
	memcpy(chain.hash, t->note.end.chain, sizeof chain.hash);
	if (g->count > 0)
		qsort(g->items, g->count, sizeof *g->items, items_compare);
	for (size_t i = 0; i < g->count && g->items[i].index <= t->note.index; i++)
		content_add(t, g, &g->items[i], &chain, &position);
	t->is_whole = !t->content.failed && position == t->position &&
		      memcmp(chain.hash, t->history_hash, sizeof chain.hash) == 0;
	/* The history had passed the checkpoint already. */
	if (t->note.end.last_index > t->note.index)
		t->is_whole = true;
	ord_chain_close(&chain);
	return ORD_OK;
}

static void gathered_close(struct gather *all)
{
	for (uint32_t i = 0; all->gathered != NULL && i < all->tails->count; i++) {
		ord_bytes_close(&all->gathered[i].bytes);
		free(all->gathered[i].items);
	}
	free(all->gathered);
}

int ord_tails_read(struct ord_tails *t, const struct ord_home *home, char *why, size_t why_size)
{
	struct gather all = {.tails = t, .gathered = calloc(t->count, sizeof *all.gathered)};
	struct ord_segments_visitor visitor = {
		.ctx = &all, .record = record_take, .damage = damage_take, .unfinished = unfinished_take};
	t->damage[0] = '\0';
	t->unfinished[0] = '\0';
	snprintf(why, why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	if (all.gathered == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		ord_bytes_init(&all.gathered[i].bytes, ORD_TAIL_BYTES_MAX);
		t->tails[i].log_index = 0;
		t->tails[i].log_term = 0;
		t->tails[i].base_index = 0;
	}
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < ord_home_shards(home); i++) {
		char directory[ORD_HOME_PATH_SIZE];
		ord_home_of_shard(home, i, directory);
		err = ord_segments_walk(directory, &visitor, why, why_size);
	}
	for (uint32_t i = 0; err == ORD_OK && i < t->count; i++)
		err = tail_make(&t->tails[i], &all.gathered[i]);
	gathered_close(&all);
	return err;
}

bool ord_tail_has_overruled(const struct ord_tail *t, uint64_t index, uint64_t term)
{
	return t->log_index < index && t->log_term > term;
}
