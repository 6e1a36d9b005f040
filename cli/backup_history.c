/* SPDX-License-Identifier: Apache-2.0 - the history of a partition up to one position. */
#include "cli/backup_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/volumes.h"
#include "partition/block_builder.h"

#define ENCODED_BYTES_MAX (ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX)

struct copying {
	uint64_t position; /* where to end */
	struct ord_volumes volumes;
	struct ord_block_builder builder; /* owned; of what comes behind the blocks that are taken as they are */
	bool is_building;
	struct ord_block_codec *codec; /* owned */
	struct ord_bytes encoded;      /* owned */
	int err;
	char *why;
	size_t why_size;
};

static void fail(struct copying *c, int err, const char *what)
{
	if (c->err != ORD_OK)
		return;
	c->err = err;
	snprintf(c->why, c->why_size, "%s: %s", c->volumes.directory, what);
}

static bool building_begin(struct copying *c)
{
	if (!c->is_building && ord_block_builder_open(&c->builder, &c->volumes.cluster, c->volumes.partition,
						      &c->volumes.end, ORD_BLOCK_BYTES) != ORD_OK)
		fail(c, ORD_ERR_NOMEM, ord_err_text(ORD_ERR_NOMEM));
	c->is_building = true;
	return c->err == ORD_OK;
}

/* Writes what was built, and closes it. */
static void raw_write(struct copying *c, struct ord_block_raw *raw)
{
	struct ord_block block;
	char problem[ORD_BLOCK_WHY_SIZE];
	ord_bytes_clear(&c->encoded);
	int err = ord_block_encode(c->codec, raw, 0, &c->encoded);
	ord_block_raw_close(raw);
	if (err == ORD_OK)
		err = ord_block_decode(c->codec, ord_bytes_slice(&c->encoded), &block, problem);
	if (err != ORD_OK)
		fail(c, err, ord_err_text(err));
	else
		c->err = ord_volumes_add(&c->volumes, &block.header, block.bytes, c->why, c->why_size);
}

/* False when there is no need for more. */
static bool entry_add(struct copying *c, const struct ord_block_entry *e)
{
	struct ord_block_raw raw;
	if (e->position >= c->position || c->err != ORD_OK)
		return false;
	if (e->position < c->builder.end.next_position)
		return true;
	int err = ord_block_builder_add(&c->builder, e, NULL);
	if (err != ORD_OK) {
		fail(c, err == ORD_ERR_NOMEM ? err : ORD_ERR_CORRUPT, "entries of the history are missing");
		return false;
	}
	if (ord_block_builder_is_full(&c->builder)) {
		ord_block_builder_take(&c->builder, &raw);
		raw_write(c, &raw);
	}
	return c->err == ORD_OK;
}

static void entries_add(struct copying *c, struct ord_block_cursor cursor)
{
	struct ord_block_entry e;
	if (!building_begin(c))
		return;
	while (ord_block_next(&cursor, &e) == ORD_OK && entry_add(c, &e))
		;
}

static bool block_take(void *ctx, const struct ord_archive_place *place, const struct ord_block *b)
{
	struct copying *c = ctx;
	(void)place;
	if (c->err != ORD_OK || b->header.first_position >= c->position)
		return false;
	if (ord_block_last_position(&b->header) < c->position) {
		c->err = ord_volumes_add(&c->volumes, &b->header, b->bytes, c->why, c->why_size);
		return c->err == ORD_OK;
	}
	entries_add(c, ord_block_cursor_of(&b->header, b->content));
	return false;
}

static void damage_take(void *ctx, const struct ord_archive_place *place, uint64_t bytes, const char *why)
{
	struct copying *c = ctx;
	(void)bytes;
	if (c->err != ORD_OK)
		return;
	c->err = ORD_ERR_CORRUPT;
	snprintf(c->why, c->why_size,
		 "%s, offset %" PRIu64
		 ": %s; a node that runs repairs it from the others: wait for that, or back up another one",
		 place->path, place->offset, why);
}

static void gap_take(void *ctx, const struct ord_archive_place *place, uint64_t first, uint64_t last)
{
	struct copying *c = ctx;
	if (c->err != ORD_OK)
		return;
	c->err = ORD_ERR_CORRUPT;
	snprintf(c->why, c->why_size,
		 "%s: blocks %" PRIu64 " to %" PRIu64 " are missing before it; a node that runs gets them from the "
		 "others: wait for that, or back up another one",
		 place->path, first, last);
}

static void blocks_copy(struct copying *c, const struct ord_archive *archive, uint32_t partition)
{
	struct ord_archive_total total;
	struct ord_archive_visitor visitor = {.ctx = c, .block = block_take, .damage = damage_take, .gap = gap_take};
	char why[ORD_FOLDER_WHY_SIZE];
	int err = ord_archive_walk(archive, partition, &visitor, &total, why, sizeof why);
	if (err != ORD_OK && err != ORD_ERR_NOT_FOUND)
		fail(c, err, why);
}

/* The last block, and whether all of it leads where the state is. */
static void copying_end(struct copying *c, const struct ord_partition_status *status, struct ord_block_end *ret_end)
{
	struct ord_block_raw raw;
	struct ord_block_end end;
	if (c->err != ORD_OK || !building_begin(c))
		return;
	*ret_end = c->volumes.end;
	end = c->builder.end;
	if (end.next_position != status->position || memcmp(end.chain, status->history_hash, sizeof end.chain) != 0) {
		fail(c, ORD_ERR_CORRUPT,
		     "the history does not lead to the state, or ends before it; back up another node");
		return;
	}
	if (c->builder.content.len == 0)
		return;
	ord_block_builder_cut(&c->builder, &raw);
	raw_write(c, &raw);
}

int ord_backup_history(const struct ord_archive *archive, const struct ord_tail *tail, uint32_t partition,
		       const struct ord_partition_status *status, const struct ord_uuid *cluster, const char *to,
		       struct ord_block_end *ret_end, char *why, size_t why_size)
{
	struct copying c = {.position = status->position, .why = why, .why_size = why_size};
	ord_volumes_init(&c.volumes, to, cluster, partition);
	ord_bytes_init(&c.encoded, ENCODED_BYTES_MAX);
	if (ord_block_codec_open(&c.codec) != ORD_OK)
		fail(&c, ORD_ERR_NOMEM, ord_err_text(ORD_ERR_NOMEM));
	if (c.err == ORD_OK && archive != NULL)
		blocks_copy(&c, archive, partition);
	if (c.err == ORD_OK && tail->is_whole)
		entries_add(&c, (struct ord_block_cursor){.reader = ord_reader_of(ord_bytes_slice(&tail->content)),
							  .position = tail->note.end.next_position});
	copying_end(&c, status, ret_end);
	ord_volumes_close(&c.volumes);
	ord_block_builder_close(&c.builder);
	ord_bytes_close(&c.encoded);
	ord_block_codec_close(c.codec);
	return c.err;
}
