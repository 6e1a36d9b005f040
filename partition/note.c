/* SPDX-License-Identifier: Apache-2.0 - the note of a checkpoint as bytes.
 *
 *  offset  bytes  content (little-endian)
 *       0      4  format, 2
 *       4      8  Raft index of the last entry applied
 *      12      8  its term
 *      20      8  time of the newest entry, microseconds since 1970
 *      28      8  base: Raft index after which a start needs the log; 0: all of it
 *      36      8  term of the entry there
 *      44      8  current term of the group
 *      52      8  index of the entry that set the members in force at the base
 *      60      8  history on disk: number of its last block; 0: none
 *      68      8  Raft index of the last entry in it
 *      76      8  term of that
 *      84      8  position after it
 *      92      8  time of that entry
 *     100     32  history hash after it
 *     132      4  length of the list of members
 *     136      -  the list of members (raft/members.h)
 *
 * Format 1 ended at offset 28.
 */
#include "partition/note.h"

#include "base/assert.h"
#include "base/err.h"

void ord_note_encode(const struct ord_note *n, struct ord_bytes *out)
{
	ORD_ASSERT(n->members.len <= ORD_NOTE_MEMBERS_BYTES_MAX);
	ord_bytes_put_u32(out, ORD_NOTE_FORMAT);
	ord_bytes_put_u64(out, n->index);
	ord_bytes_put_u64(out, n->term);
	ord_bytes_put_u64(out, n->time_us);
	ord_bytes_put_u64(out, n->base_index);
	ord_bytes_put_u64(out, n->base_term);
	ord_bytes_put_u64(out, n->current_term);
	ord_bytes_put_u64(out, n->members_index);
	ord_bytes_put_u64(out, n->end.number);
	ord_bytes_put_u64(out, n->end.last_index);
	ord_bytes_put_u64(out, n->end.last_term);
	ord_bytes_put_u64(out, n->end.next_position);
	ord_bytes_put_u64(out, n->end.last_time_us);
	ord_bytes_put(out, n->end.chain, sizeof n->end.chain);
	ord_bytes_put_u32(out, (uint32_t)n->members.len);
	ord_bytes_put(out, n->members.base, n->members.len);
	ORD_ASSERT(!out->failed);
}

static void take_log(struct ord_reader *r, struct ord_note *n)
{
	n->base_index = ord_reader_u64(r);
	n->base_term = ord_reader_u64(r);
	n->current_term = ord_reader_u64(r);
	n->members_index = ord_reader_u64(r);
}

static void take_end(struct ord_reader *r, struct ord_block_end *end)
{
	end->number = ord_reader_u64(r);
	end->last_index = ord_reader_u64(r);
	end->last_term = ord_reader_u64(r);
	end->next_position = ord_reader_u64(r);
	end->last_time_us = ord_reader_u64(r);
	struct ord_slice chain = ord_reader_take(r, sizeof end->chain);
	if (!r->failed)
		memcpy(end->chain, chain.base, sizeof end->chain);
}

static bool makes_sense(const struct ord_note *n)
{
	return n->base_index <= n->index && n->members.len <= ORD_NOTE_MEMBERS_BYTES_MAX &&
	       (n->base_index == 0) == (n->members.len == 0);
}

int ord_note_decode(struct ord_slice in, struct ord_note *ret)
{
	struct ord_reader r = ord_reader_of(in);
	struct ord_note n = {0};
	uint32_t format = ord_reader_u32(&r);
	if (!r.failed && (format == 0 || format > ORD_NOTE_FORMAT))
		return ORD_ERR_FORMAT;
	n.index = ord_reader_u64(&r);
	n.term = ord_reader_u64(&r);
	n.time_us = ord_reader_u64(&r);
	if (format > 1) {
		take_log(&r, &n);
		take_end(&r, &n.end);
		uint32_t len = ord_reader_u32(&r);
		n.members = ord_reader_take(&r, len);
	}
	if (r.failed || ord_reader_left(&r) != 0 || !makes_sense(&n))
		return ORD_ERR_CORRUPT;
	*ret = n;
	return ORD_OK;
}
