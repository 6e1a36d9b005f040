/* SPDX-License-Identifier: Apache-2.0 - checker: nodes that ran into a bug: failed assertions, reports of sanitizers, cores. The one that looks at files, not at the history. */
#ifndef ORD_JEPSEN_CHECKERS_LOGS_H
#define ORD_JEPSEN_CHECKERS_LOGS_H

#include "jepsen/verdict.h"

struct ord_logs_options {
	const char *
		dir; /* searched with all that lies below, at most 8 deep, links not followed; files that end in .log are read, files named core or core.* are found */
	bool may_stop;		    /* nodes may say that they have to stop: disks were made to fail */
	const char *const *allowed; /* lines that contain one of these are no finding; NULL at the end; may be NULL */
};

/* Rules, all invalid: `assertion`, `sanitizer`, `fatal` (a node that had to stop, unless it may; a fatal signal; a bug that the C library found), `core`; each names file and line.
 * `no-logs`: unknown. Figures: :files, :lines, :bytes, :stops (lines that say so). ORD_ERR_IO when dir or a file cannot be read, ORD_ERR_NOMEM. */
int ord_check_logs(const struct ord_logs_options *options, struct ord_verdict *ret);

#endif
