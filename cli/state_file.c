/* SPDX-License-Identifier: Apache-2.0 - an LMDB environment, opened for reading. node/lmdb.c says what stands where.
 *
 * A node that runs must know of a reader, or it uses its pages again: then we are one more reader in lock.mdb. Without a node nobody writes, and nothing at all is touched, lock.mdb included: the directory
 * may be a copy, or must stay as it is. Should a node start just then, the checkpoint that is read stays whole until the second one after it. */
#include "cli/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "node/lmdb_env.h"

#define PATH_SIZE (PATH_MAX + 64)

struct ord_state_file {
	struct ord_store store;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi tables[ORD_STORE_TABLES];
	bool is_new;   /* there are no tables yet */
	bool is_alone; /* no node used the directory */
	uint64_t transaction;
	char path[PATH_SIZE]; /* of data.mdb */
};

static struct ord_slice slice_of(MDB_val v)
{
	return ord_slice_of(v.mv_data, v.mv_size);
}

/* --- The store. --- */

static int file_get(void *ctx, enum ord_store_table table, struct ord_slice key, struct ord_slice *ret)
{
	const struct ord_state_file *f = ctx;
	MDB_val k = {.mv_size = key.len, .mv_data = (void *)(uintptr_t)key.base}, v;
	if (f->is_new)
		return ORD_ERR_NOT_FOUND;
	int rv = mdb_get(f->txn, f->tables[table], &k, &v);
	if (rv == MDB_SUCCESS)
		*ret = slice_of(v);
	return ord_lmdb_err(rv);
}

static int file_walk(void *ctx, enum ord_store_table table, struct ord_slice from, ord_store_each each, void *arg)
{
	const struct ord_state_file *f = ctx;
	MDB_cursor *cursor;
	MDB_val k = {.mv_size = from.len, .mv_data = (void *)(uintptr_t)from.base}, v;
	int err = ORD_OK;
	if (f->is_new)
		return ORD_OK;
	int rv = mdb_cursor_open(f->txn, f->tables[table], &cursor);
	if (rv != MDB_SUCCESS)
		return ord_lmdb_err(rv);
	for (MDB_cursor_op op = from.len == 0 ? MDB_FIRST : MDB_SET_RANGE; err == ORD_OK; op = MDB_NEXT) {
		rv = mdb_cursor_get(cursor, &k, &v, op);
		if (rv != MDB_SUCCESS)
			break;
		err = each(arg, slice_of(k), slice_of(v));
	}
	mdb_cursor_close(cursor);
	return err != ORD_OK || rv == MDB_NOTFOUND ? err : ord_lmdb_err(rv);
}

/* --- Opening. --- */

void ord_state_file_directory(const char *data_dir, char *path, size_t path_size)
{
	snprintf(path, path_size, "%s/state", data_dir);
}

/* Its lock is let go at once: a node that starts shall not be refused because of us. */
bool ord_state_file_is_unused(const char *data_dir)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s/lock", data_dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
	close(fd);
	return is_free;
}

static int length_check(const struct ord_state_file *f, char *why, size_t why_size)
{
	uint64_t bytes, wanted;
	int rv = ord_lmdb_length(f->env, &bytes, &wanted);
	if (rv == MDB_SUCCESS)
		return ORD_OK;
	if (rv == MDB_CORRUPTED)
		snprintf(why, why_size, "%s has %" PRIu64 " bytes and should have %" PRIu64, f->path, bytes, wanted);
	else
		snprintf(why, why_size, "%s: %s", f->path, mdb_strerror(rv));
	return ord_lmdb_err(rv);
}

static int env_open(struct ord_state_file *f)
{
	unsigned flags = MDB_RDONLY | MDB_NOTLS | MDB_NORDAHEAD | (f->is_alone ? MDB_NOLOCK : 0);
	char directory[PATH_SIZE];
	int rv = mdb_env_create(&f->env);
	if (rv == MDB_SUCCESS)
		rv = mdb_env_set_maxdbs(f->env, ORD_STORE_TABLES);
	snprintf(directory, sizeof directory, "%s", f->path);
	*strrchr(directory, '/') = '\0'; /* with its lock.mdb beside it, as the node has it */
	if (rv == MDB_SUCCESS)
		rv = mdb_env_open(f->env, directory, flags, 0600);
	return rv;
}

/* A node makes all tables in its first transaction: before it there is none, and nothing in the state. */
static int tables_open(struct ord_state_file *f)
{
	int rv = mdb_txn_begin(f->env, NULL, MDB_RDONLY, &f->txn);
	if (rv != MDB_SUCCESS)
		return rv;
	f->transaction = mdb_txn_id(f->txn);
	f->is_new = f->transaction == 0;
	for (unsigned t = ORD_STORE_META; t < ORD_STORE_TABLES && !f->is_new && rv == MDB_SUCCESS; t++) {
		char name[8];
		snprintf(name, sizeof name, "%u", t);
		rv = mdb_dbi_open(f->txn, name, 0, &f->tables[t]);
	}
	return rv == MDB_NOTFOUND ? MDB_CORRUPTED : rv;
}

static int open_all(struct ord_state_file *f, char *why, size_t why_size)
{
	if (access(f->path, F_OK) != 0 && errno == ENOENT) {
		snprintf(why, why_size, "%s is not there: no checkpoint of that partition was ever written", f->path);
		return ORD_ERR_NOT_FOUND;
	}
	int rv = env_open(f);
	int err = rv == MDB_SUCCESS ? length_check(f, why, why_size) : ORD_OK;
	if (rv == MDB_SUCCESS && err == ORD_OK)
		rv = tables_open(f);
	if (rv == MDB_SUCCESS)
		return err;
	snprintf(why, why_size, "%s cannot be opened: %s", f->path, mdb_strerror(rv));
	return ord_lmdb_err(rv);
}

int ord_state_file_open(const char *data_dir, uint32_t partition, struct ord_state_file **ret, char *why,
			size_t why_size)
{
	struct ord_state_file *f = calloc(1, sizeof *f);
	if (f == NULL) {
		snprintf(why, why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
		return ORD_ERR_NOMEM;
	}
	f->store = (struct ord_store){.ctx = f, .get = file_get, .walk = file_walk};
	f->is_alone = ord_state_file_is_unused(data_dir);
	snprintf(f->path, sizeof f->path, "%s/state/%" PRIu32 "/data.mdb", data_dir, partition);
	int err = open_all(f, why, why_size);
	if (err == ORD_OK)
		*ret = f;
	else
		ord_state_file_close(f);
	return err;
}

void ord_state_file_died(const char *data_dir, uint32_t partition, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s/state/%" PRIu32 "/data.mdb: its pages are damaged so that they cannot be walked",
		 data_dir, partition);
}

void ord_state_file_close(struct ord_state_file *f)
{
	if (f == NULL)
		return;
	if (f->txn != NULL)
		mdb_txn_abort(f->txn);
	if (f->env != NULL)
		mdb_env_close(f->env);
	free(f);
}

/* --- Looking at it. --- */

const struct ord_store *ord_state_file_store(const struct ord_state_file *f)
{
	return &f->store;
}

const char *ord_state_file_path(const struct ord_state_file *f)
{
	return f->path;
}

uint64_t ord_state_file_pairs(const struct ord_state_file *f, enum ord_store_table table)
{
	MDB_stat stat;
	if (f->is_new || mdb_stat(f->txn, f->tables[table], &stat) != MDB_SUCCESS)
		return 0;
	return stat.ms_entries;
}

bool ord_state_file_holds(const struct ord_state_file *f)
{
	MDB_envinfo info;
	return !f->is_alone || (mdb_env_info(f->env, &info) == MDB_SUCCESS && info.me_last_txnid == f->transaction);
}
