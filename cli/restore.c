/* SPDX-License-Identifier: Apache-2.0 - a new cluster from a backup.
 *
 * All its nodes begin alike, as nodes do that have stopped: with the state, with the history up to its last full block, and with a write-ahead log of the entries behind that block, which is its
 * base. Blocks say to which cluster they belong, so they get the new one's id; the chain is over the entries alone and stays. The lists of members in the old log are left out, and so are the
 * leaders' own entries: the entries after the base are numbered anew, without gaps.
 */
#include "cli/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/archive.h"
#include "cli/first_log.h"
#include "cli/folder.h"
#include "cli/state_copy.h"
#include "cli/volumes.h"
#include "node/self.h"
#include "partition/note.h"
#include "raft/members.h"

#define NODES_NORMAL 3
#define FIRST_TERM 1
#define FIRST_INDEX 1 /* of the entry that names the founders */

struct restore {
	const struct ord_restore_options *options; /* borrowed */
	struct ord_manifest manifest;		   /* owned */
	struct ord_folder folder;
	struct ord_layout layout;
	struct ord_archive archive;
	struct ord_bytes members;   /* owned */
	struct ord_first_log *logs; /* owned; by place of the node, and of that by shard */
	char *why;
	size_t why_size;
};

/* One partition on its way. */
struct part {
	struct restore *r;
	uint32_t id;
	struct ord_volumes volumes; /* of the first node */
	uint64_t blocks_last;
	uint64_t index; /* of the last entry, in the new numbering; its term */
	uint64_t term;
	int err;
};

#define NAME_SIZE 64

/* node-N/data, or the directory of a shard in it, or what is below that. */
static void data_name(const struct restore *r, uint32_t node, uint32_t shard, const char *below, char name[NAME_SIZE])
{
	char directory[32] = "";
	if (r->layout.shards_count > 1)
		snprintf(directory, sizeof directory, "/shard-%" PRIu32, shard);
	snprintf(name, NAME_SIZE, "node-%" PRIu32 "/data%s%s%s", node, directory, below[0] != '\0' ? "/" : "", below);
}

static void data_path(const struct restore *r, uint32_t node, uint32_t shard, const char *below,
		      char path[ORD_FOLDER_PATH_SIZE])
{
	char name[NAME_SIZE];
	data_name(r, node, shard, below, name);
	snprintf(path, ORD_FOLDER_PATH_SIZE, "%.4095s/%s", r->folder.draft, name);
}

static int directory_make(struct restore *r, uint32_t node, uint32_t shard, const char *below)
{
	char name[NAME_SIZE];
	data_name(r, node, shard, below, name);
	return ord_folder_make(&r->folder, name, r->why, r->why_size);
}

static uint32_t shard_of(const struct restore *r, uint32_t partition)
{
	return partition % r->layout.shards_count;
}

/* --- The log: the same for all nodes. --- */

static int record_add(struct restore *r, const struct ord_record *record)
{
	int err = ORD_OK;
	uint32_t shards_count = r->layout.shards_count;
	for (uint32_t i = 0; err == ORD_OK && i < r->layout.nodes_count; i++)
		err = ord_first_log_add(&r->logs[i * shards_count + shard_of(r, record->group)], record, r->why,
					r->why_size);
	return err;
}

/* The vote, in a term that no entry passes, and what the log begins with. */
static int log_begin(struct part *p, uint64_t term, bool has_entries)
{
	const struct ord_block_end *base = &p->volumes.end;
	struct ord_record vote = {.type = ORD_RECORD_VOTE, .group = p->id, .term = term};
	struct ord_record founders = {.type = ORD_RECORD_ENTRY,
				      .kind = ORD_ENTRY_CHANGE,
				      .group = p->id,
				      .term = FIRST_TERM,
				      .index = FIRST_INDEX,
				      .payload = ord_bytes_slice(&p->r->members)};
	struct ord_record after = {
		.type = ORD_RECORD_BASE, .group = p->id, .term = base->last_term, .index = base->last_index};
	int err = record_add(p->r, &vote);
	if (err == ORD_OK && base->number == 0)
		err = record_add(p->r, &founders);
	else if (err == ORD_OK && !has_entries)
		err = record_add(p->r, &after);
	p->index = base->number == 0 ? FIRST_INDEX : base->last_index;
	p->term = base->number == 0 ? FIRST_TERM : base->last_term;
	return err;
}

/* The block that is not full. */
static int log_write(struct part *p, const struct ord_block *b)
{
	struct ord_block_cursor cursor = ord_block_cursor_of(&b->header, b->content);
	struct ord_block_entry e;
	int err = log_begin(p, b->header.last_term, true);
	while (err == ORD_OK && ord_block_next(&cursor, &e) == ORD_OK) {
		struct ord_record entry = {.type = ORD_RECORD_ENTRY,
					   .kind = ORD_ENTRY_COMMAND,
					   .group = p->id,
					   .term = e.term,
					   .index = ++p->index,
					   .payload = e.bytes};
		p->term = e.term;
		err = record_add(p->r, &entry);
	}
	return err;
}

/* --- The history. --- */

static bool block_take(void *ctx, const struct ord_archive_place *place, const struct ord_block *b)
{
	struct part *p = ctx;
	(void)place;
	if (p->err == ORD_OK && b->header.number <= p->blocks_last)
		p->err = ord_volumes_add(&p->volumes, &b->header, b->bytes, p->r->why, p->r->why_size);
	else if (p->err == ORD_OK)
		p->err = log_write(p, b);
	return p->err == ORD_OK;
}

static void damage_take(void *ctx, const struct ord_archive_place *place, uint64_t bytes, const char *why)
{
	struct part *p = ctx;
	(void)bytes;
	if (p->err == ORD_OK)
		snprintf(p->r->why, p->r->why_size, "%s, offset %" PRIu64 ": %s: take another backup", place->path,
			 place->offset, why);
	p->err = ORD_ERR_CORRUPT;
}

static int history_make(struct part *p)
{
	struct restore *r = p->r;
	struct ord_archive_total total;
	struct ord_archive_visitor visitor = {.ctx = p, .block = block_take, .damage = damage_take};
	char name[32], path[ORD_FOLDER_PATH_SIZE];
	snprintf(name, sizeof name, "history/%" PRIu32, p->id);
	data_path(r, 1, shard_of(r, p->id), name, path);
	int err = directory_make(r, 1, shard_of(r, p->id), name);
	if (err != ORD_OK)
		return err;
	ord_volumes_init(&p->volumes, path, &r->layout.cluster, p->id);
	err = ord_archive_walk(&r->archive, p->id, &visitor, &total, r->why, r->why_size);
	if (err == ORD_OK)
		err = p->err;
	if (err == ORD_OK && p->index == 0)
		err = log_begin(p, p->volumes.end.number == 0 ? FIRST_TERM : p->volumes.end.last_term, false);
	ord_volumes_close(&p->volumes);
	if (err == ORD_OK && (p->volumes.end.number != p->blocks_last || total.unfinished_bytes > 0)) {
		snprintf(r->why, r->why_size, "%s/history/%" PRIu32 ": it has not the blocks that its manifest says",
			 r->options->from, p->id);
		err = ORD_ERR_CORRUPT;
	}
	return err;
}

/* --- The state. --- */

static int state_make(struct part *p)
{
	struct restore *r = p->r;
	const struct ord_block_end *end = &p->volumes.end;
	char name[32], from[ORD_FOLDER_PATH_SIZE], to[ORD_FOLDER_PATH_SIZE + 16], data[ORD_FOLDER_PATH_SIZE];
	struct ord_note note = {.index = p->index,
				.term = p->term,
				.time_us = r->manifest.partitions[p->id].time_us,
				.current_term = p->term,
				.end = *end};
	if (end->number > 0) {
		note.base_index = end->last_index;
		note.base_term = end->last_term;
		note.members_index = FIRST_INDEX;
		note.members = ord_bytes_slice(&r->members);
	}
	snprintf(name, sizeof name, "state/%" PRIu32, p->id);
	snprintf(from, sizeof from, "%s/%s/data.mdb", r->options->from, name);
	data_path(r, 1, shard_of(r, p->id), name, data);
	snprintf(to, sizeof to, "%s/data.mdb", data);
	data_path(r, 1, shard_of(r, p->id), "", data);
	int err = directory_make(r, 1, shard_of(r, p->id), name);
	if (err == ORD_OK)
		err = ord_folder_copy(from, to, r->why, r->why_size);
	if (err == ORD_OK)
		err = ord_state_copy_renote(data, p->id, r->manifest.partitions_count, &note, r->why, r->why_size);
	return err;
}

/* --- Nodes. --- */

static int identity_write(struct restore *r, uint32_t node, uint32_t shard)
{
	struct ord_config config = {.cluster = r->layout.cluster,
				    .node = node,
				    .nodes_count = r->layout.nodes_count,
				    .partitions_count = r->layout.partitions_count,
				    .shards_count = r->layout.shards_count,
				    .shard = shard};
	struct ord_self self = {.standing = ORD_STANDING_FOUNDER, .log_begun = true};
	char text[ORD_SELF_TEXT_SIZE], path[ORD_FOLDER_PATH_SIZE];
	for (uint32_t i = 0; i < config.nodes_count; i++)
		config.nodes[i].id = r->layout.nodes[i].id;
	if (ord_self_draw(&self.incarnation) != ORD_OK) {
		snprintf(r->why, r->why_size, "no random numbers to be had from the system");
		return ORD_ERR_IO;
	}
	ord_self_format(&self, &config, text);
	data_path(r, node, shard, "identity", path);
	return ord_folder_write(path, ord_slice_text(text), r->why, r->why_size);
}

static int shard_begin(struct restore *r, uint32_t place, uint32_t shard)
{
	char path[ORD_FOLDER_PATH_SIZE];
	uint32_t node = r->layout.nodes[place].id;
	struct ord_first_log_owner owner = {
		.cluster = r->layout.cluster, .node = node, .partitions_count = r->layout.partitions_count};
	static const char *const directories[] = {"", "wal", "state", "history"};
	int err = ORD_OK;
	for (size_t i = 0; err == ORD_OK && i < sizeof directories / sizeof *directories; i++)
		err = directory_make(r, node, shard, directories[i]);
	data_path(r, node, shard, "wal", path);
	ord_first_log_init(&r->logs[place * r->layout.shards_count + shard], path, &owner);
	return err == ORD_OK ? identity_write(r, node, shard) : err;
}

static int node_begin(struct restore *r, uint32_t place)
{
	char name[NAME_SIZE];
	snprintf(name, sizeof name, "node-%" PRIu32, r->layout.nodes[place].id);
	int err = ord_folder_make(&r->folder, name, r->why, r->why_size);
	snprintf(name, sizeof name, "node-%" PRIu32 "/data", r->layout.nodes[place].id);
	if (err == ORD_OK && r->layout.shards_count > 1)
		err = ord_folder_make(&r->folder, name, r->why, r->why_size);
	for (uint32_t i = 0; err == ORD_OK && i < r->layout.shards_count; i++)
		err = shard_begin(r, place, i);
	return err;
}

static int nodes_begin(struct restore *r)
{
	uint32_t ids[ORD_NODES_MAX] = {0};
	int err = ORD_OK;
	for (uint32_t i = 0; i < r->layout.nodes_count; i++)
		ids[i] = r->layout.nodes[i].id;
	ord_members_encode(ids, r->layout.nodes_count, &r->members);
	for (uint32_t i = 0; err == ORD_OK && i < r->layout.nodes_count; i++)
		err = node_begin(r, i);
	return err;
}

static int parts_make(struct restore *r)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < r->manifest.partitions_count; i++) {
		struct part p = {.r = r, .id = i, .blocks_last = r->manifest.partitions[i].blocks_last};
		err = history_make(&p);
		if (err == ORD_OK)
			err = state_make(&p);
	}
	for (uint32_t i = 0; err == ORD_OK && i < r->layout.nodes_count * r->layout.shards_count; i++)
		err = ord_first_log_end(&r->logs[i], r->why, r->why_size);
	return err;
}

static int shard_copy(struct restore *r, uint32_t node, uint32_t shard)
{
	static const char *const directories[] = {"state", "history"};
	char from[ORD_FOLDER_PATH_SIZE], to[ORD_FOLDER_PATH_SIZE];
	int err = ORD_OK;
	for (size_t i = 0; err == ORD_OK && i < sizeof directories / sizeof *directories; i++) {
		data_path(r, 1, shard, directories[i], from);
		data_path(r, node, shard, directories[i], to);
		err = ord_folder_copy_below(from, to, r->why, r->why_size);
	}
	return err;
}

/* All other nodes get what the first one has. */
static int nodes_copy(struct restore *r)
{
	int err = ORD_OK;
	for (uint32_t i = 1; i < r->layout.nodes_count; i++)
		for (uint32_t k = 0; err == ORD_OK && k < r->layout.shards_count; k++)
			err = shard_copy(r, r->layout.nodes[i].id, k);
	return err;
}

static int states_audit(struct restore *r)
{
	char path[ORD_FOLDER_PATH_SIZE + 32];
	snprintf(path, sizeof path, "%s/node-1/data", r->folder.draft);
	struct ord_home home = {.data_dir = path, .shards_count = r->layout.shards_count};
	return ord_state_copy_audit(&home, r->manifest.partitions_count, r->why, r->why_size);
}

static int folder_fill(struct restore *r, const struct ord_layout_shape *shape)
{
	int err = ord_layout_create(r->folder.draft, shape, &r->layout, r->why, r->why_size);
	if (err == ORD_OK)
		err = nodes_begin(r);
	if (err == ORD_OK)
		err = parts_make(r);
	if (err == ORD_OK)
		err = states_audit(r);
	if (err == ORD_OK)
		err = nodes_copy(r);
	return err == ORD_OK ? ord_folder_end(&r->folder, r->why, r->why_size) : err;
}

static int backup_open(struct restore *r)
{
	int err = ord_manifest_read(r->options->from, &r->manifest, r->why, r->why_size);
	if (err == ORD_OK)
		err = ord_archive_open(r->options->from, &r->archive, r->why, r->why_size);
	if (err == ORD_ERR_NOT_FOUND && r->manifest.partitions_count > 0)
		err = ORD_ERR_CORRUPT;
	return err;
}

/* The backup tells what was not wanted otherwise. */
static int shape_find(struct restore *r, struct ord_layout_shape *ret)
{
	const struct ord_restore_options *o = r->options;
	uint32_t nodes_count = r->manifest.nodes_count > 0 ? r->manifest.nodes_count : NODES_NORMAL;
	*ret = (struct ord_layout_shape){.nodes_count = o->nodes_count > 0 ? o->nodes_count : nodes_count,
					 .shards_count = o->shards_count > 0 ? o->shards_count : 1,
					 .partitions_count = r->manifest.partitions_count};
	if (ret->shards_count > ret->partitions_count) {
		snprintf(r->why, r->why_size,
			 "--shards: %" PRIu32
			 " must be at most the number of partitions, of which the backup has %" PRIu32,
			 ret->shards_count, ret->partitions_count);
		return ORD_ERR_INVALID;
	}
	r->logs = calloc((size_t)ret->nodes_count * ret->shards_count, sizeof *r->logs);
	snprintf(r->why, r->why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	return r->logs == NULL ? ORD_ERR_NOMEM : ORD_OK;
}

static void logs_close(struct restore *r, const struct ord_layout_shape *shape)
{
	for (uint32_t i = 0; r->logs != NULL && i < shape->nodes_count * shape->shards_count; i++)
		ord_first_log_close(&r->logs[i]);
	free(r->logs);
}

int ord_restore_make(const struct ord_restore_options *options, struct ord_restore_result *ret, char *why,
		     size_t why_size)
{
	struct restore r = {.options = options, .why = why, .why_size = why_size};
	struct ord_layout_shape shape = {.nodes_count = 0};
	int err = ord_folder_begin(&r.folder, options->dir, why, why_size);
	if (err != ORD_OK)
		return err;
	ord_bytes_init(&r.members, ORD_NOTE_MEMBERS_BYTES_MAX);
	err = backup_open(&r);
	if (err == ORD_OK)
		err = shape_find(&r, &shape);
	if (err == ORD_OK)
		err = folder_fill(&r, &shape);
	if (err != ORD_OK)
		ord_folder_drop(&r.folder);
	logs_close(&r, &shape);
	ord_bytes_close(&r.members);
	if (err == ORD_OK)
		*ret = (struct ord_restore_result){.manifest = r.manifest, .layout = r.layout};
	else
		ord_manifest_close(&r.manifest);
	return err;
}
