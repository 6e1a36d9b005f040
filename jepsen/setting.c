/* SPDX-License-Identifier: Apache-2.0 - the flags that run and campaign share, and what they make of them. */
#include "jepsen/setting.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "jepsen/clock.h"
#include "jepsen/history.h"

#define NAMES_SIZE 512

const char *ord_setting_workloads(void)
{
	static char names[NAMES_SIZE];
	names[0] = '\0';
	for (const struct ord_workload *const *w = ord_workloads; *w != NULL; w++) {
		strncat(names, w == ord_workloads ? "" : " ", sizeof names - strlen(names) - 1);
		strncat(names, (*w)->name, sizeof names - strlen(names) - 1);
	}
	return names;
}

const char *ord_setting_nemeses(void)
{
	static char names[NAMES_SIZE];
	names[0] = '\0';
	for (const struct ord_nemesis *const *n = ord_nemeses; *n != NULL; n++) {
		strncat(names, n == ord_nemeses ? "" : " ", sizeof names - strlen(names) - 1);
		strncat(names, (*n)->name, sizeof names - strlen(names) - 1);
	}
	return names;
}

/* Beside this program; when nobody knows where that is, in PATH. */
static void beside_find(struct ord_setting *s)
{
	ssize_t len = readlink("/proc/self/exe", s->beside, sizeof s->beside - 16);
	s->beside[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(s->beside, '/');
	snprintf(slash != NULL ? slash + 1 : s->beside, 16, "ordain");
}

static void command_note(struct ord_setting *s, int argc, char **argv)
{
	size_t used = 0;
	for (int i = 0; i < argc && used < sizeof s->command; i++) {
		const char *slash = i == 0 ? strrchr(argv[0], '/') : NULL;
		used += (size_t)snprintf(s->command + used, sizeof s->command - used, "%s%s", i > 0 ? " " : "",
					 slash != NULL ? slash + 1 : argv[i]);
	}
}

static void flags_add(struct ord_setting *s, const struct ord_flags_one *flags, size_t count)
{
	ORD_ASSERT(s->flags_count + count <= ORD_SETTING_FLAGS);
	memcpy(s->flags + s->flags_count, flags, count * sizeof *flags);
	s->flags_count += count;
}

static void cluster_flags(struct ord_setting *s)
{
	const struct ord_flags_one flags[] = {
		{.name = "nodes",
		 .value = "N",
		 .number = &s->nodes,
		 .min = 1,
		 .max = ORD_NODES_MAX,
		 .help = "node processes"},
		{.name = "partitions",
		 .value = "N",
		 .number = &s->partitions,
		 .min = 1,
		 .max = ORD_PARTITIONS_MAX,
		 .help = "partitions of the cluster"},
		{.name = "concurrency",
		 .value = "N",
		 .number = &s->concurrency,
		 .min = 1,
		 .max = ORD_JEPSEN_THREADS_MAX,
		 .help = "clients at once"},
		{.name = "rate",
		 .value = "R",
		 .number = &s->rate,
		 .min = 0,
		 .max = 100000,
		 .help = "operations a second of all clients together; 0: as fast as they go"},
		{.name = "timeout-ms",
		 .value = "MS",
		 .number = &s->timeout_ms,
		 .min = 50,
		 .max = 60000,
		 .help = "of one operation: then its outcome is unknown"},
		{.name = "seed",
		 .value = "S",
		 .number = &s->seed,
		 .min = 0,
		 .max = INT64_MAX,
		 .help = "of everything that is chosen"},
	};
	flags_add(s, flags, sizeof flags / sizeof *flags);
}

static void fault_flags(struct ord_setting *s)
{
	const struct ord_flags_one flags[] = {
		{.name = "interval-ms",
		 .value = "MS",
		 .number = &s->interval_ms,
		 .min = 100,
		 .max = 3600000,
		 .help = "between faults, and how long they last, on average"},
		{.name = "intensity",
		 .value = "N",
		 .number = &s->intensity,
		 .min = 1,
		 .max = 8,
		 .help = "faults at once"},
		{.name = "patience-seconds",
		 .value = "N",
		 .number = &s->patience_s,
		 .min = 1,
		 .max = 3600,
		 .help = "for a healed cluster to become whole, and for answers at the end"},
		{.name = "outage-ms-max",
		 .value = "MS",
		 .number = &s->outage_ms_max,
		 .min = 0,
		 .max = 3600000,
		 .help = "a longer time without any answer is invalid; 0: any is allowed"},
		{.name = "check-seconds",
		 .value = "N",
		 .number = &s->check_seconds,
		 .min = 1,
		 .max = 36000,
		 .help = "for a checker that searches: then it says unknown"},
		{.name = "store", .value = "DIR", .text = &s->store, .help = "where runs are kept"},
		{.name = "ordain",
		 .value = "PROGRAM",
		 .text = &s->ordain,
		 .help = "the command line that drives the cluster"},
		{.name = "ordaind",
		 .value = "PROGRAM",
		 .text = &s->ordaind,
		 .help = "the node program, when not the one beside ordain"},
		{.name = "netns",
		 .on = &s->netns,
		 .help = "each node in a network namespace of its own, real faults; needs root"},
		{.name = "keep", .on = &s->keep, .help = "keep the cluster's directory also when all is valid"},
	};
	flags_add(s, flags, sizeof flags / sizeof *flags);
}

void ord_setting_init(struct ord_setting *s, int argc, char **argv)
{
	*s = (struct ord_setting){.store = "store",
				  .seed = (int64_t)(ord_clock_unix_ms() % 1000000),
				  .concurrency = 10,
				  .rate = 200,
				  .timeout_ms = 1000,
				  .nodes = 5,
				  .partitions = 8,
				  .interval_ms = 5000,
				  .intensity = 1,
				  .patience_s = 60,
				  .check_seconds = 60};
	beside_find(s);
	command_note(s, argc, argv);
	s->ordain = s->beside;
	cluster_flags(s);
	fault_flags(s);
}

static int nemeses_find(const char *names, struct ord_run_options *ret, char why[ORD_SETTING_WHY_SIZE])
{
	char name[64];
	for (const char *at = names; *at != '\0';) {
		size_t len = strcspn(at, ",");
		snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), at);
		const struct ord_nemesis *n = ord_nemesis_find(name);
		if (n == NULL || ret->nemeses_count == ORD_NEMESES_MAX) {
			snprintf(why, ORD_SETTING_WHY_SIZE,
				 n == NULL ? "--nemesis: there is no '%s'; there are: %s"
					   : "--nemesis: '%s' is one too many; there are: %s",
				 name, ord_setting_nemeses());
			return ORD_ERR_INVALID;
		}
		ret->nemeses[ret->nemeses_count++] = n;
		at += len + (at[len] == ',');
	}
	return ORD_OK;
}

int ord_setting_options(const struct ord_setting *s, const char *workload, const char *nemeses, int64_t seconds,
			struct ord_run_options *ret, char why[ORD_SETTING_WHY_SIZE])
{
	struct ord_run_options o = {
		.program = s->ordain,
		.ordaind = s->ordaind,
		.store = s->store,
		.command = s->command,
		.workload = ord_workload_find(workload),
		.nemesis_words = nemeses,
		.seed = (uint64_t)s->seed,
		.seconds = (uint32_t)seconds,
		.concurrency = (uint32_t)s->concurrency,
		.rate = (uint32_t)s->rate,
		.timeout_ms = (uint32_t)s->timeout_ms,
		.nodes_count = (uint32_t)s->nodes,
		.partitions_count = (uint32_t)s->partitions,
		.interval_ms = (uint32_t)s->interval_ms,
		.intensity = (uint32_t)s->intensity,
		.patience_s = (uint32_t)s->patience_s,
		.outage_ms_max = (uint32_t)s->outage_ms_max,
		.check_ms = (uint32_t)s->check_seconds * 1000,
		.netns = s->netns,
		.keep = s->keep,
	};
	if (o.workload == NULL) {
		snprintf(why, ORD_SETTING_WHY_SIZE, "--workload: there is no '%s'; there are: %s", workload,
			 ord_setting_workloads());
		return ORD_ERR_INVALID;
	}
	int err = nemeses_find(nemeses, &o, why);
	if (err == ORD_OK && s->nodes < 3 && strcmp(nemeses, "none") != 0) {
		snprintf(why, ORD_SETTING_WHY_SIZE,
			 "--nodes: a cluster of %" PRId64 " survives no fault; give 3 or more, or --nemesis none",
			 s->nodes);
		err = ORD_ERR_INVALID;
	}
	if (err == ORD_OK)
		*ret = o;
	return err;
}
