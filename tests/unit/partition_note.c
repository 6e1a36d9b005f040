/* SPDX-License-Identifier: Apache-2.0 - the note of a checkpoint: what was put comes out, and what cannot be is refused. */
#include "partition/note.h"

#include <criterion/criterion.h>

#include "base/err.h"
#include "partition/checkpoint.h"

static struct ord_bytes out;

static void out_open(void)
{
	ord_bytes_init(&out, ORD_CHECKPOINT_NOTE_BYTES_MAX);
}

static void out_close(void)
{
	ord_bytes_close(&out);
}

TestSuite(partition_note, .init = out_open, .fini = out_close);

static struct ord_note example(void)
{
	struct ord_note n = {
		.index = 100,
		.term = 7,
		.time_us = 123456,
		.base_index = 90,
		.base_term = 6,
		.current_term = 8,
		.members_index = 1,
		.members = ord_slice_text("members"),
		.end = {.number = 3, .last_index = 90, .last_term = 6, .next_position = 500, .last_time_us = 120000}};
	memset(n.end.chain, 0xab, sizeof n.end.chain);
	return n;
}

Test(partition_note, comes_out_as_it_was_put)
{
	struct ord_note put = example(), got;
	ord_note_encode(&put, &out);
	cr_assert_eq(ord_note_decode(ord_bytes_slice(&out), &got), ORD_OK);
	cr_expect(got.index == 100 && got.term == 7 && got.time_us == 123456);
	cr_expect(got.base_index == 90 && got.base_term == 6 && got.current_term == 8 && got.members_index == 1);
	cr_expect(ord_slice_equal(got.members, put.members));
	cr_expect(got.end.number == 3 && got.end.last_index == 90 && got.end.last_term == 6);
	cr_expect(got.end.next_position == 500 && got.end.last_time_us == 120000);
	cr_expect_arr_eq(got.end.chain, put.end.chain, sizeof put.end.chain);
}

Test(partition_note, cut_anywhere_is_refused)
{
	struct ord_note put = example(), got;
	ord_note_encode(&put, &out);
	for (size_t len = 0; len < out.len; len++)
		cr_expect_eq(ord_note_decode(ord_slice_of(out.base, len), &got), ORD_ERR_CORRUPT, "%zu bytes", len);
}

Test(partition_note, the_first_format_knew_no_base)
{
	struct ord_note put = example(), got;
	ord_note_encode(&put, &out);
	out.base[0] = 1;
	cr_assert_eq(ord_note_decode(ord_slice_of(out.base, 28), &got), ORD_OK);
	cr_expect(got.index == 100 && got.term == 7 && got.time_us == 123456);
	cr_expect(got.base_index == 0 && got.end.number == 0 && got.members.len == 0);
}

Test(partition_note, of_a_later_version_is_told_apart)
{
	struct ord_note put = example(), got;
	ord_note_encode(&put, &out);
	out.base[0] = ORD_NOTE_FORMAT + 1;
	cr_expect_eq(ord_note_decode(ord_bytes_slice(&out), &got), ORD_ERR_FORMAT);
}

Test(partition_note, a_base_behind_the_state_is_refused)
{
	struct ord_note put = example(), got;
	put.base_index = 101;
	ord_note_encode(&put, &out);
	cr_expect_eq(ord_note_decode(ord_bytes_slice(&out), &got), ORD_ERR_CORRUPT);
}
