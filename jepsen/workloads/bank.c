/* SPDX-License-Identifier: Apache-2.0 - workload: money goes round between a few accounts, and all balances are read. Jepsen's bank, without a moment at which all are read at once. */
#include "jepsen/checkers/bank.h"
#include "jepsen/money.h"
#include "jepsen/workload.h"

#define ACCOUNTS 10
#define BALANCE 100 /* that each begins with */
#define CEILING 130 /* of every third: what goes beyond it goes back to the payer */
#define READS_PER_MILLE 200
#define LARGE_PER_MILLE 50 /* transfers of more than anybody is likely to have: refused */
#define FLOOR (-1000000)

static const struct ord_money_accounts accounts = {
	.count = ACCOUNTS, .balance = BALANCE, .ceiling = CEILING, .mint_floor = FLOOR};

static bool setup(void *state, uint32_t n, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	(void)state;
	return ord_money_setup(&accounts, n, r, pool, ret);
}

static void next(void *state, uint32_t thread, struct ord_random *r, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	(void)state;
	(void)thread;
	if (ord_random_chance(r, READS_PER_MILLE)) {
		*ret = ord_money_read(pool, "read", "a", ACCOUNTS, true);
		return;
	}
	uint64_t from = ord_random_below(r, ACCOUNTS);
	uint64_t to = (from + 1 + ord_random_below(r, ACCOUNTS - 1)) % ACCOUNTS;
	bool large = ord_random_chance(r, LARGE_PER_MILLE);
	int64_t amount = (int64_t)(large ? 5 * BALANCE : 1 + ord_random_below(r, BALANCE / 4));
	*ret = ord_money_transfer(pool, ord_client_id(r, pool), ord_client_label(pool, "a", from),
				  ord_client_label(pool, "a", to), amount);
}

static bool final(void *state, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret)
{
	(void)state;
	return ord_money_final(&accounts, n, pool, ret);
}

static int check(const struct ord_jepsen_history *h, const struct ord_workload_check *options, struct ord_verdict *ret)
{
	(void)options;
	return ord_check_bank(h, ret);
}

const struct ord_workload ord_workload_bank = {
	.name = "bank",
	.summary = "transfers between a few accounts; no money is made or lost, nobody falls below the floor",
	.setup = setup,
	.next = next,
	.final = final,
	.perform = ord_money_perform,
	.check = check,
};
