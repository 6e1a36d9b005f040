/* SPDX-License-Identifier: Apache-2.0 - a history as a page: a column a process, a box an operation, a band a fault. */
#ifndef ORD_JEPSEN_TIMELINE_H
#define ORD_JEPSEN_TIMELINE_H

#include "jepsen/storm.h"

#define ORD_TIMELINE_OPS_MAX 6000 /* invocations and completions together: what a browser shows in a moment */
#define ORD_TIMELINE_COLUMNS_MAX 400

/* Writes dir/timeline.html of the first ORD_TIMELINE_OPS_MAX operations. ORD_ERR_IO, with why; ORD_ERR_NOMEM. */
int ord_timeline_write(const char *dir, const char *title, const struct ord_jepsen_history *h,
		       const struct ord_storm *storm, char *why, size_t why_size);

#endif
