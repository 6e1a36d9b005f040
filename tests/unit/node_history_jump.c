/* SPDX-License-Identifier: Apache-2.0 - a history that goes on behind a state from a peer, and files that are set aside. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "node/history_state.h"
#include "tests/support/node_client.h"
#include "tests/support/node_store.h"

TestSuite(node_history_jump, .init = store_make, .fini = store_clean, .timeout = 60);

static void cr_found(const struct ord_block_end *end)
{
	const struct ord_history_found *found = ord_history_found(store.history, 0);
	cr_assert_eq(memcmp(&found->end, end, sizeof *end), 0, "block %zu", (size_t)found->end.number);
}

/* --- Set aside. --- */

Test(node_history_jump, a_damaged_last_file_is_set_aside_where_others_have_copies)
{
	struct ord_history_status status;
	store_write(0, 9);
	store_stop();
	store_flip(store_path(8), ORD_VOLUME_HEADER_BYTES + 20);
	cr_assert_eq(truncate(store_path(9), 100), 0);
	unsigned before = store.notices_count;
	store_open();
	cr_found(&store.ends[7]);
	cr_assert(store_has(store_path_aside(8, 1)));
	cr_assert_eq(store.notices_count, before + 1);
	cr_assert_not_null(strstr(store.notice, "is set aside"), "%s", store.notice);
	cr_assert_not_null(strstr(store.notice, store_path(8)), "%s", store.notice);
	ord_history_status(store.history, &status);
	cr_assert_eq(status.damaged_count, 1);
}

static void file_copied_over(unsigned from, unsigned to)
{
	char command[800], from_path[256];
	snprintf(from_path, sizeof from_path, "%s", store_path(from)); /* the next path takes its memory */
	snprintf(command, sizeof command, "cp %s %s/0/swap && mv %s/0/swap %s", from_path, store.directory,
		 store.directory, store_path(to));
	cr_assert_eq(system(command), 0);
}

/* A write that went to the wrong place. */
Test(node_history_jump, a_file_that_says_it_is_another_one_is_set_aside)
{
	store_write(0, 5);
	store_stop();
	file_copied_over(2, 5);
	store_open();
	cr_found(&store.ends[4]);
	cr_assert(store_has(store_path_aside(5, 1)));
	store_stop();
	file_copied_over(2, 3);
	store_open();
	ord_history_scrub_now(store.history);
	UNTIL(&store.loop, store_has(store_path_aside(3, 2)));
}

Test(node_history_jump, of_files_set_aside_so_many_are_kept)
{
	uint64_t ret_k;
	store_write(0, 1);
	int fd = open(store.directory, O_RDONLY | O_DIRECTORY);
	int dir_fd = openat(fd, "0", O_RDONLY | O_DIRECTORY);
	for (unsigned k = 1; k <= ORD_HISTORY_ASIDE_MAX + 2; k++) {
		close(open(store_path(10 + k), O_WRONLY | O_CREAT, 0600));
		cr_assert(ord_history_aside_rename(dir_fd, 10 + k, &ret_k));
		cr_assert_eq(ret_k, k);
		cr_assert(ord_history_aside_rename(dir_fd, 10 + k, &ret_k), "one that is not there is no error");
		cr_assert_eq(ret_k, 0);
	}
	close(dir_fd);
	close(fd);
	for (unsigned k = 1; k <= ORD_HISTORY_ASIDE_MAX + 2; k++)
		cr_assert_eq(store_has(store_path_aside(10 + k, k)), k > 2);
	store_reopen();
	cr_found(&store.ends[1]);
}

/* --- Forward. --- */

Test(node_history_jump, a_jump_forward_leaves_a_gap_and_begins_a_file)
{
	store.options.volume_bytes = 1u << 20;
	store_reopen();
	store_write(0, 2);
	const struct ord_block_end *end = store_leave_out(5);
	cr_assert_eq(ord_history_jump(store.history, 0, end), ORD_OK);
	store_reopen();
	cr_found(&store.ends[2]);
	cr_assert_eq(ord_history_jump(store.history, 0, end), ORD_OK);
	store_write(0, 2);
	store_gap(3, 7);
	cr_assert_eq(store_read(2), ORD_OK);
	cr_assert_eq(store_read(3), ORD_ERR_NOT_FOUND);
	cr_assert_eq(store_read(7), ORD_ERR_NOT_FOUND);
	cr_assert_eq(store_read(9), ORD_OK);
	cr_assert(store_has(store_path(8)));
	store_reopen();
	cr_found(&store.ends[9]);
	store_write(0, 1);
	cr_assert_not(store_has(store_path(10)), "the last file goes on");
}

Test(node_history_jump, a_jump_is_made_behind_the_blocks_handed_over_before)
{
	struct ord_block_raw raw;
	history_block(&store.makers[0], &raw);
	cr_assert_eq(ord_history_write(store.history, &raw), ORD_OK);
	cr_assert_eq(ord_history_jump(store.history, 0, store_leave_out(1)), ORD_OK);
	history_block(&store.makers[0], &raw);
	cr_assert_eq(ord_history_write(store.history, &raw), ORD_OK);
	UNTIL(&store.loop, store.written_count == 2);
	store_gap(2, 2);
}

Test(node_history_jump, a_jump_into_a_history_of_nothing)
{
	cr_assert_eq(ord_history_jump(store.history, 0, store_leave_out(3)), ORD_OK);
	store_write(0, 1);
	store_gap(1, 3);
	store_reopen();
	cr_found(&store.ends[4]);
}

/* --- Back. --- */

Test(node_history_jump, blocks_that_are_there_are_compared_and_not_written)
{
	store_write(0, 9);
	cr_assert_eq(ord_history_jump(store.history, 0, &store.ends[5]), ORD_OK);
	store_again(5);
	store_write(0, 6);
	store_gap(0, 0);
	for (uint64_t i = 1; i <= 9; i++)
		cr_assert_not(store_has(store_path_aside(i, 1)));
	store_reopen();
	cr_found(&store.ends[11]);
}

Test(node_history_jump, other_blocks_take_the_place_of_those_that_are_there)
{
	store_write(0, 9);
	cr_assert_eq(ord_history_jump(store.history, 0, &store.ends[5]), ORD_OK);
	store_again(5);
	store_write(0, 1);
	store.makers[0].time_us++;
	store_write(0, 1);
	cr_assert(store_has(store_path_aside(7, 3)));
	cr_assert(store_has(store_path_aside(9, 1)));
	cr_assert_not(store_has(store_path_aside(6, 4)));
	store_gap(0, 0);
	store_reopen();
	cr_found(&store.ends[7]);
}

/* What stands before the other block in its file goes with it, and is missing. */
Test(node_history_jump, a_file_that_goes_leaves_a_gap_before_the_block)
{
	store.options.volume_bytes = 1u << 20;
	store_reopen();
	store_write(0, 9);
	cr_assert_eq(ord_history_jump(store.history, 0, &store.ends[5]), ORD_OK);
	store_again(5);
	store.makers[0].time_us++;
	store_write(0, 2);
	store_gap(1, 5);
	cr_assert(store_has(store_path_aside(1, 1)));
	cr_assert_eq(store_read(6), ORD_OK);
	for (uint64_t i = 1; i <= 5; i++)
		cr_assert_eq(store_fill(i), ORD_OK);
	store_gap(0, 0);
	store_reopen();
	cr_found(&store.ends[7]);
}

Test(node_history_jump, a_jump_to_another_block_than_there_is_sets_it_aside)
{
	struct ord_block_end other;
	store_write(0, 9);
	other = store.ends[5];
	other.chain[3] ^= 1;
	cr_assert_eq(ord_history_jump(store.history, 0, &other), ORD_OK);
	store_write(1, 1); /* behind it */
	store_gap(5, 5);
	cr_assert(store_has(store_path_aside(5, 5)));
	cr_assert_not(store_has(store_path_aside(4, 6)));
}

Test(node_history_jump, a_jump_to_where_the_history_ends_changes_nothing)
{
	store_write(0, 3);
	cr_assert_eq(ord_history_jump(store.history, 0, &store.ends[3]), ORD_OK);
	store_write(0, 1);
	store_gap(0, 0);
	store_reopen();
	cr_found(&store.ends[4]);
}
