/* SPDX-License-Identifier: Apache-2.0 - what came of a bench's calls: how many, how long they took, and what went wrong, by its name. */
#include "cli/bench_tally.h"

#include <stdio.h>
#include <string.h>

void ord_bench_tally_init(struct ord_bench_tally *t)
{
	memset(t, 0, sizeof *t);
}

void ord_bench_tally_problem(struct ord_bench_tally *t, enum ordain_answer answer, const char *name,
			     const char *message)
{
	switch (answer) {
	case ORDAIN_OK:
		return;
	case ORDAIN_REFUSED:
		t->refused++;
		break;
	case ORDAIN_UNKNOWN:
		t->unknown++;
		break;
	case ORDAIN_FAILED:
		t->failed++;
		break;
	}
	ord_reasons_add(&t->reasons, name);
	if (t->problem[0] == '\0')
		snprintf(t->problem, sizeof t->problem, "%s: %s", name, message);
}

void ord_bench_tally_call(struct ord_bench_tally *t, enum ord_bench_kind kind, uint64_t latency_us)
{
	ord_histogram_add(&t->latency, latency_us);
	ord_histogram_add(&t->latencies[kind], latency_us);
	ord_histogram_add(&t->second, latency_us);
}

void ord_bench_tally_missed(struct ord_bench_tally *t, uint64_t waited_us)
{
	t->not_begun++;
	ord_histogram_add(&t->latency, waited_us);
}
