/* SPDX-License-Identifier: Apache-2.0 - the history of all partitions on disk.
 *
 * One thread encodes and writes. It takes the block that waits longest and with it those of the same partition that wait behind it, up to ORD_HISTORY_RUN_BYTES: one write, one
 * sync. partition/volume.c says what the next start makes of a write that was cut short; it rests on this order:
 *
 *   sync of the write before -> [a new file: make it, sync its directory] -> write -> sync -> tell
 *
 * After the first failure nothing is written any more.
 */
#include "node/history.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/file.h"
#include "node/history_state.h"
#include "partition/volume.h"

/* Blocks of a run, each with its header, and room for what does not compress. */
#define WRITE_BYTES_MAX (2 * ORD_HISTORY_RUN_BYTES)

static void jobs_init(struct ord_history_jobs *jobs)
{
	jobs->first = NULL;
	jobs->end = &jobs->first;
}

static void jobs_add(struct ord_history_jobs *jobs, struct ord_history_job *job)
{
	job->next = NULL;
	*jobs->end = job;
	jobs->end = &job->next;
}

static void jobs_free(struct ord_history_jobs *jobs)
{
	while (jobs->first != NULL) {
		struct ord_history_job *job = jobs->first;
		jobs->first = job->next;
		ord_block_raw_close(&job->raw);
		free(job);
	}
	jobs_init(jobs);
}

/* --- The writer thread. --- */

static int write_fail(struct ord_history *h, uint32_t partition, uint64_t volume, const char *what)
{
	char name[ORD_VOLUME_NAME_SIZE];
	int err = ord_file_err();
	ord_volume_name(volume, name);
	snprintf(h->error_text, sizeof h->error_text, "history: %s of %" PRIu32 "/%s failed: %s", what, partition, name,
		 strerror(errno));
	return err;
}

static int block_fail(struct ord_history *h, const struct ord_block_header *b, int err, const char *what)
{
	snprintf(h->error_text, sizeof h->error_text, "history: block %" PRIu64 " of partition %" PRIu32 ": %s",
		 b->number, b->partition, what);
	return err;
}

/* Opens the file of the place, made when its first block comes. */
static int volume_open(struct ord_history *h, uint32_t partition, const struct ord_history_place *place)
{
	char directory[ORD_HISTORY_NAME_SIZE], name[ORD_VOLUME_NAME_SIZE];
	if (h->write_fd >= 0 && h->write_partition == partition && h->write_volume == place->volume)
		return ORD_OK;
	if (h->write_fd >= 0)
		close(h->write_fd);
	h->write_fd = -1;
	ord_history_name(partition, directory);
	ord_volume_name(place->volume, name);
	int dir_fd = openat(h->dir_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return write_fail(h, partition, place->volume, "opening the directory");
	int err = ORD_OK;
	h->write_fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (h->write_fd < 0)
		err = write_fail(h, partition, place->volume, "opening");
	else if (place->offset == 0 && fsync(dir_fd) != 0)
		err = write_fail(h, partition, place->volume, "syncing the directory");
	close(dir_fd);
	h->write_partition = partition;
	h->write_volume = place->volume;
	return err;
}

/* Encodes the blocks of a run behind each other, after the header of a file when it begins one. *place moves behind them. */
static int run_encode(struct ord_history *h, const struct ord_history_jobs *run, struct ord_history_place *place)
{
	char why[ORD_BLOCK_WHY_SIZE];
	uint32_t joined = 0;
	ord_bytes_clear(&h->bytes);
	if (place->offset == 0) {
		struct ord_volume_header header = {.cluster = h->options.cluster,
						   .partition = run->first->raw.header.partition,
						   .first_block = place->volume};
		uint8_t *at = ord_bytes_extend(&h->bytes, ORD_VOLUME_HEADER_BYTES);
		if (at == NULL)
			return block_fail(h, &run->first->raw.header, ORD_ERR_NOMEM, ord_err_text(ORD_ERR_NOMEM));
		ord_volume_header_encode(&header, at);
	}
	for (const struct ord_history_job *job = run->first; job != NULL; job = job->next) {
		const struct ord_block_header *b = &job->raw.header;
		int err = ord_block_follows(b, &place->end, why);
		if (err != ORD_OK)
			return block_fail(h, b, err, why);
		err = ord_block_encode(h->codec, &job->raw, joined++, &h->bytes);
		if (err == ORD_ERR_CORRUPT)
			return block_fail(h, b, err, "its entries are not those that were applied: memory is damaged");
		if (err != ORD_OK)
			return block_fail(h, b, err, ord_err_text(err));
		place->end = ord_block_end_of(b);
	}
	return ORD_OK;
}

static int run_write(struct ord_history *h, const struct ord_history_jobs *run)
{
	uint32_t partition = run->first->raw.header.partition;
	struct ord_history_place place = h->places[partition];
	if (place.volume == 0 || place.offset >= h->options.volume_bytes) {
		place.volume = run->first->raw.header.number;
		place.offset = 0;
	}
	int err = run_encode(h, run, &place);
	if (err == ORD_OK)
		err = volume_open(h, partition, &place);
	if (err != ORD_OK)
		return err;
	if (!ord_file_write(h->write_fd, ord_bytes_slice(&h->bytes), place.offset))
		return write_fail(h, partition, place.volume, "writing");
	if (fdatasync(h->write_fd) != 0)
		return write_fail(h, partition, place.volume, "syncing");
	place.offset += h->bytes.len;
	h->places[partition] = place;
	return ORD_OK;
}

/* Moves the first job and those of its partition that fit the same write out of what waits. */
static void run_take(struct ord_history_jobs *waiting, struct ord_history_jobs *run)
{
	struct ord_history_jobs rest;
	uint32_t partition = waiting->first->raw.header.partition;
	uint64_t bytes = 0;
	jobs_init(run);
	jobs_init(&rest);
	while (waiting->first != NULL) {
		struct ord_history_job *job = waiting->first;
		waiting->first = job->next;
		if (job->raw.header.partition != partition) {
			jobs_add(&rest, job);
			continue;
		}
		bytes += job->content_bytes; /* once one does not fit, none behind it does */
		jobs_add(run->first == NULL || bytes <= ORD_HISTORY_RUN_BYTES ? run : &rest, job);
	}
	jobs_init(waiting);
	while (rest.first != NULL) {
		struct ord_history_job *job = rest.first;
		rest.first = job->next;
		jobs_add(waiting, job);
	}
}

static void run_end(struct ord_history *h, struct ord_history_jobs *run, int status)
{
	while (run->first != NULL) {
		struct ord_history_job *job = run->first;
		run->first = job->next;
		job->status = status;
		jobs_add(&h->done, job);
	}
	uv_async_send(&h->done_signal);
}

static void writer_main(void *arg)
{
	struct ord_history *h = arg;
	uv_mutex_lock(&h->mutex);
	while (!h->stopping) {
		struct ord_history_jobs run;
		if (h->waiting.first == NULL) {
			uv_cond_wait(&h->changed, &h->mutex);
			continue;
		}
		run_take(&h->waiting, &run);
		uv_mutex_unlock(&h->mutex);
		if (h->failed == ORD_OK)
			h->failed = run_write(h, &run);
		for (struct ord_history_job *job = run.first; job != NULL; job = job->next)
			ord_block_raw_close(&job->raw);
		uv_mutex_lock(&h->mutex);
		run_end(h, &run, h->failed);
	}
	uv_mutex_unlock(&h->mutex);
}

/* --- The interface, on the loop's thread. --- */

const struct ord_history_found *ord_history_found(const struct ord_history *h, uint32_t partition)
{
	ORD_ASSERT(partition < h->options.partitions_count);
	return &h->found[partition];
}

int ord_history_write(struct ord_history *h, struct ord_block_raw *raw)
{
	uint32_t partition = raw->header.partition;
	ORD_ASSERT(partition < h->options.partitions_count);
	ORD_ASSERT(raw->header.number == h->numbers[partition] + 1);
	struct ord_history_job *job = calloc(1, sizeof *job);
	if (job == NULL)
		return ORD_ERR_NOMEM;
	job->raw = *raw;
	job->content_bytes = raw->content.len;
	*raw = (struct ord_block_raw){0};
	h->numbers[partition]++;
	h->waiting_bytes += job->content_bytes;
	uv_mutex_lock(&h->mutex);
	jobs_add(&h->waiting, job);
	uv_cond_broadcast(&h->changed);
	uv_mutex_unlock(&h->mutex);
	return ORD_OK;
}

uint64_t ord_history_waiting_bytes(const struct ord_history *h)
{
	return h->waiting_bytes;
}

bool ord_history_is_full(const struct ord_history *h)
{
	return h->waiting_bytes >= ORD_HISTORY_WAITING_BYTES_MAX;
}

const char *ord_history_error_text(const struct ord_history *h)
{
	return h->error_text;
}

/* Tells of all that has been written. */
static void done_tell(struct ord_history *h)
{
	uv_mutex_lock(&h->mutex);
	struct ord_history_job *job = h->done.first;
	jobs_init(&h->done);
	uv_mutex_unlock(&h->mutex);
	while (job != NULL) {
		struct ord_history_job *next = job->next;
		h->waiting_bytes -= job->content_bytes;
		h->options.written(h->options.ctx, job->raw.header.partition, job->raw.header.last_index, job->status);
		free(job);
		job = next;
	}
}

static void done_cb(uv_async_t *async)
{
	done_tell(async->data);
}

/* --- Life. --- */

static void history_free(struct ord_history *h)
{
	jobs_free(&h->waiting);
	if (h->write_fd >= 0)
		close(h->write_fd);
	if (h->dir_fd >= 0)
		close(h->dir_fd);
	ord_block_codec_close(h->codec);
	ord_bytes_close(&h->bytes);
	free(h->found);
	free(h->places);
	free(h->numbers);
	free(h);
}

static int history_make(struct ord_history *h)
{
	uint32_t count = h->options.partitions_count;
	h->dir_fd = -1;
	h->write_fd = -1;
	jobs_init(&h->waiting);
	jobs_init(&h->done);
	ord_bytes_init(&h->bytes, WRITE_BYTES_MAX);
	h->found = calloc(count, sizeof *h->found);
	h->places = calloc(count, sizeof *h->places);
	h->numbers = calloc(count, sizeof *h->numbers);
	if (h->found == NULL || h->places == NULL || h->numbers == NULL)
		return ORD_ERR_NOMEM;
	return ord_block_codec_open(&h->codec);
}

int ord_history_open(const struct ord_history_options *options, struct ord_history **ret, char *why, size_t why_size)
{
	ORD_ASSERT(options->partitions_count > 0);
	snprintf(why, why_size, "history: not enough memory");
	struct ord_history *h = calloc(1, sizeof *h);
	if (h == NULL)
		return ORD_ERR_NOMEM;
	h->options = *options;
	snprintf(h->directory, sizeof h->directory, "%s", options->directory);
	h->options.directory = h->directory;
	int err = history_make(h);
	if (err == ORD_OK)
		err = ord_history_find(h, why, why_size);
	if (err != ORD_OK) {
		history_free(h);
		return err;
	}
	ORD_ASSERT(uv_mutex_init(&h->mutex) == 0 && uv_cond_init(&h->changed) == 0);
	ORD_ASSERT(uv_async_init(options->loop, &h->done_signal, done_cb) == 0);
	h->done_signal.data = h;
	ORD_ASSERT(uv_thread_create(&h->writer, writer_main, h) == 0);
	*ret = h;
	return ORD_OK;
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_history *h = handle->data;
	void (*stopped)(void *ctx) = h->stopped;
	void *ctx = h->stopped_ctx;
	history_free(h);
	stopped(ctx);
}

void ord_history_stop(struct ord_history *h, void (*stopped)(void *ctx), void *ctx)
{
	h->stopped = stopped;
	h->stopped_ctx = ctx;
	uv_mutex_lock(&h->mutex);
	h->stopping = true;
	uv_cond_broadcast(&h->changed);
	uv_mutex_unlock(&h->mutex);
	uv_thread_join(&h->writer);
	done_tell(h);
	uv_cond_destroy(&h->changed);
	uv_mutex_destroy(&h->mutex);
	uv_close((uv_handle_t *)&h->done_signal, closed_cb);
}
