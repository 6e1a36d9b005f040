/* SPDX-License-Identifier: Apache-2.0 - a thread that does jobs which may wait for a disk, one after the other, and tells the loop. */
#ifndef ORD_NODE_WORKER_H
#define ORD_NODE_WORKER_H

#include <uv.h>

struct ord_worker;

/* Embedded by whoever has work. Nobody else may touch it between give and done. */
struct ord_worker_job {
	struct ord_worker_job *next;
	void (*work)(struct ord_worker_job *job); /* on the thread */
	void (*done)(struct ord_worker_job *job); /* on the loop's thread, in the order in which the jobs were given */
};

/* ORD_ERR_NOMEM. The caller owns *ret. */
int ord_worker_start(uv_loop_t *loop, struct ord_worker **ret);

/* Never blocks. */
void ord_worker_give(struct ord_worker *w, struct ord_worker_job *job);

/* Waits until all jobs are done (done is called for each), ends the thread, then calls stopped from the loop and frees w. */
void ord_worker_stop(struct ord_worker *w, void (*stopped)(void *ctx), void *ctx);

#endif
