/* SPDX-License-Identifier: Apache-2.0 - hosts under everything at once: lost, repeated, late messages, cuts, crashes that lose what was not synced. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "tests/support/raft_readers.h"

/* The checks are in tests/support/raft_cluster.c: everybody applies the same at every index, each once in a life and in order; one leader in a term, who
 * has applied all that earlier ones left; what one node has applied is never lost; and in tests/support/raft_readers.c: a read sees all that anybody had applied before it. */

#define ROUNDS 30
#define CALM_MS 30000

static void one_fault(struct raft_cluster *c)
{
	uint32_t nodes = c->options.nodes_count;
	uint32_t node = (uint32_t)random_below(&c->random, nodes);
	switch (random_below(&c->random, 8)) {
	case 0:
	case 1:
		if (c->nodes[node].host != NULL)
			raft_cluster_kill(c, node);
		break;
	case 2:
		for (uint32_t i = 0; i < nodes; i++)
			if (c->nodes[i].host != NULL)
				raft_cluster_kill(c, i);
		break;
	case 3:
		raft_cluster_isolate(c, node, true);
		break;
	case 4:
		raft_cluster_cut(c, node, (node + 1) % nodes, true);
		break;
	case 5:
		c->options.stall_percent = 5;
		c->options.stall_ms = (uint32_t)random_below(&c->random, 1500);
		break;
	case 6:
		c->nodes[node].lag_ms = random_below(&c->random, 400);
		break;
	default:
		c->options.drop_percent = (unsigned)random_below(&c->random, 30);
		c->options.repeat_percent = (unsigned)random_below(&c->random, 20);
		break;
	}
}

static void mend(struct raft_cluster *c)
{
	c->options.drop_percent = 0;
	c->options.repeat_percent = 0;
	c->options.stall_percent = 0;
	for (uint32_t i = 0; i < c->options.nodes_count; i++) {
		c->nodes[i].lag_ms = 0;
		raft_cluster_isolate(c, i, false);
		if (c->nodes[i].host == NULL)
			raft_cluster_start(c, i);
	}
}

static void chaos(uint64_t seed)
{
	static struct raft_readers readers;
	struct raft_cluster *c = malloc(sizeof *c);
	cr_assert_not_null(c);
	struct raft_cluster_options o = {.nodes_count = seed % 4 == 3 ? 5 : 3,
					 .groups_count = 1 + (uint32_t)(seed % 5),
					 .seed = seed,
					 .segment_bytes = seed % 2 == 0 ? 64 << 10 : 0,
					 .cache_bytes = seed % 3 == 0 ? 1 : 0,
					 .delay_ms_max = seed % 2 == 0 ? 2 : 20,
					 .in_order = seed % 3 == 1,
					 .sync_ms_max = 5};
	/* In some, everybody lets his log go in every way. */
	if (seed % 2 == 0 || seed % 8 == 3) {
		o.release_percent = seed % 3 == 0 ? 30 : 4;
		o.segment_bytes = seed % 4 == 0 ? 8 << 10 : 64 << 10;
		o.trailing_bytes = seed % 3 == 1 ? 1 : 20000;
		o.segments_max = 3;
	}
	raft_cluster_open(c, &o);
	raft_readers_start(&readers, c, 20);
	for (uint32_t i = 0; i < o.nodes_count; i++)
		c->nodes[i].disk.reuses = true;
	for (int round = 0; round < ROUNDS; round++) {
		if (random_chance(&c->random, 70))
			one_fault(c);
		else
			mend(c);
		raft_cluster_load(c, 20, random_chance(&c->random, 10) ? 200000 : 500,
				  100 + random_below(&c->random, 900));
	}
	mend(c);
	cr_assert(raft_cluster_run_until(c, raft_cluster_all_equal, CALM_MS),
		  "the nodes do not come together (seed %lu)", seed);
	cr_expect_eq(c->refused_messages, 0, "a correct node's message was refused");
	for (uint32_t g = 0; g < o.groups_count; g++)
		cr_expect_gt(c->groups[g].commands, 0, "nothing happened in group %u (seed %lu)", g, seed);
	cr_expect_gt(readers.done_count, 100, "%lu reads of %lu were answered (seed %lu)", readers.done_count,
		     readers.begun_count, seed);
	uint64_t removes = 0;
	for (uint32_t i = 0; i < o.nodes_count; i++)
		removes += c->nodes[i].disk.removes_count;
	cr_log_info("seed %lu: %lu installs, %lu segments removed, %lu reads of %lu", seed, c->installs, removes,
		    readers.done_count, readers.begun_count);
	raft_cluster_close(c);
	free(c);
}

ParameterizedTestParameters(raft_chaos, by_seed)
{
	static uint64_t seeds[64];
	const char *first = getenv("ORDAIN_TEST_SEED");
	const char *count = getenv("ORDAIN_TEST_SEEDS");
	uint64_t n = count != NULL ? strtoull(count, NULL, 10) : 12;
	if (n > 64)
		n = 64;
	for (uint64_t i = 0; i < n; i++)
		seeds[i] = (first != NULL ? strtoull(first, NULL, 10) : 1) + i;
	return cr_make_param_array(uint64_t, seeds, n);
}

ParameterizedTest(uint64_t *seed, raft_chaos, by_seed)
{
	chaos(*seed);
}
