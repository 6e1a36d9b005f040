/* SPDX-License-Identifier: Apache-2.0 - one run: a cluster, clients, faults, a history, verdicts, and a directory with all of it. */
#ifndef ORD_JEPSEN_RUN_H
#define ORD_JEPSEN_RUN_H

#include "jepsen/nemesis.h"
#include "jepsen/store.h"
#include "jepsen/subject.h"
#include "jepsen/verdict.h"
#include "jepsen/workload.h"

struct ord_run_options {
	const char *program; /* `ordain` */
	const char *ordaind; /* NULL: the one beside it */
	const char *store;
	const char *command; /* how it was called, for the results */
	const struct ord_workload *workload;
	const struct ord_nemesis *nemeses[ORD_NEMESES_MAX];
	uint32_t nemeses_count;
	const char *nemesis_words; /* as they were given: "kill,partition" */
	uint64_t seed;
	uint32_t seconds;
	uint32_t concurrency;
	uint32_t rate;
	uint32_t timeout_ms;
	uint32_t nodes_count;
	uint32_t partitions_count;
	uint32_t interval_ms;
	uint32_t intensity;
	uint32_t
		patience_s; /* how long a cluster may take until it is whole, and questions at the end until they are answered */
	uint32_t outage_ms_max; /* 0: any outage is allowed */
	uint32_t check_ms;	/* for checkers that search; 0: their own limit */
	bool netns;
	bool keep; /* the cluster's directory, however it ends */
};

/* What came of it, in short. */
struct ord_run_summary {
	enum ord_validity validity;
	uint32_t ops_count;    /* of clients, in the time of the workload and after */
	uint32_t ok_per_mille; /* of those that ended */
	uint64_t outage_us;    /* the longest of any kind of operation */
	uint32_t faults_count;
	uint32_t faults_unseen; /* of which no effect was seen */
	char dir[ORD_STORE_PATH_SIZE];
	char words[256]; /* the first finding of the worst verdict; "" when there is none */
};

/* Runs it from begin to end, telling people on stderr how far it is. ORD_OK: there is a verdict. ORD_ERR_*: it could not be run, with why (ORD_SUBJECT_WHY_SIZE). No process is left behind either way. */
int ord_run(const struct ord_run_options *options, struct ord_run_summary *ret, char *why);

#endif
