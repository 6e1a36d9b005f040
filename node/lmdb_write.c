/* SPDX-License-Identifier: Apache-2.0 - a checkpoint into an LMDB environment: its changes in order, in one transaction. Runs on the writer's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/assert.h"
#include "node/guard.h"
#include "node/lmdb_env.h"

/* With less than that free a write may have been cut short for want of room. */
#define SHORT_BYTES (UINT64_C(16) << 20)

static MDB_val val_of(struct ord_slice s)
{
	return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.base};
}

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

static int make_table(const struct ord_lmdb_env *s, MDB_txn *txn, const struct order *o, size_t table)
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

static int write_order(const struct ord_lmdb_env *s, const struct order *o)
{
	MDB_txn *txn;
	int dead_count;
	/* A tool that was killed while it read would keep its pages from being used again. */
	int rv = mdb_reader_check(s->env, &dead_count);
	if (rv == MDB_SUCCESS)
		rv = mdb_txn_begin(s->env, NULL, 0, &txn);
	if (rv != MDB_SUCCESS)
		return rv;
	for (size_t t = ORD_STORE_META; rv == MDB_SUCCESS && t < ORD_STORE_TABLES; t++)
		rv = make_table(s, txn, o, t);
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

int ord_lmdb_env_write(const struct ord_lmdb_env *s, const struct ord_changes *changes)
{
	struct order o;
	int rv = order_make(&o, changes);
	ord_guard_enter(s->marker);
	if (rv == 0)
		rv = cause_of(s, write_order(s, &o));
	ord_guard_leave();
	order_close(&o);
	return rv;
}

static int add_change(const struct ord_lmdb_env *e, MDB_txn *txn, const struct ord_change *c)
{
	MDB_val k = val_of(c->key), v = val_of(c->value);
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
