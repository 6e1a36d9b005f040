/* SPDX-License-Identifier: Apache-2.0 - proof of faults: effects are seen in what commands answer, and their absence as well. */
#include "jepsen/proof.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/err.h"
#include "jepsen/json.h"

static struct ord_edn_pool pool;

static struct ord_edn answer(const char *json)
{
	struct ord_edn v;
	cr_assert_eq(ord_json_read(&pool, json, &v), ORD_OK);
	return v;
}

static void begin(void)
{
	ord_edn_pool_init(&pool, 1u << 20);
}

static void end(void)
{
	ord_edn_pool_close(&pool);
}

TestSuite(jepsen_proof, .init = begin, .fini = end);

static enum ord_storm_effect effect(const char *f, const char *json)
{
	struct ord_nemesis_plan plan = {.f = f};
	return ord_proof_effect(&plan, answer(json));
}

Test(jepsen_proof, killed_processes_are_gone)
{
	cr_expect_eq(effect("kill", "{\"processes\":[{\"running\":false},{\"running\":false}]}"), ORD_STORM_SEEN);
	cr_expect_eq(effect("kill", "{\"processes\":[{\"running\":false},{\"running\":true}]}"), ORD_STORM_NONE);
	cr_expect_eq(effect("wipe", "{\"processes\":[]}"), ORD_STORM_NONE);
	cr_expect_eq(effect("term", "null"), ORD_STORM_NONE);
}

Test(jepsen_proof, paused_processes_stand_still)
{
	cr_expect_eq(effect("pause", "{\"processes\":[{\"running\":true,\"state\":\"T\"}]}"), ORD_STORM_SEEN);
	cr_expect_eq(effect("pause", "{\"processes\":[{\"running\":true,\"state\":\"S\"}]}"), ORD_STORM_NONE);
}

Test(jepsen_proof, bits_are_flipped)
{
	cr_expect_eq(effect("corrupt", "{\"flips\":[{\"before\":\"00\",\"after\":\"04\"}]}"), ORD_STORM_SEEN);
	cr_expect_eq(effect("corrupt", "{\"flips\":[{\"before\":\"04\",\"after\":\"04\"}]}"), ORD_STORM_NONE);
}

Test(jepsen_proof, clocks_are_off_or_go_wrong)
{
	cr_expect_eq(effect("clock", "{\"clocks\":[{\"offset_us\":64000,\"drift_ppm\":0}]}"), ORD_STORM_SEEN);
	cr_expect_eq(effect("clock", "{\"clocks\":[{\"offset_us\":0,\"drift_ppm\":-9}]}"), ORD_STORM_SEEN);
	cr_expect_eq(
		effect("clock", "{\"clocks\":[{\"offset_us\":0,\"drift_ppm\":-9},{\"offset_us\":0,\"drift_ppm\":0}]}"),
		ORD_STORM_NONE);
	cr_expect_eq(effect("clock", "{\"clocks\":[]}"), ORD_STORM_NONE);
}

Test(jepsen_proof, what_counts_later_is_not_known_at_first)
{
	cr_expect_eq(effect("partition", "{\"links\":[{\"cut\":true,\"dropped\":0}]}"), ORD_STORM_UNKNOWN);
}

Test(jepsen_proof, counters_prove)
{
	struct ord_edn cut = answer("{\"links\":[{\"cut\":true,\"dropped\":0},{\"cut\":true,\"dropped\":3}]}");
	struct ord_edn quiet =
		answer("{\"links\":[{\"dropped\":0}],\"disks\":[{\"slow_ms\":9,\"slowed\":2,\"failed\":0}]}");
	struct ord_edn lossy = answer("{\"links\":[{\"cut\":false,\"loss_ppm\":70000,\"dropped\":5}]}");
	cr_expect_eq(ord_proof_listed("partition", cut), ORD_STORM_SEEN);
	cr_expect_eq(ord_proof_listed("delay", cut), ORD_STORM_NONE);
	/* One counter may count what two faults do. */
	cr_expect_eq(ord_proof_listed("loss", cut), ORD_STORM_NONE);
	cr_expect_eq(ord_proof_listed("loss", lossy), ORD_STORM_SEEN);
	cr_expect_eq(ord_proof_listed("partition", lossy), ORD_STORM_NONE);
	cr_expect_eq(ord_proof_listed("ring", quiet), ORD_STORM_NONE);
	cr_expect_eq(ord_proof_listed("slow-disk", quiet), ORD_STORM_SEEN);
	cr_expect_eq(ord_proof_listed("disk-error", quiet), ORD_STORM_NONE);
	cr_expect_eq(ord_proof_listed("partition", ord_edn_nil()), ORD_STORM_UNKNOWN);
}

Test(jepsen_proof, a_node_whose_disk_failed_may_have_ended)
{
	struct ord_edn ended = answer("{\"processes\":[{\"running\":true},{\"running\":false}]}");
	cr_expect_eq(ord_proof_listed("disk-error", ended), ORD_STORM_SEEN);
	cr_expect_eq(ord_proof_listed("slow-disk", ended), ORD_STORM_NONE);
}

Test(jepsen_proof, a_node_that_sees_a_full_disk_is_proof)
{
	struct ord_edn full = answer("{\"disks\":[{\"full\":true,\"refused\":0,\"free_bytes\":0}]}");
	struct ord_edn roomy = answer("{\"disks\":[{\"full\":true,\"refused\":0,\"free_bytes\":9000000}]}");
	cr_expect_eq(ord_proof_listed("full-disk", full), ORD_STORM_SEEN);
	cr_expect_eq(ord_proof_listed("full-disk", roomy), ORD_STORM_NONE);
}

/* Node 2 is gone after a fault that was meant for the nodes; healed: it began before the last heal. */
static uint32_t gone(const char *f, const char *proof, bool healed)
{
	struct ord_storm *s = calloc(1, sizeof *s);
	s->faults[0] = (struct ord_storm_fault){.f = f, .proof = answer(proof)};
	s->faults_count = 1;
	s->healed_count = healed;
	uint32_t node = ord_proof_gone(
		s, answer("{\"processes\":[{\"node\":1,\"running\":true},{\"node\":2,\"running\":false}]}"));
	free(s);
	return node;
}

Test(jepsen_proof, a_node_that_no_fault_ended_is_told)
{
	cr_expect_eq(gone("kill", "{\"nodes\":[1,2]}", false), 0);
	cr_expect_eq(gone("kill", "{\"nodes\":[1]}", false), 2);
	cr_expect_eq(gone("pause", "{\"nodes\":[2]}", false), 2);
	/* It was started when that was healed. */
	cr_expect_eq(gone("kill", "{\"nodes\":[2]}", true), 2);
	/* Whom it was meant for is not known. */
	cr_expect_eq(gone("kill", "null", false), 0);
	/* A disk may end a node later. */
	cr_expect_eq(gone("corrupt", "{\"nodes\":[2]}", true), 0);
	cr_expect_eq(gone("corrupt", "{\"nodes\":[1]}", true), 2);
}
