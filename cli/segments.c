/* SPDX-License-Identifier: Apache-2.0 - segments, batch after batch; where one is damaged, from the next header of a batch on that checks. raft/wal.c describes the format.
 *
 * A node that runs appends to the last segment, begins new ones and removes old ones. So the last one that was there at the beginning may end with a batch that is being written, and one that is gone when its
 * turn comes, with all before it, was removed. One that is removed while it is read may be renamed and written over, as a later segment: what seems to be damage then is none, and the walk goes on with the next. */
#include "cli/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "raft/segment.h"

#define PATH_SIZE (PATH_MAX + 64)
#define SUFFIX ".wal"
#define NAME_DIGITS 16
/* Far above what is ever written (raft/wal_scan.c); a length beyond it is not believed. */
#define BATCH_BYTES_MAX (16u << 20)
#define WINDOW_BYTES (1u << 20)
#define FORMAT_OFFSET 8
#define CRC_OFFSET (ORD_SEGMENT_HEADER_BYTES - 4)

struct walk {
	const struct ord_segments_visitor *visitor; /* borrowed */
	uint64_t *numbers;			    /* owned; ascending */
	size_t numbers_count;
	bool begun; /* a segment was met that may not have gone since */
	bool ended;
	uint64_t sequence; /* of the next batch; 0: any */
	uint8_t *window;   /* owned; of the batch that is read */
	/* The open segment. */
	char path[PATH_SIZE];
	int fd;
	uint64_t number;
	uint64_t bytes;
	uint8_t header[ORD_SEGMENT_HEADER_BYTES]; /* as it was when it was opened; header_bytes of it */
	size_t header_bytes;
	uint32_t format; /* 0: not known */
	uint32_t salt;
	bool is_last;
	bool has_gone; /* it was removed while it was read */
};

/* --- Reading. --- */

/* Fewer than len at the end of the file, or where the disk fails. */
static size_t file_read(const struct walk *w, uint64_t offset, void *base, size_t len)
{
	size_t have = 0;
	while (have < len) {
		ssize_t done = pread(w->fd, (uint8_t *)base + have, len - have, (off_t)(offset + have));
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		have += (size_t)done;
	}
	return have;
}

static struct ord_segments_place place_of(const struct walk *w, uint64_t offset, uint64_t sequence)
{
	return (struct ord_segments_place){
		.path = w->path, .segment = w->number, .offset = offset, .sequence = sequence};
}

/* False when the segment was removed meanwhile: its file has no name any more, or that of another segment. */
static bool still_there(struct walk *w)
{
	uint8_t in[ORD_SEGMENT_HEADER_BYTES];
	struct stat opened, named;
	bool is_same = fstat(w->fd, &opened) == 0 && stat(w->path, &named) == 0 && opened.st_dev == named.st_dev &&
		       opened.st_ino == named.st_ino && file_read(w, 0, in, sizeof in) == w->header_bytes &&
		       memcmp(in, w->header, w->header_bytes) == 0;
	w->has_gone = w->has_gone || !is_same;
	return is_same;
}

static void damage_tell(struct walk *w, uint64_t offset, uint64_t bytes, const char *why)
{
	if (w->fd >= 0 && !still_there(w))
		return;
	struct ord_segments_place place = place_of(w, offset, 0);
	w->visitor->damage(w->visitor->ctx, &place, bytes, why);
}

/* The header of the batch that begins at offset. */
static bool batch_peek(const struct walk *w, uint64_t offset, uint32_t salt, struct ord_batch_header *ret)
{
	uint8_t in[ORD_BATCH_HEADER_BYTES];
	return file_read(w, offset, in, sizeof in) == sizeof in && ord_batch_decode(in, salt, ret) &&
	       ret->length <= BATCH_BYTES_MAX && ret->length <= w->bytes - offset - ORD_BATCH_HEADER_BYTES;
}

/* Whether the zeros that end a segment stand at offset. */
static bool ends_at(const struct walk *w, uint64_t offset)
{
	uint8_t in[ORD_BATCH_HEADER_BYTES];
	return w->format >= ORD_SEGMENT_FORMAT_ENDED && file_read(w, offset, in, sizeof in) == sizeof in &&
	       ord_batch_is_end(in);
}

/* Where the first batch at or behind offset begins; the segment's end when there is none. *ret_zero: nothing but zeros is before it. */
static uint64_t batch_search(const struct walk *w, uint64_t offset, uint32_t salt, bool *ret_zero)
{
	struct ord_batch_header h;
	*ret_zero = true;
	while (offset < w->bytes) {
		size_t have = file_read(w, offset, w->window, WINDOW_BYTES);
		if (have == 0)
			break;
		for (size_t i = 0; i < have; i++) {
			if (w->window[i] == 'o' && batch_peek(w, offset + i, salt, &h))
				return offset + i;
			*ret_zero = *ret_zero && w->window[i] == 0;
		}
		offset += have;
	}
	return w->bytes;
}

/* --- Records. --- */

/* Where the record behind the one at `at` begins, if the length of that can be believed: there a record stands, or the batch ends. The batch's end otherwise. */
static size_t record_behind(struct ord_slice records, size_t at)
{
	const uint8_t *base = records.base;
	struct ord_record next;
	uint32_t length;
	if (records.len - at < ORD_RECORD_HEADER_BYTES)
		return records.len;
	memcpy(&length, base + at + 4, sizeof length);
	if (length > records.len - at - ORD_RECORD_HEADER_BYTES)
		return records.len;
	size_t behind = at + ORD_RECORD_HEADER_BYTES + length;
	bool believed = behind == records.len ||
			ord_record_decode(ord_slice_of(base + behind, records.len - behind), &next) == ORD_OK;
	return believed ? behind : records.len;
}

static const char *record_problem(int err)
{
	if (err == ORD_ERR_CORRUPT)
		return "the checksum of this record is wrong";
	return err == ORD_ERR_TRUNCATED ? "the batch ends inside this record" : "this is no record";
}

/* Tells the records of a batch that begins at offset. */
static void records_visit(struct walk *w, uint64_t offset, uint64_t sequence, struct ord_slice records)
{
	const uint8_t *base = records.base;
	struct ord_record r;
	for (size_t at = 0; at < records.len && !w->ended && !w->has_gone;) {
		struct ord_segments_place place = place_of(w, offset + ORD_BATCH_HEADER_BYTES + at, sequence);
		int err = ord_record_decode(ord_slice_of(base + at, records.len - at), &r);
		size_t behind = err == ORD_OK ? at + ord_record_bytes(&r) : record_behind(records, at);
		if (err == ORD_OK)
			w->ended = !w->visitor->record(w->visitor->ctx, &place, &r);
		else
			damage_tell(w, place.offset, behind - at, record_problem(err));
		at = behind;
	}
}

/* --- Batches. --- */

static bool records_are_whole(struct ord_slice records)
{
	const uint8_t *base = records.base;
	struct ord_record r;
	for (size_t at = 0; at < records.len; at += ord_record_bytes(&r))
		if (ord_record_decode(ord_slice_of(base + at, records.len - at), &r) != ORD_OK)
			return false;
	return true;
}

static bool another_follows(const struct walk *w, uint64_t offset)
{
	bool zero;
	return batch_search(w, offset, w->salt, &zero) < w->bytes;
}

/* What the last segment ends with, from offset on, is no whole batch. */
static void unfinished_tell(struct walk *w, uint64_t offset)
{
	if (!still_there(w))
		return;
	struct ord_segments_place place = place_of(w, offset, w->sequence);
	w->visitor->unfinished(w->visitor->ctx, &place, w->bytes - offset);
}

/* Tells the batch at *offset and moves past it. False: it is the unfinished end. */
static bool batch_visit(struct walk *w, const struct ord_batch_header *h, uint64_t *offset)
{
	uint64_t end = *offset + ORD_BATCH_HEADER_BYTES + h->length;
	struct ord_slice records =
		ord_slice_of(w->window, file_read(w, *offset + ORD_BATCH_HEADER_BYTES, w->window, h->length));
	bool whole = ord_batch_holds(h, records);
	if (!whole && w->is_last) {
		bool follows = another_follows(w, end); /* which reads into the window */
		if (!follows)
			return false;
		records.len = file_read(w, *offset + ORD_BATCH_HEADER_BYTES, w->window, h->length);
		whole = ord_batch_holds(h, records); /* it may have been written meanwhile */
	}
	if (!whole && !still_there(w))
		return true;
	if (w->sequence != 0 && h->sequence != w->sequence)
		damage_tell(w, *offset, 0, "a batch is missing before this one");
	if (!whole && records_are_whole(records))
		damage_tell(w, *offset, 0, "the records of this batch are not those that its header says");
	records_visit(w, *offset, h->sequence, records);
	w->sequence = h->sequence + 1;
	*offset = end;
	return true;
}

/* No batch begins at *offset: goes on where the next one does. False at the end of the segment. */
static bool batch_skip(struct walk *w, uint64_t *offset)
{
	struct ord_batch_header h;
	bool zero;
	bool ended = ends_at(w, *offset);
	uint64_t next = batch_search(w, *offset, w->salt, &zero);
	bool at_end = next == w->bytes;
	if (at_end && (zero || ended || w->is_last)) {
		if (!zero && !ended)
			unfinished_tell(w, *offset);
		return false;
	}
	if (!at_end && batch_peek(w, *offset, w->salt, &h))
		return true; /* it was written meanwhile */
	damage_tell(w, *offset, next - *offset, "no batch begins here");
	w->sequence = 0;
	*offset = next;
	return !at_end;
}

static void batches_walk(struct walk *w)
{
	uint64_t offset = ORD_SEGMENT_HEADER_BYTES;
	struct ord_batch_header h;
	bool more = true;
	while (more && !w->ended && !w->has_gone && offset < w->bytes) {
		if (!batch_peek(w, offset, w->salt, &h)) {
			more = batch_skip(w, &offset);
		} else if (!batch_visit(w, &h, &offset)) {
			unfinished_tell(w, offset);
			more = false;
		}
	}
}

/* --- Segments. --- */

/* The header is damaged: the salt of its batches is the checksum that stands there, or, when that is what changed, the one that should. */
static bool salt_guess(struct walk *w, const uint8_t header[ORD_SEGMENT_HEADER_BYTES])
{
	struct ord_segment s;
	uint8_t copy[ORD_SEGMENT_HEADER_BYTES];
	uint32_t stored;
	bool zero;
	memcpy(&stored, header + CRC_OFFSET, sizeof stored);
	if (batch_search(w, ORD_SEGMENT_HEADER_BYTES, stored, &zero) < w->bytes) {
		w->salt = stored;
		return true;
	}
	/* With the fields as they stand. */
	struct ord_reader r = ord_reader_of(ord_slice_of(header, sizeof copy));
	ord_reader_take(&r, 8);
	s = (struct ord_segment){.format = ord_reader_u32(&r)};
	s.node = ord_reader_u32(&r);
	memcpy(s.cluster.bytes, header + r.offset, sizeof s.cluster.bytes);
	ord_reader_take(&r, sizeof s.cluster.bytes);
	s.number = ord_reader_u64(&r);
	s.sequence = ord_reader_u64(&r);
	s.groups_count = ord_reader_u32(&r);
	w->salt = ord_segment_encode(&s, copy);
	return batch_search(w, ORD_SEGMENT_HEADER_BYTES, w->salt, &zero) < w->bytes;
}

static uint32_t format_guess(const uint8_t header[ORD_SEGMENT_HEADER_BYTES])
{
	uint32_t format;
	memcpy(&format, header + FORMAT_OFFSET, sizeof format);
	return format < ORD_SEGMENT_FORMAT && format >= ORD_SEGMENT_FORMAT_OLDEST ? format : ORD_SEGMENT_FORMAT;
}

/* Whether the header of the last segment is that of the file's former one: it was removed, and nothing was written since. */
static bool is_of_former(const struct walk *w, const struct ord_segment *s)
{
	return w->is_last && w->numbers_count > 1 && s->number < w->number;
}

/* Whether batches of the segment that it should be stand behind the former one's header: then that is damage. Sets their salt. */
static bool has_batches_all_the_same(struct walk *w, const struct ord_segment *former)
{
	struct ord_segment s = *former;
	uint8_t copy[ORD_SEGMENT_HEADER_BYTES];
	bool zero;
	s.format = ORD_SEGMENT_FORMAT;
	s.number = w->number;
	s.sequence = w->sequence;
	w->format = s.format;
	w->salt = ord_segment_encode(&s, copy);
	return w->sequence != 0 && batch_search(w, ORD_SEGMENT_HEADER_BYTES, w->salt, &zero) < w->bytes;
}

static void header_check(struct walk *w, const struct ord_segment *s)
{
	if (s->number != w->number)
		damage_tell(w, 0, 0, "this file was written as another segment");
	if (w->sequence != 0 && s->sequence != w->sequence)
		damage_tell(w, 0, 0, "batches are missing before this segment");
	w->sequence = s->sequence;
}

/* A header that cannot be used, and no batch behind it that can be recognised: the last segment's first write may have been cut short. */
static void header_give_up(struct walk *w, const char *why)
{
	if (w->is_last)
		unfinished_tell(w, 0);
	else
		damage_tell(w, 0, w->bytes, why);
	w->sequence = 0;
}

/* The header cannot be used. True when the batches behind it can be read. */
static bool header_rescue(struct walk *w, const uint8_t *in, int err)
{
	bool zero;
	batch_search(w, 0, 0, &zero);
	if (zero && w->is_last)
		return false; /* its first batch is still to be written */
	if (err == ORD_ERR_MISMATCH) {
		damage_tell(w, 0, w->bytes, "this segment has a format that this version does not know");
		w->sequence = 0;
		return false;
	}
	if (err == ORD_ERR_TRUNCATED || !salt_guess(w, in)) {
		header_give_up(w, zero ? "this segment is empty, and another one follows"
				       : "the header of this segment is damaged, and no batch is found behind it");
		return false;
	}
	damage_tell(w, 0, ORD_SEGMENT_HEADER_BYTES, "the header of this segment is damaged");
	w->format = format_guess(in);
	w->sequence = 0;
	return true;
}

static void segment_walk(struct walk *w)
{
	struct ord_segment s;
	int err = w->header_bytes == sizeof w->header ? ord_segment_decode(w->header, &s, &w->salt) : ORD_ERR_TRUNCATED;
	if (err == ORD_OK && is_of_former(w, &s)) {
		if (!has_batches_all_the_same(w, &s))
			return;
		damage_tell(w, 0, 0, "this file was written as another segment");
	} else if (err == ORD_OK) {
		w->format = s.format;
		header_check(w, &s);
	} else if (!header_rescue(w, w->header, err)) {
		return;
	}
	batches_walk(w);
}

/* Opens segment i of the list. False with errno. */
static bool file_open(struct walk *w, const char *directory, size_t i)
{
	struct stat st;
	w->number = w->numbers[i];
	w->is_last = i + 1 == w->numbers_count;
	w->has_gone = false;
	w->format = 0;
	snprintf(w->path, sizeof w->path, "%s/%016" PRIx64 SUFFIX, directory, w->number);
	w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0 || fstat(w->fd, &st) != 0)
		return false;
	w->bytes = (uint64_t)st.st_size;
	w->header_bytes = file_read(w, 0, w->header, sizeof w->header);
	return true;
}

static void file_walk(struct walk *w, const char *directory, size_t i)
{
	if (file_open(w, directory, i)) {
		if (w->begun && i > 0 && w->number != w->numbers[i - 1] + 1) {
			damage_tell(w, 0, 0, "segments are missing before this one");
			w->sequence = 0;
		}
		w->begun = true;
		segment_walk(w);
		if (!still_there(w)) { /* what was read last may have been of a later segment */
			w->begun = false;
			w->sequence = 0;
		}
	} else if (errno != ENOENT || w->begun) {
		damage_tell(w, 0, 0, strerror(errno));
		w->sequence = 0;
	}
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* --- The directory. --- */

static bool number_parse(const char *name, uint64_t *ret)
{
	char *end;
	if (strlen(name) != NAME_DIGITS + strlen(SUFFIX) || strcmp(name + NAME_DIGITS, SUFFIX) != 0 ||
	    strspn(name, "0123456789abcdef") != NAME_DIGITS)
		return false;
	*ret = strtoull(name, &end, 16);
	return true;
}

/* Names have leading zeros, so that their order is that of the numbers. */
static int files_list(struct walk *w, const char *directory, char *why, size_t why_size)
{
	struct dirent **names = NULL;
	int count = scandir(directory, &names, NULL, alphasort);
	if (count < 0) {
		int err = errno == ENOENT || errno == ENOTDIR ? ORD_ERR_NOT_FOUND : ORD_ERR_IO;
		snprintf(why, why_size, "%s: %s; give the data directory of a node", directory, strerror(errno));
		return err;
	}
	w->numbers = calloc((size_t)count + 1, sizeof *w->numbers);
	for (int i = 0; i < count; i++) {
		if (w->numbers != NULL && number_parse(names[i]->d_name, &w->numbers[w->numbers_count]))
			w->numbers_count++;
		free(names[i]);
	}
	free(names);
	return w->numbers != NULL ? ORD_OK : ORD_ERR_NOMEM;
}

int ord_segments_walk(const char *data_dir, const struct ord_segments_visitor *visitor, char *why, size_t why_size)
{
	struct walk w = {.visitor = visitor, .fd = -1};
	char directory[PATH_MAX];
	snprintf(why, why_size, "%s", ord_err_text(ORD_ERR_NOMEM));
	snprintf(directory, sizeof directory, "%s/wal", data_dir);
	w.window = malloc(BATCH_BYTES_MAX);
	int err = w.window != NULL ? files_list(&w, directory, why, why_size) : ORD_ERR_NOMEM;
	for (size_t i = 0; err == ORD_OK && !w.ended && i < w.numbers_count; i++)
		file_walk(&w, directory, i);
	free(w.numbers);
	free(w.window);
	return err;
}
