/* SPDX-License-Identifier: Apache-2.0 - checking the segments of the write-ahead log, a piece at a time; of the one that is being written, what is on disk. What must hold of them stands in raft/wal.c. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "raft/wal_state.h"

#define PIECE_BYTES (256u << 10)
#define COPY_BYTES_MAX (ORD_RECORD_HEADER_BYTES + ORD_RECORD_BYTES_MAX) /* the longest record */

struct ord_wal_scrub {
	struct ord_wal *wal; /* borrowed */
	uint64_t segment;    /* 0: no round is under way */
	uint64_t offset;
	uint64_t
		end; /* where the segment ends for this round, when it is being written; UINT64_MAX: where its file does */
	uint64_t sequence; /* of the next batch; 0: any, at the beginning and behind damage */
	uint32_t salt;
	uint32_t format;
	bool ended;	 /* at its end, whatever stands behind it */
	bool only_zeros; /* behind the last batch */
	bool wants_more; /* a record is longer than a piece */
	uint64_t failed; /* the first segment that could not be read in this round, and in the one before; 0: none */
	uint64_t failed_before;
	/* The batch that has begun. */
	uint64_t left_bytes; /* 0: none has */
	struct ord_batch_header batch;
	uint32_t records;
	uint32_t check;
	uint8_t *buffer; /* owned; COPY_BYTES_MAX */
};
_Static_assert(PIECE_BYTES < COPY_BYTES_MAX, "the buffer holds a piece");

int ord_wal_scrub_open(struct ord_wal *w, struct ord_wal_scrub **ret)
{
	struct ord_wal_scrub *s = calloc(1, sizeof *s);
	uint8_t *buffer = malloc(COPY_BYTES_MAX);
	if (s == NULL || buffer == NULL) {
		free(s);
		free(buffer);
		return ORD_ERR_NOMEM;
	}
	s->wal = w;
	s->buffer = buffer;
	*ret = s;
	return ORD_OK;
}

void ord_wal_scrub_close(struct ord_wal_scrub *s)
{
	if (s == NULL)
		return;
	free(s->buffer);
	free(s);
}

static void segment_begin(struct ord_wal_scrub *s, uint64_t segment)
{
	s->segment = segment;
	s->offset = 0;
	s->left_bytes = 0;
	s->ended = false;
	s->only_zeros = false;
	s->wants_more = false;
}

/* The rest of the segment is not looked at: what stands there cannot be told from what should. */
static int damaged(struct ord_wal_scrub *s, uint64_t offset, const char *why, struct ord_wal_scrubbed *ret)
{
	ret->segment = s->segment;
	ret->offset = offset;
	snprintf(ret->why, sizeof ret->why, "%s", why);
	s->sequence = 0;
	segment_begin(s, s->segment + 1);
	return ORD_ERR_CORRUPT;
}

static bool all_zero(struct ord_slice bytes)
{
	const uint8_t *at = bytes.base;
	return bytes.len == 0 || (at[0] == 0 && memcmp(at, at + 1, bytes.len - 1) == 0);
}

/* What is wrong with what stands next, NULL: nothing. *ret_done is how many bytes of it are done with; 0: more are needed than there are. */
static const char *header_check(struct ord_wal_scrub *s, struct ord_slice bytes, size_t *ret_done)
{
	const struct ord_wal_options *o = &s->wal->options;
	struct ord_segment found;
	*ret_done = ORD_SEGMENT_HEADER_BYTES;
	if (bytes.len < ORD_SEGMENT_HEADER_BYTES || ord_segment_decode(bytes.base, &found, &s->salt) != ORD_OK)
		return "its header is damaged";
	if (found.number != s->segment || found.node != o->node || found.groups_count != o->groups_count ||
	    !ord_uuid_equal(&found.cluster, &o->cluster))
		return "its header is that of another segment";
	if (s->sequence != 0 && found.sequence != s->sequence)
		return "batches are missing before it";
	s->sequence = found.sequence;
	s->format = found.format;
	return NULL;
}

static const char *batch_begin(struct ord_wal_scrub *s, struct ord_slice bytes, size_t *ret_done)
{
	*ret_done = 0;
	if (bytes.len < ORD_BATCH_HEADER_BYTES)
		return NULL;
	if (ord_batch_is_end(bytes.base) && s->end != UINT64_MAX)
		return "a batch is damaged: it is gone";
	if (ord_batch_is_end(bytes.base)) {
		s->ended = s->format >= ORD_SEGMENT_FORMAT_ENDED;
		s->only_zeros = !s->ended;
		return NULL;
	}
	if (!ord_batch_decode(bytes.base, s->salt, &s->batch) || s->batch.sequence != s->sequence ||
	    s->batch.length == 0)
		return "a batch is damaged: its header";
	s->left_bytes = s->batch.length;
	s->records = 0;
	s->check = 0;
	*ret_done = ORD_BATCH_HEADER_BYTES;
	return NULL;
}

static const char *record_check(struct ord_wal_scrub *s, struct ord_slice bytes, size_t *ret_done)
{
	struct ord_record r;
	int err = ord_record_decode(bytes, &r);
	*ret_done = 0;
	if (err == ORD_ERR_TRUNCATED && bytes.len < COPY_BYTES_MAX)
		return NULL;
	if (err != ORD_OK || ord_record_bytes(&r) > s->left_bytes)
		return "a batch is damaged: a record in it";
	*ret_done = ord_record_bytes(&r);
	s->left_bytes -= *ret_done;
	s->records++;
	s->check = ord_batch_check(s->check, ord_record_check(bytes.base));
	if (s->left_bytes > 0)
		return NULL;
	s->sequence++;
	return s->records == s->batch.records && s->check == s->batch.check ? NULL
									    : "a batch is damaged: not its own records";
}

static const char *next_check(struct ord_wal_scrub *s, struct ord_slice bytes, size_t *ret_done)
{
	if (s->offset == 0)
		return header_check(s, bytes, ret_done);
	return s->left_bytes > 0 ? record_check(s, bytes, ret_done) : batch_begin(s, bytes, ret_done);
}

/* Takes in a piece at the offset; is_end: the segment ends with it. */
static int piece_check(struct ord_wal_scrub *s, struct ord_slice piece, bool is_end, struct ord_wal_scrubbed *ret)
{
	const uint8_t *at = piece.base;
	size_t done = 0;
	while (done < piece.len && !s->only_zeros && !s->ended) {
		size_t step;
		const char *why = next_check(s, ord_slice_of(at + done, piece.len - done), &step);
		if (why != NULL)
			return damaged(s, s->offset, why, ret);
		if (step == 0 && !s->only_zeros)
			break;
		done += step;
		s->offset += step;
	}
	if (s->ended)
		return ORD_OK;
	struct ord_slice rest = ord_slice_of(at + done, piece.len - done);
	if (s->only_zeros || (is_end && s->left_bytes == 0)) {
		if (!all_zero(rest))
			return damaged(s, s->offset, "a batch is damaged: its header", ret);
		s->offset += rest.len;
	} else if (is_end) {
		return damaged(s, s->offset, "it ends within a batch", ret);
	}
	s->wants_more = done == 0;
	return ORD_OK;
}

/* A segment that cannot be read in two rounds counts as damaged: a sector of it is gone. */
static int not_read(struct ord_wal_scrub *s, struct ord_wal_scrubbed *ret)
{
	if (s->failed_before == s->segment)
		return damaged(s, s->offset, "it cannot be read", ret);
	if (s->failed == 0)
		s->failed = s->segment;
	s->sequence = 0;
	segment_begin(s, s->segment + 1);
	return ORD_OK;
}

/* What has been written behind the end meanwhile is for the next round. */
static void segment_end(struct ord_wal_scrub *s)
{
	segment_begin(s, s->end == UINT64_MAX ? s->segment + 1 : UINT64_MAX);
}

static void round_end(struct ord_wal_scrub *s)
{
	s->failed_before = s->failed;
	s->failed = 0;
	segment_begin(s, 0);
}

static uint64_t end_of(const struct ord_wal *w, uint64_t segment)
{
	return segment == ord_place_segment(w->durable_place) ? ord_place_offset(w->durable_place) : UINT64_MAX;
}

int ord_wal_scrub_step(struct ord_wal_scrub *s, struct ord_wal_scrubbed *ret)
{
	struct ord_wal *w = s->wal;
	*ret = (struct ord_wal_scrubbed){0};
	if (s->segment < w->first_segment) { /* at the beginning, or it has gone */
		s->sequence = 0;
		segment_begin(s, w->first_segment);
	}
	if (s->segment > w->durable_segment) {
		round_end(s);
		ret->is_last = true;
		return ORD_OK;
	}
	if (s->offset == 0)
		s->end = end_of(w, s->segment);
	size_t len, want = s->wants_more ? COPY_BYTES_MAX : PIECE_BYTES;
	if (want > s->end - s->offset)
		want = (size_t)(s->end - s->offset);
	int err = w->options.io.read(w->options.io.ctx, s->segment, s->offset, s->buffer, want, &len);
	if (err != ORD_OK)
		return not_read(s, ret);
	ret->bytes = len;
	if (len == 0 && s->offset == 0)
		return damaged(s, 0, "it is empty", ret);
	bool is_end = len < want || s->offset + len == s->end;
	err = piece_check(s, ord_slice_of(s->buffer, len), is_end, ret);
	if (err == ORD_OK && (s->ended || is_end))
		segment_end(s);
	return err;
}
