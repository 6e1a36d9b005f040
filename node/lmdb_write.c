/* SPDX-License-Identifier: Apache-2.0 - a checkpoint into an LMDB environment: its changes in order, in one transaction. Runs on the writer's thread. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "node/change_order.h"
#include "node/guard.h"
#include "node/lmdb_env.h"

/* With less than that free a write may have been cut short for want of room. */
#define SHORT_BYTES (UINT64_C(16) << 20)

static int make_change(MDB_cursor *cursor, const struct ord_change *c)
{
	MDB_val k = ord_lmdb_val(c->key), v = ord_lmdb_val(c->value);
	if (!c->is_removal)
		return mdb_cursor_put(cursor, &k, &v, 0);
	int rv = mdb_cursor_get(cursor, &k, &v, MDB_SET);
	if (rv == MDB_SUCCESS)
		rv = mdb_cursor_del(cursor, 0);
	return rv == MDB_NOTFOUND ? MDB_SUCCESS : rv;
}

/* Behind the last key: LMDB then looks for no place and leaves no page half empty. */
static int append_change(MDB_cursor *cursor, const struct ord_change *c)
{
	MDB_val k = ord_lmdb_val(c->key), v = ord_lmdb_val(c->value);
	return c->is_removal ? MDB_SUCCESS : mdb_cursor_put(cursor, &k, &v, MDB_APPEND);
}

/* The last key of a table, as it was before anything is written. */
struct last_key {
	uint8_t bytes[ORD_STORE_KEY_BYTES_MAX];
	size_t len;
};

static int last_key_find(MDB_cursor *cursor, struct last_key *ret)
{
	MDB_val k, v;
	ret->len = 0;
	int rv = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	if (rv == MDB_SUCCESS && k.mv_size > sizeof ret->bytes)
		return MDB_CORRUPTED;
	if (rv == MDB_SUCCESS) {
		memcpy(ret->bytes, k.mv_data, k.mv_size);
		ret->len = k.mv_size;
	}
	return rv == MDB_NOTFOUND ? MDB_SUCCESS : rv;
}

static bool is_behind(struct ord_slice key, const struct last_key *last)
{
	int order = memcmp(key.base, last->bytes, key.len < last->len ? key.len : last->len);
	return order != 0 ? order > 0 : key.len > last->len;
}

static uint64_t pages_of(MDB_txn *txn, MDB_dbi table)
{
	MDB_stat stat;
	if (mdb_stat(txn, table, &stat) != MDB_SUCCESS)
		return 0;
	return stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
}

/* How many pages a transaction has in memory at most, after so many changes of a table that had so many pages: of each change the leaf, and one above it or behind it; and the new ones. */
static uint64_t written_pages(uint64_t changes_count, uint64_t before, uint64_t after)
{
	return (2 * changes_count < before ? 2 * changes_count : before) + (after > before ? after - before : 0);
}

/* Adds to *written, also when it fails. */
static int make_table(const struct ord_lmdb_env *s, MDB_txn *txn, const struct ord_change_order *o, size_t table,
		      uint64_t *written)
{
	MDB_cursor *cursor;
	struct last_key last;
	bool appends = false;
	if (o->begins[table] == o->begins[table + 1])
		return MDB_SUCCESS;
	uint64_t before = pages_of(txn, s->tables[table]), inside_count = 0;
	int rv = mdb_cursor_open(txn, s->tables[table], &cursor);
	if (rv != MDB_SUCCESS)
		return rv;
	rv = last_key_find(cursor, &last);
	for (size_t i = o->begins[table]; rv == MDB_SUCCESS && i < o->begins[table + 1]; i++) {
		struct ord_change c;
		ord_change_order_at(o, i, &c);
		appends = appends || is_behind(c.key, &last);
		rv = appends ? append_change(cursor, &c) : make_change(cursor, &c);
		inside_count += !appends;
	}
	mdb_cursor_close(cursor);
	*written += written_pages(inside_count, before, pages_of(txn, s->tables[table]));
	return rv;
}

static int write_order(struct ord_lmdb_env *s, const struct ord_change_order *o)
{
	MDB_txn *txn;
	uint64_t written = 0;
	int dead_count;
	/* A tool that was killed while it read would keep its pages from being used again. */
	int rv = mdb_reader_check(s->env, &dead_count);
	if (rv == MDB_SUCCESS)
		rv = mdb_txn_begin(s->env, NULL, 0, &txn);
	if (rv != MDB_SUCCESS)
		return rv;
	for (size_t t = ORD_STORE_META; rv == MDB_SUCCESS && t < ORD_STORE_TABLES; t++)
		rv = make_table(s, txn, o, t, &written);
	if (written > s->kept_pages)
		s->kept_pages = written;
	if (rv == MDB_SUCCESS)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rv;
}

/* A write that is cut short for want of room LMDB calls EIO. Nothing has become valid by it: the meta page is written last, and after a failure there LMDB takes part in nothing more (MDB_PANIC). */
static int cause_of(const struct ord_lmdb_env *s, int rv)
{
	struct statvfs v;
	mdb_filehandle_t fd;
	bool is_full = rv == EIO && mdb_env_get_fd(s->env, &fd) == MDB_SUCCESS && fstatvfs(fd, &v) == 0 &&
		       (uint64_t)v.f_bavail * v.f_frsize < SHORT_BYTES;
	return is_full ? ENOSPC : rv;
}

int ord_lmdb_env_write(struct ord_lmdb_env *s, const struct ord_changes *changes)
{
	struct ord_change_order o;
	int rv = ord_change_order_make(&o, changes) == ORD_OK ? 0 : ENOMEM;
	ord_guard_enter(s->marker);
	if (rv == 0)
		rv = cause_of(s, write_order(s, &o));
	ord_guard_leave();
	ord_change_order_close(&o);
	return rv;
}

static int add_change(const struct ord_lmdb_env *e, MDB_txn *txn, const struct ord_change *c)
{
	MDB_val k = ord_lmdb_val(c->key), v = ord_lmdb_val(c->value);
	return c->is_removal ? MDB_INCOMPATIBLE : mdb_put(txn, e->tables[c->table], &k, &v, MDB_APPEND);
}

int ord_lmdb_env_add(const struct ord_lmdb_env *e, const struct ord_changes *changes)
{
	struct ord_reader r = ord_reader_of(ord_bytes_slice(&changes->bytes));
	struct ord_change c;
	MDB_txn *txn;
	int rv = mdb_txn_begin(e->env, NULL, 0, &txn);
	if (rv != MDB_SUCCESS)
		return rv;
	while (rv == MDB_SUCCESS && ord_changes_next(&r, &c))
		rv = add_change(e, txn, &c);
	if (rv == MDB_SUCCESS)
		return cause_of(e, mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return rv;
}
