/* SPDX-License-Identifier: Apache-2.0 - filling the gaps of a history with blocks of peers, on the writer's thread.
 *
 *   none --the first block of a gap--> begun, file open --the file is long enough--> begun, no file --the next block--> begun, file open
 *                                          |  a block closes the gap and leads to the one behind it: none; it does not: none, all that was filled is thrown away
 *                                          +--a block of another gap comes: none, what was filled is kept
 *
 * Blocks go to a file of the name fill.tmp, which gets its name in the history once it is whole and durable: no start meets a part of it. Every block is as if it had been synced by
 * itself ("joined" is 0, partition/volume.c), so that damage to it is never taken for a torn write.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/faults_disk.h"
#include "node/file.h"
#include "node/history_files.h"
#include "node/history_state.h"
#include "partition/volume.h"

#define SYNC_BYTES (4u << 20)

/* --- The file. --- */

static int fill_fail(struct ord_history *h, const char *what)
{
	return ord_history_write_fail(h, h->filling.partition, h->filling.volume, what);
}

static void file_close(struct ord_history_filling *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* Makes the file that begins with that block. */
static int file_begin(struct ord_history *h, uint64_t volume)
{
	struct ord_history_filling *f = &h->filling;
	struct ord_volume_header header = {
		.cluster = h->options.cluster, .partition = f->partition, .first_block = volume};
	uint8_t bytes[ORD_VOLUME_HEADER_BYTES];
	f->volume = volume;
	f->offset = sizeof bytes;
	f->synced = 0;
	int dir_fd = ord_history_directory_open(h, f->partition);
	if (dir_fd < 0)
		return fill_fail(h, "opening the directory");
	f->fd = openat(dir_fd, ORD_HISTORY_FILL_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	close(dir_fd);
	if (f->fd < 0)
		return fill_fail(h, "making the file to fill");
	ord_volume_header_encode(&header, bytes);
	return ord_file_write(f->fd, ord_slice_of(bytes, sizeof bytes), 0) ? ORD_OK : fill_fail(h, "filling");
}

static int file_sync(struct ord_history *h)
{
	if (!ord_faults_disk_sync(h->options.faults) || fdatasync(h->filling.fd) != 0)
		return fill_fail(h, "syncing");
	h->filling.synced = h->filling.offset;
	return ORD_OK;
}

/* It is whole: it becomes part of the history. */
static int file_finish(struct ord_history *h)
{
	struct ord_history_filling *f = &h->filling;
	char name[ORD_VOLUME_NAME_SIZE];
	if (f->fd < 0)
		return ORD_OK;
	int err = file_sync(h);
	file_close(f);
	int dir_fd = err == ORD_OK ? ord_history_directory_open(h, f->partition) : -1;
	if (err == ORD_OK && dir_fd < 0)
		err = fill_fail(h, "opening the directory");
	ord_volume_name(f->volume, name);
	if (err == ORD_OK && (renameat(dir_fd, ORD_HISTORY_FILL_NAME, dir_fd, name) != 0 || fsync(dir_fd) != 0))
		err = fill_fail(h, "naming");
	if (dir_fd >= 0)
		close(dir_fd);
	return err;
}

/* --- The gap. --- */

int ord_history_fill_end(struct ord_history *h)
{
	int err = h->filling.begun ? file_finish(h) : ORD_OK;
	file_close(&h->filling);
	h->filling.begun = false;
	return err;
}

/* Removes the files of the directory that were filled since `begun`. */
static bool files_remove(const struct ord_history_filling *f, int dir_fd)
{
	uint64_t *files;
	size_t count;
	char name[ORD_VOLUME_NAME_SIZE];
	bool good = unlinkat(dir_fd, ORD_HISTORY_FILL_NAME, 0) == 0 || errno == ENOENT;
	if (!good || ord_history_files_list(dir_fd, &files, &count) != ORD_OK)
		return false;
	for (size_t i = 0; good && i < count; i++) {
		ord_volume_name(files[i], name);
		if (files[i] >= f->first && files[i] <= f->end.number)
			good = unlinkat(dir_fd, name, 0) == 0;
	}
	free(files);
	return good && fsync(dir_fd) == 0;
}

int ord_history_fill_drop(struct ord_history *h)
{
	struct ord_history_filling *f = &h->filling;
	file_close(f);
	f->begun = false;
	int dir_fd = ord_history_directory_open(h, f->partition);
	if (dir_fd < 0)
		return fill_fail(h, "opening the directory");
	int err = files_remove(f, dir_fd) ? ORD_OK : fill_fail(h, "throwing away what was filled");
	close(dir_fd);
	if (err == ORD_OK && f->end.number >= f->first)
		err = ord_history_gap_add(h, f->partition, f->first, f->end.number);
	return err;
}

/* There is no room: what was filled is missing again, and nothing else is wrong. */
static int fill_give_up(struct ord_history *h, int err)
{
	if (err != ORD_ERR_NO_SPACE)
		return err;
	h->error_text[0] = '\0';
	int dropped = ord_history_fill_drop(h);
	return dropped != ORD_OK ? dropped : ORD_ERR_NO_SPACE;
}

/* Begins with a gap of which the block is the first: from the end of the block before, if that is there. */
static int fill_begin(struct ord_history *h, uint32_t partition, uint64_t number)
{
	struct ord_history_filling *f = &h->filling;
	struct ord_block before;
	int err = fill_give_up(h, ord_history_fill_end(h));
	if (err != ORD_OK)
		return err;
	*f = (struct ord_history_filling){.partition = partition, .first = number, .linked = true, .fd = -1};
	if (number > 1) {
		err = ord_history_look(h, partition, number - 1, &before);
		if (err == ORD_OK)
			f->end = ord_block_end_of(&before.header);
		else if (err == ORD_ERR_NOT_FOUND || err == ORD_ERR_CORRUPT)
			f->linked = false; /* the end of the gap tells whether it was the right block */
		else
			return fill_fail(h, "reading");
	}
	f->end.number = number - 1;
	f->begun = true;
	return ORD_OK;
}

/* Is it the next one to be filled, and of a gap that is there? ORD_ERR_INVALID. */
static int fill_find(struct ord_history *h, uint32_t partition, uint64_t number)
{
	const struct ord_history_filling *f = &h->filling;
	uv_mutex_lock(&h->mutex);
	const struct ord_history_gap *gap = ord_history_gaps_find(&h->gaps[partition], number);
	bool is_first = gap != NULL && gap->first == number;
	uv_mutex_unlock(&h->mutex);
	if (!is_first)
		return ORD_ERR_INVALID;
	if (f->begun && f->partition == partition && f->end.number + 1 == number)
		return ORD_OK;
	return fill_begin(h, partition, number);
}

/* Is it the block that is wanted, whole, and does it follow? ORD_ERR_CORRUPT, ORD_ERR_NOMEM. */
static int block_check(struct ord_history *h, const struct ord_history_job *job, struct ord_block *ret, char *why)
{
	const struct ord_history_filling *f = &h->filling;
	int err = ord_block_decode(h->codec, ord_bytes_slice(&job->bytes), ret, why);
	if (err != ORD_OK)
		return err == ORD_ERR_NOMEM ? err : ORD_ERR_CORRUPT;
	if (ret->header.partition != job->partition || ret->header.number != job->number ||
	    !ord_uuid_equal(&ret->header.cluster, &h->options.cluster) || ret->bytes.len != job->bytes.len)
		return ORD_ERR_CORRUPT;
	return f->linked ? ord_block_follows(&ret->header, &f->end, why) : ORD_OK;
}

static int block_append(struct ord_history *h, const struct ord_block *block)
{
	struct ord_history_filling *f = &h->filling;
	struct ord_block_header header = block->header;
	uint8_t head[ORD_BLOCK_HEADER_BYTES];
	int err = f->fd < 0 ? file_begin(h, header.number) : ORD_OK;
	if (err != ORD_OK)
		return err;
	header.joined = 0;
	ord_block_header_encode(&header, head);
	struct ord_slice stored = ord_slice_of((const uint8_t *)block->bytes.base + sizeof head, header.stored_bytes);
	if (!ord_faults_disk_write(h->options.faults, true) ||
	    !ord_file_write(f->fd, ord_slice_of(head, sizeof head), f->offset) ||
	    !ord_file_write(f->fd, stored, f->offset + sizeof head))
		return fill_fail(h, "filling");
	f->offset += ord_block_bytes(&header);
	f->end = ord_block_end_of(&header);
	f->linked = true;
	return f->offset - f->synced >= SYNC_BYTES ? file_sync(h) : ORD_OK;
}

/* Nothing is missing behind the block filled last: does that lead to what stands there? A header there that cannot be read is for the scrub to find. */
static bool gap_closes(struct ord_history *h)
{
	const struct ord_history_filling *f = &h->filling;
	const struct ord_block_end *last = &h->places[f->partition].end;
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_block_header behind;
	struct ord_history_file file = {.fd = -1};
	struct ord_volume_header header = {
		.cluster = h->options.cluster, .partition = f->partition, .first_block = f->end.number + 1};
	if (f->end.number >= last->number)
		return memcmp(f->end.chain, last->chain, sizeof last->chain) == 0 &&
		       f->end.next_position == last->next_position;
	int dir_fd = ord_history_directory_open(h, f->partition);
	bool closes = true;
	if (dir_fd >= 0 && ord_history_file_open(&file, dir_fd, &header, O_RDONLY) == ORD_OK &&
	    ord_volume_peek(&file.volume, ORD_VOLUME_HEADER_BYTES, &behind, why) == ORD_OK)
		closes = ord_block_follows(&behind, &f->end, why) == ORD_OK;
	ord_history_file_close(&file);
	if (dir_fd >= 0)
		close(dir_fd);
	return closes;
}

/* All of it is there again, or none of it. */
static int gap_close(struct ord_history *h)
{
	const struct ord_history_filling *f = &h->filling;
	uint64_t first = f->first, last = f->end.number;
	if (gap_closes(h)) {
		int err = ord_history_fill_end(h);
		if (err == ORD_OK)
			ord_history_notice(h,
					   "history of partition %" PRIu32 ": blocks %" PRIu64 " to %" PRIu64
					   ", which were missing, came from other nodes",
					   f->partition, first, last);
		return err;
	}
	ord_history_notice(h,
			   "history of partition %" PRIu32 ": blocks %" PRIu64 " to %" PRIu64
			   " as a peer has them do not lead to the blocks behind them: either that peer or the file "
			   "behind is wrong; another peer is asked",
			   f->partition, first, last);
	int err = ord_history_fill_drop(h);
	return err != ORD_OK ? err : ORD_ERR_CORRUPT;
}

int ord_history_fill_block(struct ord_history *h, const struct ord_history_job *job)
{
	char why[ORD_BLOCK_WHY_SIZE] = "it is another block";
	struct ord_block block;
	bool more;
	int err = fill_find(h, job->partition, job->number);
	if (err == ORD_OK)
		err = block_check(h, job, &block, why);
	if (err == ORD_ERR_CORRUPT)
		ord_history_notice(h, "history of partition %" PRIu32 ": block %" PRIu64 " of a peer is refused: %s",
				   job->partition, job->number, why);
	if (err == ORD_OK)
		err = fill_give_up(h, block_append(h, &block));
	if (err == ORD_OK)
		err = ord_history_gap_take(h, job->partition, job->number, job->number);
	if (err != ORD_OK)
		return err;
	uv_mutex_lock(&h->mutex);
	more = ord_history_gaps_find(&h->gaps[job->partition], job->number + 1) != NULL;
	h->status.filled_count++;
	uv_mutex_unlock(&h->mutex);
	if (!more)
		return fill_give_up(h, gap_close(h));
	return h->filling.offset >= h->options.volume_bytes ? fill_give_up(h, file_finish(h)) : ORD_OK;
}
