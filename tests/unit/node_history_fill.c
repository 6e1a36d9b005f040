/* SPDX-License-Identifier: Apache-2.0 - blocks of peers in the gaps of a history: nothing but what belongs there. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/history.h"
#include "tests/support/node_client.h"
#include "tests/support/node_store.h"

TestSuite(node_history_fill, .init = store_make, .fini = store_clean, .timeout = 60);

/* Blocks 1 2, a gap of 3 to 7, 8 9. */
static void gap_make(void)
{
	store_write(0, 2);
	cr_assert_eq(ord_history_jump(store.history, 0, store_leave_out(5)), ORD_OK);
	store_write(0, 2);
	store_gap(3, 7);
}

static void cr_complete(uint64_t last)
{
	for (uint64_t i = 1; i <= last; i++)
		cr_assert_eq(store_read(i), ORD_OK, "block %u", (unsigned)i);
	store_gap(0, 0);
}

static bool surveyed(void)
{
	struct ord_history_status status;
	ord_history_status(store.history, &status);
	return status.surveyed;
}

static void begin_again(void)
{
	store_reopen();
	UNTIL(&store.loop, surveyed());
}

Test(node_history_fill, a_gap_is_filled_and_closed)
{
	gap_make();
	for (uint64_t i = 3; i <= 7; i++) {
		store_gap(i, 7);
		cr_assert_eq(store_fill(i), ORD_OK);
	}
	cr_complete(9);
	begin_again();
	cr_complete(9);
	struct ord_history_status status;
	ord_history_status(store.history, &status);
	cr_assert_eq(status.gaps_count, 0);
}

Test(node_history_fill, many_blocks_share_a_file_and_none_is_seen_before_it_is_whole)
{
	store.options.volume_bytes = 1u << 20;
	store_reopen();
	gap_make();
	for (uint64_t i = 3; i <= 6; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	cr_assert_eq(store_read(3), ORD_ERR_NOT_FOUND);
	cr_assert_eq(store_fill(7), ORD_OK);
	cr_assert(store_has(store_path(3)));
	cr_assert_not(store_has(store_path(4)));
	cr_complete(9);
}

/* What a stop left is kept; the rest is found to be missing by the next start. */
Test(node_history_fill, a_start_finds_what_is_missing)
{
	gap_make();
	store_reopen();
	UNTIL(&store.loop, surveyed());
	store_gap(3, 7);
	store.options.volume_bytes = 1u << 20;
	store_reopen();
	UNTIL(&store.loop, surveyed());
	cr_assert_eq(store_fill(3), ORD_OK);
	cr_assert_eq(store_fill(4), ORD_OK);
	begin_again();
	store_gap(5, 7);
	cr_assert_eq(store_read(4), ORD_OK);
	for (uint64_t i = 5; i <= 7; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	cr_complete(9);
}

Test(node_history_fill, what_a_crash_left_of_a_filling_is_removed)
{
	char path[256];
	gap_make();
	store_stop();
	snprintf(path, sizeof path, "%s/0/fill.tmp", store.directory);
	FILE *f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs("half a file", f);
	fclose(f);
	store_open();
	cr_assert_not(store_has(path));
	UNTIL(&store.loop, surveyed());
	store_gap(3, 7);
}

Test(node_history_fill, only_the_first_missing_block_is_taken)
{
	gap_make();
	cr_assert_eq(store_fill(4), ORD_ERR_INVALID);
	cr_assert_eq(store_fill(2), ORD_ERR_INVALID);
	cr_assert_eq(store_fill(8), ORD_ERR_INVALID);
	store_gap(3, 7);
}

Test(node_history_fill, a_block_with_any_byte_changed_is_refused)
{
	gap_make();
	struct ord_bytes *copy = &store.copies[3];
	for (size_t i = 0; i < copy->len; i += i < ORD_BLOCK_HEADER_BYTES ? 7 : 31) {
		copy->base[i] ^= 4;
		cr_assert_eq(store_fill(3), ORD_ERR_CORRUPT, "byte %zu", i);
		copy->base[i] ^= 4;
	}
	cr_assert_not_null(strstr(store.notice, "block 3 of a peer is refused"), "%s", store.notice);
	cr_assert_eq(store_fill_bytes(3, ord_slice_of(copy->base, copy->len - 1)), ORD_ERR_CORRUPT);
	cr_assert_eq(store_fill_bytes(3, ord_slice_of(copy->base, 0)), ORD_ERR_CORRUPT);
	cr_assert_eq(store_fill_bytes(3, ord_bytes_slice(&store.copies[4])), ORD_ERR_CORRUPT);
	store_gap(3, 7);
	for (uint64_t i = 3; i <= 7; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	cr_complete(9);
}

/* Sound in itself and of the right number, and made after another history. */
static void another_history(struct history *other, uint64_t first, uint64_t last, struct ord_bytes *blocks)
{
	history_open(other, 77, 0);
	other->dull = true;
	for (uint64_t i = 1; i <= last; i++) {
		struct ord_bytes *out = &blocks[i >= first ? i : 0];
		ord_bytes_clear(out);
		history_encode(other, store.codec, 0, out);
	}
	history_close(other);
}

Test(node_history_fill, a_block_of_another_history_is_refused)
{
	struct history other;
	struct ord_bytes blocks[8];
	for (size_t i = 0; i < 8; i++)
		history_buffer(&blocks[i]);
	gap_make();
	another_history(&other, 3, 3, blocks);
	cr_assert_eq(store_fill_bytes(3, ord_bytes_slice(&blocks[3])), ORD_ERR_CORRUPT);
	store_gap(3, 7);
	for (size_t i = 0; i < 8; i++)
		ord_bytes_close(&blocks[i]);
}

/* What stands before the gap is gone too, so that only its end can tell. */
Test(node_history_fill, a_gap_that_does_not_close_is_thrown_away)
{
	struct history other;
	struct ord_bytes blocks[8];
	for (size_t i = 0; i < 8; i++)
		history_buffer(&blocks[i]);
	cr_assert_eq(ord_history_jump(store.history, 0, store_leave_out(7)), ORD_OK);
	store_write(0, 2);
	store_gap(1, 7);
	another_history(&other, 1, 7, blocks);
	for (uint64_t i = 1; i <= 6; i++)
		cr_assert_eq(store_fill_bytes(i, ord_bytes_slice(&blocks[i])), ORD_OK);
	cr_assert(store_has(store_path(3)));
	cr_assert_eq(store_fill_bytes(7, ord_bytes_slice(&blocks[7])), ORD_ERR_CORRUPT);
	cr_assert_not_null(strstr(store.notice, "do not lead to the blocks behind them"), "%s", store.notice);
	store_gap(1, 7);
	for (uint64_t i = 1; i <= 7; i++)
		cr_assert_not(store_has(store_path(i)));
	for (uint64_t i = 1; i <= 7; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	cr_complete(9);
	for (size_t i = 0; i < 8; i++)
		ord_bytes_close(&blocks[i]);
}

/* The end of the history itself was set aside: nothing stands behind the gap yet. */
Test(node_history_fill, a_gap_at_the_end_closes_with_what_was_written_there)
{
	store.options.volume_bytes = 1u << 20;
	store_reopen();
	store_write(0, 5);
	store_flip(store_path(1), ORD_VOLUME_HEADER_BYTES + 5);
	store.options.scrub_bytes = 0;
	ord_history_scrub_now(store.history);
	struct ord_history_gap gap;
	UNTIL(&store.loop, ord_history_gap(store.history, 0, &gap));
	store_gap(1, 5);
	for (uint64_t i = 1; i <= 5; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	store_write(0, 2);
	cr_assert(store_has(store_path(6)));
	cr_complete(7);
	begin_again();
	cr_complete(7);
}

Test(node_history_fill, the_writer_goes_on_while_a_gap_is_filled)
{
	gap_make();
	cr_assert_eq(store_fill(3), ORD_OK);
	store_write(0, 1);
	store_write(1, 1);
	for (uint64_t i = 4; i <= 7; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	cr_complete(10);
}
