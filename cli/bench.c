/* SPDX-License-Identifier: Apache-2.0 - load on a cluster from many clients at once: accounts, load, checks, one after the other. */
#include "cli/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/assert.h"
#include "base/err.h"
#include "cli/bench_inside.h"
#include "cli/target.h"

void ord_bench_fail(struct ord_bench *b, int err, const char *name, const char *message)
{
	if (b->err != ORD_OK)
		return;
	b->err = err;
	snprintf(b->why, b->why_size, "%s: %s", name, message);
}

bool ord_bench_report_wrong(const struct ord_bench_report *r)
{
	for (uint32_t i = 0; i < r->checks_count; i++) {
		if (r->checks[i].verdict == ORD_BENCH_WRONG)
			return true;
	}
	return false;
}

static void clients_open(struct ord_bench *b, const struct ordain_options *cluster)
{
	struct ordain_options own = *cluster;
	own.timeout_ms = b->options->timeout_ms;
	own.items_max = 2 * ORD_BENCH_ITEMS_MAX;
	own.bytes_max = (size_t)1 << 30;
	while (b->clients_count < b->options->connections) {
		int err = ordain_open(&b->loop, &own, &b->clients[b->clients_count]);
		if (err != 0) {
			char why[512];
			ord_target_explain(cluster->addresses, err, why, sizeof why);
			ord_bench_fail(b, err == ORDAIN_ERR_ARGUMENT ? ORD_ERR_INVALID : ORD_ERR_IO,
				       "no client can be opened", why);
			return;
		}
		b->clients_count++;
	}
}

static void clients_close(struct ord_bench *b)
{
	for (uint32_t i = 0; i < b->clients_count; i++)
		ordain_close(b->clients[i], NULL, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
}

/* All steps on the loop that was made. */
static void steps_run(struct ord_bench *b, const struct ordain_options *cluster)
{
	clients_open(b, cluster);
	if (b->err == ORD_OK && ord_bench_work_has_accounts(&b->work))
		ord_bench_open_accounts(b);
	if (b->err == ORD_OK)
		ord_bench_load(b);
	if (b->err == ORD_OK)
		ord_bench_check(b);
	clients_close(b);
	if (b->err == ORD_OK)
		ord_bench_check_replicas(b, cluster);
}

static void options_check(const struct ord_bench_options *o)
{
	ORD_ASSERT(o->clients >= 1 && o->clients <= ORD_BENCH_CLIENTS_MAX);
	ORD_ASSERT(o->connections >= 1 && o->connections <= ORD_BENCH_CONNECTIONS_MAX);
	ORD_ASSERT(o->batch >= 1 && (uint64_t)o->clients * o->batch <= ORD_BENCH_ITEMS_MAX);
	ORD_ASSERT(o->count > 0 || o->seconds > 0);
	ORD_ASSERT(o->rate <= ORD_BENCH_RATE_MAX);
}

static void bench_begin(struct ord_bench *b)
{
	uint64_t run;
	if (getrandom(&run, sizeof run, 0) != sizeof run)
		run = uv_hrtime();
	ord_bench_work_init(&b->work, &b->options->work, run);
	ord_dice_init(&b->kept_dice, run);
	ord_bench_tally_init(&b->report->tally);
	memcpy(b->report->prefix, b->work.prefix, sizeof b->report->prefix);
	if (ord_bench_work_has_accounts(&b->work) &&
	    ord_bench_money_open(&b->money, b->options->work.accounts) != ORD_OK)
		ord_bench_fail(b, ORD_ERR_NOMEM, "--accounts", "out of memory for the balances; give fewer");
	else if (uv_loop_init(&b->loop) != 0)
		ord_bench_fail(b, ORD_ERR_IO, "no event loop can be made", "are too many files open?");
}

int ord_bench_run(const struct ord_bench_options *options, const struct ordain_options *cluster,
		  struct ord_bench_site *site, struct ord_bench_report *ret, char *why, size_t why_size)
{
	struct ord_bench *b = calloc(1, sizeof *b);
	options_check(options);
	memset(ret, 0, sizeof *ret);
	if (b == NULL) {
		snprintf(why, why_size, "out of memory");
		return ORD_ERR_NOMEM;
	}
	b->options = options;
	b->report = ret;
	b->site = site;
	b->why = why;
	b->why_size = why_size;
	bench_begin(b);
	if (b->err == ORD_OK) {
		steps_run(b, cluster);
		ORD_ASSERT(uv_loop_close(&b->loop) == 0);
	}
	int err = b->err;
	ord_bench_money_close(&b->money);
	free(b);
	return err;
}
