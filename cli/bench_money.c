/* SPDX-License-Identifier: Apache-2.0 - what the balances of a bench's accounts have to be by what it was told. */
#include "cli/bench_money.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"

int ord_bench_money_open(struct ord_bench_money *m, uint32_t accounts_count)
{
	*m = (struct ord_bench_money){.accounts_count = accounts_count};
	m->lowest = calloc(accounts_count, sizeof *m->lowest);
	m->highest = calloc(accounts_count, sizeof *m->highest);
	return m->lowest != NULL && m->highest != NULL ? ORD_OK : ORD_ERR_NOMEM;
}

void ord_bench_money_close(struct ord_bench_money *m)
{
	free(m->lowest);
	free(m->highest);
	*m = (struct ord_bench_money){0};
}

static void move_check(const struct ord_bench_money *m, const struct ord_bench_move *move)
{
	ORD_ASSERT(move->payer < m->accounts_count);
	ORD_ASSERT(move->payee < m->accounts_count);
	ORD_ASSERT(move->payer != move->payee);
}

void ord_bench_money_settled(struct ord_bench_money *m, const struct ord_bench_move *move)
{
	move_check(m, move);
	m->lowest[move->payer] -= move->amount;
	m->highest[move->payer] -= move->amount;
	m->lowest[move->payee] += move->amount;
	m->highest[move->payee] += move->amount;
}

void ord_bench_money_unknown(struct ord_bench_money *m, const struct ord_bench_move *move)
{
	move_check(m, move);
	m->lowest[move->payer] -= move->amount;
	m->highest[move->payee] += move->amount;
	m->unknown++;
}

void ord_bench_money_found(const struct ord_bench_money *m, struct ord_bench_money_sum *sum, uint32_t account,
			   int64_t balance)
{
	ORD_ASSERT(account < m->accounts_count);
	sum->read++;
	sum->sum += balance;
	if (balance >= m->lowest[account] && balance <= m->highest[account])
		return;
	if (sum->wrong++ > 0)
		return;
	sum->wrong_first = account;
	sum->wrong_balance = balance;
}

bool ord_bench_money_right(const struct ord_bench_money *m, const struct ord_bench_money_sum *sum, char *why,
			   size_t why_size)
{
	if (sum->wrong > 0) {
		snprintf(why, why_size,
			 "%" PRIu64 " of %" PRIu64 " accounts do not have what was settled; account %" PRIu32
			 " of the run has %" PRId64 " and should have %" PRId64 " to %" PRId64,
			 sum->wrong, sum->read, sum->wrong_first, sum->wrong_balance, m->lowest[sum->wrong_first],
			 m->highest[sum->wrong_first]);
		return false;
	}
	if (sum->read == m->accounts_count && sum->sum != 0) {
		snprintf(why, why_size, "the sum of all balances is %" PRId64 " and not 0", sum->sum);
		return false;
	}
	return true;
}
