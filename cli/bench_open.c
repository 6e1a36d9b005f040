/* SPDX-License-Identifier: Apache-2.0 - a bench's accounts: opened before anything is measured, some calls under way at once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "cli/bench_inside.h"

#define FLOOR (-1000000000000000) /* far below what a run can move: every transfer settles */
#define BATCH 1000		  /* accounts opened by one call */
#define CALLS 8			  /* such calls under way */
#define SHOWN_EVERY 100000	  /* accounts */

struct opening {
	struct ord_bench *bench;
	uint32_t next;
	uint32_t opened;
	uint32_t under_way;
	struct ordain_id ids[BATCH];
	struct ordain_command commands[BATCH];
	char names[BATCH][ORD_BENCH_NAME_SIZE];
};

static void go_on(struct opening *o);

static void progress_show(const struct opening *o, uint32_t before)
{
	uint32_t all = o->bench->options->work.accounts;
	if (o->bench->options->progress && before / SHOWN_EVERY != o->opened / SHOWN_EVERY)
		fprintf(stderr, "opened %" PRIu32 " of %" PRIu32 " accounts\n", o->opened, all);
}

static void opened_cb(const struct ordain_result *results, size_t count, void *arg)
{
	struct opening *o = arg;
	o->under_way--;
	for (size_t i = 0; i < count; i++) {
		if (results[i].answer != ORDAIN_OK)
			ord_bench_fail(o->bench, ORD_ERR_IO, "accounts cannot be opened", results[i].message);
	}
	o->opened += (uint32_t)count;
	progress_show(o, o->opened - (uint32_t)count);
	go_on(o);
}

static void call_make(struct opening *o, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		size_t len = ord_bench_work_name(&o->bench->work, o->next + i, o->names[i]);
		o->commands[i] = (struct ordain_command){.kind = ORDAIN_OPEN_ACCOUNT,
							 .id = o->ids[i],
							 .open_account = {.account = {o->names[i], len},
									  .asset = ordain_str_of(ORD_BENCH_ASSET),
									  .floor = FLOOR,
									  .ceiling = INT64_MAX}};
	}
	int err = ordain_submit(o->bench->clients[0], o->commands, count, NULL, opened_cb, o);
	if (err != 0) {
		ord_bench_fail(o->bench, ORD_ERR_IO, ordain_error_name(err), ordain_strerror(err));
		return;
	}
	o->next += count;
	o->under_way++;
}

static void go_on(struct opening *o)
{
	uint32_t all = o->bench->options->work.accounts;
	while (o->bench->err == ORD_OK && o->under_way < CALLS && o->next < all) {
		uint32_t count = all - o->next < BATCH ? all - o->next : BATCH;
		if (ordain_id_make_many(o->ids, count) != 0)
			ord_bench_fail(o->bench, ORD_ERR_IO, "request ids", "the system gives no random numbers");
		else
			call_make(o, count);
	}
}

void ord_bench_open_accounts(struct ord_bench *b)
{
	struct opening *o = calloc(1, sizeof *o);
	if (o == NULL) {
		ord_bench_fail(b, ORD_ERR_NOMEM, "accounts cannot be opened", "out of memory");
		return;
	}
	o->bench = b;
	if (b->options->progress)
		fprintf(stderr, "opens accounts %s0 to %s%" PRIu32 "\n", b->work.prefix, b->work.prefix,
			b->options->work.accounts - 1);
	go_on(o);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	free(o);
}
