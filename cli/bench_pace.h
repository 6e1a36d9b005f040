/* SPDX-License-Identifier: Apache-2.0 - when calls are to begin at a rate that does not depend on the answers: an open loop. */
#ifndef ORD_CLI_BENCH_PACE_H
#define ORD_CLI_BENCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Call n is due n * batch / rate seconds after the beginning, whatever became of the ones before. Its latency counts from then: a cluster that stands still
 * for a second makes all calls of that second late, and not one (this is known as coordinated omission). */
struct ord_bench_pace {
	uint64_t begin_ns;
	uint64_t rate;	/* commands per second */
	uint32_t batch; /* commands of a call */
	uint64_t taken; /* calls */
};

/* Asserts rate > 0 and batch > 0. */
void ord_bench_pace_init(struct ord_bench_pace *p, uint64_t begin_ns, uint64_t rate, uint32_t batch);

/* When the next call is due. */
uint64_t ord_bench_pace_due_ns(const struct ord_bench_pace *p);

/* Takes the next call if it is due at now_ns; ret_due_ns is when it should have begun. */
bool ord_bench_pace_take(struct ord_bench_pace *p, uint64_t now_ns, uint64_t *ret_due_ns);

#endif
