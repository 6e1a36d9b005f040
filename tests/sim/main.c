/* SPDX-License-Identifier: Apache-2.0 - build/sim: the whole cluster in one process, by seed. Exit status: 0 passed, 1 safety broken, 2 liveness broken, 3 wrong options. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/campaign.h"
#include "tests/sim/commit.h"
#include "tests/sim/run.h"
#include "tests/sim/world.h"

static const struct {
	uint64_t seed;
	const char *why;
} named[] = {
#define X(seed, shards, mutant, why) {seed, why},
#include "tests/sim/seeds.def"
#undef X
	{0, NULL}, /* the end */
};

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: sim --seed S [--trace] [--steps]    one run; all that happens, and each event of the "
		     "world, too\n"
		     "       sim --seeds FIRST:COUNT [OPTION]...  a campaign\n"
		     "       sim --named                          the seeds that failed once\n"
		     "  --jobs J          so many runs at a time (1)\n"
		     "  --keep FILE       adds a line to FILE for each seed that fails\n"
		     "  --until-failure   the first that fails ends it\n"
		     "  --shards N        nodes of so many shards, 1 to 3, whatever the seed says\n"
		     "  --brief           prints failures only\n"
		     "  --demand-all      fails when something in coverage.def never happened\n"
		     "exit status: 0 passed, 1 a promise was broken, 2 something that had to happen did not, 3 wrong "
		     "options; see docs/testing.md\n");
	return status;
}

static void show_seed(uint64_t seed)
{
	printf("seed %" PRIu64 ", commit %s\n", seed, sim_commit);
}

static uint64_t failing_seed;
static char shards_text[16]; /* the option, when it was given */
static const char *program;

static void on_failure(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	printf("again: %s --seed %" PRIu64 "%s --trace\n", program, failing_seed, shards_text);
	show_seed(failing_seed);
}

static char crash_text[256];

/* Then it crashes as it would have. */
static void on_crash(int signal)
{
	(void)signal;
	ssize_t written = write(STDOUT_FILENO, crash_text, strlen(crash_text));
	(void)written;
}

/* A sanitizer says more. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

static void watch_for_crashes(uint64_t seed)
{
	static char stack[64u << 10];
	stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND)};
	snprintf(crash_text, sizeof crash_text,
		 "the program crashed\nagain: %s --seed %" PRIu64 "%s --trace\nseed %" PRIu64 ", commit %s\n", program,
		 seed, shards_text, seed, sim_commit);
	if (IS_SANITIZED || sigaltstack(&other, NULL) != 0)
		return;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
}

static int run_one(uint64_t seed)
{
	struct sim_outcome o;
	failing_seed = seed;
	watch_for_crashes(seed);
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
	if (count == 0)
		printf("there is none in tests/sim/seeds.def: something is wrong\n");
	return count == 0 ? 1 : status;
}

/* A number, up to a separator or the end. */
static bool number_parse(const char *text, char separator, uint64_t *ret, const char **ret_rest)
{
	char *end;
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	*ret_rest = end + 1;
	return *end == separator && errno == 0;
}

struct options {
	bool one;
	bool many;
	bool named;
	bool trace;
	bool steps;
	bool help;
	uint64_t seed;
	struct sim_campaign campaign;
};

static bool option_take(int option, const char *value, struct options *o)
{
	const char *rest;
	uint64_t jobs;
	switch (option) {
	case 's':
		return o->one = number_parse(value, '\0', &o->seed, &rest);
	case 'S':
		o->many = number_parse(value, ':', &o->campaign.first, &rest) &&
			  number_parse(rest, '\0', &o->campaign.count, &rest) && o->campaign.count > 0;
		return o->many;
	case 'j':
		if (!number_parse(value, '\0', &jobs, &rest) || jobs == 0)
			return false;
		o->campaign.jobs = (unsigned)jobs;
		return true;
	case 'k':
		o->campaign.keep = value;
		return true;
	case 't':
		return o->trace = true;
	case 'p':
		return o->steps = true;
	case 'u':
		return o->campaign.until_failure = true;
	case 'b':
		return o->campaign.brief = true;
	case 'd':
		return o->campaign.demand_all = true;
	case 'n':
		return o->named = true;
	case 'g':
		sim_run_with_shards((uint32_t)(value[0] - '0'));
		snprintf(shards_text, sizeof shards_text, " --shards %.1s", value);
		return value[0] >= '1' && value[0] <= '3' && value[1] == '\0';
	case 'h':
		return o->help = true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option known[] = {{"seed", required_argument, NULL, 's'},
					      {"seeds", required_argument, NULL, 'S'},
					      {"jobs", required_argument, NULL, 'j'},
					      {"keep", required_argument, NULL, 'k'},
					      {"trace", no_argument, NULL, 't'},
					      {"steps", no_argument, NULL, 'p'},
					      {"until-failure", no_argument, NULL, 'u'},
					      {"brief", no_argument, NULL, 'b'},
					      {"demand-all", no_argument, NULL, 'd'},
					      {"named", no_argument, NULL, 'n'},
					      {"shards", required_argument, NULL, 'g'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	struct options o = {.campaign = {.jobs = 1}};
	int option;
	program = argv[0];
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (!option_take(option, optarg, &o)) {
			if (option != '?' && optarg != NULL)
				fprintf(stderr, "sim: \"%s\" is not what that option takes\n", optarg);
			return usage(stderr, 3);
		}
	if (o.help)
		return usage(stdout, 0);
	if (o.one + o.many + o.named != 1 || optind < argc) {
		if (optind < argc)
			fprintf(stderr, "sim: what is \"%s\"?\n", argv[optind]);
		else
			fprintf(stderr, "sim: one of --seed, --seeds and --named is needed\n");
		return usage(stderr, 3);
	}
	if (o.trace || o.steps)
		sim_trace_print(o.steps);
	if (o.one)
		return run_one(o.seed);
	return o.many ? sim_campaign_run(&o.campaign) : run_named(&o.campaign);
}
