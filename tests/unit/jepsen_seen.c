/* SPDX-License-Identifier: Apache-2.0 - the set of hashes: what was put in is there, within its memory. */
#include "jepsen/checkers/seen.h"

#include <criterion/criterion.h>

#include "jepsen/checkers/numbering.h"

Test(jepsen_seen, knows_what_was_put_in)
{
	struct ord_seen s;
	bool is_new;
	ord_seen_init(&s, 0, 1 << 24);
	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 10000; i++) { /* all want the same few slots; 0, 0 among them */
			const uint64_t hash[2] = {i % 3, i};
			cr_assert(ord_seen_put(&s, hash, NULL, &is_new));
			cr_assert_eq(is_new, round == 0, "%lu", (unsigned long)i);
		}
	}
	cr_assert_eq(s.count, 10000);
	ord_seen_close(&s);
}

static bool is_new_with(struct ord_seen *s, uint64_t hash, uint64_t low, uint64_t high)
{
	const uint64_t both[2] = {hash, 9}, set[2] = {low, high};
	bool is_new = false;
	cr_assert(ord_seen_put(s, both, set, &is_new));
	return is_new;
}

Test(jepsen_seen, fewer_infos_stand_for_more)
{
	struct ord_seen s;
	ord_seen_init(&s, 2, 1 << 24);
	cr_assert(is_new_with(&s, 1, 6, 1));
	cr_assert(!is_new_with(&s, 1, 6, 1));
	cr_assert(!is_new_with(&s, 1, 7, 3));
	cr_assert(is_new_with(&s, 1, 4, 0));
	cr_assert(!is_new_with(&s, 1, 4, 8));
	cr_assert(is_new_with(&s, 1, 3, 1));
	cr_assert(is_new_with(&s, 2, 7, 3));
	cr_assert(is_new_with(&s, 1, 0, 0));
	cr_assert(!is_new_with(&s, 1, 1, 0));
	ord_seen_close(&s);
}

/* None of these is a part of another. */
Test(jepsen_seen, very_many_of_one_hash_are_known_as_they_are)
{
	struct ord_seen s;
	ord_seen_init(&s, 2, 1 << 24);
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 5000; i++)
			cr_assert_eq(is_new_with(&s, 1, i, ~i), round == 0, "%lu", (unsigned long)i);
	}
	ord_seen_close(&s);
}

Test(jepsen_seen, keeps_its_maximum)
{
	struct ord_seen s;
	bool is_new;
	uint64_t i = 0;
	ord_seen_init(&s, 0, 1 << 20);
	for (; i < 1000000; i++) {
		const uint64_t hash[2] = {i * 0x9e3779b97f4a7c15u, 7};
		if (!ord_seen_put(&s, hash, NULL, &is_new))
			break;
	}
	/* 1 MiB is room for 32,768 slots of 16 bytes while they grow from 16,384, and these are half full. */
	cr_assert_eq(i, 16384);
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
