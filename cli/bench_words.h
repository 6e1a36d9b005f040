/* SPDX-License-Identifier: Apache-2.0 - the flags of 'ordain bench', and what they have to be to one another. */
#ifndef ORD_CLI_BENCH_WORDS_H
#define ORD_CLI_BENCH_WORDS_H

#include <stddef.h>

#include "cli/args.h"
#include "cli/bench.h"

#define ORD_BENCH_FLAGS 15

/* What was said. */
struct ord_bench_words {
	const char *workload;
	const char *mix;
	const char *skew;
	int64_t clients;
	int64_t connections;
	int64_t batch;
	int64_t rate;
	int64_t accounts;
	int64_t hot_share;
	bool stale;
	int64_t warm_up_ms;
	int64_t seconds;
	int64_t count;
	int64_t seed;
	int64_t check_accounts;
	bool clients_given;
	bool batch_given;
	bool mix_given;
	bool seed_given;
	struct ord_flag flags[ORD_BENCH_FLAGS]; /* they point into this struct, so it must not move */
};

/* Defaults and flags. */
void ord_bench_words_init(struct ord_bench_words *w);

/* All but timeout_ms and progress. ORD_ERR_INVALID with why, which names the flag and the remedy. */
int ord_bench_words_options(const struct ord_bench_words *w, struct ord_bench_options *ret, char *why, size_t why_size);

#endif
