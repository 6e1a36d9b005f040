/* SPDX-License-Identifier: Apache-2.0 - frames between nodes: a checked header, then parts or a greeting. */
#ifndef ORD_NODE_FRAME_H
#define ORD_NODE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/uuid.h"

enum ord_frame_kind {
	ORD_FRAME_HELLO = 1,   /* first from who connects: a greeting */
	ORD_FRAME_WELCOME = 2, /* the answer: a greeting; from then on the connecting side sends PARTS */
	ORD_FRAME_REFUSED = 3, /* the other answer: a text that says why; then the connection is closed */
	ORD_FRAME_PARTS = 4,   /* any number of parts */
	ORD_FRAME_MEMBER =
		5, /* who connected has found out which member it is, which it did not know when it greeted */
};

#define ORD_FRAME_HEADER_BYTES 16
#define ORD_FRAME_PROTOCOL 7
/* No frame but PARTS is longer: it is all that a stranger can make a node keep. */
#define ORD_FRAME_GREETING_BYTES_MAX 1024

struct ord_greeting {
	uint16_t protocol;
	struct ord_uuid cluster;
	uint32_t node;
	struct ord_uuid incarnation;
	uint32_t partitions_count;
	uint16_t shard; /* whose connection it is to be: of both nodes the same one */
	uint16_t shards_count;
	uint32_t to;	 /* the node that the sender believes it talks to */
	uint64_t member; /* of the groups, that the sender is; 0: it does not know yet */
	uint32_t firsts_count;
	struct ord_greeting_first {
		uint32_t node;
		struct ord_uuid incarnation;
	} firsts[ORD_NODES_MAX]; /* the first data directory that the sender has noted, durably, of each node */
};

/* Begins a frame at the end of out; returns the offset where it begins, which end wants. The caller appends the body, then ends it: kind, length and
 * checksum are filled in. end asserts that nothing failed. */
size_t ord_frame_begin(struct ord_bytes *out);
void ord_frame_end(struct ord_bytes *out, size_t begun, enum ord_frame_kind kind);

/* One part of a PARTS frame. */
void ord_frame_put_part(struct ord_bytes *out, uint8_t kind, struct ord_slice body);

/* The next part of a body; false at the end, with body->failed when the rest is no part. */
bool ord_frame_next_part(struct ord_reader *body, uint8_t *ret_kind, struct ord_slice *ret_body);

void ord_frame_put_greeting(struct ord_bytes *out, const struct ord_greeting *g);

/* ORD_ERR_FORMAT when it is none, or names more nodes than there can be. Of a greeting with another protocol number only that number is read. */
int ord_frame_get_greeting(struct ord_slice body, struct ord_greeting *ret);

/* The body of a MEMBER frame. ORD_ERR_FORMAT when it is none. */
void ord_frame_put_member(struct ord_bytes *out, uint64_t member);
int ord_frame_get_member(struct ord_slice body, uint64_t *ret);

struct ord_frame {
	enum ord_frame_kind kind;
	struct ord_slice body;
	size_t frame_bytes; /* header and body */
};

/* Looks for a whole frame at the start of bytes. *ret_have is false while more must come. ORD_ERR_FORMAT (another magic number or kind: not a node),
 * ORD_ERR_TOO_BIG (longer than bytes_max), ORD_ERR_CORRUPT (wrong checksum, of the header or of all). */
int ord_frame_decode(struct ord_slice bytes, size_t bytes_max, struct ord_frame *ret, bool *ret_have);

#endif
