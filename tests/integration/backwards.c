/* SPDX-License-Identifier: Apache-2.0 - a clock that goes backwards, for LD_PRELOAD: each process has another hour, and all fall by an hour every two seconds. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret);

#define PERIOD_SECONDS 2
#define FALL_SECONDS 3600

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	struct timespec now;
	if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
		return (int)syscall(SYS_clock_gettime, clock, ret);
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) != 0 || syscall(SYS_clock_gettime, clock, ret) != 0)
		return -1;
	ret->tv_sec -= (now.tv_sec / PERIOD_SECONDS + getpid()) % 24 * FALL_SECONDS;
	return 0;
}
