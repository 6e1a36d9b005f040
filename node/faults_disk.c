/* SPDX-License-Identifier: Apache-2.0 - a bad disk: what becomes of writes and syncs. */
#include "node/faults_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"
#include "node/clock.h"

struct ord_faults_disk {
	uv_mutex_t mutex; /* guards what follows */
	uv_cond_t changed;
	struct ord_faults_disk_rule rule;
	struct ord_faults_disk_counts counts;
};

int ord_faults_disk_open(struct ord_faults_disk **ret)
{
	struct ord_faults_disk *f = calloc(1, sizeof *f);
	if (f == NULL)
		return ORD_ERR_NOMEM;
	ORD_ASSERT(uv_mutex_init(&f->mutex) == 0 && uv_cond_init(&f->changed) == 0);
	*ret = f;
	return ORD_OK;
}

void ord_faults_disk_close(struct ord_faults_disk *f)
{
	if (f == NULL)
		return;
	uv_cond_destroy(&f->changed);
	uv_mutex_destroy(&f->mutex);
	free(f);
}

static bool rule_equal(const struct ord_faults_disk_rule *a, const struct ord_faults_disk_rule *b)
{
	return a->slow_ms == b->slow_ms && a->error == b->error && a->full == b->full;
}

void ord_faults_disk_set(struct ord_faults_disk *f, const struct ord_faults_disk_rule *rule)
{
	uv_mutex_lock(&f->mutex);
	if (!rule_equal(&f->rule, rule)) {
		f->rule = *rule;
		f->counts = (struct ord_faults_disk_counts){0};
		uv_cond_broadcast(&f->changed);
	}
	uv_mutex_unlock(&f->mutex);
}

void ord_faults_disk_get(struct ord_faults_disk *f, struct ord_faults_disk_rule *ret_rule,
			 struct ord_faults_disk_counts *ret_counts)
{
	uv_mutex_lock(&f->mutex);
	*ret_rule = f->rule;
	*ret_counts = f->counts;
	uv_mutex_unlock(&f->mutex);
}

bool ord_faults_disk_write(struct ord_faults_disk *f, bool needs_room)
{
	int number = 0;
	if (f == NULL)
		return true;
	uv_mutex_lock(&f->mutex);
	if (f->rule.error) {
		f->counts.failed++;
		number = EIO;
	} else if (f->rule.full && needs_room) {
		f->counts.refused++;
		number = ENOSPC;
	}
	uv_mutex_unlock(&f->mutex);
	if (number != 0)
		errno = number;
	return number == 0;
}

/* Waits until that time, or until another rule is in force. */
static void slow_wait(struct ord_faults_disk *f, uint64_t until_us)
{
	uint32_t slow_ms = f->rule.slow_ms;
	for (uint64_t now_us = ord_clock_monotonic_us(); now_us < until_us && f->rule.slow_ms == slow_ms;
	     now_us = ord_clock_monotonic_us())
		uv_cond_timedwait(&f->changed, &f->mutex, (until_us - now_us) * 1000);
}

bool ord_faults_disk_sync(struct ord_faults_disk *f)
{
	if (f == NULL)
		return true;
	uv_mutex_lock(&f->mutex);
	if (f->rule.slow_ms > 0) {
		f->counts.slowed++;
		slow_wait(f, ord_clock_monotonic_us() + (uint64_t)f->rule.slow_ms * 1000);
	}
	bool failed = f->rule.error;
	f->counts.failed += failed;
	uv_mutex_unlock(&f->mutex);
	if (failed)
		errno = EIO;
	return !failed;
}

bool ord_faults_disk_is_full(struct ord_faults_disk *f)
{
	if (f == NULL)
		return false;
	uv_mutex_lock(&f->mutex);
	bool full = f->rule.full;
	uv_mutex_unlock(&f->mutex);
	return full;
}
