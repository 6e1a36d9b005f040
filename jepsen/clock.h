/* SPDX-License-Identifier: Apache-2.0 - the clocks: the only file of jepsen/ that reads one. */
#ifndef ORD_JEPSEN_CLOCK_H
#define ORD_JEPSEN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Of a clock that never goes back; its beginning is any. */
uint64_t ord_clock_ns(void);

/* Milliseconds since 1970. */
uint64_t ord_clock_unix_ms(void);

/* "20260131T120003": local time, for names of directories. */
void ord_clock_stamp(char ret[24]);

/* Waits until the clock says until_ns, or somebody has asked the program to end (ord_clock_stop). False: to end. */
bool ord_clock_sleep_until(uint64_t until_ns);

/* Asks the program to end: called by a signal handler. */
void ord_clock_stop(int signal_number);

/* The signal that asked for the end; 0: none did. */
int ord_clock_stopped(void);

#endif
