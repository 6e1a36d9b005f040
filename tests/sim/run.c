/* SPDX-License-Identifier: Apache-2.0 - one run.
 *
 *   safety phase     faults come and go, clients ask; everything that is applied or told is checked at once
 *   liveness phase   a majority is well: everything that was accepted must get its outcome, everybody must learn it
 *   agreement        all nodes are well: all replicas must come to the same state
 */
#include "tests/sim/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/archive.h"
#include "tests/sim/coverage.h"
#include "tests/sim/loop.h"
#include "tests/sim/nemesis.h"
#include "tests/sim/observe.h"
#include "tests/sim/promise.h"
#include "tests/sim/record.h"
#include "tests/sim/states.h"
#include "tests/sim/watch.h"
#include "tests/sim/world.h"

/* Long enough for every timeout, wait and backoff of nodes and clients, several times over. */
#define LIVENESS_US (120u * SIM_SECOND)
#define AGREEMENT_US (60u * SIM_SECOND)
#define CHECK_US (10u * SIM_SECOND)
#define LOOK_US (200u * SIM_MS)
#define WHY_SIZE 512
/* Events without any time passing are a loop that never ends. */
#define STEPS_AT_ONCE_MAX 2000000

static void (*on_failure)(int verdict, const char *why);

void sim_run_on_failure(void (*fn)(int verdict, const char *why))
{
	on_failure = fn;
}

static void failure_tell(int verdict, const char *kind, const char *why)
{
	sim_trace_show_last();
	sim_watch_show();
	sim_net_show();
	printf("%s at %llu.%06llu s, step %llu: %s\n", kind, (unsigned long long)(sim_now_us() / SIM_SECOND),
	       (unsigned long long)(sim_now_us() % SIM_SECOND), (unsigned long long)sim_steps_count(), why);
	if (on_failure != NULL)
		on_failure(verdict, why);
	fflush(stdout);
}

void sim_fail(enum sim_verdict verdict, const char *format, ...)
{
	static bool failing;
	char why[WHY_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	if (!failing) {
		failing = true;
		failure_tell(verdict, verdict == SIM_LIVENESS ? "LIVENESS" : "SAFETY", why);
	}
	_exit((int)verdict);
}

/* How an assertion of the program ends (base/assert.h). The linker leads the call here. */
__attribute__((noreturn)) void __wrap_abort(void);

void __wrap_abort(void)
{
	failure_tell(SIM_SAFETY, "CRASH", "an assertion failed, see above");
	_exit(SIM_SAFETY);
}

static void world_run(uint64_t until_us)
{
	uint64_t at_us = sim_now_us();
	unsigned at_once = 0;
	while (sim_world_step(until_us)) {
		at_once = sim_now_us() == at_us ? at_once + 1 : 0;
		at_us = sim_now_us();
		if (at_once > STEPS_AT_ONCE_MAX)
			sim_fail(SIM_LIVENESS, "a loop that never ends: time stands still");
	}
}

static void safety_phase(const struct sim_swarm *swarm)
{
	uint64_t end_us = sim_now_us() + swarm->safety_us;
	while (sim_now_us() < end_us) {
		uint64_t next_us = sim_now_us() + CHECK_US;
		world_run(next_us < end_us ? next_us : end_us);
		sim_record_check();
		sim_archive_watch();
	}
}

/* Requests whose outcome is known. */
static uint64_t known_count(void)
{
	uint64_t operations;
	uint64_t known;
	sim_work_counts(&operations, &known);
	return known;
}

/* Until nothing is open any more. One client that asks a few things at a time over a slow network needs longer than `within_us` for thousands of them: it is enough that more becomes known. */
static void wait_for(bool (*done)(char *why, size_t why_size), uint64_t within_us, const char *what)
{
	char why[WHY_SIZE] = "";
	uint64_t known = known_count();
	uint64_t end_us = sim_now_us() + within_us;
	while (!done(why, sizeof why)) {
		if (known_count() > known)
			end_us = sim_now_us() + within_us;
		known = known_count();
		if (sim_now_us() >= end_us)
			sim_fail(SIM_LIVENESS, "%s after %llu s: %s", what,
				 (unsigned long long)(within_us / SIM_SECOND), why);
		world_run(sim_now_us() + LOOK_US);
	}
}

static bool is_whole(char *why, size_t why_size)
{
	snprintf(why, why_size,
		 "some node is not a voter of every partition or lacks history, or some partition is not led");
	return sim_nemesis_is_whole();
}

/* Of all nodes; some have to be looked up. */
static const char *addresses(uint32_t nodes_count)
{
	static char text[SIM_NODES_MAX * 16];
	int len = 0;
	for (uint32_t i = 1; i <= nodes_count; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, i % 2 == 1 ? "%s10.0.0.%u:%u" : "%snode%u:%u",
				i == 1 ? "" : ",", i, SIM_CLIENT_PORT);
	return text;
}

static uint32_t shards_wanted; /* 0: drawn */

void sim_run_with_shards(uint32_t count)
{
	shards_wanted = count;
}

void sim_run(uint64_t seed, struct sim_outcome *ret)
{
	static struct sim_swarm swarm;
	sim_world_open(seed);
	sim_swarm_draw(&swarm, seed, shards_wanted);
	sim_swarm_show(&swarm);
	sim_net_open();
	sim_promise_open();
	*sim_net_habits() = swarm.net;
	sim_record_open(swarm.node.partitions_count, swarm.node.nodes_count);
	sim_states_open(swarm.node.nodes_count, swarm.node.partitions_count);
	sim_nodes_open(&swarm.node);
	for (uint32_t i = 1; i <= swarm.node.nodes_count; i++)
		*sim_disk_habits(sim_node_process(i)->disk) = swarm.disk;
	swarm.work.addresses = addresses(swarm.node.nodes_count);
	swarm.work.lasts_us = swarm.safety_us;
	if (swarm.fault_pause_us == 0)
		sim_observe_promptly();
	sim_work_open(&swarm.work);
	sim_work_start();
	sim_watch_start(&swarm);
	sim_nemesis_start(&swarm);
	safety_phase(&swarm);
	sim_trace("a majority is well from now on", 0, 0, 0, 0);
	sim_nemesis_spare_majority();
	sim_work_finish();
	uint64_t spared_us = sim_now_us();
	wait_for(sim_work_is_finished, LIVENESS_US, "clients do not know all outcomes");
	wait_for(sim_record_is_settled, LIVENESS_US, "not everything is settled");
	sim_trace("all nodes are well from now on", 0, 0, 0, 0);
	uint64_t settled_us = sim_now_us() - spared_us;
	sim_nemesis_spare_all();
	spared_us = sim_now_us();
	wait_for(sim_watch_all_equal, AGREEMENT_US, "replicas are not equal");
	wait_for(is_whole, AGREEMENT_US, "the cluster is not whole");
	uint64_t agreed_us = sim_now_us() - spared_us;
	wait_for(sim_archive_is_whole, LIVENESS_US, "histories are not whole");
	wait_for(sim_states_are_sound, LIVENESS_US, "states are damaged");
	sim_record_check();
	sim_archive_check(swarm.node.nodes_count, swarm.node.partitions_count);
	/* No harm is done by it, but a leader takes messages in their order, and knows what its log has. */
	if (sim_coverage()[SIM_COVER_DELIVER_GAP] > 0 || sim_coverage()[SIM_COVER_DELIVER_DUPLICATE] > 0)
		sim_fail(SIM_SAFETY, "a leader put a delivery into its log that could not be applied");
	*ret = (struct sim_outcome){.world_us = sim_now_us(),
				    .steps_count = sim_steps_count(),
				    .digest = sim_trace_digest(),
				    .settled_us = settled_us,
				    .agreed_us = agreed_us};
	uint64_t known;
	sim_work_counts(&ret->operations_count, &known);
	for (uint32_t i = 0; i < swarm.node.partitions_count; i++)
		ret->commands_count += sim_record_position(i);
	sim_work_close();
	sim_nodes_close();
	sim_states_close();
	sim_record_close();
	sim_net_close();
	sim_promise_close();
	sim_loops_free();
	sim_world_close();
}
