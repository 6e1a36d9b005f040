/* SPDX-License-Identifier: Apache-2.0 - one run: a cluster, clients, faults, a history, verdicts, and a directory with all of it. */
#include "jepsen/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "jepsen/clock.h"
#include "jepsen/crowd.h"
#include "jepsen/judge.h"
#include "jepsen/plot.h"
#include "jepsen/results.h"
#include "jepsen/shelf.h"
#include "jepsen/storm.h"
#include "jepsen/timeline.h"

#define RESULTS_BYTES_MAX (512u << 20)

struct run {
	const struct ord_run_options *options;
	struct ord_subject subject;
	struct ord_diary diary;
	struct ord_crowd crowd;
	struct ord_storm *storm;    /* owned */
	struct ord_verdict cluster; /* what was seen of the cluster itself */
	bool started;
	bool stopped;
	bool left; /* it could not be stopped: its directory is what it can be stopped by */
	char *why;
};

static void say(const char *what)
{
	fprintf(stderr, "%s\n", what);
}

static void storm_prepare(struct run *r)
{
	const struct ord_run_options *o = r->options;
	struct ord_random random;
	ord_random_init(&random, o->seed, UINT64_MAX - 2);
	struct ord_storm_options options = {
		.nemeses_count = o->nemeses_count,
		.interval_ms = o->interval_ms,
		.intensity = o->intensity,
		.seed = o->seed,
		.shape = {.nodes_count = o->nodes_count,
			  .partitions_count = o->partitions_count,
			  .victim = 1 + (uint32_t)ord_random_below(&random, o->nodes_count)},
	};
	memcpy(options.nemeses, o->nemeses, sizeof options.nemeses);
	ord_storm_init(r->storm, &options, &r->subject, &r->diary);
}

static bool any_fault(const struct ord_run_options *o)
{
	for (uint32_t i = 0; i < o->nemeses_count; i++) {
		if (o->nemeses[i]->plan != NULL)
			return true;
	}
	return false;
}

static bool any_hook(const struct ord_run_options *o)
{
	for (uint32_t i = 0; i < o->nemeses_count; i++) {
		if (o->nemeses[i]->hooks)
			return true;
	}
	return false;
}

/* A directory for the cluster, and the cluster in it. */
static int cluster_begin(struct run *r)
{
	const struct ord_run_options *o = r->options;
	const char *tmp = getenv("TMPDIR");
	r->subject = (struct ord_subject){.program = o->program,
					  .ordaind = o->ordaind,
					  .nodes_count = o->nodes_count,
					  .partitions_count = o->partitions_count,
					  .netns = o->netns,
					  .hooks = any_hook(o)};
	snprintf(r->subject.dir, sizeof r->subject.dir, "%s/ordain-jepsen.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(r->subject.dir) == NULL) {
		snprintf(r->why, ORD_SUBJECT_WHY_SIZE, "%.512s: no directory can be made there; set TMPDIR",
			 r->subject.dir);
		r->subject.dir[0] = '\0';
		return ORD_ERR_IO;
	}
	r->started = true; /* some nodes may run even if it fails */
	return ord_subject_start(&r->subject, r->why);
}

static int workload_begin(struct run *r)
{
	const struct ord_run_options *o = r->options;
	struct ord_crowd_options options = {.threads_count = o->concurrency,
					    .rate = o->rate,
					    .timeout_ms = o->timeout_ms,
					    .patience_s = o->patience_s,
					    .seed = o->seed};
	struct ord_workload_shape shape = {.threads_count = o->concurrency,
					   .nodes_count = o->nodes_count,
					   .partitions_count = o->partitions_count,
					   .ops_expected = (uint64_t)o->rate * o->seconds};
	int err = ord_crowd_open(&r->crowd, &options, o->workload, &shape, &r->subject, &r->diary);
	return err == ORD_OK ? ord_crowd_setup(&r->crowd, r->why) : err;
}

/* What the storm saw besides: nodes that ended of themselves, and whether there was anything to withstand. */
static void storm_look(struct run *r)
{
	const struct ord_storm *s = r->storm;
	uint32_t seen = 0;
	for (uint32_t i = 0; i < s->faults_count; i++)
		seen += s->faults[i].effect == ORD_STORM_SEEN;
	if (s->gone_node != 0)
		ord_verdict_add(&r->cluster, ORD_INVALID, "gone", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"node %" PRIu32 " was gone at %" PRIu64 " ms, and no fault had ended it", s->gone_node,
				s->gone_ns / 1000000);
	if (seen == 0)
		ord_verdict_add(&r->cluster, ORD_UNKNOWN, "no-fault", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"of %" PRIu32
				" faults none was seen to have an effect: there was nothing to withstand; "
				"give more --time-limit or less --interval-ms",
				s->faults_count);
}

/* The workload under faults; at the end nothing is in force any more. */
static int workload_run(struct run *r)
{
	const struct ord_run_options *o = r->options;
	bool faults = any_fault(o);
	int err = faults ? ord_storm_start(r->storm, o->seconds) : ORD_OK;
	if (err != ORD_OK)
		return err;
	err = ord_crowd_work(&r->crowd, o->seconds);
	if (!faults)
		return err;
	ord_storm_join(r->storm);
	if (ord_storm_heal(r->storm, r->why) != ORD_OK)
		ord_verdict_add(&r->cluster, ORD_UNKNOWN, "not-healed", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE, "%s", r->why);
	storm_look(r);
	return err;
}

/* Everything has healed: all nodes must become whole and equal. */
static void cluster_await(struct run *r)
{
	struct ord_subject_state state;
	uint64_t begin_ns = ord_clock_ns();
	if (!ord_subject_await(&r->subject, 1000 * (int64_t)r->options->patience_s, &state))
		ord_verdict_add(&r->cluster, state.disagrees || ord_clock_stopped() == 0 ? ORD_INVALID : ORD_UNKNOWN,
				state.disagrees ? "replicas-differ" : "not-whole", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"%s", state.words);
	ord_verdict_count(&r->cluster, "whole-after-ms", (ord_clock_ns() - begin_ns) / 1000000);
}

static void cluster_stop(struct run *r)
{
	char why[ORD_SUBJECT_WHY_SIZE];
	if (r->started && !r->stopped && ord_subject_stop(&r->subject, why) != ORD_OK) {
		fprintf(stderr, "the cluster could not be stopped: %s; try: %s cluster stop --force --dir %s\n", why,
			r->subject.program, r->subject.dir);
		r->left = true;
	}
	r->stopped = true;
}

/* What is asked when all is well again. */
static int workload_end(struct run *r)
{
	int err = ord_crowd_question(&r->crowd);
	if (err == ORD_OK && r->options->workload->logs && ord_subject_backup(&r->subject, r->why) != ORD_OK)
		ord_verdict_add(&r->cluster, ORD_UNKNOWN, "no-backup", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE, "%s", r->why);
	if (err == ORD_OK)
		err = ord_crowd_read(&r->crowd);
	if (r->crowd.missing > 0)
		ord_verdict_add(&r->cluster, ORD_UNKNOWN, "unanswered", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"%" PRIu32 " of the questions and reads at the end were never answered",
				r->crowd.missing);
	if (r->diary.err != ORD_OK)
		ord_verdict_add(&r->cluster, ORD_UNKNOWN, "not-written", ORD_JEPSEN_NONE, ORD_JEPSEN_NONE,
				"the history could not be written down whole: %s", ord_err_text(r->diary.err));
	return err;
}

static int history_store(struct run *r, const char *dir)
{
	FILE *file = ord_store_create(dir, "history.edn", r->why, ORD_SUBJECT_WHY_SIZE);
	if (file == NULL)
		return ORD_ERR_IO;
	ord_jepsen_write(&r->diary.history, 0, file);
	return ord_store_close(file, "history.edn", r->why, ORD_SUBJECT_WHY_SIZE);
}

static int results_store(struct run *r, const struct ord_judge *judge, struct ord_run_summary *ret)
{
	struct ord_edn_pool pool;
	ord_edn_pool_init(&pool, RESULTS_BYTES_MAX);
	struct ord_edn results = ord_results_make(r->options, r->storm, judge, ret, &pool);
	int err = pool.failed ? ORD_ERR_NOMEM : ORD_OK;
	if (err == ORD_OK)
		err = ord_store_value(ret->dir, "results.edn", results, r->why, ORD_SUBJECT_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_store_value(ret->dir, "results.json", results, r->why, ORD_SUBJECT_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_store_value(ret->dir, "summary.json", ord_results_short(r->options, ret, &pool), r->why,
				      ORD_SUBJECT_WHY_SIZE);
	ord_edn_pool_close(&pool);
	return err;
}

/* Plots and pages: what is missing of them takes nothing from the verdict. */
static void pages_store(const struct run *r, const struct ord_run_summary *summary)
{
	const struct ord_run_options *o = r->options;
	char title[256], why[ORD_SUBJECT_WHY_SIZE] = "no memory";
	snprintf(title, sizeof title, "%s under %s, seed %" PRIu64 ": %s", o->workload->name, o->nemesis_words, o->seed,
		 ord_validity_name(summary->validity));
	if (ord_timeline_write(summary->dir, title, &r->diary.history, r->storm, why, sizeof why) != ORD_OK ||
	    ord_plot_write(summary->dir, title, &r->diary.history, r->storm, why, sizeof why) != ORD_OK)
		say(why);
	if (ord_shelf_write(o->store, why, sizeof why) != ORD_OK)
		say(why);
}

static bool was_in_force(const struct ord_storm *storm, const char *f)
{
	for (uint32_t i = 0; i < storm->faults_count; i++) {
		if (strcmp(storm->faults[i].f, f) == 0)
			return true;
	}
	return false;
}

/* What a node may say when it stops: a write that failed is fatal. A real disk that is filled within a moment makes one fail (docs/operating.md, "A full disk"); the hook leaves
 * what was preallocated. */
static void logs_allow(const struct run *r, const char *ret[3])
{
	uint32_t count = 0;
	if (was_in_force(r->storm, "disk-error"))
		ret[count++] = "Input/output error";
	if (r->options->netns && was_in_force(r->storm, "full-disk"))
		ret[count++] = "No space left on device";
	ret[count] = NULL;
}

/* Everything that is known, into the directory of the run; and the verdicts. */
static int conclude(struct run *r, struct ord_run_summary *ret)
{
	const struct ord_run_options *o = r->options;
	struct ord_judge judge;
	const char *allowed[3];
	struct ord_judge_options options = {.workload = o->workload,
					    .logs_dir = ret->dir,
					    .logs_allowed = allowed,
					    .check = {.time_limit_ms = o->check_ms},
					    .outage_us_max = 1000ull * o->outage_ms_max};
	logs_allow(r, allowed);
	int err = history_store(r, ret->dir);
	if (err == ORD_OK)
		err = ord_store_logs(ret->dir, r->subject.dir, o->nodes_count, r->why, ORD_SUBJECT_WHY_SIZE);
	if (err == ORD_OK)
		err = ord_judge_run(&r->diary.history, &options, &judge);
	if (err != ORD_OK)
		return err;
	ord_judge_take(&judge, "cluster", &r->cluster);
	r->cluster = (struct ord_verdict){0};
	ord_results_summarize(&r->diary.history, r->storm, &judge, ret);
	err = results_store(r, &judge, ret);
	ord_judge_close(&judge);
	if (err == ORD_OK)
		pages_store(r, ret);
	return err;
}

static int all_run(struct run *r, struct ord_run_summary *ret)
{
	const struct ord_run_options *o = r->options;
	int err = ord_store_make(o->store, o->workload->name, ret->dir, r->why, ORD_SUBJECT_WHY_SIZE);
	if (err == ORD_OK)
		say("starting the cluster");
	if (err == ORD_OK)
		err = cluster_begin(r);
	if (err == ORD_OK)
		err = ord_diary_open(&r->diary, o->concurrency);
	if (err != ORD_OK)
		return err;
	storm_prepare(r);
	err = workload_begin(r);
	if (err == ORD_OK)
		say("the workload runs");
	if (err == ORD_OK)
		err = workload_run(r);
	if (err == ORD_OK)
		say("waiting until the cluster is whole, and reading");
	if (err == ORD_OK)
		cluster_await(r);
	if (err == ORD_OK)
		err = workload_end(r);
	cluster_stop(r);
	if (err == ORD_OK)
		say("checking");
	if (err == ORD_OK)
		err = conclude(r, ret);
	ord_crowd_close(&r->crowd);
	ord_storm_close(r->storm);
	ord_diary_close(&r->diary);
	return err;
}

/* The cluster's directory is kept when somebody wants to look into it: asked for, or something is wrong. */
static void directory_end(const struct run *r, int err, const struct ord_run_summary *summary)
{
	if (r->subject.dir[0] == '\0')
		return;
	if (r->options->keep || r->left || err != ORD_OK || summary->validity == ORD_INVALID)
		fprintf(stderr, "the cluster's directory is kept: %s\n", r->subject.dir);
	else
		ord_store_remove(r->subject.dir);
}

int ord_run(const struct ord_run_options *options, struct ord_run_summary *ret, char *why)
{
	struct run r = {.options = options, .why = why};
	*ret = (struct ord_run_summary){.validity = ORD_UNKNOWN};
	why[0] = '\0';
	r.storm = calloc(1, sizeof *r.storm);
	int err = r.storm == NULL ? ORD_ERR_NOMEM : ord_verdict_open(&r.cluster);
	if (err == ORD_OK)
		err = all_run(&r, ret);
	cluster_stop(&r);
	ord_verdict_close(&r.cluster);
	free(r.storm);
	directory_end(&r, err, ret);
	if (err != ORD_OK && why[0] == '\0')
		snprintf(why, ORD_SUBJECT_WHY_SIZE, "%s", ord_err_text(err));
	return err;
}
