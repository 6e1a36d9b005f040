/* SPDX-License-Identifier: Apache-2.0 - the messages owed to one other partition.
 *
 * They lie in chunks, oldest first. In a chunk the encoded messages grow from the front, one after the other, so that a run can be sent as it is;
 * from the back grow 32-bit slots, one a message, with the offset at which the message ends. */
#include "partition/outbox.h"

#include <stdlib.h>

#include "base/assert.h"

#define CHUNK_BYTES_MIN 1024u
#define CHUNK_BYTES_MAX 65536u
/* One encoded message: kind, id, home, reason, two account ids, amount, asset fit with room to spare. */
#define MESSAGE_BYTES_MAX 256u
#define SLOT_BYTES ((uint32_t)sizeof(uint32_t))

struct ord_outbox_chunk {
	uint64_t first; /* number of the first message in it */
	uint32_t count;
	uint32_t used_bytes;
	uint32_t capacity_bytes;
	uint8_t bytes[];
};

_Static_assert(MESSAGE_BYTES_MAX + SLOT_BYTES <= CHUNK_BYTES_MIN, "every message fits an empty chunk");

void ord_outbox_init(struct ord_outbox *o, uint32_t destination)
{
	*o = (struct ord_outbox){.destination = destination, .chunk_bytes = CHUNK_BYTES_MIN, .first = 1, .next = 1};
}

void ord_outbox_close(struct ord_outbox *o)
{
	for (size_t i = o->chunks_head; i < o->chunks_count; i++)
		free(o->chunks[i]);
	free(o->chunks);
	ord_outbox_init(o, o->destination);
}

static uint8_t *slot_at(const struct ord_outbox_chunk *c, uint32_t message)
{
	return (uint8_t *)c->bytes + c->capacity_bytes - (message + 1) * SLOT_BYTES;
}

/* Where the message at this place of the chunk ends; 0 for the place before the first. */
static uint32_t end_of(const struct ord_outbox_chunk *c, int64_t message)
{
	uint32_t end = 0;
	if (message >= 0)
		memcpy(&end, slot_at(c, (uint32_t)message), sizeof end);
	return end;
}

static struct ord_slice message_at(const struct ord_outbox_chunk *c, uint32_t message)
{
	uint32_t begin = end_of(c, (int64_t)message - 1);
	return ord_slice_of(c->bytes + begin, end_of(c, message) - begin);
}

/* Makes room for one more place at the end of the vector: by moving down what is in use when half is spent, else by doubling. */
static void vector_reserve(struct ord_outbox *o)
{
	if (o->chunks_count < o->chunks_capacity)
		return;
	size_t in_use = o->chunks_count - o->chunks_head;
	if (o->chunks_head >= in_use && o->chunks_head > 0) {
		memmove(o->chunks, o->chunks + o->chunks_head, in_use * sizeof *o->chunks);
		o->chunks_head = 0;
		o->chunks_count = in_use;
		return;
	}
	size_t capacity = o->chunks_capacity == 0 ? 4 : o->chunks_capacity * 2;
	o->chunks = realloc(o->chunks, capacity * sizeof *o->chunks);
	ORD_ASSERT(o->chunks != NULL);
	o->chunks_capacity = capacity;
}

static struct ord_outbox_chunk *chunk_add(struct ord_outbox *o)
{
	vector_reserve(o);
	struct ord_outbox_chunk *c = malloc(sizeof *c + o->chunk_bytes);
	ORD_ASSERT(c != NULL);
	*c = (struct ord_outbox_chunk){.first = o->next, .capacity_bytes = o->chunk_bytes};
	o->chunks[o->chunks_count++] = c;
	if (o->chunk_bytes < CHUNK_BYTES_MAX)
		o->chunk_bytes *= 2;
	return c;
}

static uint32_t chunk_left(const struct ord_outbox_chunk *c)
{
	return c->capacity_bytes - c->used_bytes - c->count * SLOT_BYTES;
}

/* A chunk that has room for any message. */
static struct ord_outbox_chunk *chunk_with_room(struct ord_outbox *o)
{
	if (o->chunks_head < o->chunks_count) {
		struct ord_outbox_chunk *last = o->chunks[o->chunks_count - 1];
		if (chunk_left(last) >= MESSAGE_BYTES_MAX + SLOT_BYTES)
			return last;
	}
	return chunk_add(o);
}

static struct ord_digest message_digest(const struct ord_outbox *o, uint64_t number, struct ord_slice message)
{
	uint64_t fixed[2] = {o->destination, number};
	return ord_digest_of(ORD_DIGEST_MESSAGE, ord_slice_of(fixed, sizeof fixed), message);
}

/* The len bytes at the end of the chunk are the next message. */
static void count_in(struct ord_outbox *o, struct ord_outbox_chunk *c, size_t len)
{
	c->used_bytes += (uint32_t)len;
	memcpy(slot_at(c, c->count), &c->used_bytes, SLOT_BYTES);
	c->count++;
	o->next++;
	o->bytes += len;
}

void ord_outbox_append(struct ord_outbox *o, const struct ord_message *m, struct ord_digest *d)
{
	struct ord_outbox_chunk *c = chunk_with_room(o);
	struct ord_bytes out = {
		.base = c->bytes + c->used_bytes, .capacity = MESSAGE_BYTES_MAX, .bytes_max = MESSAGE_BYTES_MAX};
	ord_message_encode(m, &out);
	ORD_ASSERT(!out.failed);
	ord_digest_add(d, message_digest(o, o->next, ord_bytes_slice(&out)));
	ord_digest_count(d, ORD_DIGEST_OUTBOX_NEXT, o->destination, 1);
	count_in(o, c, out.len);
}

void ord_outbox_load(struct ord_outbox *o, struct ord_slice message)
{
	struct ord_outbox_chunk *c = chunk_with_room(o);
	ORD_ASSERT(message.len <= MESSAGE_BYTES_MAX);
	memcpy(c->bytes + c->used_bytes, message.base, message.len);
	count_in(o, c, message.len);
}

static void chunk_drop_first(struct ord_outbox *o)
{
	free(o->chunks[o->chunks_head++]);
	if (o->chunks_head < o->chunks_count)
		return;
	o->chunks_head = 0;
	o->chunks_count = 0;
	/* Taking a chunk doubled it: so a burst of equal size finds about two chunks, and small traffic comes back to small ones. */
	o->chunk_bytes = o->chunk_bytes / 4 > CHUNK_BYTES_MIN ? o->chunk_bytes / 4 : CHUNK_BYTES_MIN;
}

void ord_outbox_trim(struct ord_outbox *o, uint64_t upto, struct ord_digest *d)
{
	if (upto >= o->next)
		upto = o->next - 1;
	if (upto < o->first)
		return;
	ord_digest_count(d, ORD_DIGEST_OUTBOX_FIRST, o->destination, upto + 1 - o->first);
	while (o->first <= upto) {
		ORD_ASSERT(o->chunks_head < o->chunks_count);
		const struct ord_outbox_chunk *c = o->chunks[o->chunks_head];
		struct ord_slice message = message_at(c, (uint32_t)(o->first - c->first));
		ord_digest_subtract(d, message_digest(o, o->first, message));
		o->bytes -= message.len;
		o->first++;
		if (o->first == c->first + c->count)
			chunk_drop_first(o);
	}
}

/* The chunk that holds the message; the caller knows that one does. */
static const struct ord_outbox_chunk *chunk_of(const struct ord_outbox *o, uint64_t number)
{
	size_t low = o->chunks_head;
	size_t high = o->chunks_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (o->chunks[middle]->first <= number)
			low = middle;
		else
			high = middle;
	}
	return o->chunks[low];
}

struct ord_outbox_run ord_outbox_peek(const struct ord_outbox *o, uint64_t from, size_t bytes_max)
{
	ORD_ASSERT(from >= o->first);
	if (from >= o->next)
		return (struct ord_outbox_run){.first = from};
	const struct ord_outbox_chunk *c = chunk_of(o, from);
	uint32_t place = (uint32_t)(from - c->first);
	uint32_t begin = end_of(c, (int64_t)place - 1);
	/* Slots ascend: look for the last end that is within the bytes allowed. One message goes out whatever its length. */
	uint32_t low = place + 1;
	uint32_t high = c->count;
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;
		if (end_of(c, (int64_t)middle - 1) - begin <= bytes_max)
			low = middle;
		else
			high = middle - 1;
	}
	return (struct ord_outbox_run){
		.first = from,
		.count = low - place,
		.messages = ord_slice_of(c->bytes + begin, end_of(c, (int64_t)low - 1) - begin),
	};
}

void ord_outbox_digest(const struct ord_outbox *o, struct ord_digest *d)
{
	ord_digest_count(d, ORD_DIGEST_OUTBOX_FIRST, o->destination, o->first - 1);
	ord_digest_count(d, ORD_DIGEST_OUTBOX_NEXT, o->destination, o->next - 1);
	for (uint64_t number = o->first; number < o->next; number++) {
		const struct ord_outbox_chunk *c = chunk_of(o, number);
		ord_digest_add(d, message_digest(o, number, message_at(c, (uint32_t)(number - c->first))));
	}
}
