/* SPDX-License-Identifier: Apache-2.0 - a state in pieces. Between nodes a pair is: u8 table, u8 0, u16 length of the key, u32 length of the value, key, value (as in partition/changes.c). */
#include "partition/pairs.h"

#include "base/assert.h"
#include "base/err.h"
#include "partition/stored.h"

static struct ord_slice place_key(const struct ord_pairs_place *p)
{
	return ord_slice_of(p->key, p->key_bytes);
}

static void place_set(struct ord_pairs_place *p, unsigned table, struct ord_slice key)
{
	p->table = (uint8_t)table;
	p->key_bytes = (uint16_t)key.len;
	if (key.len > 0)
		memcpy(p->key, key.base, key.len);
}

static int keys_compare(struct ord_slice a, struct ord_slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.base, b.base, len) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool ord_pairs_place_equal(const struct ord_pairs_place *a, const struct ord_pairs_place *b)
{
	return a->table == b->table && ord_slice_equal(place_key(a), place_key(b));
}

struct gather {
	struct ord_slice after;
	enum ord_store_table table;
	size_t bytes_max;
	struct ord_changes *out;
};

/* Ends the walk, without being an error. */
#define GATHER_FULL (-1)

static int gather_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct gather *g = arg;
	if (g->after.len > 0 && ord_slice_equal(key, g->after))
		return ORD_OK;
	if (key.len == 0 || key.len > ORD_STORE_KEY_BYTES_MAX || value.len == 0 ||
	    value.len > ORD_STORE_VALUE_BYTES_MAX)
		return ORD_ERR_CORRUPT;
	if (g->out->bytes.len >= g->bytes_max)
		return GATHER_FULL;
	ord_changes_put(g->out, g->table, key, value);
	return ORD_OK;
}

int ord_pairs_gather(const struct ord_store *store, const struct ord_pairs_place *after, size_t bytes_max,
		     struct ord_changes *out, bool *ret_end)
{
	struct gather g = {.after = place_key(after), .bytes_max = bytes_max, .out = out};
	unsigned table = after->table == 0 ? ORD_STORE_META : after->table;
	int err = ORD_OK;
	ORD_ASSERT(bytes_max > 0);
	ORD_ASSERT(out->count == 0);
	for (; err == ORD_OK && table < ORD_STORE_TABLES; table++) {
		g.table = (enum ord_store_table)table;
		err = store->walk(store->ctx, g.table, g.after, gather_cb, &g);
		g.after = ord_slice_of(NULL, 0);
	}
	*ret_end = err == ORD_OK;
	return err == GATHER_FULL ? ORD_OK : err;
}

struct walk {
	enum ord_store_table table;
	uint64_t bytes_max;
	ord_pairs_each each;
	void *arg;
	struct ord_pairs_checked *out;
};

static int walk_cb(void *arg, struct ord_slice key, struct ord_slice value)
{
	struct walk *w = arg;
	struct ord_pairs_checked *out = w->out;
	bool is_behind = out->place.table == w->table;
	int order = is_behind ? keys_compare(key, place_key(&out->place)) : 1;
	if (is_behind && out->pairs_count == 0 && order == 0)
		return ORD_OK; /* where the last piece ended */
	if (out->bytes >= w->bytes_max)
		return GATHER_FULL;
	if (order <= 0 || key.len == 0 || key.len > ORD_STORE_KEY_BYTES_MAX)
		return ORD_ERR_CORRUPT;
	int err = w->each(w->arg, w->table, key, value);
	if (err != ORD_OK)
		return err;
	place_set(&out->place, w->table, key);
	out->pairs_count++;
	out->bytes += key.len + value.len;
	return ORD_OK;
}

int ord_pairs_walk(const struct ord_store *store, const struct ord_pairs_place *after, uint64_t bytes_max,
		   ord_pairs_each each, void *arg, struct ord_pairs_checked *ret)
{
	struct walk w = {.bytes_max = bytes_max, .each = each, .arg = arg, .out = ret};
	unsigned table = after->table == 0 ? ORD_STORE_META : after->table;
	int err = ORD_OK;
	ORD_ASSERT(bytes_max > 0);
	*ret = (struct ord_pairs_checked){.place = *after};
	for (; err == ORD_OK && table < ORD_STORE_TABLES; table++) {
		bool is_behind = after->table == table;
		w.table = (enum ord_store_table)table;
		err = store->walk(store->ctx, w.table, is_behind ? place_key(after) : ord_slice_of(NULL, 0), walk_cb,
				  &w);
	}
	ret->is_last = err == ORD_OK;
	return err == GATHER_FULL ? ORD_OK : err;
}

static bool pair_next(struct ord_reader *r, struct ord_pairs_place *place, struct ord_change *c)
{
	struct ord_slice body;
	c->table = (enum ord_store_table)ord_reader_u8(r);
	c->is_removal = ord_reader_u8(r) != 0;
	uint16_t key_bytes = ord_reader_u16(r);
	uint32_t value_bytes = ord_reader_u32(r);
	c->key = ord_reader_take(r, key_bytes);
	c->value = ord_reader_take(r, value_bytes);
	if (r->failed || c->is_removal || c->table < ORD_STORE_META || c->table >= ORD_STORE_TABLES ||
	    c->key.len == 0 || ord_stored_verify(c->table, c->key, c->value, &body) != ORD_OK)
		return false;
	if (c->table < place->table || (c->table == place->table && keys_compare(c->key, place_key(place)) <= 0))
		return false;
	place_set(place, c->table, c->key);
	return true;
}

int ord_pairs_take(struct ord_slice bytes, struct ord_pairs_place *place, struct ord_changes *ret)
{
	struct ord_reader r = ord_reader_of(bytes);
	struct ord_pairs_place last = *place;
	struct ord_change c;
	uint64_t count = 0;
	while (ord_reader_left(&r) > 0) {
		if (!pair_next(&r, &last, &c))
			return ORD_ERR_FORMAT;
		count++;
	}
	ord_changes_clear(ret);
	ord_bytes_put(&ret->bytes, bytes.base, bytes.len);
	if (ret->bytes.failed) {
		ord_changes_close(ret);
		return ORD_ERR_NOMEM;
	}
	ret->count = count;
	*place = last;
	return ORD_OK;
}
