/* SPDX-License-Identifier: Apache-2.0 - the states of partitions in LMDB: one environment each, a thread that writes checkpoints, and one that makes copies and checks. */
#ifndef ORD_NODE_LMDB_H
#define ORD_NODE_LMDB_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "node/states.h"

struct ord_lmdb;
struct ord_faults_disk;

/* All on the loop's thread. ord_lmdb_error_text tells more when a status is none of ORD_OK and ORD_ERR_NO_SPACE. */
struct ord_lmdb_events {
	void *ctx; /* borrowed; first argument of all */
	/* A write has ended, as ord_states.write says. */
	void (*written)(void *ctx, uint32_t partition, int status);
	/* Pairs have been gathered; they are valid during the call. is_last: there are no more behind them. */
	void (*copied)(void *ctx, unsigned copy, int status, const struct ord_changes *pairs, bool is_last);
	/* A piece has been checked. */
	void (*scrubbed)(void *ctx, uint32_t partition, int status, const struct ord_pairs_checked *piece);
	/* A step of a copy that comes in has ended. */
	void (*filled)(void *ctx, int status);
	struct ord_faults_disk *faults; /* borrowed; what fails on purpose, NULL: nothing */
};

/* Starts the threads for environments below directory, which is made when it is not there. ORD_ERR_IO and ORD_ERR_NO_SPACE with errno, ORD_ERR_NOMEM. The
 * caller owns *ret. */
int ord_lmdb_open(uv_loop_t *loop, const char *directory, uint32_t partitions_count,
		  const struct ord_lmdb_events *events, struct ord_lmdb **ret);

/* The interface; valid until stop. */
struct ord_states ord_lmdb_states(struct ord_lmdb *l);

/* What went wrong in the write or copy that failed: names the file. Never NULL. */
const char *ord_lmdb_error_text(const struct ord_lmdb *l);

/* Bytes of all files. */
uint64_t ord_lmdb_disk_bytes(const struct ord_lmdb *l);

/* Waits for what is under way (the events are told), ends the threads, closes the environments, then calls stopped from the loop and frees l. Nobody may use the stores any more. */
void ord_lmdb_stop(struct ord_lmdb *l, void (*stopped)(void *ctx), void *ctx);

#endif
