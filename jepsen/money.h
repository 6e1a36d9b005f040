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

/* f ("read", "final-read") of the accounts prefix0 .. prefix(count - 1), and of the mint where that is wanted. */
struct ord_ask ord_money_read(struct ord_edn_pool *pool, const char *f, const char *prefix, uint32_t count, bool mint);

#endif
