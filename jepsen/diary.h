/* SPDX-License-Identifier: Apache-2.0 - the history of a run while it is written: by many threads, with the time since the run began. */
#ifndef ORD_JEPSEN_DIARY_H
#define ORD_JEPSEN_DIARY_H

#include <pthread.h>

#include "jepsen/client.h"
#include "jepsen/history.h"

struct ord_diary {
	pthread_mutex_t lock; /* around the history, and whatever else its owner keeps together with it */
	struct ord_jepsen_history history;
	uint64_t zero_ns; /* when the run began */
	int err;	  /* the first that writing it down gave: then the history is not whole */
};

/* ORD_ERR_NOMEM. */
int ord_diary_open(struct ord_diary *d, uint32_t threads_count);
void ord_diary_close(struct ord_diary *d);

void ord_diary_lock(struct ord_diary *d);
void ord_diary_unlock(struct ord_diary *d);

/* With the lock held. */
void ord_diary_invoke(struct ord_diary *d, uint32_t thread, const struct ord_ask *ask);
void ord_diary_complete(struct ord_diary *d, uint32_t thread, const struct ord_told *told);

/* Without it. f is a literal. */
void ord_diary_nemesis(struct ord_diary *d, const char *f, struct ord_edn value, struct ord_edn error);

#endif
