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

int64_t ord_clock_skew_us(const struct ord_clock_skew *s, uint64_t monotonic_us)
{
	if (s->drift_ppm == 0)
		return s->offset_us;
	return s->offset_us + (int64_t)((monotonic_us - s->since_us) / 1000) * s->drift_ppm / 1000;
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
	uint64_t read_us = ord_clock_system_us();
	if ((c->skew.offset_us | c->skew.drift_ppm) != 0)
		read_us = (uint64_t)((int64_t)read_us + ord_clock_skew_us(&c->skew, ord_clock_monotonic_us()));
	return ord_clock_hand_out(c, read_us);
}
