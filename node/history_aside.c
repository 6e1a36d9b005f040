/* SPDX-License-Identifier: Apache-2.0 - files of the history that are damaged, or do not belong to it any more: out of its way, and kept for study.
 *
 * 00000000000000000041.hist becomes 00000000000000000041.hist.damaged-3: numbers ascend within a directory. No file of that name is ever read again by a node.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/file.h"
#include "node/history_files.h"
#include "node/history_state.h"
#include "partition/volume.h"

#define MARK ".damaged-"
#define NAME_SIZE (ORD_VOLUME_NAME_SIZE + sizeof MARK + 20)

/* K of NAME.damaged-K; 0: another name. */
static uint64_t aside_number(const char *name)
{
	const char *mark = strstr(name, MARK);
	return mark != NULL ? strtoull(mark + strlen(MARK), NULL, 10) : 0;
}

/* Looks at those that are there. *ret_oldest: the name with the lowest number, when there is one. False with errno. */
static bool aside_list(int dir_fd, size_t *ret_count, uint64_t *ret_highest, char *ret_oldest, size_t oldest_size)
{
	struct dirent **names = NULL;
	uint64_t lowest = UINT64_MAX;
	int count = scandirat(dir_fd, ".", &names, NULL, alphasort);
	*ret_count = 0;
	*ret_highest = 0;
	for (int i = 0; i < count; i++) {
		uint64_t k = aside_number(names[i]->d_name);
		*ret_count += k > 0;
		if (k > *ret_highest)
			*ret_highest = k;
		if (k > 0 && k < lowest) {
			lowest = k;
			snprintf(ret_oldest, oldest_size, "%s", names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	return count >= 0;
}

bool ord_history_aside_rename(int dir_fd, uint64_t volume, uint64_t *ret_k)
{
	char from[ORD_VOLUME_NAME_SIZE], to[NAME_SIZE], oldest[256];
	uint64_t highest;
	size_t count;
	ord_volume_name(volume, from);
	*ret_k = 0;
	if (faccessat(dir_fd, from, F_OK, 0) != 0)
		return errno == ENOENT;
	if (!aside_list(dir_fd, &count, &highest, oldest, sizeof oldest))
		return false;
	if (count >= ORD_HISTORY_ASIDE_MAX && unlinkat(dir_fd, oldest, 0) != 0)
		return false;
	snprintf(to, sizeof to, "%s" MARK "%" PRIu64, from, highest + 1);
	if (renameat(dir_fd, from, dir_fd, to) != 0 || fsync(dir_fd) != 0)
		return false;
	*ret_k = highest + 1;
	return true;
}

/* --- By the writer. --- */

/* What was opened for reading may have another name now. */
static void reader_leave(struct ord_history *h)
{
	ord_history_reader_close(h->reader);
	h->reader = NULL;
}

/* The writer holds no file of the partition open any more; the next block begins a new one. */
static void place_leave(struct ord_history *h, uint32_t partition)
{
	if (h->write_fd >= 0 && h->write_partition == partition) {
		close(h->write_fd);
		h->write_fd = -1;
	}
	h->places[partition].volume = 0;
	h->places[partition].offset = 0;
	uv_mutex_lock(&h->mutex);
	h->limits[partition] = (struct ord_history_limit){0};
	uv_mutex_unlock(&h->mutex);
}

static void damaged_count(struct ord_history *h)
{
	uv_mutex_lock(&h->mutex);
	h->status.damaged_count++;
	uv_mutex_unlock(&h->mutex);
}

/* The last block that the file can have, as the names of the others tell. ORD_ERR_IO, ORD_ERR_NOMEM. */
static int file_last(struct ord_history *h, int dir_fd, uint32_t partition, uint64_t volume, uint64_t *ret_last)
{
	uint64_t *files;
	size_t count, i = 0;
	int err = ord_history_files_list(dir_fd, &files, &count);
	if (err != ORD_OK)
		return err;
	while (i < count && files[i] <= volume)
		i++;
	*ret_last = i < count ? files[i] - 1 : h->places[partition].end.number;
	free(files);
	return ORD_OK;
}

/* Renames it, and says so. */
static int file_rename(struct ord_history *h, int dir_fd, uint32_t partition, uint64_t volume, const char *what,
		       bool *ret_done)
{
	char name[ORD_VOLUME_NAME_SIZE];
	uint64_t k;
	ord_volume_name(volume, name);
	*ret_done = false;
	if (!ord_history_aside_rename(dir_fd, volume, &k))
		return ord_history_write_fail(h, partition, volume, "setting aside");
	if (k == 0)
		return ORD_OK;
	*ret_done = true;
	damaged_count(h);
	ord_history_notice(h,
			   "history: file %s/%" PRIu32 "/%s is set aside as %s" MARK "%" PRIu64
			   ", its blocks are missing until other nodes have sent them: %s",
			   h->directory, partition, name, name, k, what);
	return ORD_OK;
}

/* Nobody else has it: it is told of, once. */
static int file_keep(struct ord_history *h, uint32_t partition, uint64_t volume, const char *what)
{
	if (ord_history_gaps_find(&h->told[partition], volume) != NULL)
		return ORD_OK;
	damaged_count(h);
	ord_history_notice(h, "history of partition %" PRIu32 " is damaged, and no other node has it: %s", partition,
			   what);
	return ord_history_gaps_add(&h->told[partition], volume, volume);
}

int ord_history_aside(struct ord_history *h, uint32_t partition, uint64_t volume, const char *what)
{
	uint64_t last = 0;
	bool done = false;
	if (h->options.keep_damaged)
		return file_keep(h, partition, volume, what);
	int dir_fd = ord_history_directory_open(h, partition);
	if (dir_fd < 0)
		return ord_history_write_fail(h, partition, volume, "opening the directory");
	int err = file_last(h, dir_fd, partition, volume, &last);
	if (err == ORD_OK)
		err = file_rename(h, dir_fd, partition, volume, what, &done);
	if (done)
		reader_leave(h);
	if (done && h->places[partition].volume == volume)
		place_leave(h, partition);
	if (done && last >= volume)
		err = ord_history_gap_add(h, partition, volume, last);
	close(dir_fd);
	return err;
}

/* Sets all files aside that have blocks from `number` on. *ret_first: where the first of them began; 0: there was none. */
static int files_cut(struct ord_history *h, int dir_fd, uint32_t partition, uint64_t number, const char *what,
		     uint64_t *ret_first)
{
	uint64_t *files;
	size_t count;
	bool done, in_gap;
	*ret_first = 0;
	uv_mutex_lock(&h->mutex);
	const struct ord_history_gap *gap = ord_history_gaps_find(&h->gaps[partition], number);
	uint64_t end = gap != NULL ? gap->first : number;
	in_gap = gap != NULL; /* then files that begin before the gap end before it */
	uv_mutex_unlock(&h->mutex);
	int err = ord_history_files_list(dir_fd, &files, &count);
	if (err != ORD_OK)
		return err;
	for (size_t i = count; err == ORD_OK && i > 0; i--) {
		bool ends_before = files[i - 1] < end && (in_gap || (i < count && files[i] <= number));
		if (ends_before)
			break;
		err = file_rename(h, dir_fd, partition, files[i - 1], what, &done);
		*ret_first = files[i - 1];
	}
	free(files);
	return err;
}

int ord_history_aside_from(struct ord_history *h, uint32_t partition, uint64_t number,
			   const struct ord_block_end *before, const char *what)
{
	char text[ORD_HISTORY_TEXT_SIZE];
	uint64_t first = 0;
	snprintf(text, sizeof text, "block %" PRIu64 ": %s", number, what);
	int err = h->filling.begun && h->filling.partition == partition ? ord_history_fill_drop(h) : ORD_OK;
	int dir_fd = err == ORD_OK ? ord_history_directory_open(h, partition) : -1;
	if (err != ORD_OK || dir_fd < 0)
		return err != ORD_OK ? err : ord_history_write_fail(h, partition, number, "opening the directory");
	reader_leave(h);
	place_leave(h, partition);
	err = files_cut(h, dir_fd, partition, number, text, &first);
	close(dir_fd);
	if (err == ORD_OK)
		err = ord_history_gap_take(h, partition, number, UINT64_MAX);
	if (err == ORD_OK && first > 0 && first < number)
		err = ord_history_gap_add(h, partition, first, number - 1);
	h->places[partition].end = *before;
	h->places[partition].next = before->number + 1;
	return err;
}
