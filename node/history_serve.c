/* SPDX-License-Identifier: Apache-2.0 - the thread that reads the history: what peers ask for first, then looking for gaps after the start, then the scrub.
 *
 * It changes nothing on disk. What it finds damaged it hands to the writer.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "node/history_state.h"

int ord_history_serve_open(struct ord_history *h)
{
	return ord_history_scrub_open(&h->scrub);
}

void ord_history_serve_close(struct ord_history *h)
{
	ord_history_reader_close(h->serving.reader);
	ord_history_survey_close(&h->survey);
	ord_history_scrub_close(&h->scrub);
}

/* Has the writer been told of the file already? With the mutex. */
static bool aside_waits(const struct ord_history *h, uint32_t partition, uint64_t volume)
{
	const struct ord_history_job *job = h->waiting.first;
	while (job != NULL && (job->kind != ORD_HISTORY_ASIDE || job->partition != partition || job->number != volume))
		job = job->next;
	return job != NULL;
}

void ord_history_damaged(struct ord_history *h, uint32_t partition, uint64_t volume, uint64_t offset, const char *what)
{
	char name[ORD_VOLUME_NAME_SIZE];
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_ASIDE, partition, volume);
	if (job == NULL)
		return; /* it is met again */
	ord_volume_name(volume, name);
	snprintf(job->text, sizeof job->text, "file %" PRIu32 "/%s, offset %" PRIu64 ": %s", partition, name, offset,
		 what);
	uv_mutex_lock(&h->mutex);
	bool is_known = aside_waits(h, partition, volume);
	if (!is_known) {
		ord_history_jobs_add(&h->waiting, job);
		uv_cond_broadcast(&h->changed);
	}
	uv_mutex_unlock(&h->mutex);
	if (is_known)
		ord_history_job_free(job);
}

/* --- Blocks that peers ask for. --- */

/* A reader of the partition that no renamed file is open in. */
static int reader_get(struct ord_history *h, uint32_t partition)
{
	struct ord_history_serving *s = &h->serving;
	uv_mutex_lock(&h->mutex);
	uint64_t changes = h->gaps_changes[partition];
	uv_mutex_unlock(&h->mutex);
	if (s->reader != NULL && s->partition == partition && s->changes == changes)
		return ORD_OK;
	ord_history_reader_close(s->reader);
	s->reader = NULL;
	s->partition = partition;
	s->changes = changes;
	struct ord_history_reader_options options = {
		.directory = h->directory, .cluster = h->options.cluster, .partition = partition};
	return ord_history_reader_open(&options, &s->reader);
}

/* Blocks before it were dropped. */
static uint64_t first_kept(struct ord_history *h, uint32_t partition)
{
	uv_mutex_lock(&h->mutex);
	uint64_t first = h->kept[partition];
	uv_mutex_unlock(&h->mutex);
	return first;
}

static void answer_find(struct ord_history *h, struct ord_history_job *job)
{
	struct ord_archive_answer *a = &job->answer;
	struct ord_block_header header;
	struct ord_slice bytes;
	int err = reader_get(h, a->partition);
	if (err == ORD_OK)
		err = ord_history_read_stored(h->serving.reader, a->number, &header, &bytes);
	if (err == ORD_OK) {
		a->id = ord_block_id_of(&header);
		if (job->whole)
			ord_bytes_put(&job->bytes, bytes.base, bytes.len);
		if (job->bytes.failed)
			err = ORD_ERR_NOMEM;
	} else if (err == ORD_ERR_NOT_FOUND) {
		a->first = first_kept(h, a->partition);
	} else if (err == ORD_ERR_CORRUPT) {
		ord_history_damaged(h, a->partition, ord_history_reader_volume(h->serving.reader), 0,
				    ord_history_reader_error_text(h->serving.reader));
	}
	a->status = err;
}

static void answer_next(struct ord_history *h)
{
	struct ord_history_job *job = h->asked.first;
	h->asked.first = job->next;
	if (h->asked.first == NULL)
		ord_history_jobs_init(&h->asked);
	h->answer_waits = true;
	uv_mutex_unlock(&h->mutex);
	answer_find(h, job);
	ord_history_job_done(h, job);
	uv_mutex_lock(&h->mutex);
}

/* --- The thread. --- */

/* May the scrub go on? Takes note of a round that begins. */
static bool scrub_may(struct ord_history *h)
{
	if (!h->scrub.running && !h->scrub_begin)
		return false;
	if (!h->scrub_hurry && h->scrub_credit_bytes == 0)
		return false;
	if (!h->scrub.running)
		h->scrub_begin = false;
	h->scrub.running = true;
	return true;
}

static void scrub_end(struct ord_history *h)
{
	struct ord_history_job *job = ord_history_job_new(ORD_HISTORY_ROUND, 0, 0);
	h->scrub.running = false;
	h->status.rounds_count++;
	h->scrub_hurry = h->scrub_hurry && h->scrub_begin;
	h->status.scrubbing = h->scrub_begin;
	uv_mutex_unlock(&h->mutex);
	if (job != NULL)
		ord_history_job_done(h, job);
	uv_mutex_lock(&h->mutex);
}

static void scrub_next(struct ord_history *h)
{
	uv_mutex_unlock(&h->mutex);
	uint64_t bytes = ord_history_scrub_step(h);
	uv_mutex_lock(&h->mutex);
	h->scrub_credit_bytes -= bytes < h->scrub_credit_bytes ? bytes : h->scrub_credit_bytes;
	if (bytes == 0)
		scrub_end(h);
}

void ord_history_serve_main(void *arg)
{
	struct ord_history *h = arg;
	uv_mutex_lock(&h->mutex);
	while (!h->stopping) {
		if (h->asked.first != NULL && !h->answer_waits) {
			answer_next(h);
		} else if (!h->status.surveyed) {
			uv_mutex_unlock(&h->mutex);
			bool more = ord_history_survey_step(h);
			uv_mutex_lock(&h->mutex);
			h->status.surveyed = !more;
		} else if (scrub_may(h)) {
			scrub_next(h);
		} else {
			uv_cond_wait(&h->wanted, &h->mutex);
		}
	}
	uv_mutex_unlock(&h->mutex);
}
