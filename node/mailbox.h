/* SPDX-License-Identifier: Apache-2.0 - what the shards of one node send each other: letters, each from one to another, in order, none lost and none twice, many at a time. */
#ifndef ORD_NODE_MAILBOX_H
#define ORD_NODE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"

/* One shard's. Everything is called on that shard's thread, but post. */
struct ord_mailbox;

struct ord_mailbox_options {
	uv_loop_t *loop;    /* borrowed */
	size_t bytes_max;   /* of letters that were posted and not read yet */
	size_t spare_bytes; /* and so much more of those that must not wait */
	/* A letter has come; body is valid during the call only. It may post, and put into trays. */
	void (*receive)(void *ctx, uint32_t from, uint8_t kind, struct ord_slice body);
	void *ctx; /* borrowed; first argument */
};

/* ORD_ERR_NOMEM. The caller owns *ret. */
int ord_mailbox_open(const struct ord_mailbox_options *options, struct ord_mailbox **ret);

/* Where one shard collects the letters for another one, until it posts them: no more than a buffer. Fill it in with ord_bytes_init and the bytes that it may hold. */
struct ord_tray {
	struct ord_bytes letters; /* owned */
};

/* Adds a letter. False: that would be over what the tray may hold, less spare_bytes, which are kept for letters that are put with fewer; nothing has changed. Asserts that there is memory. */
bool ord_tray_put(struct ord_tray *t, uint32_t from, uint8_t kind, struct ord_slice body, size_t spare_bytes);

/* Posts all letters of the tray, on any thread, and wakes the reader once for all of them. False: as many bytes as may wait do; the tray is as it was, to be posted again later. With is_urgent the
 * spare bytes may be used. */
bool ord_mailbox_post(struct ord_mailbox *m, struct ord_tray *t, bool is_urgent);

/* Letters that were not read are dropped. Nobody may post any more. Calls closed from the loop and frees m. */
void ord_mailbox_close(struct ord_mailbox *m, void (*closed)(void *ctx), void *ctx);

#endif
