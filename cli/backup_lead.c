/* SPDX-License-Identifier: Apache-2.0 - leads the states of a backup forward, by what the node has in its histories and its log, until that suffices. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "cli/backup_inside.h"
#include "cli/cut.h"
#include "cli/process.h"

/* Until the log is read again: it gets entries, loses them and is repaired also where no checkpoint comes of it. */
#define LOG_PAUSE_MS 1000
#define LOG_REST 3 /* and so many times what reading it took, but not more than: */
#define LOG_REST_MS_MAX 10000

/* --- Forward. --- */

/* How far. */
struct until {
	bool by_index;
	uint64_t index; /* the last entry; or: */
	uint32_t destination;
	uint64_t number; /* of a message to there */
};

struct forward {
	struct ord_backup *b;
	uint32_t partition;
	struct until until;
	uint64_t last_index; /* that the history has */
	bool is_there;
	int err;
};

static uint64_t position_of(const struct ord_partition *p)
{
	struct ord_partition_status s;
	ord_partition_status(p, &s);
	return s.position;
}

static bool message_is_sent(const struct forward *f)
{
	const struct ord_partition *p = f->b->states[f->partition];
	return ord_partition_outbox_next(p, f->until.destination) > f->until.number;
}

static bool is_there(const struct forward *f, const struct ord_block_entry *next)
{
	return f->until.by_index ? next->index > f->until.index : message_is_sent(f);
}

/* False when it is there, or cannot go on. */
static bool entry_apply(struct forward *f, const struct ord_block_entry *e)
{
	struct ord_backup_part *part = &f->b->parts[f->partition];
	uint64_t position = position_of(part->copy.partition);
	f->is_there = is_there(f, e);
	if (f->is_there || e->position > position)
		return false;
	if (e->position < position)
		return true;
	f->err = ord_partition_apply(part->copy.partition, e->bytes, &f->b->effects);
	if (f->err != ORD_OK) {
		snprintf(f->b->why, f->b->why_size,
			 "partition %" PRIu32 ": the entry at position %" PRIu64
			 " cannot be applied to its checkpoint: %s",
			 f->partition, position, ord_err_text(f->err));
		return false;
	}
	part->index = e->index;
	part->term = e->term;
	part->time_us = e->time_us;
	return true;
}

static bool block_apply(void *ctx, const struct ord_archive_place *place, const struct ord_block *b)
{
	struct forward *f = ctx;
	struct ord_block_cursor cursor = ord_block_cursor_of(&b->header, b->content);
	struct ord_block_entry e;
	(void)place;
	f->last_index = b->header.last_index;
	while (ord_block_next(&cursor, &e) == ORD_OK)
		if (!entry_apply(f, &e))
			return false;
	return true;
}

static void damage_take(void *ctx, const struct ord_archive_place *place, uint64_t bytes, const char *why)
{
	struct forward *f = ctx;
	(void)bytes;
	if (f->err == ORD_OK)
		snprintf(f->b->why, f->b->why_size, "%s, offset %" PRIu64 ": %s", place->path, place->offset, why);
	f->err = ORD_ERR_CORRUPT;
}

static void history_apply(struct forward *f)
{
	struct ord_archive_total total;
	struct ord_archive_visitor visitor = {.ctx = f,
					      .block = block_apply,
					      .damage = damage_take,
					      .from_position = position_of(f->b->states[f->partition])};
	char why[ORD_FOLDER_WHY_SIZE];
	int err = f->b->has_archive ? ord_archive_walk(&f->b->archive, f->partition, &visitor, &total, why, sizeof why)
				    : ORD_OK;
	if (err == ORD_OK || err == ORD_ERR_NOT_FOUND || f->err != ORD_OK)
		return;
	snprintf(f->b->why, f->b->why_size, "%s", why);
	f->err = err;
}

static void tail_apply(struct forward *f)
{
	const struct ord_tail *t = &f->b->tails.tails[f->partition];
	struct ord_block_cursor cursor = {.reader = ord_reader_of(ord_bytes_slice(&t->content)),
					  .position = t->note.end.next_position};
	struct ord_block_entry e;
	if (!t->is_whole)
		return;
	while (ord_block_next(&cursor, &e) == ORD_OK && entry_apply(f, &e))
		;
}

bool ord_backup_log_is_damaged(const struct ord_backup *b)
{
	return b->tails.damage[0] != '\0' || (b->node_runs && b->tails.unfinished[0] != '\0');
}

/* Is it known that no entry up to the index was left out? What stood in a damaged part of the log is not known. */
static bool index_is_reached(const struct forward *f)
{
	const struct ord_tail *t = &f->b->tails.tails[f->partition];
	bool is_in_checkpoint = t->note.index >= f->until.index;
	/* A log that begins behind the checkpoint is newer than what was seen of that. */
	bool is_in_log = is_in_checkpoint || (t->log_index >= f->until.index && t->base_index <= t->note.index);
	if ((t->has_checkpoint && !t->is_whole) || (ord_backup_log_is_damaged(f->b) && !is_in_checkpoint))
		return false;
	return is_in_log && f->last_index >= t->due_index && position_of(f->b->states[f->partition]) >= t->position;
}

/* ORD_ERR_NOT_FOUND: the entries that are known to be committed end before. */
static int forward(struct ord_backup *b, uint32_t partition, struct until until)
{
	struct forward f = {.b = b, .partition = partition, .until = until};
	if (until.by_index ? b->parts[partition].index >= until.index : message_is_sent(&f))
		return ORD_OK;
	history_apply(&f);
	if (f.err == ORD_OK && !f.is_there)
		tail_apply(&f);
	if (f.err != ORD_OK || f.is_there)
		return f.err;
	return (until.by_index ? index_is_reached(&f) : message_is_sent(&f)) ? ORD_OK : ORD_ERR_NOT_FOUND;
}

static int forward_to_message(void *ctx, uint32_t partition, uint32_t destination, uint64_t number)
{
	return forward(ctx, partition, (struct until){.destination = destination, .number = number});
}

/* --- One look at what the node has. --- */

static int wanted_reach(struct ord_backup *b, struct ord_cut_gap *ret)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < b->identity.partitions_count; i++) {
		*ret = (struct ord_cut_gap){.source = i, .destination = i};
		err = forward(b, i, (struct until){.by_index = true, .index = b->wanted[i].index});
	}
	return err;
}

/* Is all of the histories there that leads to the states? */
static int histories_look(const struct ord_backup *b, struct ord_cut_gap *ret)
{
	for (uint32_t i = 0; i < b->identity.partitions_count; i++) {
		const struct ord_tail *t = &b->tails.tails[i];
		if (t->is_whole || position_of(b->states[i]) <= t->note.end.next_position)
			continue;
		*ret = (struct ord_cut_gap){.source = i, .destination = i};
		return ORD_ERR_NOT_FOUND;
	}
	return ORD_OK;
}

static int log_read(struct ord_backup *b)
{
	int64_t begun_ms = ord_process_now_ms();
	int err = ord_tails_read(&b->tails, &b->home, b->why, b->why_size);
	int64_t now_ms = ord_process_now_ms();
	int64_t rest_ms = LOG_REST * (now_ms - begun_ms);
	b->log_due_ms = now_ms + LOG_PAUSE_MS + (rest_ms < LOG_REST_MS_MAX ? rest_ms : LOG_REST_MS_MAX);
	if (err == ORD_OK)
		ord_mend_see(&b->mend, b->tails.damage, b->node_runs ? b->tails.unfinished : "", now_ms);
	return err;
}

static int attempt(struct ord_backup *b, struct ord_cut_gap *ret_gap)
{
	struct ord_cut cut = {.partitions = b->states,
			      .count = b->identity.partitions_count,
			      .ctx = b,
			      .forward = forward_to_message};
	for (uint32_t i = 0; i < b->identity.partitions_count; i++)
		b->tails.tails[i].wanted_index = b->wanted[i].index;
	int err = log_read(b);
	if (err != ORD_OK)
		return err;
	if (!ord_backup_wanted_settle(b)) {
		*ret_gap = (struct ord_cut_gap){0};
		return ORD_ERR_NOT_FOUND;
	}
	err = wanted_reach(b, ret_gap);
	if (err == ORD_OK)
		err = ord_cut_make(&cut, ret_gap);
	return err == ORD_OK ? histories_look(b, ret_gap) : err;
}

/* Entries that are on no disk of this node but where it is damaged. */
static int damage_tell(struct ord_backup *b, const struct ord_cut_gap *gap)
{
	snprintf(b->why, b->why_size, "%s; entries of partition %" PRIu32 " that the backup needs may stand there; %s",
		 b->mend.damage, gap->source,
		 b->node_runs ? "have the node check and repair its files ('ordain scrub --now'), or back up another "
				"one"
			      : "start the node, which gets them from the others, and back up while it runs, or back "
				"up another one");
	return ORD_ERR_CORRUPT;
}

/* Of a node that runs: its own entries are what is missing. */
static void own_gap_tell(struct ord_backup *b, uint32_t partition)
{
	const struct ord_tail *t = &b->tails.tails[partition];
	uint64_t wanted_index = b->wanted[partition].index;
	if (t->note.index >= wanted_index)
		snprintf(b->why, b->why_size,
			 "partition %" PRIu32
			 ": in the time allowed the node's history and log did not come to lead to "
			 "its checkpoint; is it cut off from the others? Give it more with --timeout",
			 partition);
	else if (t->log_index < wanted_index)
		snprintf(b->why, b->why_size,
			 "partition %" PRIu32 ": in the time allowed the node's log came to entry %" PRIu64
			 ", and entry %" PRIu64
			 " is wanted; is it cut off from the others? Give it more with --timeout",
			 partition, t->log_index, wanted_index);
	else
		snprintf(b->why, b->why_size,
			 "partition %" PRIu32 ": in the time allowed the node wrote no checkpoint with entry %" PRIu64
			 " in it; is it well? Give it more with --timeout",
			 partition, wanted_index);
}

static int gap_tell(struct ord_backup *b, const struct ord_cut_gap *gap)
{
	if (b->mend.damage[0] != '\0')
		return damage_tell(b, gap);
	if (b->wanted_is_open)
		snprintf(b->why, b->why_size,
			 "the log was damaged when it was read, and not sound in the time allowed: give it more with "
			 "--timeout");
	else if (b->node_runs && gap->source == gap->destination)
		own_gap_tell(b, gap->source);
	else if (gap->source == gap->destination)
		snprintf(b->why, b->why_size,
			 "partition %" PRIu32
			 ": the entries between its history and its checkpoint are not in the log; start the node, and "
			 "back up while it runs, or back up another one",
			 gap->source);
	else
		snprintf(b->why, b->why_size,
			 "partition %" PRIu32 " has applied message %" PRIu64 " of partition %" PRIu32
			 ", and that one's newest checkpoint is from before it was sent; %s",
			 gap->destination, gap->number, gap->source,
			 b->node_runs ? "give the node more time with --timeout"
				      : "start the node, and back up while it runs");
	return b->node_runs ? ORD_ERR_TIMEOUT : ORD_ERR_BUSY;
}

void ord_backup_wait(int64_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

/* Looks once whether there is something new, and goes on with it. ORD_ERR_NOT_FOUND: it does not suffice yet. */
static int states_step(struct ord_backup *b, struct ord_cut_gap *gap)
{
	bool changed;
	if (b->node_runs && b->options->hasten != NULL)
		b->options->hasten(b->options->ctx);
	int err = ord_tails_look(&b->tails, &b->home, &changed, b->why, b->why_size);
	if (err != ORD_OK)
		return err;
	if (!changed && ord_process_now_ms() < b->log_due_ms)
		return ORD_ERR_NOT_FOUND;
	err = attempt(b, gap);
	if (b->node_runs)
		ord_mend_go_on(&b->mend, b->options->mend, b->options->ctx, ord_process_now_ms());
	return err;
}

/* Leads all states to where they go together. */
int ord_backup_lead(struct ord_backup *b)
{
	struct ord_cut_gap gap = {0};
	b->log_due_ms = 0;
	while (true) {
		int err = states_step(b, &gap);
		int64_t now_ms = ord_process_now_ms();
		if (err != ORD_ERR_NOT_FOUND)
			return err;
		if (!b->node_runs || now_ms >= b->deadline_ms || ord_mend_is_hopeless(&b->mend, now_ms))
			return gap_tell(b, &gap);
		ord_backup_wait(ORD_BACKUP_LOOK_MS);
	}
}
