/* SPDX-License-Identifier: Apache-2.0 - the inside of a shard, for node/shard*.c alone. */
#ifndef ORD_NODE_SHARD_STATE_H
#define ORD_NODE_SHARD_STATE_H

#include <uv.h>

#include "base/histogram.h"
#include "node/clock.h"
#include "node/config.h"
#include "node/shard.h"

struct ord_shard {
	uv_loop_t *loop;		    /* borrowed */
	const struct ord_config *config;    /* borrowed */
	struct ord_datadir *datadir;	    /* owned */
	struct ord_gauge *gauge;	    /* owned */
	struct ord_disk *disk;		    /* owned */
	struct ord_lmdb *lmdb;		    /* owned */
	struct ord_history *history;	    /* owned */
	struct ord_peers *peers;	    /* owned */
	struct ord_engine *engine;	    /* owned */
	struct ord_faults_disk *faults;	    /* owned; NULL without enable_faults */
	struct ord_shard_siblings siblings; /* none: all NULL */
	struct ord_clock clock;
	struct ord_histogram turns_us;
	struct ord_histogram works_us; /* of the turns what a processor worked */
	struct ord_histogram keeps_us; /* of that what checkpoints took */
	uv_timer_t tick;
	uv_check_t check;
	uv_idle_t idle; /* active while the engine has more to do */
	unsigned handles_count;
	bool is_held; /* it has siblings, which are not all there yet: no turns */
	bool fatal_told;
	bool stopping;
	void (*fatal)(void *ctx, int err, const char *why);
	void *fatal_ctx;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

#endif
