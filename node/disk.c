/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log's files.
 *
 * The writer thread does one write at a time: pwrite, then fdatasync. While a segment is past its half, the preparer thread fills the next one with
 * zeros in a file "spare": overwriting bytes that are on disk already needs no change of metadata, which makes each sync cheaper. The writer renames
 * it when the log comes to a new segment; if it is not there yet, the segment is made empty and grows.
 *
 *   spare: NONE --writer, past the half--> WANTED --preparer--> READY --writer, a new segment--> NONE
 *                                            +--no room--> FAILED --writer, a new segment--> NONE
 *
 * The preparer also removes old segments, one at a time, when it is not filling: the file's name goes, and the directory is synced. It takes its time without
 * keeping a write waiting.
 *
 * A name is durable before the first byte that is written under it: the writer syncs the directory after making a segment, and opening syncs it once,
 * since an earlier process may have been killed between the two.
 */
#include "node/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/file.h"

#define SEGMENT_SUFFIX ".wal"
#define SPARE_NAME "spare"
#define SPARE_UNFINISHED_NAME "spare.new"
#define FILL_BYTES (1u << 20)

enum spare_state { SPARE_NONE, SPARE_WANTED, SPARE_READY, SPARE_FAILED };

struct ord_disk {
	int dir_fd;
	uint64_t segment_bytes;
	struct ord_disk_events events;
	uv_async_t done;
	uv_thread_t writer;
	uv_thread_t preparer;
	uv_mutex_t mutex; /* guards what follows */
	uv_cond_t changed;
	bool stopping;
	bool job_waiting;
	bool job_done;
	int job_status;
	bool prepares;
	enum spare_state spare;
	uint64_t job_segment;
	uint64_t job_offset;
	struct ord_slice job_bytes; /* borrowed until synced */
	uint64_t remove_segment;    /* that is to go; 0: none */
	bool remove_done;
	int remove_status;
	char error_text[256]; /* of the first thing that failed */
	/* The writer's own. */
	int write_fd;
	uint64_t write_segment;
	/* The loop's own. */
	int read_fd;
	uint64_t read_segment;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

static void segment_name(uint64_t segment, char name[32])
{
	snprintf(name, 32, "%016" PRIx64 SEGMENT_SUFFIX, segment);
}

/* --- The writer thread. --- */

static int disk_fail(struct ord_disk *d, const char *what, const char *name)
{
	int err = ord_file_err();
	int number = errno;
	uv_mutex_lock(&d->mutex);
	if (d->error_text[0] == 0)
		snprintf(d->error_text, sizeof d->error_text, "write-ahead log: %s of %s failed: %s", what, name,
			 strerror(number));
	uv_mutex_unlock(&d->mutex);
	return err;
}

/* Renames the spare file to the new segment, if it is ready. */
static void spare_use(struct ord_disk *d, const char *name)
{
	uv_mutex_lock(&d->mutex);
	bool ready = d->spare == SPARE_READY;
	if (d->spare != SPARE_WANTED)
		d->spare = SPARE_NONE;
	uv_mutex_unlock(&d->mutex);
	if (ready)
		renameat(d->dir_fd, SPARE_NAME, d->dir_fd, name); /* if it fails the segment is made empty */
}

static int segment_open(struct ord_disk *d, uint64_t segment, uint64_t offset)
{
	char name[32];
	segment_name(segment, name);
	if (d->write_fd >= 0)
		close(d->write_fd);
	d->write_segment = segment;
	bool made = offset == 0 && faccessat(d->dir_fd, name, F_OK, 0) != 0;
	if (made)
		spare_use(d, name);
	d->write_fd = openat(d->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->write_fd < 0)
		return disk_fail(d, "opening", name);
	if (made && fsync(d->dir_fd) != 0)
		return disk_fail(d, "syncing the directory", name);
	return ORD_OK;
}

static int job_write(struct ord_disk *d)
{
	int err = ORD_OK;
	char name[32];
	segment_name(d->job_segment, name);
	if (d->write_fd < 0 || d->write_segment != d->job_segment)
		err = segment_open(d, d->job_segment, d->job_offset);
	if (err == ORD_OK && !ord_file_write(d->write_fd, d->job_bytes, d->job_offset))
		return disk_fail(d, "writing", name);
	if (err == ORD_OK && fdatasync(d->write_fd) != 0)
		err = disk_fail(d, "syncing", name);
	if (err == ORD_OK && d->events.stored != NULL && d->events.stored(d->events.ctx) != ORD_OK)
		err = disk_fail(d, "noting the beginning", "identity");
	return err;
}

static void writer_main(void *arg)
{
	struct ord_disk *d = arg;
	uv_mutex_lock(&d->mutex);
	for (;;) {
		while (!d->job_waiting && !d->stopping)
			uv_cond_wait(&d->changed, &d->mutex);
		if (!d->job_waiting)
			break;
		uv_mutex_unlock(&d->mutex);
		int status = job_write(d);
		uv_mutex_lock(&d->mutex);
		d->job_waiting = false;
		d->job_done = true;
		d->job_status = status;
		if (d->prepares && d->spare == SPARE_NONE && d->job_offset > d->segment_bytes / 2) {
			d->spare = SPARE_WANTED;
			uv_cond_broadcast(&d->changed);
		}
		uv_async_send(&d->done);
	}
	uv_mutex_unlock(&d->mutex);
}

/* --- The preparer thread. --- */

static bool may_prepare(struct ord_disk *d)
{
	uv_mutex_lock(&d->mutex);
	bool may = d->prepares && !d->stopping;
	uv_mutex_unlock(&d->mutex);
	return may;
}

/* Makes the spare file. Failing is no error here: the writer will meet the same disk and tell. It is tried once a segment, since each try on a disk
 * that is nearly full takes for a moment the room that the writer needs. */
static bool spare_fill(struct ord_disk *d, const void *zeros)
{
	int fd = openat(d->dir_fd, SPARE_UNFINISHED_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool good = true;
	for (uint64_t offset = 0; good && offset < d->segment_bytes; offset += FILL_BYTES) {
		uint64_t left = d->segment_bytes - offset;
		size_t len = left < FILL_BYTES ? (size_t)left : FILL_BYTES;
		good = may_prepare(d) && pwrite(fd, zeros, len, (off_t)offset) == (ssize_t)len && fdatasync(fd) == 0;
	}
	good = good && fsync(fd) == 0;
	close(fd);
	if (good)
		good = renameat(d->dir_fd, SPARE_UNFINISHED_NAME, d->dir_fd, SPARE_NAME) == 0;
	if (!good)
		unlinkat(d->dir_fd, SPARE_UNFINISHED_NAME, 0);
	return good;
}

static int segment_remove(struct ord_disk *d, uint64_t segment)
{
	char name[32];
	segment_name(segment, name);
	if (unlinkat(d->dir_fd, name, 0) != 0)
		return disk_fail(d, "removing", name);
	return fsync(d->dir_fd) == 0 ? ORD_OK : disk_fail(d, "syncing the directory after removing", name);
}

/* Removes the segment that is to go, with the mutex let go meanwhile. */
static void removal_do(struct ord_disk *d)
{
	uint64_t segment = d->remove_segment;
	uv_mutex_unlock(&d->mutex);
	int status = segment_remove(d, segment);
	uv_mutex_lock(&d->mutex);
	d->remove_segment = 0;
	d->remove_done = true;
	d->remove_status = status;
	uv_async_send(&d->done);
}

static void preparer_main(void *arg)
{
	struct ord_disk *d = arg;
	void *zeros = calloc(1, FILL_BYTES);
	if (zeros == NULL)
		return;
	uv_mutex_lock(&d->mutex);
	while (!d->stopping) {
		if (d->remove_segment != 0) {
			removal_do(d);
			continue;
		}
		if (d->spare != SPARE_WANTED) {
			uv_cond_wait(&d->changed, &d->mutex);
			continue;
		}
		uv_mutex_unlock(&d->mutex);
		bool filled = spare_fill(d, zeros);
		uv_mutex_lock(&d->mutex);
		d->spare = filled ? SPARE_READY : SPARE_FAILED;
	}
	uv_mutex_unlock(&d->mutex);
	free(zeros);
}

/* --- The interface, on the loop's thread. --- */

static int disk_list(void *ctx, void (*each)(void *arg, uint64_t segment, uint64_t bytes), void *arg)
{
	struct ord_disk *d = ctx;
	struct dirent **names = NULL;
	int count = scandirat(d->dir_fd, ".", &names, NULL, alphasort);
	if (count < 0)
		return ORD_ERR_IO;
	int err = ORD_OK;
	for (int i = 0; i < count; i++) {
		uint64_t segment;
		char name[32];
		struct stat st;
		if (sscanf(names[i]->d_name, "%16" SCNx64, &segment) == 1) {
			segment_name(segment, name);
			if (err == ORD_OK && strcmp(name, names[i]->d_name) == 0) {
				if (fstatat(d->dir_fd, name, &st, 0) != 0)
					err = ORD_ERR_IO;
				else
					each(arg, segment, (uint64_t)st.st_size);
			}
		}
		free(names[i]);
	}
	free(names);
	return err;
}

static int disk_read(void *ctx, uint64_t segment, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	struct ord_disk *d = ctx;
	if (d->read_fd < 0 || d->read_segment != segment) {
		char name[32];
		segment_name(segment, name);
		if (d->read_fd >= 0)
			close(d->read_fd);
		d->read_fd = openat(d->dir_fd, name, O_RDONLY | O_CLOEXEC);
		if (d->read_fd < 0)
			return ORD_ERR_IO;
		d->read_segment = segment;
	}
	return ord_file_read(d->read_fd, offset, base, len, ret_len) ? ORD_OK : ORD_ERR_IO;
}

/* A descriptor for changes at start-up, -1 when it cannot be opened. */
static int segment_reopen(const struct ord_disk *d, uint64_t segment)
{
	char name[32];
	segment_name(segment, name);
	return openat(d->dir_fd, name, O_RDWR | O_CLOEXEC);
}

static int disk_truncate(void *ctx, uint64_t segment, uint64_t bytes)
{
	int fd = segment_reopen(ctx, segment);
	if (fd < 0)
		return ORD_ERR_IO;
	int err = ftruncate(fd, (off_t)bytes) == 0 && fsync(fd) == 0 ? ORD_OK : ord_file_err();
	close(fd);
	return err;
}

static int disk_rewrite(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes)
{
	int fd = segment_reopen(ctx, segment);
	if (fd < 0)
		return ORD_ERR_IO;
	int err = ord_file_write(fd, bytes, offset) && fdatasync(fd) == 0 ? ORD_OK : ord_file_err();
	close(fd);
	return err;
}

static void disk_write(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes)
{
	struct ord_disk *d = ctx;
	uv_mutex_lock(&d->mutex);
	ORD_ASSERT(!d->job_waiting && !d->job_done);
	d->job_segment = segment;
	d->job_offset = offset;
	d->job_bytes = bytes;
	d->job_waiting = true;
	uv_cond_broadcast(&d->changed);
	uv_mutex_unlock(&d->mutex);
}

static void disk_remove(void *ctx, uint64_t segment)
{
	struct ord_disk *d = ctx;
	/* An open file would keep its room. */
	if (d->read_fd >= 0 && d->read_segment == segment) {
		close(d->read_fd);
		d->read_fd = -1;
	}
	uv_mutex_lock(&d->mutex);
	ORD_ASSERT(segment != 0);
	ORD_ASSERT(d->remove_segment == 0 && !d->remove_done);
	d->remove_segment = segment;
	uv_cond_broadcast(&d->changed);
	uv_mutex_unlock(&d->mutex);
}

struct ord_io ord_disk_io(struct ord_disk *d)
{
	return (struct ord_io){.ctx = d,
			       .list = disk_list,
			       .read = disk_read,
			       .truncate = disk_truncate,
			       .rewrite = disk_rewrite,
			       .write = disk_write,
			       .remove = disk_remove};
}

void ord_disk_prepare(struct ord_disk *d, bool prepares)
{
	uv_mutex_lock(&d->mutex);
	d->prepares = prepares;
	uv_mutex_unlock(&d->mutex);
}

const char *ord_disk_error_text(const struct ord_disk *d)
{
	return d->error_text;
}

static void done_cb(uv_async_t *async)
{
	struct ord_disk *d = async->data;
	uv_mutex_lock(&d->mutex);
	bool done = d->job_done;
	int status = d->job_status;
	bool removed = d->remove_done;
	int remove_status = d->remove_status;
	d->job_done = false;
	d->remove_done = false;
	uv_mutex_unlock(&d->mutex);
	if (done)
		d->events.synced(d->events.ctx, status);
	if (removed)
		d->events.removed(d->events.ctx, remove_status);
}

/* --- Life. --- */

/* A spare file that an earlier process left is used again, unless segments have another length now. */
static enum spare_state spare_find(const struct ord_disk *d)
{
	struct stat st;
	if (fstatat(d->dir_fd, SPARE_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return SPARE_NONE;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size == d->segment_bytes)
		return SPARE_READY;
	unlinkat(d->dir_fd, SPARE_NAME, 0);
	return SPARE_NONE;
}

int ord_disk_open(uv_loop_t *loop, const char *directory, uint64_t segment_bytes, const struct ord_disk_events *events,
		  struct ord_disk **ret)
{
	struct ord_disk *d = calloc(1, sizeof *d);
	if (d == NULL)
		return ORD_ERR_NOMEM;
	d->segment_bytes = segment_bytes;
	d->events = *events;
	d->write_fd = -1;
	d->read_fd = -1;
	d->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd < 0 || fsync(d->dir_fd) != 0) {
		if (d->dir_fd >= 0)
			close(d->dir_fd);
		free(d);
		return ORD_ERR_IO;
	}
	d->spare = spare_find(d);
	d->prepares = true;
	ORD_ASSERT(uv_mutex_init(&d->mutex) == 0 && uv_cond_init(&d->changed) == 0);
	ORD_ASSERT(uv_async_init(loop, &d->done, done_cb) == 0);
	d->done.data = d;
	ORD_ASSERT(uv_thread_create(&d->writer, writer_main, d) == 0);
	ORD_ASSERT(uv_thread_create(&d->preparer, preparer_main, d) == 0);
	*ret = d;
	return ORD_OK;
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_disk *d = handle->data;
	void (*stopped)(void *ctx) = d->stopped;
	void *ctx = d->stopped_ctx;
	free(d);
	stopped(ctx);
}

void ord_disk_stop(struct ord_disk *d, void (*stopped)(void *ctx), void *ctx)
{
	d->stopped = stopped;
	d->stopped_ctx = ctx;
	uv_mutex_lock(&d->mutex);
	d->stopping = true;
	uv_cond_broadcast(&d->changed);
	uv_mutex_unlock(&d->mutex);
	uv_thread_join(&d->writer);
	uv_thread_join(&d->preparer);
	if (d->job_done)
		d->events.synced(d->events.ctx, d->job_status);
	if (d->remove_done)
		d->events.removed(d->events.ctx, d->remove_status);
	if (d->write_fd >= 0)
		close(d->write_fd);
	if (d->read_fd >= 0)
		close(d->read_fd);
	close(d->dir_fd);
	uv_cond_destroy(&d->changed);
	uv_mutex_destroy(&d->mutex);
	uv_close((uv_handle_t *)&d->done, closed_cb);
}
