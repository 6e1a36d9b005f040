/* SPDX-License-Identifier: Apache-2.0 - what others ask of a history, and reading all of it again and again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/history.h"
#include "tests/support/node_client.h"
#include "tests/support/node_store.h"

static void make(void)
{
	store_make();
	store_stop();
	store.options.scrub_bytes = 1u << 20;
	store_open();
}

TestSuite(node_history_scrub, .init = make, .fini = store_clean, .timeout = 60);

static const struct ord_archive_answer *ask(uint64_t number, bool whole)
{
	unsigned before = store.answers_count;
	cr_assert_eq(ord_history_ask(store.history, 0, number, whole, 4711), ORD_OK);
	UNTIL(&store.loop, store.answers_count == before + 1);
	cr_assert_eq(store.answer.token, 4711);
	cr_assert_eq(store.answer.number, number);
	return &store.answer;
}

/* --- Asking. --- */

Test(node_history_scrub, a_block_that_is_asked_for_comes_whole)
{
	struct ord_block block;
	char why[ORD_BLOCK_WHY_SIZE];
	store_write(0, 3);
	for (uint64_t i = 3; i > 0; i--) {
		cr_assert_eq(ask(i, true)->status, ORD_OK);
		cr_assert_eq(ord_block_decode(store.codec, ord_bytes_slice(&store.answer_bytes), &block, why), ORD_OK);
		cr_assert_eq(block.header.number, i);
		cr_assert_eq(memcmp(block.header.chain_after, store.ends[i].chain, ORD_CHAIN_BYTES), 0);
	}
}

Test(node_history_scrub, an_id_comes_without_the_block)
{
	store_write(0, 1);
	cr_assert_eq(ask(1, false)->status, ORD_OK);
	cr_assert_eq(store.answer_bytes.len, 0);
	cr_assert_eq(store.answer.id.last_position, store.ends[1].next_position - 1);
	cr_assert_eq(memcmp(store.answer.id.chain_after, store.ends[1].chain, ORD_CHAIN_BYTES), 0);
}

Test(node_history_scrub, who_asks_for_what_is_not_there_is_told_what_is_kept)
{
	cr_assert_eq(ask(1, true)->status, ORD_ERR_NOT_FOUND);
	cr_assert_eq(store.answer.first, 1);
	cr_assert_eq(ord_history_jump(store.history, 0, store_leave_out(4)), ORD_OK);
	store_write(0, 1);
	cr_assert_eq(ask(2, true)->status, ORD_ERR_NOT_FOUND);
	cr_assert_eq(store.answer.first, 1);
	cr_assert_eq(ord_history_forget(store.history, 0, 5), ORD_OK);
	store_write(1, 1); /* behind it */
	cr_assert_eq(ask(2, true)->status, ORD_ERR_NOT_FOUND);
	cr_assert_eq(store.answer.first, 5);
}

Test(node_history_scrub, a_block_that_is_damaged_is_not_given_away_but_set_aside)
{
	store_write(0, 3);
	store_flip(store_path(2), ORD_VOLUME_HEADER_BYTES + ORD_BLOCK_HEADER_BYTES + 9);
	cr_assert_eq(ask(2, true)->status, ORD_ERR_CORRUPT);
	UNTIL(&store.loop, store_has(store_path_aside(2, 1)));
}

Test(node_history_scrub, no_more_is_asked_for_at_a_time_than_the_bound)
{
	store_write(0, 1);
	unsigned before = store.answers_count;
	for (unsigned i = 0; i < ORD_HISTORY_ASKS_MAX; i++)
		cr_assert_eq(ord_history_ask(store.history, 0, 1, true, 0), ORD_OK);
	cr_assert_eq(ord_history_ask(store.history, 0, 1, true, 0), ORD_ERR_BUSY);
	UNTIL(&store.loop, store.answers_count == before + ORD_HISTORY_ASKS_MAX);
	cr_assert_eq(ask(1, true)->status, ORD_OK);
}

/* --- The scrub. --- */

Test(node_history_scrub, a_sound_history_is_read_whole_and_told_of)
{
	struct ord_history_status status;
	store_write(0, 5);
	store_write(1, 2);
	store_scrub(1);
	ord_history_status(store.history, &status);
	cr_assert_eq(status.rounds_count, 1);
	cr_assert_eq(status.scrub_blocks, 7);
	cr_assert_eq(status.damaged_count, 0);
	cr_assert_eq(store.checked_count, 7, "the last block of each file");
	UNTIL(&store.loop, (ord_history_status(store.history, &status), status.scrubbed_us > 0));
	store_scrub(2);
	ord_history_status(store.history, &status);
	cr_assert_eq(status.scrub_blocks, 21);
}

Test(node_history_scrub, any_byte_that_is_changed_is_found)
{
	struct ord_history_gap gap;
	store_write(0, 3);
	size_t len = ORD_VOLUME_HEADER_BYTES + store.copies[2].len;
	for (size_t i = 0; i < len; i += i < ORD_VOLUME_HEADER_BYTES ? 13 : 29) {
		store_flip(store_path(2), i);
		ord_history_scrub_now(store.history);
		UNTIL(&store.loop, ord_history_gap(store.history, 0, &gap));
		store_gap(2, 2);
		cr_assert_eq(store_fill(2), ORD_OK);
	}
	for (uint64_t i = 1; i <= 3; i++)
		cr_assert_eq(store_read(i), ORD_OK);
}

Test(node_history_scrub, a_file_of_another_history_is_found_by_the_chain)
{
	struct ord_history_gap gap;
	struct history other;
	struct ord_bytes bytes;
	store_write(0, 4);
	history_buffer(&bytes);
	history_open(&other, 77, 0);
	other.dull = true;
	for (unsigned i = 0; i < 3; i++) {
		ord_bytes_clear(&bytes);
		history_volume_begin(&bytes, 3);
		history_encode(&other, store.codec, 0, &bytes);
	}
	FILE *f = fopen(store_path(3), "w");
	cr_assert_eq(fwrite(bytes.base, 1, bytes.len, f), bytes.len);
	fclose(f);
	ord_history_scrub_now(store.history);
	UNTIL(&store.loop, ord_history_gap(store.history, 0, &gap));
	cr_assert(store_has(store_path_aside(3, 1)));
	history_close(&other);
	ord_bytes_close(&bytes);
}

Test(node_history_scrub, the_file_that_is_being_written_is_set_aside_like_any_other)
{
	struct ord_history_gap gap;
	store.options.volume_bytes = 1u << 20;
	store_reopen();
	store_write(0, 3);
	store_flip(store_path(1), ORD_VOLUME_HEADER_BYTES + 30);
	ord_history_scrub_now(store.history);
	UNTIL(&store.loop, ord_history_gap(store.history, 0, &gap));
	store_gap(1, 3);
	store_write(0, 2);
	cr_assert(store_has(store_path(4)));
	for (uint64_t i = 1; i <= 3; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	for (uint64_t i = 1; i <= 5; i++)
		cr_assert_eq(store_read(i), ORD_OK);
}

Test(node_history_scrub, where_nobody_has_a_copy_the_file_stays_and_is_told_of)
{
	struct ord_history_status status;
	store.options.keep_damaged = true;
	store_reopen();
	store_write(0, 3);
	store_flip(store_path(2), ORD_VOLUME_HEADER_BYTES + 30);
	unsigned before = store.notices_count;
	store_scrub(1);
	UNTIL(&store.loop, store.notices_count > before);
	cr_assert_not_null(strstr(store.notice, "no other node has it"), "%s", store.notice);
	cr_assert(store_has(store_path(2)));
	store_gap(0, 0);
	store_scrub(2); /* it is met again, and told of once */
	store_write(1, 1);
	ord_history_status(store.history, &status);
	cr_assert_eq(status.damaged_count, 1);
	cr_assert_eq(store.notices_count, before + 1);
}

Test(node_history_scrub, it_may_be_switched_off)
{
	struct ord_history_status status;
	store.options.scrub_bytes = 0;
	store_reopen();
	store_write(0, 3);
	for (unsigned i = 0; i < 50; i++) {
		store.now_ms += 60000;
		ord_history_tick(store.history, store.now_ms, store.now_ms * 1000);
		uv_run(&store.loop, UV_RUN_NOWAIT);
	}
	ord_history_status(store.history, &status);
	cr_assert_eq(status.scrub_blocks, 0);
	ord_history_scrub_now(store.history);
	UNTIL(&store.loop, (ord_history_status(store.history, &status), status.rounds_count == 1 && !status.scrubbing));
	cr_assert_eq(status.scrub_blocks, 3);
}

Test(node_history_scrub, what_differs_from_a_peer_is_loud)
{
	struct ord_history_status status;
	unsigned before = store.notices_count;
	ord_history_compared(store.history, 0, 7, 2, true);
	ord_history_compared(store.history, 0, 8, 3, false);
	UNTIL(&store.loop, store.notices_count > before);
	cr_assert_not_null(strstr(store.notice, "block 8 is another one here than on node 3"), "%s", store.notice);
	ord_history_status(store.history, &status);
	cr_assert_eq(status.compared_count, 2);
	cr_assert_eq(status.different_count, 1);
}
