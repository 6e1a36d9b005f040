/* SPDX-License-Identifier: Apache-2.0 - the load of a bench: clients that make calls, and the time in which they are measured.
 *
 * WARMING --timer--> MEASURING --timer, or the last of --count--> DRAINING, where no new call is made. A problem that stops the bench goes to
 * DRAINING from anywhere.
 *
 * Closed loop: each client makes its next call when the one before is answered. Open loop (--rate): calls are due by the clock, whoever is free makes them, and a call that
 * found nobody free begins late; its time counts from when it was due. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "cli/alarm.h"
#include "cli/bench_inside.h"
#include "cli/bench_pace.h"

enum phase { WARMING, MEASURING, DRAINING };

/* One of options.clients. */
struct submitter {
	struct load *load;
	struct ordain_client *client; /* borrowed */
	enum ord_bench_kind kind;     /* of the call under way */
	uint32_t count;		      /* its commands */
	uint32_t left;		      /* reads that are not answered */
	struct ord_bench_move *moves; /* owned; of transfers */
	uint64_t claims_first;
	uint64_t start_ns; /* when it began, or should have */
	bool counted;	   /* it began in the measured time */
};

struct load {
	struct ord_bench *bench;
	const struct ord_bench_options *options;
	struct ord_bench_tally *tally;
	enum phase phase;
	uv_timer_t timer;
	struct ord_alarm alarm;
	struct ord_bench_pace pace;
	struct submitter *submitters; /* owned */
	struct submitter **idle;      /* owned; a stack of those that wait until a call is due */
	uint32_t idle_count;
	uint32_t under_way;
	uint64_t commands_left;		    /* of options.count */
	struct ordain_command *commands;    /* owned; of the call that is made at this moment, like names and ids */
	char (*names)[ORD_BENCH_NAME_SIZE]; /* owned; two for each command */
	struct ordain_id *ids;		    /* owned */
	uint64_t measure_begin_ns;
	uint32_t seconds_over;
	uint64_t done_shown;
	uint64_t problems_shown;
};

static void load_end(struct load *l)
{
	l->phase = DRAINING;
	uv_timer_stop(&l->timer);
	if (l->options->rate > 0)
		ord_alarm_stop(&l->alarm);
}

static void load_fail(struct load *l, int err, const char *name, const char *message)
{
	ord_bench_fail(l->bench, err, name, message);
	load_end(l);
}

/* --- The measured time ------------------------------------------------------------------------------------------------ */

/* Calls that were due before the end and that nobody was free for. */
static void missed_count(struct load *l, uint64_t end_ns)
{
	uint64_t due_ns;
	while (ord_bench_pace_take(&l->pace, end_ns, &due_ns)) {
		if (due_ns >= l->measure_begin_ns)
			ord_bench_tally_missed(l->tally, (end_ns - due_ns) / 1000);
	}
}

static void measuring_end(struct load *l)
{
	uint64_t now_ns = uv_hrtime();
	l->bench->report->elapsed_us = (now_ns - l->measure_begin_ns) / 1000;
	ord_bench_site_end(l->bench->site);
	if (l->options->rate > 0 && l->options->count == 0)
		missed_count(l, now_ns);
	load_end(l);
}

static void progress_show(struct load *l)
{
	struct ord_bench_tally *t = l->tally;
	uint64_t problems = t->refused + t->unknown + t->failed;
	fprintf(stderr, "second %" PRIu32 ": %" PRIu64 " settled, p50 %.1f ms, p99 %.1f ms", l->seconds_over,
		t->settled + t->reads - l->done_shown, (double)ord_histogram_quantile(&t->second, 500) / 1000,
		(double)ord_histogram_quantile(&t->second, 990) / 1000);
	if (problems > l->problems_shown)
		fprintf(stderr, ", %" PRIu64 " not settled", problems - l->problems_shown);
	fputc('\n', stderr);
	l->problems_shown = problems;
	l->done_shown = t->settled + t->reads;
}

static void second_cb(uv_timer_t *timer)
{
	struct load *l = timer->data;
	l->seconds_over++;
	if (l->options->progress)
		progress_show(l);
	ord_histogram_init(&l->tally->second);
	if (l->options->count == 0 && l->seconds_over >= l->options->seconds)
		measuring_end(l);
}

static void warm_cb(uv_timer_t *timer)
{
	struct load *l = timer->data;
	ord_bench_site_begin(l->bench->site);
	l->phase = MEASURING;
	l->measure_begin_ns = uv_hrtime();
	uv_timer_start(timer, second_cb, 1000, 1000);
}

/* --- What is answered ------------------------------------------------------------------------------------------------- */

static void submitter_next(struct submitter *s);

static void call_over(struct submitter *s)
{
	struct load *l = s->load;
	l->under_way--;
	if (s->counted)
		ord_bench_tally_call(l->tally, s->kind, (uv_hrtime() - s->start_ns) / 1000);
	if (l->phase == MEASURING && l->options->count > 0 && l->commands_left == 0 && l->under_way == 0)
		measuring_end(l);
	submitter_next(s);
}

static void answer_count(struct load *l, enum ordain_answer answer, const char *name, const char *message,
			 uint64_t *done)
{
	if (l->phase == WARMING)
		return;
	if (answer != ORDAIN_OK)
		ord_bench_tally_problem(l->tally, answer, name, message);
	else if (l->phase == MEASURING)
		(*done)++;
}

/* Of all that were settled each is as likely to be kept. */
static void claim_keep(struct ord_bench *b, uint64_t number, const struct ordain_id *id)
{
	uint64_t place = b->claims_settled++;
	if (place >= ORD_BENCH_KEPT_MAX)
		place = ord_dice_below(&b->kept_dice, b->claims_settled);
	if (place < ORD_BENCH_KEPT_MAX)
		b->kept[place] = (struct ord_bench_kept){.number = number, .id = *id};
}

/* What is settled, or may be, is remembered whatever the phase: the cluster has no phases. */
static void result_note(struct submitter *s, size_t place, const struct ordain_result *r)
{
	struct ord_bench *b = s->load->bench;
	bool transfer = s->kind == ORD_BENCH_TRANSFER;
	if (r->answer == ORDAIN_OK && transfer)
		ord_bench_money_settled(&b->money, &s->moves[place]);
	else if (r->answer == ORDAIN_UNKNOWN && transfer)
		ord_bench_money_unknown(&b->money, &s->moves[place]);
	else if (r->answer == ORDAIN_OK)
		claim_keep(b, s->claims_first + place, &r->id);
}

static void submit_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct submitter *s = arg;
	for (size_t i = 0; i < count; i++) {
		result_note(s, i, &results[i]);
		answer_count(s->load, results[i].answer, results[i].name, results[i].message, &s->load->tally->settled);
	}
	call_over(s);
}

/* Where no money moves, the balances are known. */
static void account_note(struct ord_bench *b, const struct ordain_account *account)
{
	bool still = !ord_bench_work_has(&b->work, ORD_BENCH_TRANSFER);
	bool asset = account->asset.len == strlen(ORD_BENCH_ASSET) &&
		     memcmp(account->asset.base, ORD_BENCH_ASSET, account->asset.len) == 0;
	if (!asset || (still && account->balance != 0))
		b->reads_wrong++;
}

static void account_cb(const struct ordain_problem *problem, const struct ordain_account *account, void *arg)
{
	struct submitter *s = arg;
	struct load *l = s->load;
	if (problem != NULL) {
		answer_count(l, ORDAIN_FAILED, problem->name, problem->message, &l->tally->reads);
	} else {
		account_note(l->bench, account);
		answer_count(l, ORDAIN_OK, NULL, NULL, &l->tally->reads);
	}
	if (--s->left == 0)
		call_over(s);
}

/* --- Calls ------------------------------------------------------------------------------------------------------------ */

static struct ordain_str name_make(struct load *l, uint64_t number, char name[ORD_BENCH_NAME_SIZE])
{
	size_t len = ord_bench_work_name(&l->bench->work, number, name);
	return (struct ordain_str){name, len};
}

static void transfers_fill(struct submitter *s)
{
	struct load *l = s->load;
	for (uint32_t i = 0; i < s->count; i++) {
		struct ord_bench_move *move = &s->moves[i];
		*move = ord_bench_work_move(&l->bench->work);
		l->commands[i] =
			(struct ordain_command){.kind = ORDAIN_TRANSFER,
						.id = l->ids[i],
						.transfer = {.payer = name_make(l, move->payer, l->names[2 * i]),
							     .payee = name_make(l, move->payee, l->names[2 * i + 1]),
							     .asset = ordain_str_of(ORD_BENCH_ASSET),
							     .amount = move->amount}};
	}
}

static void claims_fill(struct submitter *s)
{
	struct load *l = s->load;
	s->claims_first = ord_bench_work_claims(&l->bench->work, s->count);
	for (uint32_t i = 0; i < s->count; i++)
		l->commands[i] =
			(struct ordain_command){.kind = ORDAIN_CLAIM,
						.id = l->ids[i],
						.naming = {.space = ordain_str_of(ORD_BENCH_SPACE),
							   .name = name_make(l, s->claims_first + i, l->names[i]),
							   .owner = ordain_str_of(ORD_BENCH_OWNER)}};
}

/* 0 or enum ordain_error. */
static int commands_send(struct submitter *s)
{
	struct load *l = s->load;
	if (ordain_id_make_many(l->ids, s->count) != 0)
		return ORDAIN_ERR_SYSTEM;
	if (s->kind == ORD_BENCH_TRANSFER)
		transfers_fill(s);
	else
		claims_fill(s);
	return ordain_submit(s->client, l->commands, s->count, NULL, submit_cb, s);
}

/* A call of reads is so many at once. When one cannot be begun, those that were are waited for. */
static int reads_send(struct submitter *s)
{
	struct load *l = s->load;
	struct ordain_call_options call = {.consistency = l->options->stale ? ORDAIN_STALE : ORDAIN_LINEARIZABLE};
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t account = ord_bench_work_account(&l->bench->work);
		int err = ordain_get_account(s->client, name_make(l, account, l->names[0]), &call, account_cb, s);
		if (err != 0 && i == 0)
			return err;
		if (err != 0) {
			load_fail(l, ORD_ERR_IO, ordain_error_name(err), ordain_strerror(err));
			s->count = i;
		}
	}
	s->left = s->count;
	return 0;
}

static void call_begin(struct submitter *s, uint64_t start_ns)
{
	struct load *l = s->load;
	s->count = l->options->batch;
	if (l->options->count > 0) {
		s->count = l->commands_left < s->count ? (uint32_t)l->commands_left : s->count;
		l->commands_left -= s->count;
	}
	if (s->count == 0)
		return;
	s->kind = ord_bench_work_kind(&l->bench->work);
	s->start_ns = start_ns;
	s->counted = l->phase == MEASURING && start_ns >= l->measure_begin_ns;
	int err = s->kind == ORD_BENCH_READ ? reads_send(s) : commands_send(s);
	if (err == 0)
		l->under_way++;
	else
		load_fail(l, ORD_ERR_IO, ordain_error_name(err), ordain_strerror(err));
}

/* The client is free. */
static void submitter_next(struct submitter *s)
{
	struct load *l = s->load;
	uint64_t due_ns, now_ns = uv_hrtime();
	if (l->phase == DRAINING)
		return;
	if (l->options->rate == 0) {
		call_begin(s, now_ns);
	} else if (ord_bench_pace_take(&l->pace, now_ns, &due_ns)) {
		call_begin(s, due_ns);
	} else {
		l->idle[l->idle_count++] = s;
		if (l->idle_count == 1)
			ord_alarm_set(&l->alarm, ord_bench_pace_due_ns(&l->pace));
	}
}

/* A call is due, or several are. When no client is free any more, the next one that is will look itself. */
static void due_cb(void *arg)
{
	struct load *l = arg;
	uint64_t due_ns, now_ns = uv_hrtime();
	while (l->phase != DRAINING && l->idle_count > 0 && ord_bench_pace_take(&l->pace, now_ns, &due_ns))
		call_begin(l->idle[--l->idle_count], due_ns);
	if (l->phase != DRAINING && l->idle_count > 0)
		ord_alarm_set(&l->alarm, ord_bench_pace_due_ns(&l->pace));
}

/* --- Beginning and end ------------------------------------------------------------------------------------------------ */

static int submitters_make(struct load *l)
{
	const struct ord_bench_options *o = l->options;
	l->submitters = calloc(o->clients, sizeof *l->submitters);
	l->idle = calloc(o->clients, sizeof *l->idle);
	l->commands = calloc(o->batch, sizeof *l->commands);
	l->names = calloc(o->batch, 2 * sizeof *l->names);
	l->ids = calloc(o->batch, sizeof *l->ids);
	if (l->submitters == NULL || l->idle == NULL || l->commands == NULL || l->names == NULL || l->ids == NULL)
		return ORD_ERR_NOMEM;
	for (uint32_t i = 0; i < o->clients; i++) {
		struct submitter *s = &l->submitters[i];
		*s = (struct submitter){.load = l, .client = l->bench->clients[i % l->bench->clients_count]};
		if (!ord_bench_work_has(&l->bench->work, ORD_BENCH_TRANSFER))
			continue;
		s->moves = calloc(o->batch, sizeof *s->moves);
		if (s->moves == NULL)
			return ORD_ERR_NOMEM;
	}
	return ORD_OK;
}

static void load_free(struct load *l)
{
	for (uint32_t i = 0; l->submitters != NULL && i < l->options->clients; i++)
		free(l->submitters[i].moves);
	free(l->submitters);
	free(l->idle);
	free(l->commands);
	free(l->names);
	free(l->ids);
}

static void load_begin(struct load *l)
{
	const struct ord_bench_options *o = l->options;
	if (o->rate > 0) {
		if (ord_alarm_open(&l->alarm, &l->bench->loop, due_cb, l) != ORD_OK) {
			load_fail(l, ORD_ERR_IO, "--rate", "the system gives no timer; are too many files open?");
			return;
		}
		ord_bench_pace_init(&l->pace, uv_hrtime(), o->rate, o->batch);
	}
	if (o->count > 0 || o->warm_up_ms == 0)
		warm_cb(&l->timer);
	else
		uv_timer_start(&l->timer, warm_cb, o->warm_up_ms, 0);
	for (uint32_t i = 0; i < o->clients && l->phase != DRAINING; i++)
		submitter_next(&l->submitters[i]);
}

void ord_bench_load(struct ord_bench *b)
{
	struct load l = {.bench = b,
			 .options = b->options,
			 .tally = &b->report->tally,
			 .alarm = {.fd = -1},
			 .commands_left = b->options->count};
	uv_timer_init(&b->loop, &l.timer);
	l.timer.data = &l;
	if (submitters_make(&l) == ORD_OK)
		load_begin(&l);
	else
		ord_bench_fail(b, ORD_ERR_NOMEM, "--clients", "out of memory for so many calls at once; give less");
	uv_run(&b->loop, UV_RUN_DEFAULT);
	ORD_ASSERT(l.under_way == 0);
	uv_close((uv_handle_t *)&l.timer, NULL);
	ord_alarm_close(&l.alarm);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	load_free(&l);
}
