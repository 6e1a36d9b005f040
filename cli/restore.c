/* SPDX-License-Identifier: Apache-2.0 - a new cluster from a backup.
 *
 * All its nodes begin alike, as nodes do that have stopped: with the state, with the history up to its last full block, and with a write-ahead log of the entries behind that block, which is its
 * base. Blocks say to which cluster they belong, so they get the new one's id; the chain is over the entries alone and stays. The lists of members in the old log are left out, and so are the
 * leaders' own entries: the entries after the base are numbered anew, without gaps.
 */
#include "cli/restore.h"

#include <inttypes.h>
#include <stdio.h>
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
	struct ord_bytes members; /* owned */
	struct ord_first_log logs[ORD_NODES_MAX];
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

/* draft/node-N/data, or what is below it. */
static void data_path(const struct restore *r, uint32_t node, const char *below, char path[ORD_FOLDER_PATH_SIZE])
{
	snprintf(path, ORD_FOLDER_PATH_SIZE, "%.4095s/node-%" PRIu32 "/data%s%s", r->folder.draft, node,
		 below[0] != '\0' ? "/" : "", below);
}

static int directory_make(struct restore *r, uint32_t node, const char *below)
{
	char name[64];
	snprintf(name, sizeof name, "node-%" PRIu32 "/data%s%s", node, below[0] != '\0' ? "/" : "", below);
	return ord_folder_make(&r->folder, name, r->why, r->why_size);
}

/* --- The log: the same for all nodes. --- */

static int record_add(struct restore *r, const struct ord_record *record)
{
	int err = ORD_OK;
	for (uint32_t i = 0; err == ORD_OK && i < r->layout.nodes_count; i++)
		err = ord_first_log_add(&r->logs[i], record, r->why, r->why_size);
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
	data_path(r, 1, name, path);
	int err = directory_make(r, 1, name);
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
	data_path(r, 1, name, data);
	snprintf(to, sizeof to, "%s/data.mdb", data);
	data_path(r, 1, "", data);
	int err = directory_make(r, 1, name);
	if (err == ORD_OK)
		err = ord_folder_copy(from, to, r->why, r->why_size);
	if (err == ORD_OK)
		err = ord_state_copy_renote(data, p->id, r->manifest.partitions_count, &note, r->why, r->why_size);
	return err;
}

/* --- Nodes. --- */

static int identity_write(struct restore *r, uint32_t node)
{
	struct ord_config config = {.cluster = r->layout.cluster,
				    .node = node,
				    .nodes_count = r->layout.nodes_count,
				    .partitions_count = r->layout.partitions_count};
	struct ord_self self = {.standing = ORD_STANDING_FOUNDER, .log_begun = true};
	char text[ORD_SELF_TEXT_SIZE], path[ORD_FOLDER_PATH_SIZE];
	for (uint32_t i = 0; i < config.nodes_count; i++)
		config.nodes[i].id = r->layout.nodes[i].id;
	if (ord_self_draw(&self.incarnation) != ORD_OK) {
		snprintf(r->why, r->why_size, "no random numbers to be had from the system");
		return ORD_ERR_IO;
	}
	ord_self_format(&self, &config, text);
	data_path(r, node, "identity", path);
	return ord_folder_write(path, ord_slice_text(text), r->why, r->why_size);
}

static int node_begin(struct restore *r, uint32_t node)
{
	char name[32], path[ORD_FOLDER_PATH_SIZE];
	struct ord_first_log_owner owner = {
		.cluster = r->layout.cluster, .node = node, .partitions_count = r->layout.partitions_count};
	static const char *const directories[] = {"", "wal", "state", "history"};
	snprintf(name, sizeof name, "node-%" PRIu32, node);
	int err = ord_folder_make(&r->folder, name, r->why, r->why_size);
	for (size_t i = 0; err == ORD_OK && i < sizeof directories / sizeof *directories; i++)
		err = directory_make(r, node, directories[i]);
	data_path(r, node, "wal", path);
	ord_first_log_init(&r->logs[node - 1], path, &owner);
	return err == ORD_OK ? identity_write(r, node) : err;
}

static int nodes_begin(struct restore *r)
{
	uint32_t ids[ORD_NODES_MAX] = {0};
	int err = ORD_OK;
	for (uint32_t i = 0; i < r->layout.nodes_count; i++)
		ids[i] = r->layout.nodes[i].id;
	ord_members_encode(ids, r->layout.nodes_count, &r->members);
	for (uint32_t i = 0; err == ORD_OK && i < r->layout.nodes_count; i++)
		err = node_begin(r, ids[i]);
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
	for (uint32_t i = 0; err == ORD_OK && i < r->layout.nodes_count; i++)
		err = ord_first_log_end(&r->logs[i], r->why, r->why_size);
	return err;
}

/* All other nodes get what the first one has. */
static int nodes_copy(struct restore *r)
{
	static const char *const directories[] = {"state", "history"};
	char from[ORD_FOLDER_PATH_SIZE], to[ORD_FOLDER_PATH_SIZE];
	int err = ORD_OK;
	for (uint32_t i = 1; i < r->layout.nodes_count; i++) {
		for (size_t k = 0; err == ORD_OK && k < sizeof directories / sizeof *directories; k++) {
			data_path(r, 1, directories[k], from);
			data_path(r, r->layout.nodes[i].id, directories[k], to);
			err = ord_folder_copy_below(from, to, r->why, r->why_size);
		}
	}
	return err;
}

static int folder_fill(struct restore *r, uint32_t nodes_count)
{
	struct ord_layout_shape shape = {.nodes_count = nodes_count, .partitions_count = r->manifest.partitions_count};
	char path[ORD_FOLDER_PATH_SIZE];
	int err = ord_layout_create(r->folder.draft, &shape, &r->layout, r->why, r->why_size);
	if (err == ORD_OK)
		err = nodes_begin(r);
	if (err == ORD_OK)
		err = parts_make(r);
	data_path(r, 1, "", path);
	if (err == ORD_OK)
		err = ord_state_copy_audit(path, r->manifest.partitions_count, r->why, r->why_size);
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

int ord_restore_make(const struct ord_restore_options *options, struct ord_restore_result *ret, char *why,
		     size_t why_size)
{
	struct restore r = {.options = options, .why = why, .why_size = why_size};
	uint32_t nodes_count = options->nodes_count;
	int err = ord_folder_begin(&r.folder, options->dir, why, why_size);
	if (err != ORD_OK)
		return err;
	ord_bytes_init(&r.members, ORD_NOTE_MEMBERS_BYTES_MAX);
	err = backup_open(&r);
	if (nodes_count == 0)
		nodes_count = r.manifest.nodes_count > 0 ? r.manifest.nodes_count : NODES_NORMAL;
	if (err == ORD_OK)
		err = folder_fill(&r, nodes_count);
	if (err != ORD_OK)
		ord_folder_drop(&r.folder);
	for (uint32_t i = 0; i < ORD_NODES_MAX; i++)
		ord_first_log_close(&r.logs[i]);
	ord_bytes_close(&r.members);
	if (err == ORD_OK)
		*ret = (struct ord_restore_result){.manifest = r.manifest, .layout = r.layout};
	else
		ord_manifest_close(&r.manifest);
	return err;
}
