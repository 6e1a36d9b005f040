/* SPDX-License-Identifier: Apache-2.0 - routing: fixed for a cluster's life, so its numbers are fixed here. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <xxhash.h>

#include "partition/route.h"
#include "tests/support/partition_build.h"
#include "tests/support/text.h"

#define PARTITIONS 8

Test(partition_route, never_changes)
{
	struct ord_uuid id = text_id_of("t1");

	/* XXH3-64 of the key, mod 1000, by a program of its own. A change here loses every cluster's data. */
	cr_assert_eq(ord_route_account(ord_slice_text("alice"), 1000), 80);
	cr_assert_eq(ord_route_request(&id, 1000), 404);
	cr_assert_eq(ord_route_name(ord_slice_text("users"), ord_slice_text("ada"), 1000), 84);
}

Test(partition_route, is_the_documented_hash_of_the_key)
{
	static const char key[] = "\x05users\xc3\xa4";
	uint32_t expected = (uint32_t)(XXH3_64bits(key, sizeof key - 1) % 7);

	cr_assert_eq(ord_route_name(ord_slice_text("users"), ord_slice_text("\xc3\xa4"), 7), expected);
	cr_assert_eq(ord_route_account(ord_slice_text("alice"), 7), XXH3_64bits("alice", 5) % 7);
}

Test(partition_route, spreads_keys_and_stays_in_range)
{
	unsigned hits[PARTITIONS] = {0};

	for (unsigned i = 0; i < 8000; i++) {
		char account[32];

		snprintf(account, sizeof account, "account-%u", i);
		uint32_t partition = ord_route_account(ord_slice_text(account), PARTITIONS);
		cr_assert_lt(partition, PARTITIONS);
		cr_assert_eq(ord_route_account(ord_slice_text(account), 1), 0);
		hits[partition]++;
	}
	for (unsigned i = 0; i < PARTITIONS; i++)
		cr_assert(hits[i] > 850 && hits[i] < 1150, "partition %u got %u", i, hits[i]);
}

Test(partition_route, a_namespace_ends_where_it_ends)
{
	unsigned same = 0;

	for (unsigned i = 0; i < 100; i++) {
		char a[16], b[16];

		snprintf(a, sizeof a, "%uab", i);
		snprintf(b, sizeof b, "%ua", i);
		same += ord_route_name(ord_slice_text(a), ord_slice_text("c"), 1000) ==
			ord_route_name(ord_slice_text(b), ord_slice_text("bc"), 1000);
	}
	cr_assert_lt(same, 5);
}

Test(partition_route, logs_each_command_by_its_key)
{
	struct ord_uuid id = text_id_of("t1");
	uint32_t name = ord_route_name(ord_slice_text("users"), ord_slice_text("ada"), 1000);
	uint32_t account = ord_route_account(ord_slice_text("alice"), 1000);
	struct ord_command c = build_transfer("t1", "alice", "bob", 1);

	cr_assert_eq(ord_route_command(&c, 1000), ord_route_request(&id, 1000));
	c = build_open("t1", "alice", "EUR", 0, 0);
	cr_assert_eq(ord_route_command(&c, 1000), account);
	c = build_set("t1", "alice", ORD_ACCOUNT_OPEN);
	cr_assert_eq(ord_route_command(&c, 1000), account);
	c = build_claim("t1", "users", "ada", "u1");
	cr_assert_eq(ord_route_command(&c, 1000), name);
	c = build_release("t1", "users", "ada", "u1");
	cr_assert_eq(ord_route_command(&c, 1000), name);
	c = build_reassign("t1", "users", "ada", "u1", "u2");
	cr_assert_eq(ord_route_command(&c, 1000), name);
}
