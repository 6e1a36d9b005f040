/* SPDX-License-Identifier: Apache-2.0 - a timer of a loop that is exact to some tens of microseconds: libuv's own count milliseconds. */
#include "cli/alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"

static void alarm_cb(uv_poll_t *poll, int status, int events)
{
	struct ord_alarm *a = poll->data;
	uint64_t times;
	(void)status;
	(void)events;
	if (read(a->fd, &times, sizeof times) == (ssize_t)sizeof times)
		a->cb(a->arg);
}

int ord_alarm_open(struct ord_alarm *a, uv_loop_t *loop, void (*cb)(void *arg), void *arg)
{
	*a = (struct ord_alarm){.cb = cb, .arg = arg};
	a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); /* the clock of uv_hrtime() */
	if (a->fd < 0)
		return ORD_ERR_IO;
	a->poll.data = a;
	if (uv_poll_init(loop, &a->poll, a->fd) != 0) {
		close(a->fd);
		a->fd = -1;
		return ORD_ERR_IO;
	}
	return ORD_OK;
}

void ord_alarm_set(struct ord_alarm *a, uint64_t at_ns)
{
	at_ns = at_ns > 0 ? at_ns : 1; /* 0 would disarm it */
	struct itimerspec when = {
		.it_value = {.tv_sec = (time_t)(at_ns / 1000000000u), .tv_nsec = (long)(at_ns % 1000000000u)}};
	ORD_ASSERT(timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
	uv_poll_start(&a->poll, UV_READABLE, alarm_cb);
}

void ord_alarm_stop(struct ord_alarm *a)
{
	uv_poll_stop(&a->poll);
}

static void closed_cb(uv_handle_t *handle)
{
	struct ord_alarm *a = handle->data;
	close(a->fd);
	a->fd = -1;
}

void ord_alarm_close(struct ord_alarm *a)
{
	if (a->fd >= 0)
		uv_close((uv_handle_t *)&a->poll, closed_cb);
}
