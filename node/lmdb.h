/* SPDX-License-Identifier: Apache-2.0 - the states of partitions in LMDB: one environment each, and a thread that writes checkpoints. */
#ifndef ORD_NODE_LMDB_H
#define ORD_NODE_LMDB_H

#include <stdint.h>
#include <uv.h>

#include "node/states.h"

struct ord_lmdb;

/* Starts the thread for environments below directory, which is made when it is not there. written is called on the loop's thread after each write, as ord_states.write says; ord_lmdb_error_text then tells more. ORD_ERR_IO and ORD_ERR_NO_SPACE with errno, ORD_ERR_NOMEM. The
 * caller owns *ret. */
int ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
		  void (*written)(void *ctx, uint32_t partition, int status), void *ctx, struct ord_lmdb **ret);

/* The interface; valid until stop. */
struct ord_states ord_lmdb_states(struct ord_lmdb *l);

/* What went wrong in the write that failed: names the file. Never NULL. */
const char *ord_lmdb_error_text(const struct ord_lmdb *l);

/* Bytes of all files. */
uint64_t ord_lmdb_disk_bytes(const struct ord_lmdb *l);

/* Waits for the write under way (written is called for it), ends the thread, closes the environments, then calls stopped from the loop and frees l. Nobody may use the stores any more. */
void ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx);

#endif
