/* SPDX-License-Identifier: Apache-2.0 - a disk in memory. */
#include "tests/support/raft_disk.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void raft_disk_open(struct raft_disk *d)
{
	memset(d, 0, sizeof *d);
}

void raft_disk_close(struct raft_disk *d)
{
	for (size_t i = 0; i < RAFT_DISK_SEGMENTS_MAX; i++)
		free(d->segments[i].base);
	free(d->spare.base);
	memset(d, 0, sizeof *d);
}

static struct raft_disk_segment *segment_at(struct raft_disk *d, uint64_t segment)
{
	cr_assert_lt(segment, RAFT_DISK_SEGMENTS_MAX);
	return &d->segments[segment];
}

/* Makes the segment at least len bytes long; new bytes are zero. */
static void segment_grow(struct raft_disk_segment *s, size_t len)
{
	s->exists = true;
	if (len <= s->len)
		return;
	if (len > s->capacity) {
		s->capacity = len * 2;
		s->base = realloc(s->base, s->capacity);
		cr_assert_not_null(s->base);
	}
	memset(s->base + s->len, 0, len - s->len);
	s->len = len;
}

static void segment_put(struct raft_disk_segment *s, uint64_t offset, const uint8_t *base, size_t len)
{
	segment_grow(s, offset + len);
	if (len > 0)
		memcpy(s->base + offset, base, len);
}

static int disk_list(void *ctx, void (*each)(void *arg, uint64_t segment, uint64_t bytes), void *arg)
{
	struct raft_disk *d = ctx;
	for (uint64_t i = 0; i < RAFT_DISK_SEGMENTS_MAX; i++)
		if (d->segments[i].exists)
			each(arg, i, d->segments[i].len);
	return ORD_OK;
}

static int disk_read(void *ctx, uint64_t segment, uint64_t offset, void *base, size_t len, size_t *ret_len)
{
	struct raft_disk *d = ctx;
	struct raft_disk_segment *s = segment_at(d, segment);
	if (d->read_err != ORD_OK)
		return d->read_err;
	d->reads_count++;
	if (!s->exists)
		return ORD_ERR_IO;
	size_t left = offset < s->len ? s->len - offset : 0;
	size_t got = len < left ? len : left;
	if (got > 0)
		memcpy(base, s->base + offset, got);
	*ret_len = got;
	return ORD_OK;
}

static int disk_truncate(void *ctx, uint64_t segment, uint64_t bytes)
{
	struct raft_disk *d = ctx;
	struct raft_disk_segment *s = segment_at(d, segment);
	cr_assert(s->exists);
	d->syncs_count++;
	cr_assert_leq(bytes, s->len, "a log never makes a segment longer by truncating it");
	s->len = bytes;
	return ORD_OK;
}

/* The cache and the disk are one here: it is there already. */
static int disk_rewrite(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes)
{
	struct raft_disk *d = ctx;
	struct raft_disk_segment *s = segment_at(d, segment);
	cr_assert(s->exists && offset + bytes.len <= s->len);
	cr_assert_arr_eq(s->base + offset, bytes.base, bytes.len, "a log writes again what is there already");
	d->rewrites_count++;
	d->rewrite_offset = offset;
	d->rewrite_bytes = bytes.len;
	return ORD_OK;
}

static void disk_write(void *ctx, uint64_t segment, uint64_t offset, struct ord_slice bytes)
{
	struct raft_disk *d = ctx;
	struct raft_disk_segment *s = segment_at(d, segment);
	cr_assert_not(d->in_flight, "two writes in flight");
	cr_assert_leq(offset, s->len, "a write leaves a hole");
	cr_assert(offset == 0 || s->exists);
	d->in_flight = true;
	d->write_segment = segment;
	d->write_offset = offset;
	d->write_bytes = bytes;
	d->writes_count++;
	if (bytes.len > d->write_bytes_max)
		d->write_bytes_max = bytes.len;
}

static void disk_remove(void *ctx, uint64_t segment)
{
	struct raft_disk *d = ctx;
	cr_assert_eq(d->remove_segment, 0, "two removals under way");
	cr_assert_eq(segment, raft_disk_first(d), "a segment that is not the first one is removed");
	cr_assert_lt(segment, raft_disk_last(d), "the last segment is removed");
	cr_assert(!d->in_flight || d->write_segment != segment, "the segment that is written is removed");
	d->remove_segment = segment;
	d->removes_count++;
}

struct ord_io raft_disk_io(struct raft_disk *d)
{
	return (struct ord_io){.ctx = d,
			       .list = disk_list,
			       .read = disk_read,
			       .truncate = disk_truncate,
			       .rewrite = disk_rewrite,
			       .write = disk_write,
			       .remove = disk_remove};
}

static void zeros_put(struct raft_disk *d)
{
	static const uint8_t zeros[ORD_IO_END_BYTES];
	segment_put(segment_at(d, d->write_segment), d->write_offset + d->write_bytes.len, zeros, sizeof zeros);
}

/* The name of the segment that is written is there, before any byte of it. */
static void name_put(struct raft_disk *d)
{
	struct raft_disk_segment *s = segment_at(d, d->write_segment);
	if (!s->exists && d->spare.exists) {
		*s = d->spare;
		d->spare = (struct raft_disk_segment){0};
		d->reused_count++;
	}
	s->exists = true;
}

void raft_disk_complete(struct raft_disk *d)
{
	cr_assert(d->in_flight);
	d->in_flight = false;
	name_put(d);
	zeros_put(d);
	segment_put(segment_at(d, d->write_segment), d->write_offset, d->write_bytes.base, d->write_bytes.len);
}

void raft_disk_complete_remove(struct raft_disk *d)
{
	struct raft_disk_segment *s = segment_at(d, d->remove_segment);
	cr_assert_neq(d->remove_segment, 0);
	if (d->reuses && !d->spare.exists)
		d->spare = *s;
	else
		free(s->base);
	*s = (struct raft_disk_segment){0};
	d->remove_segment = 0;
}

void raft_disk_tear(struct raft_disk *d, size_t len, size_t len_zero)
{
	cr_assert(d->in_flight);
	cr_assert_leq(len, d->write_bytes.len);
	d->in_flight = false;
	name_put(d);
	segment_put(segment_at(d, d->write_segment), d->write_offset, d->write_bytes.base, len);
	segment_grow(segment_at(d, d->write_segment), d->write_offset + len + len_zero);
}

static void tear_sectors(struct raft_disk *d, struct random *r)
{
	const uint8_t *base = d->write_bytes.base;
	if (!d->reuses || random_chance(r, 50)) /* else zeros stand there already */
		zeros_put(d);
	for (size_t at = 0; at < d->write_bytes.len; at += RAFT_DISK_SECTOR) {
		size_t left = d->write_bytes.len - at;
		size_t len = left < RAFT_DISK_SECTOR ? left : RAFT_DISK_SECTOR;
		if (random_chance(r, 50))
			segment_put(segment_at(d, d->write_segment), d->write_offset + at, base + at, len);
	}
}

void raft_disk_crash(struct raft_disk *d, struct random *r)
{
	if (d->remove_segment != 0 && random_chance(r, 50))
		raft_disk_complete_remove(d);
	d->remove_segment = 0;
	if (!d->in_flight)
		return;
	if (d->reuses && random_chance(r, 20)) {
		d->in_flight = false;
		return;
	}
	name_put(d);
	switch (random_below(r, 4)) {
	case 0:
		raft_disk_tear(d, 0, 0);
		break;
	case 1:
		raft_disk_tear(d, random_below(r, d->write_bytes.len + 1), random_below(r, 2) * 1000);
		break;
	case 2:
		raft_disk_complete(d);
		break;
	default:
		tear_sectors(d, r);
		d->in_flight = false;
		break;
	}
}

void raft_disk_copy(const struct raft_disk *from, struct raft_disk *to)
{
	raft_disk_open(to);
	for (size_t i = 0; i < RAFT_DISK_SEGMENTS_MAX; i++) {
		const struct raft_disk_segment *s = &from->segments[i];
		if (s->exists)
			segment_put(&to->segments[i], 0, s->base, s->len);
	}
}

uint64_t raft_disk_first(const struct raft_disk *d)
{
	uint64_t first = 0;
	while (first < RAFT_DISK_SEGMENTS_MAX && !d->segments[first].exists)
		first++;
	return first;
}

uint64_t raft_disk_last(const struct raft_disk *d)
{
	uint64_t last = 0;
	for (uint64_t i = 0; i < RAFT_DISK_SEGMENTS_MAX; i++)
		if (d->segments[i].exists)
			last = i;
	return last;
}
