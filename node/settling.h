/* SPDX-License-Identifier: Apache-2.0 - who waits for the outcome of a transfer that is logged: found by request id, given up by deadline. */
#ifndef ORD_NODE_SETTLING_H
#define ORD_NODE_SETTLING_H

#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "base/uuid.h"
#include "node/shard.h"

/* A hashed timing wheel (Varghese and Lauck, SOSP 1987, scheme 6) over the deadlines: one turn is longer than ORD_WAIT_MS_MAX. */
#define ORD_SETTLING_SLOTS 256
#define ORD_SETTLING_SLOT_MS 256

struct ord_settling_wait;

struct ord_settling {
	struct ord_table table;
	struct ord_settling_wait *slots[ORD_SETTLING_SLOTS]; /* owned */
	struct ord_settling_wait *spare;		     /* owned */
	size_t spare_count;
	uint64_t swept_ms; /* deadlines up to here have been looked at */
	uint32_t partition;
};

/* ORD_ERR_NOMEM. */
int ord_settling_open(struct ord_settling *s, uint32_t partition, uint64_t now_ms);

/* Frees everything; asserts that nobody waits. */
void ord_settling_close(struct ord_settling *s);

/* Adds one who waits; result is what was told of the request when it was logged. */
void ord_settling_add(struct ord_settling *s, const struct ord_uuid *id, const struct ord_result *result,
		      uint64_t deadline_ms, struct ord_waiter *w, uint32_t item);

/* Answers all who wait for id with result (each with the replayed mark of its own call). */
void ord_settling_outcome(struct ord_settling *s, const struct ord_uuid *id, const struct ord_result *result);

/* The same for the outcomes of an entry, in their order. */
void ord_settling_outcomes(struct ord_settling *s, const struct ord_outcome *outcomes, size_t count);

/* Answers all whose deadline is over: ORD_OK with the status as logged. */
void ord_settling_expire(struct ord_settling *s, uint64_t now_ms);

/* Answers all with err: leadership is lost, or the node stops. */
void ord_settling_fail(struct ord_settling *s, int err);

static inline uint64_t ord_settling_count(const struct ord_settling *s)
{
	return s->table.count;
}

#endif
