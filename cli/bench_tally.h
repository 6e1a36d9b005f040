/* SPDX-License-Identifier: Apache-2.0 - what came of a bench's calls: how many, how long they took, and what went wrong, by its name. */
#ifndef ORD_CLI_BENCH_TALLY_H
#define ORD_CLI_BENCH_TALLY_H

#include <stdint.h>

#include "base/histogram.h"
#include "cli/bench_work.h"
#include "cli/reasons.h"
#include "client/ordain.h"

/* Two questions, two ways to count. What was done in the measured time: commands by the moment of their answer. How long it took: calls by the moment at which they
 * began or should have begun, whenever their answer came, so that none is left out because it took long. */
struct ord_bench_tally {
	uint64_t settled; /* commands; answered in the measured time */
	uint64_t reads;	  /* likewise */
	uint64_t refused; /* commands of any call that was answered since the measuring began, also after its end */
	uint64_t unknown;
	uint64_t failed;
	char problem[256]; /* the first of those: "name: message"; "" when there was none */
	struct ord_reasons reasons;
	uint64_t not_begun;				 /* calls that were due and found no client free */
	struct ord_histogram latency;			 /* microseconds; of calls that began in the measured time */
	struct ord_histogram latencies[ORD_BENCH_KINDS]; /* the same by kind */
	struct ord_histogram second;			 /* of those answered since the last ord_bench_tally_second */
};

void ord_bench_tally_init(struct ord_bench_tally *t);

/* A command that was not carried out, or a read that failed (FAILED). name and message are those of the result or problem. */
void ord_bench_tally_problem(struct ord_bench_tally *t, enum ordain_answer answer, const char *name,
			     const char *message);

/* A call that began in the measured time was answered. */
void ord_bench_tally_call(struct ord_bench_tally *t, enum ord_bench_kind kind, uint64_t latency_us);

/* A call that was due had not begun when the measuring ended, this long after: it counts as if it had been answered then. */
void ord_bench_tally_missed(struct ord_bench_tally *t, uint64_t waited_us);

#endif
