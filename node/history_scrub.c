/* SPDX-License-Identifier: Apache-2.0 - the scrub: every block of every file is read and checked whole, round after round, a block at a time.
 *
 * Of the file that is being written only what is durable is read. A file that cannot be read twice in a row counts as damaged: a sector of it is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/history_state.h"

/* Every so many blocks, and with the last one of each file, peers are asked whether they have the same. */
#define COMPARE_BLOCKS 256
/* So many that wait to be compared; others are left out. */
#define COMPARE_WAITING_MAX 16
/* What looking at a file costs, whatever is in it. */
#define FILE_BYTES 4096

int ord_history_scrub_open(struct ord_history_scrub *s)
{
	s->file.fd = -1;
	ord_bytes_init(&s->bytes, ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX);
	return ord_block_codec_open(&s->codec);
}

void ord_history_scrub_close(struct ord_history_scrub *s)
{
	if (s->codec != NULL) /* was opened */
		ord_history_file_close(&s->file);
	free(s->files);
	ord_block_codec_close(s->codec);
	ord_bytes_close(&s->bytes);
}

/* --- What comes of it. --- */

static void block_compare(struct ord_history *h)
{
	struct ord_history_scrub *s = &h->scrub;
	uv_mutex_lock(&h->mutex);
	bool room = h->checked_count < COMPARE_WAITING_MAX;
	h->checked_count += room;
	uv_mutex_unlock(&h->mutex);
	struct ord_history_job *job =
		room ? ord_history_job_new(ORD_HISTORY_CHECKED, s->partition, s->last.number) : NULL;
	if (job == NULL)
		return;
	job->answer.id = s->last;
	ord_history_job_done(h, job);
}

static void file_leave(struct ord_history *h)
{
	struct ord_history_scrub *s = &h->scrub;
	if (s->last.number != 0 && s->last.number % COMPARE_BLOCKS != 0)
		block_compare(h);
	ord_history_file_close(&s->file);
	s->last = (struct ord_block_id){0};
}

/* The open file is not as it should be. */
static void file_damaged(struct ord_history *h, int err, const char *why)
{
	struct ord_history_scrub *s = &h->scrub;
	uint64_t volume = s->file.volume.header.first_block;
	bool again = s->failed_volume == volume && s->failed_partition == s->partition;
	bool is_io = err == ORD_ERR_IO || err == ORD_ERR_NOMEM ||
		     (err == ORD_ERR_MISMATCH && !ord_volume_is_misplaced(&s->file.volume));
	if (!is_io || (again && err == ORD_ERR_IO)) {
		ord_history_damaged(h, s->partition, volume, s->offset, why);
	} else {
		ord_history_notice(h, "history: file %" PRIu32 "/%" PRIu64 " cannot be checked: %s", s->partition,
				   volume, why);
		s->failed_partition = s->partition;
		s->failed_volume = volume;
	}
	s->linked = false;
	s->last = (struct ord_block_id){0};
	ord_history_file_close(&s->file);
}

/* --- Files. --- */

/* How far the open file may be read; its length when it is not the one that is being written. */
static uint64_t file_limit(struct ord_history *h)
{
	const struct ord_history_scrub *s = &h->scrub;
	uint64_t volume = s->file.volume.header.first_block, bytes = s->file.volume.bytes;
	uv_mutex_lock(&h->mutex);
	struct ord_history_limit limit = h->limits[s->partition];
	uv_mutex_unlock(&h->mutex);
	if (limit.volume == 0 || volume < limit.volume)
		return bytes;
	return volume == limit.volume && limit.offset < bytes ? limit.offset : volume == limit.volume ? bytes : 0;
}

static bool files_list(struct ord_history *h)
{
	struct ord_history_scrub *s = &h->scrub;
	int dir_fd = ord_history_directory_open(h, s->partition);
	s->next = 0;
	s->files_count = 0;
	s->linked = false;
	bool good = dir_fd >= 0 && ord_history_files_list(dir_fd, &s->files, &s->files_count) == ORD_OK;
	if (dir_fd >= 0)
		close(dir_fd);
	return good && s->files != NULL;
}

/* Opens the next file of the partition. False: it is gone, or cannot be opened. */
static bool file_open(struct ord_history *h)
{
	struct ord_history_scrub *s = &h->scrub;
	struct ord_volume_header header = {
		.cluster = h->options.cluster, .partition = s->partition, .first_block = s->files[s->next++]};
	char why[ORD_BLOCK_WHY_SIZE];
	int dir_fd = ord_history_directory_open(h, s->partition);
	int err = dir_fd >= 0 ? ord_history_file_open(&s->file, dir_fd, &header, O_RDONLY) : ORD_ERR_IO;
	if (dir_fd >= 0)
		close(dir_fd);
	s->offset = 0;
	if (err != ORD_OK || file_limit(h) == 0) {
		ord_history_file_close(&s->file);
		return false;
	}
	err = ord_volume_check(&s->file.volume, why);
	if (err != ORD_OK)
		file_damaged(h, err, why);
	s->offset = ORD_VOLUME_HEADER_BYTES;
	return err == ORD_OK;
}

/* Goes to the next partition that has files. False: there is none. */
static bool partition_next(struct ord_history *h)
{
	struct ord_history_scrub *s = &h->scrub;
	free(s->files);
	s->files = NULL;
	s->partition += h->options.partitions_step;
	return s->partition < h->options.partitions_count;
}

/* --- Blocks. --- */

static int block_check(struct ord_history *h, struct ord_block_header *ret, char *why)
{
	struct ord_history_scrub *s = &h->scrub;
	struct ord_block block;
	int err = ord_volume_peek(&s->file.volume, s->offset, ret, why);
	if (err == ORD_OK)
		err = ord_volume_read(&s->file.volume, s->offset, ret, &s->bytes, why);
	if (err == ORD_OK)
		err = ord_block_decode(s->codec, ord_bytes_slice(&s->bytes), &block, why);
	if (err != ORD_OK)
		return err;
	bool is_first = s->offset == ORD_VOLUME_HEADER_BYTES;
	if (is_first && ret->number != s->file.volume.header.first_block) {
		snprintf(why, ORD_BLOCK_WHY_SIZE, "the file does not begin with the block that its name says");
		return ORD_ERR_CORRUPT;
	}
	if (is_first && ret->number != s->before.number + 1)
		s->linked = false; /* behind a gap */
	return s->linked ? ord_block_follows(ret, &s->before, why) : ORD_OK;
}

/* The next block of the open file. Gives its bytes. */
static uint64_t block_next(struct ord_history *h)
{
	struct ord_history_scrub *s = &h->scrub;
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_block_header b;
	if (s->offset >= file_limit(h)) {
		file_leave(h);
		return FILE_BYTES;
	}
	int err = block_check(h, &b, why);
	if (err != ORD_OK) {
		file_damaged(h, err, why);
		return FILE_BYTES;
	}
	s->offset += ord_block_bytes(&b);
	s->before = ord_block_end_of(&b);
	s->linked = true;
	s->last = ord_block_id_of(&b);
	if (b.number % COMPARE_BLOCKS == 0)
		block_compare(h);
	uv_mutex_lock(&h->mutex);
	h->status.scrub_blocks++;
	uv_mutex_unlock(&h->mutex);
	return ord_block_bytes(&b);
}

uint64_t ord_history_scrub_step(struct ord_history *h)
{
	struct ord_history_scrub *s = &h->scrub;
	if (s->file.fd >= 0)
		return block_next(h);
	if (s->files == NULL && !files_list(h)) {
		if (partition_next(h))
			return FILE_BYTES;
		s->partition = h->options.partitions_first;
		return 0;
	}
	if (s->next < s->files_count) {
		file_open(h);
		return FILE_BYTES;
	}
	if (partition_next(h))
		return FILE_BYTES;
	s->partition = h->options.partitions_first;
	return 0;
}
