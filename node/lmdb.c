/* SPDX-License-Identifier: Apache-2.0 - the states of partitions in LMDB.
 *
 * state/<partition>/data.mdb is an LMDB environment with one named database for each table of partition/store.h ("1", "2", ...); what stands in them is partition/saved.c's. The loop reads in a view of its own, which
 * stays as it is while a thread writes the next state beside it. A write is one transaction, durable when it is committed.
 */
#include "node/lmdb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/faults_disk.h"
#include "node/lmdb_state.h"

/* LMDB keeps the pages of its largest write for the next one, as long as an environment is open: so many of all environments together. To open one again costs the memory of some hundred pages. */
#define KEPT_PAGES_ALL 65536u
#define KEPT_PAGES_LEAST 512u

void ord_lmdb_path(const struct ord_lmdb *l, uint32_t partition, const char *suffix, char *path)
{
	snprintf(path, ORD_LMDB_PATH_SIZE, "%s/%" PRIu32 "%s", l->directory, partition, suffix);
}

size_t ord_lmdb_map_bytes(const struct ord_lmdb *l)
{
	return ord_lmdb_env_map_bytes(l->partitions_count);
}

/* Notes what went wrong, and gives the ORD_ERR_* for it. */
static int failed(struct ord_lmdb *l, const char *path, const char *doing, int rv)
{
	snprintf(l->error_text, sizeof l->error_text, "%s/data.mdb: %s failed: %s", path, doing, mdb_strerror(rv));
	return ord_lmdb_err(rv);
}

static void state_path(const struct ord_lmdb *l, uint32_t partition, char *path)
{
	ord_lmdb_path(l, partition, l->states[partition].is_lost ? ".lost" : "", path);
}

int ord_lmdb_state_open(struct ord_lmdb *l, uint32_t partition)
{
	struct ord_lmdb_state *s = &l->states[partition];
	char path[ORD_LMDB_PATH_SIZE];
	state_path(l, partition, path);
	int rv = ord_lmdb_env_open(&s->env, path, ord_lmdb_map_bytes(l), false);
	return rv == 0 ? ord_lmdb_view_open(&s->view, &s->env) : rv;
}

/* The state is known to be damaged: an earlier process ended in it. */
static bool is_marked(const struct ord_lmdb *l, uint32_t partition)
{
	char path[ORD_LMDB_PATH_SIZE];
	ord_lmdb_path(l, partition, ORD_LMDB_MARKER, path);
	return access(path, F_OK) == 0;
}

/* --- The interface, on the loop's thread. --- */

static int states_open(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	struct ord_lmdb *l = ctx;
	char path[ORD_LMDB_PATH_SIZE];
	ORD_ASSERT(partition < l->partitions_count);
	ORD_ASSERT(l->states[partition].env.env == NULL);
	/* What a copy that was cut short has left, or an old state that one has replaced. */
	ord_lmdb_path(l, partition, ".new", path);
	int rv = ord_lmdb_env_remove(path);
	if (rv == 0 && is_marked(l, partition)) {
		ord_lmdb_path(l, partition, "", path);
		snprintf(why, why_size,
			 "%s: the state of partition %" PRIu32
			 " is damaged: an earlier process ended while it read or wrote it, as %s" ORD_LMDB_MARKER
			 " tells",
			 path, partition, path);
		return ORD_ERR_CORRUPT;
	}
	if (rv == 0) {
		ord_lmdb_path(l, partition, ".lost", path);
		rv = ord_lmdb_env_remove(path);
	}
	if (rv == 0) {
		ord_lmdb_path(l, partition, "", path);
		rv = ord_lmdb_state_open(l, partition);
	}
	if (rv != 0) {
		snprintf(why, why_size, "%s: the state of partition %" PRIu32 " cannot be opened: %s", path, partition,
			 mdb_strerror(rv));
		return ord_lmdb_err(rv);
	}
	*ret = &l->states[partition].view.store;
	return ORD_OK;
}

/* Somebody but the loop reads the partition's environment, on another thread or later. */
static bool is_viewed(const struct ord_lmdb *l, uint32_t partition)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		if ((l->copies[i].open || l->copies[i].reading) && l->copies[i].partition == partition)
			return true;
	return (l->scrub.under_way || l->scrub.audit != NULL) && l->scrub.partition == partition;
}

static int reopen(struct ord_lmdb *l, uint32_t partition)
{
	struct ord_lmdb_state *s = &l->states[partition];
	char path[ORD_LMDB_PATH_SIZE];
	state_path(l, partition, path);
	ord_lmdb_view_close(&s->view);
	int rv = ord_lmdb_env_reopen(&s->env, path, ord_lmdb_map_bytes(l));
	return rv == 0 ? ord_lmdb_view_open(&s->view, &s->env) : rv;
}

static bool keeps_much(const struct ord_lmdb *l, uint32_t partition)
{
	uint64_t share = KEPT_PAGES_ALL / l->partitions_count;
	return l->states[partition].env.kept_pages > (share > KEPT_PAGES_LEAST ? share : KEPT_PAGES_LEAST);
}

static int states_renew(void *ctx, uint32_t partition, char *why, size_t why_size)
{
	struct ord_lmdb *l = ctx;
	bool again = keeps_much(l, partition) && !is_viewed(l, partition);
	int rv = again ? reopen(l, partition) : ord_lmdb_view_renew(&l->states[partition].view);
	if (rv == 0)
		return ORD_OK;
	char path[ORD_LMDB_PATH_SIZE];
	state_path(l, partition, path);
	snprintf(why, why_size, "%s/data.mdb: the state of partition %" PRIu32 " cannot be opened again: %s", path,
		 partition, mdb_strerror(rv));
	return ord_lmdb_err(rv);
}

static void write_work(struct ord_worker_job *job)
{
	struct ord_lmdb_write *w = (struct ord_lmdb_write *)job;
	struct ord_lmdb_env *env = &w->owner->states[w->partition].env;
	struct ord_faults_disk *faults = w->owner->events.faults;
	bool good = ord_faults_disk_write(faults, true) && ord_faults_disk_sync(faults);
	w->rv = good ? ord_lmdb_env_write(env, w->changes) : errno;
	ord_lmdb_env_let_go(env);
}

static void write_done(struct ord_worker_job *job)
{
	struct ord_lmdb_write *w = (struct ord_lmdb_write *)job;
	struct ord_lmdb *l = w->owner;
	char path[ORD_LMDB_PATH_SIZE];
	int status = ORD_OK;
	ord_lmdb_path(l, w->partition, "", path);
	if (w->rv != 0)
		status = failed(l, path, "writing a checkpoint", w->rv);
	w->changes = NULL;
	l->events.written(l->events.ctx, w->partition, status);
}

static void states_write(void *ctx, uint32_t partition, const struct ord_changes *changes)
{
	struct ord_lmdb *l = ctx;
	ORD_ASSERT(l->states[partition].env.env != NULL);
	ORD_ASSERT(l->write.changes == NULL);
	l->write.partition = partition;
	l->write.changes = changes;
	ord_worker_give(l->writer, &l->write.job);
}

struct ord_states ord_lmdb_states(struct ord_lmdb *l)
{
	return (struct ord_states){.ctx = l,
				   .open = states_open,
				   .discard = ord_lmdb_discard,
				   .write = states_write,
				   .renew = states_renew,
				   .copy_open = ord_lmdb_copy_open,
				   .copy_read = ord_lmdb_copy_read,
				   .copy_close = ord_lmdb_copy_close,
				   .scrub = ord_lmdb_scrub,
				   .scrub_end = ord_lmdb_scrub_end,
				   .fill_begin = ord_lmdb_fill_begin,
				   .fill_write = ord_lmdb_fill_write,
				   .fill_drop = ord_lmdb_fill_drop,
				   .fill_end = ord_lmdb_fill_end,
				   .replace = ord_lmdb_replace};
}

const char *ord_lmdb_error_text(const struct ord_lmdb *l)
{
	return l->error_text;
}

uint64_t ord_lmdb_disk_bytes(const struct ord_lmdb *l)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < l->partitions_count; i++)
		bytes += ord_lmdb_env_bytes(&l->states[i].env);
	return bytes;
}

/* --- Life. --- */

int ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
		  const struct ord_lmdb_events *events, struct ord_lmdb **ret)
{
	ORD_ASSERT(partitions_count > 0);
	ORD_ASSERT(strlen(directory) < PATH_MAX);
	struct ord_lmdb *l = calloc(1, sizeof *l);
	if (l == NULL)
		return ORD_ERR_NOMEM;
	l->states = calloc(partitions_count, sizeof *l->states);
	int err = l->states == NULL ? ORD_ERR_NOMEM : ORD_OK;
	if (err == ORD_OK && mkdir(directory, 0700) != 0 && errno != EEXIST)
		err = ord_lmdb_err(errno);
	if (err != ORD_OK) {
		free(l->states);
		free(l);
		return err;
	}
	snprintf(l->directory, sizeof l->directory, "%s", directory);
	l->partitions_count = partitions_count;
	l->events = *events;
	l->write = (struct ord_lmdb_write){.job = {.work = write_work, .done = write_done}, .owner = l};
	ord_lmdb_copies_init(l);
	ord_lmdb_scrub_init(l);
	ORD_ASSERT(ord_worker_start(loop, &l->writer) == ORD_OK);
	ORD_ASSERT(ord_worker_start(loop, &l->copier) == ORD_OK);
	*ret = l;
	return ORD_OK;
}

static void copier_stopped(void *ctx)
{
	struct ord_lmdb *l = ctx;
	ord_lmdb_copies_close(l);
	ord_lmdb_scrub_end(l);
	for (uint32_t i = 0; i < l->partitions_count; i++) {
		ord_lmdb_view_close(&l->states[i].view);
		ord_lmdb_env_close(&l->states[i].env);
	}
	void (*stopped)(void *ctx) = l->stopped;
	void *stopped_ctx = l->stopped_ctx;
	free(l->states);
	free(l);
	stopped(stopped_ctx);
}

static void writer_stopped(void *ctx)
{
	struct ord_lmdb *l = ctx;
	ord_worker_stop(l->copier, copier_stopped, l);
}

void ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx)
{
	l->stopped = stopped;
	l->stopped_ctx = ctx;
	ord_worker_stop(l->writer, writer_stopped, l);
}
