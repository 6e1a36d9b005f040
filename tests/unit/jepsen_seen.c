/* SPDX-License-Identifier: Apache-2.0 - the set of hashes: what was put in is there, within its memory. */
#include "jepsen/checkers/seen.h"

#include <criterion/criterion.h>

#include "jepsen/checkers/numbering.h"

Test(jepsen_seen, knows_what_was_put_in)
{
	struct ord_seen s = {0};
	bool is_new;
	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 10000; i++) { /* all want the same few slots; 0, 0 among them */
			const uint64_t hash[2] = {i % 3, i};
			cr_assert(ord_seen_put(&s, hash, 1 << 24, &is_new));
			cr_assert_eq(is_new, round == 0, "%lu", (unsigned long)i);
		}
	}
	cr_assert_eq(s.count, 10000);
	ord_seen_close(&s);
}

Test(jepsen_seen, keeps_its_maximum)
{
	struct ord_seen s = {0};
	bool is_new;
	uint64_t i = 0;
	for (; i < 1000000; i++) {
		const uint64_t hash[2] = {i * 0x9e3779b97f4a7c15u, 7};
		if (!ord_seen_put(&s, hash, 1 << 20, &is_new))
			break;
	}
	/* 1 MiB is room for 32,768 slots of 16 bytes while they grow from 16,384, and these are half full. */
	cr_assert_eq(i, 16384);
	const uint64_t known[2] = {0, 7};
	cr_assert(!ord_seen_put(&s, known, 1 << 20, &is_new));
	ord_seen_close(&s);
}

Test(jepsen_seen, numbers_are_given_in_the_order_of_meeting)
{
	struct ord_numbering n;
	cr_assert_eq(ord_numbering_open(&n), 0);
	cr_assert_eq(ord_numbering_find(&n, ord_edn_int(5)), ORD_NUMBERING_NONE);
	for (int64_t i = 0; i < 1000; i++)
		cr_assert_eq(ord_numbering_of(&n, ord_edn_int(-i)), i);
	cr_assert_eq(ord_numbering_of(&n, ord_edn_int(-7)), 7);
	cr_assert_eq(ord_numbering_find(&n, ord_edn_int(-999)), 999);
	cr_assert_eq(n.values[42].integer, -42);
	cr_assert_eq(n.values_count, 1000);
	ord_numbering_close(&n);
}
