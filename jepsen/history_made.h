/* SPDX-License-Identifier: Apache-2.0 - inside of a history: how operations are added. For history.c and history_read.c. */
#ifndef ORD_JEPSEN_HISTORY_MADE_H
#define ORD_JEPSEN_HISTORY_MADE_H

#include "jepsen/history.h"

#define ORD_JEPSEN_FS_MAX 256 /* different fs of a history: a program's list, not its data */

struct ord_jepsen_thread {
	int32_t process;
	uint32_t asked; /* its invocation without completion; ORD_JEPSEN_NONE */
};

struct ord_jepsen_maker {
	const char *fs[ORD_JEPSEN_FS_MAX]; /* in the history's pool */
	uint32_t fs_count;
	uint32_t threads_count;
	struct ord_jepsen_thread threads[];
};

/* The one address for f. NULL when there are too many, or no memory (then the pool has failed). */
const char *ord_jepsen_f(struct ord_jepsen_history *h, struct ord_slice f);

/* Adds the operation as it is. ORD_ERR_TOO_BIG, ORD_ERR_NOMEM; also when the pool failed. */
int ord_jepsen_add(struct ord_jepsen_history *h, const struct ord_jepsen_op *op);

#endif
