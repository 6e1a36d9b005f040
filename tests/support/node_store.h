/* SPDX-License-Identifier: Apache-2.0 - a history on disk with what peers would have of it, for tests: blocks written, left out, copied, damaged. */
#ifndef ORD_TESTS_SUPPORT_NODE_STORE_H
#define ORD_TESTS_SUPPORT_NODE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "node/history.h"
#include "tests/support/history.h"

#define STORE_PARTITIONS 2
#define STORE_BLOCKS_MAX 64

/* One for each test. */
struct store {
	uv_loop_t loop;
	char parent[64];
	char directory[128];
	struct ord_history *history;
	struct ord_history_options options; /* for the next store_open */
	struct history makers[STORE_PARTITIONS];
	struct ord_block_end ends[STORE_BLOCKS_MAX]; /* [number] of partition 0, as what follows; [0] is zero */
	struct ord_bytes copies[STORE_BLOCKS_MAX];   /* [number]: as a peer has them */
	struct ord_block_codec *codec;
	char why[1024];
	/* What was told. */
	unsigned written_count;
	int written_status;
	unsigned filled_count;
	uint64_t filled_number;
	int filled_status;
	unsigned notices_count;
	char notice[4096];
	unsigned answers_count;
	struct ord_archive_answer answer;
	struct ord_bytes answer_bytes;
	unsigned checked_count;
	struct ord_block_id checked;
	uint64_t now_ms;
};
extern struct store store;

/* A new directory, a history of files of one block each, opened. */
void store_make(void);
void store_clean(void);

void store_open(void);
void store_stop(void);
void store_reopen(void);

/* Hands over the next blocks of a partition and waits until they are durable. */
void store_write(uint32_t partition, unsigned count);

/* The next blocks of partition 0 are made elsewhere: peers have them, this node has not. Gives where they end. */
const struct ord_block_end *store_leave_out(unsigned count);

/* Begins partition 0's blocks anew, behind the first `count` of them: the same ones. */
void store_again(unsigned count);

/* Gives a peer's block to be filled in and waits for the word about it. */
int store_fill(uint64_t number);
int store_fill_bytes(uint64_t number, struct ord_slice bytes);

/* The path of a file of partition 0. */
const char *store_path(uint64_t volume);
const char *store_path_aside(uint64_t volume, unsigned k);
bool store_has(const char *path);
void store_flip(const char *path, size_t offset);

/* Reads a block of partition 0 back from the disk; gives what that gives. */
int store_read(uint64_t number);

/* Fails unless that is the first gap of partition 0; first 0: none. */
void store_gap(uint64_t first, uint64_t last);

/* Lets time pass, so that the scrub goes on, until it has been through so many rounds. */
void store_scrub(unsigned rounds);

#endif
