/* SPDX-License-Identifier: Apache-2.0 - build/ordain-clock.so, for LD_PRELOAD: the wall clock that a process sees is the system's, plus what the file of ORDAIN_CLOCK says at that moment.
 *
 * Only the wall clock: monotonic clocks, timers and timed waits go to the C library untouched. Linked with nothing else of ours. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "cli/clock_page.h"

static const struct ord_clock_page *page;
static int (*system_clock)(clockid_t clock, struct timespec *ret);

__attribute__((constructor)) static void page_map(void)
{
	const char *path = getenv(ORD_CLOCK_PAGE_VARIABLE);
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	system_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	if (fd < 0)
		return;
	void *base = mmap(NULL, ORD_CLOCK_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	page = base != MAP_FAILED ? base : NULL;
	close(fd);
}

static int system_read(clockid_t clock, struct timespec *ret)
{
	/* Others' constructors may come before ours. */
	return system_clock != NULL ? system_clock(clock, ret) : (int)syscall(SYS_clock_gettime, clock, ret);
}

static bool is_wall(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	struct timespec now;
	if (system_read(clock, ret) != 0)
		return -1;
	if (page == NULL || !is_wall(clock) || system_read(CLOCK_MONOTONIC, &now) != 0)
		return 0;
	int64_t ahead_us = ord_clock_page_ahead_us(page, now.tv_sec * 1000000 + now.tv_nsec / 1000);
	int64_t ns = ret->tv_nsec + ahead_us % 1000000 * 1000;
	ret->tv_sec += ahead_us / 1000000;
	if (ns < 0) {
		ns += 1000000000;
		ret->tv_sec--;
	} else if (ns >= 1000000000) {
		ns -= 1000000000;
		ret->tv_sec++;
	}
	ret->tv_nsec = ns;
	return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	*ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}
