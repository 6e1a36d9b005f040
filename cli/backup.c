/* SPDX-License-Identifier: Apache-2.0 - a backup.
 *
 * The states are copied first, one after the other. Then each is led forward (cli/backup_lead.c) by entries that are certainly committed (cli/tails.c) until it has what was there at the beginning, and until all
 * go together (cli/cut.c). Where a node's checkpoints do not prove enough yet, newer ones are waited for; the states that were copied stay. So it ends after one checkpoint of each partition,
 * however busy the node is. At last the histories are copied up to where the states are. Where files of a node that runs are damaged, the
 * node is asked to repair them (cli/mend.h): in its log on the way, else all is begun again then.
 */
#include "cli/backup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/backup_history.h"
#include "cli/backup_inside.h"
#include "cli/process.h"
#include "cli/state_file.h"

#define PAUSE_MS 2000 /* before all is begun again; then twice as long */

static int identity_check(struct ord_backup *b)
{
	struct stat st;
	char directory[ORD_HOME_PATH_SIZE];
	b->identity = ord_identity_read(b->options->data_dir);
	if (b->identity.shards_count > 1 && !ord_identity_has_shards(b->options->data_dir)) {
		snprintf(b->why, b->why_size,
			 "%s is of one shard of a node that has %" PRIu32
			 ", and a backup is of all partitions: give the directory that it stands in",
			 b->options->data_dir, b->identity.shards_count);
		return ORD_ERR_NOT_FOUND;
	}
	if (stat(b->options->data_dir, &st) != 0 || b->identity.partitions_count == 0) {
		snprintf(b->why, b->why_size,
			 "%s has no file 'identity' that can be read: give the data directory of a node (of a cluster "
			 "made by 'ordain cluster start' it is DIR/node-N/data)",
			 b->options->data_dir);
		return ORD_ERR_NOT_FOUND;
	}
	if (b->wanted != NULL && b->identity.partitions_count != b->wanted_count) {
		snprintf(b->why, b->why_size, "%s has become another cluster's meanwhile: begin again",
			 b->options->data_dir);
		return ORD_ERR_MISMATCH;
	}
	b->wanted_count = b->identity.partitions_count;
	b->home = (struct ord_home){.data_dir = b->options->data_dir, .shards_count = b->identity.shards_count};
	b->has_archive = ord_archive_open_all(&b->home, &b->archive, b->why, b->why_size) == ORD_OK;
	ord_home_of(&b->home, 0, directory);
	b->node_runs = !ord_state_file_is_unused(directory);
	return ORD_OK;
}

static int states_open(struct ord_backup *b)
{
	int err = ord_state_copy_make(&b->home, b->identity.partitions_count, b->folder.draft, b->why, b->why_size);
	for (uint32_t i = 0; err == ORD_OK && i < b->identity.partitions_count; i++) {
		struct ord_backup_part *p = &b->parts[i];
		err = ord_state_copy_open(&p->copy, b->folder.draft, i, b->identity.partitions_count, b->why,
					  b->why_size);
		b->states[i] = p->copy.partition;
		p->index = p->copy.note.index;
		p->term = p->copy.note.term;
		p->time_us = p->copy.note.time_us;
	}
	return err;
}

static int part_end(struct ord_backup *b, uint32_t partition, struct ord_manifest_partition *ret)
{
	struct ord_backup_part *p = &b->parts[partition];
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

static int parts_end(struct ord_backup *b, struct ord_manifest *m)
{
	int err = ord_manifest_open(m, b->identity.partitions_count);
	m->cluster = b->identity.cluster;
	m->nodes_count = b->identity.nodes_count;
	for (uint32_t i = 0; err == ORD_OK && i < b->identity.partitions_count; i++)
		err = part_end(b, i, &m->partitions[i]);
	if (err == ORD_OK)
		err = ord_state_copy_audit(&(struct ord_home){.data_dir = b->folder.draft},
					   b->identity.partitions_count, b->why, b->why_size);
	return err == ORD_OK ? ord_manifest_write(m, b->folder.draft, b->why, b->why_size) : err;
}

static int folder_fill(struct ord_backup *b, struct ord_manifest *m)
{
	int err = ord_folder_make(&b->folder, "state", b->why, b->why_size);
	if (err == ORD_OK)
		err = ord_folder_make(&b->folder, "history", b->why, b->why_size);
	if (err == ORD_OK)
		err = ord_backup_wanted_find(b);
	if (err == ORD_OK)
		err = states_open(b);
	if (err == ORD_OK)
		err = ord_backup_lead(b);
	if (err == ORD_OK)
		err = parts_end(b, m);
	return err == ORD_OK ? ord_folder_end(&b->folder, b->why, b->why_size) : err;
}

static int memory_take(struct ord_backup *b)
{
	uint32_t count = b->identity.partitions_count;
	snprintf(b->why, b->why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	b->parts = calloc(count, sizeof *b->parts);
	b->states = calloc(count, sizeof(struct ord_partition *));
	if (b->wanted == NULL)
		b->wanted = calloc(count, sizeof *b->wanted);
	return b->parts != NULL && b->states != NULL && b->wanted != NULL ? ord_tails_open(&b->tails, count)
									  : ORD_ERR_NOMEM;
}

/* As it was before memory was taken, but for what is wanted. */
static void memory_give(struct ord_backup *b)
{
	for (uint32_t i = 0; b->parts != NULL && i < b->identity.partitions_count; i++)
		ord_state_copy_close(&b->parts[i].copy);
	ord_tails_close(&b->tails);
	free(b->parts);
	free(b->states);
	b->parts = NULL;
	b->states = NULL;
}

static int try_once(struct ord_backup *b, struct ord_manifest *m)
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
static bool repair_await(struct ord_backup *b, int64_t *pause_ms)
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
		ord_backup_wait(ORD_BACKUP_LOOK_MS);
	}
}

int ord_backup_make(const struct ord_backup_options *options, struct ord_backup_result *ret, char *why, size_t why_size)
{
	struct ord_backup b = {.options = options,
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
	free(b.wanted);
	if (err == ORD_OK)
		*ret = (struct ord_backup_result){.manifest = m, .node_runs = b.node_runs};
	else
		ord_manifest_close(&m);
	return err;
}
