/* SPDX-License-Identifier: Apache-2.0 - what the threads of the history hand to each other: jobs, words for the operator, and the gaps that all of them know. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "node/history_state.h"

void ord_history_jobs_init(struct ord_history_jobs *jobs)
{
	jobs->first = NULL;
	jobs->end = &jobs->first;
}

void ord_history_jobs_add(struct ord_history_jobs *jobs, struct ord_history_job *job)
{
	job->next = NULL;
	*jobs->end = job;
	jobs->end = &job->next;
}

void ord_history_job_free(struct ord_history_job *job)
{
	ord_block_raw_close(&job->raw);
	ord_bytes_close(&job->bytes);
	free(job);
}

struct ord_history_job *ord_history_job_new(enum ord_history_job_kind kind, uint32_t partition, uint64_t number)
{
	struct ord_history_job *job = calloc(1, sizeof *job);
	if (job == NULL)
		return NULL;
	job->kind = kind;
	job->partition = partition;
	job->number = number;
	ord_bytes_init(&job->bytes, ORD_BLOCK_HEADER_BYTES + ORD_BLOCK_STORED_BYTES_MAX);
	return job;
}

void ord_history_job_done(struct ord_history *h, struct ord_history_job *job)
{
	uv_mutex_lock(&h->mutex);
	ord_history_jobs_add(&h->done, job);
	uv_mutex_unlock(&h->mutex);
	uv_async_send(&h->done_signal);
}

void ord_history_notice(struct ord_history *h, const char *format, ...)
{
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_NOTICE, 0, 0);
	va_list args;
	if (job == NULL)
		return;
	va_start(args, format);
	vsnprintf(job->text, sizeof job->text, format, args);
	va_end(args);
	ord_history_job_done(h, job);
}

/* --- Gaps. --- */

int ord_history_gap_add(struct ord_history *h, uint32_t partition, uint64_t first, uint64_t last)
{
	uv_mutex_lock(&h->mutex);
	int err = ord_history_gaps_add(&h->gaps[partition], first, last);
	h->gaps_changes[partition]++;
	uv_mutex_unlock(&h->mutex);
	return err;
}

int ord_history_gap_take(struct ord_history *h, uint32_t partition, uint64_t first, uint64_t last)
{
	uv_mutex_lock(&h->mutex);
	int err = ord_history_gaps_take(&h->gaps[partition], first, last);
	h->gaps_changes[partition]++;
	uv_mutex_unlock(&h->mutex);
	return err;
}
