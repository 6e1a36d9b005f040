/* SPDX-License-Identifier: Apache-2.0 - struct ord_history. For history.c and history_open.c only. */
#ifndef ORD_NODE_HISTORY_STATE_H
#define ORD_NODE_HISTORY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "node/history.h"
#include "partition/block_codec.h"

/* Where the next block of a partition goes. The writer's own. */
struct ord_history_place {
	struct ord_block_end end;
	uint64_t volume; /* number of the file; 0: none yet */
	uint64_t offset; /* its length */
};

struct ord_history_job {
	struct ord_history_job *next;
	struct ord_block_raw raw; /* owned */
	uint64_t content_bytes;
	int status;
};

/* First in, first out. */
struct ord_history_jobs {
	struct ord_history_job *first;
	struct ord_history_job **end; /* where the next one is linked in */
};

struct ord_history {
	struct ord_history_options options;
	char directory[4096];
	int dir_fd;
	struct ord_history_found *found; /* owned; one for each partition, as all arrays here */
	uv_async_t done_signal;
	uv_thread_t writer;
	uv_mutex_t mutex; /* guards what follows */
	uv_cond_t changed;
	bool stopping;
	struct ord_history_jobs waiting;
	struct ord_history_jobs done;
	/* The writer's own; before it is started, the opener's. */
	struct ord_history_place *places; /* owned */
	struct ord_block_codec *codec;	  /* owned */
	struct ord_bytes bytes;		  /* owned; of one write */
	int write_fd;
	uint32_t write_partition;
	uint64_t write_volume;
	int failed;
	char error_text[512];
	/* The loop's own. */
	uint64_t *numbers; /* owned; of the last block handed over */
	uint64_t waiting_bytes;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* Opens the directory and finds the end of every partition's history (history_open.c). Errors of ord_history_open. */
int ord_history_find(struct ord_history *h, char *why, size_t why_size);

/* "12", the name of a partition's directory. */
#define ORD_HISTORY_NAME_SIZE 16
void ord_history_name(uint32_t partition, char name[ORD_HISTORY_NAME_SIZE]);

#endif
