/* SPDX-License-Identifier: Apache-2.0 - when calls are to begin at a rate that does not depend on the answers: an open loop. */
#include "cli/bench_pace.h"

#include "base/assert.h"

void ord_bench_pace_init(struct ord_bench_pace *p, uint64_t begin_ns, uint64_t rate, uint32_t batch)
{
	ORD_ASSERT(rate > 0);
	ORD_ASSERT(batch > 0);
	*p = (struct ord_bench_pace){.begin_ns = begin_ns, .rate = rate, .batch = batch};
}

/* From the beginning and not from the call before, so that no rounding adds up. */
uint64_t ord_bench_pace_due_ns(const struct ord_bench_pace *p)
{
	unsigned __int128 commands = (unsigned __int128)p->taken * p->batch;
	return p->begin_ns + (uint64_t)(commands * 1000000000u / p->rate);
}

bool ord_bench_pace_take(struct ord_bench_pace *p, uint64_t now_ns, uint64_t *ret_due_ns)
{
	uint64_t due_ns = ord_bench_pace_due_ns(p);
	if (due_ns > now_ns)
		return false;
	*ret_due_ns = due_ns;
	p->taken++;
	return true;
}
