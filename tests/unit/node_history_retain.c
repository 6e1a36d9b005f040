/* SPDX-License-Identifier: Apache-2.0 - how much of a history is kept. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/history.h"
#include "tests/support/node_client.h"
#include "tests/support/node_store.h"

TestSuite(node_history_retain, .init = store_make, .fini = store_clean, .timeout = 60);

static void retain(uint64_t number, uint64_t now_us)
{
	cr_assert_eq(ord_history_retain(store.history, 0, store.ends[number].last_index, now_us), ORD_OK);
	store_write(1, 1); /* behind it */
}

static void begin(uint64_t keep_bytes, uint64_t keep_us)
{
	store.options.keep_bytes = keep_bytes;
	store.options.keep_us = keep_us;
	store_reopen();
	store_write(0, 9);
}

/* What is kept begins with that block, and nothing counts as missing, now and after a start. */
static void cr_begins(uint64_t first)
{
	struct ord_history_status status;
	for (uint64_t i = 1; i <= 9; i++)
		cr_assert_eq(store_has(store_path(i)), i >= first, "block %u", (unsigned)i);
	store_gap(0, 0);
	store_reopen();
	UNTIL(&store.loop, (ord_history_status(store.history, &status), status.surveyed));
	store_gap(0, 0);
	cr_assert_eq(store_read(9), ORD_OK);
}

static uint64_t end_us(void)
{
	return store.ends[9].last_time_us;
}

Test(node_history_retain, everything_for_ever_unless_told_otherwise)
{
	begin(0, 0);
	retain(9, end_us() * 2);
	cr_begins(1);
}

Test(node_history_retain, so_many_bytes)
{
	begin(1, 0);
	retain(9, end_us());
	cr_begins(9);
}

Test(node_history_retain, nothing_that_no_checkpoint_has)
{
	begin(1, 0);
	retain(4, end_us());
	cr_begins(4);
	retain(3, end_us());
	cr_begins(4);
}

Test(node_history_retain, what_is_younger_stays)
{
	begin(0, 1000000);
	retain(9, store.ends[4].last_time_us + 1000000);
	uint64_t first = 1;
	while (!store_has(store_path(first)))
		first++;
	cr_assert_gt(first, 2);
	cr_assert_leq(first, 5);
	cr_begins(first);
}

Test(node_history_retain, both_must_allow_it)
{
	begin(1, 1000000);
	retain(9, store.ends[1].last_time_us);
	cr_begins(1);
}

Test(node_history_retain, the_history_goes_on_behind_it)
{
	begin(1, 0);
	retain(9, end_us());
	store_reopen();
	store_write(0, 2);
	cr_assert_eq(store_read(11), ORD_OK);
	cr_assert_eq(store_read(8), ORD_ERR_NOT_FOUND);
}

/* What was dropped is told from what is missing by the file alone. */
Test(node_history_retain, without_its_file_what_was_dropped_is_missing)
{
	struct ord_history_status status;
	char path[300];
	begin(1, 0);
	retain(9, end_us());
	store_stop();
	snprintf(path, sizeof path, "%s/0/first", store.directory);
	store_flip(path, 33);
	store_open();
	UNTIL(&store.loop, (ord_history_status(store.history, &status), status.surveyed));
	store_gap(1, 8);
	cr_assert_eq(ord_history_forget(store.history, 0, 9), ORD_OK);
	store_write(1, 1);
	store_gap(0, 0);
	cr_begins(9);
}
