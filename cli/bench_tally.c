/* SPDX-License-Identifier: Apache-2.0 - what came of a bench's calls: how many, how long they took, and what went wrong, by its name. */
#include "cli/bench_tally.h"

#include <stdio.h>
#include <string.h>

void ord_bench_tally_init(struct ord_bench_tally *t)
{
	memset(t, 0, sizeof *t);
}

/* The last place is for all that find none of their own. */
static struct ord_bench_reason *reason_of(struct ord_bench_tally *t, const char *name)
{
	for (uint32_t i = 0; i < t->reasons_count; i++) {
		if (strncmp(t->reasons[i].name, name, sizeof t->reasons[i].name - 1) == 0)
			return &t->reasons[i];
	}
	if (t->reasons_count == ORD_BENCH_REASONS_MAX)
		return &t->reasons[ORD_BENCH_REASONS_MAX - 1];
	struct ord_bench_reason *r = &t->reasons[t->reasons_count++];
	snprintf(r->name, sizeof r->name, "%s", t->reasons_count == ORD_BENCH_REASONS_MAX ? "others" : name);
	return r;
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
	reason_of(t, name)->count++;
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
