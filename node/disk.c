/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log's files.
 *
 * The writer thread does one write at a time: the bytes and zeros behind them (node/disk_blocks.c), then fdatasync. A write for which there is no room is tried again and again, all of it: nothing of it was synced. A sync that
 * fails is never tried again. For a new segment it takes the file that the preparer thread has for it (node/disk_spare.c); if there is none, the segment is made empty and grows, in room that is taken for it at once,
 * and by more than a small write needs: a sync of a longer file has its length to bring to the disk, too, which costs more than the small write.
 *
 * A name is durable before the first byte that is written under it: the writer syncs the directory after making a segment, and opening syncs it once,
 * since an earlier process may have been killed between the two.
 */
#include "node/disk_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/faults_disk.h"
#include "node/file.h"

#define SEGMENT_SUFFIX ".wal"
/* Between two tries of a write for which there is no room. */
#define ROOM_WAIT_NS (UINT64_C(100) * 1000 * 1000)
/* A write of less is small. */
#define SMALL_BYTES (64u << 10)
/* What a segment that grows is made longer by, at the most, beyond a small write; and the part of a segment that it is at the most. */
#define AHEAD_BYTES (256u << 10)
#define AHEAD_PART 16u

void ord_disk_name(uint64_t segment, char name[ORD_DISK_NAME_SIZE])
{
	snprintf(name, ORD_DISK_NAME_SIZE, "%016" PRIx64 SEGMENT_SUFFIX, segment);
}

int ord_disk_fail(struct ord_disk *d, const char *what, const char *name)
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

/* --- The writer thread. --- */

static bool room_is_given(struct ord_disk *d)
{
	uv_mutex_lock(&d->mutex);
	bool prepares = d->prepares;
	uv_mutex_unlock(&d->mutex);
	return prepares;
}

/* Takes the room of a segment, where a spare does not bring it, so that a disk which others fill within a moment does not fail the next write. Its length stays: it grows as it is written. Where
 * room is short already, or the file system cannot, it gets its room as it grows. */
static void segment_reserve(struct ord_disk *d)
{
	if (room_is_given(d))
		(void)fallocate(ord_disk_blocks_fd(d->blocks), FALLOC_FL_KEEP_SIZE, 0, (off_t)d->segment_bytes);
}

static int segment_open(struct ord_disk *d, uint64_t segment, uint64_t offset)
{
	char name[ORD_DISK_NAME_SIZE];
	ord_disk_name(segment, name);
	d->write_segment = segment;
	bool made = offset == 0 && faccessat(d->dir_fd, name, F_OK, 0) != 0;
	if (made)
		ord_disk_spare_use(d, name);
	if (!ord_disk_blocks_use(d->blocks, d->dir_fd, name))
		return ord_disk_fail(d, "opening", name);
	if (made)
		segment_reserve(d);
	if (made && fsync(d->dir_fd) != 0) {
		ord_disk_fail(d, "syncing the directory", name);
		return ORD_ERR_IO; /* for whatever reason: it must not be tried again */
	}
	return ORD_OK;
}

static bool bytes_write(struct ord_disk *d)
{
	uint64_t ahead_bytes = d->segment_bytes / AHEAD_PART;
	if (ahead_bytes > AHEAD_BYTES)
		ahead_bytes = AHEAD_BYTES;
	if (d->job_bytes.len >= SMALL_BYTES || !room_is_given(d))
		ahead_bytes = 0;
	return ord_disk_blocks_write(d->blocks, d->job_bytes, d->job_offset, ORD_IO_END_BYTES,
				     ord_disk_blocks_up(ahead_bytes), d->segment_bytes);
}

/* ORD_ERR_NO_SPACE: nothing was synced, and another try writes the same bytes to the same place. */
static int segment_write(struct ord_disk *d, const char *name)
{
	int err = ORD_OK;
	if (ord_disk_blocks_fd(d->blocks) < 0 || d->write_segment != d->job_segment)
		err = segment_open(d, d->job_segment, d->job_offset);
	if (err == ORD_OK && !bytes_write(d))
		err = ord_disk_fail(d, "writing", name);
	return err;
}

/* For a while, and what failed for want of it is no failure. False: the disk is to stop. */
static bool room_wait(struct ord_disk *d)
{
	uv_mutex_lock(&d->mutex);
	bool stopping = d->stopping;
	if (!stopping) {
		d->starves = true;
		memcpy(d->starves_text, d->error_text, sizeof d->starves_text);
		d->error_text[0] = '\0';
		uv_async_send(&d->done);
		uv_cond_timedwait(&d->writes, &d->mutex, ROOM_WAIT_NS);
	}
	uv_mutex_unlock(&d->mutex);
	return !stopping;
}

static int job_write(struct ord_disk *d)
{
	char name[ORD_DISK_NAME_SIZE];
	ord_disk_name(d->job_segment, name);
	if (!ord_faults_disk_write(d->events.faults, false))
		return ord_disk_fail(d, "writing", name);
	int err = segment_write(d, name);
	while (err == ORD_ERR_NO_SPACE && room_wait(d))
		err = segment_write(d, name);
	if (err == ORD_OK && !ord_faults_disk_sync(d->events.faults))
		return ord_disk_fail(d, "syncing", name);
	if (err == ORD_OK && fdatasync(ord_disk_blocks_fd(d->blocks)) != 0)
		err = ord_disk_fail(d, "syncing", name);
	if (err == ORD_OK && d->events.stored != NULL && d->events.stored(d->events.ctx) != ORD_OK)
		err = ord_disk_fail(d, "noting the beginning", "identity");
	return err;
}

/* Who is woken finds the mutex free. */
static void job_end(struct ord_disk *d, int status)
{
	bool is_direct = ord_disk_blocks_are_direct(d->blocks);
	uv_mutex_lock(&d->mutex);
	d->job_waiting = false;
	d->job_done = true;
	d->starves = false;
	d->job_status = status;
	d->is_cached = status == ORD_OK && !is_direct;
	if (d->prepares && d->spare == ORD_SPARE_NONE && d->job_offset > d->segment_bytes / 2) {
		d->spare = ORD_SPARE_WANTED;
		uv_cond_broadcast(&d->prepared);
	}
	uv_mutex_unlock(&d->mutex);
	uv_async_send(&d->done);
}

static void writer_main(void *arg)
{
	struct ord_disk *d = arg;
	uv_mutex_lock(&d->mutex);
	for (;;) {
		while (!d->job_waiting && !d->stopping)
			uv_cond_wait(&d->writes, &d->mutex);
		if (!d->job_waiting)
			break;
		uv_mutex_unlock(&d->mutex);
		job_end(d, job_write(d));
		uv_mutex_lock(&d->mutex);
	}
	uv_mutex_unlock(&d->mutex);
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
		char name[ORD_DISK_NAME_SIZE];
		struct stat st;
		if (sscanf(names[i]->d_name, "%16" SCNx64, &segment) == 1) {
			ord_disk_name(segment, name);
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
		char name[ORD_DISK_NAME_SIZE];
		ord_disk_name(segment, name);
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
	char name[ORD_DISK_NAME_SIZE];
	ord_disk_name(segment, name);
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
	uv_mutex_unlock(&d->mutex);
	uv_cond_broadcast(&d->writes);
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
	uv_cond_broadcast(&d->prepared);
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
	char starves_text[sizeof d->starves_text];
	bool begins_to_starve = d->starves && !d->starves_told;
	d->starves_told = d->starves;
	bool turns_out_cached = d->is_cached && !d->cached_told;
	d->cached_told = d->cached_told || d->is_cached;
	memcpy(starves_text, d->starves_text, sizeof starves_text);
	d->job_done = false;
	d->remove_done = false;
	uv_mutex_unlock(&d->mutex);
	if (begins_to_starve && d->events.starves != NULL)
		d->events.starves(d->events.ctx, starves_text);
	if (turns_out_cached && d->events.cached != NULL)
		d->events.cached(d->events.ctx);
	if (done)
		d->events.synced(d->events.ctx, status);
	if (removed)
		d->events.removed(d->events.ctx, remove_status);
}

/* --- Life. --- */

static void has_segments_cb(void *arg, uint64_t segment, uint64_t bytes)
{
	bool *has = arg;
	(void)segment;
	(void)bytes;
	*has = true;
}

int ord_disk_open(uv_loop_t *loop, const char *directory, uint64_t segment_bytes, const struct ord_disk_events *events,
		  struct ord_disk **ret)
{
	struct ord_disk *d = calloc(1, sizeof *d);
	if (d == NULL)
		return ORD_ERR_NOMEM;
	int err = ord_disk_blocks_open(&d->blocks);
	if (err != ORD_OK) {
		free(d);
		return err;
	}
	d->segment_bytes = ord_disk_blocks_up(segment_bytes);
	d->events = *events;
	d->read_fd = -1;
	d->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd < 0 || fsync(d->dir_fd) != 0) {
		if (d->dir_fd >= 0)
			close(d->dir_fd);
		ord_disk_blocks_close(d->blocks);
		free(d);
		return ORD_ERR_IO;
	}
	bool has_segments = false;
	err = disk_list(d, has_segments_cb, &has_segments);
	ord_disk_spare_find(d, err == ORD_OK && has_segments);
	d->prepares = true;
	ORD_ASSERT(uv_mutex_init(&d->mutex) == 0 && uv_cond_init(&d->writes) == 0 && uv_cond_init(&d->prepared) == 0);
	ORD_ASSERT(uv_async_init(loop, &d->done, done_cb) == 0);
	d->done.data = d;
	ORD_ASSERT(uv_thread_create(&d->writer, writer_main, d) == 0);
	ORD_ASSERT(uv_thread_create(&d->preparer, ord_disk_preparer_main, d) == 0);
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
	uv_cond_broadcast(&d->writes);
	uv_cond_broadcast(&d->prepared);
	uv_mutex_unlock(&d->mutex);
	uv_thread_join(&d->writer);
	uv_thread_join(&d->preparer);
	if (d->job_done)
		d->events.synced(d->events.ctx, d->job_status);
	if (d->remove_done)
		d->events.removed(d->events.ctx, d->remove_status);
	ord_disk_blocks_close(d->blocks);
	if (d->read_fd >= 0)
		close(d->read_fd);
	close(d->dir_fd);
	uv_cond_destroy(&d->writes);
	uv_cond_destroy(&d->prepared);
	uv_mutex_destroy(&d->mutex);
	uv_close((uv_handle_t *)&d->done, closed_cb);
}
