/* SPDX-License-Identifier: Apache-2.0 - changes in order: a radix sort by eight bytes of the keys at a time.
 *
 * Least significant byte first (D. E. Knuth, The Art of Computer Programming 3, section 5.2.5), without the bytes that all keys have in common: of ids that ascend with time few differ, of names that begin
 * alike the first eight do not. What is equal in eight bytes is sorted by the next eight. */
#include "node/change_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"

#define DIGITS 8u
#define DIGIT_VALUES 256u
/* Runs up to that long are sorted by insertion. */
#define SMALL_RUN 16u
/* Changes asked of memory before they are read. */
#define AHEAD 8u

static struct ord_change change_at(const uint8_t *at)
{
	struct ord_change c;
	ord_change_read(at, &c);
	return c;
}

/* Eight bytes of the key from `from`, as a number that is ordered as they are; what is behind the key's end counts as zero. */
static uint64_t digits_of(struct ord_slice key, size_t from)
{
	uint64_t digits = 0;
	if (key.len > from)
		memcpy(&digits, key.base + from, key.len - from < DIGITS ? key.len - from : DIGITS);
	return __builtin_bswap64(digits);
}

/* Removals before values: of a key that comes more than once the value counts. */
static int compare(const void *a, const void *b)
{
	const struct ord_change_item *x = a, *y = b;
	if (x->digits != y->digits)
		return x->digits < y->digits ? -1 : 1;
	struct ord_change c = change_at(x->at), d = change_at(y->at);
	int order = memcmp(c.key.base, d.key.base, c.key.len < d.key.len ? c.key.len : d.key.len);
	if (order == 0)
		order = (c.key.len > d.key.len) - (c.key.len < d.key.len);
	return order != 0 ? order : (int)d.is_removal - (int)c.is_removal;
}

static bool is_sorted(const struct ord_change_item *items, size_t count)
{
	size_t i = 1;
	while (i < count && compare(&items[i - 1], &items[i]) <= 0)
		i++;
	return i >= count;
}

static void insertion_sort(struct ord_change_item *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct ord_change_item moved = items[i];
		size_t at = i;
		for (; at > 0 && compare(&items[at - 1], &moved) > 0; at--)
			items[at] = items[at - 1];
		items[at] = moved;
	}
}

/* By one byte of the digits, keeping the order of equal ones, from one array into the other. */
static void distribute(const struct ord_change_item *from, struct ord_change_item *into, size_t count, unsigned shift)
{
	size_t places[DIGIT_VALUES + 1] = {0};
	for (size_t i = 0; i < count; i++)
		places[(from[i].digits >> shift & 0xff) + 1]++;
	for (size_t v = 1; v < DIGIT_VALUES; v++)
		places[v] += places[v - 1];
	for (size_t i = 0; i < count; i++)
		into[places[from[i].digits >> shift & 0xff]++] = from[i];
}

/* By all eight bytes. */
static void radix_sort(struct ord_change_item *items, struct ord_change_item *spare, size_t count)
{
	struct ord_change_item *from = items, *into = spare;
	uint64_t differing = 0;
	for (size_t i = 1; i < count; i++)
		differing |= items[i].digits ^ items[0].digits;
	for (unsigned shift = 0; shift < DIGITS * 8; shift += 8) {
		if ((differing >> shift & 0xff) == 0)
			continue;
		distribute(from, into, count, shift);
		struct ord_change_item *swapped = from;
		from = into;
		into = swapped;
	}
	if (from != items)
		memcpy(items, from, count * sizeof *items);
}

static void sort(struct ord_change_item *items, struct ord_change_item *spare, size_t count, size_t from);

/* What is equal in the eight bytes at `from`. */
static void sort_equal(struct ord_change_item *items, struct ord_change_item *spare, size_t count, size_t from)
{
	bool any_longer = false;
	uint64_t digits = items[0].digits;
	if (count <= SMALL_RUN) {
		insertion_sort(items, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct ord_slice key = change_at(items[i].at).key;
		any_longer = any_longer || key.len > from + DIGITS;
		items[i].digits = digits_of(key, from + DIGITS);
	}
	if (any_longer)
		sort(items, spare, count, from + DIGITS);
	else
		qsort(items, count, sizeof *items, compare);
	for (size_t i = 0; i < count; i++)
		items[i].digits = digits;
}

/* Items whose keys are equal before `from`; their digits are those there. */
static void sort(struct ord_change_item *items, struct ord_change_item *spare, size_t count, size_t from)
{
	size_t begin = 0;
	if (count <= SMALL_RUN) {
		insertion_sort(items, count);
		return;
	}
	radix_sort(items, spare, count);
	while (begin < count) {
		size_t end = begin + 1;
		while (end < count && items[end].digits == items[begin].digits)
			end++;
		if (end - begin > 1)
			sort_equal(items + begin, spare, end - begin, from);
		begin = end;
	}
}

int ord_change_order_make(struct ord_change_order *o, const struct ord_changes *changes)
{
	size_t places[ORD_STORE_TABLES];
	struct ord_slice bytes = ord_bytes_slice(&changes->bytes);
	*o = (struct ord_change_order){.items = malloc((changes->count + 1) * sizeof *o->items),
				       .spare = malloc((changes->count + 1) * sizeof *o->spare)};
	if (o->items == NULL || o->spare == NULL)
		return ORD_ERR_NOMEM;
	uint64_t count = 0;
	for (size_t at = 0; at < bytes.len; count++) {
		struct ord_change c;
		o->spare[count].at = bytes.base + at;
		at += ord_change_read(bytes.base + at, &c);
		o->spare[count].digits = digits_of(c.key, 0);
		o->begins[c.table + 1]++;
	}
	ORD_ASSERT(count == changes->count);
	for (size_t t = 1; t <= ORD_STORE_TABLES; t++)
		o->begins[t] += o->begins[t - 1];
	memcpy(places, o->begins, sizeof places);
	for (uint64_t i = 0; i < count; i++)
		o->items[places[o->spare[i].at[0]]++] = o->spare[i];
	for (size_t t = 0; t < ORD_STORE_TABLES; t++) {
		struct ord_change_item *items = o->items + o->begins[t];
		size_t items_count = o->begins[t + 1] - o->begins[t];
		if (!is_sorted(items, items_count)) /* most tables come in order already */
			sort(items, o->spare, items_count, 0);
	}
	return ORD_OK;
}

void ord_change_order_close(struct ord_change_order *o)
{
	free(o->items);
	free(o->spare);
	*o = (struct ord_change_order){0};
}

void ord_change_order_at(const struct ord_change_order *o, size_t i, struct ord_change *ret)
{
	if (i + AHEAD < o->begins[ORD_STORE_TABLES])
		__builtin_prefetch(o->items[i + AHEAD].at);
	ord_change_read(o->items[i].at, ret);
}
