/* SPDX-License-Identifier: Apache-2.0 - all client connections of a listener: what they share, and their common turns. */
#ifndef ORD_NODE_CLIENTS_H
#define ORD_NODE_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "node/call.h"
#include "node/log.h"

struct ord_client_conn;

/* Where bytes go that nobody will look at any more. */
#define ORD_CLIENTS_SCRATCH_BYTES 4096

/* Answers are collected and written once in a turn of the loop: `flush` runs before the loop waits. A connection that has something to write, or
 * may be read again, stands in the awake list; while that is not empty, `keep_awake` keeps the loop from waiting. `sweep` finds what takes too long. */
struct ord_clients {
	uv_loop_t *loop;       /* borrowed */
	uint32_t clients_max;  /* of the node, likewise total */
	atomic_uint *total;    /* borrowed; connections of all its shards */
	atomic_uint own_total; /* when there is one shard */
	struct ord_calls calls;
	uv_prepare_t flush;
	uv_idle_t keep_awake;
	uv_timer_t sweep;
	struct ord_client_conn *first; /* all of them */
	struct ord_client_conn *awake_first;
	uint32_t conns_count; /* those that are being turned away too */
	struct ord_log_limit log_limit;
	uint32_t handles_open;
	bool resumed; /* in this turn requests were taken from connections that had paused */
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
	char scratch[ORD_CLIENTS_SCRATCH_BYTES];
};

/* Fills *c in; config and shard are borrowed. Cannot fail. */
void ord_clients_init(struct ord_clients *c, uv_loop_t *loop, const struct ord_config *config, struct ord_shard *shard);

/* The node has other shards, which share the count of connections. To be called before the first one comes. */
void ord_clients_share(struct ord_clients *c, atomic_uint *total);

/* From now on no request is taken; what is under way is answered, then each connection is closed. The shard must still be there. */
void ord_clients_end(struct ord_clients *c);

/* Writes what can be written at once, closes all, then calls closed. No call may be under way any more; the shard may be gone. */
void ord_clients_close(struct ord_clients *c, void (*closed)(void *ctx), void *ctx);

/* For client_conn.c: a connection is there; it is gone; something has been put into the awake list. */
void ord_clients_come(struct ord_clients *c);
void ord_clients_gone(struct ord_clients *c);
void ord_clients_keep_awake(struct ord_clients *c);

#endif
