/* SPDX-License-Identifier: Apache-2.0 - the thread that writes the history.
 *
 * It takes the block that waits longest and with it those of the same partition that wait behind it, up to ORD_HISTORY_RUN_BYTES: one write, one sync. partition/volume.c says
 * what the next start makes of a write that was cut short; it rests on this order:
 *
 *   sync of the write before -> [a new file: make it, sync its directory] -> write -> sync -> tell
 *
 * After the first failure nothing is written any more.
 *
 * Behind a jump forward the next block begins a new file; nothing is written before that. Behind a jump back the blocks that come are there already: each is read and compared.
 */
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
#include "node/faults_disk.h"
#include "node/file.h"
#include "node/history_state.h"
#include "partition/volume.h"

int ord_history_write_fail(struct ord_history *h, uint32_t partition, uint64_t volume, const char *what)
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

int ord_history_directory_open(const struct ord_history *h, uint32_t partition)
{
	char name[ORD_HISTORY_NAME_SIZE];
	ord_history_name(partition, name);
	return openat(h->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int ord_history_look(struct ord_history *h, uint32_t partition, uint64_t number, struct ord_block *ret)
{
	if (h->reader != NULL && h->reader_partition != partition) {
		ord_history_reader_close(h->reader);
		h->reader = NULL;
	}
	if (h->reader == NULL) {
		struct ord_history_reader_options options = {
			.directory = h->directory, .cluster = h->options.cluster, .partition = partition};
		int err = ord_history_reader_open(&options, &h->reader);
		if (err != ORD_OK)
			return err;
		h->reader_partition = partition;
	}
	return ord_history_read_number(h->reader, number, ret);
}

/* After the disk was full. */
#define RETRY_NS 1000000000u

/* --- Blocks. --- */

/* Who reads meanwhile may go so far. */
static void limit_set(struct ord_history *h, uint32_t partition, const struct ord_history_place *place)
{
	uv_mutex_lock(&h->mutex);
	h->limits[partition] = (struct ord_history_limit){.volume = place->volume, .offset = place->offset};
	uv_mutex_unlock(&h->mutex);
}

/* Opens the file of the place, made when its first block comes. */
static int volume_open(struct ord_history *h, uint32_t partition, const struct ord_history_place *place)
{
	char name[ORD_VOLUME_NAME_SIZE];
	if (h->write_fd >= 0 && h->write_partition == partition && h->write_volume == place->volume)
		return ORD_OK;
	if (h->write_fd >= 0)
		close(h->write_fd);
	h->write_fd = -1;
	ord_volume_name(place->volume, name);
	int dir_fd = ord_history_directory_open(h, partition);
	if (dir_fd < 0)
		return ord_history_write_fail(h, partition, place->volume, "opening the directory");
	int err = ORD_OK;
	h->write_fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (h->write_fd < 0)
		err = ord_history_write_fail(h, partition, place->volume, "opening");
	else if (place->offset == 0 && fsync(dir_fd) != 0)
		err = ord_history_write_fail(h, partition, place->volume, "syncing the directory");
	close(dir_fd);
	if (err != ORD_OK && h->write_fd >= 0) { /* it is to be synced when the write is tried again */
		close(h->write_fd);
		h->write_fd = -1;
	}
	h->write_partition = partition;
	h->write_volume = place->volume;
	return err;
}

/* Encodes the blocks of a run behind each other, after the header of a file when it begins one. *place moves behind them. */
static int run_encode(struct ord_history *h, const struct ord_history_job *first, struct ord_history_place *place)
{
	char why[ORD_BLOCK_WHY_SIZE];
	uint32_t joined = 0;
	ord_bytes_clear(&h->bytes);
	if (place->offset == 0) {
		struct ord_volume_header header = {
			.cluster = h->options.cluster, .partition = first->partition, .first_block = place->volume};
		uint8_t *at = ord_bytes_extend(&h->bytes, ORD_VOLUME_HEADER_BYTES);
		if (at == NULL)
			return block_fail(h, &first->raw.header, ORD_ERR_NOMEM, ord_err_text(ORD_ERR_NOMEM));
		ord_volume_header_encode(&header, at);
	}
	for (const struct ord_history_job *job = first; job != NULL; job = job->next) {
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

/* Writes the blocks from that one on. */
static int run_append(struct ord_history *h, const struct ord_history_job *first)
{
	uint32_t partition = first->partition;
	struct ord_history_place place = h->places[partition];
	if (place.volume == 0 || place.offset >= h->options.volume_bytes) {
		place.volume = first->number;
		place.offset = 0;
		limit_set(h, partition, &place);
	}
	int err = run_encode(h, first, &place);
	if (err == ORD_OK)
		err = volume_open(h, partition, &place);
	if (err != ORD_OK)
		return err;
	if (!ord_faults_disk_write(h->options.faults, true) ||
	    !ord_file_write(h->write_fd, ord_bytes_slice(&h->bytes), place.offset))
		return ord_history_write_fail(h, partition, place.volume, "writing");
	if (!ord_faults_disk_sync(h->options.faults) || fdatasync(h->write_fd) != 0)
		return ord_history_write_fail(h, partition, place.volume, "syncing");
	place.offset += h->bytes.len;
	place.next = place.end.number + 1;
	h->places[partition] = place;
	limit_set(h, partition, &place);
	return ORD_OK;
}

/* What the history ends with when it ends before the block. */
static struct ord_block_end end_before(const struct ord_block_header *b)
{
	struct ord_block_end end = {.number = b->number - 1,
				    .last_index = b->first_index - 1,
				    .last_term = b->first_term,
				    .next_position = b->first_position,
				    .last_time_us = b->first_time_us};
	memcpy(end.chain, b->chain_before, sizeof end.chain);
	return end;
}

/* Is the block there already, or must the history be written anew from it on? */
static int block_compare(struct ord_history *h, const struct ord_block_header *b)
{
	struct ord_block there;
	struct ord_block_id id = ord_block_id_of(b), id_there;
	int err = ord_history_look(h, b->partition, b->number, &there);
	if (err == ORD_ERR_NOMEM || err == ORD_ERR_IO)
		return block_fail(h, b, err, ord_err_text(err));
	if (err == ORD_OK) {
		id_there = ord_block_id_of(&there.header);
		if (ord_block_id_equal(&id, &id_there))
			return ORD_OK;
	}
	struct ord_block_end before = end_before(b);
	return ord_history_aside_from(h, b->partition, b->number, &before,
				      err == ORD_OK ? "it is another one than was applied" : "it cannot be read");
}

static int run_write(struct ord_history *h, const struct ord_history_jobs *run)
{
	const struct ord_history_job *job = run->first;
	struct ord_history_place *place = &h->places[job->partition];
	int err = ORD_OK;
	while (err == ORD_OK && job != NULL && place->next <= place->end.number) {
		err = block_compare(h, &job->raw.header);
		if (err != ORD_OK || place->next > place->end.number)
			break; /* from this one on it is written */
		place->next++;
		job = job->next;
	}
	return err == ORD_OK && job != NULL ? run_append(h, job) : err;
}

/* --- Jumps. --- */

/* The history has blocks up to `end` or further: is the one that ends there that one? */
static int jump_back(struct ord_history *h, uint32_t partition, const struct ord_block_end *end)
{
	struct ord_history_place *place = &h->places[partition];
	struct ord_block there;
	bool same = end->number == 0;
	int err = ORD_OK;
	if (end->number == place->end.number) {
		same = memcmp(end->chain, place->end.chain, sizeof end->chain) == 0;
	} else if (!same) {
		err = ord_history_look(h, partition, end->number, &there);
		same = err == ORD_OK && memcmp(end->chain, there.header.chain_after, sizeof end->chain) == 0;
	}
	if (err == ORD_ERR_NOMEM || err == ORD_ERR_IO)
		return ord_history_write_fail(h, partition, end->number, "reading for a jump");
	place->next = end->number + 1;
	if (same)
		return ORD_OK;
	err = ord_history_aside_from(h, partition, end->number, end, "it does not lead to the state that was copied");
	return err != ORD_OK || end->number == 0 ? err : ord_history_gap_add(h, partition, end->number, end->number);
}

static int jump_do(struct ord_history *h, const struct ord_history_job *job)
{
	struct ord_history_place *place = &h->places[job->partition];
	const struct ord_block_end *end = &job->end;
	if (end->number <= place->end.number)
		return jump_back(h, job->partition, end);
	int err = ord_history_gap_add(h, job->partition, place->end.number + 1, end->number);
	if (err != ORD_OK)
		return err;
	*place = (struct ord_history_place){.end = *end, .next = end->number + 1};
	limit_set(h, job->partition, place);
	return ORD_OK;
}

/* --- The thread. --- */

/* Moves the first job out of what waits, and when it is a block those of its partition that fit the same write; not past another kind of job. */
static void run_take(struct ord_history_jobs *waiting, struct ord_history_jobs *run)
{
	struct ord_history_jobs rest;
	uint32_t partition = waiting->first->partition;
	uint64_t bytes = waiting->first->kind == ORD_HISTORY_BLOCK ? 0 : UINT64_MAX / 2;
	ord_history_jobs_init(run);
	ord_history_jobs_init(&rest);
	while (waiting->first != NULL) {
		struct ord_history_job *job = waiting->first;
		waiting->first = job->next;
		if (job->partition != partition) {
			ord_history_jobs_add(&rest, job);
			continue;
		}
		bytes += job->content_bytes; /* once one does not fit, none behind it does */
		if (job->kind != ORD_HISTORY_BLOCK)
			bytes = UINT64_MAX / 2;
		ord_history_jobs_add(run->first == NULL || bytes <= ORD_HISTORY_RUN_BYTES ? run : &rest, job);
	}
	ord_history_jobs_init(waiting);
	while (rest.first != NULL) {
		struct ord_history_job *job = rest.first;
		rest.first = job->next;
		ord_history_jobs_add(waiting, job);
	}
}

/* Puts a run that was taken back in front. */
static void run_put_back(struct ord_history_jobs *waiting, struct ord_history_jobs *run)
{
	*run->end = waiting->first;
	if (waiting->first == NULL)
		waiting->end = run->end;
	waiting->first = run->first;
}

static void run_end(struct ord_history *h, struct ord_history_jobs *run, int status)
{
	while (run->first != NULL) {
		struct ord_history_job *job = run->first;
		run->first = job->next;
		job->status = status;
		ord_history_jobs_add(&h->done, job);
	}
	uv_async_send(&h->done_signal);
}

/* Does the jobs, unless something has failed before. Gives what they are told with; ORD_ERR_NO_SPACE: but for a block to be filled in they are to be done again. */
static int run_do(struct ord_history *h, const struct ord_history_jobs *run)
{
	const struct ord_history_job *job = run->first;
	int err = h->failed;
	if (err != ORD_OK)
		return err;
	switch (job->kind) {
	case ORD_HISTORY_BLOCK:
		err = run_write(h, run);
		break;
	case ORD_HISTORY_JUMP:
		err = jump_do(h, job);
		break;
	case ORD_HISTORY_FILL:
		err = ord_history_fill_block(h, job);
		if (err == ORD_ERR_CORRUPT || err == ORD_ERR_INVALID || err == ORD_ERR_NO_SPACE)
			return err; /* its own */
		break;
	case ORD_HISTORY_ASIDE:
		err = ord_history_aside(h, job->partition, job->number, job->text);
		break;
	case ORD_HISTORY_RETAIN:
		err = ord_history_retain_do(h, job);
		if (err == ORD_ERR_NO_SPACE)
			return err; /* what frees room needs some: later */
		break;
	default:
		ORD_ASSERT(!"a job of the writer");
	}
	if (err == ORD_ERR_NO_SPACE)
		return err;
	if (err != ORD_OK && h->error_text[0] == '\0')
		snprintf(h->error_text, sizeof h->error_text, "history of partition %" PRIu32 ": %s", job->partition,
			 ord_err_text(err));
	h->failed = err;
	return err;
}

void ord_history_write_main(void *arg)
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
		int err = run_do(h, &run);
		if (err == ORD_ERR_NO_SPACE && run.first->kind != ORD_HISTORY_FILL) {
			uv_mutex_lock(&h->mutex);
			run_put_back(&h->waiting, &run);
			if (!h->stopping)
				uv_cond_timedwait(&h->changed, &h->mutex, RETRY_NS);
			continue;
		}
		for (struct ord_history_job *job = run.first; job != NULL; job = job->next) {
			ord_block_raw_close(&job->raw);
			ord_bytes_close(&job->bytes);
		}
		uv_mutex_lock(&h->mutex);
		run_end(h, &run, err);
	}
	uv_mutex_unlock(&h->mutex);
	if (h->failed == ORD_OK)
		ord_history_fill_end(h);
}
