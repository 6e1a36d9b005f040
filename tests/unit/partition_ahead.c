/* SPDX-License-Identifier: Apache-2.0 - looking ahead: each look is loaded once, in order, sixteen looks later or at the end, and what a load gives comes back. */
#include "partition/ahead.h"

#include <criterion/criterion.h>

#include "base/err.h"

#define LOOKS 50u

static struct ord_table table;
static struct ord_ahead ahead;
static uint32_t loaded;	 /* how many */
static uint32_t failing; /* the look whose load fails; LOOKS: none */

static void open(void)
{
	cr_assert_eq(ord_table_open(&table), ORD_OK);
	ahead = (struct ord_ahead){0};
	loaded = 0;
	failing = LOOKS;
}

static void close(void)
{
	ord_table_close(&table);
}

TestSuite(ahead, .init = open, .fini = close);

static int load(struct ord_partition *p, const struct ord_ahead_look *look)
{
	(void)p;
	cr_assert_eq(look->kind, loaded, "in their order");
	return loaded++ == failing ? ORD_ERR_IO : ORD_OK;
}

/* Adds looks from .. to - 1; the number of the first add that failed, to: none. */
static uint32_t add(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct ord_ahead_look look = {.table = &table, .hash = i, .load = load, .kind = i};
		if (ord_ahead_add(&ahead, &look) != ORD_OK)
			return i;
		cr_assert_eq(loaded, i < ORD_AHEAD_LOOKS ? 0 : i - ORD_AHEAD_LOOKS + 1);
	}
	return to;
}

Test(ahead, each_is_loaded_once_in_order)
{
	for (uint32_t count = 0; count <= LOOKS; count++) {
		loaded = 0;
		cr_assert_eq(add(0, count), count);
		cr_assert_eq(ord_ahead_finish(&ahead), ORD_OK);
		cr_assert_eq(loaded, count);
	}
}

Test(ahead, a_load_that_fails_is_told_when_it_is_made)
{
	failing = 3;
	cr_expect_eq(add(0, LOOKS), 3 + ORD_AHEAD_LOOKS);
}

Test(ahead, or_at_the_end)
{
	failing = LOOKS - 2;
	cr_assert_eq(add(0, LOOKS), LOOKS);
	cr_expect_eq(ord_ahead_finish(&ahead), ORD_ERR_IO);
	cr_expect_eq(loaded, LOOKS - 1);
}

Test(ahead, what_the_store_cannot_have_alone_is_not_loaded)
{
	for (uint32_t i = 0; i < LOOKS; i++) {
		struct ord_ahead_look look = {.table = &table, .hash = i};
		cr_assert_eq(ord_ahead_add(&ahead, &look), ORD_OK);
	}
	cr_expect_eq(ord_ahead_finish(&ahead), ORD_OK);
}
