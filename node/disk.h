/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log's files: struct ord_io on a directory, with a thread that writes and syncs. */
#ifndef ORD_NODE_DISK_H
#define ORD_NODE_DISK_H

#include <stdint.h>
#include <uv.h>

#include "raft/io.h"

struct ord_disk;

/* Starts the threads for segment files in directory. synced is called on the loop's thread after each write has ended, with ORD_OK, ORD_ERR_IO or
 * ORD_ERR_NO_SPACE; errno_text then tells more. Segments are made segment_bytes long. ORD_ERR_IO, ORD_ERR_NOMEM. The caller owns *ret. */
int ord_disk_open(uv_loop_t *loop, const char *directory, uint64_t segment_bytes, void (*synced)(void *ctx, int status),
		  void *ctx, struct ord_disk **ret);

/* The interface; valid until stop. */
struct ord_io ord_disk_io(struct ord_disk *d);

/* What went wrong in the write that failed: names the file. Never NULL. */
const char *ord_disk_error_text(const struct ord_disk *d);

/* Waits for the write in flight (synced is called for it), ends the threads, then calls stopped from the loop and frees d. */
void ord_disk_stop(struct ord_disk *d, void (*stopped)(void *ctx), void *ctx);

#endif
