/* SPDX-License-Identifier: Apache-2.0 - the port where clients connect. */
#ifndef ORD_NODE_LISTENER_H
#define ORD_NODE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "node/shard.h"

struct ord_config;
struct ord_listener;
struct ord_clients;

/* Listens where config says. All are borrowed until closed. On error why (why_size bytes) names the address and the remedy:
 * ORD_ERR_IN_USE, ORD_ERR_IO, ORD_ERR_NOMEM. */
int ord_listener_start(uv_loop_t *loop, const struct ord_config *config, struct ord_shard *shard,
		       struct ord_listener **ret, char *why, size_t why_size);

/* Each new connection is offered before it is accepted; true: it was taken from there. */
void ord_listener_offer(struct ord_listener *l, bool (*take)(void *ctx, uv_stream_t *server), void *ctx);

/* Those who were not taken elsewhere. Borrowed. */
struct ord_clients *ord_listener_clients(struct ord_listener *l);

/* The address that it listens on, for people. */
const char *ord_listener_address(const struct ord_listener *l);

/* Takes no more connections and no more requests; what is under way will still be answered. The shard must still be there. */
void ord_listener_end(struct ord_listener *l);

/* After ord_listener_end and when no call is under way any more (the shard has stopped): closes all, frees *l, then calls closed. */
void ord_listener_close(struct ord_listener *l, void (*closed)(void *ctx), void *ctx);

#endif
