/* SPDX-License-Identifier: Apache-2.0 - reading the clock. */
#include "node/clock.h"

#include <time.h>

#include "base/assert.h"

static uint64_t clock_read_us(clockid_t which)
{
	struct timespec at;
	ORD_ASSERT(clock_gettime(which, &at) == 0);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

uint64_t ord_clock_monotonic_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

uint64_t ord_clock_monotonic_ms(void)
{
	return ord_clock_monotonic_us() / 1000;
}

uint64_t ord_clock_worked_us(void)
{
	return clock_read_us(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t ord_clock_system_us(void)
{
	return clock_read_us(CLOCK_REALTIME);
}

uint64_t ord_clock_hand_out(struct ord_clock *c, uint64_t read_us)
{
	c->behind_us = read_us < c->handed_us ? c->handed_us - read_us : 0;
	if (read_us > c->handed_us)
		c->handed_us = read_us;
	return c->handed_us;
}

uint64_t ord_clock_wall_us(struct ord_clock *c)
{
	return ord_clock_hand_out(c, ord_clock_system_us());
}
