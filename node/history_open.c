/* SPDX-License-Identifier: Apache-2.0 - the start of the history: directories, and where each partition's blocks end.
 *
 * A file is made and its name is durable before its first block is written, and it is written only after the sync of the last write to the file before. So a last file without one
 * whole block is what a cut write left; it goes away, and then the file before it must be whole.
 *
 * A file that is damaged where no cut write explains it is set aside (history_aside.c), and the history ends before it, unless nobody else has a copy: then the node does not start.
 *
 * What is found whole is written once more and synced: a process that was killed may have left a write that the operating system has and the disk has not.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/file.h"
#include "node/history_files.h"
#include "node/history_state.h"
#include "partition/volume.h"

#define REWRITE_BYTES (256u << 10)

/* One partition's directory while it is looked at. */
struct finder {
	struct ord_history *h;
	uint32_t partition;
	int dir_fd;
	uint64_t *files; /* owned */
	size_t files_count;
	bool has_cut; /* a torn write has been met: what stands before it is whole */
	char *why;    /* borrowed */
	size_t why_size;
};

void ord_history_name(uint32_t partition, char name[ORD_HISTORY_NAME_SIZE])
{
	snprintf(name, ORD_HISTORY_NAME_SIZE, "%" PRIu32, partition);
}

static int directory_fail(char *why, size_t why_size, const char *directory, const char *what)
{
	int err = ord_file_err();
	snprintf(why, why_size, "history: directory %s cannot be %s: %s", directory, what, strerror(errno));
	return err;
}

static int file_fail(const struct finder *f, int err, uint64_t number, uint64_t offset, const char *what)
{
	char name[ORD_VOLUME_NAME_SIZE];
	ord_volume_name(number, name);
	snprintf(f->why, f->why_size, "history: file %s/%" PRIu32 "/%s, offset %" PRIu64 ": %s", f->h->directory,
		 f->partition, name, offset, what);
	return err;
}

/* A call of the system on a file did not do what it should. */
static int system_fail(const struct finder *f, uint64_t number, const char *what)
{
	char text[256];
	int err = ord_file_err();
	snprintf(text, sizeof text, "%s failed: %s", what, strerror(errno));
	return file_fail(f, err, number, 0, text);
}

/* Writes what stands between two offsets once more. */
static bool bytes_rewrite(int fd, uint64_t begin, uint64_t end)
{
	uint8_t *bytes = malloc(REWRITE_BYTES);
	bool good = bytes != NULL;
	while (good && begin < end) {
		size_t len = end - begin < REWRITE_BYTES ? (size_t)(end - begin) : REWRITE_BYTES, have;
		good = ord_file_read(fd, begin, bytes, len, &have) && have == len &&
		       ord_file_write(fd, ord_slice_of(bytes, len), begin);
		begin += len;
	}
	free(bytes);
	return good;
}

static int file_settle(const struct finder *f, const struct ord_history_file *file, const struct ord_volume_end *end)
{
	uint64_t number = file->volume.header.first_block;
	uint64_t begin = end->run_offset == ORD_VOLUME_HEADER_BYTES ? 0 : end->run_offset;
	if (end->offset < file->volume.bytes && ftruncate(file->fd, (off_t)end->offset) != 0)
		return system_fail(f, number, "cutting");
	if (!bytes_rewrite(file->fd, begin, end->offset))
		return system_fail(f, number, "writing again");
	if (fsync(file->fd) != 0)
		return system_fail(f, number, "syncing");
	return ORD_OK;
}

static int file_remove(const struct finder *f, uint64_t number)
{
	char name[ORD_VOLUME_NAME_SIZE];
	ord_volume_name(number, name);
	return unlinkat(f->dir_fd, name, 0) == 0 ? ORD_OK : system_fail(f, number, "removing");
}

/* Looks at a file that is the last one. *ret_whole: it has a whole block. */
static int file_look(struct finder *f, struct ord_history_file *file, bool *ret_whole)
{
	char why[ORD_BLOCK_WHY_SIZE];
	struct ord_history_place *place = &f->h->places[f->partition];
	struct ord_volume_end end;
	uint64_t number = file->volume.header.first_block, offset = 0;
	int err = ord_volume_find_end(&file->volume, f->h->codec, &f->h->bytes, &end, &offset, why);
	if (err == ORD_ERR_MISMATCH && !f->h->options.keep_damaged && ord_volume_is_misplaced(&file->volume))
		err = ORD_ERR_CORRUPT;
	if (err != ORD_OK)
		return file_fail(f, err, number, offset, why);
	if (f->has_cut && end.offset != file->volume.bytes)
		return file_fail(f, ORD_ERR_CORRUPT, number, end.offset,
				 "a block is missing or damaged, and the next file had been begun");
	f->h->found[f->partition].cut_bytes += file->volume.bytes - end.offset;
	*ret_whole = end.offset > 0;
	if (!*ret_whole)
		return file_remove(f, number);
	*place = (struct ord_history_place){
		.end = end.end, .next = end.end.number + 1, .volume = number, .offset = end.offset};
	f->h->limits[f->partition] = (struct ord_history_limit){.volume = number, .offset = end.offset};
	return file_settle(f, file, &end);
}

/* The file that f->why tells about is damaged. */
static int file_aside(struct finder *f, uint64_t number)
{
	uint64_t k;
	struct ord_history *h = f->h;
	if (!ord_history_aside_rename(f->dir_fd, number, &k))
		return system_fail(f, number, "setting aside");
	h->status.damaged_count++;
	if (h->options.notice != NULL) {
		char text[4096 + ORD_HISTORY_TEXT_SIZE];
		snprintf(text, sizeof text,
			 "%s; the file is set aside (its name ends with .damaged-%" PRIu64
			 " now), and its blocks come from the write-ahead log and from other nodes",
			 f->why, k);
		h->options.notice(h->options.ctx, text);
	}
	return ORD_OK;
}

static int files_look(struct finder *f)
{
	bool whole = false;
	int err = ORD_OK;
	for (size_t i = f->files_count; err == ORD_OK && !whole && i > 0; i--) {
		struct ord_history_file file;
		struct ord_volume_header header = {
			.cluster = f->h->options.cluster, .partition = f->partition, .first_block = f->files[i - 1]};
		if (ord_history_file_open(&file, f->dir_fd, &header, O_RDWR) != ORD_OK)
			return system_fail(f, header.first_block, "opening");
		err = file_look(f, &file, &whole);
		ord_history_file_close(&file);
		f->has_cut = true;
		if (err == ORD_ERR_CORRUPT && !f->h->options.keep_damaged)
			err = file_aside(f, header.first_block);
	}
	return err;
}

/* What retention has dropped is not missing. When the file that says so is damaged, it is: until all peers have said that they dropped it, too. */
static int first_find(struct finder *f)
{
	struct ord_history *h = f->h;
	int err = ord_history_first_read(h, f->dir_fd, f->partition, &h->kept[f->partition]);
	if (err == ORD_ERR_IO)
		return system_fail(f, 0, "reading " ORD_VOLUME_FIRST_NAME);
	if (err == ORD_ERR_CORRUPT && h->options.notice != NULL) {
		char text[4096 + 128];
		snprintf(text, sizeof text,
			 "history: file %s/%" PRIu32 "/" ORD_VOLUME_FIRST_NAME
			 " is damaged: blocks that retention has dropped count as missing",
			 h->directory, f->partition);
		h->options.notice(h->options.ctx, text);
	}
	return ORD_OK;
}

static int partition_find(struct ord_history *h, uint32_t partition, char *why, size_t why_size)
{
	struct finder f = {.h = h, .partition = partition, .why = why, .why_size = why_size};
	char name[ORD_HISTORY_NAME_SIZE];
	ord_history_name(partition, name);
	if (mkdirat(h->dir_fd, name, 0700) != 0 && errno != EEXIST)
		return directory_fail(why, why_size, h->directory, "written");
	f.dir_fd = openat(h->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f.dir_fd < 0)
		return directory_fail(why, why_size, h->directory, "read");
	h->places[partition].next = 1;
	int err = ORD_OK;
	if (unlinkat(f.dir_fd, ORD_HISTORY_FILL_NAME, 0) != 0 && errno != ENOENT)
		err = system_fail(&f, 0, "removing " ORD_HISTORY_FILL_NAME);
	if (err == ORD_OK)
		err = first_find(&f);
	if (err != ORD_OK)
		goto close;
	err = ord_history_files_list(f.dir_fd, &f.files, &f.files_count);
	if (err != ORD_OK)
		directory_fail(why, why_size, h->directory, "listed");
	else
		err = files_look(&f);
	if (err == ORD_OK && fsync(f.dir_fd) != 0)
		err = directory_fail(why, why_size, h->directory, "synced");
close:
	free(f.files);
	close(f.dir_fd);
	h->found[partition].end = h->places[partition].end;
	h->numbers[partition] = h->places[partition].end.number;
	return err;
}

/* The directory's own name is as durable as what stands in it. */
static bool parent_sync(const struct ord_history *h)
{
	int fd = openat(h->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

int ord_history_find(struct ord_history *h, char *why, size_t why_size)
{
	int err = ORD_OK;
	if (mkdir(h->directory, 0700) != 0 && errno != EEXIST)
		return directory_fail(why, why_size, h->directory, "made");
	h->dir_fd = open(h->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->dir_fd < 0)
		return directory_fail(why, why_size, h->directory, "opened");
	for (uint32_t i = h->options.partitions_first; err == ORD_OK && i < h->options.partitions_count;
	     i += h->options.partitions_step)
		err = partition_find(h, i, why, why_size);
	if (err == ORD_OK && (fsync(h->dir_fd) != 0 || !parent_sync(h)))
		err = directory_fail(why, why_size, h->directory, "synced");
	return err;
}
