/* SPDX-License-Identifier: Apache-2.0 - all checkers over one history, and their verdicts put together. */
#ifndef ORD_JEPSEN_JUDGE_H
#define ORD_JEPSEN_JUDGE_H

#include "jepsen/verdict.h"
#include "jepsen/workload.h"

#define ORD_JUDGE_CHECKERS_MAX 8

struct ord_judge_options {
	const struct ord_workload *workload;
	const char *logs_dir;		 /* where the nodes' logs are; NULL: they are not looked at */
	const char *const *logs_allowed; /* as in checkers/logs.h */
	struct ord_workload_check check;
	uint64_t outage_us_max; /* 0: any outage is allowed */
};

struct ord_judge {
	struct ord_verdict verdicts[ORD_JUDGE_CHECKERS_MAX];
	const char *names[ORD_JUDGE_CHECKERS_MAX]; /* literals */
	uint32_t count;
	enum ord_validity validity; /* the worst */
};

/* Runs shape, the workload's own checker, order where operations have positions, availability, and logs. ORD_ERR_NOMEM, ORD_ERR_IO (logs). */
int ord_judge_run(const struct ord_jepsen_history *h, const struct ord_judge_options *options, struct ord_judge *ret);

/* Takes over one more verdict. Asserts that there is room. */
void ord_judge_take(struct ord_judge *j, const char *name, const struct ord_verdict *verdict);

void ord_judge_close(struct ord_judge *j);

/* The verdict of that name; NULL: there is none. */
const struct ord_verdict *ord_judge_find(const struct ord_judge *j, const char *name);

#endif
