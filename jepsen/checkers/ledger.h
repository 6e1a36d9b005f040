/* SPDX-License-Identifier: Apache-2.0 - what the history tells of requests with ids: the transfers that are asked for, again and again, and what became of each. For the checkers of money, stock and ids.
 *
 *   :open     {:account a :floor n}  -> ok    :floor is 0 when it is missing; :ceiling, none
 *   :transfer {:id i :from a :to b :amount n} -> ok {... :outcome :settled | :refused, :reason :below_floor, :replayed true, :position [partition offset]}
 *   :request  {:id i} -> ok {:id i :outcome :settled | :refused | :accepted | :none, :reason ...}    what the cluster says became of it
 *   :read, :final-read nil -> ok {a balance, b balance, ...}    of some accounts; balances of one map were read one after the other, each after the invocation
 *
 * An ok of a transfer carries all the fields of its invocation, and :reason only when it was refused (names of partition/refusals.def). A fail was certainly not logged by this operation. Of an info
 * :request tells later, best at the end. Accounts and ids are any values but maps; all accounts begin with nothing, so that all balances sum to 0 and money comes from accounts with a floor below 0.
 * A :final-read comes when everything that was asked for has an outcome: after all invocations of other transfers are completed, and long enough. */
#ifndef ORD_JEPSEN_CHECKERS_LEDGER_H
#define ORD_JEPSEN_CHECKERS_LEDGER_H

#include "jepsen/verdict.h"

#endif
