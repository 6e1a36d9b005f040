/* SPDX-License-Identifier: Apache-2.0 - every workload under every nemesis, one run after the other, and a table of what came of each. */
#include "jepsen/campaign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "jepsen/clock.h"

#define NAMES_MAX 32
#define NAME_BYTES 64
#define AROUND_SECONDS 8 /* what a run takes besides its load: start, healing, reads, checks */
#define LOAD_SECONDS_MIN 5
#define LOAD_SECONDS_MAX 86400
#define FAULTS_PER_RUN 6 /* rounds of faults and calm that a short run shall have room for */
#define ALL_INTENSITY 2	 /* "all" means more than one at once */

struct names {
	char list[NAMES_MAX][NAME_BYTES];
	uint32_t count;
};

/* False: there is none, or there are too many. */
static bool names_split(const char *words, struct names *ret)
{
	const char *at = words;
	ret->count = 0;
	while (*at != '\0' && ret->count < NAMES_MAX) {
		size_t len = strcspn(at, ",");
		snprintf(ret->list[ret->count++], NAME_BYTES, "%.*s", (int)(len < NAME_BYTES ? len : NAME_BYTES - 1),
			 at);
		at += len + (at[len] == ',');
	}
	return ret->count > 0 && *at == '\0';
}

static uint32_t load_seconds(const struct ord_campaign_options *o, uint32_t cells_count)
{
	uint32_t share = o->minutes * 60 / cells_count;
	uint32_t seconds = share > AROUND_SECONDS + LOAD_SECONDS_MIN ? share - AROUND_SECONDS : LOAD_SECONDS_MIN;
	return seconds < LOAD_SECONDS_MAX ? seconds : LOAD_SECONDS_MAX;
}

/* The options of one cell. */
static int cell_options(const struct ord_setting *setting, const char *workload, const char *nemesis, uint32_t seconds,
			struct ord_run_options *ret, char why[ORD_SETTING_WHY_SIZE])
{
	int err = ord_setting_options(setting, workload, nemesis, seconds, ret, why);
	if (err != ORD_OK)
		return err;
	if (ret->interval_ms > seconds * 1000 / FAULTS_PER_RUN)
		ret->interval_ms = seconds * 1000 / FAULTS_PER_RUN;
	if (strcmp(nemesis, "all") == 0 && ret->intensity < ALL_INTENSITY)
		ret->intensity = ALL_INTENSITY;
	return ORD_OK;
}

static void row_print(const struct ord_run_options *o, const struct ord_run_summary *s)
{
	printf("%-12s %-16s %8" PRIu64 "  %-8s %8" PRIu32 " %5" PRIu32 ".%" PRIu32 " %10" PRIu64 " %7" PRIu32
	       " %7" PRIu32 "  %s\n",
	       o->workload->name, o->nemesis_words, o->seed, ord_validity_name(s->validity), s->ops_count,
	       s->ok_per_mille / 10, s->ok_per_mille % 10, s->outage_us / 1000, s->faults_count, s->faults_unseen,
	       s->dir);
	if (s->words[0] != '\0')
		printf("             %s\n", s->words);
	fflush(stdout);
}

static enum ord_validity cell_run(struct ord_run_options *o)
{
	struct ord_run_summary summary;
	char why[ORD_SUBJECT_WHY_SIZE];
	int err = ord_run(o, &summary, why);
	if (err == ORD_OK) {
		row_print(o, &summary);
		return summary.validity;
	}
	printf("%-12s %-16s %8" PRIu64 "  not run: %s\n", o->workload->name, o->nemesis_words, o->seed, why);
	fflush(stdout);
	return ORD_UNKNOWN;
}

int ord_campaign_run(const struct ord_setting *setting, const struct ord_campaign_options *options,
		     enum ord_validity *ret, char why[ORD_SETTING_WHY_SIZE])
{
	struct names workloads, nemeses;
	struct ord_run_options cell;
	enum ord_validity worst = ORD_VALID;
	if (!names_split(options->workloads, &workloads) || !names_split(options->nemeses, &nemeses)) {
		snprintf(why, ORD_SETTING_WHY_SIZE, "--workloads and --nemeses: name at least one of each, at most %d",
			 NAMES_MAX);
		return ORD_ERR_INVALID;
	}
	uint32_t count = workloads.count * nemeses.count;
	for (uint32_t i = 0; i < count; i++) {
		int err = cell_options(setting, workloads.list[i / nemeses.count], nemeses.list[i % nemeses.count], 60,
				       &cell, why);
		if (err != ORD_OK)
			return err;
	}
	printf("%-12s %-16s %8s  %-8s %8s %7s %10s %7s %7s\n", "workload", "nemesis", "seed", "verdict", "ops", "ok %",
	       "outage ms", "faults", "unseen");
	for (uint32_t i = 0; i < count; i++) {
		enum ord_validity validity = ORD_UNKNOWN; /* who is told to end does not know of the rest */
		int err = cell_options(setting, workloads.list[i / nemeses.count], nemeses.list[i % nemeses.count],
				       load_seconds(options, count), &cell, why);
		if (err != ORD_OK)
			return err;
		cell.seed += i;
		if (ord_clock_stopped() == 0)
			validity = cell_run(&cell);
		worst = validity > worst ? validity : worst;
	}
	*ret = worst;
	return ORD_OK;
}
