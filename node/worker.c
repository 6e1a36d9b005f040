/* SPDX-License-Identifier: Apache-2.0 - a thread that does jobs. */
#include "node/worker.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"

/* First in, first out. */
struct jobs {
	struct ord_worker_job *first;
	struct ord_worker_job **end;
};

struct ord_worker {
	uv_async_t signal;
	uv_thread_t thread;
	uv_mutex_t mutex; /* guards what follows */
	uv_cond_t changed;
	bool stopping;
	struct jobs waiting;
	struct jobs finished;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

static void jobs_init(struct jobs *j)
{
	j->first = NULL;
	j->end = &j->first;
}

static void jobs_add(struct jobs *j, struct ord_worker_job *job)
{
	job->next = NULL;
	*j->end = job;
	j->end = &job->next;
}

static struct ord_worker_job *jobs_take(struct jobs *j)
{
	struct ord_worker_job *job = j->first;
	if (job == NULL)
		return NULL;
	j->first = job->next;
	if (j->first == NULL)
		j->end = &j->first;
	return job;
}

static void thread_main(void *arg)
{
	struct ord_worker *w = arg;
	uv_mutex_lock(&w->mutex);
	for (;;) {
		struct ord_worker_job *job = jobs_take(&w->waiting);
		if (job == NULL && w->stopping)
			break;
		if (job == NULL) {
			uv_cond_wait(&w->changed, &w->mutex);
			continue;
		}
		uv_mutex_unlock(&w->mutex);
		job->work(job);
		uv_mutex_lock(&w->mutex);
		jobs_add(&w->finished, job);
		uv_async_send(&w->signal);
	}
	uv_mutex_unlock(&w->mutex);
}

static void tell(struct ord_worker *w)
{
	for (;;) {
		uv_mutex_lock(&w->mutex);
		struct ord_worker_job *job = jobs_take(&w->finished);
		uv_mutex_unlock(&w->mutex);
		if (job == NULL)
			return;
		job->done(job);
	}
}

static void signal_cb(uv_async_t *signal)
{
	tell(signal->data);
}

int ord_worker_start(uv_loop_t *loop, struct ord_worker **ret)
{
	struct ord_worker *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ORD_ERR_NOMEM;
	jobs_init(&w->waiting);
	jobs_init(&w->finished);
	ORD_ASSERT(uv_mutex_init(&w->mutex) == 0 && uv_cond_init(&w->changed) == 0);
	ORD_ASSERT(uv_async_init(loop, &w->signal, signal_cb) == 0);
	w->signal.data = w;
	ORD_ASSERT(uv_thread_create(&w->thread, thread_main, w) == 0);
	*ret = w;
	return ORD_OK;
}

void ord_worker_give(struct ord_worker *w, struct ord_worker_job *job)
{
	ORD_ASSERT(job->work != NULL);
	ORD_ASSERT(job->done != NULL);
	uv_mutex_lock(&w->mutex);
	jobs_add(&w->waiting, job);
	uv_cond_broadcast(&w->changed);
	uv_mutex_unlock(&w->mutex);
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_worker *w = handle->data;
	void (*stopped)(void *ctx) = w->stopped;
	void *ctx = w->stopped_ctx;
	free(w);
	stopped(ctx);
}

void ord_worker_stop(struct ord_worker *w, void (*stopped)(void *ctx), void *ctx)
{
	w->stopped = stopped;
	w->stopped_ctx = ctx;
	uv_mutex_lock(&w->mutex);
	w->stopping = true;
	uv_cond_broadcast(&w->changed);
	uv_mutex_unlock(&w->mutex);
	uv_thread_join(&w->thread);
	tell(w);
	uv_cond_destroy(&w->changed);
	uv_mutex_destroy(&w->mutex);
	uv_close((uv_handle_t *)&w->signal, closed_cb);
}
