/* SPDX-License-Identifier: Apache-2.0 - build/sim: the whole cluster in one process, by seed. Exit status: 0 passed, 1 safety broken, 2 liveness broken, 3 wrong options. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/campaign.h"
#include "tests/sim/commit.h"
#include "tests/sim/run.h"
#include "tests/sim/world.h"

static const struct {
	uint64_t seed;
	const char *why;
} named[] = {
#define X(seed, why) {seed, why},
#include "tests/sim/seeds.def"
#undef X
	{0, NULL}, /* the end */
};

static int usage(void)
{
	fprintf(stderr,
		"usage: sim --seed S [--trace] [--steps]                    one run\n"
		"       sim --seeds FIRST:COUNT [--jobs J] [--until-failure] [--brief] [--keep FILE] [--demand-all]\n"
		"       sim --named [--jobs J]                                 seeds that failed once\n"
		"see docs/testing.md\n");
	return 3;
}

static void show_seed(uint64_t seed)
{
	printf("seed %" PRIu64 ", commit %s\n", seed, sim_commit);
}

static uint64_t failing_seed;

static void on_failure(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	printf("again: build/sim --seed %" PRIu64 " --trace\n", failing_seed);
	show_seed(failing_seed);
}

static int run_one(uint64_t seed)
{
	struct sim_outcome o;
	failing_seed = seed;
	sim_run_on_failure(on_failure);
	show_seed(seed);
	sim_run(seed, &o);
	printf("passed: %" PRIu64 ".%03" PRIu64 " s simulated in %" PRIu64 " steps, %" PRIu64 " operations, %" PRIu64
	       " commands; digest of the trace %016" PRIx64 "\n",
	       o.world_us / SIM_SECOND, o.world_us / SIM_MS % 1000, o.steps_count, o.operations_count, o.commands_count,
	       o.digest);
	show_seed(seed);
	return 0;
}

static int run_named(struct sim_campaign *c)
{
	int status = 0;
	c->count = 1;
	c->brief = true;
	size_t count = 0;
	for (size_t i = 0; named[i].why != NULL; i++) {
		count++;
		c->first = named[i].seed;
		int err = sim_campaign_run(c);
		if (err != 0)
			printf("seed %" PRIu64 ", which failed once: %s\n", named[i].seed, named[i].why);
		status |= err;
	}
	printf("%zu seeds that failed once: %s\n", count, status == 0 ? "passed" : "FAILED");
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
						{"seeds", required_argument, NULL, 'S'},
						{"jobs", required_argument, NULL, 'j'},
						{"keep", required_argument, NULL, 'k'},
						{"trace", no_argument, NULL, 't'},
						{"steps", no_argument, NULL, 'p'},
						{"until-failure", no_argument, NULL, 'u'},
						{"brief", no_argument, NULL, 'b'},
						{"demand-all", no_argument, NULL, 'd'},
						{"named", no_argument, NULL, 'n'},
						{0}};
	struct sim_campaign c = {.jobs = 1};
	bool one = false, many = false, all_named = false;
	uint64_t seed = 0;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			one = sscanf(optarg, "%" SCNu64, &seed) == 1;
			break;
		case 'S':
			many = sscanf(optarg, "%" SCNu64 ":%" SCNu64, &c.first, &c.count) == 2;
			break;
		case 'j':
			c.jobs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'k':
			c.keep = optarg;
			break;
		case 't':
			sim_trace_print(false);
			break;
		case 'p':
			sim_trace_print(true);
			break;
		case 'u':
			c.until_failure = true;
			break;
		case 'b':
			c.brief = true;
			break;
		case 'd':
			c.demand_all = true;
			break;
		case 'n':
			all_named = true;
			break;
		default:
			return usage();
		}
	}
	if (one + many + all_named != 1 || optind < argc)
		return usage();
	if (one)
		return run_one(seed);
	return many ? sim_campaign_run(&c) : run_named(&c);
}
