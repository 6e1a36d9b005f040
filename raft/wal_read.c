/* SPDX-License-Identifier: Apache-2.0 - reading records of the write-ahead log back: from its memory, or through windows on the segments. */
#include <stdlib.h>

#include "base/err.h"
#include "raft/wal_state.h"

#define WINDOWS 8 /* groups read at about as many places at a time */
#define WINDOW_BYTES (256u << 10)

struct window {
	uint64_t place;
	size_t len;
	size_t capacity;
	uint8_t *base; /* owned */
	uint64_t used; /* when, by the reader's count of reads */
};

struct ord_wal_reader {
	struct ord_wal *wal;
	uint64_t reads;
	struct window windows[WINDOWS];
};

int ord_wal_reader_open(struct ord_wal *w, struct ord_wal_reader **ret)
{
	struct ord_wal_reader *r = calloc(1, sizeof *r);
	if (r == NULL)
		return ORD_ERR_NOMEM;
	r->wal = w;
	*ret = r;
	return ORD_OK;
}

void ord_wal_reader_close(struct ord_wal_reader *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < WINDOWS; i++)
		free(r->windows[i].base);
	free(r);
}

static const uint8_t *window_peek(const struct window *w, uint64_t place, size_t len)
{
	if (place < w->place || place - w->place > w->len || w->len - (place - w->place) < len)
		return NULL;
	return w->base + (place - w->place);
}

static struct window *oldest_window(struct ord_wal_reader *r)
{
	struct window *oldest = &r->windows[0];
	for (int i = 1; i < WINDOWS; i++)
		if (r->windows[i].used < oldest->used)
			oldest = &r->windows[i];
	return oldest;
}

/* How much a window at place may take in: nothing behind the durable end, which changes while it is written. */
static size_t window_room(const struct ord_wal *w, uint64_t place, size_t want)
{
	if (ord_place_segment(place) != ord_place_segment(w->durable_place))
		return want;
	uint64_t left = place < w->durable_place ? w->durable_place - place : 0;
	return left < want ? (size_t)left : want;
}

static int window_fill(struct ord_wal_reader *r, struct window *w, uint64_t place, size_t len)
{
	struct ord_io *io = &r->wal->options.io;
	size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
	if (w->capacity < want) {
		uint8_t *base = realloc(w->base, want);
		if (base == NULL)
			return ORD_ERR_NOMEM;
		w->base = base;
		w->capacity = want;
	}
	w->place = place;
	w->len = 0;
	return io->read(io->ctx, ord_place_segment(place), ord_place_offset(place), w->base,
			window_room(r->wal, place, want), &w->len);
}

int ord_wal_read(struct ord_wal_reader *r, uint64_t place, size_t len, struct ord_wal_piece *ret)
{
	struct ord_wal_piece piece = {.from_disk = false};
	const uint8_t *at = ord_wal_peek(r->wal, place, len);
	if (at != NULL) {
		*ret = (struct ord_wal_piece){.bytes = ord_slice_of(at, len)};
		return ORD_OK;
	}
	piece.from_disk = true;
	r->reads++;
	for (int i = 0; i < WINDOWS && at == NULL; i++) {
		at = window_peek(&r->windows[i], place, len);
		if (at != NULL)
			r->windows[i].used = r->reads;
	}
	if (at == NULL) {
		struct window *w = oldest_window(r);
		int err = window_fill(r, w, place, len);
		if (err != ORD_OK)
			return err;
		w->used = r->reads;
		piece.read_bytes = w->len;
		at = window_peek(w, place, len);
		if (at == NULL)
			return ORD_ERR_CORRUPT;
	}
	piece.bytes = ord_slice_of(at, len);
	*ret = piece;
	return ORD_OK;
}

bool ord_wal_in_memory(const struct ord_wal *w, uint64_t place, size_t len)
{
	return ord_wal_peek(w, place, len) != NULL;
}
