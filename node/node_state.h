/* SPDX-License-Identifier: Apache-2.0 - the inside of a node, for node/node*.c alone. */
#ifndef ORD_NODE_NODE_STATE_H
#define ORD_NODE_NODE_STATE_H

#include <stdatomic.h>

#include "base/limits.h"
#include "node/call.h"
#include "node/config.h"
#include "node/mailbox.h"
#include "node/node.h"

struct ord_place;
struct ord_clients;
struct ord_listener;

enum ord_place_state { ORD_PLACE_RUNNING = 0, ORD_PLACE_ENDING, ORD_PLACE_QUIET, ORD_PLACE_CLOSING };

/* Where one shard is. All of it is its thread's, but the box, to which others post, and what stands under the tasks. */
struct ord_place {
	struct ord_node *node; /* borrowed */
	uint32_t number;
	struct ord_config config; /* the shard's */
	uv_loop_t own_loop;
	uv_loop_t *loop; /* own_loop, or the node's */
	uv_thread_t thread;
	bool has_loop;
	bool has_thread;
	enum ord_place_state state;
	struct ord_shard *shard;     /* owned; NULL: not started, or stopped */
	struct ord_clients *clients; /* owned; of shard 0 the listener's */
	struct ord_mailbox *box;     /* owned */
	struct ord_tray trays[ORD_SHARDS_MAX];
	uint32_t asks_count; /* under way from here */
	struct ord_task end, quiet, close, closed;
};

struct ord_node {
	struct ord_node_options options;
	struct ord_place *places; /* owned; by shard */
	uint32_t places_count;
	struct ord_listener *listener; /* owned */
	uint32_t next_place;	       /* who gets the next client */
	atomic_uint clients_count;     /* of all shards */
	atomic_uint handed_count;      /* clients on their way from shard 0 to another one */
	/* Shard 0's. */
	uint32_t quiet_count;
	uint32_t closed_count;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* Has a task run at another place, with that place for its ctx, or at once at the same one. */
void ord_place_send_task(struct ord_place *from, struct ord_task *task, struct ord_place *to);

/* Something that was asked from here has come back, or the shard has stopped. */
void ord_place_check_quiet(struct ord_place *p);

/* --- node_threads.c --- */

/* Gives the place a loop: one of its own, when there are threads. ORD_ERR_IO: the system has no descriptors for it. */
int ord_place_loop_open(struct ord_place *p);
void ord_place_begin_thread(struct ord_place *p);
/* Waits until it has ended, and closes the loop. Nothing when there is neither. */
void ord_place_end_thread(struct ord_place *p);
/* Accepts a connection that waits at server, and hands it to a place with another thread. False: not accepted, since too many are on their way, or there is no memory. */
bool ord_place_hand_client(struct ord_place *from, struct ord_place *to, uv_stream_t *server);

/* --- node_ask.c --- */

/* As ord_calls.ask; ctx is the place. */
void ord_place_ask(void *ctx, struct ord_asking *asking);

#endif
