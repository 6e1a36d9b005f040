/* SPDX-License-Identifier: Apache-2.0 - checker: money is neither made nor lost, and nobody falls below the floor. Operations: jepsen/checkers/ledger.h. */
#ifndef ORD_JEPSEN_CHECKERS_BANK_H
#define ORD_JEPSEN_CHECKERS_BANK_H

#include "jepsen/verdict.h"

/* Rules, all invalid: `floor`, `ceiling` (a balance that was read passes the limit), `total` (the balances of the final reads do not sum to 0), `balance` (an account's final balance is not what settled transfers
 * make of it: each id once, refused ones not at all), `two-outcomes` (an id was told two outcomes), `two-payloads` (an id has an outcome for two), `forgotten` (an outcome was told, and later there was none), `read` (a balance in the middle that no choice of transfers makes),
 * `impossible` (a refusal that the rest of the history contradicts). Unknown: `reason` (a refusal for a reason that accounts which are open and of one asset do not give), `undecided` (an id of which nobody was told an outcome; balances are then
 * held against all it may have done), `no-final-read` (an account was opened and never read at the end), `malformed`.
 * Figures: :accounts, :settled, :refused, :none, :undecided, :reads, :final-reads, :moved (the sum of settled amounts). ORD_ERR_NOMEM. */
int ord_check_bank(const struct ord_jepsen_history *h, struct ord_verdict *ret);

#endif
