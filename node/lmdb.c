/* SPDX-License-Identifier: Apache-2.0 - the states of partitions in LMDB.
 *
 * state/<partition>/data.mdb is an LMDB environment with one named database for each table of partition/store.h ("1", "2", ...); what stands in them is partition/saved.c's. The loop reads in a transaction of its own, which
 * stays as it is while the thread writes the next state beside it: LMDB never writes over a page that a reader may look at. A write is one transaction, durable when it is committed.
 *
 * lock.mdb holds LMDB's table of readers, by which other processes (offline tools) may read meanwhile; it is made anew by whoever comes first.
 */
#include "node/lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"

/* Address space for all environments together, and for one: no memory is used for it. */
#define MAP_BYTES_ALL ((size_t)32 << 40)
#define MAP_BYTES_MAX ((size_t)1 << 40)
#define READERS_MAX 16
#define FIRST_TABLE ORD_STORE_META

struct lmdb_state {
	struct ord_store store;
	struct ord_lmdb *owner; /* borrowed */
	uint32_t partition;
	MDB_env *env;
	MDB_txn *reader; /* the loop's */
	MDB_dbi tables[ORD_STORE_TABLES];
};

struct ord_lmdb {
	char directory[PATH_MAX];
	uint32_t partitions_count;
	struct lmdb_state *states; /* owned; by partition */
	void (*written)(void *ctx, uint32_t partition, int status);
	void *ctx; /* borrowed */
	uv_async_t done;
	uv_thread_t writer;
	uv_mutex_t mutex; /* guards what follows */
	uv_cond_t changed;
	bool stopping;
	bool job_waiting;
	bool job_done;
	int job_status;
	uint32_t job_partition;
	const struct ord_changes *job_changes; /* borrowed until written */
	char error_text[PATH_MAX + 256];       /* the writer's own */
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

static int err_of(int rv)
{
	switch (rv) {
	case MDB_SUCCESS:
		return ORD_OK;
	case MDB_NOTFOUND:
		return ORD_ERR_NOT_FOUND;
	case ENOMEM:
		return ORD_ERR_NOMEM;
	case ENOSPC:
	case EDQUOT:
	case MDB_MAP_FULL:
		return ORD_ERR_NO_SPACE;
	case MDB_VERSION_MISMATCH:
		return ORD_ERR_MISMATCH;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_CURSOR_FULL:
	case MDB_PAGE_FULL:
	case MDB_INVALID:
	case MDB_PANIC:
	case MDB_BAD_TXN:
	case MDB_INCOMPATIBLE:
		return ORD_ERR_CORRUPT;
	default:
		return ORD_ERR_IO;
	}
}

static void state_path(const struct ord_lmdb *l, uint32_t partition, char *path, size_t path_size)
{
	snprintf(path, path_size, "%s/%" PRIu32, l->directory, partition);
}

static MDB_val val_of(struct ord_slice s)
{
	return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.base};
}

static struct ord_slice slice_of(MDB_val v)
{
	return ord_slice_of(v.mv_data, v.mv_size);
}

/* --- Reading, on the loop's thread. --- */

static int state_get(void *ctx, enum ord_store_table table, struct ord_slice key, struct ord_slice *ret)
{
	const struct lmdb_state *s = ctx;
	MDB_val k = val_of(key), v;
	int rv = mdb_get(s->reader, s->tables[table], &k, &v);
	if (rv == MDB_SUCCESS)
		*ret = slice_of(v);
	return err_of(rv);
}

static int state_walk(void *ctx, enum ord_store_table table, struct ord_slice from, ord_store_each each, void *arg)
{
	const struct lmdb_state *s = ctx;
	MDB_cursor *cursor;
	MDB_val k = val_of(from), v;
	int rv = mdb_cursor_open(s->reader, s->tables[table], &cursor);
	if (rv != MDB_SUCCESS)
		return err_of(rv);
	int err = ORD_OK;
	for (MDB_cursor_op op = from.len == 0 ? MDB_FIRST : MDB_SET_RANGE; err == ORD_OK; op = MDB_NEXT) {
		rv = mdb_cursor_get(cursor, &k, &v, op);
		if (rv != MDB_SUCCESS)
			break;
		err = each(arg, slice_of(k), slice_of(v));
	}
	mdb_cursor_close(cursor);
	if (err != ORD_OK || rv == MDB_NOTFOUND)
		return err;
	return err_of(rv);
}

static int states_renew(void *ctx, uint32_t partition)
{
	struct ord_lmdb *l = ctx;
	struct lmdb_state *s = &l->states[partition];
	mdb_txn_reset(s->reader);
	return err_of(mdb_txn_renew(s->reader));
}

/* --- Opening one. --- */

static int open_env(struct lmdb_state *s, const char *path)
{
	const struct ord_lmdb *l = s->owner;
	size_t map_bytes = MAP_BYTES_ALL / l->partitions_count;
	if (map_bytes > MAP_BYTES_MAX)
		map_bytes = MAP_BYTES_MAX;
	int rv = mdb_env_create(&s->env);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_set_mapsize(s->env, map_bytes);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_set_maxdbs(s->env, ORD_STORE_TABLES);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_set_maxreaders(s->env, READERS_MAX);
	/* Readers belong to no thread; what is read is scattered, so that reading ahead would only fill memory. */
	if (rv == MDB_SUCCESS)
		rv = mdb_env_open(s->env, path, MDB_NOTLS | MDB_NORDAHEAD, 0600);
	return rv;
}

static int open_tables(struct lmdb_state *s)
{
	MDB_txn *txn;
	int rv = mdb_txn_begin(s->env, NULL, 0, &txn);
	if (rv != MDB_SUCCESS)
		return rv;
	for (unsigned t = FIRST_TABLE; rv == MDB_SUCCESS && t < ORD_STORE_TABLES; t++) {
		char name[8];
		snprintf(name, sizeof name, "%u", t);
		rv = mdb_dbi_open(txn, name, MDB_CREATE, &s->tables[t]);
	}
	if (rv != MDB_SUCCESS) {
		mdb_txn_abort(txn);
		return rv;
	}
	rv = mdb_txn_commit(txn);
	return rv == MDB_SUCCESS ? mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->reader) : rv;
}

/* The names of the files are durable before anything is written by them. */
static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int rv = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return rv;
}

static int states_open(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size)
{
	struct ord_lmdb *l = ctx;
	struct lmdb_state *s = &l->states[partition];
	char path[PATH_MAX + 16];
	ORD_ASSERT(partition < l->partitions_count);
	ORD_ASSERT(s->env == NULL);
	state_path(l, partition, path, sizeof path);
	*s = (struct lmdb_state){
		.owner = l, .partition = partition, .store = {.ctx = s, .get = state_get, .walk = state_walk}};
	int rv = mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : errno;
	if (rv == 0)
		rv = sync_directory(l->directory);
	if (rv == 0)
		rv = open_env(s, path);
	if (rv == 0)
		rv = sync_directory(path);
	if (rv == 0)
		rv = open_tables(s);
	if (rv != 0) {
		snprintf(why, why_size, "%s: the state of partition %" PRIu32 " cannot be opened: %s", path, partition,
			 mdb_strerror(rv));
		return err_of(rv);
	}
	*ret = &s->store;
	return ORD_OK;
}

/* --- The writer thread. --- */

/* A change, and the beginning of its key as a number: most comparisons need no more. */
struct ordered {
	uint64_t prefix;
	struct ord_change change;
};

/* Removals before values: of a key that comes more than once the value counts. */
static int ordered_compare(const void *a, const void *b)
{
	const struct ordered *x = *(const struct ordered *const *)a, *y = *(const struct ordered *const *)b;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	const struct ord_slice *k = &x->change.key, *l = &y->change.key;
	int order = memcmp(k->base, l->base, k->len < l->len ? k->len : l->len);
	if (order == 0)
		order = (k->len > l->len) - (k->len < l->len);
	return order != 0 ? order : (int)y->change.is_removal - (int)x->change.is_removal;
}

static uint64_t prefix_of(struct ord_slice key)
{
	uint64_t prefix = 0;
	memcpy(&prefix, key.base, key.len < sizeof prefix ? key.len : sizeof prefix);
	return __builtin_bswap64(prefix);
}

/* A checkpoint's changes by table, and within one in the order of the keys: what lies together is written together. */
struct order {
	struct ordered *all;	       /* owned; as they came */
	const struct ordered **sorted; /* owned */
	size_t begins[ORD_STORE_TABLES + 1];
};

static void order_close(struct order *o)
{
	free(o->all);
	free(o->sorted);
}

/* Most tables come in order already. */
static void table_sort(const struct ordered **sorted, size_t count)
{
	size_t i = 1;
	while (i < count && ordered_compare(&sorted[i - 1], &sorted[i]) <= 0)
		i++;
	if (i < count)
		qsort(sorted, count, sizeof(const struct ordered *), ordered_compare);
}

/* ENOMEM. To be closed in any case. */
static int order_make(struct order *o, const struct ord_changes *changes)
{
	size_t places[ORD_STORE_TABLES];
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&changes->bytes));
	*o = (struct order){.all = malloc((changes->count + 1) * sizeof *o->all),
			    .sorted = malloc((changes->count + 1) * sizeof(const struct ordered *))};
	if (o->all == NULL || o->sorted == NULL)
		return ENOMEM;
	uint64_t count = 0;
	for (; ord_changes_next(&r, &o->all[count].change); count++) {
		o->all[count].prefix = prefix_of(o->all[count].change.key);
		o->begins[o->all[count].change.table + 1]++;
	}
	ORD_ASSERT(count == changes->count);
	for (size_t t = 1; t <= ORD_STORE_TABLES; t++)
		o->begins[t] += o->begins[t - 1];
	memcpy(places, o->begins, sizeof places);
	for (uint64_t i = 0; i < count; i++)
		o->sorted[places[o->all[i].change.table]++] = &o->all[i];
	for (size_t t = 0; t < ORD_STORE_TABLES; t++)
		table_sort(o->sorted + o->begins[t], o->begins[t + 1] - o->begins[t]);
	return 0;
}

static int make_change(MDB_cursor *cursor, const struct ord_change *c)
{
	MDB_val k = val_of(c->key), v = val_of(c->value);
	if (!c->is_removal)
		return mdb_cursor_put(cursor, &k, &v, 0);
	int rv = mdb_cursor_get(cursor, &k, &v, MDB_SET);
	if (rv == MDB_SUCCESS)
		rv = mdb_cursor_del(cursor, 0);
	return rv == MDB_NOTFOUND ? MDB_SUCCESS : rv;
}

static int make_table(const struct lmdb_state *s, MDB_txn *txn, const struct order *o, size_t table)
{
	MDB_cursor *cursor;
	if (o->begins[table] == o->begins[table + 1])
		return MDB_SUCCESS;
	int rv = mdb_cursor_open(txn, s->tables[table], &cursor);
	if (rv != MDB_SUCCESS)
		return rv;
	for (size_t i = o->begins[table]; rv == MDB_SUCCESS && i < o->begins[table + 1]; i++)
		rv = make_change(cursor, &o->sorted[i]->change);
	mdb_cursor_close(cursor);
	return rv;
}

static int write_order(const struct lmdb_state *s, const struct order *o)
{
	MDB_txn *txn;
	int dead_count;
	/* A tool that was killed while it read would keep its pages from being used again. */
	int rv = mdb_reader_check(s->env, &dead_count);
	if (rv == MDB_SUCCESS)
		rv = mdb_txn_begin(s->env, NULL, 0, &txn);
	if (rv != MDB_SUCCESS)
		return rv;
	for (size_t t = FIRST_TABLE; rv == MDB_SUCCESS && t < ORD_STORE_TABLES; t++)
		rv = make_table(s, txn, o, t);
	if (rv == MDB_SUCCESS)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rv;
}

static int job_write(const struct lmdb_state *s, const struct ord_changes *changes)
{
	struct order o;
	int rv = order_make(&o, changes);
	if (rv == 0)
		rv = write_order(s, &o);
	order_close(&o);
	return rv;
}

static int job_run(struct ord_lmdb *l)
{
	char path[PATH_MAX + 16];
	int rv = job_write(&l->states[l->job_partition], l->job_changes);
	if (rv == MDB_SUCCESS)
		return ORD_OK;
	state_path(l, l->job_partition, path, sizeof path);
	snprintf(l->error_text, sizeof l->error_text, "%s/data.mdb: writing a checkpoint failed: %s", path,
		 mdb_strerror(rv));
	return err_of(rv);
}

static void writer_main(void *arg)
{
	struct ord_lmdb *l = arg;
	uv_mutex_lock(&l->mutex);
	for (;;) {
		while (!l->job_waiting && !l->stopping)
			uv_cond_wait(&l->changed, &l->mutex);
		if (!l->job_waiting)
			break;
		uv_mutex_unlock(&l->mutex);
		int status = job_run(l);
		uv_mutex_lock(&l->mutex);
		l->job_waiting = false;
		l->job_done = true;
		l->job_status = status;
		uv_async_send(&l->done);
	}
	uv_mutex_unlock(&l->mutex);
}

/* --- The interface, on the loop's thread. --- */

static void states_write(void *ctx, uint32_t partition, const struct ord_changes *changes)
{
	struct ord_lmdb *l = ctx;
	ORD_ASSERT(l->states[partition].env != NULL);
	uv_mutex_lock(&l->mutex);
	ORD_ASSERT(!l->job_waiting && !l->job_done);
	l->job_partition = partition;
	l->job_changes = changes;
	l->job_waiting = true;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->mutex);
}

struct ord_states ord_lmdb_states(struct ord_lmdb *l)
{
	return (struct ord_states){.ctx = l, .open = states_open, .write = states_write, .renew = states_renew};
}

const char *ord_lmdb_error_text(const struct ord_lmdb *l)
{
	return l->error_text;
}

uint64_t ord_lmdb_disk_bytes(const struct ord_lmdb *l)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < l->partitions_count; i++) {
		MDB_envinfo info;
		MDB_stat stat;
		if (l->states[i].env != NULL && mdb_env_info(l->states[i].env, &info) == MDB_SUCCESS &&
		    mdb_env_stat(l->states[i].env, &stat) == MDB_SUCCESS)
			bytes += ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
	}
	return bytes;
}

static void job_tell(struct ord_lmdb *l)
{
	uv_mutex_lock(&l->mutex);
	bool done = l->job_done;
	int status = l->job_status;
	uint32_t partition = l->job_partition;
	l->job_done = false;
	uv_mutex_unlock(&l->mutex);
	if (done)
		l->written(l->ctx, partition, status);
}

static void done_cb(uv_async_t *async)
{
	job_tell(async->data);
}

/* --- Life. --- */

int ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
		  void (*written)(void *ctx, uint32_t partition, int status), void *ctx, struct ord_lmdb **ret)
{
	ORD_ASSERT(partitions_count > 0);
	ORD_ASSERT(strlen(directory) < PATH_MAX);
	struct ord_lmdb *l = calloc(1, sizeof *l);
	if (l == NULL)
		return ORD_ERR_NOMEM;
	l->states = calloc(partitions_count, sizeof *l->states);
	if (l->states == NULL) {
		free(l);
		return ORD_ERR_NOMEM;
	}
	int err = mkdir(directory, 0700) == 0 || errno == EEXIST ? ORD_OK : err_of(errno);
	if (err != ORD_OK) {
		free(l->states);
		free(l);
		return err;
	}
	snprintf(l->directory, sizeof l->directory, "%s", directory);
	l->partitions_count = partitions_count;
	l->written = written;
	l->ctx = ctx;
	ORD_ASSERT(uv_mutex_init(&l->mutex) == 0 && uv_cond_init(&l->changed) == 0);
	ORD_ASSERT(uv_async_init(loop, &l->done, done_cb) == 0);
	l->done.data = l;
	ORD_ASSERT(uv_thread_create(&l->writer, writer_main, l) == 0);
	*ret = l;
	return ORD_OK;
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_lmdb *l = handle->data;
	void (*stopped)(void *ctx) = l->stopped;
	void *ctx = l->stopped_ctx;
	free(l->states);
	free(l);
	stopped(ctx);
}

void ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx)
{
	l->stopped = stopped;
	l->stopped_ctx = ctx;
	uv_mutex_lock(&l->mutex);
	l->stopping = true;
	uv_cond_broadcast(&l->changed);
	uv_mutex_unlock(&l->mutex);
	uv_thread_join(&l->writer);
	job_tell(l);
	for (uint32_t i = 0; i < l->partitions_count; i++) {
		if (l->states[i].reader != NULL)
			mdb_txn_abort(l->states[i].reader);
		if (l->states[i].env != NULL)
			mdb_env_close(l->states[i].env);
	}
	uv_cond_destroy(&l->changed);
	uv_mutex_destroy(&l->mutex);
	uv_close((uv_handle_t *)&l->done, closed_cb);
}
