/* SPDX-License-Identifier: Apache-2.0 - one TCP connection to a node: bytes that are appended go out once a turn of the loop, messages come in. */
#ifndef ORD_CLIENT_LINK_H
#define ORD_CLIENT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "client/rpc.h"
#include "client/topology.h"

typedef struct uv_loop_s uv_loop_t;

struct ord_link;

/* Called from the loop only, never from inside a function of this file. */
struct ord_link_events {
	void *ctx; /* borrowed; first argument of all */
	void (*up)(void *ctx);
	void (*message)(void *ctx, const struct ord_rpc_message *m);
	/* The last event, always: the link is freed. why is what went wrong, for a person; NULL after ord_link_close. */
	void (*gone)(void *ctx, const char *why);
};

/* Begins to resolve and connect. ORD_ERR_NOMEM, ORD_ERR_IO: then no event comes. */
int ord_link_open(uv_loop_t *loop, const struct ord_endpoint *to, const struct ord_link_events *events,
		  struct ord_link **ret);

/* Ends it; of the events only gone comes after this. May be called more than once. */
void ord_link_close(struct ord_link *l);

/* Ends it as a failure: gone is told why. Does nothing when it is ending already. */
void ord_link_fail(struct ord_link *l, const char *why);

/* Append whole requests here; bounded by ORD_CONNECTION_OUTPUT_BYTES_MAX. Bytes that are appended after the end of the link go nowhere. */
struct ord_bytes *ord_link_output(struct ord_link *l);

/* Hands what was appended to the kernel, unless an earlier write is not done: then flush again next turn. */
void ord_link_flush(struct ord_link *l);

/* Bytes ever appended; of those, bytes that the kernel may have seen. */
uint64_t ord_link_appended_bytes(const struct ord_link *l);
uint64_t ord_link_sent_bytes(const struct ord_link *l);

#endif
