/* SPDX-License-Identifier: Apache-2.0 - inside of the checker of order: ids with their positions, and the commands of the nodes' logs. For order.c, order_logs.c and order_pieces.c. */
#ifndef ORD_JEPSEN_CHECKERS_ORDER_PARTS_H
#define ORD_JEPSEN_CHECKERS_ORDER_PARTS_H

#include "jepsen/checkers/numbering.h"
#include "jepsen/verdict.h"

struct ord_order_id {
	uint32_t number;
	uint32_t asked_op; /* first invocation; ORD_JEPSEN_NONE: it is known from a log or an answer alone */
	uint32_t told_op;  /* the completion that first told its position; ORD_JEPSEN_NONE */
	uint32_t asked_count;
	uint32_t failed_count; /* of these, the ones that were certainly not logged */
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

/* A piece of a node's log of a partition: offsets from .. end - 1. */
struct ord_order_piece {
	uint32_t partition;
	uint32_t node;
	int64_t from;
	int64_t end;
	uint32_t op;
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
	struct ord_order_piece *pieces; /* owned */
	uint32_t pieces_count;
	uint32_t pieces_capacity;
	uint64_t acknowledged_count;
	uint64_t partitions_count; /* in which a position was told */
	uint64_t replicas_count;
	uint64_t compared_count;
	uint64_t found_count; /* acknowledged ids that a log has */
};

/* Takes a piece of a log from an answer to :log. ORD_ERR_NOMEM. */
int ord_order_take_log(struct ord_order *o, uint32_t index);

/* Compares all logs with each other and with the positions that were told. */
void ord_order_look_at_logs(struct ord_order *o);

/* Keeps how far a piece of a log reaches. ORD_ERR_NOMEM. */
int ord_order_take_piece(struct ord_order *o, const struct ord_order_piece *piece);

/* Whether all logs were read, and reach to what was acknowledged. */
void ord_order_look_at_pieces(struct ord_order *o);

#endif
