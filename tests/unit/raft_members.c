/* SPDX-License-Identifier: Apache-2.0 - lists of members: libraft reads what we write, and is given nothing that it cannot read. */
#include "raft/members.h"

#include <criterion/criterion.h>
#include <raft.h>
#include <stdlib.h>

#include "tests/support/random.h"

static const uint32_t nodes[] = {2, 30, 4000000000u};
#define NODES_COUNT 3

Test(raft_members, libraft_reads_and_writes_the_same_bytes)
{
	struct ord_bytes b;
	struct raft_configuration conf;
	struct raft_buffer again;
	ord_bytes_init(&b, 4096);
	ord_members_encode(nodes, NODES_COUNT, &b);
	struct raft_buffer buf = {.base = b.base, .len = b.len};
	cr_assert_eq(raft_configuration_decode(&buf, &conf), 0);
	cr_assert_eq(conf.n, NODES_COUNT);
	for (unsigned i = 0; i < NODES_COUNT; i++) {
		cr_expect_eq(conf.servers[i].id, nodes[i]);
		cr_expect_eq(conf.servers[i].role, RAFT_VOTER);
	}
	cr_expect_str_eq(conf.servers[2].address, "node-4000000000");
	cr_assert_eq(raft_configuration_encode(&conf, &again), 0);
	cr_expect(ord_slice_equal(ord_bytes_slice(&b), ord_slice_of(again.base, again.len)));
	raft_free(again.base);
	raft_configuration_close(&conf);
	ord_bytes_close(&b);
}

static bool valid(const void *base, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	cr_assert_not_null(copy);
	uint8_t *exact = realloc(copy, len == 0 ? 1 : len);
	if (len > 0)
		memcpy(exact, base, len);
	bool is_valid = ord_members_valid(ord_slice_of(exact, len), nodes, NODES_COUNT);
	free(exact);
	return is_valid;
}

Test(raft_members, every_shorter_list_is_refused)
{
	struct ord_bytes b;
	ord_bytes_init(&b, 4096);
	ord_members_encode(nodes, NODES_COUNT, &b);
	cr_assert(valid(b.base, b.len));
	size_t needed = 9 + (8 + 7 + 1) + (8 + 8 + 1) + (8 + 16 + 1);
	for (size_t len = 0; len < needed; len++)
		cr_expect_not(valid(b.base, len), "%zu bytes", len);
	for (size_t i = 0; i < 8; i++)
		ord_bytes_put_u8(&b, 0);
	cr_expect_not(valid(b.base, b.len), "a longer one too");
	ord_bytes_close(&b);
}

Test(raft_members, strangers_and_twins_are_refused)
{
	static const uint32_t strangers[] = {2, 31};
	static const uint32_t twins[] = {2, 2};
	struct ord_bytes b;
	ord_bytes_init(&b, 4096);
	ord_members_encode(strangers, 2, &b);
	cr_expect_not(valid(b.base, b.len));
	ord_bytes_clear(&b);
	ord_members_encode(twins, 2, &b);
	cr_expect_not(valid(b.base, b.len));
	ord_bytes_clear(&b);
	ord_members_encode(nodes, 0, &b);
	cr_expect_not(valid(b.base, b.len), "nobody");
	ord_bytes_close(&b);
}

Test(raft_members, whatever_is_valid_libraft_can_read)
{
	struct random r = random_of(3);
	struct ord_bytes b;
	int accepted = 0;
	ord_bytes_init(&b, 4096);
	ord_members_encode(nodes, NODES_COUNT, &b);
	for (int i = 0; i < 100000; i++) {
		struct raft_configuration conf;
		struct raft_buffer buf = {.base = b.base, .len = b.len};
		size_t at = random_below(&r, b.len);
		uint8_t kept = b.base[at];
		b.base[at] = (uint8_t)random_next(&r);
		if (valid(b.base, b.len)) {
			accepted++;
			cr_assert_eq(raft_configuration_decode(&buf, &conf), 0);
			raft_configuration_close(&conf);
		}
		b.base[at] = kept;
	}
	cr_expect_gt(accepted, 0);
	cr_expect_lt(accepted, 35000, "mostly incarnations");
	ord_bytes_close(&b);
}
