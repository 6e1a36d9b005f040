/* SPDX-License-Identifier: Apache-2.0 - the write-ahead log: collecting, writing and syncing batches. */

/* The format. All numbers are little-endian.
 *
 * A log is a row of segment files, numbered without gaps. The first one ever was 1; segments in which nothing is needed any more are removed from the
 * front (raft/wal_keep.c). A segment is a header and batches; a batch is a header and records
 * (raft/record.h). One batch is one write and one sync, and it never spans segments. The next batch is written only after the sync of the one
 * before it has succeeded. The header of a segment is written together with its first batch.
 *
 * Behind each batch stand 32 zero bytes at the least, written and synced together with it: the end. The next batch is written over them. What stands behind them counts
 * for nothing, since the file of a segment that was removed is used again, as it is, for a later one. Its old batches are not taken for new ones: their
 * checksums begin with another segment's CRC.
 *
 *   segment header, 64 bytes                          batch header, 32 bytes
 *    0   8  "ordwal\r\n"                               0   4  6f 42 41 7f
 *    8   4  format, 4                                  4   4  CRC-32C of bytes 8 .. 31, begun with the segment's
 *   12   4  node                                               CRC (its bytes 60 .. 63) instead of 0
 *   16  16  cluster                                    8   8  sequence: 1, 2, 3 ... through all segments
 *   32   8  number of the segment                     16   4  length of the records that follow
 *   40   8  sequence of its first batch               20   4  number of those records
 *   48   4  number of groups                          24   4  CRC-32C of the records' checksums (4 bytes each) in order
 *   52   8  zero                                      28   4  zero
 *   60   4  CRC-32C of bytes 0 .. 59
 *
 * Entries of one group: "entry i" means that every entry of that group from i on that was written before is void; there is no record for
 * truncation. A copy is an entry that was written before, of the same index and term, written again so that the segment where it stood can go: it
 * voids nothing, and where the older record is gone it stands for it. A base means that every entry of that group written before is void, and that
 * the log goes on after the entry it names. The last vote record of a group is its term and vote.
 * Where the log of a group may begin is for its owner to say: the entries before are elsewhere, and those still found are passed over.
 *
 * Format 1 had no copies and bases, format 2 no votes for members that are no founders, format 3 nothing but zeros from the end of the last
 * batch to the end of the segment; their segments are read. A log whose last segment has one goes on in a new one.
 *
 * Reading (raft/wal_scan.c). A batch is whole when its header's checksum is right, its sequence is the one expected, its records fill its
 * length exactly, each has the right checksum and together they have the header's. Zeros from the end of a batch to the end of the segment
 * are room that was made in advance: a clean end. So are, from format 4 on, 32 zeros in the place of a header, unless a batch of this segment that is
 * later than the expected one stands behind them: then it is corruption. That the last batches of all are missing at the end of another segment the header of the
 * next one tells. A last segment whose header is whole and has a number before the first one that there is, is the file of a segment that was removed, in which
 * nothing was written since: it is empty. Anything else that is not a whole batch is
 *   - an incomplete tail, when it is in the last segment and no batch header with the right checksum and a later sequence follows anywhere
 *     behind it: the last write was cut short by a crash, so nobody was told that it is durable. It is cut off.
 *   - corruption otherwise: a later batch is only written when this one has been synced. Opening fails and names the place.
 * The last batch is therefore all or nothing: a write of many sectors may leave any of them on disk in any order.
 * A bit that flips in the last batch of all cannot be told from a torn write; it is cut too.
 */
#include "raft/wal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "raft/wal_state.h"

#define BLOCK_BYTES_MIN (16u << 10)
#define BLOCK_BYTES_MAX \
	(4u << 20) /* also the longest batch, unless one record is longer: bounds the time of one sync */
#define BLOCKS_PER_CACHE 16
_Static_assert(ORD_IO_END_BYTES == ORD_BATCH_HEADER_BYTES, "zeros in the place of a header end a segment");

/* A block holds bytes of one segment only: a larger one than that would stay empty for the most part. */
static size_t block_bytes_for(const struct ord_wal_options *o)
{
	uint64_t bytes = o->cache_bytes / BLOCKS_PER_CACHE;
	if (bytes < BLOCK_BYTES_MIN)
		bytes = BLOCK_BYTES_MIN;
	if (bytes > BLOCK_BYTES_MAX)
		bytes = BLOCK_BYTES_MAX;
	return bytes > o->segment_bytes ? (size_t)o->segment_bytes : (size_t)bytes;
}

int ord_wal_open(const struct ord_wal_options *options, ord_wal_each each, void *arg, struct ord_wal **ret, char *why,
		 size_t why_size)
{
	ORD_ASSERT(options->segment_bytes >= ORD_WAL_SEGMENT_BYTES_MIN);
	ORD_ASSERT(options->segment_bytes <= ORD_WAL_SEGMENT_BYTES_MAX);
	int err = ORD_ERR_NOMEM;
	struct ord_wal *w = calloc(1, sizeof *w);
	if (w == NULL)
		goto fail;
	w->options = *options;
	w->block_bytes = block_bytes_for(options);
	w->touched = calloc(options->groups_count, sizeof *w->touched);
	if (w->touched == NULL)
		goto fail;
	err = ord_wal_scan(w, each, arg, why, why_size);
	if (err != ORD_OK)
		goto fail_told;
	w->durable_sequence = w->sequence - 1;
	w->durable_segment = w->offset > 0 ? w->segment : w->segment - 1;
	if (w->offset > 0 && w->format != ORD_SEGMENT_FORMAT) {
		w->segment++;
		w->offset = 0;
	}
	w->durable_place = ord_place(w->segment, w->offset);
	*ret = w;
	return ORD_OK;
fail:
	snprintf(why, why_size, "out of memory while opening the write-ahead log");
fail_told:
	ord_wal_close(w);
	return err;
}

static void batches_free(struct wal_batch *b)
{
	while (b != NULL) {
		struct wal_batch *next = b->next;
		free(b->groups);
		free(b);
		b = next;
	}
}

void ord_wal_close(struct ord_wal *w)
{
	if (w == NULL)
		return;
	batches_free(w->first);
	batches_free(w->spare);
	batches_free(w->told);
	for (size_t i = 0; i < w->blocks_count; i++)
		free(w->blocks[i]);
	free(w->blocks);
	free(w->spare_block);
	free(w->touched);
	free(w->kept);
	free(w);
}

bool ord_wal_was_empty(const struct ord_wal *w)
{
	return w->was_empty;
}

static struct wal_batch *batch_take(struct ord_wal *w)
{
	struct wal_batch *b = w->spare;
	if (b != NULL) {
		w->spare = b->next;
		return b;
	}
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return NULL;
	b->groups = malloc(w->options.groups_count * sizeof *b->groups);
	if (b->groups == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

static void batch_give_back(struct ord_wal *w, struct wal_batch *b)
{
	b->next = w->spare;
	w->spare = b;
}

static struct wal_block *block_take(struct ord_wal *w, size_t bytes)
{
	size_t capacity = bytes > w->block_bytes ? bytes : w->block_bytes;
	struct wal_block *b = NULL;
	if (w->blocks_count == w->blocks_capacity) {
		size_t room = w->blocks_capacity == 0 ? 64 : w->blocks_capacity * 2;
		struct wal_block **blocks = realloc(w->blocks, room * sizeof(struct wal_block *));
		if (blocks == NULL)
			return NULL;
		w->blocks = blocks;
		w->blocks_capacity = room;
	}
	if (w->spare_block != NULL && w->spare_block->capacity >= capacity) {
		b = w->spare_block;
		w->spare_block = NULL;
	} else {
		b = malloc(sizeof *b + capacity);
		if (b == NULL)
			return NULL;
		b->capacity = capacity;
	}
	b->place = ord_place(w->segment, w->offset);
	b->len = 0;
	w->blocks[w->blocks_count++] = b;
	w->memory_bytes += b->capacity;
	return b;
}

/* The block that the next batch can go on in, NULL when a new one is needed. */
static struct wal_block *block_to_go_on(const struct ord_wal *w, size_t bytes)
{
	if (w->blocks_count == 0)
		return NULL;
	struct wal_block *b = w->blocks[w->blocks_count - 1];
	bool adjoins = b->place + b->len == ord_place(w->segment, w->offset);
	return adjoins && b->capacity - b->len >= bytes ? b : NULL;
}

static void batch_seal(struct ord_wal *w)
{
	struct wal_batch *b = w->open;
	b->header.length = (uint32_t)(b->len - ORD_BATCH_HEADER_BYTES);
	ord_batch_encode(&b->header, b->salt, b->block->base + b->offset);
	w->offset += b->prefix_bytes + b->len;
	w->sequence++;
	w->open = NULL;
}

/* Takes back the open batch, which has no records. */
static void batch_cancel(struct ord_wal *w)
{
	struct wal_batch *b = w->open;
	struct wal_batch **at = &w->first;
	struct wal_batch *before = NULL;
	for (; *at != b; at = &(*at)->next)
		before = *at;
	*at = NULL;
	w->last = before;
	w->open = NULL;
	b->block->len -= b->prefix_bytes + b->len;
	w->waiting_bytes -= b->prefix_bytes + b->len;
	batch_give_back(w, b);
}

static void segment_roll_if_full(struct ord_wal *w, size_t record_bytes)
{
	bool has_batches = w->offset > ORD_SEGMENT_HEADER_BYTES;
	uint64_t end = w->offset + ORD_BATCH_HEADER_BYTES + record_bytes + ORD_IO_END_BYTES;
	if (has_batches && end > w->options.segment_bytes) {
		w->segment++;
		w->offset = 0;
	}
}

bool ord_wal_leave(struct ord_wal *w, uint64_t segment)
{
	if (segment != w->segment)
		return false;
	if (w->open != NULL && w->open->header.records > 0)
		batch_seal(w);
	else if (w->open != NULL)
		batch_cancel(w);
	if (w->offset == 0) /* nothing is in it */
		return false;
	w->segment++;
	w->offset = 0;
	return true;
}

static int batch_open(struct ord_wal *w, size_t record_bytes)
{
	segment_roll_if_full(w, record_bytes);
	if (ord_wal_keep_up(w, w->segment) != ORD_OK)
		return ORD_ERR_NOMEM;
	size_t prefix = w->offset == 0 ? ORD_SEGMENT_HEADER_BYTES : 0;
	size_t need = prefix + ORD_BATCH_HEADER_BYTES + record_bytes;
	struct wal_batch *b = batch_take(w);
	if (b == NULL)
		return ORD_ERR_NOMEM;
	struct wal_block *block = block_to_go_on(w, need);
	if (block == NULL)
		block = block_take(w, need);
	if (block == NULL) {
		batch_give_back(w, b);
		return ORD_ERR_NOMEM;
	}
	if (prefix > 0) {
		struct ord_segment s = {.format = ORD_SEGMENT_FORMAT,
					.cluster = w->options.cluster,
					.node = w->options.node,
					.groups_count = w->options.groups_count,
					.number = w->segment,
					.sequence = w->sequence};
		w->salt = ord_segment_encode(&s, block->base + block->len);
	}
	block->len += prefix;
	*b = (struct wal_batch){.block = block,
				.offset = block->len,
				.prefix_bytes = prefix,
				.len = ORD_BATCH_HEADER_BYTES,
				.header = {.sequence = w->sequence},
				.salt = w->salt,
				.groups = b->groups};
	block->len += ORD_BATCH_HEADER_BYTES;
	w->waiting_bytes += prefix + ORD_BATCH_HEADER_BYTES;
	w->appended_bytes += prefix + ORD_BATCH_HEADER_BYTES;
	if (w->last == NULL)
		w->first = b;
	else
		w->last->next = b;
	w->last = b;
	w->open = b;
	return ORD_OK;
}

/* Makes sure that the open batch has room for a record. */
static int batch_ready(struct ord_wal *w, size_t record_bytes)
{
	struct wal_batch *b = w->open;
	if (b != NULL) {
		bool fits_block = b->block->capacity - b->block->len >= record_bytes;
		uint64_t end = w->offset + b->prefix_bytes + b->len + record_bytes + ORD_IO_END_BYTES;
		if (fits_block && end <= w->options.segment_bytes)
			return ORD_OK;
		if (b->header.records > 0)
			batch_seal(w);
		else
			batch_cancel(w);
	}
	return batch_open(w, record_bytes);
}

int ord_wal_reserve(struct ord_wal *w, size_t payload_bytes)
{
	return batch_ready(w, ORD_RECORD_HEADER_BYTES + payload_bytes);
}

/* Counts in a record of len bytes that the caller then writes to what is returned. */
static uint8_t *batch_extend(struct ord_wal *w, size_t len, uint32_t group, uint64_t *ret_place)
{
	struct wal_batch *b = w->open;
	ORD_ASSERT(group < w->options.groups_count);
	if (w->touched[group] != b->header.sequence) {
		w->touched[group] = b->header.sequence;
		b->groups[b->groups_count++] = group;
	}
	uint8_t *at = b->block->base + b->block->len;
	*ret_place = b->block->place + b->block->len;
	b->block->len += len;
	b->len += len;
	b->header.records++;
	w->waiting_bytes += len;
	w->appended_bytes += len;
	return at;
}

int ord_wal_append(struct ord_wal *w, const struct ord_record *r, uint64_t *ret_place)
{
	size_t len = ord_record_bytes(r);
	int err = batch_ready(w, len);
	if (err != ORD_OK)
		return err;
	uint8_t *at = batch_extend(w, len, r->group, ret_place);
	ord_record_encode(r, at);
	w->open->header.check = ord_batch_check(w->open->header.check, ord_record_check(at));
	return ORD_OK;
}

int ord_wal_append_encoded(struct ord_wal *w, struct ord_slice record, uint32_t group, uint64_t *ret_place)
{
	ORD_ASSERT(record.len >= ORD_RECORD_HEADER_BYTES);
	ORD_ASSERT(record.len <= ORD_RECORD_BYTES_MAX);
	int err = batch_ready(w, record.len);
	if (err != ORD_OK)
		return err;
	uint8_t *at = batch_extend(w, record.len, group, ret_place);
	memcpy(at, record.base, record.len);
	w->open->header.check = ord_batch_check(w->open->header.check, ord_record_check(at));
	return ORD_OK;
}

uint64_t ord_wal_sequence(const struct ord_wal *w)
{
	return w->open != NULL ? w->open->header.sequence : w->sequence - 1;
}

uint64_t ord_wal_durable(const struct ord_wal *w)
{
	return w->durable_sequence;
}

void ord_wal_write(struct ord_wal *w)
{
	struct wal_batch *b = w->first;
	if (w->in_flight != NULL || b == NULL || b->header.records == 0)
		return;
	if (b == w->open)
		batch_seal(w);
	w->in_flight = b;
	size_t offset = b->offset - b->prefix_bytes;
	size_t len = b->prefix_bytes + b->len;
	uint64_t place = b->block->place + offset;
	w->waiting_bytes -= len;
	w->options.io.write(w->options.io.ctx, ord_place_segment(place), ord_place_offset(place),
			    ord_slice_of(b->block->base + offset, len));
}

const uint32_t *ord_wal_synced(struct ord_wal *w, uint32_t *ret_count)
{
	struct wal_batch *b = w->in_flight;
	ORD_ASSERT(b != NULL);
	ORD_ASSERT(b == w->first);
	w->in_flight = NULL;
	w->first = b->next;
	if (w->first == NULL)
		w->last = NULL;
	w->durable_sequence = b->header.sequence;
	w->durable_place = b->block->place + b->offset + b->len;
	w->durable_segment = ord_place_segment(b->block->place);
	ord_wal_keep_bytes(w, w->durable_segment,
			   b->prefix_bytes + b->len + (b->prefix_bytes > 0 ? ORD_IO_END_BYTES : 0));
	w->syncs_count++;
	if (w->told != NULL)
		batch_give_back(w, w->told);
	w->told = b;
	b->next = NULL;
	*ret_count = b->groups_count;
	return b->groups;
}

void ord_wal_trim(struct ord_wal *w)
{
	size_t gone = 0;
	while (gone + 1 < w->blocks_count && w->memory_bytes > w->options.cache_bytes) {
		struct wal_block *b = w->blocks[gone];
		if (b->place + b->len > w->durable_place)
			break;
		gone++;
		w->memory_bytes -= b->capacity;
		if (w->spare_block == NULL && b->capacity == w->block_bytes)
			w->spare_block = b;
		else
			free(b);
	}
	if (gone == 0)
		return;
	w->blocks_count -= gone;
	memmove(w->blocks, w->blocks + gone, w->blocks_count * sizeof(struct wal_block *));
}

const uint8_t *ord_wal_peek(const struct ord_wal *w, uint64_t place, size_t len)
{
	size_t low = 0;
	size_t high = w->blocks_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (w->blocks[middle]->place <= place)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	const struct wal_block *b = w->blocks[low - 1];
	uint64_t offset = place - b->place;
	return offset < b->len && b->len - offset >= len ? b->base + offset : NULL;
}

void ord_wal_status(const struct ord_wal *w, struct ord_wal_status *ret)
{
	*ret = (struct ord_wal_status){.disk_bytes = w->disk_bytes,
				       .segments_count = w->kept_count,
				       .waiting_bytes = w->waiting_bytes,
				       .appended_bytes = w->appended_bytes,
				       .memory_bytes = w->memory_bytes,
				       .syncs_count = w->syncs_count,
				       .in_flight = w->in_flight != NULL};
}
