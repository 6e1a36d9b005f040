/* SPDX-License-Identifier: Apache-2.0 - inside of the checker of order: ids with their positions, and the commands of the nodes' logs. For order.c and order_logs.c. */
#ifndef ORD_JEPSEN_CHECKERS_ORDER_PARTS_H
#define ORD_JEPSEN_CHECKERS_ORDER_PARTS_H

#include "jepsen/checkers/numbering.h"
#include "jepsen/verdict.h"

struct ord_order_id {
	uint32_t number;
	uint32_t asked_op; /* first invocation; ORD_JEPSEN_NONE: it is known from a log or an answer alone */
	uint32_t told_op;  /* the completion that first told its position; ORD_JEPSEN_NONE */
	uint32_t partition;
	int64_t offset;
};

/* One command of one node's log of one partition. */
struct ord_order_entry {
	uint32_t partition;
	uint32_t node;
	int64_t offset;
	uint32_t command; /* number; ORD_NUMBERING_NONE: it is missing */
	uint32_t op;
	struct ord_edn id; /* nil: it has none */
	bool has_ids;	   /* the log says which commands have ids */
};

struct ord_order {
	const struct ord_jepsen_history *h;
	struct ord_verdict *v;
	struct ord_numbering ids;
	struct ord_order_id *known; /* owned; by number of id */
	uint32_t known_capacity;
	struct ord_numbering commands;
	struct ord_order_entry *entries; /* owned */
	size_t entries_count;
	size_t entries_capacity;
	uint64_t acknowledged_count;
	uint64_t partitions_count;
	uint64_t replicas_count;
	uint64_t compared_count;
	uint64_t found_count; /* acknowledged ids that a log has */
};

/* Takes a piece of a log from an answer to :log. ORD_ERR_NOMEM. */
int ord_order_take_log(struct ord_order *o, uint32_t index);

/* Compares all logs with each other and with the positions that were told. */
void ord_order_look_at_logs(struct ord_order *o);

#endif
