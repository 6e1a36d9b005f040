/* SPDX-License-Identifier: Apache-2.0 - what nodes tell each other inside a frame: parts, each a kind, a length and a body (docs/formats.md). */
#ifndef ORD_NODE_WIRE_H
#define ORD_NODE_WIRE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "node/room.h"
#include "node/shard.h"
#include "partition/block.h"
#include "partition/pairs.h"

enum ord_part_kind {
	ORD_PART_RAFT = 1,	 /* a message of ord_host_receive */
	ORD_PART_SUBMIT = 2,	 /* a client's command, passed on to the leader */
	ORD_PART_READ = 3,	 /* a client's read, passed on to the leader */
	ORD_PART_ANSWER = 4,	 /* what came of a SUBMIT or READ */
	ORD_PART_DELIVER = 5,	 /* messages from one partition's outbox to another partition */
	ORD_PART_CURSOR = 6,	 /* how far they have been applied there */
	ORD_PART_READY = 7,	 /* the sender leads the partition and takes commands */
	ORD_PART_COPY_ASK = 8,	 /* the sender wants a copy of a partition's state */
	ORD_PART_COPY_NOTE = 9,	 /* it may have one: what it is a copy of */
	ORD_PART_COPY_NEXT = 10, /* the sender wants the next pairs of it */
	ORD_PART_COPY_PAIRS = 11,
	ORD_PART_COPY_END = 12,	     /* the sender wants no more of it */
	ORD_PART_WANT_BLOCK = 16,    /* asks for a block of history */
	ORD_PART_BLOCK = 17,	     /* the block, or why not */
	ORD_PART_WANT_BLOCK_ID = 18, /* asks for its id alone */
	ORD_PART_BLOCK_ID = 19,
	ORD_PART_MARK_RESULT = 20, /* what the sender's replica was at a mark (node/fence.h) */
	ORD_PART_ROOM = 24,	   /* how much room the sender's disk has */
	ORD_PART_CONFIRM = 25,	   /* a message of ord_host_receive_confirm */
	ORD_PART_REACH = 28,	   /* whom the sender hears, and who hears it (node/peers_relay.c) */
	ORD_PART_RELAY = 29,	   /* a part that goes through a third node */
	ORD_PART_LEADER = 32,	   /* between the shards of a node alone: who leads a partition of the sender's */
};

/* SUBMIT and READ. forward names it in the answer: above 32 bits the run of the process that asks, since answers may come round about after it was started again. body is an encoded
 * command or query. */
struct ord_part_call {
	uint64_t forward;
	uint32_t partition;
	enum ord_wait wait;
	uint32_t timeout_ms;
	struct ord_slice body;
};

struct ord_part_deliver {
	uint32_t destination;
	struct ord_deliver run;
};

/* cursor: the last number applied. expected: 0, or, when messages came with a gap before them, the number that is wanted next. */
struct ord_part_cursor {
	uint32_t source;
	uint32_t destination;
	uint64_t cursor;
	uint64_t expected;
};

/* All parts of a copy name the partition and the number that who asks has given the copy. */
struct ord_part_copy {
	uint32_t partition;
	uint64_t number;
	uint64_t index; /* ASK: the copy must be of that index of the log at least; NEXT: of which it is, by its note */
	struct ord_pairs_place after; /* NEXT, PAIRS: behind which */
	bool is_last;		      /* PAIRS: there are no more behind these */
	struct ord_slice body;	      /* NOTE: the note of the checkpoint; PAIRS: the pairs (partition/pairs.h) */
};

/* WANT_BLOCK and WANT_BLOCK_ID. */
struct ord_part_want_block {
	uint32_t partition;
	uint64_t number;
};

enum ord_part_block_status { ORD_PART_BLOCK_HERE = 0, ORD_PART_BLOCK_NOT_FOUND = 1, ORD_PART_BLOCK_NOT_NOW = 2 };

struct ord_part_block {
	uint32_t partition;
	uint64_t number;
	enum ord_part_block_status status;
	uint64_t first;		/* NOT_FOUND: the first block that is kept: those before it were dropped */
	struct ord_slice bytes; /* HERE: header and stored content */
};

struct ord_part_block_id {
	uint32_t partition;
	enum ord_part_block_status status;
	struct ord_block_id id; /* its number always, the rest when it is HERE */
};

void ord_wire_put_copy(enum ord_part_kind kind, const struct ord_part_copy *c, struct ord_bytes *out);

/* leader: a node that takes commands, 0: none. is_renewed: what was on its way to the partition may be lost. */
struct ord_part_leader {
	uint32_t partition;
	uint32_t leader;
	bool is_renewed;
};

/* result: the position, and what the sender's replica was there. */
struct ord_part_mark_result {
	uint32_t partition;
	bool asks;	/* the sender wants to know what the others were */
	bool is_fenced; /* the sender's replica serves nothing; it must not be given a leadership */
	struct ord_mark result;
};

/* to and from are the ends; incarnation is that of from. */
struct ord_part_relay {
	uint32_t from;
	struct ord_uuid incarnation;
	uint32_t to;
	uint8_t kind;
	struct ord_slice body;
};

void ord_wire_put_call(const struct ord_part_call *c, struct ord_bytes *out);
void ord_wire_put_answer(uint64_t forward, const struct ord_answer *a, struct ord_bytes *out);
void ord_wire_put_deliver(const struct ord_part_deliver *d, struct ord_bytes *out);
void ord_wire_put_cursor(const struct ord_part_cursor *c, struct ord_bytes *out);
void ord_wire_put_ready(uint32_t partition, struct ord_bytes *out);
void ord_wire_put_leader(const struct ord_part_leader *l, struct ord_bytes *out);
void ord_wire_put_want_block(const struct ord_part_want_block *w, struct ord_bytes *out);
void ord_wire_put_block(const struct ord_part_block *b, struct ord_bytes *out);
void ord_wire_put_block_id(const struct ord_part_block_id *b, struct ord_bytes *out);
void ord_wire_put_mark_result(const struct ord_part_mark_result *m, struct ord_bytes *out);
void ord_wire_put_relay(const struct ord_part_relay *p, struct ord_bytes *out);
void ord_wire_put_room(enum ord_room_state state, struct ord_bytes *out);

/* All read one body whole: ORD_ERR_FORMAT when it is anything else; *ret is then untouched. Slices point into body. */
int ord_wire_get_copy(enum ord_part_kind kind, struct ord_slice body, struct ord_part_copy *ret);
int ord_wire_get_call(struct ord_slice body, struct ord_part_call *ret);
int ord_wire_get_answer(struct ord_slice body, uint64_t *ret_forward, struct ord_answer *ret);
int ord_wire_get_deliver(struct ord_slice body, struct ord_part_deliver *ret);
int ord_wire_get_cursor(struct ord_slice body, struct ord_part_cursor *ret);
int ord_wire_get_ready(struct ord_slice body, uint32_t *ret_partition);
int ord_wire_get_leader(struct ord_slice body, struct ord_part_leader *ret);
int ord_wire_get_want_block(struct ord_slice body, struct ord_part_want_block *ret);
int ord_wire_get_block(struct ord_slice body, struct ord_part_block *ret);
int ord_wire_get_block_id(struct ord_slice body, struct ord_part_block_id *ret);
int ord_wire_get_mark_result(struct ord_slice body, struct ord_part_mark_result *ret);
int ord_wire_get_relay(struct ord_slice body, struct ord_part_relay *ret);
int ord_wire_get_room(struct ord_slice body, enum ord_room_state *ret_state);

#endif
