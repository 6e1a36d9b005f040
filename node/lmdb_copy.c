/* SPDX-License-Identifier: Apache-2.0 - copies of whole states in LMDB: read out piece by piece in a view that stays, and filled into an environment beside the old one (state/<partition>.new), which it then changes places with. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/faults_disk.h"
#include "node/lmdb_state.h"

/* So much of a state's file is announced for each piece that is copied, in pieces. */
#define AHEAD_TIMES 8u

/* A state that is filled is synced whenever it has grown by so much. */
#define FILL_SYNC_BYTES (16u << 20)

/* Old states that were set aside, to be looked at: no more than so many of a partition. */
#define ASIDE_MAX 3

/* --- Out. --- */

/* All of the file is going to be read, in the order of the keys, and the environment is opened without reading ahead: each page that is not in memory would cost a look at the disk of its own. So the file is announced in its
 * own order, some times as fast as it is copied: then most of it is there when it is looked for. */
static void copy_announce(struct ord_lmdb_copy *c)
{
	uint64_t bytes = AHEAD_TIMES * c->bytes_max;
	if (c->announced_bytes >= c->file_bytes)
		return;
	ord_lmdb_env_ahead(c->view.env, c->announced_bytes, bytes);
	c->announced_bytes += bytes;
}

static void copy_work(struct ord_worker_job *job)
{
	struct ord_lmdb_copy *c = (struct ord_lmdb_copy *)job;
	copy_announce(c);
	c->status = ord_pairs_gather(&c->view.store, &c->after, c->bytes_max, &c->pairs, &c->is_last);
	ord_lmdb_env_let_go(c->view.env);
}

static void copy_end(struct ord_lmdb_copy *c)
{
	ord_changes_close(&c->pairs);
	ord_lmdb_view_close(&c->view);
}

static void copy_done(struct ord_worker_job *job)
{
	struct ord_lmdb_copy *c = (struct ord_lmdb_copy *)job;
	struct ord_lmdb *l = c->owner;
	char path[ORD_LMDB_PATH_SIZE];
	c->reading = false;
	if (c->open) {
		ord_lmdb_path(l, c->partition, "", path);
		if (c->status != ORD_OK)
			snprintf(l->error_text, sizeof l->error_text, "%s/data.mdb: reading a copy failed: %s", path,
				 ord_err_text(c->status));
		l->events.copied(l->events.ctx, c->number, c->status, &c->pairs, c->is_last);
	}
	ord_changes_clear(&c->pairs);
	if (!c->open)
		copy_end(c);
}

int ord_lmdb_copy_open(void *ctx, uint32_t partition, unsigned *ret_copy, const struct ord_store **ret_store)
{
	struct ord_lmdb *l = ctx;
	unsigned number = 0;
	ORD_ASSERT(partition < l->partitions_count);
	while (number < ORD_STATES_COPIES_MAX && (l->copies[number].open || l->copies[number].reading))
		number++;
	if (number == ORD_STATES_COPIES_MAX)
		return ORD_ERR_BUSY;
	struct ord_lmdb_copy *c = &l->copies[number];
	int rv = ord_lmdb_view_open(&c->view, &l->states[partition].env);
	if (rv != 0)
		return ord_lmdb_err(rv);
	c->open = true;
	c->partition = partition;
	c->announced_bytes = 0;
	c->file_bytes = ord_lmdb_env_bytes(&l->states[partition].env);
	*ret_copy = number;
	*ret_store = &c->view.store;
	return ORD_OK;
}

void ord_lmdb_copy_read(void *ctx, unsigned copy, const struct ord_pairs_place *after, size_t bytes_max)
{
	struct ord_lmdb *l = ctx;
	struct ord_lmdb_copy *c = &l->copies[copy];
	ORD_ASSERT(c->open && !c->reading);
	c->after = *after;
	c->bytes_max = bytes_max;
	c->reading = true;
	ord_worker_give(l->copier, &c->job);
}

void ord_lmdb_copy_close(void *ctx, unsigned copy)
{
	struct ord_lmdb *l = ctx;
	struct ord_lmdb_copy *c = &l->copies[copy];
	ORD_ASSERT(c->open);
	c->open = false;
	if (!c->reading)
		copy_end(c);
}

/* --- In. --- */

static int fill_drop(struct ord_lmdb_fill *f, const char *path)
{
	ord_lmdb_env_close(&f->env);
	return ord_lmdb_env_remove(path);
}

static int fill_begin(struct ord_lmdb_fill *f, const char *path)
{
	int rv = fill_drop(f, path);
	f->unsynced_bytes = 0;
	return rv == 0 ? ord_lmdb_env_open(&f->env, path, ord_lmdb_map_bytes(f->owner), true) : rv;
}

/* Nothing has to be on disk before the end. But all of it at once would keep the disk from the write-ahead log for as long as it takes. */
static int fill_write(struct ord_lmdb_fill *f)
{
	bool good = ord_faults_disk_write(f->owner->events.faults, true);
	int rv = good ? ord_lmdb_env_add(&f->env, f->pairs) : errno;
	f->unsynced_bytes += f->pairs->bytes.len;
	if (rv != 0 || f->unsynced_bytes < FILL_SYNC_BYTES)
		return rv;
	f->unsynced_bytes = 0;
	return ord_lmdb_env_sync(&f->env);
}

/* Is the state what its own numbers say? */
static int fill_audit(const struct ord_lmdb_fill *f)
{
	struct ord_lmdb_view view;
	char why[ORD_AUDIT_WHY_SIZE];
	if (ord_lmdb_view_open(&view, &f->env) != 0)
		return ORD_ERR_IO;
	struct ord_partition_options options = {
		.id = f->partition, .partitions_count = f->partitions_count, .store = &view.store};
	int err = ord_audit_store(&options, why);
	ord_lmdb_view_close(&view);
	return err == ORD_ERR_FORMAT || err == ORD_ERR_MISMATCH ? ORD_ERR_CORRUPT : err;
}

static int fill_end(struct ord_lmdb_fill *f)
{
	int rv = ord_lmdb_env_sync(&f->env);
	if (rv != 0)
		return ord_lmdb_err(rv);
	int err = fill_audit(f);
	ord_lmdb_env_close(&f->env);
	return err;
}

static void fill_work(struct ord_worker_job *job)
{
	struct ord_lmdb_fill *f = (struct ord_lmdb_fill *)job;
	char path[ORD_LMDB_PATH_SIZE];
	ord_lmdb_path(f->owner, f->partition, ".new", path);
	if (f->step == ORD_LMDB_FILL_BEGIN)
		f->status = ord_lmdb_err(fill_begin(f, path));
	else if (f->step == ORD_LMDB_FILL_WRITE)
		f->status = ord_lmdb_err(fill_write(f));
	else if (f->step == ORD_LMDB_FILL_DROP)
		f->status = ord_lmdb_err(fill_drop(f, path));
	else
		f->status = fill_end(f);
}

static void fill_done(struct ord_worker_job *job)
{
	struct ord_lmdb_fill *f = (struct ord_lmdb_fill *)job;
	struct ord_lmdb *l = f->owner;
	char path[ORD_LMDB_PATH_SIZE];
	f->under_way = false;
	ord_lmdb_path(l, f->partition, ".new", path);
	if (f->status != ORD_OK)
		snprintf(l->error_text, sizeof l->error_text, "%s/data.mdb: filling it from another node failed: %s",
			 path, ord_err_text(f->status));
	l->events.filled(l->events.ctx, f->status);
}

static void fill_give(struct ord_lmdb *l, enum ord_lmdb_fill_step step)
{
	ORD_ASSERT(!l->fill.under_way);
	l->fill.step = step;
	l->fill.under_way = true;
	ord_worker_give(l->copier, &l->fill.job);
}

void ord_lmdb_fill_begin(void *ctx, uint32_t partition)
{
	struct ord_lmdb *l = ctx;
	l->fill.partition = partition;
	fill_give(l, ORD_LMDB_FILL_BEGIN);
}

void ord_lmdb_fill_write(void *ctx, const struct ord_changes *pairs)
{
	struct ord_lmdb *l = ctx;
	l->fill.pairs = pairs;
	fill_give(l, ORD_LMDB_FILL_WRITE);
}

void ord_lmdb_fill_drop(void *ctx)
{
	fill_give(ctx, ORD_LMDB_FILL_DROP);
}

void ord_lmdb_fill_end(void *ctx, uint32_t partitions_count)
{
	struct ord_lmdb *l = ctx;
	l->fill.partitions_count = partitions_count;
	fill_give(l, ORD_LMDB_FILL_END);
}

/* --- One for the other. --- */

/* Gives the old state the first name that is free: "<partition>.aside-1" and so on. When all are taken it is removed. */
static int set_aside(const struct ord_lmdb *l, uint32_t partition, const char *old)
{
	char path[ORD_LMDB_PATH_SIZE];
	char suffix[16];
	struct stat stat_buffer;
	for (unsigned i = 1; i <= ASIDE_MAX; i++) {
		snprintf(suffix, sizeof suffix, ".aside-%u", i);
		ord_lmdb_path(l, partition, suffix, path);
		if (lstat(path, &stat_buffer) != 0 && errno == ENOENT)
			return rename(old, path) == 0 ? 0 : errno;
	}
	return ord_lmdb_env_remove(old);
}

/* What it told of is not in its place any more. */
static int marker_remove(const struct ord_lmdb *l, uint32_t partition)
{
	char path[ORD_LMDB_PATH_SIZE];
	ord_lmdb_path(l, partition, ORD_LMDB_MARKER, path);
	if (unlink(path) != 0)
		return errno == ENOENT ? 0 : errno;
	return ord_lmdb_directory_sync(l->directory);
}

int ord_lmdb_discard(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	struct ord_lmdb *l = ctx;
	struct ord_lmdb_state *s = &l->states[partition];
	char path[ORD_LMDB_PATH_SIZE];
	if (l->scrub.partition == partition)
		ord_lmdb_scrub_end(l);
	ord_lmdb_path(l, partition, ".lost", path);
	ord_lmdb_view_close(&s->view);
	ord_lmdb_env_close(&s->env);
	s->is_lost = true;
	int rv = ord_lmdb_env_remove(path);
	if (rv == 0)
		rv = ord_lmdb_state_open(l, partition);
	if (rv != 0) {
		snprintf(why, why_size, "%s: an empty state of partition %" PRIu32 " cannot be made: %s", path,
			 partition, mdb_strerror(rv));
		return ord_lmdb_err(rv);
	}
	*ret = &s->view.store;
	return ORD_OK;
}

static int exchange(struct ord_lmdb *l, uint32_t partition, bool keeps_old)
{
	char path[ORD_LMDB_PATH_SIZE], other[ORD_LMDB_PATH_SIZE];
	struct ord_lmdb_state *s = &l->states[partition];
	ord_lmdb_path(l, partition, "", path);
	ord_lmdb_path(l, partition, ".new", other);
	ord_lmdb_view_close(&s->view);
	ord_lmdb_env_close(&s->env);
	int rv = 0;
	if (s->is_lost) {
		char empty[ORD_LMDB_PATH_SIZE];
		ord_lmdb_path(l, partition, ".lost", empty);
		rv = ord_lmdb_env_remove(empty);
		keeps_old = true;
		s->is_lost = false;
	}
	if (rv == 0)
		rv = renameat2(AT_FDCWD, other, AT_FDCWD, path, RENAME_EXCHANGE) == 0 ? 0 : errno;
	if (rv == 0)
		rv = ord_lmdb_directory_sync(l->directory);
	if (rv == 0)
		rv = keeps_old ? set_aside(l, partition, other) : ord_lmdb_env_remove(other);
	if (rv == 0)
		rv = marker_remove(l, partition);
	return rv == 0 ? ord_lmdb_state_open(l, partition) : rv;
}

int ord_lmdb_replace(void *ctx, uint32_t partition, bool keeps_old, const struct ord_store **ret_store, char *why,
		     size_t why_size)
{
	struct ord_lmdb *l = ctx;
	char path[ORD_LMDB_PATH_SIZE];
	ORD_ASSERT(!l->fill.under_way && l->fill.partition == partition);
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		if (l->copies[i].partition != partition)
			continue;
		ORD_ASSERT(!l->copies[i].open);
		if (l->copies[i].reading)
			return ORD_ERR_BUSY;
	}
	if (l->scrub.partition == partition) {
		if (l->scrub.under_way)
			return ORD_ERR_BUSY;
		ord_lmdb_scrub_end(l);
	}
	int rv = exchange(l, partition, keeps_old);
	if (rv != 0) {
		ord_lmdb_path(l, partition, "", path);
		snprintf(why, why_size,
			 "%s: the state of partition %" PRIu32
			 " cannot be replaced by the one that another node sent: %s",
			 path, partition, mdb_strerror(rv));
		return ord_lmdb_err(rv);
	}
	*ret_store = &l->states[partition].view.store;
	return ORD_OK;
}

/* --- Life. --- */

void ord_lmdb_copies_init(struct ord_lmdb *l)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++) {
		l->copies[i] =
			(struct ord_lmdb_copy){.job = {.work = copy_work, .done = copy_done}, .owner = l, .number = i};
		ord_changes_init(&l->copies[i].pairs);
	}
	l->fill = (struct ord_lmdb_fill){.job = {.work = fill_work, .done = fill_done}, .owner = l};
}

void ord_lmdb_copies_close(struct ord_lmdb *l)
{
	for (unsigned i = 0; i < ORD_STATES_COPIES_MAX; i++)
		copy_end(&l->copies[i]);
	ord_lmdb_env_close(&l->fill.env);
}
