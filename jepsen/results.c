/* SPDX-License-Identifier: Apache-2.0 - the results of a run as one value: for results.edn, results.json, and the pages made of them. */
#include "jepsen/results.h"

#include <stdio.h>

#include "jepsen/json.h"

static struct ord_edn valid_word(enum ord_validity validity)
{
	return validity == ORD_UNKNOWN ? ord_edn_word("unknown") : ord_edn_bool(validity == ORD_VALID);
}

static struct ord_edn fault_map(const struct ord_storm_fault *f, struct ord_edn_pool *pool)
{
	struct ord_edn map = ord_edn_map(pool, 7);
	ord_edn_put_word(&map, "f", ord_edn_word(f->f));
	ord_edn_put_word(&map, "command", f->command);
	ord_edn_put_word(&map, "begin_ms", ord_edn_int((int64_t)(f->begin_ns / 1000000)));
	ord_edn_put_word(&map, "end_ms", ord_edn_int((int64_t)(f->end_ns / 1000000)));
	ord_edn_put_word(&map, "effect", ord_edn_word(ord_storm_effect_name(f->effect)));
	ord_edn_put_word(&map, "proof", f->proof);
	if (!ord_edn_is_nil(f->error))
		ord_edn_put_word(&map, "error", f->error);
	return map;
}

static struct ord_edn faults_list(const struct ord_storm *storm, struct ord_edn_pool *pool)
{
	struct ord_edn list = ord_edn_vector(pool, storm->faults_count);
	for (uint32_t i = 0; i < list.len; i++)
		list.items[i] = fault_map(&storm->faults[i], pool);
	return list;
}

static struct ord_edn checkers_map(const struct ord_judge *judge, struct ord_edn_pool *pool)
{
	struct ord_edn map = ord_edn_map(pool, judge->count);
	for (uint32_t i = 0; i < judge->count; i++)
		ord_edn_put_word(&map, judge->names[i], ord_verdict_edn(&judge->verdicts[i], pool));
	return map;
}

static void short_put(struct ord_edn *map, const struct ord_run_options *options, const struct ord_run_summary *summary,
		      struct ord_edn_pool *pool)
{
	ord_edn_put_word(map, "valid?", valid_word(summary->validity));
	ord_edn_put_word(map, "workload", ord_edn_literal(options->workload->name));
	ord_edn_put_word(map, "nemesis", ord_edn_literal(options->nemesis_words));
	ord_edn_put_word(map, "seed", ord_edn_int((int64_t)options->seed));
	ord_edn_put_word(map, "command", ord_edn_literal(options->command));
	ord_edn_put_word(map, "seconds", ord_edn_int(options->seconds));
	ord_edn_put_word(map, "nodes", ord_edn_int(options->nodes_count));
	ord_edn_put_word(map, "partitions", ord_edn_int(options->partitions_count));
	ord_edn_put_word(map, "concurrency", ord_edn_int(options->concurrency));
	ord_edn_put_word(map, "rate", ord_edn_int(options->rate));
	ord_edn_put_word(map, "timeout_ms", ord_edn_int(options->timeout_ms));
	ord_edn_put_word(map, "interval_ms", ord_edn_int(options->interval_ms));
	ord_edn_put_word(map, "intensity", ord_edn_int(options->intensity));
	ord_edn_put_word(map, "netns", ord_edn_bool(options->netns));
	ord_edn_put_word(map, "ops", ord_edn_int(summary->ops_count));
	ord_edn_put_word(map, "ok_per_mille", ord_edn_int(summary->ok_per_mille));
	ord_edn_put_word(map, "outage_us", ord_edn_int((int64_t)summary->outage_us));
	ord_edn_put_word(map, "words", ord_edn_string(pool, ord_slice_text(summary->words)));
	ord_edn_put_word(map, "faults_count", ord_edn_int(summary->faults_count));
	ord_edn_put_word(map, "faults_unseen", ord_edn_int(summary->faults_unseen));
}

struct ord_edn ord_results_short(const struct ord_run_options *options, const struct ord_run_summary *summary,
				 struct ord_edn_pool *pool)
{
	struct ord_edn map = ord_edn_map(pool, 24);
	short_put(&map, options, summary, pool);
	return map;
}

struct ord_edn ord_results_make(const struct ord_run_options *options, const struct ord_storm *storm,
				const struct ord_judge *judge, const struct ord_run_summary *summary,
				struct ord_edn_pool *pool)
{
	struct ord_edn map = ord_edn_map(pool, 24);
	short_put(&map, options, summary, pool);
	ord_edn_put_word(&map, "heals_failed", ord_edn_int(storm->heals_failed));
	ord_edn_put_word(&map, "checkers", checkers_map(judge, pool));
	ord_edn_put_word(&map, "faults", faults_list(storm, pool));
	return map;
}

/* The first finding of a verdict that is as bad as all together. */
static void words_find(const struct ord_judge *judge, char *words, size_t words_size)
{
	words[0] = '\0';
	for (uint32_t i = 0; i < judge->count; i++) {
		const struct ord_verdict *v = &judge->verdicts[i];
		for (uint32_t k = 0; k < v->findings_kept && words[0] == '\0'; k++) {
			if (v->findings[k].validity == judge->validity)
				snprintf(words, words_size, "%s: %s: %s", judge->names[i], v->findings[k].rule,
					 v->findings[k].words);
		}
	}
}

void ord_results_summarize(const struct ord_jepsen_history *h, const struct ord_storm *storm,
			   const struct ord_judge *judge, struct ord_run_summary *ret)
{
	uint32_t ok = 0, ended = 0, asked = 0;
	for (uint32_t i = 0; i < h->ops_count; i++) {
		const struct ord_jepsen_op *op = &h->ops[i];
		if (op->process == ORD_JEPSEN_NEMESIS)
			continue;
		asked += op->type == ORD_JEPSEN_INVOKE;
		ended += op->type != ORD_JEPSEN_INVOKE;
		ok += op->type == ORD_JEPSEN_OK;
	}
	ret->ops_count = asked;
	ret->ok_per_mille = ended == 0 ? 0 : (uint32_t)(1000ull * ok / ended);
	ret->validity = judge->validity;
	const struct ord_verdict *availability = ord_judge_find(judge, "availability");
	ret->outage_us = availability == NULL ? 0 : (uint64_t)ord_json_int(availability->figures, "outage-us", 0);
	ret->faults_count = storm == NULL ? 0 : storm->faults_count;
	ret->faults_unseen = 0;
	for (uint32_t i = 0; i < ret->faults_count; i++)
		ret->faults_unseen += storm->faults[i].effect != ORD_STORM_SEEN;
	words_find(judge, ret->words, sizeof ret->words);
}
