/* SPDX-License-Identifier: Apache-2.0 - one direction of a simulated connection: bytes under way, bytes that have arrived. Inside tests/sim/ only. */
#ifndef ORD_TESTS_SIM_NET_PIPE_H
#define ORD_TESTS_SIM_NET_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct sim_segment {
	size_t len; /* 0: the end */
	uint64_t due_us;
};

struct sim_pipe {
	uint8_t *bytes; /* owned: from `begin` on `arrived` bytes that can be read, then those under way */
	size_t begin;
	size_t arrived;
	size_t flying;
	size_t capacity;
	struct sim_segment *segments; /* owned: of what is flying, in order */
	size_t segments_begin;
	size_t segments_count;
	size_t segments_capacity;
	bool finished; /* nothing more is put in */
	bool ended;    /* and the reader may know */
	bool planned;  /* an event will look at the first segment */
	bool ack_missing;
	uint64_t last_due_us;
	uint64_t retry_us;
	uint64_t unacked_since_us; /* 0: nothing is late */
	uint64_t full_since_us;	   /* the writer waits for room since then; 0: it does not */

	bool framed;		  /* between nodes: what is written is cut into frames */
	struct ord_bytes partial; /* the begin of a frame that is not whole yet */
	uint8_t *held;		  /* owned: a frame that comes after the next one */
	size_t held_len;
};

void sim_pipe_free(struct sim_pipe *p);

/* Bytes set out and arrive at due_us, or when those before them have. */
void sim_pipe_put(struct sim_pipe *p, const uint8_t *bytes, size_t len, uint64_t due_us);
void sim_pipe_finish(struct sim_pipe *p, uint64_t due_us);

/* When the first segment is due, or its acknowledgement is to be looked for; false when nothing is under way. */
bool sim_pipe_due(const struct sim_pipe *p, uint64_t *ret_due_us);
void sim_pipe_delay(struct sim_pipe *p, uint64_t due_us);
/* The first segment is there; false when there was none. */
bool sim_pipe_arrive(struct sim_pipe *p);

size_t sim_pipe_take(struct sim_pipe *p, void *base, size_t len);
bool sim_pipe_has_arrived(const struct sim_pipe *p);
bool sim_pipe_is_ended(const struct sim_pipe *p);
size_t sim_pipe_bytes(const struct sim_pipe *p);

/* What is under way is lost; a part of it arrives first (cut). */
void sim_pipe_drop(struct sim_pipe *p);
void sim_pipe_cut(struct sim_pipe *p);

/* Cuts what is written into frames and hands each over. */
void sim_pipe_frames(struct sim_pipe *p, const void *bytes, size_t len,
		     void (*each)(void *ctx, uint8_t *frame, size_t len, bool is_parts), void *ctx);
void sim_pipe_hold(struct sim_pipe *p, const uint8_t *frame, size_t len);
bool sim_pipe_is_holding(const struct sim_pipe *p);
/* The frame that was held back; the caller frees it. NULL when there is none. */
uint8_t *sim_pipe_release(struct sim_pipe *p, size_t *ret_len);

#endif
