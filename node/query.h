/* SPDX-License-Identifier: Apache-2.0 - reads of one partition as bytes, so that they can travel to its leader, and their answers as MessagePack. */
#ifndef ORD_NODE_QUERY_H
#define ORD_NODE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "partition/partition.h"

enum ord_query_kind { ORD_QUERY_ACCOUNT = 1, ORD_QUERY_HISTORY = 2, ORD_QUERY_REQUEST = 3, ORD_QUERY_NAME = 4 };

struct ord_query {
	enum ord_query_kind kind;
	uint32_t limit;		    /* HISTORY: 1 .. ORD_HISTORY_ITEMS_MAX */
	struct ord_slice account;   /* ACCOUNT, HISTORY */
	uint64_t from;		    /* HISTORY: first posting number */
	struct ord_uuid request_id; /* REQUEST */
	struct ord_slice space;	    /* NAME */
	struct ord_slice name;	    /* NAME */
	bool may_be_stale; /* any replica may answer, and says what it has seen; that it finds nothing is no answer */
};

void ord_query_encode(const struct ord_query *q, struct ord_bytes *out);

/* Whether the query that was encoded may be stale. */
bool ord_query_may_be_stale(struct ord_slice query);

/* Decodes the query, reads p and appends the result as one MessagePack map (docs/protocol.md). ORD_OK, ORD_ERR_NOT_FOUND, ORD_ERR_FORMAT;
 * out is as before then. */
int ord_query_run(struct ord_slice query, struct ord_partition *p, uint32_t partition, struct ord_bytes *out);

#endif
