/* SPDX-License-Identifier: Apache-2.0 - a workload: what is asked of the cluster, and which checker judges the answers. */
#ifndef ORD_JEPSEN_WORKLOAD_H
#define ORD_JEPSEN_WORKLOAD_H

#include "jepsen/client.h"
#include "jepsen/verdict.h"

/* What a workload may know of the run. */
struct ord_workload_shape {
	uint32_t threads_count;
	uint32_t nodes_count;
	uint32_t partitions_count;
	uint64_t ops_expected; /* rate times time */
};

struct ord_workload_check {
	uint32_t time_limit_ms; /* for checkers that search */
};

/* Its state belongs to the run, and is zeroed at first. All but perform are called one at a time, under the run's lock. */
struct ord_workload {
	const char *name;
	const char *summary;
	size_t state_bytes;
	bool logs; /* its reads at the end need the nodes' histories: dir/backup-N of each */

	void (*begin)(void *state, const struct ord_workload_shape *shape);
	void (*end)(void *state); /* may be NULL */

	/* Operation n (from 0) of what has to be there first; false: there are no more. Each must be ok before the next. May be NULL. */
	bool (*setup)(void *state, uint32_t n, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret);

	/* What the thread asks next. */
	void (*next)(void *state, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool,
		     struct ord_ask *ret);

	/* An operation is over. May be NULL. */
	void (*told)(void *state, const struct ord_ask *ask, const struct ord_told *told);

	/* Operation n (from 0) of the reads at the end; false: there are no more. In no particular order, each asked again until it is ok. May be NULL. */
	bool (*final)(void *state, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret);

	/* Asks one operation of the cluster. Called by many threads at once: knows the client only. */
	void (*perform)(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret);

	/* ORD_ERR_NOMEM. */
	int (*check)(const struct ord_jepsen_history *h, const struct ord_workload_check *options,
		     struct ord_verdict *ret);
};

extern const struct ord_workload ord_workload_bank;
extern const struct ord_workload ord_workload_unique;
extern const struct ord_workload ord_workload_register;
extern const struct ord_workload ord_workload_set;
extern const struct ord_workload ord_workload_idempotence;
extern const struct ord_workload ord_workload_stock;
extern const struct ord_workload ord_workload_log;

/* All of them, in the order in which they are listed; NULL at the end. */
extern const struct ord_workload *const ord_workloads[];

/* NULL: there is none of that name. */
const struct ord_workload *ord_workload_find(const char *name);

#endif
