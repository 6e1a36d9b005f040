/* SPDX-License-Identifier: Apache-2.0 - what a checkpoint writes. */
#include "partition/changes.h"

#include "base/assert.h"

/* What one checkpoint may hold: far more than a partition lets gather before it begins one. */
#define CHANGES_BYTES_MAX ((size_t)4 << 30)

void ord_changes_init(struct ord_changes *c)
{
	*c = (struct ord_changes){.count = 0};
	ord_bytes_init(&c->bytes, CHANGES_BYTES_MAX);
}

void ord_changes_close(struct ord_changes *c)
{
	ord_bytes_close(&c->bytes);
	ord_changes_init(c);
}

void ord_changes_clear(struct ord_changes *c)
{
	ord_bytes_clear(&c->bytes);
	c->count = 0;
}

static void add(struct ord_changes *c, const struct ord_change *change)
{
	ORD_ASSERT(change->key.len > 0);
	ORD_ASSERT(change->key.len <= ORD_STORE_KEY_BYTES_MAX);
	uint8_t *at = ord_bytes_extend(&c->bytes, ORD_CHANGE_HEAD_BYTES + change->key.len + change->value.len);
	ORD_ASSERT(at != NULL);
	uint16_t key_bytes = (uint16_t)change->key.len;
	uint32_t value_bytes = (uint32_t)change->value.len;
	at[0] = (uint8_t)change->table;
	at[1] = change->is_removal;
	memcpy(at + 2, &key_bytes, sizeof key_bytes);
	memcpy(at + 4, &value_bytes, sizeof value_bytes);
	memcpy(at + ORD_CHANGE_HEAD_BYTES, change->key.base, change->key.len);
	if (change->value.len > 0)
		memcpy(at + ORD_CHANGE_HEAD_BYTES + change->key.len, change->value.base, change->value.len);
	c->count++;
}

void ord_changes_put(struct ord_changes *c, enum ord_store_table table, struct ord_slice key, struct ord_slice value)
{
	ORD_ASSERT(value.len > 0);
	add(c, &(struct ord_change){.table = table, .key = key, .value = value});
}

void ord_changes_remove(struct ord_changes *c, enum ord_store_table table, struct ord_slice key)
{
	add(c, &(struct ord_change){.table = table, .is_removal = true, .key = key});
}

bool ord_changes_next(struct ord_reader *r, struct ord_change *ret)
{
	if (ord_reader_left(r) == 0)
		return false;
	size_t bytes = ord_change_read(r->base + r->offset, ret);
	ord_reader_take(r, bytes);
	ORD_ASSERT(!r->failed);
	return true;
}
