/* SPDX-License-Identifier: Apache-2.0 - what the shards of one node send each other: letters, each from one to another, in order, none lost and none twice, many at a time; and tasks. */
#ifndef ORD_NODE_MAILBOX_H
#define ORD_NODE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"

/* One shard's. Everything is called on that shard's thread, but post and send. */
struct ord_mailbox;

/* Something to do on the reader's thread. Embedded by whoever has it; nobody else touches it from when it is sent until it runs, and it may be freed then. */
struct ord_task {
	void (*run)(struct ord_task *task, void *ctx);
	struct ord_task *next; /* the mailbox's */
};

struct ord_mailbox_options {
	uv_loop_t *loop;  /* borrowed */
	size_t bytes_max; /* of letters that were posted and not read yet */
	/* A letter has come; body is valid during the call only. It may post, and put into trays. */
	void (*receive)(void *ctx, uint32_t from, uint8_t kind, struct ord_slice body);
	void *ctx; /* borrowed; first argument, and second one of tasks */
};

/* ORD_ERR_NOMEM. The caller owns *ret. */
int ord_mailbox_open(const struct ord_mailbox_options *options, struct ord_mailbox **ret);

/* Where one shard collects the letters for another one, until it posts them: no more than a buffer. Fill it in with ord_bytes_init and the bytes that it may hold. */
struct ord_tray {
	struct ord_bytes letters; /* owned */
};

/* Adds a letter. False: that would be over what the tray may hold, less spare_bytes, which are kept for letters that are put with fewer; nothing has changed. Asserts that there is memory. */
bool ord_tray_put(struct ord_tray *t, uint32_t from, uint8_t kind, struct ord_slice body, size_t spare_bytes);

/* Posts all letters of the tray, on any thread, and wakes the reader once for all of them. False: as many bytes as may wait do; the tray is as it was, to be posted again later. */
bool ord_mailbox_post(struct ord_mailbox *m, struct ord_tray *t);

/* Has a task run, on any thread: after those that were sent before, and after all letters that were posted before. There is always room; who sends them sees to it that they have an end. */
void ord_mailbox_send(struct ord_mailbox *m, struct ord_task *task);

/* Letters that were not read are dropped. Nobody may post or send any more; asserts that no task waits. Calls closed from the loop and frees m. */
void ord_mailbox_close(struct ord_mailbox *m, void (*closed)(void *ctx), void *ctx);

#endif
