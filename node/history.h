/* SPDX-License-Identifier: Apache-2.0 - the history of all partitions on disk: finds where it ends, and goes on writing behind, on a thread of its own. history_read.h reads it. */
#ifndef ORD_NODE_HISTORY_H
#define ORD_NODE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/uuid.h"
#include "node/archive.h"
#include "node/history_gaps.h"
#include "partition/block.h"
#include "partition/block_builder.h"

struct ord_history;

/* Room for what is said of a file. */
#define ORD_HISTORY_TEXT_SIZE 512

/* So many files that were set aside are kept, of each partition; beyond that the oldest go. */
#define ORD_HISTORY_ASIDE_MAX 8

/* So many blocks may be asked for at a time. */
#define ORD_HISTORY_ASKS_MAX 32

struct ord_history_options {
	uv_loop_t *loop;
	const char *
		directory; /* holds one directory for each partition; made when it is missing, in a directory that is there */
	struct ord_uuid cluster;
	uint32_t partitions_count; /* of the cluster */
	uint32_t partitions_first; /* this one's are partitions_first, partitions_first + partitions_step and so on */
	uint32_t partitions_step;  /* 0: 1 */
	uint64_t volume_bytes;	   /* ORD_VOLUME_BYTES; less in tests */
	/* Called on the loop's thread for every block, in the order of the partition's blocks: all up to last_index is durable. Blocks for which there is no room are kept and tried again each second. After an error (ORD_ERR_IO,
	 * ORD_ERR_CORRUPT, ORD_ERR_NOMEM; ord_history_error_text tells more) every later block of any partition comes back with it, unwritten: the node must stop, since nobody
	 * knows what the disk holds. */
	void (*written)(void *ctx, uint32_t partition, uint64_t last_index, int status);
	/* Called on the loop's thread for every block that was given to ord_history_fill. ORD_OK: it is part of the history, or will be when its file is full or its gap is closed.
	 * ORD_ERR_CORRUPT: it is not what is wanted; ord_history_gap tells what is missing now. ORD_ERR_INVALID: it is not the first that is missing there. ORD_ERR_NO_SPACE: no room
	 * now, and nothing else is wrong. Others: as for written. NULL: nobody wants to know. */
	void (*filled)(void *ctx, uint32_t partition, uint64_t number, int status);
	/* Called on the loop's thread, and from inside ord_history_open, with something that the operator should read: damage, what was done about it. NULL: nobody does. */
	void (*notice)(void *ctx, const char *text);
	/* Called on the loop's thread, once for each ord_history_ask. NULL: nobody asks. */
	void (*answered)(void *ctx, const struct ord_archive_answer *a);
	/* Called on the loop's thread with a block that the scrub found sound, now and then, so that it can be compared with what peers have. NULL: it is not. */
	void (*checked)(void *ctx, uint32_t partition, const struct ord_block_id *id);
	uint64_t
		scrub_bytes; /* a second, that are read to be checked; 0: none are, but when ord_history_scrub_now asks for it */
	uint64_t
		keep_bytes; /* of each partition's history, in whole files, before older ones may go; 0: for ever; likewise below */
	uint64_t keep_us;		/* of an entry's own time */
	uint64_t scrub_pause_ms;	/* from the beginning of one round to that of the next, at least */
	void *ctx;			/* borrowed; first argument of all */
	struct ord_faults_disk *faults; /* borrowed; what fails on purpose, NULL: nothing */
	bool keep_damaged;		/* nobody has another copy: a damaged file stays where it is, and is told of */
};

/* Opens what is there and starts the thread. Of each partition the last file is walked and its last blocks are checked; a write that was cut short is cut off and what is left
 * is made durable. A damaged last file is set aside, and the history ends before it. Blocks. ORD_ERR_CORRUPT (damage that no cut write explains, with keep_damaged), ORD_ERR_MISMATCH (another cluster, partition or format), ORD_ERR_IO, ORD_ERR_NO_SPACE, ORD_ERR_NOMEM;
 * why (why_size bytes) names file, offset and what is wrong. The caller owns *ret. */
int ord_history_open(const struct ord_history_options *options, struct ord_history **ret, char *why, size_t why_size);

/* The interface that the engine is given; valid until stop. */
struct ord_archive ord_history_archive(struct ord_history *h);

/* What was found when it was opened. */
struct ord_history_found {
	struct ord_block_end end; /* all zero: no block yet */
	uint64_t cut_bytes;	  /* of a write that was cut short; the log has its entries */
};
const struct ord_history_found *ord_history_found(const struct ord_history *h, uint32_t partition);

/* Hands a block over, content and all; *raw is empty afterwards. Asserts that it is the partition's next one. Never blocks. ORD_ERR_NOMEM: *raw is still the caller's. */
int ord_history_write(struct ord_history *h, struct ord_block_raw *raw);

/* Goes on behind `end`, as when a state was copied from a peer: the next block handed over is end->number + 1, though blocks before it may be missing. They are a gap, and the block begins a
 * new file. Blocks handed over before are written first; a crash before the next one is durable leaves everything as if there had been no jump. When the history has blocks behind `end`
 * already, those that are handed over are compared with them and told of as if they had been written; from the first that differs on, and when the last one up to `end` differs, the
 * files are set aside and the history is written anew. Never blocks. ORD_ERR_NOMEM: nothing is changed. */
int ord_history_jump(struct ord_history *h, uint32_t partition, const struct ord_block_end *end);

/* The first blocks that are missing, up to the next one there is. False: none that is known of. */
bool ord_history_gap(struct ord_history *h, uint32_t partition, struct ord_history_gap *ret);

/* Takes a block that a peer has sent (header and stored content; copied) for the beginning of a gap. It is checked whole and must follow the one before the gap or the one filled last; the one that
 * closes the gap must lead to the one behind it. Otherwise, then, all that was filled there is thrown away. Never blocks; `filled` is called later. ORD_ERR_NOMEM. Asserts the length of
 * a block at most. */
int ord_history_fill(struct ord_history *h, uint32_t partition, uint64_t number, struct ord_slice bytes);

/* Asks for a block, as a peer does, or for its id alone. Read by a thread of its own and checked by its checksums, one after the other; `answered` is called later. ORD_ERR_BUSY: too many are asked for;
 * ORD_ERR_NOMEM. */
int ord_history_ask(struct ord_history *h, uint32_t partition, uint64_t number, bool whole, uint64_t token);

/* Moves time on, every 10 ms or so: the scrub reads as much as it may, and begins a round when it is time. */
void ord_history_tick(struct ord_history *h, uint64_t now_ms, uint64_t wall_us);

/* A round at full rate: what is under way goes on so, and another one follows it. */
void ord_history_scrub_now(struct ord_history *h);

/* A peer has another block than this node (`checked`), or the same. */
void ord_history_compared(struct ord_history *h, uint32_t partition, uint64_t number, uint32_t node, bool same);

/* Drops files from the front of the partition's history: those whose blocks are all older than both keep_bytes and keep_us allow (0: that one is not asked), and in a checkpoint, which has
 * the log up to index. Never the last file. Does nothing when both are 0. Never blocks. ORD_ERR_NOMEM. */
int ord_history_retain(struct ord_history *h, uint32_t partition, uint64_t index, uint64_t now_us);

/* Blocks before `first` are not to be had any more, since all peers have dropped them: they are not missing, and files before it go. Never blocks. ORD_ERR_NOMEM. */
int ord_history_forget(struct ord_history *h, uint32_t partition, uint64_t first);

struct ord_history_status {
	bool surveyed;		  /* all gaps that were there at the start are known */
	uint64_t gaps_count;	  /* of all partitions */
	uint64_t missing_count;	  /* blocks in them */
	uint64_t filled_count;	  /* blocks from peers, since the start; likewise below */
	uint64_t damaged_count;	  /* files that were set aside, or would have been if others had copies */
	uint64_t rounds_count;	  /* of the scrub */
	uint64_t scrubbed_us;	  /* when the last one ended; 0: none yet */
	uint64_t scrub_blocks;	  /* checked */
	uint64_t compared_count;  /* with peers */
	uint64_t different_count; /* of those */
	bool scrubbing;		  /* a round is under way, or will be at once */
};
void ord_history_status(struct ord_history *h, struct ord_history_status *ret);

/* Content of the blocks that were handed over and have not come back, in bytes. Full: at or over ORD_HISTORY_WAITING_BYTES_MAX, so hold back. */
uint64_t ord_history_waiting_bytes(const struct ord_history *h);
bool ord_history_is_full(const struct ord_history *h);

/* What went wrong first: names the file. Never NULL; "" when nothing did. */
const char *ord_history_error_text(const struct ord_history *h);

/* Waits for the write under way (written is called for its blocks), drops what waits behind it, since the log has that, ends the thread, then calls stopped from the loop and frees h. */
void ord_history_stop(struct ord_history *h, void (*stopped)(void *ctx), void *ctx);

#endif
