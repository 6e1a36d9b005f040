/* SPDX-License-Identifier: Apache-2.0 - calls for partitions that are led elsewhere or by nobody: passed on, waited for, answered once. Inside node/ only. */
#ifndef ORD_NODE_FORWARD_H
#define ORD_NODE_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "node/wire.h"

struct ord_engine;
struct ord_forward_call;

struct ord_forward {
	struct ord_engine *engine;	/* borrowed */
	struct ord_table calls;		/* by number */
	struct ord_forward_call *first; /* owned: all calls, oldest first */
	struct ord_forward_call *last;
	uint32_t next_number;
	bool retry; /* something has changed: calls that were sent nowhere may have a way now */
};

/* ORD_ERR_NOMEM. */
int ord_forward_open(struct ord_forward *f, struct ord_engine *e);
void ord_forward_close(struct ord_forward *f);

/* Takes a call (kind SUBMIT or READ; body an encoded command or query, copied). ORD_ERR_BUSY when as many are under way as the bounds allow, or the shard
 * that has the partition has too much to read. */
int ord_forward_take(struct ord_forward *f, enum ord_part_kind kind, uint32_t partition, enum ord_wait wait,
		     struct ord_slice body, uint64_t deadline_ms, struct ord_waiter *w, uint32_t item);

/* Tries again the calls that were sent nowhere. */
void ord_forward_retry(struct ord_forward *f);

/* An ANSWER came from a node. Unknown numbers are ignored: their waiters have been answered. */
void ord_forward_answer(struct ord_forward *f, uint32_t from, uint32_t number, const struct ord_answer *a);

/* The connection to a node is lost: what was sent there is answered ORD_ERR_UNKNOWN (reads are tried again). */
void ord_forward_peer_lost(struct ord_forward *f, uint32_t node);

/* What is sent to a node takes another way from now on: what was sent there and not answered is sent again, as after a change of leaders. */
void ord_forward_rerouted(struct ord_forward *f, uint32_t node);

/* Answers what has waited too long. */
void ord_forward_expire(struct ord_forward *f, uint64_t now_ms);

/* Answers everything: the node stops. */
void ord_forward_fail(struct ord_forward *f);

#endif
