/* SPDX-License-Identifier: Apache-2.0 - the one place that reads the clock. */
#ifndef ORD_NODE_CLOCK_H
#define ORD_NODE_CLOCK_H

#include <stdint.h>

/* Time since some moment in the past; never goes back and does not follow changes of the wall clock. For waiting and measuring. */
uint64_t ord_clock_monotonic_us(void);
uint64_t ord_clock_monotonic_ms(void);

/* Time for which a processor has worked for the calling thread: what it waited for one is not in it. For measuring. */
uint64_t ord_clock_worked_us(void);

/* A clock that is wrong on purpose: at monotonic time since_us it was offset_us ahead of the system's, and it goes drift_ppm faster. */
struct ord_clock_skew {
	int64_t offset_us;
	int64_t drift_ppm;
	uint64_t since_us;
};

/* How far it is ahead at that monotonic time; below 0: behind. */
int64_t ord_clock_skew_us(const struct ord_clock_skew *s, uint64_t monotonic_us);

/* A wall clock that never goes back for its owner. Zeroed to begin. */
struct ord_clock {
	struct ord_clock_skew skew;
	uint64_t handed_us; /* the latest time handed out */
	uint64_t behind_us; /* how far the system's clock was behind that at the last reading; 0 when it was not */
};

/* Microseconds since 1970; when the system's clock was set back, the last value again until it has caught up. */
uint64_t ord_clock_wall_us(struct ord_clock *c);

/* What ord_clock_wall_us does with a reading of the system's clock. */
uint64_t ord_clock_hand_out(struct ord_clock *c, uint64_t read_us);

/* The system's clock as it is. For log lines only. */
uint64_t ord_clock_system_us(void);

#endif
