/* SPDX-License-Identifier: Apache-2.0 - what the balances of a bench's accounts have to be by what it was told: exact where outcomes are known, between two bounds where not. */
#ifndef ORD_CLI_BENCH_MONEY_H
#define ORD_CLI_BENCH_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A transfer between two accounts by their numbers. */
struct ord_bench_move {
	uint32_t payer;
	uint32_t payee;
	uint32_t amount;
};

struct ord_bench_money {
	uint32_t accounts_count;
	int64_t *lowest;  /* owned; for each account: when all that pays out of it happened, and nothing that pays in */
	int64_t *highest; /* owned */
	uint64_t unknown; /* transfers */
};

/* All balances are 0. ORD_ERR_NOMEM. */
int ord_bench_money_open(struct ord_bench_money *m, uint32_t accounts_count);

/* Tolerates one that was not opened, zeroed. */
void ord_bench_money_close(struct ord_bench_money *m);

void ord_bench_money_settled(struct ord_bench_money *m, const struct ord_bench_move *move);
void ord_bench_money_unknown(struct ord_bench_money *m, const struct ord_bench_move *move);

/* Accounts that were read, and what was found. */
struct ord_bench_money_sum {
	uint64_t read;
	uint64_t wrong; /* outside their bounds */
	uint32_t wrong_first;
	int64_t wrong_balance; /* of that */
	int64_t sum;
};

/* Adds what an account was found to hold. Each account once. */
void ord_bench_money_found(const struct ord_bench_money *m, struct ord_bench_money_sum *sum, uint32_t account,
			   int64_t balance);

/* Is the money right? False with why: a balance is outside its bounds; or all accounts were read and their sum is not 0. */
bool ord_bench_money_right(const struct ord_bench_money *m, const struct ord_bench_money_sum *sum, char *why,
			   size_t why_size);

#endif
