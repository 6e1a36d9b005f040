/* SPDX-License-Identifier: Apache-2.0 - the flags of 'ordain bench', and what they have to be to one another. */
#include "cli/bench_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/limits.h"

#define SHARE_MAX 1000000
#define EXPONENT_MAX 10
#define RATE_CLIENTS 1000 /* what is under way at most when calls do not wait for each other */

static void flags_work(struct ord_bench_words *w, struct ord_flag *f)
{
	f[0] = (struct ord_flag){.name = "workload",
				 .value = "WHAT",
				 .text = &w->workload,
				 .choices = "transfers claims reads mixed",
				 .help = "what to do",
				 .normal = "transfers"};
	f[1] = (struct ord_flag){.name = "mix",
				 .value = "T:C:R",
				 .text = &w->mix,
				 .given = &w->mix_given,
				 .help = "mixed: shares of calls that are transfers, claims, reads",
				 .normal = "50:10:40"};
	f[2] = (struct ord_flag){.name = "accounts",
				 .value = "N",
				 .number = &w->accounts,
				 .min = 2,
				 .max = ORD_BENCH_ACCOUNTS_MAX,
				 .help = "transfers, reads: accounts to open first",
				 .normal = "10000"};
	f[3] = (struct ord_flag){.name = "skew",
				 .value = "HOW",
				 .text = &w->skew,
				 .help = "how accounts are chosen: uniform, zipf (zipf:0.99) or zipf:S",
				 .normal = "uniform"};
	f[4] = (struct ord_flag){.name = "hot-share",
				 .value = "PERCENT",
				 .number = &w->hot_share,
				 .min = 0,
				 .max = 100,
				 .help = "transfers that pay out of or into one same account",
				 .normal = "0"};
	f[5] = (struct ord_flag){.name = "seed",
				 .value = "N",
				 .number = &w->seed,
				 .given = &w->seed_given,
				 .min = 0,
				 .max = INT64_MAX,
				 .help = "the same accounts and amounts in the same order",
				 .normal = "by chance"};
}

static void flags_load(struct ord_bench_words *w, struct ord_flag *f)
{
	f[0] = (struct ord_flag){.name = "clients",
				 .value = "N",
				 .number = &w->clients,
				 .given = &w->clients_given,
				 .min = 1,
				 .max = ORD_BENCH_CLIENTS_MAX,
				 .help = "calls under way at once",
				 .normal = "4; with --rate 1000"};
	f[1] = (struct ord_flag){.name = "batch",
				 .value = "N",
				 .number = &w->batch,
				 .given = &w->batch_given,
				 .min = 1,
				 .max = ORD_BATCH_ITEMS_MAX,
				 .help = "transfers, claims or reads of one call",
				 .normal = "1000; with --rate 1"};
	f[2] = (struct ord_flag){
		.name = "rate",
		.value = "N",
		.number = &w->rate,
		.min = 1,
		.max = ORD_BENCH_RATE_MAX,
		.help = "so many are due each second, answered or not; latency counts from when they are due",
		.normal = "each client waits for its answer"};
	f[3] = (struct ord_flag){.name = "warmup",
				 .value = "TIME",
				 .duration_ms = &w->warm_up_ms,
				 .min = 0,
				 .max = 3600000,
				 .help = "load before the clock starts",
				 .normal = "1s"};
	f[4] = (struct ord_flag){.name = "seconds",
				 .value = "N",
				 .number = &w->seconds,
				 .min = 1,
				 .max = 86400,
				 .help = "how long to measure",
				 .normal = "10"};
	f[5] = (struct ord_flag){.name = "count",
				 .value = "N",
				 .number = &w->count,
				 .min = 1,
				 .max = 1000000000000,
				 .help = "end after so many instead, without warm-up",
				 .normal = "by time"};
	f[6] = (struct ord_flag){.name = "connections",
				 .value = "N",
				 .number = &w->connections,
				 .min = 1,
				 .max = ORD_BENCH_CONNECTIONS_MAX,
				 .help = "connections to each node, which the clients share",
				 .normal = "1"};
	f[7] = (struct ord_flag){.name = "check-accounts",
				 .value = "N",
				 .number = &w->check_accounts,
				 .min = 0,
				 .max = ORD_BENCH_ACCOUNTS_MAX,
				 .help = "balances to read again at the end, at most",
				 .normal = "100000"};
	f[8] = (struct ord_flag){
		.name = "stale", .on = &w->stale, .help = "reads are answered by any node, as far as it has come"};
}

void ord_bench_words_init(struct ord_bench_words *w)
{
	*w = (struct ord_bench_words){.workload = "transfers",
				      .mix = "50:10:40",
				      .skew = "uniform",
				      .clients = 4,
				      .connections = 1,
				      .batch = 1000,
				      .accounts = 10000,
				      .warm_up_ms = 1000,
				      .seconds = 10,
				      .check_accounts = 100000};
	flags_work(w, w->flags);
	flags_load(w, w->flags + 6);
}

static int mix_parse(const struct ord_bench_words *w, uint32_t shares[ORD_BENCH_KINDS], char *why, size_t why_size)
{
	int end = 0;
	uint32_t t, c, r;
	bool fits = w->mix[0] != '\0' && strspn(w->mix, "0123456789:") == strlen(w->mix) && strlen(w->mix) < 24;
	if (fits && sscanf(w->mix, "%7" SCNu32 ":%7" SCNu32 ":%7" SCNu32 "%n", &t, &c, &r, &end) == 3 &&
	    w->mix[end] == '\0' && t <= SHARE_MAX && c <= SHARE_MAX && r <= SHARE_MAX && t + c + r > 0) {
		shares[ORD_BENCH_TRANSFER] = t;
		shares[ORD_BENCH_CLAIM] = c;
		shares[ORD_BENCH_READ] = r;
		return ORD_OK;
	}
	snprintf(why, why_size,
		 "--mix: '%.40s' is not three shares of transfers, claims and reads; write it like 50:10:40, each at "
		 "most %d and not all 0",
		 w->mix, SHARE_MAX);
	return ORD_ERR_INVALID;
}

static int shares_find(const struct ord_bench_words *w, uint32_t shares[ORD_BENCH_KINDS], char *why, size_t why_size)
{
	if (strcmp(w->workload, "mixed") == 0)
		return mix_parse(w, shares, why, why_size);
	if (w->mix_given) {
		snprintf(why, why_size, "--mix is for --workload mixed; the workload is %s", w->workload);
		return ORD_ERR_INVALID;
	}
	for (int kind = 0; kind < ORD_BENCH_KINDS; kind++)
		shares[kind] = strcmp(w->workload, ord_bench_kind_name((enum ord_bench_kind)kind)) == 0;
	return ORD_OK;
}

static int skew_parse(const char *skew, double *ret, char *why, size_t why_size)
{
	char *end = NULL;
	if (strcmp(skew, "uniform") == 0) {
		*ret = 0;
		return ORD_OK;
	}
	if (strcmp(skew, "zipf") == 0) {
		*ret = 0.99;
		return ORD_OK;
	}
	bool number = strncmp(skew, "zipf:", 5) == 0 && skew[5] != '\0' &&
		      strspn(skew + 5, "0123456789.") == strlen(skew + 5);
	double exponent = number ? strtod(skew + 5, &end) : 0;
	if (number && *end == '\0' && exponent >= 0.01 && exponent <= EXPONENT_MAX) {
		*ret = exponent;
		return ORD_OK;
	}
	snprintf(why, why_size, "--skew: '%.40s' is not uniform, zipf, or zipf:S with S from 0.01 to %d, like zipf:1.2",
		 skew, EXPONENT_MAX);
	return ORD_ERR_INVALID;
}

static int relations_check(const struct ord_bench_options *o, char *why, size_t why_size)
{
	uint64_t items = (uint64_t)o->clients * o->batch;
	if (items > ORD_BENCH_ITEMS_MAX)
		snprintf(why, why_size,
			 "--clients times --batch is %" PRIu64 "; at most %d can be under way: give less of one", items,
			 ORD_BENCH_ITEMS_MAX);
	else if (o->connections > o->clients)
		snprintf(why, why_size, "--connections: %" PRIu32 " is more than the %" PRIu32 " of --clients",
			 o->connections, o->clients);
	else if (o->stale && o->work.shares[ORD_BENCH_READ] == 0)
		snprintf(why, why_size, "--stale is for reads, and there are none in this workload");
	else if (o->work.hot_percent > 0 && o->work.shares[ORD_BENCH_TRANSFER] == 0)
		snprintf(why, why_size, "--hot-share is for transfers, and there are none in this workload");
	else
		return ORD_OK;
	return ORD_ERR_INVALID;
}

int ord_bench_words_options(const struct ord_bench_words *w, struct ord_bench_options *ret, char *why, size_t why_size)
{
	int64_t batch = w->rate > 0 && !w->batch_given ? 1 : w->batch;
	int64_t clients = w->rate > 0 && !w->clients_given ? RATE_CLIENTS : w->clients;
	struct ord_bench_options o = {
		.work = {.accounts = (uint32_t)w->accounts,
			 .hot_percent = (uint32_t)w->hot_share,
			 .seed = (uint64_t)w->seed},
		.batch = (uint32_t)batch,
		.clients = (uint32_t)clients,
		.connections = (uint32_t)w->connections,
		.rate = (uint64_t)w->rate,
		.count = (uint64_t)w->count,
		.seconds = (uint32_t)w->seconds,
		.warm_up_ms = w->count > 0 ? 0 : (uint32_t)w->warm_up_ms,
		.check_accounts = (uint32_t)w->check_accounts,
		.stale = w->stale,
	};
	if (!w->clients_given && clients * batch > ORD_BENCH_ITEMS_MAX)
		o.clients = (uint32_t)(ORD_BENCH_ITEMS_MAX / batch);
	uint32_t chance;
	if (!w->seed_given && getrandom(&chance, sizeof chance, 0) == sizeof chance)
		o.work.seed = chance;
	int err = shares_find(w, o.work.shares, why, why_size);
	if (err == ORD_OK)
		err = skew_parse(w->skew, &o.work.exponent, why, why_size);
	if (err == ORD_OK)
		err = relations_check(&o, why, why_size);
	if (err == ORD_OK)
		*ret = o;
	return err;
}
