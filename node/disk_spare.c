/* SPDX-License-Identifier: Apache-2.0 - files for the next segments of the write-ahead log, and removing old segments, in the preparer thread.
 *
 * The next segment is prepared in a file "spare", which the writer renames when the log comes to it: overwriting bytes that are on disk already needs no change
 * of metadata, which makes each sync cheaper.
 *
 * A segment that is removed becomes the spare, as it is, if it has the right length. Where none has been removed by the time a segment is past its half, the preparer thread fills
 * a spare with zeros. Segments are removed at about the rate at which they are begun, but at any time between: one that finds a spare there is kept
 * as "spare.next", and moves up when the spare is used. So zeros are written only until the log has its length.
 *
 *   spare: NONE --writer, past the half--> WANTED --preparer, filled--> READY --writer, a new segment--> NONE
 *            |                               |  +--no room--> FAILED --writer, a new segment--> NONE
 *            +---- preparer, a segment that is removed, or the next spare (FAILED, too) ----> READY
 *
 * The preparer removes segments one at a time, and stops filling for that: the file's name changes or goes, and the directory is synced. It takes its time without
 * keeping a write waiting. Where room is short nothing is filled and one spare is enough, which a segment that goes may still become: it is there
 * for the log, and of all that a node writes only the log stops it when a write fails.
 *
 * What is in a spare tells nothing: the log knows old batches by their checksums. But where no segment stands the log begins anew, perhaps as the one
 * before did, whose spare may be left: that one is not used.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/disk_state.h"
#include "node/faults_disk.h"

#define SPARE_NAME "spare"
#define SPARE_NEXT_NAME "spare.next"
#define SPARE_UNFINISHED_NAME "spare.new"
#define FILL_BYTES (1u << 20)

/* --- What others ask for. --- */

/* Whether a file can be the next segment. */
static bool has_length(const struct ord_disk *d, const char *name)
{
	struct stat st;
	return fstatat(d->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == d->segment_bytes;
}

static bool spare_is_there(struct ord_disk *d, const char *name, bool has_segments)
{
	if (has_segments && has_length(d, name))
		return true;
	unlinkat(d->dir_fd, name, 0);
	return false;
}

void ord_disk_spare_find(struct ord_disk *d, bool has_segments)
{
	d->spare = spare_is_there(d, SPARE_NAME, has_segments) ? ORD_SPARE_READY : ORD_SPARE_NONE;
	d->has_next = spare_is_there(d, SPARE_NEXT_NAME, has_segments);
}

void ord_disk_spare_use(struct ord_disk *d, const char *name)
{
	uv_mutex_lock(&d->mutex);
	bool ready = d->spare == ORD_SPARE_READY;
	uv_mutex_unlock(&d->mutex);
	if (ready)
		renameat(d->dir_fd, SPARE_NAME, d->dir_fd, name); /* if it fails the segment is made empty */
	uv_mutex_lock(&d->mutex);
	if (ready || d->spare == ORD_SPARE_FAILED)
		d->spare = ORD_SPARE_NONE;
	uv_cond_broadcast(&d->prepared);
	uv_mutex_unlock(&d->mutex);
}

void ord_disk_prepare(struct ord_disk *d, bool prepares)
{
	uv_mutex_lock(&d->mutex);
	d->prepares = prepares;
	uv_cond_broadcast(&d->prepared);
	uv_mutex_unlock(&d->mutex);
}

/* --- The thread. --- */

static bool may_fill(struct ord_disk *d)
{
	uv_mutex_lock(&d->mutex);
	bool may = d->prepares && !d->stopping && d->remove_segment == 0;
	uv_mutex_unlock(&d->mutex);
	return may;
}

/* Makes the spare file. Failing is no error here: the writer will meet the same disk and tell. It is tried once a segment, since each try on a disk
 * that is nearly full takes for a moment the room that the writer needs. */
static bool spare_fill(struct ord_disk *d)
{
	static _Alignas(ORD_DISK_BLOCK_BYTES) uint8_t zeros[FILL_BYTES];
	int fd = ord_disk_blocks_file(d->dir_fd, SPARE_UNFINISHED_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = true;
	for (uint64_t offset = 0; good && offset < d->segment_bytes; offset += FILL_BYTES) {
		uint64_t left = d->segment_bytes - offset;
		size_t len = left < FILL_BYTES ? (size_t)left : FILL_BYTES;
		good = may_fill(d) && ord_faults_disk_write(d->events.faults, true) &&
		       ord_disk_blocks_put(fd, ord_slice_of(zeros, len), offset) && fdatasync(fd) == 0;
	}
	good = good && fsync(fd) == 0;
	close(fd);
	if (good)
		good = renameat(d->dir_fd, SPARE_UNFINISHED_NAME, d->dir_fd, SPARE_NAME) == 0;
	if (!good)
		unlinkat(d->dir_fd, SPARE_UNFINISHED_NAME, 0);
	return good;
}

/* Gives a segment that goes the name of a spare, NULL: none is needed. False when it cannot be one. */
static bool segment_keep(struct ord_disk *d, const char *name, const char *spare_name)
{
	return spare_name != NULL && has_length(d, name) && renameat(d->dir_fd, name, d->dir_fd, spare_name) == 0;
}

static int segment_remove(struct ord_disk *d, uint64_t segment, const char *spare_name, bool *ret_kept)
{
	char name[ORD_DISK_NAME_SIZE];
	ord_disk_name(segment, name);
	*ret_kept = segment_keep(d, name, spare_name);
	if (!*ret_kept && unlinkat(d->dir_fd, name, 0) != 0)
		return ord_disk_fail(d, "removing", name);
	return fsync(d->dir_fd) == 0 ? ORD_OK : ord_disk_fail(d, "syncing the directory after removing", name);
}

/* Removes the segment that is to go, with the mutex let go meanwhile. */
static void removal_do(struct ord_disk *d)
{
	uint64_t segment = d->remove_segment;
	bool is_next = d->spare == ORD_SPARE_READY;
	const char *spare_name = is_next ? SPARE_NEXT_NAME : SPARE_NAME;
	if (d->has_next || (is_next && !d->prepares))
		spare_name = NULL;
	uv_mutex_unlock(&d->mutex);
	bool kept;
	int status = segment_remove(d, segment, spare_name, &kept);
	uv_mutex_lock(&d->mutex);
	if (kept && status == ORD_OK && is_next)
		d->has_next = true;
	else if (kept && status == ORD_OK)
		d->spare = ORD_SPARE_READY;
	d->remove_segment = 0;
	d->remove_done = true;
	d->remove_status = status;
	uv_async_send(&d->done);
}

/* Moves the next spare up where there is none, or removes it, for room is short; with the mutex let go meanwhile. Not synced: when the name comes back it is found at the start. */
static void next_do(struct ord_disk *d)
{
	bool moves = d->spare != ORD_SPARE_READY;
	d->has_next = false;
	uv_mutex_unlock(&d->mutex);
	if (moves)
		moves = renameat(d->dir_fd, SPARE_NEXT_NAME, d->dir_fd, SPARE_NAME) == 0;
	else
		unlinkat(d->dir_fd, SPARE_NEXT_NAME, 0);
	uv_mutex_lock(&d->mutex);
	if (moves)
		d->spare = ORD_SPARE_READY;
}

/* Fills a spare, with the mutex let go meanwhile. */
static void fill_do(struct ord_disk *d)
{
	uv_mutex_unlock(&d->mutex);
	bool filled = spare_fill(d);
	uv_mutex_lock(&d->mutex);
	if (filled)
		d->spare = ORD_SPARE_READY;
	else if (d->remove_segment == 0)
		d->spare = ORD_SPARE_FAILED;
}

void ord_disk_preparer_main(void *arg)
{
	struct ord_disk *d = arg;
	uv_mutex_lock(&d->mutex);
	while (!d->stopping) {
		if (d->has_next && (d->spare != ORD_SPARE_READY || !d->prepares))
			next_do(d);
		else if (d->remove_segment != 0)
			removal_do(d);
		else if (d->spare == ORD_SPARE_WANTED)
			fill_do(d);
		else
			uv_cond_wait(&d->prepared, &d->mutex);
	}
	uv_mutex_unlock(&d->mutex);
}
