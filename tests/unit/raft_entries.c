/* SPDX-License-Identifier: Apache-2.0 - the index of a group's entries. */
#include "raft/entries.h"

#include <criterion/criterion.h>

#include "base/err.h"
#include "tests/support/random.h"

static struct ord_entry_ref ref_of(uint64_t place)
{
	return (struct ord_entry_ref){.place = place, .term = place / 10 + 1, .payload_bytes = 5, .kind = 1};
}

Test(raft_entries, an_empty_log_has_no_entries)
{
	struct ord_entries e = {0};
	cr_expect_null(ord_entries_get(&e, 0));
	cr_expect_null(ord_entries_get(&e, 1));
	cr_expect_eq(ord_entries_term(&e, 0), 0);
	ord_entries_truncate(&e, 1);
	ord_entries_close(&e);
}

Test(raft_entries, what_is_appended_and_truncated_is_as_in_a_plain_array)
{
	static uint64_t plain[30000];
	struct ord_entries e = {0};
	struct random r = random_of(1);
	uint64_t last = 0;
	for (uint64_t place = 1; place < 30000; place++) {
		struct ord_entry_ref ref = ref_of(place);
		cr_assert_eq(ord_entries_append(&e, &ref), ORD_OK);
		plain[++last] = place;
		if (random_below(&r, 300) == 0) {
			uint64_t index = last + 2 - random_below(&r, 600 < last ? 600 : last);
			ord_entries_truncate(&e, index);
			if (index <= last)
				last = index - 1;
		}
		cr_assert_eq(e.last, last);
	}
	for (uint64_t i = 1; i <= last; i++) {
		cr_assert_eq(ord_entries_get(&e, i)->place, plain[i]);
		cr_assert_eq(ord_entries_term(&e, i), plain[i] / 10 + 1);
	}
	cr_expect_null(ord_entries_get(&e, last + 1));
	ord_entries_close(&e);
}

/* Entries behind a base that moves on: the same as in a plain array, and the memory of what is behind is given back. */
Test(raft_entries, what_is_dropped_from_the_front_is_gone_and_the_rest_stays)
{
	struct ord_entries e = {0};
	struct random r = random_of(2);
	uint64_t plain[5000] = {0};
	ord_entries_begin(&e, 1000, 7);
	cr_expect_eq(ord_entries_term(&e, 1000), 7);
	cr_expect_null(ord_entries_get(&e, 1000));
	for (uint64_t place = 1; place < 4000; place++) {
		struct ord_entry_ref ref = ref_of(place);
		cr_assert_eq(ord_entries_append(&e, &ref), ORD_OK);
		plain[e.last - 1000] = place;
		if (random_below(&r, 50) == 0) {
			uint64_t index = e.base + random_below(&r, e.last - e.base + 1);
			uint64_t term = ord_entries_term(&e, index);
			ord_entries_drop(&e, index);
			cr_assert_eq(e.base, index);
			cr_assert_eq(ord_entries_term(&e, index), term);
			cr_assert_null(ord_entries_get(&e, index));
		}
		if (random_below(&r, 50) == 0)
			ord_entries_truncate(&e, e.base + 1 + random_below(&r, e.last - e.base + 1));
		cr_assert_leq(e.chunks_count, (e.last - e.base) / 256 + 3);
	}
	for (uint64_t i = e.base + 1; i <= e.last; i++)
		cr_assert_eq(ord_entries_get(&e, i)->place, plain[i - 1000]);
	ord_entries_drop(&e, e.last);
	cr_expect_eq(e.base, e.last);
	struct ord_entry_ref ref = ref_of(9);
	cr_assert_eq(ord_entries_append(&e, &ref), ORD_OK);
	cr_expect_eq(ord_entries_get(&e, e.last)->place, 9);
	ord_entries_close(&e);
}

Test(raft_entries, entries_may_come_in_any_order_and_holes_are_seen)
{
	struct ord_entries e = {0};
	struct random r = random_of(3);
	bool known[3001] = {false};
	ord_entries_begin(&e, 10, 1);
	cr_expect_eq(ord_entries_gap(&e), 11);
	for (uint32_t left = 2990; left > 0;) {
		uint64_t index = 11 + random_below(&r, 2990);
		struct ord_entry_ref ref = ref_of(index);
		cr_assert_eq(ord_entries_put(&e, index, &ref), ORD_OK);
		left -= !known[index];
		known[index] = true;
		if (left % 500 == 0) {
			for (uint64_t i = 11; i <= 3000; i++)
				cr_assert_eq(ord_entries_get(&e, i) != NULL, known[i]);
			cr_assert(left == 0 || !known[ord_entries_gap(&e)]);
		}
	}
	cr_expect_eq(ord_entries_gap(&e), 3001);
	ord_entries_move(&e, 2000, 5);
	cr_expect_eq(ord_entries_get(&e, 2000)->place, 5);
	/* What was truncated does not come back in a hole. */
	ord_entries_truncate(&e, 20);
	struct ord_entry_ref ref = ref_of(1);
	cr_assert_eq(ord_entries_put(&e, 2500, &ref), ORD_OK);
	for (uint64_t i = 20; i < 2500; i++)
		cr_assert_null(ord_entries_get(&e, i));
	cr_expect_eq(ord_entries_gap(&e), 20);
	cr_expect_eq(ord_entries_put(&e, UINT64_C(1) << 40, &ref), ORD_ERR_INVALID);
	cr_expect_eq(e.last, 2500);
	ord_entries_close(&e);
}
