/* SPDX-License-Identifier: Apache-2.0 - reading the write-ahead log at start-up: what is whole, what is an incomplete tail, what is corruption. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/trace.h"
#include "raft/wal_state.h"

#define SCAN_BYTES (1u << 20)
#define BATCH_BYTES_MAX (16u << 20) /* far above what is ever written; a length beyond it is not believed */
#define REASON_SIZE 256

struct found {
	uint64_t number;
	uint64_t bytes;
};

struct scan {
	struct ord_wal *w;
	ord_wal_each each;
	void *arg;
	char *why;
	size_t why_size;

	struct found *segments; /* owned */
	size_t segments_count;
	size_t segments_capacity;
	bool out_of_memory;

	/* The segment that is being read. */
	struct found current;
	bool is_last;
	uint32_t salt;
	uint32_t format;
	bool is_reused;	   /* it is the file of a segment that was removed, and nothing of this one is in it yet */
	uint64_t sequence; /* of the next batch */
	uint64_t
		last_offset; /* of the last whole batch in it; 0 when that is its first one, which was written with the header, or there is none */

	/* A window on it. */
	uint8_t *buffer; /* owned */
	size_t buffer_capacity;
	uint64_t buffer_offset;
	size_t buffer_len;
};

__attribute__((format(printf, 3, 4))) static int scan_damaged(struct scan *s, uint64_t offset, const char *format, ...)
{
	char reason[REASON_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	snprintf(s->why, s->why_size, "the write-ahead log is damaged in segment %" PRIu64 " at offset %" PRIu64 ": %s",
		 s->current.number, offset, reason);
	return ORD_ERR_CORRUPT;
}

static int scan_io_failed(struct scan *s, int err, const char *what)
{
	snprintf(s->why, s->why_size, "cannot %s segment %" PRIu64 " of the write-ahead log: %s; check the disk", what,
		 s->current.number, ord_err_text(err));
	return err;
}

static int scan_no_memory(struct scan *s)
{
	snprintf(s->why, s->why_size, "out of memory while reading the write-ahead log");
	return ORD_ERR_NOMEM;
}

static void scan_list_cb(void *arg, uint64_t segment, uint64_t bytes)
{
	struct scan *s = arg;
	if (s->segments_count == s->segments_capacity) {
		size_t capacity = s->segments_capacity == 0 ? 16 : s->segments_capacity * 2;
		struct found *segments = realloc(s->segments, capacity * sizeof *segments);
		if (segments == NULL) {
			s->out_of_memory = true;
			return;
		}
		s->segments = segments;
		s->segments_capacity = capacity;
	}
	s->segments[s->segments_count++] = (struct found){.number = segment, .bytes = bytes};
}

static int scan_grow(struct scan *s, size_t capacity)
{
	if (s->buffer_capacity >= capacity)
		return ORD_OK;
	uint8_t *buffer = realloc(s->buffer, capacity);
	if (buffer == NULL)
		return scan_no_memory(s);
	s->buffer = buffer;
	s->buffer_capacity = capacity;
	return ORD_OK;
}

/* Up to len bytes at offset of the current segment; fewer only at its end. */
static int scan_peek(struct scan *s, uint64_t offset, size_t len, struct ord_slice *ret)
{
	struct ord_io *io = &s->w->options.io;
	if (offset >= s->buffer_offset && offset + len <= s->buffer_offset + s->buffer_len) {
		*ret = ord_slice_of(s->buffer + (offset - s->buffer_offset), len);
		return ORD_OK;
	}
	size_t want = len > SCAN_BYTES ? len : SCAN_BYTES;
	int err = scan_grow(s, want);
	if (err != ORD_OK)
		return err;
	if (want > s->current.bytes - offset)
		want = (size_t)(s->current.bytes - offset);
	s->buffer_len = 0;
	err = io->read(io->ctx, s->current.number, offset, s->buffer, want, &s->buffer_len);
	if (err != ORD_OK)
		return scan_io_failed(s, err, "read");
	s->buffer_offset = offset;
	*ret = ord_slice_of(s->buffer, s->buffer_len < len ? s->buffer_len : len);
	return ORD_OK;
}

static bool all_zero(struct ord_slice bytes)
{
	const uint8_t *at = bytes.base;
	return bytes.len == 0 || (at[0] == 0 && memcmp(at, at + 1, bytes.len - 1) == 0);
}

/* Whether the zeros that end a segment stand at offset. */
static int scan_ended(struct scan *s, uint64_t offset, bool *ret_ended)
{
	struct ord_slice bytes;
	*ret_ended = false;
	if (s->format < ORD_SEGMENT_FORMAT_ENDED)
		return ORD_OK;
	int err = scan_peek(s, offset, ORD_BATCH_HEADER_BYTES, &bytes);
	if (err == ORD_OK && bytes.len == ORD_BATCH_HEADER_BYTES)
		*ret_ended = ord_batch_is_end(bytes.base);
	return err;
}

static int scan_zero_to_end(struct scan *s, uint64_t offset, bool *ret_zero)
{
	while (offset < s->current.bytes) {
		uint64_t left = s->current.bytes - offset;
		struct ord_slice piece;
		int err = scan_peek(s, offset, left < SCAN_BYTES ? (size_t)left : SCAN_BYTES, &piece);
		if (err != ORD_OK)
			return err;
		if (piece.len == 0)
			break;
		if (!all_zero(piece)) {
			*ret_zero = false;
			return ORD_OK;
		}
		offset += piece.len;
	}
	*ret_zero = true;
	return ORD_OK;
}

/* The salt that the segment would have in a format: batches behind a damaged header are recognised by it. */
static uint32_t expected_salt(const struct scan *s, uint32_t format)
{
	const struct ord_wal_options *o = &s->w->options;
	uint8_t bytes[ORD_SEGMENT_HEADER_BYTES];
	struct ord_segment expected = {.format = format,
				       .cluster = o->cluster,
				       .node = o->node,
				       .groups_count = o->groups_count,
				       .number = s->current.number,
				       .sequence = s->sequence};
	return ord_segment_encode(&expected, bytes);
}

/* Whether the header of a batch later than the expected one stands here, with one of the salts. */
static bool is_later_batch(const struct scan *s, const uint8_t *at, const uint32_t *salts, size_t salts_count)
{
	struct ord_batch_header h;
	for (size_t i = 0; i < salts_count; i++)
		if (ord_batch_decode(at, salts[i], &h) && h.sequence > s->sequence &&
		    h.sequence - s->sequence <= s->current.bytes / ORD_BATCH_HEADER_BYTES)
			return true;
	return false;
}

/* Looks in a piece for such a header. */
static bool piece_has_later_batch(const struct scan *s, struct ord_slice piece, const uint32_t *salts,
				  size_t salts_count, uint64_t *ret_offset)
{
	const uint8_t *base = piece.base;
	size_t places = piece.len - ORD_BATCH_HEADER_BYTES + 1;
	const uint8_t *at = memchr(base, 'o', places);
	while (at != NULL) {
		size_t offset = (size_t)(at - base);
		if (is_later_batch(s, at, salts, salts_count)) {
			*ret_offset = offset;
			return true;
		}
		at = memchr(at + 1, 'o', places - offset - 1);
	}
	return false;
}

static int scan_find_later_batch(struct scan *s, uint64_t offset, const uint32_t *salts, size_t salts_count,
				 bool *ret_found, uint64_t *ret_offset)
{
	*ret_found = false;
	while (offset + ORD_BATCH_HEADER_BYTES <= s->current.bytes) {
		uint64_t left = s->current.bytes - offset;
		struct ord_slice piece;
		int err = scan_peek(s, offset, left < SCAN_BYTES ? (size_t)left : SCAN_BYTES, &piece);
		if (err != ORD_OK)
			return err;
		if (piece.len < ORD_BATCH_HEADER_BYTES)
			break;
		uint64_t at;
		if (piece_has_later_batch(s, piece, salts, salts_count, &at)) {
			*ret_found = true;
			*ret_offset = offset + at;
			return ORD_OK;
		}
		offset += piece.len - ORD_BATCH_HEADER_BYTES + 1;
	}
	return ORD_OK;
}

/* The same when the header is damaged, so that the format is not known. */
static int scan_find_any_batch(struct scan *s, bool *ret_found, uint64_t *ret_offset)
{
	uint32_t salts[ORD_SEGMENT_FORMAT - ORD_SEGMENT_FORMAT_OLDEST + 1];
	for (uint32_t f = ORD_SEGMENT_FORMAT_OLDEST; f <= ORD_SEGMENT_FORMAT; f++)
		salts[f - ORD_SEGMENT_FORMAT_OLDEST] = expected_salt(s, f);
	return scan_find_later_batch(s, 1, salts, sizeof salts / sizeof salts[0], ret_found, ret_offset);
}

static int scan_cut(struct scan *s, uint64_t offset)
{
	struct ord_io *io = &s->w->options.io;
	ord_trace("log tail cut", s->current.number, offset);
	int err = io->truncate(io->ctx, s->current.number, offset);
	if (err != ORD_OK)
		return scan_io_failed(s, err, "cut the incomplete tail of");
	s->current.bytes = offset;
	return ORD_OK;
}

/* What stands at offset is not what should: decides between a clean end, an incomplete tail and corruption. */
static int scan_judge_end(struct scan *s, uint64_t offset, const char *reason)
{
	bool ended;
	bool zero = false;
	bool found;
	uint64_t later;
	int err = scan_ended(s, offset, &ended);
	if (err == ORD_OK)
		err = scan_zero_to_end(s, offset, &zero);
	if (err != ORD_OK || zero)
		return err;
	if (!s->is_last && !ended)
		return scan_damaged(s, offset, "%s, and segment %" PRIu64 " follows", reason, s->current.number + 1);
	if (s->format != 0)
		err = scan_find_later_batch(s, offset + 1, &s->salt, 1, &found, &later);
	else
		err = scan_find_any_batch(s, &found, &later);
	if (err != ORD_OK)
		return err;
	if (found)
		return scan_damaged(s, offset, "%s, and a batch written after it stands at offset %" PRIu64, reason,
				    later);
	if (s->is_reused)
		ord_trace("log segment not begun", s->current.number, s->current.bytes);
	return ended || s->is_reused ? ORD_OK : scan_cut(s, offset);
}

static int scan_deliver(struct scan *s, uint64_t offset, struct ord_slice records)
{
	const uint8_t *at = records.base;
	size_t done = 0;
	while (done < records.len) {
		struct ord_record r;
		char reason[REASON_SIZE] = "a record that makes no sense here";
		int err = ord_record_decode(ord_slice_of(at + done, records.len - done), &r);
		ORD_ASSERT(err == ORD_OK);
		uint64_t place = ord_place(s->current.number, offset + done);
		if (r.group >= s->w->options.groups_count)
			return scan_damaged(s, offset + done, "a record of group %" PRIu32 ", which does not exist",
					    r.group);
		err = s->each(s->arg, &r, place, reason, sizeof reason);
		if (err == ORD_ERR_CORRUPT)
			return scan_damaged(s, offset + done, "%s", reason);
		if (err != ORD_OK) {
			snprintf(s->why, s->why_size, "%s", reason);
			return err;
		}
		done += ord_record_bytes(&r);
	}
	return ORD_OK;
}

/* Reads the batch at *offset and moves past it. *ret_whole is false when there is none. */
static int scan_batch(struct scan *s, uint64_t *offset, bool *ret_whole)
{
	struct ord_slice bytes;
	struct ord_batch_header h;
	*ret_whole = false;
	int err = scan_peek(s, *offset, ORD_BATCH_HEADER_BYTES, &bytes);
	if (err != ORD_OK)
		return err;
	if (bytes.len < ORD_BATCH_HEADER_BYTES || !ord_batch_decode(bytes.base, s->salt, &h))
		return ORD_OK;
	if (h.sequence != s->sequence || h.length > BATCH_BYTES_MAX)
		return ORD_OK;
	err = scan_peek(s, *offset + ORD_BATCH_HEADER_BYTES, h.length, &bytes);
	if (err != ORD_OK)
		return err;
	if (!ord_batch_holds(&h, bytes))
		return ORD_OK;
	err = scan_deliver(s, *offset + ORD_BATCH_HEADER_BYTES, bytes);
	if (err != ORD_OK)
		return err;
	s->last_offset = *offset == ORD_SEGMENT_HEADER_BYTES ? 0 : *offset;
	*offset += ORD_BATCH_HEADER_BYTES + h.length;
	s->sequence++;
	*ret_whole = true;
	return ORD_OK;
}

static int scan_check_owner(struct scan *s, const struct ord_segment *found)
{
	const struct ord_wal_options *o = &s->w->options;
	char cluster[ORD_UUID_TEXT_SIZE];
	ord_uuid_format(&found->cluster, cluster);
	if (!ord_uuid_equal(&found->cluster, &o->cluster))
		snprintf(s->why, s->why_size,
			 "the write-ahead log belongs to cluster %s; give this node its own data directory", cluster);
	else if (found->node != o->node)
		snprintf(s->why, s->why_size,
			 "the write-ahead log belongs to node %" PRIu32
			 " of this cluster; give this node its own data directory",
			 found->node);
	else if (found->groups_count != o->groups_count)
		snprintf(s->why, s->why_size,
			 "the write-ahead log has %" PRIu32 " partitions, the configuration %" PRIu32
			 "; their number is fixed when a cluster is made: put it back",
			 found->groups_count, o->groups_count);
	else
		return ORD_OK;
	return ORD_ERR_MISMATCH;
}

/* True for the first segment of a log whose beginning was removed. */
static bool is_beginning(const struct scan *s)
{
	return s->current.number == s->segments[0].number && s->current.number > 1;
}

/* Reads the header. *ret_whole is false when there is none, and it is not the place for an error. */
static int scan_header(struct scan *s, bool *ret_whole)
{
	struct ord_slice bytes;
	struct ord_segment found;
	uint32_t salt;
	*ret_whole = false;
	int err = scan_peek(s, 0, ORD_SEGMENT_HEADER_BYTES, &bytes);
	if (err != ORD_OK || bytes.len < ORD_SEGMENT_HEADER_BYTES)
		return err;
	err = ord_segment_decode(bytes.base, &found, &salt);
	if (err == ORD_ERR_MISMATCH) {
		snprintf(s->why, s->why_size,
			 "segment %" PRIu64
			 " of the write-ahead log has a format that this version does not know; use a later version",
			 s->current.number);
		return err;
	}
	if (err != ORD_OK)
		return ORD_OK;
	err = scan_check_owner(s, &found);
	if (err != ORD_OK)
		return err;
	s->is_reused = s->is_last && !is_beginning(s) && found.number < s->segments[0].number;
	if (s->is_reused)
		return ORD_OK;
	if (found.number != s->current.number)
		return scan_damaged(s, 0, "this file was written as segment %" PRIu64, found.number);
	if (is_beginning(s))
		s->sequence = found.sequence; /* where the log begins now */
	if (found.sequence != s->sequence && found.number == 1)
		return scan_damaged(s, 0, "batch 1 is missing in it");
	if (found.sequence != s->sequence)
		return scan_damaged(s, 0,
				    "batch %" PRIu64 " is missing before it: segment %" PRIu64
				    " ends without it at offset %" PRIu64,
				    s->sequence, s->current.number - 1, s->w->offset);
	s->salt = salt;
	s->format = found.format;
	*ret_whole = true;
	return ORD_OK;
}

static int scan_segment(struct scan *s)
{
	uint64_t offset = 0;
	bool whole;
	s->buffer_len = 0;
	s->last_offset = 0;
	if (s->current.bytes == 0 && !s->is_last)
		return scan_damaged(s, 0, "it is empty, and segment %" PRIu64 " follows", s->current.number + 1);
	s->format = 0;
	s->is_reused = false;
	int err = ord_wal_keep_up(s->w, s->current.number) == ORD_OK ? scan_header(s, &whole) : scan_no_memory(s);
	if (err == ORD_OK && !whole && is_beginning(s))
		return scan_damaged(s, 0, "it is the first one that there is, and its header is damaged");
	if (err == ORD_OK && whole)
		offset = ORD_SEGMENT_HEADER_BYTES;
	while (err == ORD_OK && whole && offset < s->current.bytes)
		err = scan_batch(s, &offset, &whole);
	if (err == ORD_OK && !whole)
		err = scan_judge_end(s, offset, offset == 0 ? "its header is damaged" : "a batch is damaged");
	s->w->segment = s->current.number;
	s->w->offset = offset;
	s->w->salt = s->salt;
	s->w->format = s->format;
	if (err == ORD_OK)
		ord_wal_keep_bytes(s->w, s->current.number, s->current.bytes);
	return err;
}

/* Bytes that were checked and read again: the segment's header, the last batch, or both; then the zeros that end them, when they do. */
static bool scan_still_holds(const struct scan *s, struct ord_slice bytes, bool ended)
{
	struct ord_batch_header h;
	const uint8_t *at = bytes.base;
	size_t len = (size_t)(s->w->offset - s->last_offset);
	size_t head_bytes = s->last_offset == 0 ? ORD_SEGMENT_HEADER_BYTES : 0;
	if (bytes.len != len + (ended ? ORD_BATCH_HEADER_BYTES : 0))
		return false;
	if (ended && !ord_batch_is_end(at + len))
		return false;
	if (len <= head_bytes)
		return true;
	size_t batch_bytes = len - head_bytes;
	return batch_bytes >= ORD_BATCH_HEADER_BYTES && ord_batch_decode(at + head_bytes, s->salt, &h) &&
	       ord_batch_holds(&h, ord_slice_of(at + head_bytes + ORD_BATCH_HEADER_BYTES,
						batch_bytes - ORD_BATCH_HEADER_BYTES));
}

/* What was read may still be in the cache of the operating system alone: a process that was killed had its last write under way, and one whose last sync failed
 * had it there for good. Each write follows the success of the one before, so that only the last batch, and the zeros behind it, can be in this state. */
static int scan_make_durable(struct scan *s)
{
	struct ord_io *io = &s->w->options.io;
	struct ord_slice last;
	bool ended;
	if (s->segments_count == 0)
		return ORD_OK;
	int err = scan_ended(s, s->w->offset, &ended);
	if (err != ORD_OK)
		return err;
	size_t len = (size_t)(s->w->offset - s->last_offset) + (ended ? ORD_BATCH_HEADER_BYTES : 0);
	err = scan_peek(s, s->last_offset, len, &last);
	if (err != ORD_OK)
		return err;
	if (!scan_still_holds(s, last, ended))
		return scan_damaged(s, s->last_offset, "what was read there a moment ago is not there any more");
	if (last.len > 0)
		err = io->rewrite(io->ctx, s->current.number, s->last_offset, last);
	if (err == ORD_OK)
		err = io->truncate(io->ctx, s->current.number, s->current.bytes);
	return err == ORD_OK ? ORD_OK : scan_io_failed(s, err, "write again or sync the end of");
}

static int scan_all(struct scan *s)
{
	for (size_t i = 0; i < s->segments_count; i++) {
		uint64_t expected = s->segments[0].number + i;
		s->current = s->segments[i];
		s->is_last = i + 1 == s->segments_count;
		if (s->current.number != expected) {
			s->current.number = expected;
			return scan_damaged(s, 0, "the segment is missing");
		}
		int err = scan_segment(s);
		if (err != ORD_OK)
			return err;
	}
	return scan_make_durable(s);
}

int ord_wal_scan(struct ord_wal *w, ord_wal_each each, void *arg, char *why, size_t why_size)
{
	struct scan s = {.w = w, .each = each, .arg = arg, .why = why, .why_size = why_size, .sequence = 1};
	w->segment = 1;
	w->first_segment = 1;
	int err = w->options.io.list(w->options.io.ctx, scan_list_cb, &s);
	if (err != ORD_OK) {
		snprintf(why, why_size, "cannot list the segments of the write-ahead log: %s", ord_err_text(err));
		goto out;
	}
	if (s.out_of_memory) {
		snprintf(why, why_size, "out of memory while listing the write-ahead log");
		err = ORD_ERR_NOMEM;
		goto out;
	}
	if (s.segments_count > 0)
		w->first_segment = s.segments[0].number;
	err = scan_all(&s);
	w->sequence = s.sequence;
	w->was_empty = s.sequence == 1;
out:
	free(s.segments);
	free(s.buffer);
	return err;
}
