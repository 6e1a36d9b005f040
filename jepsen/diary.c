/* SPDX-License-Identifier: Apache-2.0 - the history of a run while it is written: by many threads, with the time since the run began. */
#include "jepsen/diary.h"

#include "base/err.h"
#include "jepsen/clock.h"

int ord_diary_open(struct ord_diary *d, uint32_t threads_count)
{
	*d = (struct ord_diary){.zero_ns = ord_clock_ns()};
	int err = ord_jepsen_open(threads_count, &d->history);
	if (err == ORD_OK)
		pthread_mutex_init(&d->lock, NULL);
	return err;
}

void ord_diary_close(struct ord_diary *d)
{
	ord_jepsen_close(&d->history);
	pthread_mutex_destroy(&d->lock);
}

void ord_diary_lock(struct ord_diary *d)
{
	pthread_mutex_lock(&d->lock);
}

void ord_diary_unlock(struct ord_diary *d)
{
	pthread_mutex_unlock(&d->lock);
}

static uint64_t now_ns(const struct ord_diary *d)
{
	return ord_clock_ns() - d->zero_ns;
}

/* After an error nothing more is written: a history with holes would accuse the innocent. */
void ord_diary_invoke(struct ord_diary *d, uint32_t thread, const struct ord_ask *ask)
{
	if (d->err == ORD_OK)
		d->err = ord_jepsen_invoke(&d->history, thread, now_ns(d), ask->f, ask->value, NULL);
}

void ord_diary_complete(struct ord_diary *d, uint32_t thread, const struct ord_told *told)
{
	if (d->err == ORD_OK)
		d->err = ord_jepsen_complete(&d->history, thread, now_ns(d), told->type, told->value, told->error);
}

void ord_diary_nemesis(struct ord_diary *d, const char *f, struct ord_edn value, struct ord_edn error)
{
	ord_diary_lock(d);
	if (d->err == ORD_OK)
		d->err = ord_jepsen_nemesis(&d->history, now_ns(d), f, value, error);
	ord_diary_unlock(d);
}
