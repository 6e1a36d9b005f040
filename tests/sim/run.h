/* SPDX-License-Identifier: Apache-2.0 - one run: a seed from its first event to its verdict. */
#ifndef ORD_TESTS_SIM_RUN_H
#define ORD_TESTS_SIM_RUN_H

#include <stdint.h>

struct sim_outcome {
	uint64_t world_us; /* simulated time */
	uint64_t steps_count;
	uint64_t digest;     /* of the trace */
	uint64_t settled_us; /* from the end of faults on a majority until all was settled and known */
	uint64_t agreed_us;  /* from the end of all faults until all replicas were equal */
	uint64_t operations_count;
	uint64_t commands_count; /* in all logs */
};

/* Runs the seed; comes back when it passed, else the process ends (sim_fail). */
void sim_run(uint64_t seed, struct sim_outcome *ret);

/* From now on nodes have so many shards, whatever the seed says, or as many as there are partitions; 0: as it says. */
void sim_run_with_shards(uint32_t count);

/* Called by sim_fail and by an assertion of the program, before the process ends. why is one line. */
void sim_run_on_failure(void (*fn)(int verdict, const char *why));

#endif
