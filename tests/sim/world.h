/* SPDX-License-Identifier: Apache-2.0 - the world of a simulation: virtual time, what happens next, chance, and the words about it. One world in a process,
 * since the system calls and libuv functions that simulated programs make carry no context. */
#ifndef ORD_TESTS_SIM_WORLD_H
#define ORD_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/random.h"

#define SIM_MS 1000u
#define SIM_SECOND 1000000u

/* Streams of random numbers: what one part of the world draws does not shift what another one gets. */
enum sim_stream {
	SIM_SWARM, /* what kind of run this is */
	SIM_LOOP,  /* how long programs compute, which of several ready things comes first */
	SIM_NETWORK,
	SIM_DISK,
	SIM_SYSTEM,  /* what programs get from getrandom() */
	SIM_NEMESIS, /* which fault comes when */
	SIM_WORK,    /* what clients do */
	SIM_SHARDS,  /* how many shards nodes have */
	SIM_STALE,   /* which reads may be stale */
	SIM_STREAMS_COUNT
};

void sim_world_open(uint64_t seed);
void sim_world_close(void);

/* Microseconds since the run began. */
uint64_t sim_now_us(void);

struct random *sim_random(enum sim_stream stream);

/* Shorthands: 0 .. count - 1; from .. to, both included; true `percent` times in a hundred; true once in `count` times. */
uint64_t sim_below(enum sim_stream stream, uint64_t count);
uint64_t sim_between(enum sim_stream stream, uint64_t from, uint64_t to);
bool sim_percent(enum sim_stream stream, unsigned percent);
bool sim_once_in(enum sim_stream stream, uint64_t count);

/* Calls fn(ctx, arg) when it is due (not before now). What is due at the same time comes in the order in which it was asked for. An event cannot be
 * taken back: who asks for it recognises by arg, or by ctx, that it is void. */
void sim_at(uint64_t due_us, void (*fn)(void *ctx, uint64_t arg), void *ctx, uint64_t arg);

/* Lets the next event happen; false when there is none or it is due after until_us (then that is the time). */
bool sim_world_step(uint64_t until_us);

/* --- Words. The last of them are kept and told when the run fails; with --trace all are printed. Their digest is told at the end: equal for equal seeds. --- */

/* What happened, with up to four numbers: format is a literal and each conversion in it is "%llu". */
void sim_trace(const char *format, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* The same with a text, which is copied. */
__attribute__((format(printf, 1, 2))) void sim_trace_text(const char *format, ...);

uint64_t sim_trace_digest(void);
uint64_t sim_steps_count(void);

/* Prints the last words, unless all were printed. */
void sim_trace_show_last(void);

/* All words are printed from now on, or with steps: each event too. */
void sim_trace_print(bool steps);

/* --- The end of a run that fails: prints why, the last words, and how to repeat it; ends the process. --- */

enum sim_verdict { SIM_PASS = 0, SIM_SAFETY = 1, SIM_LIVENESS = 2 };

__attribute__((noreturn, format(printf, 2, 3))) void sim_fail(enum sim_verdict verdict, const char *format, ...);

/* A contract of the simulator itself. */
#define SIM_ASSERT(condition)                                                                             \
	do {                                                                                              \
		if (!(condition))                                                                         \
			sim_fail(SIM_SAFETY, "the simulator: %s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

#endif
