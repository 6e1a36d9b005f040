/* SPDX-License-Identifier: Apache-2.0 - struct ord_lmdb. For lmdb.c and lmdb_copy.c only. */
#ifndef ORD_NODE_LMDB_STATE_H
#define ORD_NODE_LMDB_STATE_H

#include <limits.h>

#include "node/lmdb.h"
#include "node/lmdb_env.h"
#include "node/worker.h"
#include "partition/audit.h"

#define ORD_LMDB_PATH_SIZE (PATH_MAX + 32)

struct ord_lmdb_state {
	struct ord_lmdb_env env;
	struct ord_lmdb_view view; /* the loop's */
	bool is_lost; /* what is on disk cannot be read, and an empty one beside it is used until there is another one */
};

struct ord_lmdb_write {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	uint32_t partition;
	const struct ord_changes *changes; /* borrowed until written */
	int rv;
};

struct ord_lmdb_copy {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	unsigned number;
	bool open;
	bool reading; /* the job is given */
	uint32_t partition;
	struct ord_lmdb_view view;
	struct ord_pairs_place after;
	size_t bytes_max;
	struct ord_changes pairs; /* owned */
	bool is_last;
	int status;
	uint64_t file_bytes;	  /* of the state's file when the copy was opened */
	uint64_t announced_bytes; /* from its beginning, that will be read soon */
};

/* A state that is checked; while a job is given, the thread's. */
struct ord_lmdb_scrub {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	bool under_way;		   /* the job is given */
	uint32_t partition;
	struct ord_lmdb_view view; /* open when there is an audit */
	struct ord_store store;	   /* the view, with a look at its pages */
	size_t page_bytes;
	uintptr_t first_page;	 /* the address of page 0 over page_bytes; 0: not known yet */
	struct ord_audit *audit; /* owned; NULL: none is under way */
	uint64_t begun_bytes;	 /* of the file, when the view was opened */
	uint64_t bytes_max;	 /* of the piece */
	struct ord_pairs_checked checked;
	int status;
	char why[ORD_AUDIT_WHY_SIZE];
};

enum ord_lmdb_fill_step { ORD_LMDB_FILL_BEGIN, ORD_LMDB_FILL_WRITE, ORD_LMDB_FILL_DROP, ORD_LMDB_FILL_END };

/* A copy that comes in. */
struct ord_lmdb_fill {
	struct ord_worker_job job; /* first */
	struct ord_lmdb *owner;	   /* borrowed */
	enum ord_lmdb_fill_step step;
	bool under_way; /* the job is given */
	uint32_t partition;
	uint32_t partitions_count;
	const struct ord_changes *pairs; /* borrowed until the step has ended */
	struct ord_lmdb_env env;	 /* the thread's, while a step is under way */
	uint64_t unsynced_bytes;	 /* of pairs, written since the last sync */
	int status;
};

struct ord_lmdb {
	char directory[PATH_MAX];
	uint32_t partitions_count;
	struct ord_lmdb_events events;
	struct ord_lmdb_state *states; /* owned; by partition */
	struct ord_worker *writer;     /* owned */
	struct ord_worker *copier;     /* owned */
	struct ord_lmdb_write write;
	struct ord_lmdb_copy copies[ORD_STATES_COPIES_MAX];
	struct ord_lmdb_fill fill;
	struct ord_lmdb_scrub scrub;
	char error_text[PATH_MAX + 512];
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* The directory of a partition's state; of a copy that comes in: with suffix ".new"; of the empty one that is used while there is none: ".lost". path has ORD_LMDB_PATH_SIZE bytes. */
void ord_lmdb_path(const struct ord_lmdb *l, uint32_t partition, const char *suffix, char *path);

size_t ord_lmdb_map_bytes(const struct ord_lmdb *l);

/* Opens a partition's environment and its view. What LMDB gives. */
int ord_lmdb_state_open(struct ord_lmdb *l, uint32_t partition);

/* The parts of ord_states that are in lmdb_copy.c and lmdb_scrub.c. */
void ord_lmdb_copies_init(struct ord_lmdb *l);
void ord_lmdb_copies_close(struct ord_lmdb *l);
int ord_lmdb_discard(void *ctx, uint32_t partition, const struct ord_store **ret, char *why, size_t why_size);
int ord_lmdb_copy_open(void *ctx, uint32_t partition, unsigned *ret_copy, const struct ord_store **ret_store);
void ord_lmdb_copy_read(void *ctx, unsigned copy, const struct ord_pairs_place *after, size_t bytes_max);
void ord_lmdb_copy_close(void *ctx, unsigned copy);
void ord_lmdb_scrub_init(struct ord_lmdb *l);
void ord_lmdb_scrub(void *ctx, uint32_t partition, const struct ord_pairs_place *after, uint64_t bytes_max);
void ord_lmdb_scrub_end(void *ctx);
void ord_lmdb_fill_begin(void *ctx, uint32_t partition);
void ord_lmdb_fill_write(void *ctx, const struct ord_changes *pairs);
void ord_lmdb_fill_drop(void *ctx);
void ord_lmdb_fill_end(void *ctx, uint32_t partitions_count);
int ord_lmdb_replace(void *ctx, uint32_t partition, bool keeps_old, const struct ord_store **ret_store, char *why,
		     size_t why_size);

#endif
