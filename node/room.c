/* SPDX-License-Identifier: Apache-2.0 - how much room is left on the disk, and what that means for the node. */
#include "node/room.h"

#include "base/assert.h"

#define RESERVE_BYTES_MIN (64u << 20)
#define RESERVE_BYTES_MAX (1u << 30)

/* A node makes files one by one: a segment of the log, a file of history. */
#define FILES_LOW 1024
#define FILES_CRITICAL 256

#define PAUSE_MS 1000
#define PAUSE_MS_MIN 100
/* An entry is written three times, and may have been taken after the sample was. */
#define WRITES_PER_ENTRY 4
/* So many samples at least on the way to a threshold. */
#define SAMPLES_AHEAD 4
/* What somebody else may begin to write in a second, without any sign of it before. */
#define FALLS_BYTES_S_MIN (UINT64_C(2) << 30)

const char *ord_room_name(enum ord_room_state state)
{
	static const char *const names[ORD_ROOM_STATES] = {"ok", "low", "critical"};
	ORD_ASSERT(state < ORD_ROOM_STATES);
	return names[state];
}

uint64_t ord_room_reserve(uint64_t total_bytes, uint64_t needs_bytes)
{
	uint64_t bytes = total_bytes / 10;
	uint64_t least_bytes = RESERVE_BYTES_MIN + needs_bytes;
	if (bytes > RESERVE_BYTES_MAX)
		bytes = RESERVE_BYTES_MAX;
	return bytes > least_bytes ? bytes : least_bytes;
}

void ord_room_init(struct ord_room *r, uint64_t reserve_bytes, uint64_t needs_bytes)
{
	*r = (struct ord_room){.reserve_bytes = reserve_bytes, .needs_bytes = needs_bytes};
}

/* What is left of the free bytes when all that waits has been written. */
static uint64_t left_bytes(const struct ord_room_sample *s)
{
	return s->free_bytes > s->waiting_bytes ? s->free_bytes - s->waiting_bytes : 0;
}

/* The state by one measure: it gets worse below a limit, and better a quarter or a half above it, so that it does not go to and fro. */
static enum ord_room_state judge(enum ord_room_state now, uint64_t left, uint64_t low, uint64_t critical)
{
	if (left < critical || (now == ORD_ROOM_CRITICAL && left < critical + critical / 2))
		return ORD_ROOM_CRITICAL;
	if (left < low || (now != ORD_ROOM_OK && left < low + low / 4))
		return ORD_ROOM_LOW;
	return ORD_ROOM_OK;
}

static void measure_speed(struct ord_room *r, const struct ord_room_sample *sample, uint64_t now_ms)
{
	uint64_t before = left_bytes(&r->sample);
	uint64_t after = left_bytes(sample);
	r->falls_bytes_s = 0;
	if (r->sample.total_bytes != 0 && after < before && now_ms > r->sampled_ms)
		r->falls_bytes_s = (before - after) / (now_ms - r->sampled_ms) * 1000;
}

bool ord_room_update(struct ord_room *r, const struct ord_room_sample *sample, uint64_t now_ms)
{
	enum ord_room_state before = r->state;
	if (r->reserve_bytes == 0)
		r->reserve_bytes = ord_room_reserve(sample->total_bytes, r->needs_bytes);
	measure_speed(r, sample, now_ms);
	r->sample = *sample;
	r->sampled_ms = now_ms;
	r->state = judge(before, left_bytes(sample), r->reserve_bytes, r->reserve_bytes / 4);
	if (sample->total_files != 0) {
		enum ord_room_state files = judge(before, sample->free_files, FILES_LOW, FILES_CRITICAL);
		if (files > r->state)
			r->state = files;
	}
	return r->state != before;
}

uint64_t ord_room_entries_bytes(const struct ord_room *r)
{
	uint64_t left = left_bytes(&r->sample);
	uint64_t critical = r->reserve_bytes / 4;
	return r->state != ORD_ROOM_CRITICAL && left > critical ? (left - critical) / WRITES_PER_ENTRY : 0;
}

uint32_t ord_room_pause_ms(const struct ord_room *r)
{
	uint64_t left = left_bytes(&r->sample);
	uint64_t threshold = left >= r->reserve_bytes ? r->reserve_bytes : r->reserve_bytes / 4;
	uint64_t falls_bytes_s = r->falls_bytes_s > FALLS_BYTES_S_MIN ? r->falls_bytes_s : FALLS_BYTES_S_MIN;
	uint64_t ahead = left > threshold ? left - threshold : 0;
	uint64_t ms = ahead / (falls_bytes_s / 1000) / SAMPLES_AHEAD;
	if (ms < PAUSE_MS_MIN)
		return PAUSE_MS_MIN;
	return ms > PAUSE_MS ? PAUSE_MS : (uint32_t)ms;
}
