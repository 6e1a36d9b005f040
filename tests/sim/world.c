/* SPDX-License-Identifier: Apache-2.0 - virtual time, what happens next, chance, words. */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tests/sim/process.h"

#define WORDS_KEPT 4096
#define WORDS_TOLD 250
#define WORD_TEXT_BYTES 512

struct event {
	uint64_t due_us;
	uint64_t number; /* order among those due at the same time */
	void (*fn)(void *ctx, uint64_t arg);
	void *ctx;
	uint64_t arg;
};

/* One line of the trace: a literal with numbers, or a text of its own. */
struct word {
	uint64_t at_us;
	const char *process; /* NULL: the world */
	const char *format;  /* NULL: text */
	char *text;	     /* owned */
	uint64_t numbers[4];
};

static struct {
	uint64_t seed;
	uint64_t now_us;
	struct random streams[SIM_STREAMS_COUNT];
	struct event *events; /* owned; a binary heap */
	size_t events_count;
	size_t events_capacity;
	uint64_t events_ever;
	uint64_t steps_count;
	struct word words[WORDS_KEPT];
	uint64_t words_count;
	uint64_t digest;
	bool print;
	bool print_steps;
} world;

void sim_world_open(uint64_t seed)
{
	bool print = world.print, print_steps = world.print_steps;
	memset(&world, 0, sizeof world);
	world.print = print;
	world.print_steps = print_steps;
	world.seed = seed;
	for (unsigned i = 0; i < SIM_STREAMS_COUNT; i++) {
		/* What came later than the others must not change what they draw. */
		world.streams[i] =
			random_of(i < SIM_SHARDS ? seed * SIM_SHARDS + i : ~seed - ((uint64_t)(i - SIM_SHARDS) << 32));
		random_next(&world.streams[i]);
	}
}

void sim_world_close(void)
{
	free(world.events);
	for (size_t i = 0; i < WORDS_KEPT; i++)
		free(world.words[i].text);
	memset(world.words, 0, sizeof world.words);
	world.events = NULL;
	world.events_count = world.events_capacity = 0;
}

uint64_t sim_now_us(void)
{
	return world.now_us;
}

/* --- Chance. --- */

struct random *sim_random(enum sim_stream stream)
{
	return &world.streams[stream];
}

uint64_t sim_below(enum sim_stream stream, uint64_t count)
{
	return random_below(&world.streams[stream], count);
}

uint64_t sim_between(enum sim_stream stream, uint64_t from, uint64_t to)
{
	return from + random_below(&world.streams[stream], to - from + 1);
}

bool sim_percent(enum sim_stream stream, unsigned percent)
{
	return random_chance(&world.streams[stream], percent);
}

bool sim_once_in(enum sim_stream stream, uint64_t count)
{
	return count != 0 && random_below(&world.streams[stream], count) == 0;
}

/* --- Events. --- */

static bool event_before(const struct event *a, const struct event *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

void sim_at(uint64_t due_us, void (*fn)(void *ctx, uint64_t arg), void *ctx, uint64_t arg)
{
	SIM_ASSERT(due_us >= world.now_us);
	if (world.events_count == world.events_capacity) {
		world.events_capacity = world.events_capacity == 0 ? 1024 : world.events_capacity * 2;
		world.events = realloc(world.events, world.events_capacity * sizeof *world.events);
		SIM_ASSERT(world.events != NULL);
	}
	struct event e = {.due_us = due_us, .number = world.events_ever++, .fn = fn, .ctx = ctx, .arg = arg};
	size_t at = world.events_count++;
	while (at > 0 && event_before(&e, &world.events[(at - 1) / 2])) {
		world.events[at] = world.events[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	world.events[at] = e;
}

static struct event event_take(void)
{
	struct event first = world.events[0];
	struct event last = world.events[--world.events_count];
	size_t at = 0;
	for (;;) {
		size_t child = at * 2 + 1;
		if (child >= world.events_count)
			break;
		if (child + 1 < world.events_count && event_before(&world.events[child + 1], &world.events[child]))
			child++;
		if (!event_before(&world.events[child], &last))
			break;
		world.events[at] = world.events[child];
		at = child;
	}
	world.events[at] = last;
	return first;
}

bool sim_world_step(uint64_t until_us)
{
	if (world.events_count == 0 || world.events[0].due_us > until_us) {
		world.now_us = until_us > world.now_us ? until_us : world.now_us;
		return false;
	}
	struct event e = event_take();
	world.now_us = e.due_us;
	world.steps_count++;
	if (world.print_steps)
		printf("step %" PRIu64 " at %" PRIu64 "\n", world.steps_count, world.now_us);
	e.fn(e.ctx, e.arg);
	return true;
}

uint64_t sim_steps_count(void)
{
	return world.steps_count;
}

/* --- Words. --- */

static void word_show(const struct word *w, FILE *out)
{
	const char *process = w->process == NULL ? "-" : w->process;
	fprintf(out, "%6" PRIu64 ".%06" PRIu64 " %-9s ", w->at_us / SIM_SECOND, w->at_us % SIM_SECOND, process);
	if (w->format == NULL) {
		fprintf(out, "%s\n", w->text);
		return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(out, w->format, (unsigned long long)w->numbers[0], (unsigned long long)w->numbers[1],
		(unsigned long long)w->numbers[2], (unsigned long long)w->numbers[3]);
#pragma GCC diagnostic pop
	fputc('\n', out);
}

static struct word *word_new(void)
{
	struct word *w = &world.words[world.words_count++ % WORDS_KEPT];
	free(w->text);
	*w = (struct word){.at_us = world.now_us, .process = sim_current() == NULL ? NULL : sim_current()->name};
	return w;
}

static void digest_mix(uint64_t number)
{
	uint64_t z = (world.digest ^ number) * 0x9e3779b97f4a7c15u;
	world.digest = z ^ (z >> 29);
}

void sim_trace(const char *format, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct word *w = word_new();
	w->format = format;
	w->numbers[0] = a;
	w->numbers[1] = b;
	w->numbers[2] = c;
	w->numbers[3] = d;
	digest_mix(w->at_us);
	digest_mix(a);
	digest_mix(b);
	digest_mix(c);
	digest_mix(d);
	if (world.print)
		word_show(w, stdout);
}

void sim_trace_text(const char *format, ...)
{
	char text[WORD_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct word *w = word_new();
	w->text = strdup(text);
	SIM_ASSERT(w->text != NULL);
	digest_mix(w->at_us);
	digest_mix(ord_hash64(text, strlen(text)));
	if (world.print)
		word_show(w, stdout);
}

uint64_t sim_trace_digest(void)
{
	return world.digest;
}

void sim_trace_print(bool steps)
{
	world.print = true;
	world.print_steps |= steps;
}

void sim_trace_show_last(void)
{
	if (world.print)
		return;
	uint64_t first = world.words_count > WORDS_TOLD ? world.words_count - WORDS_TOLD : 0;
	for (uint64_t i = first; i < world.words_count; i++)
		word_show(&world.words[i % WORDS_KEPT], stdout);
}
