/* SPDX-License-Identifier: Apache-2.0 - a ring of the last things that happened in this thread, printed when an assertion fails. */
#ifndef ORD_BASE_TRACE_H
#define ORD_BASE_TRACE_H

#include <stdint.h>
#include <stdio.h>

/* Number of events that the ring keeps. */
#define ORD_TRACE_EVENTS 256

/* Records one event: what is a string literal (kept by pointer), a and b are whatever numbers explain it.
 * Costs a few stores; safe to call on every step. One ring per thread. */
void ord_trace(const char *what, uint64_t a, uint64_t b);

/* Prints this thread's ring to out, oldest first. */
void ord_trace_show(FILE *out);

#endif
