/* SPDX-License-Identifier: Apache-2.0 - ordain replay: makes the state of a partition anew from its history, and compares. Never writes. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/apart.h"
#include "cli/archive.h"
#include "cli/cmd.h"
#include "cli/identity.h"
#include "cli/offline.h"
#include "cli/sheet.h"
#include "cli/state_file.h"
#include "partition/partition.h"

#define WHY_SIZE (PATH_MAX + 256)

/* The last checkpoint, read in a process of its own. */
struct checkpoint {
	const char *data_dir; /* borrowed */
	struct ord_partition_options options;
	int err; /* ORD_ERR_NOT_FOUND: there is none */
	struct ord_partition_status status;
	char why[WHY_SIZE];
};

struct replay {
	const struct ord_cmd *self;
	uint64_t to;		    /* the greatest position to reach */
	struct ord_partition *p;    /* owned */
	struct ord_effects effects; /* owned; nobody carries them out */
	struct checkpoint checkpoint;
	bool compared; /* with the checkpoint */
	bool differs;  /* from it */
	bool wrong;    /* something was told; only the first is */
	uint64_t blocks_count;
	uint64_t marks_count;	/* that were as the replayed state */
	uint64_t mark_position; /* of the last one */
};

static const char *const columns[] = {"partition", "position", "entries",    "digest",	"history",
				      "blocks",	   "marks",    "checkpoint", "compared"};

/* --- The checkpoint. --- */

static void checkpoint_read(void *ctx)
{
	struct checkpoint *c = ctx;
	struct ord_state_file *file = NULL;
	struct ord_partition *p = NULL;
	struct ord_partition_options options = c->options;
	int err = ord_state_file_open(c->data_dir, options.id, &file, c->why, sizeof c->why);
	if (err == ORD_OK) {
		options.store = ord_state_file_store(file);
		err = ord_partition_open(&options, &p);
		snprintf(c->why, sizeof c->why, "%s: the numbers or messages of the checkpoint cannot be used: %s",
			 ord_state_file_path(file), ord_err_text(err));
	}
	if (err == ORD_OK)
		ord_partition_status(p, &c->status);
	if (err == ORD_OK && !ord_state_file_holds(file)) {
		snprintf(c->why, sizeof c->why, "a node was started meanwhile: run it again");
		err = ORD_ERR_IO;
	}
	ord_partition_close(p);
	ord_state_file_close(file);
	c->err = err;
}

static void checkpoint_get(struct replay *r, const char *data_dir, const struct ord_partition_options *options)
{
	struct checkpoint *c = &r->checkpoint;
	c->data_dir = data_dir;
	c->options = *options;
	c->err = ORD_ERR_CORRUPT;
	ord_state_file_died(data_dir, options->id, c->why, sizeof c->why);
	int err = ord_apart_run(checkpoint_read, c, sizeof *c);
	if (err == ORD_ERR_IO || err == ORD_ERR_NOMEM) {
		c->err = err;
		snprintf(c->why, sizeof c->why, "the checkpoint cannot be read: %s", ord_err_text(err));
	}
}

/* --- What differs. --- */

__attribute__((format(printf, 2, 3))) static void tell(struct replay *r, const char *format, ...)
{
	char text[WHY_SIZE + 256];
	va_list args;
	if (r->wrong)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ord_cmd_fail(r->self, ORD_EXIT_REFUSED, "%s", text);
	r->wrong = true;
}

/* Where a block, and an entry of it, stand. */
struct place {
	const struct ord_archive_place *file;
	uint64_t block;
	uint64_t index; /* of the entry */
};

static void tell_at(struct replay *r, const struct place *at, const char *what)
{
	struct ord_partition_status s;
	ord_partition_status(r->p, &s);
	tell(r, "%s, offset %" PRIu64 ": block %" PRIu64 ", entry with index %" PRIu64 ", position %" PRIu64 ": %s",
	     at->file->path, at->file->offset, at->block, at->index, s.position, what);
}

static void digests_compare(struct replay *r, const struct place *at)
{
	const struct ord_partition_status *stored = &r->checkpoint.status;
	struct ord_partition_status made;
	char stored_text[ORD_OFFLINE_DIGEST_SIZE], made_text[ORD_OFFLINE_DIGEST_SIZE], what[256];
	ord_partition_status(r->p, &made);
	ord_offline_digest(stored->state_digest, stored_text);
	ord_offline_digest(made.state_digest, made_text);
	r->compared = true;
	r->differs = strcmp(stored_text, made_text) != 0 ||
		     memcmp(stored->history_hash, made.history_hash, sizeof made.history_hash) != 0;
	if (strcmp(stored_text, made_text) != 0) {
		snprintf(what, sizeof what, "the replayed state has digest %s, the checkpoint at this position has %s",
			 made_text, stored_text);
		tell_at(r, at, what);
	} else if (r->differs) {
		tell_at(r, at, "the history hash of the checkpoint at this position is another one");
	}
}

/* A checkpoint is of a position between two entries. */
static void checkpoint_compare(struct replay *r, const struct place *at)
{
	struct ord_partition_status s;
	ord_partition_status(r->p, &s);
	if (r->checkpoint.err != ORD_OK || r->compared || s.position < r->checkpoint.status.position)
		return;
	if (s.position == r->checkpoint.status.position)
		digests_compare(r, at);
	else
		tell_at(r, at, "the checkpoint is of a position inside this entry");
}

/* A mark says what the leader was there: the replayed state must be the same. */
static void mark_compare(struct replay *r, const struct place *at)
{
	const struct ord_mark_effect *m = &r->effects.mark;
	char said[ORD_OFFLINE_DIGEST_SIZE], found[ORD_OFFLINE_DIGEST_SIZE], before[64] = "no mark before it", what[320];
	if (!m->compared)
		return;
	if (!m->differs) {
		r->marks_count++;
		r->mark_position = m->said.position;
		return;
	}
	ord_offline_digest(m->said.state_digest, said);
	ord_offline_digest(m->found.state_digest, found);
	if (r->marks_count > 0)
		snprintf(before, sizeof before, "the mark of position %" PRIu64 " was equal", r->mark_position);
	snprintf(what, sizeof what,
		 "the replayed state differs from the mark of position %" PRIu64
		 ": it has digest %s, the mark has %s%s; %s",
		 m->said.position, found, said,
		 memcmp(m->said.history_hash, m->found.history_hash, sizeof m->said.history_hash) == 0
			 ? ""
			 : " and another history hash",
		 before);
	tell_at(r, at, what);
}

/* --- The fold. --- */

/* False when this is the last entry to look at. */
static bool entry_apply(struct replay *r, const struct place *at, const struct ord_block_entry *e)
{
	struct ord_partition_status s;
	ord_partition_status(r->p, &s);
	if (e->position + e->commands_count > r->to)
		return false;
	if (e->position != s.position) {
		tell_at(r, at, "the commands of this entry have other positions");
		return false;
	}
	int err = ord_partition_apply(r->p, e->bytes, &r->effects);
	if (err != ORD_OK) {
		tell_at(r, at, ord_err_text(err));
		return false;
	}
	mark_compare(r, at);
	checkpoint_compare(r, at);
	return !r->wrong;
}

static bool replay_block(void *ctx, const struct ord_archive_place *file, const struct ord_block *b)
{
	struct replay *r = ctx;
	struct ord_block_cursor cursor = ord_block_cursor_of(&b->header, b->content);
	struct ord_block_entry e;
	struct ord_partition_status s;
	struct place at = {.file = file, .block = b->header.number, .index = b->header.first_index};
	if (r->wrong)
		return false;
	if (r->blocks_count == 0 && b->header.number != 1) {
		tell_at(r, &at, "the history begins here, and what was before is needed");
		return false;
	}
	r->blocks_count++;
	checkpoint_compare(r, &at); /* of position 0 */
	while (ord_block_next(&cursor, &e) == ORD_OK) {
		at.index = e.index;
		if (!entry_apply(r, &at, &e))
			return false;
	}
	ord_partition_status(r->p, &s);
	if (memcmp(s.history_hash, b->header.chain_after, sizeof s.history_hash) != 0)
		tell_at(r, &at, "the block ends with another history hash");
	return !r->wrong;
}

static void replay_damage(void *ctx, const struct ord_archive_place *place, uint64_t bytes, const char *why)
{
	struct replay *r = ctx;
	(void)bytes;
	tell(r, "%s, offset %" PRIu64 ": %s; what is before was replayed", place->path, place->offset, why);
}

static void replay_gap(void *ctx, const struct ord_archive_place *place, uint64_t first, uint64_t last)
{
	struct replay *r = ctx;
	tell(r,
	     "%s, offset %" PRIu64 ": blocks %" PRIu64 " to %" PRIu64
	     " are missing before it; a node gets them from the others when it runs",
	     place->path, place->offset, first, last);
}

/* --- Output. --- */

static const char *compared_words(const struct replay *r, uint64_t position)
{
	if (r->checkpoint.err == ORD_ERR_NOT_FOUND)
		return "none";
	if (r->checkpoint.err != ORD_OK)
		return "unreadable";
	if (r->compared)
		return r->differs ? "differs" : "equal";
	return r->checkpoint.status.position > position ? "beyond" : "not";
}

static void result_show(const struct replay *r, uint32_t partition, bool json)
{
	char digest[ORD_OFFLINE_DIGEST_SIZE], history[2 * ORD_CHAIN_BYTES + 1];
	struct ord_partition_status s;
	struct ord_sheet sheet;
	ord_partition_status(r->p, &s);
	ord_offline_digest(s.state_digest, digest);
	ord_offline_hex(s.history_hash, sizeof s.history_hash, history);
	ord_sheet_init(&sheet, columns, ORD_COUNT(columns));
	ord_sheet_uint(&sheet, partition);
	ord_sheet_uint(&sheet, s.position);
	ord_sheet_uint(&sheet, s.entries_count);
	ord_sheet_text(&sheet, digest);
	ord_sheet_text(&sheet, history);
	ord_sheet_uint(&sheet, r->blocks_count);
	ord_sheet_uint(&sheet, r->marks_count);
	if (r->checkpoint.err == ORD_OK)
		ord_sheet_uint(&sheet, r->checkpoint.status.position);
	else
		ord_sheet_null(&sheet);
	ord_sheet_text(&sheet, compared_words(r, s.position));
	ord_sheet_show_record(&sheet, ord_sheet_look(json, stdout), stdout);
	ord_sheet_close(&sheet);
}

static int replay_run(struct replay *r, const char *data, uint32_t partition, bool json)
{
	struct ord_archive archive;
	struct ord_archive_total total;
	struct ord_archive_visitor visitor = {
		.ctx = r, .block = replay_block, .damage = replay_damage, .gap = replay_gap};
	struct ord_partition_options options = {.id = partition,
						.partitions_count = ord_identity_read(data).partitions_count};
	char why[WHY_SIZE], directory[ORD_HOME_PATH_SIZE + 16];
	if (partition >= options.partitions_count)
		return options.partitions_count == 0
			       ? ord_cmd_fail(r->self, ORD_EXIT_USAGE,
					      "%s/identity does not say how many partitions there are; it is needed",
					      data)
			       : ord_cmd_fail(r->self, ORD_EXIT_USAGE, "the cluster has partitions 0 to %" PRIu32,
					      options.partitions_count - 1);
	if (ord_archive_open(data, &archive, why, sizeof why) != ORD_OK)
		return ord_cmd_fail(r->self, ORD_EXIT_USAGE, "%s", why);
	checkpoint_get(r, data, &options);
	int err = ord_partition_open(&options, &r->p);
	if (err != ORD_OK)
		return ord_cmd_fail(r->self, ORD_EXIT_REFUSED, "%s", ord_err_text(err));
	err = ord_archive_walk(&archive, partition, &visitor, &total, why, sizeof why);
	if (err != ORD_OK)
		return ord_cmd_fail(r->self, err == ORD_ERR_NOT_FOUND ? ORD_EXIT_USAGE : ORD_EXIT_REFUSED, "%s", why);
	ord_archive_directory(&archive, directory);
	struct ord_archive_place end = {.path = directory};
	checkpoint_compare(r, &(struct place){.file = &end, .block = total.end.number, .index = total.end.last_index});
	if (r->checkpoint.err != ORD_OK && r->checkpoint.err != ORD_ERR_NOT_FOUND)
		tell(r, "%s", r->checkpoint.why);
	result_show(r, partition, json);
	return r->wrong ? ORD_EXIT_REFUSED : ORD_EXIT_OK;
}

int ord_cmd_replay(const struct ord_cmd *self, int argc, char **argv)
{
	const char *data = NULL;
	int64_t partition = 0, to = INT64_MAX;
	bool json = false;
	struct replay r = {.self = self};
	struct ord_flag flags[] = {
		ord_offline_data_flag(&data),
		ord_offline_partition_flag(&partition),
		{.name = "to",
		 .value = "POSITION",
		 .number = &to,
		 .min = 0,
		 .max = INT64_MAX,
		 .help = "how many commands to apply; ends earlier where that is inside an entry",
		 .normal = "all"},
		ord_offline_json_flag(&json),
	};
	struct ord_args args = {
		.command = self->name,
		.summary = self->summary,
		.flags = flags,
		.flags_count = ORD_COUNT(flags),
		.notes = "Exit status 1 when something is damaged or differs; the first such thing is told."};
	int status;
	flags[1].required = true;
	if (!ord_cmd_begin(&args, argc, argv, &status))
		return status;
	r.to = (uint64_t)to;
	ord_effects_init(&r.effects);
	status = replay_run(&r, data, (uint32_t)partition, json);
	ord_effects_close(&r.effects);
	ord_partition_close(r.p);
	return status;
}
