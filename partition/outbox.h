/* SPDX-License-Identifier: Apache-2.0 - the messages owed to one other partition, numbered from 1, kept until they have been applied there. */
#ifndef ORD_PARTITION_OUTBOX_H
#define ORD_PARTITION_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "partition/command.h"
#include "partition/digest.h"
#include "partition/partition.h"

struct ord_outbox_chunk;

struct ord_outbox {
	uint32_t destination;
	uint32_t chunk_bytes;		  /* of the next chunk */
	struct ord_outbox_chunk **chunks; /* owned; a vector whose first chunks_head places are spent */
	size_t chunks_head;
	size_t chunks_count; /* places in use, the spent ones included */
	size_t chunks_capacity;
	uint64_t first; /* number of the first message that is still here */
	uint64_t next;	/* number of the next new message */
	uint64_t bytes; /* of the messages first .. next - 1 */
};

/* Allocates nothing yet. */
void ord_outbox_init(struct ord_outbox *o, uint32_t destination);
void ord_outbox_close(struct ord_outbox *o);

/* Appends one message and tells the digest. Running out of memory aborts. */
void ord_outbox_append(struct ord_outbox *o, const struct ord_message *m, struct ord_digest *d);

/* Appends an encoded message that the digest has counted already. */
void ord_outbox_load(struct ord_outbox *o, struct ord_slice message);

/* Drops the messages up to and with number upto, as far as there are any, and tells the digest. */
void ord_outbox_trim(struct ord_outbox *o, uint64_t upto, struct ord_digest *d);

/* As ord_partition_outbox_peek. */
struct ord_outbox_run ord_outbox_peek(const struct ord_outbox *o, uint64_t from, size_t bytes_max);

/* Adds all that the outbox holds to the digest, as the calls above have done bit by bit. */
void ord_outbox_digest(const struct ord_outbox *o, struct ord_digest *d);

#endif
