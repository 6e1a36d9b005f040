/* SPDX-License-Identifier: Apache-2.0 - reads that wait at a partition's leader until it is sure that it still is. Inside node/ only. */
#ifndef ORD_NODE_READS_H
#define ORD_NODE_READS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "node/bounds.h"
#include "node/shard.h"
#include "raft/host.h"

/* waiter NULL: nobody any more. */
struct ord_read {
	struct ord_read *next;
	struct ord_waiter *waiter; /* borrowed */
	uint64_t deadline_ms;
	uint32_t item;
	uint32_t query_bytes;
	uint8_t query[];
};

/* Oldest first. */
struct ord_read_list {
	struct ord_read *first; /* owned, each too */
	struct ord_read **end;	/* where the next one goes */
};

/* Reads that may be stale are the caller's in the next turn, whoever leads; they are asked for by nobody. The others:
 * came --ord_reads_ask--> asked --ord_reads_take--> the caller's. What comes while some are asked for waits for the next time: it came after the question. */
struct ord_reads {
	const struct ord_bounds *bounds; /* borrowed */
	struct ord_read_list came;
	struct ord_read_list asked;
	struct ord_read_list stale;
	struct ord_read_point point; /* of those that are asked for */
	size_t count;		     /* of all */
};

void ord_reads_init(struct ord_reads *r, const struct ord_bounds *bounds);

/* Frees everything; nobody is answered: the owner has done that. One that is all zeros is fine. */
void ord_reads_close(struct ord_reads *r);

/* Adds a read; one that may be stale. ORD_ERR_BUSY when as many wait as the bounds allow. The query is copied; asserts that it is no longer than a command. */
int ord_reads_add(struct ord_reads *r, struct ord_slice query, struct ord_waiter *w, uint32_t item,
		  uint64_t deadline_ms);
int ord_reads_add_stale(struct ord_reads *r, struct ord_slice query, struct ord_waiter *w, uint32_t item,
			uint64_t deadline_ms);

/* Some are asked for; some have come and none is. */
static inline bool ord_reads_asked(const struct ord_reads *r)
{
	return r->asked.first != NULL;
}
static inline bool ord_reads_may_ask(const struct ord_reads *r)
{
	return r->came.first != NULL && r->asked.first == NULL;
}

static inline bool ord_reads_have_stale(const struct ord_reads *r)
{
	return r->stale.first != NULL;
}

/* All that came are asked for now, with that point. Asserts ord_reads_may_ask. */
void ord_reads_ask(struct ord_reads *r, const struct ord_read_point *point);

/* Takes the oldest of those that were asked for, NULL when there is none; of those that may be stale; or all there are. To be freed by ord_reads_free. */
struct ord_read *ord_reads_take(struct ord_reads *r);
struct ord_read *ord_reads_take_stale(struct ord_reads *r);
struct ord_read *ord_reads_take_all(struct ord_reads *r);
void ord_reads_free(struct ord_read *first);

#endif
