/* SPDX-License-Identifier: Apache-2.0 - struct ord_history. For the files history*.c only. */
#ifndef ORD_NODE_HISTORY_STATE_H
#define ORD_NODE_HISTORY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "node/history.h"
#include "node/history_files.h"
#include "node/history_gaps.h"
#include "node/history_read.h"
#include "partition/block_codec.h"

/* Where the next block of a partition goes. The writer's own. */
struct ord_history_place {
	struct ord_block_end end; /* of the last block there is, or of the one that was jumped to */
	uint64_t
		next; /* number of the next block to come; not above end.number: it may be there already, and is compared */
	uint64_t volume; /* number of the file; 0: none yet */
	uint64_t offset; /* its length */
};

/* How far the file that is being written is durable: who reads meanwhile goes no further. */
struct ord_history_limit {
	uint64_t volume; /* 0: none is being written */
	uint64_t offset;
};

enum ord_history_job_kind {
	ORD_HISTORY_BLOCK = 1,	 /* writes a block */
	ORD_HISTORY_JUMP = 2,	 /* goes on behind end */
	ORD_HISTORY_FILL = 3,	 /* puts a peer's block into a gap */
	ORD_HISTORY_ASIDE = 4,	 /* takes a damaged file out of the history */
	ORD_HISTORY_RETAIN = 9,	 /* drops old files */
	ORD_HISTORY_NOTICE = 5,	 /* says something; done from the beginning, as what follows */
	ORD_HISTORY_ANSWER = 6,	 /* a block that was asked for; before it is done the reader's */
	ORD_HISTORY_CHECKED = 7, /* a block that is sound, to be compared with what peers have */
	ORD_HISTORY_ROUND = 8	 /* all has been checked once */
};

struct ord_history_job {
	struct ord_history_job *next;
	enum ord_history_job_kind kind;
	uint32_t partition;
	uint64_t
		number; /* of the block; of ASIDE: of the file; of RETAIN: index that a checkpoint has, or, when `whole`, the first block to keep */
	struct ord_block_raw raw; /* owned */
	struct ord_block_end end;
	struct ord_bytes bytes; /* owned; header and stored content */
	struct ord_archive_answer answer;
	bool whole; /* ANSWER: with its bytes */
	uint64_t content_bytes;
	int status;
	char text[ORD_HISTORY_TEXT_SIZE]; /* what is wrong with the file; what is said */
};

/* First in, first out. */
struct ord_history_jobs {
	struct ord_history_job *first;
	struct ord_history_job **end; /* where the next one is linked in */
};
void ord_history_jobs_init(struct ord_history_jobs *jobs);
void ord_history_jobs_add(struct ord_history_jobs *jobs, struct ord_history_job *job);
void ord_history_job_free(struct ord_history_job *job);

/* The gap that is being filled: a file under another name, until it is whole and durable. The writer's own. */
struct ord_history_filling {
	bool begun; /* there is an end to go on from */
	uint32_t partition;
	uint64_t first; /* the first block that was filled; all up to end are thrown away when the gap does not close */
	bool linked;	/* what stands before it is known: the next block must follow `end` */
	struct ord_block_end end; /* behind the last one filled, or before the gap */
	int fd;			  /* owned; -1: no file is open */
	uint64_t volume;	  /* the file's first block */
	uint64_t offset;	  /* its length */
	uint64_t synced;	  /* of that */
};

/* What is asked for is read through this. The reader's own, as what follows. */
struct ord_history_serving {
	struct ord_history_reader *reader; /* owned; of one partition, NULL: none */
	uint32_t partition;
	uint64_t changes; /* of its gaps when it was opened: files may have changed their names since */
};

/* Looking for gaps after the start: partition by partition, file by file. */
struct ord_history_survey {
	uint32_t partition; /* all have been looked at when it is no partition's */
	bool begun;
	uint64_t changes; /* of the partition's gaps when it was begun */
	uint64_t *files;  /* owned */
	size_t files_count;
	size_t next;
	struct ord_history_gaps found; /* owned */
};

/* Reading all of it again and again. */
struct ord_history_scrub {
	bool running; /* a round is under way */
	uint32_t partition;
	uint64_t *files; /* owned; of the partition; NULL: not listed yet */
	size_t files_count;
	size_t next; /* to be opened */
	struct ord_history_file file;
	uint64_t offset;
	bool linked; /* the next block must follow `before` */
	struct ord_block_end before;
	struct ord_block_id last;  /* in the file; number 0: none yet */
	uint32_t failed_partition; /* whose file could not be read, and which */
	uint64_t failed_volume;
	struct ord_block_codec *codec; /* owned */
	struct ord_bytes bytes;	       /* owned; of one block */
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
	struct ord_history_gaps *gaps; /* owned; and each of them */
	struct ord_history_gaps
		*told;	/* owned; likewise: files that are damaged and stay, by number, which the operator knows of */
	uint64_t *kept; /* owned; first block that retention has not dropped: 1 when it never did */
	uint64_t *gaps_changes;		  /* owned; counts what was done to them */
	struct ord_history_limit *limits; /* owned */
	struct ord_history_status status;
	uv_cond_t wanted; /* the reader has something to do */
	struct ord_history_jobs asked;
	bool answer_waits;	     /* to be taken by the loop: the next one is not read before */
	uint32_t checked_count;	     /* that wait to be taken by the loop */
	uint64_t scrub_credit_bytes; /* may be read now */
	bool scrub_hurry;	     /* a round at full rate is wanted */
	bool scrub_begin;	     /* a round may begin */
	/* The reader's own. */
	uv_thread_t reading;
	struct ord_history_serving serving;
	struct ord_history_survey survey;
	struct ord_history_scrub scrub;
	/* The writer's own; before it is started, the opener's. */
	struct ord_history_place *places; /* owned */
	struct ord_history_filling filling;
	struct ord_history_reader *reader; /* owned; of one partition, NULL: none */
	uint32_t reader_partition;
	struct ord_block_codec *codec; /* owned */
	struct ord_bytes bytes;	       /* owned; of one write */
	int write_fd;
	uint32_t write_partition;
	uint64_t write_volume;
	int failed;
	char error_text[ORD_HISTORY_TEXT_SIZE];
	/* The loop's own. */
	uint64_t *numbers; /* owned; of the last block handed over */
	uint64_t waiting_bytes;
	uint32_t asks_count;	/* not answered yet */
	uint32_t retains_count; /* handed over and not done */
	uint64_t ticked_ms;
	uint64_t wall_us;
	uint64_t round_ms; /* when a round began last; 0: none yet */
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* Opens the directory and finds the end of every partition's history (history_open.c). Errors of ord_history_open. */
int ord_history_find(struct ord_history *h, char *why, size_t why_size);

/* "12", the name of a partition's directory. */
#define ORD_HISTORY_NAME_SIZE 16
void ord_history_name(uint32_t partition, char name[ORD_HISTORY_NAME_SIZE]);

/* --- On the writer's thread. --- */

/* The thread (history_write.c). */
void ord_history_write_main(void *arg);

/* Says what failed, with errno; gives what that means. */
int ord_history_write_fail(struct ord_history *h, uint32_t partition, uint64_t volume, const char *what);

/* The partition's directory; -1 with errno. The caller closes it. */
int ord_history_directory_open(const struct ord_history *h, uint32_t partition);

/* Reads a block back, whole and checked: errors of ord_history_read_number. *ret is valid until the next call. */
int ord_history_look(struct ord_history *h, uint32_t partition, uint64_t number, struct ord_block *ret);

/* Puts a peer's block into its gap (history_fill.c). ORD_ERR_CORRUPT, ORD_ERR_INVALID, ORD_ERR_NO_SPACE: as `filled` in history.h has them. Others are the end of the writer. */
int ord_history_fill_block(struct ord_history *h, const struct ord_history_job *job);

/* What is filled so far becomes part of the history. */
int ord_history_fill_end(struct ord_history *h);

/* It does not: it is missing again. */
int ord_history_fill_drop(struct ord_history *h);

/* The name of a file that is being filled. */
#define ORD_HISTORY_FILL_NAME "fill.tmp"

/* Takes a damaged file out of the history, whose blocks are missing from then on (history_aside.c); the writer begins a new file when it was the one being written. One that is not there is left
 * alone. ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM. */
int ord_history_aside(struct ord_history *h, uint32_t partition, uint64_t volume, const char *what);

/* The same with all blocks from `number` on, and the files that they stand in; the history then ends before it, at *before. */
int ord_history_aside_from(struct ord_history *h, uint32_t partition, uint64_t number,
			   const struct ord_block_end *before, const char *what);

/* Renames a file of the directory to NAME.damaged-K and keeps ORD_HISTORY_ASIDE_MAX of those. *ret_k is that number; 0: there was no such file. False with errno. */
bool ord_history_aside_rename(int dir_fd, uint64_t volume, uint64_t *ret_k);

/* Drops what need not be kept (history_retain.c). ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM. */
int ord_history_retain_do(struct ord_history *h, const struct ord_history_job *job);

/* The first block kept, as the directory says; 1 when nothing was dropped, and with every error: ORD_ERR_IO with errno, ORD_ERR_CORRUPT. */
int ord_history_first_read(const struct ord_history *h, int dir_fd, uint32_t partition, uint64_t *ret_first);

/* --- On the reader's thread (history_serve.c). --- */

int ord_history_serve_open(struct ord_history *h);
void ord_history_serve_close(struct ord_history *h);
void ord_history_serve_main(void *arg);

/* Looks at one more file. False: there is none left. */
bool ord_history_survey_step(struct ord_history *h);
void ord_history_survey_close(struct ord_history_survey *s);

/* Checks one more block. Gives the bytes that were read; 0: the round has ended. */
uint64_t ord_history_scrub_step(struct ord_history *h);
int ord_history_scrub_open(struct ord_history_scrub *s);
void ord_history_scrub_close(struct ord_history_scrub *s);

/* A file is damaged: the writer is to set it aside. */
void ord_history_damaged(struct ord_history *h, uint32_t partition, uint64_t volume, uint64_t offset, const char *what);

/* --- On any thread. --- */

/* ORD_ERR_NOMEM: NULL. */
struct ord_history_job *ord_history_job_new(enum ord_history_job_kind kind, uint32_t partition, uint64_t number);

/* To be told on the loop's thread. */
void ord_history_job_done(struct ord_history *h, struct ord_history_job *job);

/* Something for the operator. Lost when there is no memory for it. */
__attribute__((format(printf, 2, 3))) void ord_history_notice(struct ord_history *h, const char *format, ...);

/* Blocks are missing, or are there again. ORD_ERR_NOMEM. */
int ord_history_gap_add(struct ord_history *h, uint32_t partition, uint64_t first, uint64_t last);
int ord_history_gap_take(struct ord_history *h, uint32_t partition, uint64_t first, uint64_t last);

#endif
