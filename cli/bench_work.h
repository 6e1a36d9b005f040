/* SPDX-License-Identifier: Apache-2.0 - what the calls of a bench ask for: which kind, which accounts, which amounts, which names. */
#ifndef ORD_CLI_BENCH_WORK_H
#define ORD_CLI_BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/bench_money.h"
#include "cli/dice.h"
#include "cli/zipf.h"

/* Of a call: all its commands are of one kind. */
enum ord_bench_kind { ORD_BENCH_TRANSFER = 0, ORD_BENCH_CLAIM = 1, ORD_BENCH_READ = 2 };
#define ORD_BENCH_KINDS 3

/* "transfers", "claims", "reads". */
const char *ord_bench_kind_name(enum ord_bench_kind kind);

struct ord_bench_work_options {
	uint32_t shares[ORD_BENCH_KINDS]; /* of the calls: weights, not all 0 */
	uint32_t accounts;		  /* at least 2 where there are transfers, 1 where there are reads */
	double exponent;		  /* of Zipf's law, by which accounts are chosen; 0: all alike */
	uint32_t hot_percent;		  /* transfers that have the hot account on one side: that with number 0 */
	uint64_t seed;			  /* kinds, accounts and amounts follow from it; names do not */
};

#define ORD_BENCH_NAME_SIZE 48 /* of an account or a claimed name, with its NUL */
#define ORD_BENCH_AMOUNT_MAX 100
#define ORD_BENCH_ASSET "BENCH"
#define ORD_BENCH_SPACE "bench"

struct ord_bench_work {
	struct ord_bench_work_options options;
	char prefix[ORD_BENCH_NAME_SIZE]; /* of all names of this run: of no other, so that runs do not meet */
	size_t prefix_len;
	struct ord_dice dice;
	struct ord_zipf zipf;
	uint64_t claims_count;
};

/* run is a number that no other run has. Asserts what the options say. */
void ord_bench_work_init(struct ord_bench_work *w, const struct ord_bench_work_options *options, uint64_t run);

/* Do calls of this kind, or accounts at all, come up? */
bool ord_bench_work_has(const struct ord_bench_work *w, enum ord_bench_kind kind);
bool ord_bench_work_has_accounts(const struct ord_bench_work *w);

/* Of the next call, its next transfer, its next read. */
enum ord_bench_kind ord_bench_work_kind(struct ord_bench_work *w);
struct ord_bench_move ord_bench_work_move(struct ord_bench_work *w);
uint32_t ord_bench_work_account(struct ord_bench_work *w);

/* Numbers of names that nobody has claimed: the first of count. */
uint64_t ord_bench_work_claims(struct ord_bench_work *w, uint32_t count);

/* The name of an account, and of a claim. Gives its length. */
size_t ord_bench_work_name(const struct ord_bench_work *w, uint64_t number, char name[ORD_BENCH_NAME_SIZE]);

#endif
