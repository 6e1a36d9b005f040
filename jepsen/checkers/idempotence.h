/* SPDX-License-Identifier: Apache-2.0 - checker: an id has one outcome and one effect, however often and with whatever it is asked for. Operations: jepsen/checkers/ledger.h. */
#ifndef ORD_JEPSEN_CHECKERS_IDEMPOTENCE_H
#define ORD_JEPSEN_CHECKERS_IDEMPOTENCE_H

#include "jepsen/verdict.h"

/* An answer with :reason :id_reused says that the id stands for another payload, all others are the outcome of the payload that was asked with. Rules, all invalid: `two-outcomes` (outcome or reason differ for one id),
 * `two-payloads` (two payloads of one id have an outcome that is not id_reused), `two-positions` (one id was logged at two), `two-firsts` (more than one answer that is not :replayed),
 * `reused-by-nobody` (id_reused, but no other payload was asked for before), `reused-by-itself` (id_reused, but this payload has an outcome), `balance` (a final balance is not what each id once makes of it), and the other rules of bank.h. `undecided`, `malformed`: unknown.
 * Figures: :ids, :answers, :replayed, :reused, :repeated (ids asked more than once), and those of bank.h. ORD_ERR_NOMEM. */
int ord_check_idempotence(const struct ord_jepsen_history *h, struct ord_verdict *ret);

#endif
