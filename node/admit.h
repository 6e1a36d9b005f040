/* SPDX-License-Identifier: Apache-2.0 - admission at a partition's leader: what waits is collected into entries; who waits is kept beside them. */
#ifndef ORD_NODE_ADMIT_H
#define ORD_NODE_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "node/bounds.h"
#include "node/shard.h"
#include "partition/command.h"

/* Who waits for one client command of a batch. waiter NULL: nobody any more. */
struct ord_ticket {
	struct ord_waiter *waiter; /* borrowed */
	uint64_t deadline_ms;
	struct ord_uuid request_id;
	uint32_t item;
	enum ord_wait wait;
	bool resent; /* another leader had it before and did not answer: it may be logged, whatever becomes of this one */
};

/* One entry to be, or under way: its bytes, and who waits. tickets stand in the order of the entry's client commands. */
struct ord_batch {
	struct ord_batch *next;
	struct ord_bytes entry;
	uint32_t commands_count;
	struct ord_ticket *tickets; /* owned */
	size_t tickets_count;
	size_t tickets_capacity;
	uint32_t *sources; /* owned: partitions whose messages are in it */
	size_t sources_count;
	size_t sources_capacity;
	uint64_t opened_ms; /* when its first command came */
	uint64_t deadline_min_ms;
	uint64_t index; /* once proposed */
	uint64_t term;
};

/* Batches; the last one is open for more, the first is proposed next. */
struct ord_admit_queue {
	struct ord_batch *first; /* owned, each too */
	struct ord_batch *last;
	uint64_t bytes; /* of commands */
};

/* What is under way between partitions goes before what clients ask for, in the same entry when there is room: what was begun is finished first, and past saturation the time of a transfer does not grow by three queues. */
struct ord_admit {
	const struct ord_bounds *bounds; /* borrowed */
	struct ord_batch *back;		 /* owned; could not be proposed, goes first; NULL: none */
	struct ord_admit_queue internal;
	struct ord_admit_queue clients;
	bool clients_next;	 /* the last one had no client's command in it, though some waited */
	struct ord_batch *spare; /* owned: batches for use again */
	size_t spare_count;
	uint64_t commands_count; /* in both queues */
};

void ord_admit_init(struct ord_admit *a, const struct ord_bounds *bounds);

/* Frees everything; nobody is answered: the owner has done that. */
void ord_admit_close(struct ord_admit *a);

/* Adds a client's command. ORD_ERR_BUSY when as much waits as the bounds allow, or the first that waits has waited so long that this one would come too late: longer than the bounds allow, or than half of the time that the
 * ticket has left. So what is worked on is what somebody still waits for. */
int ord_admit_command(struct ord_admit *a, const struct ord_command *c, const struct ord_ticket *ticket,
		      uint64_t now_ms);

/* Adds a DELIVER, TRIM or EXPIRE; never refused: its sender bounds it. */
void ord_admit_internal(struct ord_admit *a, const struct ord_command *c);

/* A finished entry of that one command, for the node's own use, with that time: past the queue. To be recycled. */
struct ord_batch *ord_admit_alone(struct ord_admit *a, const struct ord_command *c, uint64_t time_us);

/* True when something waits to be proposed. */
static inline bool ord_admit_waiting(const struct ord_admit *a)
{
	return a->back != NULL || a->internal.first != NULL || a->clients.first != NULL;
}

/* Takes what is to be proposed next, finished, with that time. Asserts ord_admit_waiting. */
struct ord_batch *ord_admit_take(struct ord_admit *a, uint64_t time_us);

/* Puts the batch that was taken last and could not be proposed back in front. */
void ord_admit_untake(struct ord_admit *a, struct ord_batch *b);

/* Calls each with every batch that waits. */
void ord_admit_each(const struct ord_admit *a, void (*each)(void *ctx, struct ord_batch *b), void *ctx);

/* The batch is answered and done with. */
void ord_admit_recycle(struct ord_admit *a, struct ord_batch *b);

#endif
