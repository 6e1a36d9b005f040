/* SPDX-License-Identifier: Apache-2.0 - checker: nodes that ran into a bug: failed assertions, reports of sanitizers, cores. The one that looks at files, not at the history. */
#ifndef ORD_JEPSEN_CHECKERS_LOGS_H
#define ORD_JEPSEN_CHECKERS_LOGS_H

#include "jepsen/verdict.h"

struct ord_logs_options {
	const char *
		dir; /* searched with all that lies below, at most 8 deep; files that end in .log are read, files named core or core.* are found */
	const char *const *
		allowed; /* lines that contain one of these are no finding; NULL at the end; may be NULL: for faults that nodes must die of */
};

/* Rules, all invalid: `assertion`, `sanitizer`, `fatal`, `core`; each names file and line. `no-logs`: unknown. Figures: :files, :lines, :bytes. ORD_ERR_IO when dir cannot be read, ORD_ERR_NOMEM. */
int ord_check_logs(const struct ord_logs_options *options, struct ord_verdict *ret);

#endif
