/* SPDX-License-Identifier: Apache-2.0 - load on a cluster from many submitters at once, and what it did in a measured time.
 *
 * OPENING --all accounts are open--> WARMING --timer--> MEASURING --timer--> DRAINING, where no new call is made. A problem that stops the
 * bench goes to DRAINING from anywhere. */
#include "cli/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uv.h>

#include "base/assert.h"
#include "base/err.h"

#define FLOOR (-1000000000000000) /* far below what a run can move: every transfer settles */
#define AMOUNT_MAX 100
#define OPEN_BATCH 500 /* accounts opened by one call */
#define OPEN_CALLS 4   /* such calls under way */
#define NAME_BYTES 48  /* of an account or a claimed name */
#define SPACE_NAME "bench"
#define ASSET "BENCH"

enum phase { OPENING, WARMING, MEASURING, DRAINING };

/* One of options.clients. */
struct submitter {
	struct bench *bench;
	struct ordain_client *client;	 /* borrowed */
	struct ordain_command *commands; /* owned; options.batch of them */
	char (*names)[NAME_BYTES];	 /* owned; of claims */
	uint64_t begun_ns;
};

struct bench {
	const struct ord_bench_options *options;
	struct ord_bench_report *report;
	enum phase phase;
	uv_loop_t loop;
	uv_timer_t timer;
	struct ordain_client *clients[ORD_BENCH_CONNECTIONS_MAX];
	uint32_t clients_count;
	struct submitter *submitters;	/* owned */
	char (*accounts)[NAME_BYTES];	/* owned */
	struct ordain_command *opening; /* owned; OPEN_BATCH of them */
	struct ordain_id *ids;		/* owned; as many as the largest call has commands */
	uint32_t opened_next;
	uint32_t under_way;
	uint64_t run; /* random; in all names, so that runs do not meet */
	uint64_t random;
	uint64_t claims_count;
	uint64_t measure_begin_ns;
	uint32_t seconds_over;
	uint64_t settled_shown;
	int err;
	char *why;
	size_t why_size;
};

/* xorshift64*: spreads load, decides nothing else. */
static uint64_t random_next(struct bench *b)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return b->random * 2685821657736338717ull;
}

static void bench_stop(struct bench *b, int err, const char *name, const char *message)
{
	b->phase = DRAINING;
	uv_timer_stop(&b->timer);
	if (b->err == ORD_OK) {
		b->err = err;
		snprintf(b->why, b->why_size, "%s: %s", name, message);
	}
}

/* --- The measured load ------------------------------------------------------------------------------------------------ */

static void transfer_fill(struct bench *b, struct ordain_command *c)
{
	uint32_t count = b->options->accounts;
	uint32_t payer = (uint32_t)(random_next(b) % count);
	uint32_t payee = (payer + 1 + (uint32_t)(random_next(b) % (count - 1))) % count;
	c->kind = ORDAIN_TRANSFER;
	c->transfer = (struct ordain_transfer){.payer = ordain_str_of(b->accounts[payer]),
					       .payee = ordain_str_of(b->accounts[payee]),
					       .asset = ordain_str_of(ASSET),
					       .amount = 1 + (int64_t)(random_next(b) % AMOUNT_MAX)};
}

static void claim_fill(struct bench *b, struct ordain_command *c, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%016" PRIx64 "-%" PRIu64, b->run, b->claims_count++);
	c->kind = ORDAIN_CLAIM;
	c->naming = (struct ordain_naming){
		.space = ordain_str_of(SPACE_NAME), .name = ordain_str_of(name), .owner = ordain_str_of("bench")};
}

static void result_count(struct ord_bench_report *report, const struct ordain_result *r)
{
	switch (r->answer) {
	case ORDAIN_OK:
		report->settled++;
		return;
	case ORDAIN_REFUSED:
		report->refused++;
		break;
	case ORDAIN_UNKNOWN:
		report->unknown++;
		break;
	case ORDAIN_FAILED:
		report->failed++;
		break;
	}
	if (report->problem[0] == '\0')
		snprintf(report->problem, sizeof report->problem, "%s: %s", r->name, r->message);
}

static void submitter_send(struct submitter *s);

static void submitter_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct submitter *s = arg;
	struct bench *b = s->bench;
	b->under_way--;
	if (b->phase == MEASURING) {
		b->report->calls++;
		ord_histogram_add(&b->report->latency, (uv_hrtime() - s->begun_ns) / 1000);
		for (size_t i = 0; i < count; i++)
			result_count(b->report, &results[i]);
	}
	if (b->phase != DRAINING)
		submitter_send(s);
}

static void submitter_send(struct submitter *s)
{
	struct bench *b = s->bench;
	if (ordain_id_make_many(b->ids, b->options->batch) != 0) {
		bench_stop(b, ORD_ERR_IO, "request ids", "the system gives no random numbers");
		return;
	}
	for (uint32_t i = 0; i < b->options->batch; i++) {
		s->commands[i].id = b->ids[i];
		if (b->options->workload == ORD_BENCH_TRANSFERS)
			transfer_fill(b, &s->commands[i]);
		else
			claim_fill(b, &s->commands[i], s->names[i]);
	}
	s->begun_ns = uv_hrtime();
	int err = ordain_submit(s->client, s->commands, b->options->batch, NULL, submitter_cb, s);
	if (err == 0)
		b->under_way++;
	else
		bench_stop(b, ORD_ERR_IO, ordain_error_name(err), ordain_strerror(err));
}

/* --- The phases ------------------------------------------------------------------------------------------------------- */

static void second_cb(uv_timer_t *timer)
{
	struct bench *b = timer->data;
	b->seconds_over++;
	if (b->options->progress)
		fprintf(stderr, "second %" PRIu32 ": %" PRIu64 " settled\n", b->seconds_over,
			b->report->settled - b->settled_shown);
	b->settled_shown = b->report->settled;
	if (b->seconds_over < b->options->seconds)
		return;
	b->report->elapsed_us = (uv_hrtime() - b->measure_begin_ns) / 1000;
	b->phase = DRAINING;
	uv_timer_stop(timer);
}

static void warm_cb(uv_timer_t *timer)
{
	struct bench *b = timer->data;
	b->phase = MEASURING;
	b->measure_begin_ns = uv_hrtime();
	uv_timer_start(timer, second_cb, 1000, 1000);
}

static void warming_begin(struct bench *b)
{
	b->phase = WARMING;
	uv_timer_start(&b->timer, warm_cb, ORD_BENCH_WARM_UP_MS, 0);
	for (uint32_t i = 0; i < b->options->clients && b->phase == WARMING; i++)
		submitter_send(&b->submitters[i]);
}

static void opening_go_on(struct bench *b);

static void opening_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct bench *b = arg;
	b->under_way--;
	for (size_t i = 0; i < count && b->phase == OPENING; i++) {
		if (results[i].answer != ORDAIN_OK)
			bench_stop(b, ORD_ERR_IO, "accounts cannot be opened", results[i].message);
	}
	if (b->phase != OPENING)
		return;
	opening_go_on(b);
	if (b->under_way == 0 && b->phase == OPENING)
		warming_begin(b);
}

static void opening_go_on(struct bench *b)
{
	while (b->phase == OPENING && b->under_way < OPEN_CALLS && b->opened_next < b->options->accounts) {
		uint32_t left = b->options->accounts - b->opened_next;
		uint32_t count = left < OPEN_BATCH ? left : OPEN_BATCH;
		if (ordain_id_make_many(b->ids, count) != 0) {
			bench_stop(b, ORD_ERR_IO, "request ids", "the system gives no random numbers");
			return;
		}
		for (uint32_t i = 0; i < count; i++)
			b->opening[i] = (struct ordain_command){
				.kind = ORDAIN_OPEN_ACCOUNT,
				.id = b->ids[i],
				.open_account = {.account = ordain_str_of(b->accounts[b->opened_next + i]),
						 .asset = ordain_str_of(ASSET),
						 .floor = FLOOR,
						 .ceiling = INT64_MAX}};
		int err = ordain_submit(b->clients[0], b->opening, count, NULL, opening_cb, b);
		if (err != 0) {
			bench_stop(b, ORD_ERR_IO, ordain_error_name(err), ordain_strerror(err));
			return;
		}
		b->opened_next += count;
		b->under_way++;
	}
}

/* --- Beginning and end ------------------------------------------------------------------------------------------------ */

static int names_make(struct bench *b)
{
	if (getrandom(&b->run, sizeof b->run, 0) != sizeof b->run)
		b->run = uv_hrtime();
	b->random = b->run | 1;
	if (b->options->workload != ORD_BENCH_TRANSFERS)
		return ORD_OK;
	b->accounts = calloc(b->options->accounts, sizeof *b->accounts);
	if (b->accounts == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < b->options->accounts; i++)
		snprintf(b->accounts[i], NAME_BYTES, "bench-%016" PRIx64 "-%" PRIu32, b->run, i);
	return ORD_OK;
}

static int submitters_make(struct bench *b)
{
	uint32_t batch = b->options->batch;
	b->submitters = calloc(b->options->clients, sizeof *b->submitters);
	b->opening = calloc(OPEN_BATCH, sizeof *b->opening);
	b->ids = calloc(batch > OPEN_BATCH ? batch : OPEN_BATCH, sizeof *b->ids);
	if (b->submitters == NULL || b->opening == NULL || b->ids == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < b->options->clients; i++) {
		struct submitter *s = &b->submitters[i];
		s->bench = b;
		s->commands = calloc(batch, sizeof *s->commands);
		if (s->commands == NULL)
			return ORD_ERR_NOMEM;
		if (b->options->workload != ORD_BENCH_CLAIMS)
			continue;
		s->names = calloc(batch, sizeof *s->names);
		if (s->names == NULL)
			return ORD_ERR_NOMEM;
	}
	return ORD_OK;
}

static void bench_free(struct bench *b)
{
	for (uint32_t i = 0; b->submitters != NULL && i < b->options->clients; i++) {
		free(b->submitters[i].commands);
		free(b->submitters[i].names);
	}
	free(b->submitters);
	free(b->opening);
	free(b->accounts);
	free(b->ids);
	free(b);
}

static int clients_open(struct bench *b, const struct ordain_options *cluster)
{
	struct ordain_options own = *cluster;
	own.timeout_ms = b->options->timeout_ms;
	own.items_max = 2 * ORD_BENCH_ITEMS_MAX;
	own.bytes_max = (size_t)1 << 30;
	while (b->clients_count < b->options->connections) {
		int err = ordain_open(&b->loop, &own, &b->clients[b->clients_count]);
		if (err != 0) {
			snprintf(b->why, b->why_size, "%s: '%s'", ordain_strerror(err), cluster->addresses);
			return err == ORDAIN_ERR_ARGUMENT ? ORD_ERR_INVALID : ORD_ERR_IO;
		}
		b->clients_count++;
	}
	for (uint32_t i = 0; i < b->options->clients; i++)
		b->submitters[i].client = b->clients[i % b->clients_count];
	return ORD_OK;
}

/* Runs all phases on the loop that was made. */
static int phases_run(struct bench *b, const struct ordain_options *cluster)
{
	int err = clients_open(b, cluster);
	uv_timer_init(&b->loop, &b->timer);
	b->timer.data = b;
	if (err == ORD_OK && b->options->workload == ORD_BENCH_TRANSFERS)
		opening_go_on(b);
	else if (err == ORD_OK)
		warming_begin(b);
	if (err == ORD_OK)
		uv_run(&b->loop, UV_RUN_DEFAULT);
	ORD_ASSERT(b->under_way == 0);
	for (uint32_t i = 0; i < b->clients_count; i++)
		ordain_close(b->clients[i], NULL, NULL);
	uv_close((uv_handle_t *)&b->timer, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	return err != ORD_OK ? err : b->err;
}

int ord_bench_run(const struct ord_bench_options *options, const struct ordain_options *cluster,
		  struct ord_bench_report *ret, char *why, size_t why_size)
{
	struct bench *b = calloc(1, sizeof *b);
	ORD_ASSERT(options->clients >= 1 && options->clients <= ORD_BENCH_CLIENTS_MAX);
	ORD_ASSERT(options->connections >= 1 && options->connections <= ORD_BENCH_CONNECTIONS_MAX);
	ORD_ASSERT(options->workload != ORD_BENCH_TRANSFERS || options->accounts >= 2);
	snprintf(why, why_size, "out of memory");
	memset(ret, 0, sizeof *ret);
	if (b == NULL)
		return ORD_ERR_NOMEM;
	b->options = options;
	b->report = ret;
	b->why = why;
	b->why_size = why_size;
	int err = names_make(b);
	if (err == ORD_OK)
		err = submitters_make(b);
	if (err == ORD_OK && uv_loop_init(&b->loop) != 0) {
		snprintf(why, why_size, "no event loop can be made; are too many files open?");
		err = ORD_ERR_IO;
	} else if (err == ORD_OK) {
		err = phases_run(b, cluster);
		ORD_ASSERT(uv_loop_close(&b->loop) == 0);
	}
	bench_free(b);
	return err;
}
