/* SPDX-License-Identifier: Apache-2.0 - the digest of a state: a sum of one 128-bit hash for each record, so that order and memory layout do not
 * matter and a change costs one subtraction and one addition. It finds replicas that diverged; it does not resist someone who plans a collision. */
#ifndef ORD_PARTITION_DIGEST_H
#define ORD_PARTITION_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct ord_digest {
	uint64_t sum[2];
};

/* What kind of record a hash stands for; part of the hash. */
enum ord_digest_tag {
	ORD_DIGEST_ACCOUNT = 1,
	ORD_DIGEST_BALANCE = 2,
	ORD_DIGEST_NAME = 3,
	ORD_DIGEST_REQUEST = 4,
	ORD_DIGEST_OUTCOME = 5,
	ORD_DIGEST_STAGE = 6,
	ORD_DIGEST_MESSAGE = 7,
	ORD_DIGEST_OUTBOX_FIRST = 8,
	ORD_DIGEST_OUTBOX_NEXT = 9,
	ORD_DIGEST_CURSOR = 10,
	ORD_DIGEST_PARTITION = 11,
	ORD_DIGEST_WATERMARK = 12,
};

/* The hash of one record: fixed is its numbers one after the other, text whatever bytes it has besides. */
struct ord_digest ord_digest_of(enum ord_digest_tag tag, struct ord_slice fixed, struct ord_slice text);

void ord_digest_add(struct ord_digest *d, struct ord_digest record);
void ord_digest_subtract(struct ord_digest *d, struct ord_digest record);

/* Adds delta to the counter number `which` of its kind: linear, so that a counter need not be taken out before it grows. */
void ord_digest_count(struct ord_digest *d, enum ord_digest_tag tag, uint32_t which, uint64_t delta);

#endif
