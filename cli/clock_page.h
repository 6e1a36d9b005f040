/* SPDX-License-Identifier: Apache-2.0 - what is wrong on purpose with the clock of a node that has a network namespace: DIR/node-N/clock, a file that the command line writes and the node's process has
 * mapped (cli/clock_preload.c).
 *
 * Two rules, and which of them counts: the other one is written first and then made to count, so that a reader always finds a whole one, also when the writer is killed. */
#ifndef ORD_CLI_CLOCK_PAGE_H
#define ORD_CLI_CLOCK_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define ORD_CLOCK_PAGE_VARIABLE "ORDAIN_CLOCK" /* of the environment: the file's path */
#define ORD_CLOCK_PAGE_LIBRARY "ordain-clock.so"

/* At monotonic time since_us the clock was offset_us ahead of the system's, and goes drift_ppm faster. */
struct ord_clock_rule {
	_Atomic int64_t offset_us;
	_Atomic int64_t drift_ppm;
	_Atomic int64_t since_us;
};

struct ord_clock_page {
	_Atomic uint32_t current; /* 0 or 1 in its lowest bit; counts up */
	uint32_t unused;
	struct ord_clock_rule rules[2];
};

#define ORD_CLOCK_PAGE_BYTES sizeof(struct ord_clock_page)

/* How far the clock is ahead of the system's at that monotonic time, in microseconds; below 0: behind. */
static inline int64_t ord_clock_page_ahead_us(const struct ord_clock_page *page, int64_t monotonic_us)
{
	for (;;) {
		uint32_t current = atomic_load_explicit(&page->current, memory_order_acquire);
		const struct ord_clock_rule *r = &page->rules[current & 1];
		int64_t offset_us = atomic_load_explicit(&r->offset_us, memory_order_relaxed);
		int64_t drift_ppm = atomic_load_explicit(&r->drift_ppm, memory_order_relaxed);
		int64_t since_us = atomic_load_explicit(&r->since_us, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		/* A rule is written over only two changes later. */
		if (atomic_load_explicit(&page->current, memory_order_relaxed) == current)
			return offset_us + (monotonic_us - since_us) / 1000 * drift_ppm / 1000;
	}
}

#endif
