/* SPDX-License-Identifier: Apache-2.0 - what is asked of a whole node: of each of its shards, one after the other, each on its own thread; and what they say together. */
#ifndef ORD_NODE_ASK_H
#define ORD_NODE_ASK_H

#include <msgpack.h>
#include <stdint.h>

#include "base/limits.h"
#include "node/faults.h"
#include "node/methods.h"
#include "node/report.h"
#include "node/shard.h"

struct ord_config;

struct ord_ask {
	enum ord_method_kind kind;
	uint32_t shards_count;
	uint8_t account[ORD_ACCOUNT_ID_BYTES_MAX]; /* SPOIL, likewise below */
	size_t account_bytes;
	int64_t delta;
	struct ord_faults_order order;	 /* FAULT */
	struct ord_faults_status faults; /* what all have said; FAULT and FAULTS */
	struct ord_report *reports;	 /* owned, by shard; STATUS and SCRUB */
	uint64_t uptime_ms;		 /* when it was asked; STATUS */
	uint32_t visited_count;
	int err; /* what came of it, ORD_OK until something did: ORD_ERR_NOT_FOUND (SPOIL: no such account there), ORD_ERR_NOT_LEADER (a shard has stopped), ORD_ERR_NOMEM */
};

/* kind is one of those from STATUS on. ORD_ERR_NOMEM. */
int ord_ask_open(struct ord_ask *a, enum ord_method_kind kind, uint32_t shards_count);
void ord_ask_close(struct ord_ask *a);

/* One shard does its part; they are visited in order. s is NULL when it has stopped, or is about to. */
void ord_ask_visit(struct ord_ask *a, struct ord_shard *s);

/* Appends the result, when all were visited and err is ORD_OK. */
void ord_ask_put(const struct ord_ask *a, const struct ord_config *config, uint32_t clients_count, msgpack_packer *p);

#endif
