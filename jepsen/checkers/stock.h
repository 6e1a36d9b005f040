/* SPDX-License-Identifier: Apache-2.0 - checker: no more is sold than there was. An item is an account that was opened with :stock; a purchase is a transfer from it (jepsen/checkers/ledger.h).
 *
 *   :open     {:account item :floor 0 :stock n} -> ok     n: what it is filled with before the first purchase, all of its stock
 *   :transfer {:id i :from item :to buyer :amount n} -> ok {... :outcome ...}
 */
#ifndef ORD_JEPSEN_CHECKERS_STOCK_H
#define ORD_JEPSEN_CHECKERS_STOCK_H

#include "jepsen/verdict.h"

/* Rules: `oversold` (the settled purchases of an item are more than its stock), `balance` (what a final read says is left is not stock less purchases), `refused-with-stock` (refused as below_floor, though what
 * is left at the end would have been enough: it can only have been more before), invalid; `undecided`, `no-item`, `malformed`, unknown; and the other rules of bank.h.
 * Figures: :items, :stock, :sold, :left, :purchases-refused, :sold-out (items), and those of bank.h. ORD_ERR_NOMEM. */
int ord_check_stock(const struct ord_jepsen_history *h, struct ord_verdict *ret);

#endif
