/* SPDX-License-Identifier: Apache-2.0 - a timer of a loop that is exact to some tens of microseconds: libuv's own count milliseconds. */
#ifndef ORD_CLI_ALARM_H
#define ORD_CLI_ALARM_H

#include <stdint.h>
#include <uv.h>

struct ord_alarm {
	uv_poll_t poll;
	int fd; /* owned: timerfd; -1: none */
	void (*cb)(void *arg);
	void *arg;
};

/* cb is called from the loop each time that the alarm goes off. ORD_ERR_IO when the system gives no timer. The alarm must not move until it is closed and the loop has run. */
int ord_alarm_open(struct ord_alarm *a, uv_loop_t *loop, void (*cb)(void *arg), void *arg);

/* Goes off once at this time of uv_hrtime(), at once when that has passed; takes the place of what was set before. */
void ord_alarm_set(struct ord_alarm *a, uint64_t at_ns);

/* Does not go off any more, and does not keep the loop running. */
void ord_alarm_stop(struct ord_alarm *a);

/* Tolerates one that was not opened, with fd -1. The loop must run once more. */
void ord_alarm_close(struct ord_alarm *a);

#endif
