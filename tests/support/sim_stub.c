/* SPDX-License-Identifier: Apache-2.0 - a world for one part of the simulator alone. */
#include "tests/support/sim_stub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

static struct random streams[SIM_STREAMS_COUNT];
static struct sim_process process;
static struct sim_process *current;
static void (*in_sleep)(void *arg);
static void *in_sleep_arg;
static uint64_t slept_us;
static uint64_t covered[SIM_COVER_COUNT];
static char words[256];

void sim_stub_begin(uint64_t seed)
{
	for (unsigned i = 0; i < SIM_STREAMS_COUNT; i++)
		streams[i] = random_of(seed + i);
	process = (struct sim_process){.name = "node 1", .number = 1, .state = SIM_UP};
	current = &process;
	in_sleep = NULL;
	slept_us = 0;
	memset(covered, 0, sizeof covered);
	words[0] = '\0';
}

struct sim_process *sim_stub_process(void)
{
	return &process;
}

void sim_stub_in_sleep(void (*fn)(void *arg), void *arg)
{
	in_sleep = fn;
	in_sleep_arg = arg;
}

uint64_t sim_stub_slept_us(void)
{
	return slept_us;
}

uint64_t sim_stub_covered(enum sim_cover what)
{
	return covered[what];
}

const char *sim_stub_words(void)
{
	return words;
}

/* --- process.h --- */

struct sim_process *sim_current(void)
{
	return current;
}

struct sim_process *sim_enter(struct sim_process *p)
{
	struct sim_process *before = current;
	current = p;
	return before;
}

bool sim_io(void)
{
	if (current == NULL)
		return true;
	current->ios_count++;
	if (current->die_at_io != 0 && current->ios_count >= current->die_at_io)
		current->state = SIM_DYING;
	return current->state == SIM_UP;
}

void sim_sleep_us(uint64_t us)
{
	void (*fn)(void *arg) = in_sleep;
	in_sleep = NULL;
	slept_us += us;
	if (fn != NULL)
		fn(in_sleep_arg);
}

bool sim_is_dead(const struct sim_process *p)
{
	return p->state != SIM_UP;
}

/* --- coverage.h --- */

void sim_cover(enum sim_cover what)
{
	covered[what]++;
}

/* --- world.h --- */

struct random *sim_random(enum sim_stream stream)
{
	return &streams[stream];
}

uint64_t sim_below(enum sim_stream stream, uint64_t count)
{
	return random_below(&streams[stream], count);
}

uint64_t sim_between(enum sim_stream stream, uint64_t from, uint64_t to)
{
	return from + random_below(&streams[stream], to - from + 1);
}

bool sim_percent(enum sim_stream stream, unsigned percent)
{
	return random_chance(&streams[stream], percent);
}

bool sim_once_in(enum sim_stream stream, uint64_t count)
{
	return random_below(&streams[stream], count) == 0;
}

void sim_trace(const char *format, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	snprintf(words, sizeof words, "%s", format);
}

void sim_trace_text(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
}

void sim_fail(enum sim_verdict verdict, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (verdict %d)\n", (int)verdict);
	abort();
}
