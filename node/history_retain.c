/* SPDX-License-Identifier: Apache-2.0 - how much of the history is kept: whole files go from its front, on the writer's thread.
 *
 * What is the first block that is kept stands in the file "first" (partition/volume.c), which is replaced and durable before files go: a start does not take what was dropped for missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/file.h"
#include "node/history_files.h"
#include "node/history_state.h"
#include "partition/volume.h"

#define TMP_NAME "first.tmp"

int ord_history_first_read(const struct ord_history *h, int dir_fd, uint32_t partition, uint64_t *ret_first)
{
	uint8_t in[ORD_VOLUME_HEADER_BYTES];
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_volume_header header;
	size_t have = 0;
	*ret_first = 1;
	int fd = openat(dir_fd, ORD_VOLUME_FIRST_NAME, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ORD_OK : ORD_ERR_IO;
	bool is_read = ord_file_read(fd, 0, in, sizeof in, &have);
	close(fd);
	if (!is_read)
		return ORD_ERR_IO;
	if (have < sizeof in || ord_volume_first_decode(in, &header, why) != ORD_OK || header.partition != partition ||
	    !ord_uuid_equal(&header.cluster, &h->options.cluster))
		return ORD_ERR_CORRUPT;
	*ret_first = header.first_block;
	return ORD_OK;
}

static int first_write(struct ord_history *h, int dir_fd, uint32_t partition, uint64_t first)
{
	uint8_t out[ORD_VOLUME_HEADER_BYTES];
	struct ord_volume_header header = {.cluster = h->options.cluster, .partition = partition, .first_block = first};
	ord_volume_first_encode(&header, out);
	int fd = openat(dir_fd, TMP_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = fd >= 0 && ord_file_write(fd, ord_slice_of(out, sizeof out), 0) && fdatasync(fd) == 0 &&
		    renameat(dir_fd, TMP_NAME, dir_fd, ORD_VOLUME_FIRST_NAME) == 0 && fsync(dir_fd) == 0;
	int err = good ? ORD_OK : ord_history_write_fail(h, partition, first, "writing the first block kept before");
	if (fd >= 0)
		close(fd);
	return err;
}

/* Blocks before `first` are not wanted any more, and no file that begins before it has one that is. */
static int first_set(struct ord_history *h, int dir_fd, uint32_t partition, uint64_t first, const uint64_t *files,
		     size_t count)
{
	char name[ORD_VOLUME_NAME_SIZE];
	int err = first_write(h, dir_fd, partition, first);
	for (size_t i = 0; err == ORD_OK && i < count && files[i] < first; i++) {
		ord_volume_name(files[i], name);
		if (unlinkat(dir_fd, name, 0) != 0)
			err = ord_history_write_fail(h, partition, files[i], "removing");
	}
	if (err != ORD_OK)
		return err;
	uv_mutex_lock(&h->mutex);
	h->kept[partition] = first;
	uv_mutex_unlock(&h->mutex);
	return ord_history_gap_take(h, partition, 1, first - 1);
}

/* The first block in the file; false when it cannot be told. */
static bool file_begin(struct ord_history *h, int dir_fd, uint32_t partition, uint64_t volume,
		       struct ord_block_header *ret, uint64_t *ret_bytes)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_history_file file;
	struct ord_volume_header header = {
		.cluster = h->options.cluster, .partition = partition, .first_block = volume};
	if (ord_history_file_open(&file, dir_fd, &header, O_RDONLY) != ORD_OK)
		return false;
	bool good = ord_volume_peek(&file.volume, ORD_VOLUME_HEADER_BYTES, ret, why) == ORD_OK;
	*ret_bytes = file.volume.bytes;
	ord_history_file_close(&file);
	return good;
}

/* What the files before each one may be dropped for: bytes from it on, and how old what is before it is at least. */
struct choice {
	uint64_t index; /* entries up to it are in a checkpoint */
	uint64_t now_us;
	uint64_t bytes; /* of the files from the one that is looked at on */
};

static bool may_begin(const struct ord_history *h, const struct choice *c, const struct ord_block_header *b)
{
	const struct ord_history_options *o = &h->options;
	bool by_bytes = o->keep_bytes == 0 || c->bytes >= o->keep_bytes;
	bool by_time = o->keep_us == 0 || (b->first_time_us < c->now_us && c->now_us - b->first_time_us >= o->keep_us);
	return by_bytes && by_time && b->first_index <= c->index;
}

/* The last file that the history may begin with; from the end on, so that bytes add up. *ret_first 0: none but where it begins now. */
static uint64_t first_choose(struct ord_history *h, int dir_fd, uint32_t partition, struct choice *c,
			     const uint64_t *files, size_t count)
{
	struct ord_block_header b;
	uint64_t bytes;
	for (size_t i = count; i > 1; i--) {
		if (!file_begin(h, dir_fd, partition, files[i - 1], &b, &bytes))
			return 0; /* damage is for the scrub */
		c->bytes += bytes;
		if (may_begin(h, c, &b))
			return files[i - 1];
	}
	return 0;
}

int ord_history_retain_do(struct ord_history *h, const struct ord_history_job *job)
{
	struct choice c = {.index = job->number, .now_us = job->end.last_time_us};
	uint64_t *files = NULL, first = job->whole ? job->number : 0;
	size_t count = 0;
	int dir_fd = ord_history_directory_open(h, job->partition);
	if (dir_fd < 0)
		return ord_history_write_fail(h, job->partition, 0, "opening the directory");
	int err = ord_history_files_list(dir_fd, &files, &count);
	if (err == ORD_OK && !job->whole)
		first = first_choose(h, dir_fd, job->partition, &c, files, count);
	if (err == ORD_OK && first > h->kept[job->partition])
		err = first_set(h, dir_fd, job->partition, first, files, count);
	free(files);
	close(dir_fd);
	return err;
}
