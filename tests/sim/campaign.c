/* SPDX-License-Identifier: Apache-2.0 - many seeds. Each process leaves what came of it in memory that is shared with the campaign. */
#include "tests/sim/campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/commit.h"
#include "tests/sim/coverage.h"
#include "tests/sim/run.h"
#include "tests/sim/world.h"

#define JOBS_MAX 64
/* A run that takes longer than this of a processor is ended as one that does not end. */
#define RUN_CPU_S 300

struct slot {
	pid_t pid; /* 0: free */
	uint64_t seed;
	struct sim_outcome outcome;
	uint64_t coverage[SIM_COVER_COUNT];
	uint64_t cpu_us;
	uint64_t failed_at_us;
	char why[512];
};

struct slowest {
	uint64_t us;
	uint64_t seed;
};

struct tally {
	uint64_t runs_count;
	uint64_t failures_count;
	uint64_t coverage[SIM_COVER_COUNT];    /* how often in all */
	uint64_t coverage_in[SIM_COVER_COUNT]; /* in how many runs */
	uint64_t world_us;
	uint64_t cpu_us;
	uint64_t operations_count;
	uint64_t commands_count;
	uint64_t liveness_count; /* of the failures */
	struct slowest settled;
	struct slowest agreed;
};

static struct slot *slots; /* shared with the processes */
static struct slot *own;

static void on_failure(int verdict, const char *why)
{
	(void)verdict;
	own->failed_at_us = sim_now_us();
	snprintf(own->why, sizeof own->why, "%s", why);
	memcpy(own->coverage, sim_coverage(), sizeof own->coverage);
}

static uint64_t cpu_us(void)
{
	struct timespec at;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

/* The process of one seed. What it says is not kept: it can be had again by the seed. */
__attribute__((noreturn)) static void child_run(struct slot *s)
{
	struct rlimit limit = {.rlim_cur = RUN_CPU_S, .rlim_max = RUN_CPU_S};
	own = s;
	setrlimit(RLIMIT_CPU, &limit);
	int null_fd = open("/dev/null", O_WRONLY);
	dup2(null_fd, STDOUT_FILENO);
	dup2(null_fd, STDERR_FILENO);
	sim_run_on_failure(on_failure);
	sim_run(s->seed, &s->outcome);
	memcpy(s->coverage, sim_coverage(), sizeof s->coverage);
	s->cpu_us = cpu_us();
	_exit(0);
}

static void slot_start(struct slot *s, uint64_t seed)
{
	memset(s, 0, sizeof *s);
	s->seed = seed;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		child_run(s);
	if (pid < 0) {
		printf("no process can be made for a seed: give fewer jobs\n");
		exit(1);
	}
	s->pid = pid;
}

static const char *verdict_name(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? "endless" : "crash";
	return WEXITSTATUS(status) == SIM_LIVENESS ? "liveness" : "safety";
}

static void slowest_see(struct slowest *slowest, uint64_t us, uint64_t seed)
{
	if (us > slowest->us)
		*slowest = (struct slowest){.us = us, .seed = seed};
}

static void slot_end(const struct sim_campaign *c, struct tally *t, struct slot *s, int status)
{
	bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	s->pid = 0;
	t->runs_count++;
	for (unsigned i = 0; i < SIM_COVER_COUNT; i++) {
		t->coverage[i] += s->coverage[i];
		t->coverage_in[i] += s->coverage[i] > 0;
	}
	t->world_us += failed ? s->failed_at_us : s->outcome.world_us;
	t->cpu_us += s->cpu_us;
	t->operations_count += s->outcome.operations_count;
	t->commands_count += s->outcome.commands_count;
	slowest_see(&t->settled, s->outcome.settled_us, s->seed);
	slowest_see(&t->agreed, s->outcome.agreed_us, s->seed);
	if (!failed)
		return;
	t->failures_count++;
	t->liveness_count += WIFEXITED(status) && WEXITSTATUS(status) == SIM_LIVENESS;
	printf("FAIL seed=%" PRIu64 " verdict=%s sim_s=%.1f why=%s\n", s->seed, verdict_name(status),
	       (double)s->failed_at_us / 1e6, s->why);
	FILE *keep = c->keep == NULL ? NULL : fopen(c->keep, "a");
	if (c->keep != NULL && keep == NULL)
		printf("it is not kept: %s: %s\n", c->keep, strerror(errno));
	if (keep == NULL)
		return;
	fprintf(keep, "%" PRIu64 " %s %s %s\n", s->seed, sim_commit, verdict_name(status), s->why);
	fclose(keep);
}

static struct slot *slot_wait(unsigned jobs, int *ret_status)
{
	pid_t pid = wait(ret_status);
	for (unsigned i = 0; i < jobs; i++)
		if (slots[i].pid == pid && pid > 0)
			return &slots[i];
	return NULL;
}

static unsigned show_coverage(const struct tally *t)
{
	unsigned missing = 0;
	printf("\n%10s %8s  %s\n", "times", "in runs", "what happened");
	for (unsigned i = 0; i < SIM_COVER_COUNT; i++) {
		printf("%10" PRIu64 " %8" PRIu64 "  %s%s\n", t->coverage[i], t->coverage_in[i],
		       sim_cover_text((enum sim_cover)i), t->coverage[i] == 0 ? "   <-- never" : "");
		missing += t->coverage[i] == 0 && sim_cover_text((enum sim_cover)i)[0] != '(';
	}
	return missing;
}

static int show(const struct sim_campaign *c, const struct tally *t, double wall_s)
{
	int verdict = t->failures_count == 0		       ? SIM_PASS
		      : t->failures_count == t->liveness_count ? SIM_LIVENESS
							       : SIM_SAFETY;
	if (c->brief)
		return verdict;
	unsigned missing = show_coverage(t);
	printf("\n%" PRIu64 " seeds from %" PRIu64
	       " in %.1f s: %.1f hours of cluster life, %.1f minutes for each second of a core; %" PRIu64
	       " operations, %" PRIu64 " commands in logs\n",
	       t->runs_count, c->first, wall_s, (double)t->world_us / 3.6e9,
	       t->cpu_us == 0 ? 0 : (double)t->world_us / 60.0 / (double)t->cpu_us, t->operations_count,
	       t->commands_count);
	printf("after the faults everything was settled within %.1f s (seed %" PRIu64
	       "), all replicas were equal within %.1f s (seed %" PRIu64 ")\n",
	       (double)t->settled.us / 1e6, t->settled.seed, (double)t->agreed.us / 1e6, t->agreed.seed);
	if (missing > 0)
		printf("%u things never happened%s\n", missing, c->demand_all ? ": this campaign fails" : "");
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", t->runs_count - t->failures_count,
	       t->failures_count + (c->demand_all && missing > 0));
	return verdict != SIM_PASS ? verdict : c->demand_all && missing > 0;
}

int sim_campaign_run(const struct sim_campaign *c)
{
	unsigned jobs = c->jobs == 0 ? 1 : c->jobs > JOBS_MAX ? JOBS_MAX : c->jobs;
	static struct tally tally;
	memset(&tally, 0, sizeof tally);
	struct timespec began, ended;
	clock_gettime(CLOCK_MONOTONIC, &began);
	slots = mmap(NULL, jobs * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED) {
		printf("no memory for %u jobs\n", jobs);
		return 1;
	}
	uint64_t next = 0;
	unsigned running = 0;
	for (;;) {
		bool over = next == c->count || (c->until_failure && tally.failures_count > 0);
		for (unsigned i = 0; i < jobs && !over && next < c->count; i++)
			if (slots[i].pid == 0) {
				slot_start(&slots[i], c->first + next++);
				running++;
			}
		if (running == 0)
			break;
		int status;
		struct slot *s = slot_wait(jobs, &status);
		if (s == NULL)
			continue;
		running--;
		slot_end(c, &tally, s, status);
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	munmap(slots, jobs * sizeof *slots);
	return show(c, &tally, (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
}
