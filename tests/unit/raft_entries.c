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
