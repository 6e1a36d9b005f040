/* SPDX-License-Identifier: Apache-2.0 - one direction of a simulated connection. */
#include "tests/sim/net_pipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "node/frame.h"
#include "tests/sim/world.h"

void sim_pipe_free(struct sim_pipe *p)
{
	free(p->bytes);
	free(p->segments);
	free(p->held);
	ord_bytes_close(&p->partial);
	memset(p, 0, sizeof *p);
}

static void bytes_room(struct sim_pipe *p, size_t len)
{
	size_t used = p->arrived + p->flying;
	if (p->begin + used + len <= p->capacity)
		return;
	if (p->begin > 0 && used + len <= p->capacity / 2 + 1) {
		memmove(p->bytes, p->bytes + p->begin, used);
		p->begin = 0;
		return;
	}
	size_t capacity = p->capacity == 0 ? 4096 : p->capacity;
	while (capacity < used + len)
		capacity *= 2;
	capacity *= 2;
	uint8_t *bytes = malloc(capacity);
	SIM_ASSERT(bytes != NULL);
	if (used > 0)
		memcpy(bytes, p->bytes + p->begin, used);
	free(p->bytes);
	p->bytes = bytes;
	p->begin = 0;
	p->capacity = capacity;
}

static void segment_put(struct sim_pipe *p, size_t len, uint64_t due_us)
{
	if (p->segments_begin + p->segments_count == p->segments_capacity) {
		if (p->segments_begin > 0) {
			memmove(p->segments, p->segments + p->segments_begin, p->segments_count * sizeof *p->segments);
			p->segments_begin = 0;
		}
		if (p->segments_count * 2 >= p->segments_capacity) {
			p->segments_capacity = p->segments_capacity == 0 ? 16 : p->segments_capacity * 2;
			p->segments = realloc(p->segments, p->segments_capacity * sizeof *p->segments);
			SIM_ASSERT(p->segments != NULL);
		}
	}
	if (due_us < p->last_due_us)
		due_us = p->last_due_us;
	p->last_due_us = due_us;
	p->segments[p->segments_begin + p->segments_count++] = (struct sim_segment){.len = len, .due_us = due_us};
}

void sim_pipe_put(struct sim_pipe *p, const uint8_t *bytes, size_t len, uint64_t due_us)
{
	if (p->finished || len == 0)
		return;
	bytes_room(p, len);
	memcpy(p->bytes + p->begin + p->arrived + p->flying, bytes, len);
	p->flying += len;
	segment_put(p, len, due_us);
}

void sim_pipe_finish(struct sim_pipe *p, uint64_t due_us)
{
	if (p->finished)
		return;
	p->finished = true;
	segment_put(p, 0, due_us);
}

bool sim_pipe_due(const struct sim_pipe *p, uint64_t *ret_due_us)
{
	if (p->segments_count == 0 && !p->ack_missing)
		return false;
	*ret_due_us = p->segments_count > 0 ? p->segments[p->segments_begin].due_us : p->last_due_us;
	return true;
}

void sim_pipe_delay(struct sim_pipe *p, uint64_t due_us)
{
	for (size_t i = 0; i < p->segments_count; i++)
		if (p->segments[p->segments_begin + i].due_us < due_us)
			p->segments[p->segments_begin + i].due_us = due_us;
	if (p->last_due_us < due_us)
		p->last_due_us = due_us;
}

bool sim_pipe_arrive(struct sim_pipe *p)
{
	if (p->segments_count == 0)
		return false;
	struct sim_segment s = p->segments[p->segments_begin++];
	p->segments_count--;
	if (p->segments_count == 0)
		p->segments_begin = 0;
	p->arrived += s.len;
	p->flying -= s.len;
	if (s.len == 0)
		p->ended = true;
	return true;
}

size_t sim_pipe_take(struct sim_pipe *p, void *base, size_t len)
{
	if (len > p->arrived)
		len = p->arrived;
	if (len == 0)
		return 0;
	memcpy(base, p->bytes + p->begin, len);
	p->begin += len;
	p->arrived -= len;
	if (p->arrived + p->flying == 0)
		p->begin = 0;
	return len;
}

bool sim_pipe_has_arrived(const struct sim_pipe *p)
{
	return p->arrived > 0;
}

bool sim_pipe_is_ended(const struct sim_pipe *p)
{
	return p->ended && p->arrived == 0;
}

size_t sim_pipe_bytes(const struct sim_pipe *p)
{
	return p->arrived + p->flying;
}

void sim_pipe_drop(struct sim_pipe *p)
{
	p->flying = 0;
	p->segments_count = 0;
	p->segments_begin = 0;
	p->finished = true;
	p->ack_missing = false;
}

void sim_pipe_cut(struct sim_pipe *p)
{
	size_t arrives = (size_t)sim_below(SIM_NETWORK, p->flying + 1);
	p->arrived += arrives;
	p->flying -= arrives;
	sim_pipe_drop(p);
}

void sim_pipe_frames(struct sim_pipe *p, const void *bytes, size_t len,
		     void (*each)(void *ctx, uint8_t *frame, size_t len, bool is_parts), void *ctx)
{
	struct ord_frame frame;
	bool have = true;
	size_t taken = 0;
	if (p->partial.bytes_max == 0)
		ord_bytes_init(&p->partial, SIZE_MAX / 2);
	ord_bytes_put(&p->partial, bytes, len);
	SIM_ASSERT(!p->partial.failed);
	while (have) {
		struct ord_slice rest = ord_slice_of(p->partial.base + taken, p->partial.len - taken);
		int err = ord_frame_decode(rest, ORD_FRAME_BYTES_MAX, &frame, &have);
		if (err != ORD_OK)
			sim_fail(SIM_SAFETY, "a node sends bytes to a peer that are no frame: %s", ord_err_text(err));
		if (!have)
			break;
		each(ctx, p->partial.base + taken, frame.frame_bytes, frame.kind == ORD_FRAME_PARTS);
		taken += frame.frame_bytes;
	}
	ord_bytes_consume(&p->partial, taken);
}

void sim_pipe_hold(struct sim_pipe *p, const uint8_t *frame, size_t len)
{
	p->held = malloc(len);
	SIM_ASSERT(p->held != NULL);
	memcpy(p->held, frame, len);
	p->held_len = len;
}

bool sim_pipe_is_holding(const struct sim_pipe *p)
{
	return p->held != NULL;
}

uint8_t *sim_pipe_release(struct sim_pipe *p, size_t *ret_len)
{
	uint8_t *held = p->held;
	*ret_len = p->held_len;
	p->held = NULL;
	p->held_len = 0;
	return held;
}
