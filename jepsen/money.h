/* SPDX-License-Identifier: Apache-2.0 - accounts and transfers, as jepsen/checkers/ledger.h wants them in a history, asked of the cluster. */
#ifndef ORD_JEPSEN_MONEY_H
#define ORD_JEPSEN_MONEY_H

#include "jepsen/client.h"

#define ORD_MONEY_ASSET "EUR"
#define ORD_MONEY_MINT "mint" /* the account with a floor below zero: where money comes from */

/* :open, :transfer, :request, :read and :final-read. A read asks for the balances of the accounts in its value, one after the other. Asserts that f is one of these. */
void ord_money_perform(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret);

/* :request {:id i}: what became of a command of any kind. Its ok has the payload of a transfer besides. */
void ord_money_request(struct ord_client *c, const struct ord_ask *ask, struct ord_told *ret);

/* The answer of a command that was carried out or refused: the value that was asked, and :outcome, :reason, :replayed, :position. INFO when its id is too old to be known. */
struct ord_told ord_money_decided(struct ord_client *c, struct ord_edn asked, const struct ordain_result *result);

/* ceiling: INT64_MAX for none. */
struct ord_ask ord_money_open(struct ord_edn_pool *pool, struct ord_edn account, int64_t floor, int64_t ceiling);
struct ord_ask ord_money_transfer(struct ord_edn_pool *pool, struct ord_edn id, struct ord_edn payer,
				  struct ord_edn payee, int64_t amount);

/* Accounts a0, a1 ... that begin with the same balance each. */
struct ord_money_accounts {
	uint32_t count;
	int64_t balance;
	int64_t ceiling;    /* of every third; INT64_MAX: none */
	int64_t mint_floor; /* below zero: it has to reach for all balances */
};

/* Operation n of their set-up, as a workload's: opens the mint and the accounts, then fills these from the mint. */
bool ord_money_setup(const struct ord_money_accounts *a, uint32_t n, struct ord_random *r, struct ord_edn_pool *pool,
		     struct ord_ask *ret);

/* Operation n of the reads at the end, as a workload's: one, of all balances and the mint's. */
bool ord_money_final(const struct ord_money_accounts *a, uint32_t n, struct ord_edn_pool *pool, struct ord_ask *ret);

/* f ("read", "final-read") of the accounts prefix0 .. prefix(count - 1), and of the mint where that is wanted. */
struct ord_ask ord_money_read(struct ord_edn_pool *pool, const char *f, const char *prefix, uint32_t count, bool mint);

#endif
