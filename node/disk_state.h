/* SPDX-License-Identifier: Apache-2.0 - the inside of the write-ahead log's files, for node/disk*.c alone. */
#ifndef ORD_NODE_DISK_STATE_H
#define ORD_NODE_DISK_STATE_H

#include <stdbool.h>

#include "node/disk.h"
#include "node/disk_blocks.h"

#define ORD_DISK_NAME_SIZE 32

/* States of the spare file: node/disk_spare.c. */
enum ord_spare { ORD_SPARE_NONE, ORD_SPARE_WANTED, ORD_SPARE_READY, ORD_SPARE_FAILED };

struct ord_disk {
	int dir_fd;
	uint64_t segment_bytes; /* whole blocks */
	struct ord_disk_events events;
	uv_async_t done;
	uv_thread_t writer;
	uv_thread_t preparer;
	uv_mutex_t mutex;   /* guards what follows */
	uv_cond_t writes;   /* the writer has something to do */
	uv_cond_t prepared; /* the preparer has */
	bool stopping;
	bool job_waiting;
	bool job_done;
	int job_status;
	bool prepares;
	enum ord_spare spare;
	bool has_next; /* spare */
	uint64_t job_segment;
	uint64_t job_offset;
	struct ord_slice job_bytes; /* borrowed until synced */
	uint64_t remove_segment;    /* that is to go; 0: none */
	bool remove_done;
	int remove_status;
	char error_text[256]; /* of the first thing that failed */
	bool starves;	      /* there is no room for the write under way */
	char starves_text[256];
	bool is_cached; /* what was written last went through the page cache */
	/* The writer's own. */
	struct ord_disk_blocks *blocks;
	uint64_t write_segment;
	/* The loop's own. */
	bool starves_told;
	bool cached_told;
	int read_fd;
	uint64_t read_segment;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* The name of a segment's file. */
void ord_disk_name(uint64_t segment, char name[ORD_DISK_NAME_SIZE]);

/* Gives the error for errno, and notes what failed if it is the first thing that did. */
int ord_disk_fail(struct ord_disk *d, const char *what, const char *name);

/* The writer comes to a new segment: gives a spare that name, if there is one. When there is none, or that fails, the segment is to be made empty. */
void ord_disk_spare_use(struct ord_disk *d, const char *name);

/* At the opening: finds spares that an earlier process left. They are used, unless segments have another length now or there are none. */
void ord_disk_spare_find(struct ord_disk *d, bool has_segments);

/* The preparer thread, until stopping. arg is the struct ord_disk. */
void ord_disk_preparer_main(void *arg);

#endif
