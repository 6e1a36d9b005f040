/* SPDX-License-Identifier: Apache-2.0 - a backup.
 *
 * The states are copied first, one after the other. Then each is led forward by entries that are certainly committed (cli/tails.c) until it has what was there at the beginning, and until all
 * go together (cli/cut.c). Where a node's checkpoints do not prove enough yet, newer ones are waited for; the states that were copied stay. So it ends after one checkpoint of each partition,
 * however busy the node is. At last the histories are copied up to where the states are.
 */
#include "cli/backup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/archive.h"
#include "cli/backup_history.h"
#include "cli/cut.h"
#include "cli/folder.h"
#include "cli/identity.h"
#include "cli/process.h"
#include "cli/state_copy.h"
#include "cli/state_file.h"
#include "cli/tails.h"

#define LOOK_MS 250
#define PAUSE_MS 2000 /* before all is begun again; then twice as long */

struct part {
	struct ord_state_copy copy;
	uint64_t wanted_index; /* what it has to reach */
	uint64_t index;	       /* of the last entry that it has in it, its term */
	uint64_t term;
	uint64_t time_us;
};

struct backup {
	const struct ord_backup_options *options; /* borrowed */
	struct ord_identity identity;
	struct ord_folder folder;
	struct ord_archive archive;
	bool has_archive;
	bool node_runs;
	bool is_told;		/* what the cluster had committed */
	struct ord_tails tails; /* owned */
	struct ord_mend mend;
	int64_t deadline_ms;	       /* to wait for the node */
	struct part *parts;	       /* owned; by id */
	struct ord_partition **states; /* owned array; those of the copies */
	struct ord_effects effects;    /* owned; nobody carries them out */
	char *why;
	size_t why_size;
};

/* --- Forward. --- */

/* How far. */
struct until {
	bool by_index;
	uint64_t index; /* the last entry; or: */
	uint32_t destination;
	uint64_t number; /* of a message to there */
};

struct forward {
	struct backup *b;
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
	struct part *part = &f->b->parts[f->partition];
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

/* Of a node that does not run the end that a crash has cut short is none. */
static bool log_is_damaged(const struct backup *b)
{
	return b->tails.damage[0] != '\0' || (b->node_runs && b->tails.unfinished[0] != '\0');
}

/* Is it known that no entry up to the index was left out? What stood in a damaged part of the log is not known. */
static bool index_is_reached(const struct forward *f)
{
	const struct ord_tail *t = &f->b->tails.tails[f->partition];
	bool is_in_log = !f->b->is_told || t->log_index >= f->until.index;
	bool is_in_checkpoint = t->note.index >= f->until.index;
	if ((t->has_checkpoint && !t->is_whole) || (log_is_damaged(f->b) && !is_in_checkpoint))
		return false;
	return is_in_log && f->last_index >= t->due_index && position_of(f->b->states[f->partition]) >= t->position;
}

/* ORD_ERR_NOT_FOUND: the entries that are known to be committed end before. */
static int forward(struct backup *b, uint32_t partition, struct until until)
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

static int wanted_reach(struct backup *b, struct ord_cut_gap *ret)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < b->identity.partitions_count; i++) {
		*ret = (struct ord_cut_gap){.source = i, .destination = i};
		err = forward(b, i, (struct until){.by_index = true, .index = b->parts[i].wanted_index});
	}
	return err;
}

/* An overruled leader's entries are not waited for: when the log is shorter than it was, they are gone. */
static void wanted_lower(struct backup *b)
{
	if (log_is_damaged(b))
		return;
	for (uint32_t i = 0; i < b->identity.partitions_count; i++)
		if (b->parts[i].wanted_index > b->tails.tails[i].log_index)
			b->parts[i].wanted_index = b->tails.tails[i].log_index;
}

/* Is all of the histories there that leads to the states? */
static int histories_look(const struct backup *b, struct ord_cut_gap *ret)
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

static int attempt(struct backup *b, struct ord_cut_gap *ret_gap)
{
	struct ord_cut cut = {.partitions = b->states,
			      .count = b->identity.partitions_count,
			      .ctx = b,
			      .forward = forward_to_message};
	for (uint32_t i = 0; i < b->identity.partitions_count; i++)
		b->tails.tails[i].wanted_index = b->parts[i].wanted_index;
	int err = ord_tails_read(&b->tails, b->options->data_dir, b->why, b->why_size);
	if (err != ORD_OK)
		return err;
	ord_mend_see(&b->mend, b->tails.damage, b->node_runs ? b->tails.unfinished : "", ord_process_now_ms());
	if (!b->is_told)
		wanted_lower(b);
	err = wanted_reach(b, ret_gap);
	if (err == ORD_OK)
		err = ord_cut_make(&cut, ret_gap);
	return err == ORD_OK ? histories_look(b, ret_gap) : err;
}

/* Entries that are on no disk of this node but where it is damaged. */
static int damage_tell(struct backup *b, const struct ord_cut_gap *gap)
{
	snprintf(b->why, b->why_size, "%s; entries of partition %" PRIu32 " that the backup needs may stand there; %s",
		 b->mend.damage, gap->source,
		 b->node_runs ? "have the node check and repair its files ('ordain scrub --now'), or back up another "
				"one"
			      : "start the node, which gets them from the others, and back up while it runs, or back "
				"up another one");
	return ORD_ERR_CORRUPT;
}

static int gap_tell(struct backup *b, const struct ord_cut_gap *gap)
{
	if (b->mend.damage[0] != '\0')
		return damage_tell(b, gap);
	if (b->node_runs && gap->source == gap->destination)
		snprintf(b->why, b->why_size,
			 "partition %" PRIu32 ": in the time allowed the node wrote no checkpoint with entry %" PRIu64
			 " in it; is it well? Give it more with --timeout",
			 gap->source, b->parts[gap->source].wanted_index);
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

static void wait_ms(int64_t ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

/* Looks once whether there is something new, and goes on with it. ORD_ERR_NOT_FOUND: it does not suffice yet. */
static int states_step(struct backup *b, bool is_first, struct ord_cut_gap *gap)
{
	bool changed;
	if (b->node_runs && b->options->hasten != NULL)
		b->options->hasten(b->options->ctx);
	int err = ord_tails_look(&b->tails, b->options->data_dir, &changed, b->why, b->why_size);
	if (err != ORD_OK)
		return err;
	if (!changed && !is_first && !ord_mend_looks(&b->mend, ord_process_now_ms()))
		return ORD_ERR_NOT_FOUND;
	err = attempt(b, gap);
	if (b->node_runs)
		ord_mend_go_on(&b->mend, b->options->mend, b->options->ctx, ord_process_now_ms());
	return err;
}

/* Leads all states to where they go together. */
static int states_lead(struct backup *b)
{
	struct ord_cut_gap gap = {0};
	for (bool is_first = true;; is_first = false) {
		int err = states_step(b, is_first, &gap);
		int64_t now_ms = ord_process_now_ms();
		if (err != ORD_ERR_NOT_FOUND)
			return err;
		if (!b->node_runs || now_ms >= b->deadline_ms || ord_mend_is_hopeless(&b->mend, now_ms))
			return gap_tell(b, &gap);
		wait_ms(LOOK_MS);
	}
}

/* --- Its parts. --- */

static int identity_check(struct backup *b)
{
	struct stat st;
	b->identity = ord_identity_read(b->options->data_dir);
	if (stat(b->options->data_dir, &st) != 0 || b->identity.partitions_count == 0) {
		snprintf(b->why, b->why_size,
			 "%s has no file 'identity' that can be read: give the data directory of a node (of a cluster "
			 "made by 'ordain cluster start' it is DIR/node-N/data)",
			 b->options->data_dir);
		return ORD_ERR_NOT_FOUND;
	}
	b->has_archive = ord_archive_open(b->options->data_dir, &b->archive, b->why, b->why_size) == ORD_OK;
	b->node_runs = !ord_state_file_is_unused(b->options->data_dir);
	return ORD_OK;
}

/* What the backup has to have in it: all that is in the log of a running node now, and all that is known to be committed. */
static int wanted_find(struct backup *b)
{
	uint32_t count = b->identity.partitions_count;
	uint64_t *wanted = calloc(count, sizeof *wanted);
	int err = wanted != NULL ? ord_tails_read(&b->tails, b->options->data_dir, b->why, b->why_size) : ORD_ERR_NOMEM;
	if (err == ORD_OK && b->node_runs && b->options->ask != NULL)
		b->is_told = b->options->ask(b->options->ctx, wanted, count);
	for (uint32_t i = 0; err == ORD_OK && b->node_runs && !b->is_told && i < count; i++)
		wanted[i] = b->tails.tails[i].log_index;
	for (uint32_t i = 0; err == ORD_OK && i < count; i++)
		b->parts[i].wanted_index = wanted[i];
	free(wanted);
	return err;
}

static int states_open(struct backup *b)
{
	int err = ord_state_copy_make(b->options->data_dir, b->identity.partitions_count, b->folder.draft, b->why,
				      b->why_size);
	for (uint32_t i = 0; err == ORD_OK && i < b->identity.partitions_count; i++) {
		struct part *p = &b->parts[i];
		err = ord_state_copy_open(&p->copy, b->folder.draft, i, b->identity.partitions_count, b->why,
					  b->why_size);
		b->states[i] = p->copy.partition;
		p->index = p->copy.note.index;
		p->term = p->copy.note.term;
		p->time_us = p->copy.note.time_us;
	}
	return err;
}

static int part_end(struct backup *b, uint32_t partition, struct ord_manifest_partition *ret)
{
	struct part *p = &b->parts[partition];
	char name[32], to[ORD_FOLDER_PATH_SIZE];
	struct ord_partition_status s;
	struct ord_block_end end = {0};
	ord_partition_status(p->copy.partition, &s);
	snprintf(name, sizeof name, "history/%" PRIu32, partition);
	snprintf(to, sizeof to, "%s/%s", b->folder.draft, name);
	int err = ord_folder_make(&b->folder, name, b->why, b->why_size);
	if (err == ORD_OK)
		err = ord_backup_history(b->has_archive ? &b->archive : NULL, &b->tails.tails[partition], partition, &s,
					 &b->identity.cluster, to, &end, b->why, b->why_size);
	struct ord_note note = {.index = p->index, .term = p->term, .time_us = p->time_us, .end = end};
	if (err == ORD_OK)
		err = ord_state_copy_save(&p->copy, &note, b->why, b->why_size);
	ord_state_copy_close(&p->copy);
	b->states[partition] = NULL;
	*ret = (struct ord_manifest_partition){
		.position = s.position, .time_us = p->time_us, .blocks_last = end.number};
	memcpy(ret->digest, s.state_digest, sizeof ret->digest);
	memcpy(ret->history_hash, s.history_hash, sizeof ret->history_hash);
	return err;
}

static int parts_end(struct backup *b, struct ord_manifest *m)
{
	int err = ord_manifest_open(m, b->identity.partitions_count);
	m->cluster = b->identity.cluster;
	m->nodes_count = b->identity.nodes_count;
	for (uint32_t i = 0; err == ORD_OK && i < b->identity.partitions_count; i++)
		err = part_end(b, i, &m->partitions[i]);
	if (err == ORD_OK)
		err = ord_state_copy_audit(b->folder.draft, b->identity.partitions_count, b->why, b->why_size);
	return err == ORD_OK ? ord_manifest_write(m, b->folder.draft, b->why, b->why_size) : err;
}

static int folder_fill(struct backup *b, struct ord_manifest *m)
{
	int err = ord_folder_make(&b->folder, "state", b->why, b->why_size);
	if (err == ORD_OK)
		err = ord_folder_make(&b->folder, "history", b->why, b->why_size);
	if (err == ORD_OK)
		err = wanted_find(b);
	if (err == ORD_OK)
		err = states_open(b);
	if (err == ORD_OK)
		err = states_lead(b);
	if (err == ORD_OK)
		err = parts_end(b, m);
	return err == ORD_OK ? ord_folder_end(&b->folder, b->why, b->why_size) : err;
}

static int memory_take(struct backup *b)
{
	uint32_t count = b->identity.partitions_count;
	snprintf(b->why, b->why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	b->parts = calloc(count, sizeof *b->parts);
	b->states = calloc(count, sizeof(struct ord_partition *));
	return b->parts != NULL && b->states != NULL ? ord_tails_open(&b->tails, count) : ORD_ERR_NOMEM;
}

/* As it was before memory was taken. */
static void memory_give(struct backup *b)
{
	for (uint32_t i = 0; b->parts != NULL && i < b->identity.partitions_count; i++)
		ord_state_copy_close(&b->parts[i].copy);
	ord_tails_close(&b->tails);
	free(b->parts);
	free(b->states);
	b->parts = NULL;
	b->states = NULL;
}

static int try_once(struct backup *b, struct ord_manifest *m)
{
	int err = identity_check(b);
	if (err != ORD_OK)
		return err;
	err = memory_take(b);
	if (err == ORD_OK)
		err = ord_folder_begin(&b->folder, b->options->to, b->why, b->why_size);
	if (err == ORD_OK) {
		err = folder_fill(b, m);
		if (err != ORD_OK)
			ord_folder_drop(&b->folder);
	}
	memory_give(b);
	return err;
}

/* History or state of the node, which runs, is damaged. True when the node may have repaired it: it has checked its files, or nobody could ask it to. */
static bool repair_await(struct backup *b, int64_t *pause_ms)
{
	int64_t again_ms = ord_process_now_ms() + *pause_ms;
	*pause_ms *= 2;
	for (;;) {
		int64_t now_ms = ord_process_now_ms();
		if (now_ms >= b->deadline_ms || ord_mend_is_hopeless(&b->mend, now_ms))
			return false;
		ord_mend_see(&b->mend, b->why, "", now_ms);
		ord_mend_go_on(&b->mend, b->options->mend, b->options->ctx, now_ms);
		if (now_ms >= again_ms && !ord_mend_is_checked(&b->mend))
			return true;
		wait_ms(LOOK_MS);
	}
}

int ord_backup_make(const struct ord_backup_options *options, struct ord_backup_result *ret, char *why, size_t why_size)
{
	struct backup b = {.options = options,
			   .why = why,
			   .why_size = why_size,
			   .deadline_ms = ord_process_now_ms() + options->timeout_ms};
	struct ord_manifest m = {.partitions_count = 0};
	int64_t pause_ms = PAUSE_MS;
	ord_effects_init(&b.effects);
	int err = try_once(&b, &m);
	while (err == ORD_ERR_CORRUPT && b.node_runs && repair_await(&b, &pause_ms)) {
		ord_manifest_close(&m);
		err = try_once(&b, &m);
	}
	ord_effects_close(&b.effects);
	if (err == ORD_OK)
		*ret = (struct ord_backup_result){.manifest = m, .node_runs = b.node_runs};
	else
		ord_manifest_close(&m);
	return err;
}
