/* SPDX-License-Identifier: Apache-2.0 - looking ahead: three steps for each look, eight looks apart, so that none waits for memory.
 *
 *   added: its bucket is asked for -> eight later: the record is -> sixteen later, or at the end: load, which finds both there
 */
#include "partition/ahead.h"

#include "base/err.h"

static int load(const struct ord_ahead *a, uint32_t number)
{
	const struct ord_ahead_look *look = &a->looks[number % ORD_AHEAD_LOOKS];
	return look->load != NULL ? look->load(a->partition, look) : ORD_OK;
}

static void ask_for_record(const struct ord_ahead *a, uint32_t number)
{
	const struct ord_ahead_look *look = &a->looks[number % ORD_AHEAD_LOOKS];
	ord_table_prefetch_record(look->table, look->hash);
}

int ord_ahead_add(struct ord_ahead *a, const struct ord_ahead_look *look)
{
	uint32_t number = a->count++;
	int err = number >= ORD_AHEAD_LOOKS ? load(a, number - ORD_AHEAD_LOOKS) : ORD_OK;
	if (number >= ORD_AHEAD_DISTANCE)
		ask_for_record(a, number - ORD_AHEAD_DISTANCE);
	ord_table_prefetch(look->table, look->hash);
	a->looks[number % ORD_AHEAD_LOOKS] = *look;
	return err;
}

int ord_ahead_finish(struct ord_ahead *a)
{
	int err = ORD_OK;
	uint32_t first = a->count > ORD_AHEAD_LOOKS ? a->count - ORD_AHEAD_LOOKS : 0;
	for (uint32_t number = first; err == ORD_OK && number < a->count; number++)
		err = load(a, number);
	a->count = 0;
	return err;
}
