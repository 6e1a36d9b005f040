/* SPDX-License-Identifier: Apache-2.0 - the clocks: the only file of jepsen/ that reads one. */
#include "jepsen/clock.h"

#include <signal.h>
#include <time.h>

#define LOOK_NS 50000000ull /* how long somebody who sleeps takes to notice the end */

static volatile sig_atomic_t stopped;

uint64_t ord_clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t ord_clock_unix_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void ord_clock_stamp(char ret[24])
{
	time_t now = time(NULL);
	struct tm parts;
	localtime_r(&now, &parts);
	strftime(ret, 24, "%Y%m%dT%H%M%S", &parts);
}

bool ord_clock_sleep_until(uint64_t until_ns)
{
	for (;;) {
		uint64_t now = ord_clock_ns();
		if (stopped != 0)
			return false;
		if (now >= until_ns)
			return true;
		uint64_t left = until_ns - now < LOOK_NS ? until_ns - now : LOOK_NS;
		struct timespec pause = {.tv_nsec = (long)left};
		nanosleep(&pause, NULL);
	}
}

void ord_clock_stop(int signal_number)
{
	stopped = signal_number;
}

int ord_clock_stopped(void)
{
	return stopped;
}
