/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log's files: struct ord_io on a directory, with a thread that writes and syncs. */
#ifndef ORD_NODE_DISK_H
#define ORD_NODE_DISK_H

#include <stdint.h>
#include <uv.h>

#include "raft/io.h"

struct ord_disk;
struct ord_faults_disk;

/* What the owner is told, on the loop's thread: that a write, or a removal, has ended, with ORD_OK, ORD_ERR_IO or ORD_ERR_NO_SPACE; ord_disk_error_text then
 * tells more. A write for which there is no room does not end until there is, or until ord_disk_stop: then with ORD_ERR_NO_SPACE. */
struct ord_disk_events {
	void *ctx; /* borrowed; first argument of all */
	void (*synced)(void *ctx, int status);
	void (*removed)(void *ctx, int status);
	void (*starves)(void *ctx, const char *what); /* a write begins to wait for room: names the file. May be NULL */
	/* The file system refuses direct writes (O_DIRECT): they go through its page cache. Once. May be NULL. */
	void (*cached)(void *ctx);
	/* On the writer's thread: what was written is synced, and that is not told yet. An error is told instead. May be NULL. */
	int (*stored)(void *ctx);
	struct ord_faults_disk *faults; /* borrowed; what fails on purpose, NULL: nothing */
};

/* Starts the threads for segment files in directory. Segments are made segment_bytes long, or up to a block of 4 KiB longer. ORD_ERR_IO, ORD_ERR_NOMEM. The caller owns *ret. */
int ord_disk_open(uv_loop_t *loop, const char *directory, uint64_t segment_bytes, const struct ord_disk_events *events,
		  struct ord_disk **ret);

/* The interface; valid until stop. */
struct ord_io ord_disk_io(struct ord_disk *d);

/* Whether segments are prepared ahead, of removed ones where there are any, as they are at first. Where room is short the one that is written grows as it is needed, unless
 * a file is there for it; of removed ones one is kept at most. */
void ord_disk_prepare(struct ord_disk *d, bool prepares);

/* What went wrong in the write or removal that failed: names the file. Never NULL. */
const char *ord_disk_error_text(const struct ord_disk *d);

/* Waits for the write under way and for a removal that has begun (synced and removed are called for them), ends the threads, then calls stopped from the loop and frees d. */
void ord_disk_stop(struct ord_disk *d, void (*stopped)(void *ctx), void *ctx);

#endif
