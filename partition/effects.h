/* SPDX-License-Identifier: Apache-2.0 - what applying an entry asks the node to do. The processor decides, the node executes. */
#ifndef ORD_PARTITION_EFFECTS_H
#define ORD_PARTITION_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "partition/command.h"

enum ord_status {
	ORD_STATUS_ACCEPTED = 1, /* logged; its outcome is still to come */
	ORD_STATUS_SETTLED = 2,	 /* done, for good */
	ORD_STATUS_REJECTED =
		3, /* refused, for good (or, with ID_REUSED, this call is refused and the first request stands) */
};

/* "accepted", "settled", "rejected". */
const char *ord_status_name(enum ord_status status);

/* What is known of a request. */
struct ord_result {
	enum ord_status status;
	enum ord_refusal reason; /* NONE unless rejected */
	bool replayed;		 /* the request was logged before; this is what was decided then */
	const char *field; /* a literal: with ID_REUSED or ACCOUNT_DIFFERS the first field that differs; else NULL */
	uint64_t position; /* offset, in the partition that was asked, of the command that logged the request */
};

/* The answer to the client command at place command_number (from 0) of the entry. One for each client command, in order. */
struct ord_reply {
	uint32_t command_number;
	struct ord_result result;
};

/* A transfer whose request lives here got its outcome in this entry. Also given when it did so at once (same partition). */
struct ord_outcome {
	struct ord_uuid request_id;
	struct ord_result result;
};

/* A mark was compared with this replica, as it was before the entry: what is the same in both says that nobody went astray since the mark before. */
struct ord_mark_effect {
	bool compared; /* otherwise there was none, or one of another position */
	bool differs;
	struct ord_mark said;
	struct ord_mark found;
};

/* Filled anew by each ord_partition_apply; arrays are owned by the struct and reused. */
struct ord_effects {
	struct ord_reply *replies; /* owned */
	size_t replies_count;
	size_t replies_capacity;
	struct ord_outcome *outcomes; /* owned */
	size_t outcomes_count;
	size_t outcomes_capacity;
	bool outbox_grew; /* there is something new to send to other partitions */
	struct ord_mark_effect mark;
};

void ord_effects_init(struct ord_effects *fx);
void ord_effects_close(struct ord_effects *fx);

/* For the processors. Running out of memory aborts. */
void ord_effects_clear(struct ord_effects *fx);
void ord_effects_add_reply(struct ord_effects *fx, const struct ord_reply *reply);
void ord_effects_add_outcome(struct ord_effects *fx, const struct ord_outcome *outcome);

#endif
