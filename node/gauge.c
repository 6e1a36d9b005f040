/* SPDX-License-Identifier: Apache-2.0 - measures how much room is left on a directory's file system.
 *
 * idle --the timer--> measuring (on a thread of libuv's) --answered--> idle, the timer runs anew
 *
 * A file system that does not answer keeps the last sample in force: whoever writes there hears of it anyway. */
#include "node/gauge.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/clock.h"
#include "node/faults_disk.h"
#include "node/log.h"

struct ord_gauge {
	struct ord_gauge_options options;
	char directory[4096];
	struct ord_room room;
	uv_timer_t timer;
	uv_fs_t request;
	bool measuring;
	bool failed; /* the last sample could not be taken */
	bool timer_closed;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* Takes the sample out of a request that has ended; its error, 0 for none. */
static int sample_take(struct ord_gauge *g, struct ord_room_sample *ret)
{
	int err = (int)g->request.result;
	const uv_statfs_t *s = g->request.ptr;
	if (err == 0)
		*ret = (struct ord_room_sample){.free_bytes = s->f_bavail * s->f_bsize,
						.total_bytes = s->f_blocks * s->f_bsize,
						.free_files = s->f_ffree,
						.total_files = s->f_files};
	if (err == 0 && ord_faults_disk_is_full(g->options.faults))
		ret->free_bytes = 0;
	uv_fs_req_cleanup(&g->request);
	return err;
}

static void gauge_free(struct ord_gauge *g)
{
	void (*stopped)(void *ctx) = g->stopped;
	void *ctx = g->stopped_ctx;
	free(g);
	stopped(ctx);
}

static void timer_cb(uv_timer_t *timer);

static void timer_again(struct ord_gauge *g)
{
	uv_timer_start(&g->timer, timer_cb, ord_room_pause_ms(&g->room), 0);
}

static void sample_failed(struct ord_gauge *g, int err)
{
	if (!g->failed)
		ord_log(ORD_LOG_WARN, "data_dir %s: how much room is left cannot be measured: %s", g->directory,
			uv_strerror(err));
	g->failed = true;
}

static void sample_cb(uv_fs_t *request)
{
	struct ord_gauge *g = request->data;
	struct ord_room_sample sample;
	enum ord_room_state before = g->room.state;
	int err = sample_take(g, &sample);
	g->measuring = false;
	if (g->stopped != NULL) {
		if (g->timer_closed)
			gauge_free(g);
		return;
	}
	if (err != 0) {
		sample_failed(g, err);
	} else {
		g->failed = false;
		sample.waiting_bytes = g->options.waiting_bytes(g->options.ctx);
		ord_room_update(&g->room, &sample, ord_clock_monotonic_ms());
		g->options.sampled(g->options.ctx, before);
	}
	if (g->stopped == NULL)
		timer_again(g);
}

static void timer_cb(uv_timer_t *timer)
{
	struct ord_gauge *g = timer->data;
	ORD_ASSERT(!g->measuring);
	int err = uv_fs_statfs(g->options.loop, &g->request, g->directory, sample_cb);
	if (err == 0) {
		g->measuring = true;
		return;
	}
	sample_failed(g, err);
	timer_again(g);
}

/* The first one, which the start waits for. */
static int sample_first(struct ord_gauge *g, char *why, size_t why_size)
{
	struct ord_room_sample sample;
	uv_fs_statfs(g->options.loop, &g->request, g->directory, NULL);
	int err = sample_take(g, &sample);
	if (err != 0) {
		snprintf(why, why_size, "data_dir %s: how much room is left cannot be measured: %s", g->directory,
			 uv_strerror(err));
		return ORD_ERR_IO;
	}
	if (sample.free_bytes < g->options.start_bytes) {
		snprintf(why, why_size,
			 "data_dir %s: %llu KiB are free on its file system, and a node needs %llu KiB to start: make "
			 "room there, or enlarge it, but remove nothing in data_dir",
			 g->directory, (unsigned long long)sample.free_bytes >> 10,
			 (unsigned long long)g->options.start_bytes >> 10);
		return ORD_ERR_NO_SPACE;
	}
	ord_room_update(&g->room, &sample, ord_clock_monotonic_ms());
	return ORD_OK;
}

int ord_gauge_start(const struct ord_gauge_options *options, struct ord_gauge **ret, char *why, size_t why_size)
{
	struct ord_gauge *g = calloc(1, sizeof *g);
	if (g == NULL) {
		snprintf(why, why_size, "not enough memory");
		return ORD_ERR_NOMEM;
	}
	g->options = *options;
	snprintf(g->directory, sizeof g->directory, "%s", options->directory);
	g->request.data = g;
	ord_room_init(&g->room, options->reserve_bytes, options->needs_bytes);
	int err = sample_first(g, why, why_size);
	if (err != ORD_OK) {
		free(g);
		return err;
	}
	ORD_ASSERT(uv_timer_init(options->loop, &g->timer) == 0);
	g->timer.data = g;
	timer_again(g);
	*ret = g;
	return ORD_OK;
}

const struct ord_room *ord_gauge_room(const struct ord_gauge *g)
{
	return &g->room;
}

static void timer_closed_cb(uv_handle_t *handle)
{
	struct ord_gauge *g = handle->data;
	g->timer_closed = true;
	if (!g->measuring)
		gauge_free(g);
}

void ord_gauge_stop(struct ord_gauge *g, void (*stopped)(void *ctx), void *ctx)
{
	g->stopped = stopped;
	g->stopped_ctx = ctx;
	uv_close((uv_handle_t *)&g->timer, timer_closed_cb);
}
