/* SPDX-License-Identifier: Apache-2.0 - checking states in LMDB, on the copier's thread, a piece at a time: all of a state in one view, so that what is found in it can be compared with its own numbers (docs/adr/0014).
 *
 * What a view may look at is not written over: while it is open checkpoints take new pages, and the file grows. So it is kept for one state at a time, and when the file has grown too much by that the rest is read at full rate.
 *
 * Whoever walks a tree from leaf to leaf does not ask its branch pages where a key is, so that is asked, too: for the first and the last key of each leaf; those between them are found on the same way.
 *
 *   none --a piece, the first one--> open --the last piece, an error, another state, ord_lmdb_scrub_end--> none
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/lmdb_state.h"

/* The file may grow by so much of itself and by so many bytes, whichever is more, before the rest of the check presses: by the pages that are held, not by records that are new. */
#define GROWTH_DIVISOR 4
#define GROWTH_BYTES (UINT64_C(64) << 20)

/* --- Leaves. --- */

/* A walk of a table, leaf by leaf. */
struct leaves {
	struct ord_lmdb_scrub *scrub; /* borrowed */
	enum ord_store_table table;
	ord_store_each each;
	void *arg;
	uintptr_t page; /* of the last pair: its address over the bytes of a page; 0: none yet */
	struct ord_slice key;
	struct ord_slice value;
};

/* The last pair is found by its key. */
static int leaves_find(const struct leaves *w)
{
	const struct ord_store *store = &w->scrub->view.store;
	struct ord_slice found;
	int err = store->get(store->ctx, w->table, w->key, &found);
	if (err == ORD_OK && found.base == w->value.base)
		return ORD_OK;
	return err == ORD_OK || err == ORD_ERR_NOT_FOUND ? ORD_ERR_CORRUPT : err;
}

/* A page begins with its own number (LMDB 0.9), which says where in memory the first one is: by all pages at the same place. Writing gives a page free by that number. */
static bool page_is_itself(struct ord_lmdb_scrub *s, uintptr_t page)
{
	uint64_t number;
	memcpy(&number, (const void *)(page * s->page_bytes), sizeof number);
	if (s->first_page == 0)
		s->first_page = page - (uintptr_t)number;
	return page - (uintptr_t)number == s->first_page;
}

static int leaves_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct leaves *w = arg;
	uintptr_t page = (uintptr_t)key.base / w->scrub->page_bytes;
	bool is_next = page != w->page;
	int err = is_next && w->page != 0 ? leaves_find(w) : ORD_OK;
	w->page = page;
	w->key = key;
	w->value = value;
	if (err == ORD_OK && is_next)
		err = page_is_itself(w->scrub, page) ? leaves_find(w) : ORD_ERR_CORRUPT;
	return err == ORD_OK ? w->each(w->arg, key, value) : err;
}

static int leaves_get(void *ctx, enum ord_store_table table, struct ord_slice key, struct ord_slice *ret)
{
	const struct ord_lmdb_scrub *s = ctx;
	return s->view.store.get(s->view.store.ctx, table, key, ret);
}

static int leaves_walk(void *ctx, enum ord_store_table table, struct ord_slice from, ord_store_each each, void *arg)
{
	struct ord_lmdb_scrub *s = ctx;
	struct leaves w = {.scrub = s, .table = table, .each = each, .arg = arg};
	int err = s->view.store.walk(s->view.store.ctx, table, from, leaves_cb, &w);
	return err == ORD_OK && w.page != 0 ? leaves_find(&w) : err;
}

/* --- Pieces. --- */

static const struct ord_lmdb_env *scrub_env(const struct ord_lmdb_scrub *s)
{
	return &s->owner->states[s->partition].env;
}

static void scrub_drop(struct ord_lmdb_scrub *s)
{
	bool was_open = s->audit != NULL;
	ord_audit_close(s->audit);
	s->audit = NULL;
	ord_lmdb_view_close(&s->view);
	if (was_open)
		ord_lmdb_env_let_go(s->view.env);
}

/* The first piece: a view of the state as it is now. */
static int scrub_begin(struct ord_lmdb_scrub *s)
{
	scrub_drop(s);
	s->begun_bytes = ord_lmdb_env_bytes(scrub_env(s));
	snprintf(s->why, sizeof s->why, "the partition's numbers or messages cannot be read");
	MDB_stat stat;
	int rv = ord_lmdb_view_open(&s->view, scrub_env(s));
	if (rv == 0)
		rv = mdb_env_stat(scrub_env(s)->env, &stat);
	if (rv != 0)
		return ord_lmdb_err(rv);
	s->page_bytes = stat.ms_psize;
	s->first_page = 0;
	s->store = (struct ord_store){.ctx = s, .get = leaves_get, .walk = leaves_walk};
	struct ord_partition_options options = {
		.id = s->partition, .partitions_count = s->owner->partitions_count, .store = &s->store};
	return ord_audit_open(&options, &s->audit);
}

/* What is held is asked for only when the file has grown: what it has free is used before. */
static bool scrub_presses(struct ord_lmdb_scrub *s)
{
	uint64_t share_bytes = s->begun_bytes / GROWTH_DIVISOR;
	uint64_t most_bytes = share_bytes > GROWTH_BYTES ? share_bytes : GROWTH_BYTES;
	uint64_t held_bytes;
	return ord_lmdb_env_bytes(scrub_env(s)) > s->begun_bytes + most_bytes &&
	       (ord_lmdb_view_held(&s->view, &held_bytes) != MDB_SUCCESS || held_bytes > most_bytes);
}

static void scrub_work(struct ord_worker_job *job)
{
	struct ord_lmdb_scrub *s = (struct ord_lmdb_scrub *)job;
	int err = s->audit == NULL ? scrub_begin(s) : ORD_OK;
	s->checked = (struct ord_pairs_checked){0};
	if (err == ORD_OK)
		err = ord_audit_go_on(s->audit, s->bytes_max, &s->checked, s->why);
	/* Nobody writes such numbers here. */
	s->status = err == ORD_ERR_FORMAT || err == ORD_ERR_MISMATCH ? ORD_ERR_CORRUPT : err;
	if (err != ORD_OK || s->checked.is_last)
		scrub_drop(s);
	else
		s->checked.presses = scrub_presses(s);
}

static void scrub_done(struct ord_worker_job *job)
{
	struct ord_lmdb_scrub *s = (struct ord_lmdb_scrub *)job;
	struct ord_lmdb *l = s->owner;
	char path[ORD_LMDB_PATH_SIZE];
	s->under_way = false;
	if (s->status != ORD_OK) {
		ord_lmdb_path(l, s->partition, "", path);
		snprintf(l->error_text, sizeof l->error_text, "%s/data.mdb: checking it failed: %s: %s", path,
			 ord_err_text(s->status), s->why);
	}
	l->events.scrubbed(l->events.ctx, s->partition, s->status, &s->checked);
}

void ord_lmdb_scrub_init(struct ord_lmdb *l)
{
	l->scrub = (struct ord_lmdb_scrub){.job = {.work = scrub_work, .done = scrub_done}, .owner = l};
}

void ord_lmdb_scrub(void *ctx, uint32_t partition, const struct ord_pairs_place *after, uint64_t bytes_max)
{
	struct ord_lmdb *l = ctx;
	ORD_ASSERT(!l->scrub.under_way);
	ORD_ASSERT(l->states[partition].env.env != NULL);
	if (after->table == 0 || l->scrub.partition != partition)
		scrub_drop(&l->scrub);
	l->scrub.partition = partition;
	l->scrub.bytes_max = bytes_max;
	l->scrub.under_way = true;
	ord_worker_give(l->copier, &l->scrub.job);
}

void ord_lmdb_scrub_end(void *ctx)
{
	struct ord_lmdb *l = ctx;
	ORD_ASSERT(!l->scrub.under_way);
	scrub_drop(&l->scrub);
}
