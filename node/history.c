/* SPDX-License-Identifier: Apache-2.0 - the history of all partitions on disk.
 *
 * What is asked here on the loop's thread becomes a job; the writer (history_write.c) does one after the other, and what was done is told on the loop's thread again.
 */
#include "node/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/history_state.h"

/* Blocks of a run, each with its header, and room for what does not compress. */
#define WRITE_BYTES_MAX (2 * ORD_HISTORY_RUN_BYTES)

/* The scrub is let go on so often, and may fall behind its rate by so much. */
#define SCRUB_TICK_MS 100
#define SCRUB_CREDIT_BYTES_MAX (4u << 20)

static void jobs_free(struct ord_history_jobs *jobs)
{
	while (jobs->first != NULL) {
		struct ord_history_job *job = jobs->first;
		jobs->first = job->next;
		ord_history_job_free(job);
	}
	ord_history_jobs_init(jobs);
}

/* Gives it to the writer. */
static void job_give(struct ord_history *h, struct ord_history_job *job)
{
	uv_mutex_lock(&h->mutex);
	ord_history_jobs_add(&h->waiting, job);
	uv_cond_broadcast(&h->changed);
	uv_mutex_unlock(&h->mutex);
}

/* --- Gaps. --- */

bool ord_history_gap(struct ord_history *h, uint32_t partition, struct ord_history_gap *ret)
{
	ORD_ASSERT(partition < h->options.partitions_count);
	uv_mutex_lock(&h->mutex);
	const struct ord_history_gaps *gaps = &h->gaps[partition];
	bool any = gaps->count > 0;
	if (any)
		*ret = gaps->list[0];
	uv_mutex_unlock(&h->mutex);
	return any;
}

void ord_history_status(struct ord_history *h, struct ord_history_status *ret)
{
	uv_mutex_lock(&h->mutex);
	struct ord_history_status status = h->status;
	for (uint32_t i = 0; i < h->options.partitions_count; i++) {
		status.gaps_count += h->gaps[i].count;
		status.missing_count += ord_history_gaps_blocks(&h->gaps[i]);
	}
	uv_mutex_unlock(&h->mutex);
	*ret = status;
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
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_BLOCK, partition, raw->header.number);
	if (job == NULL)
		return ORD_ERR_NOMEM;
	job->raw = *raw;
	job->content_bytes = raw->content.len;
	*raw = (struct ord_block_raw){0};
	h->numbers[partition]++;
	h->waiting_bytes += job->content_bytes;
	job_give(h, job);
	return ORD_OK;
}

int ord_history_jump(struct ord_history *h, uint32_t partition, const struct ord_block_end *end)
{
	ORD_ASSERT(partition < h->options.partitions_count);
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_JUMP, partition, end->number);
	if (job == NULL)
		return ORD_ERR_NOMEM;
	job->end = *end;
	h->numbers[partition] = end->number;
	job_give(h, job);
	return ORD_OK;
}

int ord_history_fill(struct ord_history *h, uint32_t partition, uint64_t number, struct ord_slice bytes)
{
	ORD_ASSERT(partition < h->options.partitions_count);
	ORD_ASSERT(bytes.len <= ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX);
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_FILL, partition, number);
	if (job == NULL)
		return ORD_ERR_NOMEM;
	ord_bytes_put(&job->bytes, bytes.base, bytes.len);
	if (job->bytes.failed) {
		ord_history_job_free(job);
		return ORD_ERR_NOMEM;
	}
	job_give(h, job);
	return ORD_OK;
}

int ord_history_retain(struct ord_history *h, uint32_t partition, uint64_t index, uint64_t now_us)
{
	ORD_ASSERT(partition < h->options.partitions_count);
	bool wanted = h->options.keep_bytes != 0 || h->options.keep_us != 0;
	if (!wanted || h->retains_count >= h->options.partitions_count)
		return ORD_OK; /* the writer is slow: another time */
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_RETAIN, partition, index);
	if (job == NULL)
		return ORD_ERR_NOMEM;
	job->end.last_time_us = now_us;
	h->retains_count++;
	job_give(h, job);
	return ORD_OK;
}

int ord_history_forget(struct ord_history *h, uint32_t partition, uint64_t first)
{
	ORD_ASSERT(partition < h->options.partitions_count);
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_RETAIN, partition, first);
	if (job == NULL)
		return ORD_ERR_NOMEM;
	job->whole = true;
	h->retains_count++;
	job_give(h, job);
	return ORD_OK;
}

int ord_history_ask(struct ord_history *h, uint32_t partition, uint64_t number, bool whole, uint64_t token)
{
	ORD_ASSERT(partition < h->options.partitions_count);
	if (h->asks_count >= ORD_HISTORY_ASKS_MAX)
		return ORD_ERR_BUSY;
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_ANSWER, partition, number);
	if (job == NULL)
		return ORD_ERR_NOMEM;
	job->answer = (struct ord_archive_answer){.token = token, .partition = partition, .number = number};
	job->whole = whole;
	h->asks_count++;
	uv_mutex_lock(&h->mutex);
	ord_history_jobs_add(&h->asked, job);
	uv_cond_broadcast(&h->wanted);
	uv_mutex_unlock(&h->mutex);
	return ORD_OK;
}

/* --- The scrub. --- */

void ord_history_tick(struct ord_history *h, uint64_t now_ms, uint64_t wall_us)
{
	uint64_t passed_ms = h->ticked_ms != 0 ? now_ms - h->ticked_ms : 0;
	bool begins =
		h->options.scrub_bytes > 0 && (h->round_ms == 0 || now_ms - h->round_ms >= h->options.scrub_pause_ms);
	h->wall_us = wall_us;
	if (passed_ms < SCRUB_TICK_MS && h->ticked_ms != 0)
		return;
	h->ticked_ms = now_ms;
	uv_mutex_lock(&h->mutex);
	h->scrub_credit_bytes += h->options.scrub_bytes * passed_ms / 1000;
	if (h->scrub_credit_bytes > SCRUB_CREDIT_BYTES_MAX)
		h->scrub_credit_bytes = SCRUB_CREDIT_BYTES_MAX;
	if (begins && !h->status.scrubbing) {
		h->scrub_begin = true;
		h->status.scrubbing = true;
		h->round_ms = now_ms;
	}
	if (h->status.scrubbing)
		uv_cond_broadcast(&h->wanted);
	uv_mutex_unlock(&h->mutex);
}

void ord_history_scrub_now(struct ord_history *h)
{
	uv_mutex_lock(&h->mutex);
	h->scrub_hurry = true;
	h->scrub_begin = true;
	h->status.scrubbing = true;
	uv_cond_broadcast(&h->wanted);
	uv_mutex_unlock(&h->mutex);
}

void ord_history_compared(struct ord_history *h, uint32_t partition, uint64_t number, uint32_t node, bool same)
{
	uv_mutex_lock(&h->mutex);
	h->status.compared_count++;
	h->status.different_count += !same;
	uv_mutex_unlock(&h->mutex);
	if (!same)
		ord_history_notice(h,
				   "history of partition %" PRIu32 ": block %" PRIu64
				   " is another one here than on node %" PRIu32
				   ": one of the two has a wrong history; compare both with 'ordain log verify' and "
				   "'ordain log dump'",
				   partition, number, node);
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

static void answer_tell(struct ord_history *h, struct ord_history_job *job)
{
	h->asks_count--;
	job->answer.bytes = ord_bytes_slice(&job->bytes);
	if (h->options.answered != NULL)
		h->options.answered(h->options.ctx, &job->answer);
}

static void job_tell(struct ord_history *h, struct ord_history_job *job)
{
	const struct ord_history_options *o = &h->options;
	switch (job->kind) {
	case ORD_HISTORY_BLOCK:
		h->waiting_bytes -= job->content_bytes;
		o->written(o->ctx, job->partition, job->raw.header.last_index, job->status);
		return;
	case ORD_HISTORY_FILL:
		if (o->filled != NULL)
			o->filled(o->ctx, job->partition, job->number, job->status);
		return;
	case ORD_HISTORY_NOTICE:
		if (o->notice != NULL)
			o->notice(o->ctx, job->text);
		return;
	case ORD_HISTORY_ANSWER:
		answer_tell(h, job);
		return;
	case ORD_HISTORY_CHECKED:
		if (o->checked != NULL)
			o->checked(o->ctx, job->partition, &job->answer.id);
		return;
	case ORD_HISTORY_ROUND:
		uv_mutex_lock(&h->mutex);
		h->status.scrubbed_us = h->wall_us;
		uv_mutex_unlock(&h->mutex);
		return;
	case ORD_HISTORY_RETAIN:
		h->retains_count--;
		return;
	case ORD_HISTORY_JUMP:
	case ORD_HISTORY_ASIDE:
		return; /* an error comes with the next block, or with the next start */
	}
}

/* Tells of all that has been done. */
static void done_tell(struct ord_history *h)
{
	uv_mutex_lock(&h->mutex);
	struct ord_history_job *job = h->done.first;
	ord_history_jobs_init(&h->done);
	h->answer_waits = false;
	h->checked_count = 0;
	uv_cond_broadcast(&h->wanted);
	uv_mutex_unlock(&h->mutex);
	while (job != NULL) {
		struct ord_history_job *next = job->next;
		job_tell(h, job);
		ord_history_job_free(job);
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
	jobs_free(&h->done);
	jobs_free(&h->asked);
	ord_history_serve_close(h);
	for (uint32_t i = 0; h->gaps != NULL && i < h->options.partitions_count; i++)
		ord_history_gaps_close(&h->gaps[i]);
	for (uint32_t i = 0; h->told != NULL && i < h->options.partitions_count; i++)
		ord_history_gaps_close(&h->told[i]);
	ord_history_reader_close(h->reader);
	if (h->filling.fd >= 0)
		close(h->filling.fd);
	if (h->write_fd >= 0)
		close(h->write_fd);
	if (h->dir_fd >= 0)
		close(h->dir_fd);
	ord_block_codec_close(h->codec);
	ord_bytes_close(&h->bytes);
	free(h->found);
	free(h->places);
	free(h->numbers);
	free(h->gaps);
	free(h->told);
	free(h->gaps_changes);
	free(h->limits);
	free(h->kept);
	free(h);
}

static int history_make(struct ord_history *h)
{
	uint32_t count = h->options.partitions_count;
	h->dir_fd = -1;
	h->write_fd = -1;
	h->filling.fd = -1;
	ord_history_jobs_init(&h->waiting);
	ord_history_jobs_init(&h->done);
	ord_history_jobs_init(&h->asked);
	ord_bytes_init(&h->bytes, WRITE_BYTES_MAX);
	h->found = calloc(count, sizeof *h->found);
	h->places = calloc(count, sizeof *h->places);
	h->numbers = calloc(count, sizeof *h->numbers);
	h->gaps = calloc(count, sizeof *h->gaps);
	h->told = calloc(count, sizeof *h->told);
	h->gaps_changes = calloc(count, sizeof *h->gaps_changes);
	h->limits = calloc(count, sizeof *h->limits);
	h->kept = calloc(count, sizeof *h->kept);
	if (h->found == NULL || h->places == NULL || h->numbers == NULL || h->gaps == NULL || h->gaps_changes == NULL ||
	    h->limits == NULL || h->kept == NULL || h->told == NULL)
		return ORD_ERR_NOMEM;
	int err = ord_block_codec_open(&h->codec);
	return err == ORD_OK ? ord_history_serve_open(h) : err;
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
	if (h->options.partitions_step == 0)
		h->options.partitions_step = 1;
	h->survey.partition = h->options.partitions_first;
	h->scrub.partition = h->options.partitions_first;
	int err = history_make(h);
	if (err == ORD_OK)
		err = ord_history_find(h, why, why_size);
	if (err != ORD_OK) {
		history_free(h);
		return err;
	}
	ORD_ASSERT(uv_mutex_init(&h->mutex) == 0 && uv_cond_init(&h->changed) == 0 && uv_cond_init(&h->wanted) == 0);
	ORD_ASSERT(uv_async_init(options->loop, &h->done_signal, done_cb) == 0);
	h->done_signal.data = h;
	ORD_ASSERT(uv_thread_create(&h->writer, ord_history_write_main, h) == 0);
	ORD_ASSERT(uv_thread_create(&h->reading, ord_history_serve_main, h) == 0);
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
	uv_cond_broadcast(&h->wanted);
	uv_mutex_unlock(&h->mutex);
	uv_thread_join(&h->writer);
	uv_thread_join(&h->reading);
	done_tell(h);
	uv_cond_destroy(&h->changed);
	uv_cond_destroy(&h->wanted);
	uv_mutex_destroy(&h->mutex);
	uv_close((uv_handle_t *)&h->done_signal, closed_cb);
}
