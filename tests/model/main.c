/* SPDX-License-Identifier: Apache-2.0 - the naive model as oracle over random histories.
 *
 * model                                the named seeds of seeds.def, then --seeds fresh ones from --seed on
 * model --seed S --steps N [--seeds K] those seeds only: S .. S + K - 1
 * Prints each seed before it runs; the last line is "N passed, N failed". Exit status 1 when one failed, 2 for wrong usage. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/model/run.h"

struct options {
	uint64_t seed;
	uint64_t seeds_count;
	uint64_t steps;
	uint64_t seconds; /* of processor time; no new seed begins after that; 0 for no limit */
	bool named;	  /* run seeds.def first */
	bool trace;
};

struct tally {
	struct coverage coverage;
	unsigned passed;
	unsigned failed;
};

static const struct {
	const char *what;
	uint64_t seed;
	unsigned steps;
} named_seeds[] = {
#define X(what, seed, steps) {what, seed, steps},
#include "tests/model/seeds.def"
#undef X
};

static void run_one(const struct options *o, uint64_t seed, unsigned steps, struct tally *tally)
{
	struct run_options options = {.seed = seed, .steps = steps, .trace = o->trace, .coverage = &tally->coverage};

	printf("seed %" PRIu64 ", %u steps\n", seed, steps);
	fflush(stdout);
	if (run_seed(&options))
		tally->passed++;
	else
		tally->failed++;
}

/* Time of this process alone: a busy machine runs as many seeds as an idle one. */
static uint64_t used_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec;
}

/* False when time was over before all seeds had run. */
static bool run_all(const struct options *o, struct tally *tally)
{
	uint64_t begin_s = used_s();

	for (size_t i = 0; o->named && i < sizeof named_seeds / sizeof *named_seeds; i++) {
		printf("%s: ", named_seeds[i].what);
		run_one(o, named_seeds[i].seed, named_seeds[i].steps, tally);
	}
	for (uint64_t i = 0; i < o->seeds_count; i++) {
		if (o->seconds > 0 && used_s() - begin_s >= o->seconds) {
			printf("%" PRIu64 " seconds are over: %" PRIu64 " of %" PRIu64 " seeds have run\n", o->seconds,
			       i, o->seeds_count);
			return false;
		}
		run_one(o, o->seed + i, (unsigned)o->steps, tally);
	}
	return true;
}

static bool number_of(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static bool parse(int argc, char **argv, struct options *ret)
{
	static const struct option names[] = {
		{"seed", required_argument, NULL, 's'},	   {"seeds", required_argument, NULL, 'k'},
		{"steps", required_argument, NULL, 'n'},   {"trace", no_argument, NULL, 't'},
		{"seconds", required_argument, NULL, 'l'}, {NULL, 0, NULL, 0},
	};
	bool many = false;
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 's' && number_of(optarg, &ret->seed))
			ret->named = false;
		else if (option == 'k' && number_of(optarg, &ret->seeds_count))
			many = true;
		else if (option == 't')
			ret->trace = true;
		else if (!(option == 'n' && number_of(optarg, &ret->steps) && ret->steps <= 1000000) &&
			 !(option == 'l' && number_of(optarg, &ret->seconds)))
			return false;
	}
	if (!ret->named && !many)
		ret->seeds_count = 1;
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .seeds_count = 300, .steps = 150, .seconds = 20, .named = true};
	struct tally tally = {.passed = 0};
	bool complete, covered;

	if (!parse(argc, argv, &options)) {
		fprintf(stderr, "usage: model [--seed S] [--seeds K] [--steps N] [--seconds LIMIT] [--trace]\n"
				"all values are whole numbers from 0 up; --steps at most 1000000\n");
		return 2;
	}
	complete = run_all(&options, &tally);
	covered = coverage_show(&tally.coverage, stdout);
	if (options.named && complete && !covered) {
		printf("the histories leave out what has 0 above: they prove nothing about it\n");
		tally.failed++;
	}
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed == 0 ? 0 : 1;
}
