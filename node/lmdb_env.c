/* SPDX-License-Identifier: Apache-2.0 - one LMDB environment. lmdb_write.c has the writing.
 *
 * LMDB never writes over a page that a reader may look at, so that a view stays as it is while the next state is written beside it. lock.mdb holds the table of readers, by which other processes
 * (offline tools) may read meanwhile; it is made anew by whoever comes first.
 */
#include "node/lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/guard.h"

#define READERS_MAX 16
/* Address space for all environments together, and for one: no memory is used for it. ThreadSanitizer leaves less of it. */
#ifdef __SANITIZE_THREAD__
#define MAP_BYTES_ALL ((size_t)64 << 30)
#else
#define MAP_BYTES_ALL ((size_t)32 << 40)
#endif
#define MAP_BYTES_MAX ((size_t)1 << 40)

/* Pages are let go after so many records that were read; each brings one or two into memory. */
#define LOOKS_KEPT 4096u
/* LMDB's table of the pages that are free; mdb_stat(1) -f reads it likewise. */
#define FREE_LIST 0
/* A file that is so much shorter than its own pages was cut. By less it may be: pages that a transaction took and gave back are not written. */
#define CUT_BYTES (UINT64_C(1) << 20)

int ord_lmdb_err(int rv)
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
	case MDB_KEYEXIST:
		return ORD_ERR_CORRUPT;
	default:
		return ORD_ERR_IO;
	}
}

/* --- Reading. --- */

static struct ord_slice slice_of(MDB_val v)
{
	return ord_slice_of(v.mv_data, v.mv_size);
}

/* A value is looked at while the guard is there: where the file was cut, or the disk gives nothing, its first and its last byte cannot be read. */
static int value_check(const MDB_val *v)
{
	const volatile uint8_t *at = v->mv_data;
	if (v->mv_size == 0 || v->mv_size > ORD_STORE_VALUE_BYTES_MAX)
		return MDB_CORRUPTED;
	(void)at[0];
	(void)at[v->mv_size - 1];
	return MDB_SUCCESS;
}

static void view_looked(struct ord_lmdb_view *view)
{
	if (++view->looks < LOOKS_KEPT)
		return;
	view->looks = 0;
	ord_lmdb_env_let_go(view->env);
}

static int view_get(void *ctx, enum ord_store_table table, struct ord_slice key, struct ord_slice *ret)
{
	struct ord_lmdb_view *view = ctx;
	MDB_val k = ord_lmdb_val(key), v;
	ord_guard_enter(view->env->marker);
	int rv = mdb_get(view->reader, view->env->tables[table], &k, &v);
	if (rv == MDB_SUCCESS)
		rv = value_check(&v);
	ord_guard_leave();
	if (rv == MDB_SUCCESS)
		*ret = slice_of(v);
	view_looked(view);
	return ord_lmdb_err(rv);
}

static int cursor_next(const struct ord_lmdb_view *view, MDB_cursor *cursor, MDB_val *k, MDB_val *v, MDB_cursor_op op)
{
	ord_guard_enter(view->env->marker);
	int rv = mdb_cursor_get(cursor, k, v, op);
	if (rv == MDB_SUCCESS && (k->mv_size == 0 || k->mv_size > ORD_STORE_KEY_BYTES_MAX))
		rv = MDB_CORRUPTED;
	if (rv == MDB_SUCCESS)
		rv = value_check(v);
	ord_guard_leave();
	return rv;
}

static int view_walk(void *ctx, enum ord_store_table table, struct ord_slice from, ord_store_each each, void *arg)
{
	struct ord_lmdb_view *view = ctx;
	MDB_cursor *cursor;
	MDB_val k = ord_lmdb_val(from), v;
	ord_guard_enter(view->env->marker);
	int rv = mdb_cursor_open(view->reader, view->env->tables[table], &cursor);
	ord_guard_leave();
	if (rv != MDB_SUCCESS)
		return ord_lmdb_err(rv);
	int err = ORD_OK;
	for (MDB_cursor_op op = from.len == 0 ? MDB_FIRST : MDB_SET_RANGE; err == ORD_OK; op = MDB_NEXT) {
		rv = cursor_next(view, cursor, &k, &v, op);
		if (rv != MDB_SUCCESS)
			break;
		err = each(arg, slice_of(k), slice_of(v));
		view_looked(view);
	}
	mdb_cursor_close(cursor);
	if (err != ORD_OK || rv == MDB_NOTFOUND)
		return err;
	return ord_lmdb_err(rv);
}

int ord_lmdb_view_open(struct ord_lmdb_view *v, const struct ord_lmdb_env *e)
{
	*v = (struct ord_lmdb_view){.store = {.ctx = v, .get = view_get, .walk = view_walk}, .env = e};
	ord_guard_enter(e->marker);
	int rv = mdb_txn_begin(e->env, NULL, MDB_RDONLY, &v->reader);
	ord_guard_leave();
	return rv;
}

int ord_lmdb_view_renew(struct ord_lmdb_view *v)
{
	ord_guard_enter(v->env->marker);
	mdb_txn_reset(v->reader);
	v->held_until = 0;
	v->held_pages = 0;
	int rv = mdb_txn_renew(v->reader);
	ord_guard_leave();
	return rv;
}

void ord_lmdb_view_close(struct ord_lmdb_view *v)
{
	if (v->reader != NULL)
		mdb_txn_abort(v->reader);
	v->reader = NULL;
}

/* A record of the list has the transaction that freed the pages as its key, and how many they are as its first number. It stays as it is while the view is open, so each is looked at once. */
static int freed_add(MDB_cursor *cursor, struct ord_lmdb_view *v)
{
	size_t last = mdb_txn_id(v->reader), count;
	size_t next = (v->held_until > last ? v->held_until : last) + 1;
	MDB_val key = {.mv_size = sizeof next, .mv_data = &next}, value;
	int rv = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	for (; rv == MDB_SUCCESS; rv = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		if (key.mv_size != sizeof v->held_until || value.mv_size < sizeof count)
			return MDB_CORRUPTED;
		memcpy(&v->held_until, key.mv_data, sizeof v->held_until);
		memcpy(&count, value.mv_data, sizeof count);
		v->held_pages += count;
	}
	return rv == MDB_NOTFOUND ? MDB_SUCCESS : rv;
}

static int held_count(struct ord_lmdb_view *v, MDB_txn *newest, uint64_t *ret_bytes)
{
	MDB_cursor *cursor;
	MDB_stat stat;
	int rv = mdb_cursor_open(newest, FREE_LIST, &cursor);
	if (rv != MDB_SUCCESS)
		return rv;
	rv = freed_add(cursor, v);
	mdb_cursor_close(cursor);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_stat(v->env->env, &stat);
	if (rv == MDB_SUCCESS)
		*ret_bytes = v->held_pages * stat.ms_psize;
	return rv;
}

int ord_lmdb_view_held(struct ord_lmdb_view *v, uint64_t *ret_bytes)
{
	MDB_txn *newest;
	ord_guard_enter(v->env->marker);
	int rv = mdb_txn_begin(v->env->env, NULL, MDB_RDONLY, &newest);
	if (rv == MDB_SUCCESS) {
		rv = held_count(v, newest, ret_bytes);
		mdb_txn_abort(newest);
	}
	ord_guard_leave();
	return rv;
}

/* --- Opening. --- */

size_t ord_lmdb_env_map_bytes(uint32_t partitions_count)
{
	size_t bytes = MAP_BYTES_ALL / partitions_count;
	return bytes < MAP_BYTES_MAX ? bytes : MAP_BYTES_MAX;
}

static int env_make(struct ord_lmdb_env *e, const char *path, size_t map_bytes, bool is_fresh)
{
	int rv = mdb_env_create(&e->env);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_set_mapsize(e->env, map_bytes);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_set_maxdbs(e->env, ORD_STORE_TABLES);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_set_maxreaders(e->env, READERS_MAX);
	/* Readers belong to no thread; what is read is scattered, so that reading ahead would only fill memory. */
	if (rv == MDB_SUCCESS)
		rv = mdb_env_open(e->env, path, MDB_NOTLS | MDB_NORDAHEAD | (is_fresh ? MDB_NOSYNC : 0), 0600);
	return rv;
}

static int env_tables(struct ord_lmdb_env *e)
{
	MDB_txn *txn;
	int rv = mdb_txn_begin(e->env, NULL, 0, &txn);
	if (rv != MDB_SUCCESS)
		return rv;
	for (unsigned t = ORD_STORE_META; rv == MDB_SUCCESS && t < ORD_STORE_TABLES; t++) {
		char name[8];
		snprintf(name, sizeof name, "%u", t);
		rv = mdb_dbi_open(txn, name, MDB_CREATE, &e->tables[t]);
	}
	if (rv == MDB_SUCCESS)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rv;
}

static uint64_t wanted_bytes(MDB_env *env)
{
	MDB_envinfo info;
	MDB_stat stat;
	if (mdb_env_info(env, &info) != MDB_SUCCESS || mdb_env_stat(env, &stat) != MDB_SUCCESS)
		return 0;
	return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

int ord_lmdb_length(MDB_env *env, uint64_t *ret_bytes, uint64_t *ret_wanted)
{
	struct stat st;
	mdb_filehandle_t fd;
	uint64_t wanted = wanted_bytes(env);
	int rv = mdb_env_get_fd(env, &fd);
	if (rv == MDB_SUCCESS && fstat(fd, &st) != 0)
		rv = errno;
	if (rv != MDB_SUCCESS)
		return rv;
	*ret_bytes = (uint64_t)st.st_size;
	*ret_wanted = wanted;
	return (uint64_t)st.st_size + CUT_BYTES < wanted ? MDB_CORRUPTED : MDB_SUCCESS;
}

static int env_map(struct ord_lmdb_env *e)
{
	mdb_filehandle_t fd;
	int rv = mdb_env_get_fd(e->env, &fd);
	if (rv == MDB_SUCCESS)
		e->map = ord_mapped_find(fd);
	return rv;
}

int ord_lmdb_directory_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int rv = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return rv;
}

static int parent_sync(const char *path)
{
	char parent[PATH_MAX];
	snprintf(parent, sizeof parent, "%s/..", path);
	return ord_lmdb_directory_sync(parent);
}

static int env_use(struct ord_lmdb_env *e, const char *path, size_t map_bytes, bool is_fresh)
{
	uint64_t bytes, wanted;
	int rv = env_make(e, path, map_bytes, is_fresh);
	if (rv == 0)
		rv = ord_lmdb_length(e->env, &bytes, &wanted);
	if (rv == 0)
		rv = env_map(e);
	if (rv == 0)
		rv = env_tables(e);
	return rv;
}

int ord_lmdb_env_open(struct ord_lmdb_env *e, const char *path, size_t map_bytes, bool is_fresh)
{
	*e = (struct ord_lmdb_env){0};
	int rv = mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : errno;
	if (rv == 0 && !is_fresh && asprintf(&e->marker, "%s" ORD_LMDB_MARKER, path) < 0) {
		e->marker = NULL;
		rv = ENOMEM;
	}
	if (rv == 0)
		rv = parent_sync(path);
	ord_guard_enter(e->marker);
	if (rv == 0)
		rv = env_use(e, path, map_bytes, is_fresh);
	if (rv == 0)
		rv = ord_lmdb_directory_sync(path);
	ord_guard_leave();
	return rv;
}

int ord_lmdb_env_reopen(struct ord_lmdb_env *e, const char *path, size_t map_bytes)
{
	MDB_envinfo before, after;
	ord_guard_enter(e->marker);
	int rv = mdb_env_info(e->env, &before);
	mdb_env_close(e->env);
	e->env = NULL;
	e->map = (struct ord_mapped){.base = NULL};
	e->kept_pages = 0;
	if (rv == 0)
		rv = env_use(e, path, map_bytes, false);
	if (rv == 0)
		rv = mdb_env_info(e->env, &after);
	if (rv == 0 && before.me_last_txnid != after.me_last_txnid)
		rv = MDB_CORRUPTED;
	if (rv != 0 && e->env != NULL) {
		mdb_env_close(e->env);
		e->env = NULL;
	}
	ord_guard_leave();
	return rv;
}

void ord_lmdb_env_close(struct ord_lmdb_env *e)
{
	if (e->env != NULL)
		mdb_env_close(e->env);
	free(e->marker);
	e->env = NULL;
	e->marker = NULL;
}

void ord_lmdb_env_let_go(const struct ord_lmdb_env *e)
{
	ord_mapped_let_go(&e->map, ord_lmdb_env_bytes(e));
}

int ord_lmdb_env_sync(const struct ord_lmdb_env *e)
{
	return mdb_env_sync(e->env, 1);
}

void ord_lmdb_env_ahead(const struct ord_lmdb_env *e, uint64_t offset, uint64_t bytes)
{
	mdb_filehandle_t fd;
	if (mdb_env_get_fd(e->env, &fd) == MDB_SUCCESS)
		posix_fadvise(fd, (off_t)offset, (off_t)bytes, POSIX_FADV_WILLNEED);
}

uint64_t ord_lmdb_env_bytes(const struct ord_lmdb_env *e)
{
	return e->env != NULL ? wanted_bytes(e->env) : 0;
}

int ord_lmdb_env_remove(const char *path)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	char file[PATH_MAX];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(file, sizeof file, "%s/%s", path, names[i]);
		if (unlink(file) != 0 && errno != ENOENT && errno != ENOTDIR)
			return errno;
	}
	return rmdir(path) == 0 || errno == ENOENT ? 0 : errno;
}
