/* SPDX-License-Identifier: Apache-2.0 - blocks of a partition's history by number and by position.
 *
 * The reader stands before a block of one open file: asking for the one that stands there costs no search. Otherwise the file is found by the number of its first block, which is
 * its name, or by the first position in the header of that block, and in the file one header leads to the next. Where damage breaks that row, the next header that checks goes on
 * with it; what lies between is damaged.
 */
#include "node/history_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "node/history_files.h"
#include "node/history_state.h"
#include "partition/volume.h"

/* What is looked for. */
struct wanted {
	bool by_position;
	uint64_t value;
};

struct ord_history_reader {
	struct ord_history_reader_options options;
	char directory[4096];
	int dir_fd;
	struct ord_history_file file;
	uint64_t offset;	       /* of the next block in the file */
	uint64_t *files;	       /* owned; of the last listing */
	size_t files_count;	       /* of those */
	struct ord_block_codec *codec; /* owned */
	struct ord_bytes bytes;	       /* owned; of the block read last */
	char error_text[4096 + 512];
};

static int reader_fail(struct ord_history_reader *r, int err, const char *what)
{
	char name[ORD_VOLUME_NAME_SIZE];
	ord_volume_name(r->file.volume.header.first_block, name);
	snprintf(r->error_text, sizeof r->error_text, "history: file %s/%" PRIu32 "/%s, offset %" PRIu64 ": %s",
		 r->directory, r->options.partition, name, r->offset, what);
	return err;
}

static int directory_fail(struct ord_history_reader *r, int err)
{
	snprintf(r->error_text, sizeof r->error_text, "history: directory %s/%" PRIu32 ": %s", r->directory,
		 r->options.partition, err == ORD_ERR_IO ? strerror(errno) : ord_err_text(err));
	return err;
}

static int not_found(struct ord_history_reader *r, const struct wanted *w)
{
	snprintf(r->error_text, sizeof r->error_text, "history: partition %" PRIu32 " has no block %s%" PRIu64,
		 r->options.partition, w->by_position ? "with position " : "", w->value);
	return ORD_ERR_NOT_FOUND;
}

/* --- Files. --- */

static int files_list(struct ord_history_reader *r)
{
	free(r->files);
	r->files = NULL;
	r->files_count = 0;
	int err = ord_history_files_list(r->dir_fd, &r->files, &r->files_count);
	return err == ORD_OK ? ORD_OK : directory_fail(r, err);
}

/* Opens file i of the listing and stands before its first block. */
static int file_open(struct ord_history_reader *r, size_t i)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_volume_header header = {
		.cluster = r->options.cluster, .partition = r->options.partition, .first_block = r->files[i]};
	r->offset = 0;
	ord_history_file_close(&r->file); /* it may have grown, or be another file of that name by now */
	int err = ord_history_file_open(&r->file, r->dir_fd, &header, O_RDONLY);
	if (err != ORD_OK)
		return reader_fail(r, err, strerror(errno));
	err = ord_volume_check(&r->file.volume, why);
	r->offset = ORD_VOLUME_HEADER_BYTES;
	if ((err == ORD_ERR_MISMATCH && !ord_volume_is_misplaced(&r->file.volume)) || err == ORD_ERR_IO)
		return reader_fail(r, err, why);
	return ORD_OK; /* a header that is damaged hides no block */
}

/* The first block in file i that can be read; false when there is none. */
static bool first_block(struct ord_history_reader *r, size_t i, struct ord_block_header *ret)
{
	char why[ORD_BLOCK_WHY_SIZE];
	uint64_t offset;
	if (file_open(r, i) != ORD_OK)
		return false;
	int err = ord_volume_peek(&r->file.volume, ORD_VOLUME_HEADER_BYTES, ret, why);
	if (err != ORD_OK)
		err = ord_volume_search(&r->file.volume, ORD_VOLUME_HEADER_BYTES, ret, &offset, why);
	return err == ORD_OK;
}

/* Does file i begin behind what is looked for? One without a block does: it is being made. */
static bool file_is_behind(struct ord_history_reader *r, size_t i, const struct wanted *w)
{
	struct ord_block_header h;
	if (!w->by_position)
		return r->files[i] > w->value;
	return !first_block(r, i, &h) || h.first_position > w->value;
}

/* The last file that does not begin behind it; files_count when there is none. */
static size_t file_find(struct ord_history_reader *r, const struct wanted *w)
{
	size_t low = 0, high = r->files_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (file_is_behind(r, middle, w))
			high = middle;
		else
			low = middle + 1;
	}
	return low == 0 ? r->files_count : low - 1;
}

/* --- Blocks. --- */

/* Goes on to the next header that checks. *ret_skipped: something else stood between. ORD_ERR_NOT_FOUND at the end. */
static int header_next(struct ord_history_reader *r, struct ord_block_header *ret, bool *ret_skipped, char *why)
{
	char none[ORD_BLOCK_WHY_SIZE];
	*ret_skipped = false;
	int err = ord_volume_peek(&r->file.volume, r->offset, ret, why);
	if (err == ORD_OK || err == ORD_ERR_NOT_FOUND || err == ORD_ERR_IO || err == ORD_ERR_MISMATCH)
		return err;
	*ret_skipped = true;
	uint64_t offset = r->offset;
	int found = ord_volume_search(&r->file.volume, offset + 1, ret, &offset, none);
	if (found == ORD_OK)
		r->offset = offset;
	if (found == ORD_ERR_NOT_FOUND && err == ORD_ERR_TRUNCATED)
		return ORD_ERR_NOT_FOUND; /* being written */
	return found == ORD_ERR_NOT_FOUND ? err : found;
}

static bool is_wanted(const struct ord_block_header *h, const struct wanted *w)
{
	if (!w->by_position)
		return h->number == w->value;
	return h->first_position <= w->value && w->value <= ord_block_last_position(h);
}

static bool is_behind(const struct ord_block_header *h, const struct wanted *w)
{
	return w->by_position ? h->first_position > w->value : h->number > w->value;
}

/* Walks the open file from where the reader stands. */
static int block_find(struct ord_history_reader *r, const struct wanted *w, struct ord_block_header *ret)
{
	char why[ORD_BLOCK_WHY_SIZE], damage[ORD_BLOCK_WHY_SIZE] = "a block is missing";
	uint64_t damage_offset = r->offset;
	for (;;) {
		uint64_t before = r->offset;
		bool skipped;
		int err = header_next(r, ret, &skipped, why);
		if (err == ORD_ERR_NOT_FOUND)
			return err;
		if (skipped) {
			memcpy(damage, why, sizeof damage);
			damage_offset = before;
		}
		if (err != ORD_OK)
			return reader_fail(r, err == ORD_ERR_IO || err == ORD_ERR_MISMATCH ? err : ORD_ERR_CORRUPT,
					   why);
		if (is_wanted(ret, w))
			return ORD_OK;
		if (is_behind(ret, w)) {
			r->offset = damage_offset;
			return reader_fail(r, ORD_ERR_CORRUPT, damage);
		}
		r->offset += ord_block_bytes(ret);
		if (!skipped)
			damage_offset = r->offset;
	}
}

static int block_read(struct ord_history_reader *r, const struct ord_block_header *h, struct ord_block *ret)
{
	char why[ORD_BLOCK_WHY_SIZE];
	int err = ord_volume_read(&r->file.volume, r->offset, h, &r->bytes, why);
	if (err == ORD_OK)
		err = ord_block_decode(r->codec, ord_bytes_slice(&r->bytes), ret, why);
	if (err != ORD_OK)
		reader_fail(r, err, why);
	r->offset += ord_block_bytes(h);
	return err;
}

/* File i is damaged where its first block should stand, which may be the one that is wanted. The last one may be being made. */
static bool begins_damaged(struct ord_history_reader *r, size_t i)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_block_header h;
	return file_open(r, i) == ORD_OK &&
	       ord_volume_peek(&r->file.volume, ORD_VOLUME_HEADER_BYTES, &h, why) != ORD_OK &&
	       (i + 1 < r->files_count || first_block(r, i, &h));
}

static int block_seek(struct ord_history_reader *r, const struct wanted *w, struct ord_block_header *ret)
{
	int err = files_list(r);
	if (err != ORD_OK)
		return err;
	size_t i = file_find(r, w);
	if (i == r->files_count)
		return not_found(r, w);
	err = file_open(r, i);
	if (err != ORD_OK)
		return err;
	err = block_find(r, w, ret);
	if (err != ORD_ERR_NOT_FOUND)
		return err;
	if (i + 1 == r->files_count)
		return not_found(r, w);
	if (r->offset != r->file.volume.bytes)
		return reader_fail(r, ORD_ERR_CORRUPT, "the file ends within a block");
	if (w->by_position && begins_damaged(r, i + 1))
		return reader_fail(r, ORD_ERR_CORRUPT, "the file's first block is damaged");
	return not_found(r, w); /* in a gap between two files */
}

/* The next one costs no search. */
static int number_seek(struct ord_history_reader *r, uint64_t number, struct ord_block_header *ret)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct wanted w = {.value = number};
	bool is_next = r->file.fd >= 0 && ord_volume_peek(&r->file.volume, r->offset, ret, why) == ORD_OK &&
		       ret->number == number;
	return is_next ? ORD_OK : block_seek(r, &w, ret);
}

int ord_history_read_number(struct ord_history_reader *r, uint64_t number, struct ord_block *ret)
{
	struct ord_block_header h;
	int err = number_seek(r, number, &h);
	return err == ORD_OK ? block_read(r, &h, ret) : err;
}

int ord_history_read_stored(struct ord_history_reader *r, uint64_t number, struct ord_block_header *ret_header,
			    struct ord_slice *ret_bytes)
{
	char why[ORD_BLOCK_WHY_SIZE] = "its checksum differs";
	struct ord_block_header h;
	int err = number_seek(r, number, &h);
	if (err != ORD_OK)
		return err;
	err = ord_volume_read(&r->file.volume, r->offset, &h, &r->bytes, why);
	if (err == ORD_OK && ord_crc32c(0, r->bytes.base + ORD_BLOCK_HEADER_BYTES, h.stored_bytes) != h.stored_crc)
		err = ORD_ERR_CORRUPT;
	if (err != ORD_OK)
		reader_fail(r, err, why);
	r->offset += ord_block_bytes(&h);
	if (err != ORD_OK)
		return err;
	*ret_header = h;
	*ret_bytes = ord_bytes_slice(&r->bytes);
	return ORD_OK;
}

int ord_history_read_position(struct ord_history_reader *r, uint64_t position, struct ord_block *ret)
{
	struct wanted w = {.by_position = true, .value = position};
	struct ord_block_header h;
	int err = block_seek(r, &w, &h);
	return err == ORD_OK ? block_read(r, &h, ret) : err;
}

/* Does the first block of file i, or of those that can be read in it, end before that time? */
static bool file_begins_before(struct ord_history_reader *r, size_t i, uint64_t time_us)
{
	struct ord_block_header h;
	return first_block(r, i, &h) && h.last_time_us < time_us;
}

/* Walks the open file to a block of that time or a later one. ORD_ERR_NOT_FOUND: it has none. */
static int time_find(struct ord_history_reader *r, uint64_t time_us, struct ord_block_header *ret)
{
	char why[ORD_BLOCK_WHY_SIZE];
	bool skipped;
	int err;
	while ((err = header_next(r, ret, &skipped, why)) == ORD_OK) {
		if (ret->last_time_us >= time_us)
			return ORD_OK;
		r->offset += ord_block_bytes(ret);
	}
	if (err == ORD_ERR_NOT_FOUND)
		return err;
	return reader_fail(r, err == ORD_ERR_IO || err == ORD_ERR_MISMATCH ? err : ORD_ERR_CORRUPT, why);
}

int ord_history_read_time(struct ord_history_reader *r, uint64_t time_us, struct ord_block *ret)
{
	struct ord_block_header h;
	int err = files_list(r);
	size_t low = 0, high = r->files_count;
	while (err == ORD_OK && low < high) {
		size_t middle = low + (high - low) / 2;
		if (file_begins_before(r, middle, time_us))
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low > 0 ? low - 1 : 0; err == ORD_OK && i < r->files_count; i++) {
		err = file_open(r, i);
		if (err == ORD_OK)
			err = time_find(r, time_us, &h);
		if (err == ORD_OK)
			return block_read(r, &h, ret);
		if (err == ORD_ERR_NOT_FOUND)
			err = ORD_OK; /* the next file, then */
	}
	if (err != ORD_OK)
		return err;
	snprintf(r->error_text, sizeof r->error_text, "history: all entries of partition %" PRIu32 " are older",
		 r->options.partition);
	return ORD_ERR_NOT_FOUND;
}

const char *ord_history_reader_error_text(const struct ord_history_reader *r)
{
	return r->error_text;
}

uint64_t ord_history_reader_volume(const struct ord_history_reader *r)
{
	return r->file.volume.header.first_block;
}

/* --- Life. --- */

static int directory_open(const struct ord_history_reader *r, int *ret_fd)
{
	char name[ORD_HISTORY_NAME_SIZE];
	int dir_fd = open(r->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	ord_history_name(r->options.partition, name);
	*ret_fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = *ret_fd >= 0 ? ORD_OK : errno == ENOENT ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
	close(dir_fd);
	return err;
}

int ord_history_reader_open(const struct ord_history_reader_options *options, struct ord_history_reader **ret)
{
	struct ord_history_reader *r = calloc(1, sizeof *r);
	if (r == NULL)
		return ORD_ERR_NOMEM;
	r->options = *options;
	snprintf(r->directory, sizeof r->directory, "%s", options->directory);
	r->options.directory = r->directory;
	r->file.fd = -1;
	r->dir_fd = -1;
	ord_bytes_init(&r->bytes, ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX);
	int err = directory_open(r, &r->dir_fd);
	if (err == ORD_OK)
		err = ord_block_codec_open(&r->codec);
	if (err == ORD_OK)
		*ret = r;
	else
		ord_history_reader_close(r);
	return err;
}

void ord_history_reader_close(struct ord_history_reader *r)
{
	if (r == NULL)
		return;
	ord_history_file_close(&r->file);
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	ord_block_codec_close(r->codec);
	ord_bytes_close(&r->bytes);
	free(r->files);
	free(r);
}
