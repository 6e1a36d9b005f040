/* SPDX-License-Identifier: Apache-2.0 - all checkers over one history, and their verdicts put together. */
#include "jepsen/judge.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "jepsen/checkers/availability.h"
#include "jepsen/checkers/logs.h"
#include "jepsen/checkers/order.h"
#include "jepsen/checkers/shape.h"

void ord_judge_take(struct ord_judge *j, const char *name, const struct ord_verdict *verdict)
{
	ORD_ASSERT(j->count < ORD_JUDGE_CHECKERS_MAX);
	j->names[j->count] = name;
	j->verdicts[j->count++] = *verdict;
	j->validity = verdict->validity > j->validity ? verdict->validity : j->validity;
}

static bool has_positions(const struct ord_jepsen_history *h)
{
	for (uint32_t i = 0; i < h->ops_count; i++) {
		if (!ord_edn_is_nil(ord_edn_get(h->ops[i].value, "position")))
			return true;
	}
	return false;
}

int ord_judge_run(const struct ord_jepsen_history *h, const struct ord_judge_options *options, struct ord_judge *ret)
{
	struct ord_availability_options availability = {.outage_us_max = options->outage_us_max};
	struct ord_logs_options logs = {.dir = options->logs_dir, .allowed = options->logs_allowed};
	struct ord_verdict v;
	*ret = (struct ord_judge){0};
	int err = ord_check_shape(h, &v);
	if (err == ORD_OK) {
		ord_judge_take(ret, "shape", &v);
		err = options->workload->check(h, &options->check, &v);
	}
	if (err == ORD_OK)
		ord_judge_take(ret, options->workload->name, &v);
	if (err == ORD_OK && !options->workload->logs && has_positions(h)) {
		err = ord_check_order(h, &v);
		if (err == ORD_OK)
			ord_judge_take(ret, "order", &v);
	}
	if (err == ORD_OK)
		err = ord_check_availability(h, &availability, &v);
	if (err == ORD_OK)
		ord_judge_take(ret, "availability", &v);
	if (err == ORD_OK && options->logs_dir != NULL) {
		err = ord_check_logs(&logs, &v);
		if (err == ORD_OK)
			ord_judge_take(ret, "logs", &v);
	}
	if (err != ORD_OK)
		ord_judge_close(ret);
	return err;
}

void ord_judge_close(struct ord_judge *j)
{
	for (uint32_t i = 0; i < j->count; i++)
		ord_verdict_close(&j->verdicts[i]);
	*j = (struct ord_judge){0};
}

const struct ord_verdict *ord_judge_find(const struct ord_judge *j, const char *name)
{
	for (uint32_t i = 0; i < j->count; i++) {
		if (strcmp(j->names[i], name) == 0)
			return &j->verdicts[i];
	}
	return NULL;
}
