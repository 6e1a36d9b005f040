/* SPDX-License-Identifier: Apache-2.0 - one request of a client under way: what it asked of the shard, the answers so far, the reply. */
#ifndef ORD_NODE_CALL_H
#define ORD_NODE_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "client/rpc.h"
#include "node/ask.h"
#include "node/methods.h"
#include "node/shard.h"

struct ord_config;
struct ord_call;

/* Something asked of all shards that is under way, and who asked. */
struct ord_asking {
	struct ord_ask ask;
	void (*done)(struct ord_asking *a); /* with what came of it; frees *a */
	void *ctx;
};

/* What all calls of a listener share. Filled in by its owner; calls_free is private. */
struct ord_calls {
	const struct ord_config *config;  /* borrowed */
	struct ord_shard *shard;	  /* borrowed */
	uint64_t started_ms;		  /* by ord_shard_now_ms */
	const atomic_uint *clients_count; /* borrowed; of the node, for `status` */

	/* Asks all shards of the node, and calls a->done on this thread; NULL: this is the only one. */
	void (*ask)(void *ctx, struct ord_asking *a);
	void *ask_ctx;

	/* The last answer of c is there: the owner packs the reply and frees the call. */
	void (*done)(struct ord_call *c);

	struct ord_call *free_calls; /* owned; calls of one item, to be used again */
	uint32_t free_count;
};

/* What came of one item; about a batch of 10,000 this is 560 KB. */
struct ord_call_item {
	struct ord_uuid id; /* COMMAND, BATCH */
	uint64_t position;
	const char *field;	 /* a literal or NULL, as in ord_result */
	uint32_t partition;	 /* of the answer */
	uint32_t retry_after_ms; /* with ORD_ERR_BUSY and ORD_ERR_NOT_LEADER */
	uint32_t fault_offset;	 /* an item that was never submitted: where its error map stands in call.bytes */
	uint32_t fault_len;	 /* 0: it was submitted */
	uint16_t reason;	 /* enum ord_refusal */
	int8_t err;		 /* of the answer */
	uint8_t status;		 /* enum ord_status */
	bool replayed;
	bool has_id;
};

struct ord_call {
	struct ord_waiter waiter;
	struct ord_calls *calls;
	void *owner;		    /* who gets the reply; NULL when it went away */
	struct ord_call *next;	    /* the owner's list, or the list of free calls */
	struct ord_call **previous; /* where the pointer to this call stands in the owner's list */
	const struct ord_method *method;
	uint32_t rpc_id;
	uint32_t items_count;
	uint32_t items_left;	/* not answered yet */
	struct ord_bytes bytes; /* BATCH: error maps of items that were not submitted; READ: the result */
	struct ord_call_item items[];
};

/* Takes a request message. Answers at once into out what can be (faults, `cluster`, `status`, a batch without one good item) and returns NULL;
 * else hands it to the shard and returns the call, which ends with calls->done. The message is not needed afterwards. */
struct ord_call *ord_call_take(struct ord_calls *calls, const struct ord_rpc_message *m, void *owner,
			       struct ord_bytes *out);

/* Appends the answer of a call whose items are all answered. */
void ord_call_reply(const struct ord_call *c, struct ord_bytes *out);

void ord_call_free(struct ord_call *c);

/* Frees the calls that are kept for use again. No call may be under way. */
void ord_calls_close(struct ord_calls *calls);

#endif
