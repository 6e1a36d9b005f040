/* SPDX-License-Identifier: Apache-2.0 - the trace ring. */
#include "base/trace.h"

#include <inttypes.h>

struct trace_event {
	const char *what; /* a literal */
	uint64_t a;
	uint64_t b;
};

static _Thread_local struct trace_event ring[ORD_TRACE_EVENTS];
static _Thread_local uint64_t recorded;

void ord_trace(const char *what, uint64_t a, uint64_t b)
{
	ring[recorded % ORD_TRACE_EVENTS] = (struct trace_event){.what = what, .a = a, .b = b};
	recorded++;
}

void ord_trace_show(FILE *out)
{
	uint64_t first = recorded > ORD_TRACE_EVENTS ? recorded - ORD_TRACE_EVENTS : 0;
	for (uint64_t i = first; i < recorded; i++) {
		const struct trace_event *e = &ring[i % ORD_TRACE_EVENTS];
		fprintf(out, "trace %" PRIu64 ": %s %" PRIu64 " %" PRIu64 "\n", i, e->what, e->a, e->b);
	}
}
