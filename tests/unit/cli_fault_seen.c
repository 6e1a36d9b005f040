/* SPDX-License-Identifier: Apache-2.0 - answers to `faults`: both ends of a link are put together; what cannot be used is passed over. */
#include "cli/fault_seen.h"

#include <criterion/criterion.h>

#include "client/rpc.h"

static const struct ord_layout layout = {.nodes_count = 3, .nodes = {{.id = 1}, {.id = 2}, {.id = 7}}};
static struct ord_fault_look look;
static struct ord_bytes answer;
static msgpack_packer p;

static void setup(void)
{
	look = (struct ord_fault_look){0};
	ord_bytes_init(&answer, 4096);
	ord_rpc_packer(&answer, &p);
}

static void teardown(void)
{
	ord_bytes_close(&answer);
}

TestSuite(cli_fault_seen, .init = setup, .fini = teardown);

static void take(uint32_t place)
{
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	cr_assert_eq(msgpack_unpack_next(&unpacked, (const char *)answer.base, answer.len, NULL),
		     MSGPACK_UNPACK_SUCCESS);
	ord_fault_seen_take(&unpacked.data, &layout, place, &look);
	msgpack_unpacked_destroy(&unpacked);
	ord_bytes_close(&answer);
	ord_bytes_init(&answer, 4096);
	ord_rpc_packer(&answer, &p);
}

/* An answer with one link. */
static void put_link(uint32_t node, bool cut_out, const char *counter, uint64_t count)
{
	msgpack_pack_map(&p, 1);
	ord_rpc_put_text(&p, "links");
	msgpack_pack_array(&p, 1);
	msgpack_pack_map(&p, 3);
	ord_rpc_put_pair_u64(&p, "node", node);
	ord_rpc_put_pair_bool(&p, "cut_out", cut_out);
	ord_rpc_put_pair_u64(&p, counter, count);
}

Test(cli_fault_seen, each_end_of_a_link_adds_what_it_knows)
{
	put_link(2, true, "stopped", 3);
	take(0);
	put_link(1, false, "unanswered", 4);
	take(1);
	cr_assert(look.links[0][1].known && look.links[1][0].known);
	cr_assert(look.links[0][1].rule.cut && !look.links[1][0].rule.cut);
	cr_assert_eq(look.links[0][1].counts.dropped, 7);
	cr_assert_str_eq(look.links[0][1].by, "hooks");
	cr_assert_not(look.links[0][2].known);
}

Test(cli_fault_seen, disk_and_clock_are_those_of_the_node)
{
	msgpack_pack_map(&p, 2);
	ord_rpc_put_text(&p, "disk");
	msgpack_pack_map(&p, 2);
	ord_rpc_put_pair_u64(&p, "slow_ms", 40);
	ord_rpc_put_pair_u64(&p, "slowed", 9);
	ord_rpc_put_text(&p, "clock");
	msgpack_pack_map(&p, 1);
	ord_rpc_put_pair_i64(&p, "offset_us", -5);
	take(2);
	cr_assert(look.nodes[2].known && !look.nodes[0].known);
	cr_assert_eq(look.nodes[2].disk.slow_ms, 40);
	cr_assert_eq(look.nodes[2].disk_counts.slowed, 9);
	cr_assert_eq(look.nodes[2].clock.offset_us, -5);
}

Test(cli_fault_seen, nodes_that_the_cluster_does_not_have_are_passed_over)
{
	put_link(9, true, "stopped", 3);
	take(0);
	put_link(1, true, "stopped", 3); /* of a node to itself */
	take(0);
	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t k = 0; k < 3; k++)
			cr_assert_not(look.links[i][k].known);
}

Test(cli_fault_seen, values_of_another_type_are_passed_over)
{
	msgpack_pack_array(&p, 0);
	take(0);
	cr_assert(look.nodes[0].known);
	msgpack_pack_map(&p, 3);
	ord_rpc_put_text(&p, "links");
	msgpack_pack_array(&p, 2);
	msgpack_pack_nil(&p);
	msgpack_pack_map(&p, 1);
	ord_rpc_put_pair_text(&p, "node", "2");
	ord_rpc_put_text(&p, "disk");
	msgpack_pack_true(&p);
	ord_rpc_put_text(&p, "clock");
	msgpack_pack_map(&p, 1);
	ord_rpc_put_pair_u64(&p, "offset_us", UINT64_MAX);
	take(1);
	cr_assert_not(look.links[1][0].known || look.links[0][1].known);
	cr_assert_eq(look.nodes[1].clock.offset_us, 0);
}
