/* SPDX-License-Identifier: Apache-2.0 - the results of a run as one value: for results.edn, results.json, and the pages made of them. */
#ifndef ORD_JEPSEN_RESULTS_H
#define ORD_JEPSEN_RESULTS_H

#include "jepsen/judge.h"
#include "jepsen/run.h"
#include "jepsen/storm.h"

/* {:valid? ... :workload "bank" :nemesis "kill" :seed 1 ... :faults [...] :checkers {:shape {...} ...}}, made in pool. */
struct ord_edn ord_results_make(const struct ord_run_options *options, const struct ord_storm *storm,
				const struct ord_judge *judge, const struct ord_run_summary *summary,
				struct ord_edn_pool *pool);

/* The same without checkers and faults: for the index page. */
struct ord_edn ord_results_short(const struct ord_run_options *options, const struct ord_run_summary *summary,
				 struct ord_edn_pool *pool);

/* The counts of a history and its verdicts. Fills all but dir. */
void ord_results_summarize(const struct ord_jepsen_history *h, const struct ord_storm *storm,
			   const struct ord_judge *judge, struct ord_run_summary *ret);

#endif
