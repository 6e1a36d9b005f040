/* SPDX-License-Identifier: Apache-2.0 - expired request ids. */
#include "partition/expire.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "partition/posting.h"
#include "partition/request.h"
#include "partition/saved.h"
#include "partition/state.h"

#define ID_BYTES sizeof(struct ord_uuid)
/* A walk has looked at as much as it may; or has come to ids that are not expired. */
#define SWEEP_PAUSES ORD_ERR_BUSY
#define SWEEP_ENDS ORD_ERR_CLOSED
/* Keys that one checkpoint drops, in bytes: more than there can be records in a round of it. */
#define SWEEP_KEYS_BYTES_MAX ((size_t)1 << 30)

static const enum ord_store_table swept_tables[ORD_EXPIRE_TABLES] = {ORD_STORE_REQUESTS, ORD_STORE_STAGES};
static const size_t key_bytes[ORD_EXPIRE_TABLES] = {ID_BYTES, ID_BYTES + 1};

void ord_expire_init(struct ord_expiry *e)
{
	*e = (struct ord_expiry){.watermark_ms = 0};
	for (size_t i = 0; i < ORD_EXPIRE_TABLES; i++)
		ord_bytes_init(&e->keys[i], SWEEP_KEYS_BYTES_MAX);
}

void ord_expire_close(struct ord_expiry *e)
{
	for (size_t i = 0; i < ORD_EXPIRE_TABLES; i++)
		ord_bytes_close(&e->keys[i]);
}

/* --- The watermark. --- */

void ord_expire_apply(struct ord_partition *p, const struct ord_expire *c)
{
	struct ord_expiry *e = &p->expiry;
	if (c->watermark_ms <= e->watermark_ms || c->watermark_ms >= p->time_us / 1000)
		return;
	ord_digest_count(&p->digest, ORD_DIGEST_WATERMARK, 0, c->watermark_ms - e->watermark_ms);
	e->watermark_ms = c->watermark_ms;
}

static bool is_before(const struct ord_uuid *id, uint64_t watermark_ms)
{
	uint64_t ms = ord_row_id_ms(id);
	return ms != 0 && ms < watermark_ms;
}

bool ord_expire_is_old(const struct ord_partition *p, const struct ord_uuid *id)
{
	return is_before(id, p->expiry.watermark_ms);
}

/* What a request of an id before the watermark must be to be forgotten. */
static bool may_go(const struct ord_uuid *id, uint8_t status, uint64_t logged_us)
{
	return status != ORD_STATUS_ACCEPTED && !ord_row_id_is_odd(id, logged_us);
}

bool ord_expire_record(const struct ord_partition *p, const struct ord_uuid *id, uint8_t status, uint64_t logged_us)
{
	return ord_expire_is_old(p, id) && may_go(id, status, logged_us);
}

bool ord_expire_request(const struct ord_partition *p, const struct ord_uuid *id, const struct ord_request *r)
{
	return r == NULL ? ord_expire_is_old(p, id) : ord_expire_record(p, id, r->status, r->logged_us);
}

static void count_stage(struct ord_dropped *d, const struct ord_digest *digest, bool posted)
{
	ord_digest_add(&d->digest, *digest);
	d->stages_count++;
	d->posted_count += posted;
}

void ord_expire_stage(struct ord_partition *p, const struct ord_digest *digest, bool posted)
{
	count_stage(&p->expiry.dropped, digest, posted);
}

/* --- Sweeping. --- */

struct sweep {
	struct ord_partition *p;
	size_t table; /* place in swept_tables */
	size_t rows_left;
};

static uint64_t key_ms(struct ord_slice key)
{
	const uint8_t *at = key.base;
	uint64_t ms = 0;
	for (size_t i = 0; i < 6 && i < key.len; i++)
		ms = ms << 8 | at[i];
	return ms;
}

static void drop(struct sweep *s, struct ord_slice key)
{
	ord_changes_remove(&s->p->checkpoint.changes, swept_tables[s->table], key);
	ord_bytes_put(&s->p->expiry.keys[s->table], key.base, key.len);
	ORD_ASSERT(!s->p->expiry.keys[s->table].failed);
}

/* What is in memory stays until it has left it: it may be about to change, or to be written. */
static void sweep_request(struct sweep *s, struct ord_slice key, struct ord_slice body)
{
	struct ord_expiry *e = &s->p->expiry;
	struct ord_stored_request q;
	if (ord_stored_request(key, body, &q) != ORD_OK || !is_before(&q.id, e->sweep_ms) ||
	    !may_go(&q.id, q.status, q.logged_us))
		return;
	if (ord_request_find(s->p, &q.id) != NULL) {
		e->passed_over[s->table] = true;
		return;
	}
	struct ord_digest digest = ord_request_stored_digest(&q);
	struct ord_dropped *both[] = {&e->dropped, &e->saved};
	for (size_t i = 0; i < 2; i++) {
		ord_digest_add(&both[i]->digest, digest);
		both[i]->requests_count++;
	}
	drop(s, key);
}

static void sweep_stage(struct sweep *s, struct ord_slice key, struct ord_slice body)
{
	struct ord_expiry *e = &s->p->expiry;
	struct ord_stored_stage stored;
	struct ord_digest digest = {{0, 0}};
	if (ord_stored_stage(key, body, &stored) != ORD_OK || !is_before(&stored.request_id, e->sweep_ms))
		return;
	if (ord_posting_find(s->p, &stored.request_id, stored.kind) != NULL) {
		e->passed_over[s->table] = true;
		return;
	}
	struct ord_stage stage = {.request_id = stored.request_id,
				  .ordinal = stored.ordinal,
				  .home = stored.home,
				  .reason = stored.reason,
				  .kind = stored.kind};
	bool posted = stored.reason == ORD_REFUSAL_NONE;
	if (ord_posting_digest(s->p, &stage, &digest) != ORD_OK)
		return;
	count_stage(&e->dropped, &digest, posted);
	count_stage(&e->saved, &digest, posted);
	drop(s, key);
}

static int sweep_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct sweep *s = arg;
	struct ord_expiry *e = &s->p->expiry;
	struct ord_slice body;
	if (key_ms(key) >= e->sweep_ms)
		return SWEEP_ENDS;
	if (s->rows_left == 0) {
		memcpy(e->from[s->table], key.base, key.len);
		e->from_bytes[s->table] = key.len;
		return SWEEP_PAUSES;
	}
	s->rows_left--;
	if (key.len != key_bytes[s->table] || ord_stored_verify(swept_tables[s->table], key, value, &body) != ORD_OK)
		return ORD_OK; /* damage is for those who look for it */
	if (swept_tables[s->table] == ORD_STORE_REQUESTS)
		sweep_request(s, key, body);
	else
		sweep_stage(s, key, body);
	return ORD_OK;
}

void ord_expire_begin(struct ord_partition *p, uint64_t rows_max)
{
	p->expiry.sweep_ms = p->expiry.watermark_ms;
	p->expiry.saved = p->expiry.dropped;
	p->expiry.sweep_left = rows_max;
	p->expiry.sweep_table = 0;
}

bool ord_expire_step(struct ord_partition *p, size_t rows_max)
{
	struct ord_expiry *e = &p->expiry;
	size_t rows = rows_max < e->sweep_left ? rows_max : (size_t)e->sweep_left;
	while (e->sweep_table < ORD_EXPIRE_TABLES && e->swept_ms[e->sweep_table] >= e->sweep_ms)
		e->sweep_table++;
	struct sweep s = {.p = p, .table = e->sweep_table, .rows_left = rows};
	if (s.table == ORD_EXPIRE_TABLES || e->sweep_left == 0)
		return true;
	if (rows == 0)
		return false;
	struct ord_slice from = ord_slice_of(e->from[s.table], e->from_bytes[s.table]);
	int err = p->store->walk(p->store->ctx, swept_tables[s.table], from, sweep_cb, &s);
	e->sweep_left -= rows - s.rows_left;
	if (err == SWEEP_PAUSES)
		return e->sweep_left == 0;
	e->from_bytes[s.table] = 0;
	if (!e->passed_over[s.table])
		e->swept_ms[s.table] = e->sweep_ms;
	e->passed_over[s.table] = false;
	e->sweep_table++;
	return false;
}

void ord_expire_finish(struct ord_partition *p)
{
	for (size_t i = 0; i < ORD_EXPIRE_TABLES; i++)
		ord_bytes_clear(&p->expiry.keys[i]);
}

bool ord_expire_is_swept(const struct ord_partition *p, enum ord_store_table table, struct ord_slice key)
{
	size_t t = table == ORD_STORE_REQUESTS ? 0 : 1;
	const struct ord_bytes *keys = &p->expiry.keys[t];
	size_t low = 0, high = keys->len / key_bytes[t];
	if ((table != ORD_STORE_REQUESTS && table != ORD_STORE_STAGES) || key.len != key_bytes[t])
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = memcmp(keys->base + middle * key.len, key.base, key.len);
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
